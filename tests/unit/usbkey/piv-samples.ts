import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { encodeTlv } from '../../../src/apdu/tlv.ts';
import { type KeyAlgorithm, signatureAlgorithmFor, sm2Spki } from '../../../src/pki/algorithms.ts';
import {
  bitString,
  certificateTime,
  ecdsaSignatureToDer,
  encode,
  explicit,
  integer,
  octetString,
  oid,
  raw,
  sequence,
  set,
  utf8String,
} from '../../../src/pki/der.ts';
import { sm2Digest, sm2GenerateKeyPair, sm2SignDigest } from '../../../src/pki/sm2.ts';
import type { PivAlgorithm, PivPinPolicy, PivSlotState } from '../../virtual-key/state.ts';
import { toHex } from '../apdu/hex.ts';

/** A key pair as a PIV key holds it, with a self-signed certificate. */
export interface SamplePair {
  readonly spki: Uint8Array;
  readonly certificate: Uint8Array;
  readonly inSlot: (slot: string, pinPolicy?: PivPinPolicy) => PivSlotState;
}

const name = sequence(set(sequence(oid('2.5.4.3'), utf8String('示例'))));

/** @param keyUsage the BIT STRING's contents of the extension, or none */
function selfSigned(
  algorithm: KeyAlgorithm,
  spki: Uint8Array,
  signTbs: (tbs: Uint8Array) => Uint8Array,
  keyUsage?: Uint8Array,
): Uint8Array {
  const signatureAlgorithm = raw(signatureAlgorithmFor(algorithm));
  const validity = sequence(certificateTime(new Date('2026-01-01')), certificateTime(new Date('2036-01-01')));
  const usage = keyUsage && sequence(oid('2.5.29.15'), octetString(encode(bitString(keyUsage, 5))));
  const tbs = encode(
    sequence(
      explicit(0, integer(2)),
      integer(1),
      signatureAlgorithm,
      name,
      validity,
      name,
      raw(spki),
      usage && explicit(3, sequence(usage)),
    ),
  );
  return encode(sequence(raw(tbs), signatureAlgorithm, bitString(signTbs(tbs))));
}

const spkiOf = (key: KeyObject): Uint8Array => new Uint8Array(key.export({ type: 'spki', format: 'der' }));

/** @param keyUsage one byte with five unused bits, for the certificate */
export function samplePair(algorithm: PivAlgorithm, keyUsage?: Uint8Array): SamplePair {
  const made = make(algorithm);
  return {
    spki: made.spki,
    certificate: selfSigned(algorithm === 'rsa2048' ? 'rsa' : algorithm, made.spki, made.sign, keyUsage),
    inSlot: (slot, pinPolicy = 'once') => ({
      ...{ slot, algorithm, pinPolicy },
      ...{ privateKey: toHex(made.privateKey), publicKey: toHex(made.publicKey) },
    }),
  };
}

interface MadePair {
  readonly spki: Uint8Array;
  /** As `PivSlotState` has them. */
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array;
}

function make(algorithm: PivAlgorithm): MadePair {
  if (algorithm === 'sm2') {
    const { privateKey, publicKey } = sm2GenerateKeyPair();
    const signSm2 = (message: Uint8Array) =>
      ecdsaSignatureToDer(sm2SignDigest(sm2Digest(message, publicKey), privateKey));
    return { spki: sm2Spki(publicKey), privateKey, publicKey: publicKey.slice(1), sign: signSm2 };
  }
  const { privateKey, publicKey } =
    algorithm === 'p256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const spki = spkiOf(publicKey);
  const signSha256 = (message: Uint8Array) => new Uint8Array(sign('sha256', message, privateKey));
  if (algorithm === 'rsa2048') {
    const pkcs8 = new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' }));
    return { spki, privateKey: pkcs8, publicKey: spki, sign: signSha256 };
  }
  const { d = '' } = privateKey.export({ format: 'jwk' });
  const scalar = new Uint8Array(Buffer.from(d, 'base64url'));
  return { spki, privateKey: scalar, publicKey: spki.slice(-64), sign: signSha256 };
}

/** A certificate object as other programs write it (SP 800-73-4 part 1, table 10). */
export function certificateObject(certificate: Uint8Array, mscuid?: string): Uint8Array {
  const name72 = mscuid === undefined ? [] : [encodeTlv(0x72, new TextEncoder().encode(mscuid))];
  return encodeTlv(0x53, encodeTlv(0x70, certificate), encodeTlv(0x71, Uint8Array.of(0)), ...name72, encodeTlv(0xfe));
}

/** For checks by OpenSSL. */
export const publicKeyOf = (spki: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
