import { generateKeyPairSync, sign } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { KeyAlgorithm } from '../../../src/pki/algorithms.ts';
import { concat, fromHex, type Bytes } from '../../../src/pki/bytes.ts';
import { verifyChain, type ChainRequest } from '../../../src/pki/chain.ts';
import { encode, oid, printableString, sequence, set, utf8String, type DerBlock } from '../../../src/pki/der.ts';
import { changed, issueCertificate, makeKey, makeName, type CertificateContent, type TestKey } from './hierarchy.ts';

const names = { root: makeName('Root'), middle: makeName('Middle'), leaf: makeName('Leaf') };
const keyId = { root: Uint8Array.of(1), middle: Uint8Array.of(2) };
const at = new Date('2026-06-01T00:00:00Z');

interface Keys {
  readonly root: TestKey;
  readonly middle: TestKey;
  readonly leaf: TestKey;
}
interface Hierarchy {
  readonly root: Bytes;
  readonly middle: Bytes;
  readonly leaf: Bytes;
}
type Changes = Partial<Record<keyof Hierarchy, Partial<CertificateContent>>>;

async function makeKeys(root: KeyAlgorithm, middle = root, leaf = middle): Promise<Keys> {
  return { root: await makeKey(root), middle: await makeKey(middle), leaf: await makeKey(leaf) };
}

async function makeHierarchy(keys: Keys, changes: Changes = {}): Promise<Hierarchy> {
  const ca = { isCa: true, keyUsage: [5, 6] };
  return {
    root: await issueCertificate({
      ...ca,
      subject: names.root,
      issuer: names.root,
      key: keys.root,
      issuerKey: keys.root,
      subjectKeyIdentifier: keyId.root,
      ...changes.root,
    }),
    middle: await issueCertificate({
      ...ca,
      subject: names.middle,
      issuer: names.root,
      key: keys.middle,
      issuerKey: keys.root,
      subjectKeyIdentifier: keyId.middle,
      authorityKeyIdentifier: keyId.root,
      ...changes.middle,
    }),
    leaf: await issueCertificate({
      subject: names.leaf,
      issuer: names.middle,
      key: keys.leaf,
      issuerKey: keys.middle,
      keyUsage: [0],
      authorityKeyIdentifier: keyId.middle,
      ...changes.leaf,
    }),
  };
}

const requestFor = ({ root, middle, leaf }: Hierarchy): ChainRequest => ({
  leaf,
  intermediates: [middle],
  anchors: [root],
  at,
});

