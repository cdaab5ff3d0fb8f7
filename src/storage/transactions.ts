import { askToPersist, userDatabase, type StoredTransaction } from './database.ts';
import { storageError } from './errors.ts';

/**
 * Writes a transaction with strict durability: it has reached the disk, as far as the system tells, when this resolves.
 * @throws StorageError
 */
export async function putTransaction(record: StoredTransaction): Promise<void> {
  try {
    const database = await userDatabase();
    const transaction = database.transaction('transactions', 'readwrite', { durability: 'strict' });
    await Promise.all([transaction.store.put(record), transaction.done]);
  } catch (cause) {
    throw storageError(cause, 'writing a transaction');
  }
  void askToPersist();
}

/** @throws StorageError */
export async function getTransaction(transactionId: string): Promise<StoredTransaction | undefined> {
  try {
    return await (await userDatabase()).get('transactions', transactionId);
  } catch (cause) {
    throw storageError(cause, 'reading a transaction');
  }
}

/** All transactions of one key, newest first. @throws StorageError */
export async function transactionsOfKey(keySerialNumber: string): Promise<StoredTransaction[]> {
  try {
    const rows = await (await userDatabase()).getAllFromIndex('transactions', 'byKey', keySerialNumber);
    return rows.sort((a, b) => b.updatedAt - a.updatedAt);
  } catch (cause) {
    throw storageError(cause, 'reading transactions');
  }
}

/** @throws StorageError */
export async function removeTransaction(transactionId: string): Promise<void> {
  try {
    await (await userDatabase()).delete('transactions', transactionId);
  } catch (cause) {
    throw storageError(cause, 'removing a transaction');
  }
}

/** Every transaction of every key, newest first. @throws StorageError */
export async function allTransactions(): Promise<StoredTransaction[]> {
  try {
    return (await (await userDatabase()).getAll('transactions')).sort((a, b) => b.updatedAt - a.updatedAt);
  } catch (cause) {
    throw storageError(cause, 'reading transactions');
  }
}
