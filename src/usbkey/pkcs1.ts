import { concat } from '../pki/bytes.ts';

// DER of DigestInfo up to the digest: SEQUENCE { SEQUENCE { 2.16.840.1.101.3.4.2.1, NULL }, OCTET STRING (32) }.
const sha256DigestInfoHead = [
  0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
];

/** DigestInfo of a SHA-256 digest (RFC 8017 §9.2, note 1). @param digest 32 bytes */
export function sha256DigestInfo(digest: Uint8Array): Uint8Array<ArrayBuffer> {
  if (digest.length !== 32) throw new RangeError('a SHA-256 digest has 32 bytes');
  return concat(Uint8Array.from(sha256DigestInfoHead), digest);
}

/**
 * EMSA-PKCS1-v1_5 (RFC 8017 §9.2): the block that an RSA key raises to its private exponent.
 * @param digest SHA-256, 32 bytes
 * @param bytes the modulus' length, at least 62
 */
export function pkcs1Block(digest: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  const digestInfo = sha256DigestInfo(digest);
  const padding = bytes - digestInfo.length - 3;
  if (padding < 8) throw new RangeError('a modulus too short for SHA-256');
  return concat(Uint8Array.of(0, 1), new Uint8Array(padding).fill(0xff), Uint8Array.of(0), digestInfo);
}
