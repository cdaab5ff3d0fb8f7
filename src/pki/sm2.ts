import { weierstrass } from '@noble/curves/abstract/weierstrass.js';
import { bytesEqual, concat, copyBytes, type Bytes } from './bytes.ts';
import { sm2Curve } from './sm2-curve.ts';
import { hasX, pointOf, sumOfMultiples, type CurvePoint as PublicPoint } from './sm2-points.ts';
import { sm3 } from './sm3.ts';

/*
 * SM2 on the recommended curve (GB/T 32918.1–5, GM/T 0003). Verification has arithmetic of its own, for nothing in it is
 * secret; the rest is @noble/curves'. Its secret multiplications are regular, but JavaScript's big integers are not constant-time and nothing here can make them so: private keys
 * belong on the USBKEY, and signing and decrypting here is for software keys and tests.
 */

const curve = sm2Curve;
const Point = weierstrass(curve);
type CurvePoint = typeof Point.BASE;
const scalars = Point.Fn;

const scalarBytes = 32;
const publicKeyBytes = 65;

/** The signer's id wherever nobody agreed on another, GM/T 0009-2012 §10. */
export const sm2DefaultId: Uint8Array = new TextEncoder().encode('1234567812345678');

/** Why an SM2 operation could not be done. */
export type Sm2ErrorCode =
  /** Not a point of the curve in the form 04 ‖ X ‖ Y, or a private key outside [1, n − 2]. */
  | 'invalidKey'
  /** The ciphertext was not made for this key, or was changed. */
  | 'decryptionFailed';

