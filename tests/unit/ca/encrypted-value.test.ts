import { describe, expect, it } from 'vitest';
import { decodeEncryptedValue, encodeEncryptedValue } from '../../../src/ca/encrypted-value.ts';
import { toHex } from '../../../src/pki/bytes.ts';
import {
  bitString,
  DerError,
  encode,
  explicit,
  implicit,
  implicitPrimitive,
  nullValue,
  octetString,
  oid,
  sequence,
  type DerBlock,
} from '../../../src/pki/der.ts';
import { encodeSm2Cipher, type EnvelopedKey } from '../../../src/pki/enveloped-key.ts';
import { sm2Encrypt, sm2GenerateKeyPair } from '../../../src/pki/sm2.ts';
import { changed } from '../pki/hierarchy.ts';

const recipient = sm2GenerateKeyPair();
const { publicKey } = sm2GenerateKeyPair();
const envelope: EnvelopedKey = {
  symmetricAlgorithm: 'sm4-ecb',
  wrappedKey: sm2Encrypt(new Uint8Array(16).fill(5), recipient.publicKey),
  publicKey,
  encryptedPrivateKey: new Uint8Array(32).fill(9),
};

const parts = {
  intended: implicit(0, encode(sequence(oid('1.2.840.10045.2.1'), oid('1.2.156.10197.1.301')))),
  symmetric: implicit(1, encode(sequence(oid('1.2.156.10197.1.104.1')))),
  wrapped: implicit(2, encode(bitString(encodeSm2Cipher(envelope.wrappedKey)))),
  wrappedBy: implicit(3, encode(sequence(oid('1.2.156.10197.1.301.3')))),
  value: bitString(envelope.encryptedPrivateKey),
};
const valueOf = (
  changes: Partial<Record<keyof typeof parts, DerBlock | undefined>>,
  ...more: readonly DerBlock[]
): Uint8Array => {
  const { intended, symmetric, wrapped, wrappedBy, value } = { ...parts, ...changes };
  return encode(sequence(intended, symmetric, wrapped, wrappedBy, value, ...more));
};

describe('EncryptedValue', () => {
  it('carries an envelope there and back; the public key comes from elsewhere', () => {
    expect(decodeEncryptedValue(encodeEncryptedValue(envelope), publicKey)).toEqual(envelope);
  });

  it('is what RFC 4211 says, with implicit tags', () => {
    expect(toHex(encodeEncryptedValue(envelope))).toBe(toHex(valueOf({})));
    const hex = toHex(encodeEncryptedValue(envelope));
    expect(hex).toContain('a013' + '06072a8648ce3d0201' + '06082a811ccf5501822d');
    expect(hex).toContain('a10a' + '06082a811ccf55016801');
    expect(hex).toContain('a30b' + '06092a811ccf5501822d03');
  });

  it('may leave out what the key is for, and may say NULL', () => {
    const noIntention = valueOf({ intended: undefined });
    expect(decodeEncryptedValue(noIntention, publicKey)).toEqual(envelope);
    const withNull = valueOf({
      symmetric: implicit(1, encode(sequence(oid('1.2.156.10197.1.104.1'), nullValue()))),
      wrappedBy: implicit(3, encode(sequence(oid('1.2.156.10197.1.301.3'), nullValue()))),
    });
    expect(decodeEncryptedValue(withNull, publicKey)).toEqual(envelope);
  });

  it.each([
    [
      'a key of P-256',
      valueOf({ intended: implicit(0, encode(sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')))) }),
    ],
    ['another cipher', valueOf({ symmetric: implicit(1, encode(sequence(oid('2.16.840.1.101.3.4.1.2')))) })],
    ['no cipher', valueOf({ symmetric: undefined })],
    ['no wrapped key', valueOf({ wrapped: undefined })],
    ['a wrapped key of RSA', valueOf({ wrappedBy: implicit(3, encode(sequence(oid('1.2.840.113549.1.1.1')))) })],
    [
      'parameters of the wrapping',
      valueOf({ wrappedBy: implicit(3, encode(sequence(oid('1.2.156.10197.1.301.3'), oid('1.2.3')))) }),
    ],
    ['a wrapped key that is no SM2Cipher', valueOf({ wrapped: implicit(2, encode(bitString(new Uint8Array(99)))) })],
    ['a wrapped key that ends inside a byte', valueOf({ wrapped: implicitPrimitive(2, Uint8Array.of(1, 0)) })],
    ['a hint', valueOf({ value: implicitPrimitive(4, Uint8Array.of(1)) }, parts.value)],
    ['something behind', valueOf({}, nullValue())],
    ['explicit tags', valueOf({ symmetric: explicit(1, sequence(oid('1.2.156.10197.1.104.1'))) })],
    ['an encrypted value of 33 bytes', valueOf({ value: bitString(new Uint8Array(33)) })],
    ['an encrypted value of another type', valueOf({ value: octetString(new Uint8Array(32)) })],
    ['EnvelopedData', encode(explicit(0, sequence()))],
    ['nothing', new Uint8Array()],
  ])('is refused with %s', (_name, der) => {
    expect(() => decodeEncryptedValue(der, publicKey)).toThrow(DerError);
  });

  it('is refused for a public key off the curve', () => {
    expect(() => decodeEncryptedValue(encodeEncryptedValue(envelope), changed(publicKey, 40))).toThrow(DerError);
  });
});
