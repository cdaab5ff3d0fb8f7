import { copyBytes, type Bytes } from './bytes.ts';
import {
  bitString,
  DerError,
  encode,
  isNull,
  nullValue,
  oid,
  parseDer,
  readBitString,
  readOid,
  readSequence,
  readUnsignedInteger,
  sequence,
  unsignedInteger,
} from './der.ts';
import { sm2IsPublicKey } from './sm2.ts';

/** Object identifiers of keys, signatures, hashes and ciphers. */
export const oids = {
  rsaEncryption: '1.2.840.113549.1.1.1',
  sha1WithRsa: '1.2.840.113549.1.1.5',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  sha384WithRsa: '1.2.840.113549.1.1.12',
  sha512WithRsa: '1.2.840.113549.1.1.13',
  ecPublicKey: '1.2.840.10045.2.1',
  p256: '1.2.840.10045.3.1.7',
  p384: '1.3.132.0.34',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  ecdsaWithSha512: '1.2.840.10045.4.3.4',
  /** GM/T 0006: the recommended curve, SM2 encryption, SM2 signatures over SM3, SM3, SM4. */
  sm2: '1.2.156.10197.1.301',
  sm2Encryption: '1.2.156.10197.1.301.3',
  sm2WithSm3: '1.2.156.10197.1.501',
  sm3: '1.2.156.10197.1.401',
  sm4: '1.2.156.10197.1.104',
  sm4Ecb: '1.2.156.10197.1.104.1',
} as const;

/** The public keys this project knows. `rsa` is of any length: `securityBits` judges it. */
export type KeyAlgorithm = 'sm2' | 'p256' | 'p384' | 'rsa';

/** A SubjectPublicKeyInfo, taken apart. */
export type PublicKeyInfo =
  | {
      readonly algorithm: 'sm2' | 'p256' | 'p384';
      /** Of the curve's order. */
      readonly bits: number;
      /** 04 ‖ X ‖ Y. */
      readonly publicKey: Bytes;
    }
  | {
      readonly algorithm: 'rsa';
      /** Of the modulus. */
      readonly bits: number;
      /** The BIT STRING's contents: DER RSAPublicKey (RFC 8017 §A.1.1). */
      readonly publicKey: Bytes;
      /** Big-endian, without leading zeros. */
      readonly modulus: Bytes;
      readonly exponent: Bytes;
    };

const curves = [
  { algorithm: 'sm2', curve: oids.sm2, bits: 256, pointBytes: 65 },
  { algorithm: 'p256', curve: oids.p256, bits: 256, pointBytes: 65 },
  { algorithm: 'p384', curve: oids.p384, bits: 384, pointBytes: 97 },
] as const;

/** SubjectPublicKeyInfo of a point 04 ‖ X ‖ Y on a named curve (RFC 5480 §2). */
export function ecSpki(algorithm: 'sm2' | 'p256' | 'p384', publicKey: Uint8Array): Bytes {
  const curve = curves.find((candidate) => candidate.algorithm === algorithm);
  if (!curve || publicKey.length !== curve.pointBytes || publicKey[0] !== 4) {
    throw new RangeError('not an uncompressed point of the curve');
  }
  return encode(sequence(sequence(oid(oids.ecPublicKey), oid(curve.curve)), bitString(publicKey)));
}

/**
 * SubjectPublicKeyInfo of an SM2 key (GM/T 0009-2012 §7.1, GB/T 20518).
 * @param publicKey 04 ‖ X ‖ Y, 65 bytes
 */
export function sm2Spki(publicKey: Uint8Array): Bytes {
  return ecSpki('sm2', publicKey);
}

/**
 * SubjectPublicKeyInfo of an RSA key (RFC 3279 §2.3.1).
 * @param modulus big-endian; leading zeros do not matter
 * @param exponent big-endian
 */
export function rsaSpki(modulus: Uint8Array, exponent: Uint8Array): Bytes {
  const key = encode(sequence(unsignedInteger(modulus), unsignedInteger(exponent)));
  return encode(sequence(sequence(oid(oids.rsaEncryption), nullValue()), bitString(key)));
}

/**
 * Takes a DER SubjectPublicKeyInfo apart.
 * @throws DerError if it is malformed or its key is of no kind this project knows
 */
export function readSpki(spki: Uint8Array): PublicKeyInfo {
  const [algorithmIdentifier, key] = readSequence(parseDer(spki), 2, 2);
  const [algorithm, parameters] = readSequence(algorithmIdentifier, 1, 2);
  const publicKey = readBitString(key);
  switch (readOid(algorithm)) {
    case oids.rsaEncryption: {
      if (parameters && !isNull(parameters)) throw new DerError('RSA key with parameters');
      const [modulus, exponent] = readSequence(parseDer(publicKey), 2, 2).map(readUnsignedInteger);
      if (!modulus || !exponent || (modulus[0] ?? 0) === 0 || (exponent[0] ?? 0) === 0)
        throw new DerError('not an RSA key');
      const bits = 8 * modulus.length - Math.clz32(modulus[0] ?? 0) + 24;
      return { algorithm: 'rsa', bits, publicKey, modulus, exponent };
    }
    case oids.ecPublicKey: {
      const name = readOid(parameters);
      const curve = curves.find((candidate) => candidate.curve === name);
      if (!curve) throw new DerError(`curve ${name} is not known`);
      if (publicKey.length !== curve.pointBytes || publicKey[0] !== 4) throw new DerError('not an uncompressed point');
      if (curve.algorithm === 'sm2' && !sm2IsPublicKey(publicKey)) throw new DerError('not a point of the SM2 curve');
      return { algorithm: curve.algorithm, bits: curve.bits, publicKey };
    }
    default:
      throw new DerError(`public keys of ${readOid(algorithm)} are not known`);
  }
}

/** The signature algorithm a key of this kind signs with here. */
export function signatureOidFor(keyAlgorithm: KeyAlgorithm): string {
  return {
    sm2: oids.sm2WithSm3,
    p256: oids.ecdsaWithSha256,
    p384: oids.ecdsaWithSha384,
    rsa: oids.sha256WithRsa,
  }[keyAlgorithm];
}

/**
 * DER AlgorithmIdentifier of the signatures a key of this kind makes: without parameters for SM2 and ECDSA
 * (GM/T 0009, RFC 5758 §3.2), with NULL for RSA (RFC 4055 §5).
 */
export function signatureAlgorithmFor(keyAlgorithm: KeyAlgorithm): Bytes {
  return encode(sequence(oid(signatureOidFor(keyAlgorithm)), keyAlgorithm === 'rsa' ? nullValue() : undefined));
}

/**
 * The strength of a key in bits of a symmetric key (NIST SP 800-57 part 1, table 2; SM2 counts as P-256).
 * @throws DerError
 */
export function securityBits(spki: Uint8Array): number {
  const key = readSpki(spki);
  if (key.algorithm !== 'rsa') return key.bits / 2;
  const steps = [
    [15_360, 256],
    [7680, 192],
    [3072, 128],
    [2048, 112],
    [1024, 80],
  ] as const;
  return steps.find(([bits]) => key.bits >= bits)?.[1] ?? 0;
}

/**
 * The OID of a DER AlgorithmIdentifier of a signature. Parameters must be absent or NULL.
 * @throws DerError
 */
export function readSignatureAlgorithm(algorithmIdentifier: Uint8Array): string {
  const [algorithm, parameters] = readSequence(parseDer(copyBytes(algorithmIdentifier)), 1, 2);
  if (parameters && !isNull(parameters)) throw new DerError('signature algorithm with parameters');
  return readOid(algorithm);
}