export class Sm2Error extends Error {
  override readonly name = 'Sm2Error';
  readonly code: Sm2ErrorCode;
  constructor(code: Sm2ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface Sm2KeyPair {
  /** d, 32 bytes big-endian. */
  readonly privateKey: Bytes;
  /** 04 ‖ X ‖ Y, 65 bytes. */
  readonly publicKey: Bytes;
}

/** The parts of a ciphertext (GM/T 0009-2012 §7.2, SM2Cipher). */
export interface Sm2Ciphertext {
  /** C1's coordinates, 32 bytes each, big-endian. */
  readonly x: Uint8Array;
  readonly y: Uint8Array;
  /** C3, 32 bytes. */
  readonly hash: Uint8Array;
  /** C2, as long as the plaintext. */
  readonly cipher: Uint8Array;
}

/** 32 bytes, big-endian. */
function toNumber(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, scalarBytes);
  let value = 0n;
  for (let at = 0; at < scalarBytes; at += 8) value = (value << 64n) | view.getBigUint64(at);
  return value;
}

function toBytes32(value: bigint): Bytes {
  const bytes = new Uint8Array(scalarBytes);
  const view = new DataView(bytes.buffer);
  let rest = value;
  for (let at = scalarBytes - 8; at >= 0; at -= 8) {
    view.setBigUint64(at, BigInt.asUintN(64, rest));
    rest >>= 64n;
  }
  return bytes;
}

const curveParameters = concat(...[curve.a, curve.b, curve.Gx, curve.Gy].map(toBytes32));

function readPoint(publicKey: Uint8Array): CurvePoint {
  if (publicKey.length !== publicKeyBytes || publicKey[0] !== 4) {
    throw new Sm2Error('invalidKey', 'an SM2 public key is 04, X and Y: 65 bytes');
  }
  try {
    return Point.fromBytes(copyBytes(publicKey));
  } catch (cause) {
    throw new Sm2Error('invalidKey', 'not a point of the SM2 curve', { cause });
  }
}

/** d in [1, n − 2]: n − 1 has no signature, for 1 + d would have no inverse (GB/T 32918.1 §6.1). */
function readPrivateKey(privateKey: Uint8Array): bigint {
  const d = privateKey.length === scalarBytes ? toNumber(privateKey) : 0n;
  if (d < 1n || d > curve.n - 2n) throw new Sm2Error('invalidKey', 'not an SM2 private key');
  return d;
}

/** A uniform number in [1, n − 1], by rejection. */
function randomScalar(): bigint {
  for (;;) {
    const k = toNumber(crypto.getRandomValues(new Uint8Array(scalarBytes)));
    if (k >= 1n && k < curve.n) return k;
  }
}

const encodePoint = (point: CurvePoint): Bytes => copyBytes(point.toBytes(false));

export function sm2GenerateKeyPair(): Sm2KeyPair {
  for (;;) {
    const d = randomScalar();
    if (d > curve.n - 2n) continue;
    return { privateKey: toBytes32(d), publicKey: encodePoint(Point.BASE.multiply(d)) };
  }
}

/**
 * The public key 04 ‖ X ‖ Y (65 bytes) of a private key (32 bytes).
 * @throws Sm2Error `invalidKey`
 */
export function sm2PublicKey(privateKey: Uint8Array): Bytes {
  return encodePoint(Point.BASE.multiply(readPrivateKey(privateKey)));
}

/** Whether these are 65 bytes 04 ‖ X ‖ Y of a point on the curve. */
export function sm2IsPublicKey(publicKey: Uint8Array): boolean {
  return readPublicPoint(publicKey) !== undefined;
}

function readPublicPoint(publicKey: Uint8Array): PublicPoint | undefined {
  if (publicKey.length !== publicKeyBytes || publicKey[0] !== 4) return undefined;
  return pointOf(toNumber(publicKey.subarray(1, 33)), toNumber(publicKey.subarray(33)));
}

/**
 * Z: the hash of the signer's id, the curve and the public key (GB/T 32918.2-2016 §5.5).
 * @param publicKey 04 ‖ X ‖ Y, 65 bytes
 * @param id fewer than 8192 bytes
 * @returns 32 bytes
 */
export function sm2Z(publicKey: Uint8Array, id: Uint8Array = sm2DefaultId): Bytes {
  if (publicKey.length !== publicKeyBytes || publicKey[0] !== 4) {
    throw new Sm2Error('invalidKey', 'an SM2 public key is 04, X and Y: 65 bytes');
  }
  if (id.length > 0x1fff) throw new RangeError('the id of an SM2 signer has fewer than 8192 bytes');
  const bits = id.length * 8;
  return sm3(Uint8Array.of(bits >>> 8, bits & 0xff), id, curveParameters, publicKey.subarray(1));
}

/**
 * e = SM3(Z ‖ M): what is signed (GB/T 32918.2-2016 §6.1, steps A1 and A2).
 * @returns 32 bytes
 */
export function sm2Digest(message: Uint8Array, publicKey: Uint8Array, id?: Uint8Array): Bytes {
  return sm3(sm2Z(publicKey, id), message);
}

/**
 * The signature under a given random number k, or undefined where the standard wants another k (GB/T 32918.2-2016 §6.1).
 * Only for checks against published examples: a k that is known or used twice gives the private key away.
 * @param k 32 bytes
 */
export function sm2SignDigestWithNonce(e: Uint8Array, privateKey: Uint8Array, k: Uint8Array): Bytes | undefined {
  return signWith(toNumber(e), readPrivateKey(privateKey), toNumber(k));
}

function signWith(e: bigint, d: bigint, k: bigint): Bytes | undefined {
  const { x } = Point.BASE.multiply(k).toAffine();
  const r = scalars.create(e + x);
  if (r === 0n || r + k === curve.n) return undefined;
  const s = scalars.mul(scalars.inv(scalars.create(1n + d)), scalars.create(k - r * d));
  return s === 0n ? undefined : concat(toBytes32(r), toBytes32(s));
}

/**
 * Signs a digest.
 * @param e 32 bytes, from `sm2Digest`
 * @param privateKey 32 bytes
 * @returns r ‖ s, 64 bytes big-endian
 * @throws Sm2Error `invalidKey`
 */
export function sm2SignDigest(e: Uint8Array, privateKey: Uint8Array): Bytes {
  if (e.length !== scalarBytes) throw new RangeError('an SM2 digest has 32 bytes');
  const digest = toNumber(e);
  const d = readPrivateKey(privateKey);
  for (;;) {
    const signature = signWith(digest, d, randomScalar());
    if (signature) return signature;
  }
}

/**
 * Verifies a signature (GB/T 32918.2-2016 §7.1). Whatever is malformed is simply not a valid signature.
 * @param e 32 bytes, from `sm2Digest`
 * @param signature r ‖ s, 64 bytes
 * @param publicKey 04 ‖ X ‖ Y, 65 bytes
 */
export function sm2VerifyDigest(e: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (e.length !== scalarBytes || signature.length !== 2 * scalarBytes) return false;
  const holder = readPublicPoint(publicKey);
  if (!holder) return false;
  const r = toNumber(signature.subarray(0, scalarBytes));
  const s = toNumber(signature.subarray(scalarBytes));
  if (r < 1n || r >= curve.n || s < 1n || s >= curve.n) return false;
  const t = scalars.create(r + s);
  if (t === 0n) return false;
  const point = sumOfMultiples(s, t, holder);
  if (!point) return false;
  // (e + x) mod n = r, asked the other way round: p is larger than n, so x may be one of two numbers.
  const x = scalars.create(r - toNumber(e));
  return hasX(point, x) || (x + curve.n < curve.p && hasX(point, x + curve.n));
}

/** The key derivation function of GB/T 32918.4-2016 §5.4.3. */
function deriveKey(secret: Uint8Array, length: number): Bytes {
  const key = new Uint8Array(length);
  const counter = new DataView(new ArrayBuffer(4));
  for (let offset = 0, block = 1; offset < length; offset += 32, block++) {
    counter.setUint32(0, block);
    key.set(sm3(secret, new Uint8Array(counter.buffer)).subarray(0, length - offset), offset);
  }
  return key;
}

const exclusiveOr = (a: Uint8Array, b: Uint8Array): Bytes => Uint8Array.from(a, (byte, i) => byte ^ (b[i] ?? 0));

/**
 * Encrypts for the holder of a public key (GB/T 32918.4-2016 §6.1).
 * @param plaintext at least one byte
 * @param publicKey 04 ‖ X ‖ Y, 65 bytes
 * @throws Sm2Error `invalidKey`
 */
export function sm2Encrypt(plaintext: Uint8Array, publicKey: Uint8Array): Sm2Ciphertext {
  if (plaintext.length === 0) throw new RangeError('nothing to encrypt');
  const holder = readPoint(publicKey);
  for (;;) {
    const ciphertext = encryptWith(plaintext, holder, randomScalar());
    if (ciphertext) return ciphertext;
  }
}

/**
 * The ciphertext under a given random number k, or undefined where the standard wants another k.
 * Only for checks against published examples.
 * @param k 32 bytes
 */
export function sm2EncryptWithNonce(
  plaintext: Uint8Array,
  publicKey: Uint8Array,
  k: Uint8Array,
): Sm2Ciphertext | undefined {
  return encryptWith(plaintext, readPoint(publicKey), toNumber(k));
}

function encryptWith(plaintext: Uint8Array, holder: CurvePoint, k: bigint): Sm2Ciphertext | undefined {
  const c1 = encodePoint(Point.BASE.multiply(k));
  const shared = encodePoint(holder.multiply(k)).subarray(1);
  const mask = deriveKey(shared, plaintext.length);
  if (mask.every((byte) => byte === 0)) return undefined;
  return {
    x: c1.slice(1, 33),
    y: c1.slice(33),
    hash: sm3(shared.subarray(0, 32), plaintext, shared.subarray(32)),
    cipher: exclusiveOr(plaintext, mask),
  };
}

/**
 * Decrypts (GB/T 32918.4-2016 §7.1).
 * @param privateKey 32 bytes
 * @throws Sm2Error `invalidKey` for the private key, `decryptionFailed` for anything wrong with the ciphertext
 */
export function sm2Decrypt({ x, y, hash, cipher }: Sm2Ciphertext, privateKey: Uint8Array): Bytes {
  const d = readPrivateKey(privateKey);
  let c1: CurvePoint;
  try {
    c1 = readPoint(concat(Uint8Array.of(4), x, y));
  } catch (cause) {
    throw new Sm2Error('decryptionFailed', 'C1 is not a point of the SM2 curve', { cause });
  }
  const shared = encodePoint(c1.multiply(d)).subarray(1);
  const plaintext = exclusiveOr(cipher, deriveKey(shared, cipher.length));
  if (!bytesEqual(sm3(shared.subarray(0, 32), plaintext, shared.subarray(32)), hash)) {
    plaintext.fill(0);
    throw new Sm2Error('decryptionFailed', 'C3 does not match');
  }
  return plaintext;
}
