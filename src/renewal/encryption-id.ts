import { concat, toHex } from '../pki/bytes.ts';
import { transactionIdBytes } from './container-name.ts';

/** So often, within one transaction, an encryption certificate is asked for under another transactionID. */
export const maxEncryptionAttempts = 16;

const prefix = new TextEncoder().encode('encryption');

/**
 * The transactionID under which the encryption certificate of a transaction is asked for: the first 16 bytes of SHA-256
 * over `encryption`, the transaction's own id and the number of the attempt. So a container's name tells of both.
 * @param transactionId 32 hex digits
 * @param attempt from 0; another only once nothing can come of the one before
 * @returns 32 lower-case hex digits
 */
export async function encryptionTransactionId(transactionId: string, attempt: number): Promise<string> {
  if (!Number.isInteger(attempt) || attempt < 0 || attempt >= maxEncryptionAttempts)
    throw new RangeError(`attempt ${attempt} for an encryption certificate`);
  const named = concat(prefix, transactionIdBytes(transactionId), Uint8Array.of(attempt));
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', named)).subarray(0, 16));
}
