import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oids, signatureOidFor } from '../../../src/pki/algorithms.ts';
import { toHex } from '../../../src/pki/bytes.ts';
import { digestForSignatureAlgorithm, SignatureAlgorithmError, verifySignature } from '../../../src/pki/signature.ts';
import { sm3 } from '../../../src/pki/sm3.ts';
import { changed, makeKey } from './hierarchy.ts';

const message = new TextEncoder().encode('一段要签名的话');

describe('verifySignature', () => {
  it.each([
    ['P-256 with SHA-256', oids.ecdsaWithSha256, 'sha256', { namedCurve: 'P-256' }],
    ['P-256 with SHA-384', oids.ecdsaWithSha384, 'sha384', { namedCurve: 'P-256' }],
    ['P-384 with SHA-384', oids.ecdsaWithSha384, 'sha384', { namedCurve: 'P-384' }],
    ['P-384 with SHA-512', oids.ecdsaWithSha512, 'sha512', { namedCurve: 'P-384' }],
    ['RSA with SHA-256', oids.sha256WithRsa, 'sha256', { modulusLength: 2048 }],
    ['RSA with SHA-384', oids.sha384WithRsa, 'sha384', { modulusLength: 2048 }],
    ['RSA with SHA-512', oids.sha512WithRsa, 'sha512', { modulusLength: 2048 }],
  ] as const)('verifies %s made by OpenSSL, and nothing changed', async (_name, algorithm, hash, options) => {
    const { publicKey, privateKey } =
      'namedCurve' in options ? generateKeyPairSync('ec', options) : generateKeyPairSync('rsa', options);
    const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
    const signature = new Uint8Array(sign(hash, message, privateKey));
    await expect(verifySignature({ spki, algorithm, message, signature })).resolves.toBe(true);
    await expect(verifySignature({ spki, algorithm, message: changed(message, 3), signature })).resolves.toBe(false);
    await expect(verifySignature({ spki, algorithm, message, signature: changed(signature, -1) })).resolves.toBe(false);
    const other = algorithm === oids.sha256WithRsa ? oids.sha512WithRsa : oids.sha256WithRsa;
    await expect(verifySignature({ spki, algorithm: other, message, signature })).resolves.toBe(false);
  });

  it('does not take SHA-1 for a hash', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
    const signature = new Uint8Array(sign('sha1', message, privateKey));
    await expect(verifySignature({ spki, algorithm: oids.sha1WithRsa, message, signature })).resolves.toBe(false);
  });

  it.each(['sm2', 'p256', 'p384', 'rsa'] as const)('round-trips any message under %s', async (algorithm) => {
    const key = await makeKey(algorithm);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (anyMessage) => {
        const signature = await key.sign(anyMessage);
        const claim = { spki: key.spki, algorithm: signatureOidFor(algorithm), message: anyMessage };
        expect(await verifySignature({ ...claim, signature })).toBe(true);
        expect(await verifySignature({ ...claim, signature: changed(signature, signature.length - 2) })).toBe(false);
      }),
      { numRuns: 10 },
    );
  });

  it.each(['sm2', 'p256', 'rsa'] as const)('is false, never an error, for garbage under %s', async (algorithm) => {
    const key = await makeKey(algorithm);
    const garbage = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(garbage, garbage, async (signature, badKey) => {
        const claim = { algorithm: signatureOidFor(algorithm), message, signature };
        expect(await verifySignature({ ...claim, spki: key.spki })).toBe(false);
        expect(await verifySignature({ ...claim, spki: badKey })).toBe(false);
      }),
      { numRuns: 30 },
    );
  });
});

describe('digestForSignatureAlgorithm', () => {
  it('hashes with the hash of the signature algorithm', async () => {
    expect(await digestForSignatureAlgorithm(oids.sm2WithSm3, message)).toEqual(sm3(message));
    const sha = async (algorithm: string): Promise<string> =>
      toHex(await digestForSignatureAlgorithm(algorithm, message));
    expect(await sha(oids.ecdsaWithSha256)).toBe(createHash('sha256').update(message).digest('hex'));
    expect(await sha(oids.ecdsaWithSha384)).toBe(createHash('sha384').update(message).digest('hex'));
    expect(await sha(oids.sha512WithRsa)).toBe(createHash('sha512').update(message).digest('hex'));
  });

  it('has no hash for what is not accepted', async () => {
    await expect(digestForSignatureAlgorithm(oids.sha1WithRsa, message)).rejects.toThrow(SignatureAlgorithmError);
  });
});
