import * as oracle from 'sm-crypto-v2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex, type Bytes } from '../../../src/pki/bytes.ts';
import {
  bitString,
  DerError,
  encode,
  nullValue,
  octetString,
  oid,
  raw,
  sequence,
  unsignedInteger,
  type DerBlock,
} from '../../../src/pki/der.ts';
import {
  decodeEnvelopedKey,
  decodeSm2Cipher,
  encodeEnvelopedKey,
  encodeSm2Cipher,
  envelopedKeyBlob,
  EnvelopedKeyError,
  privateKeyField,
  type EnvelopedKey,
} from '../../../src/pki/enveloped-key.ts';
import { sm2Decrypt, sm2Encrypt, sm2GenerateKeyPair, sm2PublicKey } from '../../../src/pki/sm2.ts';
import { sm4EcbDecrypt, sm4EcbEncrypt } from '../../../src/pki/sm4.ts';
import { changed } from './hierarchy.ts';

const recipient = sm2GenerateKeyPair();
const delivered = sm2GenerateKeyPair();
const sm4Key = fromHex('0123456789abcdeffedcba9876543210');
const padded = concat(new Uint8Array(32), delivered.privateKey);
const envelope: EnvelopedKey = {
  symmetricAlgorithm: 'sm4-ecb',
  wrappedKey: sm2Encrypt(sm4Key, recipient.publicKey),
  publicKey: delivered.publicKey,
  encryptedPrivateKey: sm4EcbEncrypt(sm4Key, delivered.privateKey),
};
const long: EnvelopedKey = { ...envelope, encryptedPrivateKey: sm4EcbEncrypt(sm4Key, padded) };
const minusOne = (bytes: Uint8Array): Bytes => bytes.slice(1);

describe('encodeEnvelopedKey and decodeEnvelopedKey', () => {
  it.each([
    ['32', envelope],
    ['64', long],
  ])('carry an envelope with %s encrypted bytes there and back', (_length, key) => {
    expect(decodeEnvelopedKey(encodeEnvelopedKey(key))).toEqual(key);
  });

  it('write what GM/T 0009 §7.4 says, tag by tag', () => {
    const { wrappedKey, publicKey, encryptedPrivateKey } = envelope;
    const der = toHex(encodeEnvelopedKey(envelope));
    expect(der).toContain('300a06082a811ccf55016801');
    expect(der).toContain(`0420${toHex(wrappedKey.hash)}0410${toHex(wrappedKey.cipher)}`);
    expect(der).toContain(`034200${toHex(publicKey)}032100${toHex(encryptedPrivateKey)}`);
  });

  it('open under another implementation of SM2 and SM4', () => {
    const { wrappedKey, encryptedPrivateKey } = decodeEnvelopedKey(encodeEnvelopedKey(envelope));
    const c1c3c2 = [wrappedKey.x, wrappedKey.y, wrappedKey.hash, wrappedKey.cipher].map(toHex).join('');
    const key = oracle.sm2.doDecrypt(c1c3c2, toHex(recipient.privateKey), 1, { output: 'array' });
    const privateKey = oracle.sm4.decrypt(encryptedPrivateKey, key, { padding: 'none', output: 'array' });
    expect(toHex(Uint8Array.from(privateKey))).toBe(toHex(delivered.privateKey));
  });

  it('keep coordinates at 32 bytes, whatever their leading zeros', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), (n) => {
        const d = new Uint8Array(32);
        new DataView(d.buffer).setUint32(28, n);
        const point = sm2PublicKey(d);
        const [x, y] = [point.slice(1, 33), point.slice(33)];
        const cipher = { ...envelope.wrappedKey, x, y };
        expect(decodeSm2Cipher(encodeSm2Cipher(cipher))).toEqual(cipher);
      }),
      { numRuns: 40 },
    );
  });

  it('take SM4 by its family’s name, and parameters that are NULL', () => {
    const { wrappedKey, publicKey, encryptedPrivateKey } = envelope;
    const rest = [raw(encodeSm2Cipher(wrappedKey)), bitString(publicKey), bitString(encryptedPrivateKey)];
    for (const algorithm of [
      sequence(oid('1.2.156.10197.1.104')),
      sequence(oid('1.2.156.10197.1.104.1'), nullValue()),
    ]) {
      expect(decodeEnvelopedKey(encode(sequence(algorithm, ...rest)))).toEqual(envelope);
    }
  });
});

