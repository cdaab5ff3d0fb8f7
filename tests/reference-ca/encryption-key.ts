import { encodeEncryptedValue } from '../../src/ca/encrypted-value.ts';
import { readSpki } from '../../src/pki/algorithms.ts';
import { copyBytes, type Bytes } from '../../src/pki/bytes.ts';
import { makeEnvelopedKey, type EnvelopedKey } from '../../src/pki/enveloped-key.ts';
import { sm2Encrypt } from '../../src/pki/sm2.ts';
import { sm4EcbEncrypt } from '../../src/pki/sm4.ts';
import { generateKey } from './keys.ts';

/** An encryption key pair made here. */
export interface EncryptionKeyPair {
  /** d, 32 bytes. */
  readonly privateKey: Bytes;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes;
}

/** An encryption key pair as it leaves the house. */
export interface DeliveredKey {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes;
  /** DER EncryptedKey (RFC 4211 EncryptedValue): the private key for the holder's USBKEY alone. */
  readonly encryptedKey: Bytes;
}

export async function makeEncryptionKeyPair(): Promise<EncryptionKeyPair> {
  const { privateKey, spki } = await generateKey('sm2');
  return { privateKey, spki };
}

/**
 * Wraps a private key for a holder's SM2 signing key (GM/T 0009-2012 §7.4): d behind 32 zero bytes, all encrypted, of
 * which either form that makers use can be had.
 * @param wrapFor DER SubjectPublicKeyInfo of the key that unwraps it
 */
export function envelopeFor({ privateKey, spki }: EncryptionKeyPair, wrapFor: Uint8Array): EnvelopedKey {
  const sm4Key = crypto.getRandomValues(new Uint8Array(16));
  const padded = new Uint8Array(64);
  padded.set(privateKey, 32);
  return makeEnvelopedKey(
    sm2Encrypt(sm4Key, readSpki(copyBytes(wrapFor)).publicKey),
    readSpki(spki).publicKey,
    sm4EcbEncrypt(sm4Key, padded),
  );
}

/** Makes an SM2 key pair and wraps it as CMP delivers it. @param wrapFor DER SubjectPublicKeyInfo of the key that unwraps it */
export async function makeEncryptionKey(wrapFor: Uint8Array): Promise<DeliveredKey> {
  const pair = await makeEncryptionKeyPair();
  return { spki: pair.spki, encryptedKey: encodeEncryptedValue(envelopeFor(pair, wrapFor)) };
}
