import { beforeAll, expect, test } from 'vitest';
import { decodeEncryptedValue } from '../../../src/ca/encrypted-value.ts';
import type { EncryptionDelivery } from '../../../src/ca/authority.ts';
import { readSpki } from '../../../src/pki/algorithms.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import {
  encryptionAcceptanceFailures,
  type EncryptionAcceptanceContext,
} from '../../../src/renewal/acceptance-encryption.ts';
import { algorithmNode, CertificateDraft, nullNode } from '../../hostile/certificate-changes.ts';
import { hostileEncryptionCertificates } from '../../hostile/encryption-certificates.ts';
import { policy } from '../../faults/policy.ts';
import { makeEncryptionKey } from '../../reference-ca/encryption-key.ts';
import { openHierarchy, type Hierarchy } from '../../reference-ca/hierarchy.ts';
import { issueCertificate } from '../../reference-ca/issue.ts';
import { generateKey, type SoftwareKey } from '../../reference-ca/keys.ts';
import { attributeTypes, sampleTaxpayer, taxpayerSubject } from '../../reference-ca/subject.ts';

const now = new Date('2026-11-22T09:00:00Z');
const days = (count: number): Date => new Date(now.getTime() + count * 86_400_000);
const subject = taxpayerSubject(sampleTaxpayer(), 'current');

let hierarchy: Hierarchy;
let oldKey: SoftwareKey;
let signingKey: SoftwareKey;
let delivery: EncryptionDelivery;
let context: EncryptionAcceptanceContext;

beforeAll(async () => {
  hierarchy = await openHierarchy(undefined);
  [oldKey, signingKey] = await Promise.all([generateKey('sm2'), generateKey('sm2')]);
  const { spki, encryptedKey } = await makeEncryptionKey(signingKey.spki);
  const issue = (profile: 'signing' | 'encryption', key: Uint8Array, from: number, to: number): Promise<Uint8Array> =>
    issueCertificate({
      ...{ profile, subject, spki: key, notBefore: days(from), notAfter: days(to) },
      issuer: { name: hierarchy.sm2.issuing.subject, key: hierarchy.sm2.issuing.key },
    });
  const certificate = await issue('encryption', spki, -1, 395);
  delivery = { certificate, envelope: decodeEncryptedValue(encryptedKey, readSpki(spki).publicKey) };
  context = {
    oldCertificate: parseCertificate(await issue('signing', oldKey.spki, -335, 30)),
    signingCertificate: parseCertificate(await issue('signing', signingKey.spki, -1, 395)),
    chain: [],
    trust: {
      anchors: [hierarchy.sm2.root],
      intermediates: [hierarchy.sm2.issuing.certificate],
      oldIssuers: [],
      taxpayerNumberTypes: [attributeTypes.taxpayerNumber],
    },
    policy,
    now,
  };
}, 30_000);

test('an encryption certificate with its key pair is acceptable', async () => {
  expect(await encryptionAcceptanceFailures(delivery, context)).toEqual([]);
});

test.each(hostileEncryptionCertificates)('one $name is refused, and for just that', async ({ make, stoppedBy }) => {
  const { oldCertificate, signingCertificate } = context;
  const perfect = new Uint8Array(delivery.certificate);
  const certificate = await make(perfect, { hierarchy, oldCertificate, signingCertificate, now });

  expect(await encryptionAcceptanceFailures({ ...delivery, certificate }, context)).toEqual(stoppedBy);
});

test('one with NULL for parameters, or a longer life than the signing certificate’s, is acceptable', async () => {
  const draft = new CertificateDraft(delivery.certificate);
  draft.signatureAlgorithm = algorithmNode('1.2.156.10197.1.501', nullNode());
  draft.notAfter = days(400);
  const certificate = await draft.signedAnew(hierarchy.sm2.issuing.key);

  expect(await encryptionAcceptanceFailures({ ...delivery, certificate }, context)).toEqual([]);
});

test('one weaker than the policy’s floor is refused', async () => {
  const stricter = { ...context, policy: { ...policy, minSecurityBits: 192 } };

  expect(await encryptionAcceptanceFailures(delivery, stricter)).toEqual(['weakerKey']);
});

test('one that is not DER is refused as such', async () => {
  const certificate = delivery.certificate.subarray(0, -1);

  expect(await encryptionAcceptanceFailures({ ...delivery, certificate }, context)).toEqual(['notDer']);
});
