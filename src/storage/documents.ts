import { cacheDatabase } from './database.ts';
import { storageError } from './errors.ts';

/** Keeps the last good copy of a fetched document. Losing it costs a fetch, so failing to keep it is no error. */
export async function keepDocument(name: string, text: string, storedAt: number): Promise<void> {
  try {
    await (await cacheDatabase()).put('documents', { name, text, storedAt });
  } catch {
    // The next load fetches it again.
  }
}

/** The last good copy of a document, or undefined where there is none or nothing can be read here. */
export async function recallDocument(name: string): Promise<{ text: string; storedAt: number } | undefined> {
  try {
    return await (await cacheDatabase()).get('documents', name);
  } catch {
    return undefined;
  }
}

/** Forgets all copies. @throws StorageError */
export async function clearDocuments(): Promise<void> {
  try {
    await (await cacheDatabase()).clear('documents');
  } catch (cause) {
    throw storageError(cause, 'clearing the copies');
  }
}
