import fc from 'fast-check';
import * as oracle from 'sm-crypto-v2';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex, type Bytes } from '../../../src/pki/bytes.ts';
import {
  sm2Decrypt,
  sm2Digest,
  sm2Encrypt,
  sm2EncryptWithNonce,
  Sm2Error,
  sm2GenerateKeyPair,
  sm2PublicKey,
  sm2SignDigest,
  sm2SignDigestWithNonce,
  sm2VerifyDigest,
  sm2Z,
} from '../../../src/pki/sm2.ts';
import { sm3 } from '../../../src/pki/sm3.ts';
import { sm4EcbDecrypt, sm4EcbEncrypt, sm4EncryptBlock } from '../../../src/pki/sm4.ts';
import vectors from '../../vectors/gm.json' with { type: 'json' };

const utf8 = (text: string): Bytes => new TextEncoder().encode(text);
const flipBit = (bytes: Uint8Array, bit: number): Bytes => {
  const changed = new Uint8Array(bytes);
  changed[bit >>> 3] = (changed[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
};

describe('SM3', () => {
  it.each([
    ['GB/T 32905 A.1', utf8('abc'), vectors.sm3[0]?.digest],
    ['GB/T 32905 A.2', utf8('abcd'.repeat(16)), vectors.sm3[1]?.digest],
  ])('hashes the example %s', (_name, message, digest) => {
    expect(toHex(sm3(message))).toBe(digest);
  });

  it('agrees with another implementation at every length around the block size', () => {
    for (let length = 0; length <= 200; length++) {
      const message = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff);
      expect(toHex(sm3(message)), `${length} bytes`).toBe(oracle.sm3(message));
    }
  });

  it('does not care how the message is divided', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (parts) => {
        expect(sm3(...parts)).toEqual(sm3(concat(...parts)));
      }),
    );
  });
});

describe('SM4', () => {
  const key = fromHex(vectors.sm4ecb.key);
  const plaintext = fromHex(vectors.sm4ecb.plaintext);

  it('encrypts the example GB/T 32907 A.1', () => {
    expect(toHex(sm4EncryptBlock(key, plaintext))).toBe(vectors.sm4ecb.ciphertext);
  });

  it('encrypts the example GB/T 32907 A.2: a million rounds', () => {
    let block = plaintext;
    for (let round = 0; round < 1_000_000; round++) block = sm4EncryptBlock(key, block);
    expect(toHex(block)).toBe(vectors.sm4ecb.after1000000Rounds);
  }, 30_000);

  it('makes the password proof of the published example', () => {
    const { key: pinKey, challenge, proof } = vectors.verifyPin;
    expect(toHex(sm4EncryptBlock(fromHex(pinKey), concat(fromHex(challenge), new Uint8Array(8))))).toBe(proof);
  });

  it('agrees with another implementation in ECB mode and undoes it', () => {
    const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(sixteen, fc.array(sixteen, { maxLength: 4 }), (anyKey, blocks) => {
        const data = concat(...blocks);
        const encrypted = sm4EcbEncrypt(anyKey, data);
        expect(toHex(encrypted)).toBe(oracle.sm4.encrypt(data, toHex(anyKey), { padding: 'none', output: 'string' }));
        expect(sm4EcbDecrypt(anyKey, encrypted)).toEqual(data);
      }),
    );
  });

  it('refuses keys and data of other lengths', () => {
    expect(() => sm4EncryptBlock(key.subarray(1), plaintext)).toThrow(RangeError);
    expect(() => sm4EncryptBlock(key, new Uint8Array(32))).toThrow(RangeError);
    expect(() => sm4EcbEncrypt(key, new Uint8Array(17))).toThrow(RangeError);
    expect(() => sm4EcbDecrypt(key, new Uint8Array(15))).toThrow(RangeError);
  });
});

