import { userDatabase } from './database.ts';
import { StorageError, storageError } from './errors.ts';

const algorithm = 'AES-GCM';
const ivBytes = 12;

/**
 * Keeps the letter's fields, encrypted under a key that cannot be taken out of this browser. It keeps a copied disk or
 * a glance at the database from telling a name; whoever uses this browser under this account can still open the page.
 * @param text the fields as JSON
 * @throws StorageError
 */
export async function saveLetter(text: string): Promise<void> {
  try {
    const database = await userDatabase();
    const key =
      (await database.get('letter', 'letter'))?.key ??
      (await crypto.subtle.generateKey({ name: algorithm, length: 256 }, false, ['encrypt', 'decrypt']));
    const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
    const plain = new TextEncoder().encode(text);
    const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: algorithm, iv }, key, plain));
    plain.fill(0);
    await database.put('letter', { id: 'letter', key, iv, sealed });
  } catch (cause) {
    throw storageError(cause, 'keeping the letter');
  }
}

/**
 * The fields as they were kept, or undefined where none are.
 * @throws StorageError `damaged` when what is there does not open
 */
export async function loadLetter(): Promise<string | undefined> {
  try {
    const kept = await (await userDatabase()).get('letter', 'letter');
    if (!kept) return undefined;
    const { key, iv, sealed } = kept;
    const plain = await crypto.subtle.decrypt({ name: algorithm, iv }, key, sealed).catch((cause: unknown) => {
      throw new StorageError('damaged', 'the kept letter does not open', { cause });
    });
    return new TextDecoder().decode(plain);
  } catch (cause) {
    throw storageError(cause, 'opening the kept letter');
  }
}

/** Forgets the letter and its key. @throws StorageError */
export async function forgetLetter(): Promise<void> {
  try {
    await (await userDatabase()).clear('letter');
  } catch (cause) {
    throw storageError(cause, 'forgetting the letter');
  }
}
