import { createCipheriv, createDecipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aesDecryptBlock, aesEncryptBlock } from '../../../src/usbkey/aes.ts';
import { tripleDesDecryptBlock, tripleDesEncryptBlock } from '../../../src/usbkey/des.ts';
import { hex, toHex } from '../apdu/hex.ts';

const ciphers = [
  { name: 'des-ede3-ecb', keyBytes: 24, blockBytes: 8, encrypt: tripleDesEncryptBlock, decrypt: tripleDesDecryptBlock },
  { name: 'aes-128-ecb', keyBytes: 16, blockBytes: 16, encrypt: aesEncryptBlock, decrypt: aesDecryptBlock },
  { name: 'aes-192-ecb', keyBytes: 24, blockBytes: 16, encrypt: aesEncryptBlock, decrypt: aesDecryptBlock },
  { name: 'aes-256-ecb', keyBytes: 32, blockBytes: 16, encrypt: aesEncryptBlock, decrypt: aesDecryptBlock },
] as const;

function byNode(name: string, direction: 'encrypt' | 'decrypt', key: Uint8Array, block: Uint8Array): string {
  const make = direction === 'encrypt' ? createCipheriv : createDecipheriv;
  const cipher = make(name, key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]).toString('hex');
}

describe.each(ciphers)('$name', ({ name, keyBytes, blockBytes, encrypt, decrypt }) => {
  it('does what OpenSSL does, for any key and block', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(bytes(keyBytes), bytes(blockBytes), (key, block) => {
        expect(toHex(encrypt(key, block))).toBe(byNode(name, 'encrypt', key, block));
        expect(toHex(decrypt(key, block))).toBe(byNode(name, 'decrypt', key, block));
        expect(decrypt(key, encrypt(key, block))).toEqual(block);
      }),
      { numRuns: 60 },
    );
  });

  it('takes no key and no block of another length', () => {
    const [key, block] = [new Uint8Array(keyBytes), new Uint8Array(blockBytes)];
    for (const work of [encrypt, decrypt]) {
      expect(() => work(key.subarray(1), block)).toThrow(RangeError);
      expect(() => work(key, block.subarray(1))).toThrow(RangeError);
    }
  });
});

it.each([
  // NIST SP 800-20, table A.1 (variable plaintext) and A.2 (variable key): one DES key three times.
  ['0101010101010101', '8000000000000000', '95f8a5e5dd31d900'],
  ['0101010101010101', '0000000000000001', '166b40b44aba4bd6'],
  ['8001010101010101', '0000000000000000', '95a8d72813daa94d'],
  ['0101010101010102', '0000000000000000', '869efd7f9f265a09'],
])('single DES, as a triple one with equal keys: %s %s', (key, plaintext, ciphertext) => {
  expect(toHex(tripleDesEncryptBlock(hex(key.repeat(3)), hex(plaintext)))).toBe(ciphertext);
});

it('three different keys: NIST SP 800-67, appendix B.1', () => {
  const key = hex('0123456789abcdef 23456789abcdef01 456789abcdef0123');

  const ciphertext = ['5468652071756663', '6b2062726f776e20', '666f78206a756d70'].map((block) =>
    toHex(tripleDesEncryptBlock(key, hex(block))),
  );

  expect(ciphertext).toEqual(['a826fd8ce53b855f', 'cce21c8112256fe6', '68d5c05dd9b6b900']);
});

it.each([
  // FIPS 197, appendix C.
  ['000102030405060708090a0b0c0d0e0f', '69c4e0d86a7b0430d8cdb78070b4c55a'],
  ['000102030405060708090a0b0c0d0e0f1011121314151617', 'dda97ca4864cdfe06eaf70a0ec0d7191'],
  ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', '8ea2b7ca516745bfeafc49904b496089'],
])('AES under %s', (key, ciphertext) => {
  const plaintext = '00112233445566778899aabbccddeeff';

  expect(toHex(aesEncryptBlock(hex(key), hex(plaintext)))).toBe(ciphertext);
  expect(toHex(aesDecryptBlock(hex(key), hex(ciphertext)))).toBe(plaintext);
});