describe('SM2', () => {
  const { sm2: example } = vectors;
  const d = fromHex(example.d);
  const publicKey = fromHex(example.publicKey);
  const message = utf8(example.message);

  it('follows the example of GM/T 0003.5 from the key to the signature', () => {
    expect(toHex(sm2PublicKey(d))).toBe(example.publicKey);
    expect(toHex(sm2Z(publicKey, utf8(example.id)))).toBe(example.z);
    expect(toHex(sm2Digest(message, publicKey))).toBe(example.e);
    const signature = sm2SignDigestWithNonce(fromHex(example.e), d, fromHex(example.k));
    expect(signature && toHex(signature)).toBe(example.r + example.s);
    expect(sm2VerifyDigest(fromHex(example.e), fromHex(example.r + example.s), publicKey)).toBe(true);
  });

  it('follows the example of GM/T 0003.5 for encryption, both ways', () => {
    const { plaintext, c1, c2, c3 } = example.encryption;
    const ciphertext = {
      x: fromHex(c1).slice(0, 32),
      y: fromHex(c1).slice(32),
      hash: fromHex(c3),
      cipher: fromHex(c2),
    };
    expect(sm2EncryptWithNonce(utf8(plaintext), publicKey, fromHex(example.k))).toEqual(ciphertext);
    expect(sm2Decrypt(ciphertext, d)).toEqual(utf8(plaintext));
  });

  it('verifies what another implementation signs, and the other way round', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (anyMessage) => {
        const key = sm2GenerateKeyPair();
        const theirs = oracle.sm2.doSignature(anyMessage, toHex(key.privateKey), { hash: true });
        expect(sm2VerifyDigest(sm2Digest(anyMessage, key.publicKey), fromHex(theirs), key.publicKey)).toBe(true);
        const ours = toHex(sm2SignDigest(sm2Digest(anyMessage, key.publicKey), key.privateKey));
        expect(oracle.sm2.doVerifySignature(anyMessage, ours, toHex(key.publicKey), { hash: true })).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it('decrypts what another implementation encrypts, and the other way round', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (plaintext) => {
        const key = sm2GenerateKeyPair();
        const theirs = fromHex(oracle.sm2.doEncrypt(plaintext, toHex(key.publicKey), 1));
        const parts = {
          x: theirs.slice(0, 32),
          y: theirs.slice(32, 64),
          hash: theirs.slice(64, 96),
          cipher: theirs.slice(96),
        };
        expect(sm2Decrypt(parts, key.privateKey)).toEqual(plaintext);
        const ours = sm2Encrypt(plaintext, key.publicKey);
        const joined = toHex(concat(ours.x, ours.y, ours.hash, ours.cipher));
        expect(oracle.sm2.doDecrypt(joined, toHex(key.privateKey), 1, { output: 'array' })).toEqual(plaintext);
      }),
      { numRuns: 10 },
    );
  });

  it('refuses a signature with any bit changed, another digest and another key', () => {
    const e = sm2Digest(message, publicKey);
    const signature = sm2SignDigest(e, d);
    for (let bit = 0; bit < 512; bit += 7) expect(sm2VerifyDigest(e, flipBit(signature, bit), publicKey)).toBe(false);
    for (let bit = 0; bit < 256; bit += 37) expect(sm2VerifyDigest(flipBit(e, bit), signature, publicKey)).toBe(false);
    expect(sm2VerifyDigest(e, signature, sm2GenerateKeyPair().publicKey)).toBe(false);
    expect(sm2VerifyDigest(e, signature, publicKey)).toBe(true);
  });

  it.each([
    ['r = 0', '00'.repeat(32) + example.s],
    ['s = 0', example.r + '00'.repeat(32)],
    ['r = n', 'fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123' + example.s],
    ['s beyond n', example.r + 'ff'.repeat(32)],
    [
      'r + s = n',
      example.r +
        (0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n - BigInt(`0x${example.r}`))
          .toString(16)
          .padStart(64, '0'),
    ],
    ['63 bytes', (example.r + example.s).slice(2)],
    ['nothing', ''],
  ])('refuses a signature with %s', (_name, signature) => {
    expect(sm2VerifyDigest(fromHex(example.e), fromHex(signature), publicKey)).toBe(false);
  });

  it('never crashes on a garbled public key or signature', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.uint8Array({ maxLength: 70 }), (key, signature) => {
        expect(sm2VerifyDigest(fromHex(example.e), signature, key)).toBe(false);
      }),
    );
  });

  it('refuses private keys outside [1, n − 2]', () => {
    const n = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;
    for (const value of [0n, n - 1n, n, 2n ** 256n - 1n]) {
      const key = fromHex(value.toString(16).padStart(64, '0'));
      expect(() => sm2SignDigest(fromHex(example.e), key)).toThrow(Sm2Error);
      expect(() => sm2PublicKey(key)).toThrow(Sm2Error);
    }
    expect(() => sm2PublicKey(new Uint8Array(31))).toThrow(Sm2Error);
  });

  it('does not decrypt what was changed in any part, and takes no point off the curve', () => {
    const ciphertext = sm2Encrypt(utf8('sixteen byte key'), publicKey);
    for (const part of ['x', 'y', 'hash', 'cipher'] as const) {
      const changed = { ...ciphertext, [part]: flipBit(ciphertext[part], 5) };
      expect(() => sm2Decrypt(changed, d), part).toThrow(expect.objectContaining({ code: 'decryptionFailed' }));
    }
    expect(() => sm2Encrypt(utf8('x'), flipBit(publicKey, 100))).toThrow(
      expect.objectContaining({ code: 'invalidKey' }),
    );
  });
});
