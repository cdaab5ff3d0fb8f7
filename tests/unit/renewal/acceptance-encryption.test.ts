import { beforeAll, expect, test } from 'vitest';
import { decodeEncryptedValue } from '../../../src/ca/encrypted-value.ts';
import type { EncryptionDelivery } from '../../../src/ca/authority.ts';
import { readSpki } from '../../../src/pki/algorithms.ts';
import { fromHex } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import {
  encryptionAcceptanceFailures,
  type EncryptionAcceptanceContext,
  type EncryptionAcceptanceFailure,
} from '../../../src/renewal/acceptance-encryption.ts';
import {
  algorithmNode,
  authorityConstraints,
  CertificateDraft,
  constructed,
  nullNode,
} from '../../hostile/certificate-changes.ts';
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
let otherKey: SoftwareKey;
let delivery: EncryptionDelivery;
let context: EncryptionAcceptanceContext;

beforeAll(async () => {
  hierarchy = await openHierarchy(undefined);
  [oldKey, signingKey, otherKey] = await Promise.all([generateKey('sm2'), generateKey('sm2'), generateKey('sm2')]);
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

type Change = (draft: CertificateDraft) => void;

test.each<[string, readonly EncryptionAcceptanceFailure[], Change, ('sm2' | 'foreign')?]>([
  ['for another key pair than the envelope’s', ['otherPublicKey'], (draft) => (draft.spki = otherKey.spki)],
  [
    'for the new signing key',
    ['otherPublicKey', 'sameAsSigningKey'],
    (draft) => (draft.spki = context.signingCertificate.spki),
  ],
  [
    'for the old signing key',
    ['otherPublicKey', 'sameAsSigningKey'],
    (draft) => (draft.spki = context.oldCertificate.spki),
  ],
  [
    'with another name',
    ['otherSubject'],
    (draft) => {
      draft.setSubjectValue(attributeTypes.commonName, '别家商贸');
    },
  ],
  [
    'with another taxpayer number',
    ['otherSubject', 'otherTaxpayerNumber'],
    (draft) => {
      draft.setSubjectValue(attributeTypes.taxpayerNumber, '91120000MA0000002Y');
    },
  ],
  [
    'without the taxpayer number',
    ['otherSubject', 'otherTaxpayerNumber'],
    (draft) => {
      draft.removeSubjectValue(attributeTypes.taxpayerNumber);
    },
  ],
  [
    'with the signing certificate’s number',
    ['sameCertificate'],
    (draft) => (draft.serialNumber = fromHex(context.signingCertificate.serialNumber)),
  ],
  [
    'with the old certificate’s number',
    ['sameCertificate'],
    (draft) => (draft.serialNumber = fromHex(context.oldCertificate.serialNumber)),
  ],
  ['with the number zero', ['badSerialNumber'], (draft) => (draft.serialNumber = Uint8Array.of(0))],
  [
    'that has ended',
    ['alreadyExpired'],
    (draft) => {
      draft.notBefore = days(-30);
      draft.notAfter = days(-1);
    },
  ],
  ['from the future', ['notYetValid'], (draft) => (draft.notBefore = days(1))],
  ['that lives longer than the policy allows', ['livesTooLong'], (draft) => (draft.notAfter = days(1830))],
  [
    'that may sign too',
    ['canSign'],
    (draft) => {
      draft.setKeyUsage(0b1011_0000);
    },
  ],
  [
    'that may bear witness',
    ['canSign'],
    (draft) => {
      draft.setKeyUsage(0b0111_0000);
    },
  ],
  [
    'for signatures alone',
    ['cannotEncrypt', 'canSign'],
    (draft) => {
      draft.setKeyUsage(0b1100_0000);
    },
  ],
  [
    'for nothing in particular',
    ['cannotEncrypt', 'canSign'],
    (draft) => {
      draft.removeExtension('2.5.29.15');
    },
  ],
  [
    'of an authority',
    ['isAuthority'],
    (draft) => {
      draft.setExtension('2.5.29.19', true, authorityConstraints);
    },
  ],
  [
    'with a critical extension nobody knows',
    ['unknownExtension', 'notChained'],
    (draft) => {
      draft.setExtension('1.2.3.4', true, fromHex('0500'));
    },
  ],
  [
    'signed with SHA-1',
    ['weakSignature', 'notChained'],
    (draft) => (draft.signatureAlgorithm = algorithmNode('1.2.840.10045.4.1')),
  ],
  [
    'whose signature algorithm has parameters',
    ['algorithmParameters'],
    (draft) => (draft.signatureAlgorithm = algorithmNode('1.2.156.10197.1.501', constructed(0x30, nullNode()))),
  ],
  ['that is of no version', ['notACertificate'], (draft) => (draft.part(0).parts = [])],
  ['of an authority that is not pinned', ['notChained'], () => undefined, 'foreign'],
])('one %s is refused', async (_what, expected, change, issuer = 'sm2') => {
  const draft = new CertificateDraft(delivery.certificate);
  change(draft);
  const certificate = await draft.signedAnew(hierarchy[issuer].issuing.key);

  expect(await encryptionAcceptanceFailures({ ...delivery, certificate }, context)).toEqual(expected);
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
