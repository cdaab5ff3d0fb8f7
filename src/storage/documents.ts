import { cacheDatabase, type StoredDocument } from './database.ts';
import { storageError } from './errors.ts';

/** Keeps the last good copy of a fetched document. Losing it costs a fetch, so failing to keep it is no error. */
export async function keepDocument(name: string, { text, storedAt, etag }: StoredDocument): Promise<void> {
  try {
    await (await cacheDatabase()).put('documents', { name, text, storedAt, ...(etag !== undefined && { etag }) });
  } catch {
    // The next load fetches it again.
  }
}

/** The last good copy of a document, or undefined where there is none or nothing can be read here. */
export async function recallDocument(name: string): Promise<StoredDocument | undefined> {
  try {
    return await (await cacheDatabase()).get('documents', name);
  } catch {
    return undefined;
  }
}

/** Forgets all copies, content packs included. @throws StorageError */
export async function clearDocuments(): Promise<void> {
  try {
    const transaction = (await cacheDatabase()).transaction(['documents', 'packs', 'packChecks'], 'readwrite');
    await Promise.all([
      transaction.objectStore('documents').clear(),
      transaction.objectStore('packs').clear(),
      transaction.objectStore('packChecks').clear(),
      transaction.done,
    ]);
  } catch (cause) {
    throw storageError(cause, 'clearing the copies');
  }
}
