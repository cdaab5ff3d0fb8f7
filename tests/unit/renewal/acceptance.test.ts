import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { acceptance } from '../../../src/app/messages/acceptance.ts';
import { fromHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { acceptanceFailures, type AcceptanceContext, type AcceptanceFailure } from '../../../src/renewal/acceptance.ts';
import { openHierarchy, type AuthorityName, type Hierarchy } from '../../reference-ca/hierarchy.ts';
import { issueCertificate, type IssueParameters } from '../../reference-ca/issue.ts';
import { generateKey, type SoftwareKey } from '../../reference-ca/keys.ts';
import { attributeTypes, encodeName, type NamePart } from '../../reference-ca/subject.ts';
import { policy } from '../../faults/policy.ts';
import { readTree } from '../../fuzz/der-tree.ts';
import { CertificateDraft } from '../../hostile/certificate-changes.ts';
import { hostileBytes, hostileCertificates } from '../../hostile/certificates.ts';
import { hostileEncryptionCertificates } from '../../hostile/encryption-certificates.ts';
import { hostileEnvelopes } from '../../hostile/envelopes.ts';

const now = new Date('2026-11-22T09:00:00Z');
const days = (count: number): Date => new Date(now.getTime() + count * 86_400_000);
const taxNumberType = '1.2.156.10260.4.1.5';

const name = (commonName: string, taxNumber: string): Uint8Array =>
  encodeName([
    [attributeTypes.country, 'CN'],
    [attributeTypes.organizationalUnit, '天津税务证书示例'],
    [attributeTypes.commonName, commonName],
    [taxNumberType, taxNumber],
  ]);
const holder = name('示例商贸', '91120000MA0000001X');

let hierarchy: Hierarchy;
let oldKey: SoftwareKey;
let newKey: SoftwareKey;
let p256Key: SoftwareKey;
let rsaKey: SoftwareKey;
beforeAll(async () => {
  hierarchy = await openHierarchy(undefined);
  [oldKey, newKey, p256Key, rsaKey] = await Promise.all([
    generateKey('sm2'),
    generateKey('sm2'),
    generateKey('p256'),
    generateKey('rsa'),
  ]);
}, 30_000);

interface Change {
  readonly from?: AuthorityName;
  readonly key?: () => SoftwareKey;
  readonly certificate?: Partial<IssueParameters>;
}

function issue({ from = 'sm2', key = () => newKey, certificate = {} }: Change): Promise<Bytes> {
  const { issuing } = hierarchy[from];
  return issueCertificate({
    profile: 'signing',
    subject: holder,
    spki: key().spki,
    issuer: { name: issuing.subject, key: issuing.key },
    notBefore: days(-1),
    notAfter: days(395),
    ...certificate,
  });
}

async function context(change: Partial<AcceptanceContext> = {}): Promise<AcceptanceContext> {
  const old = await issue({ key: () => oldKey, certificate: { notBefore: days(-335), notAfter: days(30) } });
  const { sm2, p256, oldRsa } = hierarchy;
  return {
    purpose: 'renewal',
    oldCertificate: parseCertificate(old),
    newPublicKey: newKey.spki,
    chain: [],
    trust: {
      anchors: [sm2.root, p256.root, oldRsa.root],
      intermediates: [sm2, p256, oldRsa].map(({ issuing }) => issuing.certificate),
      oldIssuers: [oldRsa.root],
      taxpayerNumberTypes: [taxNumberType, attributeTypes.oldTaxpayerNumber],
    },
    policy,
    now,
    ...change,
  };
}

test('a certificate as asked for is acceptable', async () => {
  expect(await acceptanceFailures(await issue({}), await context())).toEqual([]);
});

test.each([...hostileCertificates, ...hostileBytes])(
  'a certificate $name is refused, and for just that',
  async ({ make, stoppedBy }) => {
    const asked = await context();
    const hostile = await make(await issue({}), { hierarchy, oldCertificate: asked.oldCertificate, now });

    expect(await acceptanceFailures(hostile, asked)).toEqual(stoppedBy);
  },
);

test('every check of either list has its hostile answer', () => {
  const stopping = [...hostileCertificates, ...hostileBytes, ...hostileEncryptionCertificates].flatMap(
    ({ stoppedBy }): readonly string[] => stoppedBy,
  );
  const ofEnvelopes = hostileEnvelopes(() => new Uint8Array()).flatMap(({ stoppedBy }): readonly string[] => stoppedBy);
  // These need another key or another USBKEY than the tables have: they have tests of their own.
  const elsewhere = ['weakerKey', 'otherKeyPair'];

  expect(new Set([...stopping, ...ofEnvelopes, ...elsewhere])).toEqual(new Set(Object.keys(acceptance.en.failures)));
});

test('a renewal may not be weaker than what it replaces, and an upgrade not than the policy', async () => {
  const weaker = await issue({ key: () => rsaKey });
  expect(await acceptanceFailures(weaker, await context({ newPublicKey: rsaKey.spki }))).toEqual(['weakerKey']);

  const rsa = await issue({ from: 'oldRsa', key: () => rsaKey, certificate: { notAfter: days(30) } });
  const upgrade = { purpose: 'upgrade', oldCertificate: parseCertificate(rsa) } as const;
  expect(await acceptanceFailures(await issue({}), await context(upgrade))).toEqual([]);
  const p256 = await issue({ from: 'p256', key: () => p256Key });
  const stricter = { ...policy, minSecurityBits: 192 };
  const strict = await context({ ...upgrade, newPublicKey: p256Key.spki, policy: stricter });
  expect(await acceptanceFailures(p256, strict)).toEqual(['weakerKey']);
});

test('an RSA key of less than 2048 bits is refused, even in place of another', async () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const small = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  const asked = await context({ newPublicKey: small });
  const draft = new CertificateDraft(await issue({}));
  draft.spki = small;
  const certificate = await draft.signedAnew(hierarchy.sm2.issuing.key);
  const before = new CertificateDraft(asked.oldCertificate.der);
  before.spki = small;
  const oldCertificate = parseCertificate(await before.signedAnew(hierarchy.sm2.issuing.key));

  expect(await acceptanceFailures(certificate, { ...asked, oldCertificate })).toEqual(['weakerKey']);
});