describe('decodeEnvelopedKey', () => {
  const { wrappedKey, publicKey, encryptedPrivateKey } = envelope;
  const algorithm = sequence(oid('1.2.156.10197.1.104.1'));
  const cipher = raw(encodeSm2Cipher(wrappedKey));
  const cipherOf = (parts: Partial<typeof wrappedKey>): DerBlock => raw(encodeSm2Cipher({ ...wrappedKey, ...parts }));
  const key = bitString(publicKey);
  const encrypted = bitString(encryptedPrivateKey);
  it.each([
    ['another cipher', [sequence(oid('1.2.156.10197.1.104.2')), cipher, key, encrypted]],
    ['a bare OID in place of the AlgorithmIdentifier', [oid('1.2.156.10197.1.104.1'), cipher, key, encrypted]],
    ['parameters', [sequence(oid('1.2.156.10197.1.104.1'), octetString(new Uint8Array(16))), cipher, key, encrypted]],
    ['a part missing', [algorithm, cipher, key]],
    ['a part too many', [algorithm, cipher, key, encrypted, nullValue()]],
    ['a C1 off the curve', [algorithm, cipherOf({ x: changed(wrappedKey.x, 31) }), key, encrypted]],
    ['a coordinate of 33 bytes', [algorithm, cipherOf({ x: new Uint8Array(33).fill(1) }), key, encrypted]],
    ['a short C3', [algorithm, cipherOf({ hash: minusOne(wrappedKey.hash) }), key, encrypted]],
    ['a short SM4 key', [algorithm, cipherOf({ cipher: minusOne(wrappedKey.cipher) }), key, encrypted]],
    [
      'a negative coordinate',
      [algorithm, sequence(raw(fromHex('0201ff')), unsignedInteger(wrappedKey.y)), key, encrypted],
    ],
    ['a public key off the curve', [algorithm, cipher, bitString(changed(publicKey, 64)), encrypted]],
    [
      'a compressed public key',
      [algorithm, cipher, bitString(concat(Uint8Array.of(2), publicKey.slice(1, 33))), encrypted],
    ],
    ['31 encrypted bytes', [algorithm, cipher, key, bitString(minusOne(encryptedPrivateKey))]],
    ['48 encrypted bytes', [algorithm, cipher, key, bitString(new Uint8Array(48))]],
    ['a BIT STRING that ends inside a byte', [algorithm, cipher, key, bitString(new Uint8Array(32), 1)]],
  ])('refuses %s', (_name, parts) => {
    expect(() => decodeEnvelopedKey(encode(sequence(...parts)))).toThrow(EnvelopedKeyError);
  });

  it('reads or throws EnvelopedKeyError, whatever bytes are changed', () => {
    const der = encodeEnvelopedKey(envelope);
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(der.length), (at, by, length) => {
        const mutant = der.slice(0, length < 20 ? der.length - length : der.length);
        mutant[at % mutant.length] = (mutant[at % mutant.length] ?? 0) ^ by;
        try {
          expect(encodeEnvelopedKey(decodeEnvelopedKey(mutant))).toEqual(mutant);
        } catch (error) {
          if (!(error instanceof EnvelopedKeyError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('decodeSm2Cipher refuses what is no SM2Cipher', () => {
    expect(() => decodeSm2Cipher(new Uint8Array(4))).toThrow(DerError);
  });
});

describe('privateKeyField', () => {
  it('puts 32 zero bytes before the encrypted key, of either length', () => {
    const field = concat(new Uint8Array(32), envelope.encryptedPrivateKey);
    expect(privateKeyField(envelope, 'zerosThenEncrypted')).toEqual(field);
    // Each block of ECB by itself: the last two of four are d.
    expect(privateKeyField(long, 'zerosThenEncrypted')).toEqual(field);
  });

  it('puts them behind it where the key wants that', () => {
    const field = concat(envelope.encryptedPrivateKey, new Uint8Array(32));
    expect(privateKeyField(envelope, 'encryptedThenZeros')).toEqual(field);
    expect(privateKeyField(long, 'encryptedThenZeros')).toEqual(field);
  });

  it('keeps 64 encrypted bytes, and cannot make them from 32', () => {
    expect(sm4EcbDecrypt(sm4Key, privateKeyField(long, 'allEncrypted'))).toEqual(padded);
    expect(() => privateKeyField(envelope, 'allEncrypted')).toThrow(EnvelopedKeyError);
  });
});

describe('envelopedKeyBlob', () => {
  it('lays the fields out as GM/T 0016 does', () => {
    const { wrappedKey, publicKey } = long;
    const blob = envelopedKeyBlob(long, 'allEncrypted');
    const zeros = '00'.repeat(32);
    expect(blob).toHaveLength(388);
    const field = (start: number, length: number): string => toHex(blob.subarray(start, start + length));
    expect(field(0, 12)).toBe('01000000' + '01040000' + '00010000');
    expect(field(12, 64)).toBe(toHex(long.encryptedPrivateKey));
    expect(field(76, 4)).toBe('00010000');
    expect(field(80, 64)).toBe(zeros + toHex(publicKey.subarray(1, 33)));
    expect(field(144, 64)).toBe(zeros + toHex(publicKey.subarray(33)));
    expect(field(208, 64)).toBe(zeros + toHex(wrappedKey.x));
    expect(field(272, 64)).toBe(zeros + toHex(wrappedKey.y));
    expect(field(336, 32)).toBe(toHex(wrappedKey.hash));
    expect(field(368, 20)).toBe('10000000' + toHex(wrappedKey.cipher));
  });

  it('says what the recipient needs to open it', () => {
    const blob = envelopedKeyBlob(envelope, 'zerosThenEncrypted');
    const wrapped = {
      x: blob.slice(240, 272),
      y: blob.slice(304, 336),
      hash: blob.slice(336, 368),
      cipher: blob.slice(372),
    };
    const key = sm2Decrypt(wrapped, recipient.privateKey);
    expect(sm4EcbDecrypt(key, blob.slice(44, 76))).toEqual(delivered.privateKey);
  });
});
