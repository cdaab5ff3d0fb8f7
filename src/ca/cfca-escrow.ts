import { bytesEqual, concat, fromBase64, type Bytes } from '../pki/bytes.ts';
import { DerError, parseDer, readInteger, readOctetString, readSequence } from '../pki/der.ts';
import { makeEnvelopedKey, type EnvelopedKey } from '../pki/enveloped-key.ts';
import { sm2Decrypt, Sm2Error, sm2Encrypt, sm2IsPublicKey, sm2PublicKey, type Sm2Ciphertext } from '../pki/sm2.ts';
import { sm4EcbEncrypt } from '../pki/sm4.ts';

/*
 * The encryption key pair as CFCA delivers it: encrypted for the temporary key of the request. A USBKEY imports a key
 * only under a key it holds itself, so what came for the temporary key is wrapped anew for the new signing key. In
 * between the private key, which the authority has escrowed anyway, lies in this page's memory; it is overwritten
 * before the function returns. (What big integers and the engine's own copies keep is out of reach.)
 */

/** Why a delivered key pair cannot be taken over. */
export type CfcaEscrowErrorCode =
  /** Not a delivery in this form. */
  | 'malformed'
  /** Encrypted for another temporary key, or changed on the way. */
  | 'notForThisKey'
  /** The private key inside does not belong to the public key inside, or that is not the certificate's. */
  | 'keyMismatch'
  /** The key to wrap it for is not an SM2 public key. */
  | 'invalidRecipient';

export class CfcaEscrowError extends Error {
  override readonly name = 'CfcaEscrowError';
  readonly code: CfcaEscrowErrorCode;
  constructor(code: CfcaEscrowErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface EscrowedKey {
  /** As the authority sent it: decimal digits, 64 of prefix and 16 of length, then base64, perhaps with commas. */
  readonly blob: string;
  /** d of the request's temporary key, 32 bytes. It serves once: this is overwritten, whatever the outcome. */
  readonly temporaryPrivateKey: Uint8Array;
  /** 04 ‖ X ‖ Y of the encryption certificate, 65 bytes. */
  readonly certifiedPublicKey: Uint8Array;
  /** 04 ‖ X ‖ Y of the new signing key, 65 bytes, whose holder is to import the key pair. */
  readonly recipient: Uint8Array;
}

const coordinateBytes = 32;
const hashBytes = 32;
/** X ‖ Y ‖ d. */
const keyPairBytes = 3 * coordinateBytes;
const cipherBytes = 2 * coordinateBytes + hashBytes + keyPairBytes;
const sm4KeyBytes = 16;
const version = 1;
/** 16, 16 and 32 digits whose meaning nobody has published, then how long the base64 is. */
const form = /^\d{64}(?<length>\d{16})(?<base64>[A-Za-z0-9+/=,]*)$/u;
/** The one length there is, with a comma after each letter, comes to less. */
const maxBlobLength = 1024;

/**
 * Opens a delivered key pair with the temporary key, checks it against itself and the certificate, and wraps it for the
 * new signing key under a fresh SM4 key.
 * @returns the envelope, its private key 64 bytes encrypted: 32 zero bytes and d
 * @throws CfcaEscrowError
 */
export function rewrapEscrowedKey(escrowed: EscrowedKey): EnvelopedKey {
  const { blob, temporaryPrivateKey, certifiedPublicKey, recipient } = escrowed;
  let keyPair: Bytes | undefined;
  try {
    if (!sm2IsPublicKey(recipient)) throw new CfcaEscrowError('invalidRecipient', 'no SM2 key to wrap it for');
    keyPair = decrypt(readBlob(blob), temporaryPrivateKey);
    const publicKey = concat(Uint8Array.of(4), keyPair.subarray(0, 2 * coordinateBytes));
    const privateKey = keyPair.subarray(2 * coordinateBytes);
    if (!bytesEqual(publicKey, certifiedPublicKey)) {
      throw new CfcaEscrowError('keyMismatch', 'the key pair is not that of the certificate');
    }
    if (!bytesEqual(publicKeyOf(privateKey), publicKey)) {
      throw new CfcaEscrowError('keyMismatch', 'the private key is not that of the public key');
    }
    return wrap(privateKey, publicKey, recipient);
  } finally {
    keyPair?.fill(0);
    temporaryPrivateKey.fill(0);
  }
}

function readBlob(blob: string): Sm2Ciphertext {
  const { length, base64 } = (blob.length <= maxBlobLength && form.exec(blob)?.groups) || {};
  if (length === undefined || base64 === undefined) throw new CfcaEscrowError('malformed', 'not a delivered key');
  const withoutCommas = base64.replaceAll(',', '');
  // Whether commas count into the length is not said anywhere.
  if (![withoutCommas.length, base64.length].includes(Number(length))) {
    throw new CfcaEscrowError('malformed', 'another length than it says');
  }
  try {
    const [number, block] = readSequence(parseDer(fromBase64(withoutCommas)), 2, 2);
    if (readInteger(number) !== version) throw new DerError('version 1 expected');
    const cipher = readOctetString(block);
    if (cipher.length !== cipherBytes) throw new DerError('C1, C3 and C2 of a key pair expected');
    const part = (start: number, bytes: number): Bytes => cipher.slice(start, start + bytes);
    return {
      x: part(0, coordinateBytes),
      y: part(coordinateBytes, coordinateBytes),
      hash: part(2 * coordinateBytes, hashBytes),
      cipher: part(2 * coordinateBytes + hashBytes, keyPairBytes),
    };
  } catch (cause) {
    if (cause instanceof DerError || cause instanceof SyntaxError) {
      throw new CfcaEscrowError('malformed', 'not a delivered key', { cause });
    }
    throw cause;
  }
}

function decrypt(ciphertext: Sm2Ciphertext, temporaryPrivateKey: Uint8Array): Bytes {
  try {
    return sm2Decrypt(ciphertext, temporaryPrivateKey);
  } catch (cause) {
    if (cause instanceof Sm2Error) {
      throw new CfcaEscrowError('notForThisKey', 'the temporary key does not open it', { cause });
    }
    throw cause;
  }
}

function publicKeyOf(privateKey: Uint8Array): Bytes {
  try {
    return sm2PublicKey(privateKey);
  } catch (cause) {
    if (cause instanceof Sm2Error) throw new CfcaEscrowError('keyMismatch', 'not a private key of SM2', { cause });
    throw cause;
  }
}

/** Both conventions of 64 bytes can be made from this one: see `privateKeyField`. */
function wrap(privateKey: Uint8Array, publicKey: Bytes, recipient: Uint8Array): EnvelopedKey {
  const padded = new Uint8Array(2 * coordinateBytes);
  padded.set(privateKey, coordinateBytes);
  const sm4Key = crypto.getRandomValues(new Uint8Array(sm4KeyBytes));
  try {
    return makeEnvelopedKey(sm2Encrypt(sm4Key, recipient), publicKey, sm4EcbEncrypt(sm4Key, padded));
  } finally {
    padded.fill(0);
    sm4Key.fill(0);
  }
}
