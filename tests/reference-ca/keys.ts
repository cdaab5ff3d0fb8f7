import { Crypto } from '@peculiar/webcrypto';
import * as asn1js from 'asn1js';
import { AlgorithmIdentifier, PublicKeyInfo } from 'pkijs';
import { concat, type Bytes } from '../../src/pki/bytes.ts';
import { ecdsaSignatureFromDer, ecdsaSignatureToDer } from '../../src/pki/der.ts';
import { sm2Digest, sm2GenerateKeyPair, sm2PublicKey, sm2SignDigest } from '../../src/pki/sm2.ts';

export type KeyType = 'sm2' | 'p256' | 'rsa';

/** A private key in memory: what the authorities sign with, and what a freshly personalised USBKEY is filled with. */
export interface SoftwareKey {
  readonly type: KeyType;
  /** SM2: d, 32 bytes. Otherwise DER PKCS #8. */
  readonly privateKey: Bytes;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes;
  /** Signs a message (hash, and for SM2 Z, taken here); the signature as a certificate carries it. */
  readonly sign: (message: Uint8Array) => Promise<Bytes>;
}

const crypto = new Crypto();
const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const;
const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

const ecPublicKeyOid = '1.2.840.10045.2.1';
const sm2CurveOid = '1.2.156.10197.1.301';

/** DER SubjectPublicKeyInfo of an SM2 point 04 ‖ X ‖ Y (GB/T 35276-2017 §7.1). */
function sm2SubjectPublicKeyInfo(publicKey: Uint8Array): Bytes {
  const info = new PublicKeyInfo({
    algorithm: new AlgorithmIdentifier({
      algorithmId: ecPublicKeyOid,
      algorithmParams: new asn1js.ObjectIdentifier({ value: sm2CurveOid }),
    }),
    subjectPublicKey: new asn1js.BitString({ valueHex: concat(publicKey).buffer }),
  });
  return new Uint8Array(info.toSchema().toBER());
}

function sm2Key(privateKey: Uint8Array): SoftwareKey {
  const publicKey = sm2PublicKey(privateKey);
  return {
    type: 'sm2',
    privateKey: concat(privateKey),
    spki: sm2SubjectPublicKeyInfo(publicKey),
    sign: (message) =>
      Promise.resolve(concat(ecdsaSignatureToDer(sm2SignDigest(sm2Digest(message, publicKey), privateKey)))),
  };
}

async function webCryptoKey(type: 'p256' | 'rsa', pkcs8: Uint8Array, spki: Uint8Array): Promise<SoftwareKey> {
  const algorithm = type === 'rsa' ? rsa : p256;
  const key = await crypto.subtle.importKey('pkcs8', concat(pkcs8), algorithm, false, ['sign']);
  return {
    type,
    privateKey: concat(pkcs8),
    spki: concat(spki),
    sign: async (message) => {
      const signature = new Uint8Array(await crypto.subtle.sign(algorithm, key, concat(message)));
      return type === 'rsa' ? signature : concat(ecdsaSignatureToDer(signature));
    },
  };
}

/** Makes a key pair: SM2, P-256 or RSA of 2048 bits with exponent 65537. */
export async function generateKey(type: KeyType): Promise<SoftwareKey> {
  if (type === 'sm2') return sm2Key(sm2GenerateKeyPair().privateKey);
  const parameters =
    type === 'rsa' ? { ...rsa, modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) } : { ...p256 };
  const pair = await crypto.subtle.generateKey(parameters, true, ['sign', 'verify']);
  return webCryptoKey(
    type,
    new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey)),
    new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey)),
  );
}

/** Takes up a key made before. @param privateKey as `SoftwareKey.privateKey` */
export function loadKey(type: KeyType, privateKey: Uint8Array, spki: Uint8Array): Promise<SoftwareKey> {
  return type === 'sm2' ? Promise.resolve(sm2Key(privateKey)) : webCryptoKey(type, privateKey, spki);
}

/** r ‖ s of a DER signature made by an SM2 or P-256 key. */
export const rawSignature = (der: Uint8Array): Bytes => concat(ecdsaSignatureFromDer(der));
