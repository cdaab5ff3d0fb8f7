import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  ecSpki,
  oids,
  readSpki,
  rsaSpki,
  securityBits,
  signatureAlgorithmFor,
  signatureOidFor,
  sm2Spki,
} from '../../../src/pki/algorithms.ts';
import { concat, fromHex, toHex } from '../../../src/pki/bytes.ts';
import { bitString, DerError, encode, nullValue, oid, sequence } from '../../../src/pki/der.ts';
import { sm2GenerateKeyPair } from '../../../src/pki/sm2.ts';
import vectors from '../../vectors/gm.json' with { type: 'json' };

const sm2Key = fromHex(vectors.sm2.publicKey);
const spkiOf = (options: { namedCurve: string } | { modulusLength: number }): Uint8Array => {
  const { publicKey } =
    'namedCurve' in options ? generateKeyPairSync('ec', options) : generateKeyPairSync('rsa', options);
  return new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
};

describe('public keys', () => {
  it('writes an SM2 key as OpenSSL does', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'SM2' });
    const theirs = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
    expect(toHex(sm2Spki(theirs.subarray(-65)))).toBe(toHex(theirs));
    expect(readSpki(theirs)).toEqual({ algorithm: 'sm2', bits: 256, publicKey: theirs.slice(-65) });
  });

  it.each([
    ['P-256', 'p256', 256, 128],
    ['P-384', 'p384', 384, 192],
  ] as const)('reads a %s key made by OpenSSL', (namedCurve, algorithm, bits, strength) => {
    const spki = spkiOf({ namedCurve });
    expect(readSpki(spki)).toMatchObject({ algorithm, bits });
    expect(securityBits(spki)).toBe(strength);
    expect(toHex(ecSpki(algorithm, readSpki(spki).publicKey))).toBe(toHex(spki));
  });

  it.each([
    [2048, 112],
    [1024, 80],
  ])('reads and writes an RSA-%d key as OpenSSL does', (modulusLength, strength) => {
    const spki = spkiOf({ modulusLength });
    const key = readSpki(spki);
    const jwk = createPublicKey({ key: Buffer.from(spki), type: 'spki', format: 'der' }).export({ format: 'jwk' });
    expect(key).toMatchObject({ algorithm: 'rsa', bits: modulusLength, exponent: Uint8Array.of(1, 0, 1) });
    expect(key.algorithm === 'rsa' && Buffer.from(key.modulus).toString('base64url')).toBe(jwk.n);
    expect(key.algorithm === 'rsa' && toHex(rsaSpki(concat(Uint8Array.of(0, 0), key.modulus), key.exponent))).toBe(
      toHex(spki),
    );
    expect(securityBits(spki)).toBe(strength);
  });

  it('counts SM2 as strong as P-256', () => {
    expect(securityBits(sm2Spki(sm2GenerateKeyPair().publicKey))).toBe(128);
  });

  it.each([
    [
      'a point off the curve',
      encode(
        sequence(
          sequence(oid(oids.ecPublicKey), oid(oids.sm2)),
          bitString(concat(sm2Key.subarray(0, 64), Uint8Array.of(0))),
        ),
      ),
    ],
    [
      'a compressed point',
      encode(
        sequence(
          sequence(oid(oids.ecPublicKey), oid(oids.sm2)),
          bitString(concat(Uint8Array.of(3), sm2Key.subarray(1, 33))),
        ),
      ),
    ],
    ['another curve', encode(sequence(sequence(oid(oids.ecPublicKey), oid('1.3.132.0.10')), bitString(sm2Key)))],
    ['no curve', encode(sequence(sequence(oid(oids.ecPublicKey)), bitString(sm2Key)))],
    ['another algorithm', encode(sequence(sequence(oid('1.3.101.112')), bitString(sm2Key.subarray(0, 32))))],
    [
      'RSA that is no RSAPublicKey',
      encode(sequence(sequence(oid(oids.rsaEncryption), nullValue()), bitString(Uint8Array.of(5, 0)))),
    ],
    ['RSA with modulus 0', rsaSpki(Uint8Array.of(0), Uint8Array.of(3))],
    ['no key at all', fromHex('3000')],
  ])('refuses %s', (_name, spki) => {
    expect(() => readSpki(spki)).toThrow(DerError);
  });

  it('refuses to write what is not an uncompressed point', () => {
    expect(() => sm2Spki(sm2Key.subarray(1))).toThrow(RangeError);
  });
});

describe('signature algorithms', () => {
  it('carry no parameters but RSA’s NULL', () => {
    expect(toHex(signatureAlgorithmFor('sm2'))).toBe('300a06082a811ccf55018375');
    expect(toHex(signatureAlgorithmFor('p256'))).toBe('300a06082a8648ce3d040302');
    expect(toHex(signatureAlgorithmFor('p384'))).toBe('300a06082a8648ce3d040303');
    expect(toHex(signatureAlgorithmFor('rsa'))).toBe('300d06092a864886f70d01010b0500');
    expect(signatureOidFor('sm2')).toBe('1.2.156.10197.1.501');
  });
});