test('an upgrade may end on the old certificate’s day, not before it unless the plan says so', async () => {
  const old = await issue({ from: 'oldRsa', key: () => rsaKey, certificate: { notAfter: days(100) } });
  const upgrade = await context({ purpose: 'upgrade', oldCertificate: parseCertificate(old) });
  const earlier = await issue({ certificate: { notAfter: days(99) } });
  const past = await issue({ certificate: { notBefore: days(-9), notAfter: days(-1) } });
  const allowing = {
    ...upgrade,
    policy: { ...policy, upgradePlan: { ...policy.upgradePlan, mayEndEarlier: true } },
  };

  expect(await acceptanceFailures(await issue({ certificate: { notAfter: days(100) } }), upgrade)).toEqual([]);
  expect(await acceptanceFailures(earlier, upgrade)).toEqual(['notLonger']);
  expect(await acceptanceFailures(earlier, allowing)).toEqual([]);
  expect(await acceptanceFailures(past, allowing)).toEqual(['alreadyExpired']);
  // The plan is about upgrades.
  expect(await acceptanceFailures(earlier, { ...allowing, purpose: 'renewal' })).toEqual(['notLonger']);
});

test('a certificate from a clock a few minutes ahead is acceptable', async () => {
  const notBefore = new Date(now.getTime() + 4 * 60_000);

  expect(await acceptanceFailures(await issue({ certificate: { notBefore } }), await context())).toEqual([]);
});

test('purposes that allow client authentication, any, or what the operator expects, are acceptable', async () => {
  const asked = await context();
  const withPurposes = async (purposes: string): Promise<Uint8Array> => {
    const draft = new CertificateDraft(await issue({}));
    draft.setExtension('2.5.29.37', false, fromHex(purposes));
    return draft.signedAnew(hierarchy.sm2.issuing.key);
  };
  const emailAndClient = await withPurposes('301406082b0601050507030406082b06010505070302');
  const email = await withPurposes('300a06082b06010505070304');
  const expecting = { ...asked, trust: { ...asked.trust, extendedKeyUsage: ['1.3.6.1.5.5.7.3.4'] } };

  expect(await acceptanceFailures(emailAndClient, asked)).toEqual([]);
  expect(await acceptanceFailures(await withPurposes('30060604551d2500'), asked)).toEqual([]);
  expect(await acceptanceFailures(email, asked)).toEqual(['otherPurpose']);
  expect(await acceptanceFailures(email, expecting)).toEqual([]);
});

test('a renewal under an old authority stays possible for who has none of today’s', async () => {
  const old = await issue({ from: 'oldRsa', key: () => rsaKey, certificate: { notAfter: days(30) } });
  const certificate = await issue({ from: 'oldRsa' });
  const asked = await context({ oldCertificate: parseCertificate(old) });

  expect(await acceptanceFailures(certificate, asked)).toEqual([]);
  expect(await acceptanceFailures(certificate, { ...asked, purpose: 'upgrade' })).toEqual(['oldIssuer']);
});