describe('verifyChain', () => {
  let keys: Keys;
  let good: Hierarchy;
  beforeAll(async () => {
    keys = await makeKeys('p256');
    good = await makeHierarchy(keys);
  });

  it.each([
    ['sm2', 'sm2', 'sm2'],
    ['p256', 'p256', 'p256'],
    ['p384', 'p256', 'sm2'],
    ['rsa', 'rsa', 'rsa'],
    ['rsa', 'sm2', 'p256'],
  ] as const)('finds the path of keys %s, %s, %s', async (root, middle, leaf) => {
    const hierarchy = await makeHierarchy(await makeKeys(root, middle, leaf));
    const result = await verifyChain(requestFor(hierarchy));
    expect(result).toMatchObject({ ok: true });
    expect(result.ok && result.path.map(({ der }) => der)).toEqual([hierarchy.leaf, hierarchy.middle, hierarchy.root]);
  });

  it('ends at an intermediate that is pinned itself, and at a pinned leaf', async () => {
    const toMiddle = await verifyChain({ leaf: good.leaf, intermediates: [], anchors: [good.middle], at });
    expect(toMiddle.ok && toMiddle.path).toHaveLength(2);
    const toLeaf = await verifyChain({ leaf: good.leaf, intermediates: [], anchors: [good.leaf], at });
    expect(toLeaf.ok && toLeaf.path).toHaveLength(1);
  });

  it('finds its way among strangers, garbage, doubles and CAs of the same name with other keys', async () => {
    const others = await makeHierarchy(await makeKeys('p256'), { middle: { authorityKeyIdentifier: keyId.root } });
    const intermediates = [Uint8Array.of(1, 2), others.middle, others.leaf, good.middle, good.middle];
    await expect(verifyChain({ ...requestFor(good), intermediates })).resolves.toMatchObject({ ok: true });
  });

  it('does not go round in circles', async () => {
    const first = await issueCertificate({
      subject: names.root,
      issuer: names.middle,
      key: keys.root,
      issuerKey: keys.middle,
      isCa: true,
      subjectKeyIdentifier: keyId.root,
    });
    const stranger = (await makeHierarchy(await makeKeys('p256'))).root;
    await expect(
      verifyChain({ leaf: good.leaf, intermediates: [good.middle, first], anchors: [stranger], at }),
    ).resolves.toMatchObject({ ok: false });
  });

  it('gives up on a pool made to keep it busy', async () => {
    const pool = await Promise.all(
      Array.from({ length: 60 }, (_, serialNumber) =>
        issueCertificate({
          subject: names.middle,
          issuer: names.middle,
          key: keys.middle,
          issuerKey: keys.middle,
          isCa: true,
          serialNumber,
          subjectKeyIdentifier: keyId.middle,
        }),
      ),
    );
    const stranger = (await makeHierarchy(await makeKeys('p256'))).root;
    await expect(verifyChain({ leaf: good.leaf, intermediates: pool, anchors: [stranger], at })).resolves.toMatchObject(
      { ok: false },
    );
  });

  it.each<[string, Changes, string]>([
    ['an expired leaf', { leaf: { notAfter: new Date('2026-05-31T23:59:59Z') } }, 'expired'],
    ['a leaf not yet valid', { leaf: { notBefore: new Date('2026-06-01T00:00:01Z') } }, 'notYetValid'],
    ['an expired intermediate', { middle: { notAfter: new Date('2026-05-01T00:00:00Z') } }, 'expired'],
    ['an expired anchor', { root: { notAfter: new Date('2026-05-01T00:00:00Z') } }, 'expired'],
    ['an intermediate that is no CA', { middle: { isCa: false } }, 'notCa'],
    ['an intermediate without basicConstraints', { middle: { keyUsage: [5], isCa: false } }, 'notCa'],
    ['an intermediate that may not sign certificates', { middle: { keyUsage: [0, 6] } }, 'notCertSigner'],
    ['an anchor that is no CA', { root: { isCa: false } }, 'notCa'],
    ['a path longer than the anchor allows', { root: { pathLength: 0 } }, 'pathTooLong'],
    [
      'an unknown critical extension in the leaf',
      { leaf: { criticalExtension: '1.2.3.4' } },
      'unknownCriticalExtension',
    ],
    [
      'name constraints, which are not checked here',
      { middle: { criticalExtension: '2.5.29.30' } },
      'unknownCriticalExtension',
    ],
    ['another issuer’s name', { leaf: { issuer: makeName('Somebody') } }, 'noPath'],
    ['another issuer’s key identifier', { leaf: { authorityKeyIdentifier: Uint8Array.of(9) } }, 'noPath'],
    [
      'a signature with SHA-1',
      { leaf: { signatureAlgorithm: fromHex('300d06092a864886f70d0101050500') } },
      'unsupportedAlgorithm',
    ],
    [
      'a signature of another kind',
      { leaf: { signatureAlgorithm: fromHex('300a06082a811ccf55018375') } },
      'badSignature',
    ],
  ])('refuses %s', async (_name, changes, reason) => {
    await expect(verifyChain(requestFor(await makeHierarchy(keys, changes)))).resolves.toEqual({ ok: false, reason });
  });

  it('allows as many CAs below an issuer as it says', async () => {
    const hierarchy = await makeHierarchy(keys, { root: { pathLength: 1 }, middle: { pathLength: 0 } });
    await expect(verifyChain(requestFor(hierarchy))).resolves.toMatchObject({ ok: true });
  });

  it('takes both ends of the validity as valid', async () => {
    const hierarchy = await makeHierarchy(keys, { leaf: { notBefore: at, notAfter: at } });
    await expect(verifyChain(requestFor(hierarchy))).resolves.toMatchObject({ ok: true });
  });

  it('lets a leaf be expired where the caller allows it, and nothing else', async () => {
    const past = new Date('2026-05-01T00:00:00Z');
    const expiredLeaf = await makeHierarchy(keys, { leaf: { notAfter: past } });
    const expiredMiddle = await makeHierarchy(keys, { middle: { notAfter: past } });
    const future = await makeHierarchy(keys, { leaf: { notBefore: new Date('2026-06-02T00:00:00Z') } });
    const verify = (hierarchy: Hierarchy): ReturnType<typeof verifyChain> =>
      verifyChain({ ...requestFor(hierarchy), allowExpiredLeaf: true });
    await expect(verify(expiredLeaf)).resolves.toMatchObject({ ok: true });
    await expect(verify(expiredMiddle)).resolves.toEqual({ ok: false, reason: 'expired' });
    await expect(verify(future)).resolves.toEqual({ ok: false, reason: 'notYetValid' });
  });

  it.each([
    ['the signature', -1],
    ['the name', 80],
  ])('refuses a leaf with a changed byte in %s', async (_name, index) => {
    const result = await verifyChain({ ...requestFor(good), leaf: changed(good.leaf, index) });
    expect(result.ok).toBe(false);
  });

  it('refuses a leaf signed by a stranger under the issuer’s name', async () => {
    const stranger = await makeKey('p256');
    const forged = await makeHierarchy(keys, { leaf: { issuerKey: stranger } });
    await expect(verifyChain(requestFor(forged))).resolves.toEqual({ ok: false, reason: 'badSignature' });
  });

  it('refuses an issuer with a key of less than 112 bits', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const pkcs8 = new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' }));
    const parameters = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    const signer = await crypto.subtle.importKey('pkcs8', pkcs8, parameters, false, ['sign']);
    const middle: TestKey = {
      algorithm: 'rsa',
      spki: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
      sign: async (message) => new Uint8Array(await crypto.subtle.sign(parameters, signer, new Uint8Array(message))),
    };
    const hierarchy = await makeHierarchy({ ...keys, middle });
    await expect(verifyChain(requestFor(hierarchy))).resolves.toEqual({ ok: false, reason: 'weakKey' });
  });

  it('says that a leaf is not a certificate', async () => {
    await expect(verifyChain({ ...requestFor(good), leaf: good.leaf.subarray(1) })).resolves.toEqual({
      ok: false,
      reason: 'malformed',
    });
  });

  it('trusts nothing without an anchor', async () => {
    await expect(
      verifyChain({ ...requestFor(good), intermediates: [good.middle, good.root], anchors: [] }),
    ).resolves.toEqual({
      ok: false,
      reason: 'noPath',
    });
  });

  it('knows an issuer whose name is written in another case, another string type, with other spaces', async () => {
    const name = (type: (text: string) => DerBlock, text: string): Bytes =>
      encode(sequence(set(sequence(oid('2.5.4.6'), printableString('CN'))), set(sequence(oid('2.5.4.3'), type(text)))));
    const hierarchy = await makeHierarchy(keys, {
      middle: { subject: name(utf8String, 'Some  Issuing CA') },
      leaf: { issuer: name(printableString, ' some issuing ca ') },
    });
    await expect(verifyChain(requestFor(hierarchy))).resolves.toMatchObject({ ok: true });
    const other = await makeHierarchy(keys, {
      middle: { subject: name(utf8String, 'Some Issuing CA') },
      leaf: { issuer: name(utf8String, 'SomeIssuing CA') },
    });
    await expect(verifyChain(requestFor(other))).resolves.toEqual({ ok: false, reason: 'noPath' });
  });

  it('refuses every changed byte of what it has accepted before', async () => {
    await expect(verifyChain(requestFor(good))).resolves.toMatchObject({ ok: true });
    for (const index of good.leaf.keys()) {
      const result = await verifyChain({ ...requestFor(good), leaf: changed(good.leaf, index) });
      expect(result.ok).toBe(false);
    }
  });

  it('looks at the bytes of an array anew each time', async () => {
    const request = requestFor({ leaf: concat(good.leaf), middle: concat(good.middle), root: concat(good.root) });
    await expect(verifyChain(request)).resolves.toMatchObject({ ok: true });
    for (const certificate of [request.leaf, ...request.intermediates]) {
      const last = certificate.length - 1;
      certificate[last] = (certificate[last] ?? 0) ^ 1;
      expect((await verifyChain(request)).ok).toBe(false);
      certificate[last] = (certificate[last] ?? 0) ^ 1;
    }
    await expect(verifyChain(request)).resolves.toMatchObject({ ok: true });
  });
});

