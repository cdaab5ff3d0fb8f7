import { generateKeyPairSync, sign } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { fromHex } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { generationOf } from '../../../src/renewal/key-contents.ts';
import type { Trust } from '../../../src/renewal/trust.ts';
import { changed, issueCertificate, makeName, type TestKey } from '../pki/hierarchy.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key: TestKey = {
  algorithm: 'rsa',
  spki: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
  sign: (message) => Promise.resolve(new Uint8Array(sign('sha1', message, privateKey))),
};
/** sha1WithRSAEncryption. */
const signatureAlgorithm = fromHex('300d06092a864886f70d0101050500');
const signed = { key, issuerKey: key, issuer: makeName('Root'), signatureAlgorithm } as const;
let sha1: { readonly root: Uint8Array; readonly leaf: Uint8Array };
beforeAll(async () => {
  sha1 = {
    root: await issueCertificate({ ...signed, subject: signed.issuer, isCa: true, keyUsage: [5, 6] }),
    leaf: await issueCertificate({ ...signed, subject: makeName('纳税人'), keyUsage: [0] }),
  };
});
const trustIn = (trust: Partial<Trust>): Trust => ({
  ...{ anchors: [sha1.root], intermediates: [], oldIssuers: [], taxpayerNumberTypes: [] },
  ...trust,
});

test('a certificate signed with SHA-1 is known as the old authority’s, so that it can be upgraded', async () => {
  const trust = trustIn({ oldIssuers: [sha1.root] });

  expect(await generationOf(parseCertificate(sha1.leaf), trust)).toBe('old');
  expect(await generationOf(parseCertificate(changed(sha1.leaf, -1)), trust)).toBe('foreign');
});

test('under an authority of today a certificate signed with SHA-1 is nobody’s', async () => {
  expect(await generationOf(parseCertificate(sha1.leaf), trustIn({}))).toBe('foreign');
});
