import { sha256 } from '@noble/hashes/sha2.js';
import { type Bytes, concatBytes } from './bytes.ts';
import { children } from './der-outline.ts';

/** An RSA private key with its primes (RFC 8017 §3.2, second representation). */
export interface RsaPrivateKey {
  readonly modulus: bigint;
  readonly publicExponent: bigint;
  readonly primes: readonly [p: bigint, q: bigint];
  readonly exponents: readonly [dP: bigint, dQ: bigint];
  readonly coefficient: bigint;
  /** Length of the modulus in bytes. */
  readonly bytes: number;
}

const toBigInt = (bytes: Uint8Array): bigint => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** `length` bytes, most significant first. */
export function bigEndian(value: bigint, length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let index = length - 1, rest = value; index >= 0; index -= 1, rest >>= 8n) bytes[index] = Number(rest & 0xffn);
  return bytes;
}

/** @throws RangeError when the bytes are not a PKCS #8 PrivateKeyInfo of an RSA key (RFC 5958, RFC 8017 §A.1.2) */
export function readRsaPrivateKey(pkcs8: Uint8Array): RsaPrivateKey {
  const octets = children(pkcs8, 0)[2];
  if (octets?.tag !== 0x04) throw new RangeError('not PKCS #8');
  const key = pkcs8.subarray(octets.start, octets.end);
  const [, n, e, , p, q, dP, dQ, qInv] = children(key, 0).map(({ start, end }) => toBigInt(key.subarray(start, end)));
  if (!n || !e || !p || !q || !dP || !dQ || !qInv || n !== p * q) throw new RangeError('not an RSA private key');
  const bytes = Math.ceil(n.toString(16).length / 2);
  return { modulus: n, publicExponent: e, primes: [p, q], exponents: [dP, dQ], coefficient: qInv, bytes };
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let factor = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * factor) % modulus;
    factor = (factor * factor) % modulus;
  }
  return result;
}

/** RSASP1 with the primes (RFC 8017 §5.2.1). */
function applyPrivateKey(key: RsaPrivateKey, message: bigint): bigint {
  const [p, q] = key.primes;
  const m1 = power(message, key.exponents[0], p);
  const m2 = power(message, key.exponents[1], q);
  const h = ((((m1 - m2) % p) + p) * key.coefficient) % p;
  return m2 + q * h;
}

/** A block as long as the modulus under the private key, without padding; undefined for one that is not smaller. */
export function applyRaw(key: RsaPrivateKey, block: Uint8Array): Bytes | undefined {
  const message = toBigInt(block);
  return message < key.modulus ? bigEndian(applyPrivateKey(key, message), key.bytes) : undefined;
}

/** 00 01 FF…FF 00 ‖ data under the private key (RFC 8017 §8.2.1, §9.2 steps 3–5). @throws RangeError over modulus − 11 */
export function signType1(key: RsaPrivateKey, data: Uint8Array): Bytes {
  if (data.length > key.bytes - 11) throw new RangeError('too long to sign');
  const padding = new Uint8Array(key.bytes - 3 - data.length).fill(0xff);
  const encoded = concatBytes(Uint8Array.of(0, 1), padding, Uint8Array.of(0), data);
  return bigEndian(applyPrivateKey(key, toBigInt(encoded)), key.bytes);
}

/** DigestInfo of SHA-256 up to the digest (RFC 8017 §9.2 note 1). */
const sha256DigestInfo = Uint8Array.of(
  ...[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20],
);

/** RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2.1). */
export function signSha256(key: RsaPrivateKey, message: Uint8Array): Bytes {
  return signType1(key, concatBytes(sha256DigestInfo, sha256(message)));
}

/** A fresh key pair: DER PKCS #8 and DER SubjectPublicKeyInfo, e = 65537. Needs WebCrypto. */
export async function generateRsaKeyPair(bits: number): Promise<{ pkcs8: Bytes; spki: Bytes }> {
  const pair = await crypto.subtle.generateKey(
    { name: 'RSASSA-PKCS1-v1_5', modulusLength: bits, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' },
    true,
    ['sign', 'verify'],
  );
  const [pkcs8, spki] = await Promise.all([
    crypto.subtle.exportKey('pkcs8', pair.privateKey),
    crypto.subtle.exportKey('spki', pair.publicKey),
  ]);
  return { pkcs8: new Uint8Array(pkcs8), spki: new Uint8Array(spki) };
}
