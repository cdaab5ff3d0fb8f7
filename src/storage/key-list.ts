import { userDatabase, type ListedKey } from './database.ts';
import { storageError } from './errors.ts';

export type { ListedKey } from './database.ts';

/**
 * Puts a key on the list, or what is new about it.
 * @throws StorageError
 */
export async function putListedKey(key: ListedKey): Promise<void> {
  try {
    await (await userDatabase()).put('keyList', key);
  } catch (cause) {
    throw storageError(cause, 'keeping a key on the list');
  }
}

/** All keys on the list; rows that this version did not write are passed over. @throws StorageError */
export async function listedKeys(): Promise<ListedKey[]> {
  try {
    return (await (await userDatabase()).getAll('keyList')).filter(isSound);
  } catch (cause) {
    throw storageError(cause, 'reading the list of keys');
  }
}

/** @throws StorageError */
export async function removeListedKey(id: string): Promise<void> {
  try {
    await (await userDatabase()).delete('keyList', id);
  } catch (cause) {
    throw storageError(cause, 'removing a key from the list');
  }
}

/** @throws StorageError */
export async function clearKeyList(): Promise<void> {
  try {
    await (await userDatabase()).clear('keyList');
  } catch (cause) {
    throw storageError(cause, 'clearing the list of keys');
  }
}

function isSound(row: ListedKey): boolean {
  const { tail, holder, status } = row as { readonly [Field in keyof ListedKey]?: unknown };
  const numbers: unknown[] = [row.notAfter, row.readAt, row.windowDays];
  // A date that JavaScript cannot express would throw wherever it is shown.
  return [tail, holder, status].every((text) => typeof text === 'string') && numbers.every(isTime);
}

const isTime = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) <= 8.64e15;
