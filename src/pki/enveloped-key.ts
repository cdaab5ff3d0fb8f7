import { concat, type Bytes } from './bytes.ts';
import {
  bitString,
  DerError,
  encode,
  isNull,
  octetString,
  oid,
  parseDer,
  raw,
  readBitString,
  readOctetString,
  readOid,
  readSequence,
  readUnsignedInteger,
  sequence,
  sourceBytes,
  unsignedInteger,
  type DerBlock,
} from './der.ts';
import { oids } from './algorithms.ts';
import { sm2IsPublicKey, type Sm2Ciphertext } from './sm2.ts';

/*
 * An encryption key pair as a certification authority delivers it: the private key under SM4, the SM4 key under the SM2
 * key of the recipient. Nothing in it names the recipient or proves that what is inside is intact: whether it is right
 * is known once the USBKEY has imported it and the public keys have been compared.
 */

/** Bytes that are not a SM2EnvelopedKey, or an envelope that a form cannot carry. */
export class EnvelopedKeyError extends Error {
  override readonly name = 'EnvelopedKeyError';
}

/** SM2EnvelopedKey (GM/T 0009-2012 §7.4, GB/T 35276-2017 §7.4; delivered as GM/T 0010 messages carry it). */
export interface EnvelopedKey {
  readonly symmetricAlgorithm: 'sm4-ecb';
  /** The SM4 key, 16 bytes, encrypted for the recipient's SM2 key. */
  readonly wrappedKey: Sm2Ciphertext;
  /** 04 ‖ X ‖ Y of the delivered key pair, 65 bytes. */
  readonly publicKey: Bytes;
  /** The private key under SM4: d alone, 32 bytes, or d behind 32 zero bytes, encrypted with them, 64 bytes. */
  readonly encryptedPrivateKey: Bytes;
}

const coordinateBytes = 32;
const hashBytes = 32;
const sm4KeyBytes = 16;
const privateKeyBytes: ReadonlySet<number> = new Set([32, 64]);
/** Far more than the largest envelope. */
const maxBytes = 1024;
/** SM4 by its family's name is taken too: with nothing but a bare algorithm, ECB is what is meant. */
const sm4EcbNames: ReadonlySet<string> = new Set([oids.sm4Ecb, oids.sm4]);

/** AlgorithmIdentifier of SM4 in ECB mode, without parameters. */
export const sm4EcbAlgorithm = (): DerBlock => sequence(oid(oids.sm4Ecb));

/**
 * Checks that an AlgorithmIdentifier is that of SM4 in ECB mode, its parameters absent or NULL.
 * @throws DerError
 */
export function assertSm4Ecb(algorithm: DerBlock | undefined): void {
  const [name, parameters] = readSequence(algorithm, 1, 2);
  if (!sm4EcbNames.has(readOid(name))) throw new DerError('SM4 in ECB mode expected');
  if (parameters && !isNull(parameters)) throw new DerError('SM4 in ECB mode has no parameters');
}

/** DER SM2Cipher {x, y, hash, cipher} (GM/T 0009-2012 §7.2). */
export function encodeSm2Cipher({ x, y, hash, cipher }: Sm2Ciphertext): Bytes {
  return encode(sequence(unsignedInteger(x), unsignedInteger(y), octetString(hash), octetString(cipher)));
}

/**
 * Reads a SM2Cipher around a key of 16 bytes. C1 must be a point of the curve.
 * @throws DerError
 */
export function decodeSm2Cipher(der: Uint8Array): Sm2Ciphertext {
  const [x, y, hash, cipher] = readSequence(parseDer(der, { maxBytes }), 4, 4);
  const wrapped = {
    x: readCoordinate(x),
    y: readCoordinate(y),
    hash: readOctetString(hash),
    cipher: readOctetString(cipher),
  };
  if (wrapped.hash.length !== hashBytes) throw new DerError('C3 has 32 bytes');
  if (wrapped.cipher.length !== sm4KeyBytes) throw new DerError('an SM4 key has 16 bytes');
  if (!sm2IsPublicKey(concat(Uint8Array.of(4), wrapped.x, wrapped.y)))
    throw new DerError('C1 is no point of the curve');
  return wrapped;
}

function readCoordinate(block: DerBlock | undefined): Bytes {
  const number = readUnsignedInteger(block);
  if (number.length > coordinateBytes) throw new DerError('a coordinate has 32 bytes');
  return rightAligned(number, coordinateBytes);
}

