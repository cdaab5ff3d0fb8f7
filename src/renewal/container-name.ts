import { fromHex } from '../pki/bytes.ts';

/**
 * The name of a container this site makes: `R` and the transaction's id, 33 characters (34 are safe on every key). The
 * key itself so remembers the transaction when the journal is gone or the person changes computers.
 */
export const containerNameFor = (transactionId: string): string => `R${transactionId}`;

/** The transaction a container was made for, 32 lower-case hex digits, or undefined when it is not one of ours. */
export function transactionIdOf(containerName: string): string | undefined {
  return /^R([0-9a-f]{32})$/.exec(containerName)?.[1];
}

/** CMP's transactionID: 16 bytes. */
export const transactionIdBytes = (transactionId: string): Uint8Array => fromHex(transactionId);
