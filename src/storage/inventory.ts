import { userDatabase, type UserDatabase } from './database.ts';
import { storageError } from './errors.ts';

type StoreName = UserDatabase['objectStoreNames'][number];
const storesOf = (database: UserDatabase): StoreName[] => Array.from(database.objectStoreNames);

/** How many rows each store of the user's database holds. @throws StorageError */
export async function countRows(): Promise<ReadonlyMap<string, number>> {
  try {
    const database = await userDatabase();
    const counts = storesOf(database).map(async (name): Promise<[string, number]> => [
      name,
      await database.count(name),
    ]);
    return new Map(await Promise.all(counts));
  } catch (cause) {
    throw storageError(cause, 'counting what is kept');
  }
}

/** Empties every store of the user's database but the transactions', stores added later included. @throws StorageError */
export async function clearAllButTransactions(): Promise<void> {
  try {
    const database = await userDatabase();
    for (const name of storesOf(database)) if (name !== 'transactions') await database.clear(name);
  } catch (cause) {
    throw storageError(cause, 'clearing what is kept');
  }
}
