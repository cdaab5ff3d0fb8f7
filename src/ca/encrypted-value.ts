import { oids } from '../pki/algorithms.ts';
import type { Bytes } from '../pki/bytes.ts';
import {
  bitString,
  DerError,
  encode,
  implicit,
  isContext,
  isNull,
  oid,
  parseDer,
  readBitString,
  readImplicit,
  readOid,
  readSequence,
  sequence,
  type DerBlock,
} from '../pki/der.ts';
import {
  assertSm4Ecb,
  decodeSm2Cipher,
  encodeSm2Cipher,
  makeEnvelopedKey,
  sm4EcbAlgorithm,
  type EnvelopedKey,
} from '../pki/enveloped-key.ts';

/*
 * An SM2EnvelopedKey as RFC 4211's EncryptedValue, in a module of IMPLICIT TAGS: the form that fits CertifiedKeyPair of
 * protocol version 2. The public key is not in it; the certificate beside it carries that.
 */

const ecOnSm2 = (): DerBlock => sequence(oid(oids.ecPublicKey), oid(oids.sm2));

/** DER EncryptedValue (RFC 4211 appendix B). */
export function encodeEncryptedValue({ wrappedKey, encryptedPrivateKey }: EnvelopedKey): Bytes {
  return encode(
    sequence(
      implicit(0, encode(ecOnSm2())),
      implicit(1, encode(sm4EcbAlgorithm())),
      implicit(2, encode(bitString(encodeSm2Cipher(wrappedKey)))),
      implicit(3, encode(sequence(oid(oids.sm2Encryption)))),
      bitString(encryptedPrivateKey),
    ),
  );
}

/**
 * Reads an EncryptedValue around an SM2 private key under SM4-ECB and SM2; every other kind is refused.
 * @param publicKey 04 ‖ X ‖ Y of the key pair, 65 bytes
 * @throws DerError
 */
export function decodeEncryptedValue(der: Uint8Array, publicKey: Bytes): EnvelopedKey {
  const parts = [...readSequence(parseDer(der), 4, 5)];
  if (isContext(parts[0], 0)) {
    const [algorithm, curve] = readSequence(readImplicit(parts.shift(), 0, 'sequence'), 2, 2);
    if (readOid(algorithm) !== oids.ecPublicKey || readOid(curve) !== oids.sm2) throw new DerError('not an SM2 key');
  }
  const [symmetric, wrapped, wrappedBy, encrypted, ...others] = parts;
  if (others.length > 0) throw new DerError('unexpected part of an EncryptedValue');
  assertSm4Ecb(readImplicit(symmetric, 1, 'sequence'));
  const [name, parameters] = readSequence(readImplicit(wrappedBy, 3, 'sequence'), 1, 2);
  if (readOid(name) !== oids.sm2Encryption) throw new DerError('SM2 encryption expected');
  if (parameters && !isNull(parameters)) throw new DerError('SM2 encryption has no parameters');
  const wrappedKey = decodeSm2Cipher(readBitString(readImplicit(wrapped, 2, 'bitString')));
  return makeEnvelopedKey(wrappedKey, publicKey, readBitString(encrypted));
}
