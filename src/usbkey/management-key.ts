import { copyBytes } from '../pki/bytes.ts';
import { aesBlockBytes, aesDecryptBlock, aesEncryptBlock } from './aes.ts';
import { tripleDesDecryptBlock, tripleDesEncryptBlock } from './des.ts';

/** A cipher that a PIV key's management key 9B may be for (SP 800-78-4 table 6-2). */
export interface ManagementCipher {
  /** Its algorithm identifier. */
  readonly algorithm: number;
  readonly keyBytes: number;
  readonly blockBytes: number;
  readonly encrypt: (key: Uint8Array, block: Uint8Array) => Uint8Array;
  readonly decrypt: (key: Uint8Array, block: Uint8Array) => Uint8Array;
}

const tripleDes: ManagementCipher = {
  ...{ algorithm: 0x03, keyBytes: 24, blockBytes: 8 },
  ...{ encrypt: tripleDesEncryptBlock, decrypt: tripleDesDecryptBlock },
};
const aes = (algorithm: number, keyBytes: number): ManagementCipher => ({
  ...{ algorithm, keyBytes, blockBytes: aesBlockBytes },
  ...{ encrypt: aesEncryptBlock, decrypt: aesDecryptBlock },
});
const aesCiphers = [aes(0x08, 16), aes(0x0a, 24), aes(0x0c, 32)];

/**
 * The ciphers that a management key may be for, in the order in which to try them.
 * @param keyBytes its length
 * @param algorithm what the key says of it: 03 (or 00, its other name), 08, 0A, 0C; undefined where it says nothing
 */
export function ciphersFor(keyBytes: number, algorithm: number | undefined): readonly ManagementCipher[] {
  const named = algorithm === 0x00 ? tripleDes.algorithm : algorithm;
  return [tripleDes, ...aesCiphers].filter(
    (cipher) => cipher.keyBytes === keyBytes && (named === undefined || cipher.algorithm === named),
  );
}

const delivered = [1, 2, 3, 4, 5, 6, 7, 8];
/** The management key of 24 bytes that PIV keys are delivered with: no secret. A copy of its own. */
export const deliveredManagementKey = (): Uint8Array<ArrayBuffer> =>
  copyBytes(Uint8Array.from([...delivered, ...delivered, ...delivered]));
