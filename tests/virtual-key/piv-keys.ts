import { p256 } from '@noble/curves/nist.js';
import { ecdsaSignatureToDer } from '../../src/pki/der.ts';
import { sm2GenerateKeyPair, sm2SignDigest } from '../../src/pki/sm2.ts';
import { tlv } from './ber-tlv.ts';
import { bytesToHex, concatBytes, hexToBytes } from './bytes.ts';
import { applyRaw, bigEndian, generateRsaKeyPair, readRsaPrivateKey } from './rsa.ts';
import type { PivAlgorithm, PivFeatures, PivSlotState } from './state.ts';
import { Refusal, statusWords as sw } from './status-words.ts';

/** How a card writes an SM2 signature down: r ‖ s, 64 bytes, or a DER SEQUENCE as with ECDSA. */
export type Sm2SignatureFormat = 'raw' | 'der';

const digestBytes = 32;

/** The algorithm identifier (NIST SP 800-78-4 table 6-2; SM2 as the card has it); undefined without SM2. */
export function algorithmId(algorithm: PivAlgorithm, { sm2Algorithm }: PivFeatures): number | undefined {
  return { rsa2048: 0x07, p256: 0x11, sm2: sm2Algorithm }[algorithm];
}

/** A fresh key pair as a state keeps it. */
export async function generateKeyPair(
  algorithm: PivAlgorithm,
): Promise<Pick<PivSlotState, 'algorithm' | 'privateKey' | 'publicKey'>> {
  if (algorithm === 'rsa2048') {
    const { pkcs8, spki } = await generateRsaKeyPair(2048);
    return { algorithm, privateKey: bytesToHex(pkcs8), publicKey: bytesToHex(spki) };
  }
  const { privateKey, publicKey } =
    algorithm === 'sm2' ? sm2GenerateKeyPair() : keyPairOfP256(p256.utils.randomSecretKey());
  return { algorithm, privateKey: bytesToHex(privateKey), publicKey: bytesToHex(publicKey.subarray(1)) };
}

const keyPairOfP256 = (privateKey: Uint8Array): { privateKey: Uint8Array; publicKey: Uint8Array } => ({
  privateKey,
  publicKey: p256.getPublicKey(privateKey, false),
});

/** Public key data objects (NIST SP 800-73-4 part 2 table 11): 81 modulus, 82 exponent, or 86 the point 04 ‖ X ‖ Y. */
export function publicKeyObjects(slot: Pick<PivSlotState, 'algorithm' | 'privateKey' | 'publicKey'>): Uint8Array {
  if (slot.algorithm !== 'rsa2048') return tlv(0x86, Uint8Array.of(4), hexToBytes(slot.publicKey));
  const key = readRsaPrivateKey(hexToBytes(slot.privateKey));
  return concatBytes(tlv(0x81, bigEndian(key.modulus, key.bytes)), tlv(0x82, bigEndian(key.publicExponent, 3)));
}

/**
 * The answer to a challenge: RSA raw, over a block as long as the modulus; ECDSA in DER or SM2 over 32 bytes.
 * @throws Refusal 6A80 for any other length, and for an RSA block that is no smaller than the modulus
 */
export function sign(slot: PivSlotState, challenge: Uint8Array, sm2Format: Sm2SignatureFormat): Uint8Array {
  const privateKey = hexToBytes(slot.privateKey);
  if (slot.algorithm === 'rsa2048') {
    const key = readRsaPrivateKey(privateKey);
    const signature = challenge.length === key.bytes ? applyRaw(key, challenge) : undefined;
    if (!signature) throw new Refusal(sw.wrongData);
    return signature;
  }
  if (challenge.length !== digestBytes) throw new Refusal(sw.wrongData);
  if (slot.algorithm === 'p256') return p256.sign(challenge, privateKey, { prehash: false, format: 'der' });
  const signature = sm2SignDigest(challenge, privateKey);
  return sm2Format === 'raw' ? signature : ecdsaSignatureToDer(signature);
}
