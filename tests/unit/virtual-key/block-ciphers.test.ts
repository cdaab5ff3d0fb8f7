import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aesEncrypt } from '../../virtual-key/aes.ts';
import { bytesToHex, hexToBytes } from '../../virtual-key/bytes.ts';
import { tripleDesEncrypt } from '../../virtual-key/triple-des.ts';

function openSsl(cipher: string, key: Uint8Array, block: Uint8Array): string {
  return createCipheriv(cipher, key, null).setAutoPadding(false).update(block).toString('hex');
}
const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });

describe('tripleDesEncrypt', () => {
  it('gives the ciphertext of NIST SP 800-67 Appendix B.1', () => {
    const key = hexToBytes('0123456789abcdef23456789abcdef01456789abcdef0123');

    expect(bytesToHex(tripleDesEncrypt(key, new TextEncoder().encode('The qufc')))).toBe('a826fd8ce53b855f');
  });

  it('agrees with OpenSSL', () => {
    fc.assert(
      fc.property(bytes(24), bytes(8), (key, block) => {
        expect(bytesToHex(tripleDesEncrypt(key, block))).toBe(openSsl('des-ede3', key, block));
      }),
    );
  });
});

describe('aesEncrypt', () => {
  it.each([
    ['000102030405060708090a0b0c0d0e0f', '69c4e0d86a7b0430d8cdb78070b4c55a'],
    ['000102030405060708090a0b0c0d0e0f1011121314151617', 'dda97ca4864cdfe06eaf70a0ec0d7191'],
    ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', '8ea2b7ca516745bfeafc49904b496089'],
  ])('gives the ciphertext of FIPS PUB 197 Appendix C for the key %s', (key, expected) => {
    expect(bytesToHex(aesEncrypt(hexToBytes(key), hexToBytes('00112233445566778899aabbccddeeff')))).toBe(expected);
  });

  it.each([16, 24, 32])('agrees with OpenSSL for keys of %i bytes', (length) => {
    fc.assert(
      fc.property(bytes(length), bytes(16), (key, block) => {
        expect(bytesToHex(aesEncrypt(key, block))).toBe(openSsl(`aes-${length * 8}-ecb`, key, block));
      }),
    );
  });
});