/** DER SM2EnvelopedKey. */
export function encodeEnvelopedKey(envelope: EnvelopedKey): Bytes {
  return encode(
    sequence(
      sm4EcbAlgorithm(),
      raw(encodeSm2Cipher(envelope.wrappedKey)),
      bitString(envelope.publicKey),
      bitString(envelope.encryptedPrivateKey),
    ),
  );
}

/**
 * Reads a DER SM2EnvelopedKey: SM4-ECB only, points of the curve only, lengths exact.
 * @throws EnvelopedKeyError
 */
export function decodeEnvelopedKey(der: Uint8Array): EnvelopedKey {
  try {
    const [algorithm, wrapped, publicKey, encrypted] = readSequence(parseDer(der, { maxBytes }), 4, 4);
    assertSm4Ecb(algorithm);
    if (!wrapped) throw new DerError('SM2Cipher expected');
    return makeEnvelopedKey(decodeSm2Cipher(sourceBytes(wrapped)), readBitString(publicKey), readBitString(encrypted));
  } catch (cause) {
    if (cause instanceof DerError) throw new EnvelopedKeyError(cause.message, { cause });
    throw cause;
  }
}

/**
 * An envelope of its parts.
 * @param publicKey 04 ‖ X ‖ Y
 * @param encryptedPrivateKey 32 or 64 bytes
 * @throws DerError for a part that cannot be one
 */
export function makeEnvelopedKey(
  wrappedKey: Sm2Ciphertext,
  publicKey: Bytes,
  encryptedPrivateKey: Bytes,
): EnvelopedKey {
  if (!sm2IsPublicKey(publicKey)) throw new DerError('not a public key of SM2');
  if (!privateKeyBytes.has(encryptedPrivateKey.length)) throw new DerError('a private key is 32 or 64 bytes encrypted');
  return { symmetricAlgorithm: 'sm4-ecb', wrappedKey, publicKey, encryptedPrivateKey };
}

/**
 * What a key's 64 bytes for the private key hold, by its maker: `zerosThenEncrypted`, 32 zero bytes before d's 32
 * encrypted ones; `encryptedThenZeros`, the other way round; `allEncrypted`, 64 encrypted bytes.
 */
export type PrivateKeyForm = 'zerosThenEncrypted' | 'encryptedThenZeros' | 'allEncrypted';

/**
 * The encrypted private key as a key with this form wants it. ECB encrypts each block by itself, so that the last 32 of
 * 64 encrypted bytes are those of d alone; the other way the zero blocks' encryption is not known here.
 * @returns 64 bytes
 * @throws EnvelopedKeyError for 32 bytes where all 64 have to be encrypted
 */
export function privateKeyField({ encryptedPrivateKey }: EnvelopedKey, form: PrivateKeyForm): Bytes {
  const d = encryptedPrivateKey.slice(-32);
  if (form === 'zerosThenEncrypted') return rightAligned(d, 64);
  if (form === 'encryptedThenZeros') return concat(d, new Uint8Array(32));
  if (encryptedPrivateKey.length === 64) return encryptedPrivateKey.slice();
  throw new EnvelopedKeyError('32 encrypted bytes where the key wants 64');
}

/** ENVELOPEDKEYBLOB's version and SGD_SM4_ECB (GM/T 0006). */
const blobVersion = 1;
const sgdSm4Ecb = 0x401;
const sm2Bits = 256;

/**
 * ENVELOPEDKEYBLOB, 388 bytes (GM/T 0016-2012 §6.4.10): packed, numbers little-endian, coordinates right-aligned in 64.
 * @throws EnvelopedKeyError where the envelope cannot take this form
 */
export function envelopedKeyBlob(envelope: EnvelopedKey, form: PrivateKeyForm): Bytes {
  const { publicKey, wrappedKey } = envelope;
  return concat(
    littleEndian(blobVersion),
    littleEndian(sgdSm4Ecb),
    littleEndian(sm2Bits),
    privateKeyField(envelope, form),
    littleEndian(sm2Bits),
    rightAligned(publicKey.subarray(1, 33), 64),
    rightAligned(publicKey.subarray(33), 64),
    rightAligned(wrappedKey.x, 64),
    rightAligned(wrappedKey.y, 64),
    wrappedKey.hash,
    littleEndian(wrappedKey.cipher.length),
    wrappedKey.cipher,
  );
}

function rightAligned(bytes: Uint8Array, length: number): Bytes {
  const field = new Uint8Array(length);
  field.set(bytes, length - bytes.length);
  return field;
}

function littleEndian(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
