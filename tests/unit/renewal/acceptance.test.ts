import { beforeAll, expect, test } from 'vitest';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { acceptanceFailures, type AcceptanceContext, type AcceptanceFailure } from '../../../src/renewal/acceptance.ts';
import { openHierarchy, type AuthorityName, type Hierarchy } from '../../reference-ca/hierarchy.ts';
import { issueCertificate, type IssueParameters } from '../../reference-ca/issue.ts';
import { generateKey, type SoftwareKey } from '../../reference-ca/keys.ts';
import { attributeTypes, encodeName } from '../../reference-ca/subject.ts';
import { policy } from '../../faults/policy.ts';

const now = new Date('2026-11-22T09:00:00Z');
const days = (count: number): Date => new Date(now.getTime() + count * 86_400_000);
const taxNumberType = '1.2.156.10260.4.1.5';

const name = (commonName: string, taxNumber: string): Uint8Array =>
  encodeName([
    [attributeTypes.country, 'CN'],
    [attributeTypes.commonName, commonName],
    [taxNumberType, taxNumber],
  ]);
const holder = name('示例商贸', '91120000MA0000001X');

let hierarchy: Hierarchy;
let oldKey: SoftwareKey;
let newKey: SoftwareKey;
let otherKey: SoftwareKey;
let p256Key: SoftwareKey;
let rsaKey: SoftwareKey;
beforeAll(async () => {
  hierarchy = await openHierarchy(undefined);
  [oldKey, newKey, otherKey, p256Key, rsaKey] = await Promise.all([
    generateKey('sm2'),
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

function issue({ from = 'sm2', key = () => newKey, certificate = {} }: Change): Promise<Uint8Array> {
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
      taxpayerNumberTypes: [taxNumberType],
    },
    policy,
    now,
    ...change,
  };
}

test('a certificate as asked for is acceptable', async () => {
  expect(await acceptanceFailures(await issue({}), await context())).toEqual([]);
});

test.each<[string, Change, AcceptanceFailure[]]>([
  ['for somebody else’s key', { key: () => otherKey }, ['otherPublicKey']],
  ['with another name', { certificate: { subject: name('别家商贸', '91120000MA0000001X') } }, ['otherSubject']],
  [
    'with another taxpayer number',
    { certificate: { subject: name('示例商贸', '91120000MA0000002Y') } },
    ['otherSubject', 'otherTaxpayerNumber'],
  ],
  ['that ends with the old one', { certificate: { notAfter: days(30) } }, ['notLonger']],
  [
    'that has already ended',
    { certificate: { notBefore: days(-30), notAfter: days(-1) } },
    ['notLonger', 'alreadyExpired', 'notChained'],
  ],
  ['from the future', { certificate: { notBefore: days(1) } }, ['notYetValid', 'notChained']],
  ['that lives longer than the policy allows', { certificate: { notAfter: days(1830) } }, ['livesTooLong']],
  ['that may not sign', { certificate: { profile: 'encryption' } }, ['cannotSign']],
  ['that makes the holder an authority', { certificate: { profile: 'issuing' } }, ['isAuthority']],
  ['of an authority that is not pinned', { from: 'foreign' }, ['notChained']],
])('a certificate %s is refused', async (_what, change, expected) => {
  expect(await acceptanceFailures(await issue(change), await context())).toEqual(expected);
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

test('an upgrade may end on the old certificate’s day, not before it', async () => {
  const old = await issue({ from: 'oldRsa', key: () => rsaKey, certificate: { notAfter: days(100) } });
  const upgrade = await context({ purpose: 'upgrade', oldCertificate: parseCertificate(old) });
  expect(await acceptanceFailures(await issue({ certificate: { notAfter: days(100) } }), upgrade)).toEqual([]);
  const earlier = await issue({ certificate: { notAfter: days(99) } });
  expect(await acceptanceFailures(earlier, upgrade)).toEqual(['notLonger']);
});

test.each([
  ['nothing', new Uint8Array()],
  ['text', new TextEncoder().encode('-----BEGIN CERTIFICATE-----')],
  ['a sequence that is no certificate', Uint8Array.of(0x30, 3, 2, 1, 0)],
])('%s is not a certificate', async (_what, bytes) => {
  expect(await acceptanceFailures(bytes, await context())).toEqual(['notACertificate']);
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