test('a certificate issued by another holder is refused', async () => {
  const asked = await context();
  const draft = new CertificateDraft(await issue({}));
  draft.replace(3, readTree(new Uint8Array(asked.oldCertificate.subject.der)));
  draft.removeExtension('2.5.29.35');
  const certificate = await draft.signedAnew(oldKey);

  const failures = await acceptanceFailures(certificate, { ...asked, chain: [asked.oldCertificate.der] });
  expect(failures).toEqual(['notChained']);
});

describe('the rules for subjects', () => {
  const rules = {
    mayChange: [attributeTypes.commonName, taxNumberType],
    mayBeAdded: [attributeTypes.organizationalUnit, taxNumberType],
    mayBeRemoved: [attributeTypes.oldTaxpayerNumber],
  };
  const oldSubject = encodeName([
    [attributeTypes.country, 'CN'],
    [attributeTypes.commonName, '示例商贸'],
    [attributeTypes.oldTaxpayerNumber, '91120000MA0000001X'],
  ]);
  const upgrade = async (purpose: 'upgrade' | 'renewal', subject = oldSubject): Promise<AcceptanceContext> => {
    const old = await issue({ key: () => oldKey, certificate: { subject, notAfter: days(30) } });
    const asked = await context({ purpose, oldCertificate: parseCertificate(old) });
    const taxpayerNumberTypes = [taxNumberType, attributeTypes.oldTaxpayerNumber];
    return { ...asked, trust: { ...asked.trust, subjectRules: rules, taxpayerNumberTypes } };
  };
  const failuresFor = async (parts: readonly NamePart[], asked: AcceptanceContext): Promise<AcceptanceFailure[]> =>
    acceptanceFailures(await issue({ certificate: { subject: encodeName(parts) } }), asked);
  const country: NamePart = [attributeTypes.country, 'CN'];
  const holderPart: NamePart = [attributeTypes.commonName, '示例商贸'];
  const number: NamePart = [taxNumberType, '91120000MA0000001X'];

  test('let an upgrade move the number to its new attribute, add and change what is listed', async () => {
    const asked = await upgrade('upgrade');
    const unit: NamePart = [attributeTypes.organizationalUnit, '天津'];

    expect(await failuresFor([country, holderPart, number], asked)).toEqual([]);
    expect(await failuresFor([country, unit, [attributeTypes.commonName, '示例商贸有限公司'], number], asked)).toEqual(
      [],
    );
  });

  test('let nothing else change', async () => {
    const asked = await upgrade('upgrade');
    const locality: NamePart = [attributeTypes.locality, '天津'];

    expect(await failuresFor([country, locality, holderPart, number], asked)).toEqual(['otherSubject']);
    expect(await failuresFor([[attributeTypes.country, 'US'], holderPart, number], asked)).toEqual(['otherSubject']);
    expect(await failuresFor([holderPart, country, number], asked)).toEqual(['otherSubject']);
    expect(await failuresFor([country, number], asked)).toEqual(['otherSubject']);
  });

  test('do not let the number change or go, whatever they list', async () => {
    const asked = await upgrade('upgrade');

    const other = await failuresFor([country, holderPart, [taxNumberType, '91120000MA0000002Y']], asked);
    expect(other).toEqual(['otherTaxpayerNumber']);
    expect(await failuresFor([country, holderPart], asked)).toEqual(['otherTaxpayerNumber']);
    const both = await failuresFor([country, holderPart, number, [taxNumberType, '91120000MA0000002Y']], asked);
    expect(both).toEqual(['otherTaxpayerNumber']);
  });

  test('say nothing about a renewal', async () => {
    expect(await failuresFor([country, holderPart, number], await upgrade('renewal'))).toEqual(['otherSubject']);
  });

  test('find a number within the common name where the operator says how', async () => {
    const named = (commonName: string): NamePart => [attributeTypes.commonName, commonName];
    const asked = await upgrade('upgrade', encodeName([country, named('91120000MA0000001X@示例商贸@01')]));
    const within = { ...asked, trust: { ...asked.trust, taxpayerNumberInCommonName: /^(\w{18})@/u } };

    expect(await failuresFor([country, holderPart, number], within)).toEqual([]);
    expect(await failuresFor([country, named('91120000MA0000002Y@示例商贸@01')], within)).toEqual([
      'otherTaxpayerNumber',
    ]);
    expect(await failuresFor([country, named('示例商贸')], within)).toEqual(['otherTaxpayerNumber']);
    // Without the pattern there is no number to compare.
    expect(await failuresFor([country, named('91120000MA0000002Y@示例商贸@01')], asked)).toEqual([]);
  });
});

test('a certificate with one bit changed is never acceptable', async () => {
  const good = await issue({});
  const asked = await context();
  for (let bit = 0; bit < good.length * 8; bit += 97) {
    const bad = good.slice();
    bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(await acceptanceFailures(bad, asked), `bit ${bit}`).not.toEqual([]);
  }
});