describe('verifyChain with certificates signed with SHA-1', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const sha1Key: TestKey = {
    algorithm: 'rsa',
    spki: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    sign: (message) => Promise.resolve(new Uint8Array(sign('sha1', message, privateKey))),
  };
  const signatureAlgorithm = fromHex('300d06092a864886f70d0101050500');
  let old: Hierarchy;
  beforeAll(async () => {
    const keys = { root: sha1Key, middle: sha1Key, leaf: sha1Key };
    old = await makeHierarchy(keys, {
      root: { signatureAlgorithm },
      middle: { signatureAlgorithm },
      leaf: { signatureAlgorithm },
    });
  });

  it('says whose an old one is where that is what is asked, and trusts none, before or after', async () => {
    const distrusted = { ok: false, reason: 'unsupportedAlgorithm' };
    await expect(verifyChain(requestFor(old))).resolves.toEqual(distrusted);
    await expect(verifyChain({ ...requestFor(old), acceptSha1For: 'identification' })).resolves.toMatchObject({
      ok: true,
    });
    await expect(verifyChain(requestFor(old))).resolves.toEqual(distrusted);
  });

  it('does not take a stranger’s for an old one', async () => {
    const request: ChainRequest = { ...requestFor(old), acceptSha1For: 'identification' };
    await expect(verifyChain({ ...request, leaf: changed(old.leaf, -1) })).resolves.toEqual({
      ok: false,
      reason: 'badSignature',
    });
  });
});
