import { readSpki } from '../../src/pki/algorithms.ts';
import { concat } from '../../src/pki/bytes.ts';
import { encode, integer, octetString, sequence } from '../../src/pki/der.ts';
import { sm2Encrypt } from '../../src/pki/sm2.ts';
import type { EncryptionKeyPair } from './encryption-key.ts';

/** 16, 16 and 32 digits, as the published sample has them; what they mean nobody has said. */
const prefix = '0000000000000001' + '0000000000000001' + '0'.repeat(32);
const version = 1;

/**
 * An encryption key pair as CFCA delivers it: X ‖ Y ‖ d encrypted for a temporary key (C1 ‖ C3 ‖ C2 without 04), in DER,
 * in base64, behind a prefix and its length.
 * @param temporaryPublicKey 04 ‖ X ‖ Y
 */
export function escrowBlob({ privateKey, spki }: EncryptionKeyPair, temporaryPublicKey: Uint8Array): string {
  const keyPair = concat(readSpki(spki).publicKey.subarray(1), privateKey);
  const { x, y, hash, cipher } = sm2Encrypt(keyPair, concat(temporaryPublicKey));
  const der = encode(sequence(integer(version), octetString(concat(x, y, hash, cipher))));
  const base64 = Buffer.from(der).toString('base64');
  return prefix + String(base64.length).padStart(16, '0') + base64;
}
