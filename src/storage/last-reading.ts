import { userDatabase, type LastReading } from './database.ts';
import { storageError } from './errors.ts';

export type { LastReading } from './database.ts';

/**
 * Remembers what a key held when it was last read. One reading a key; the newest is what is shown.
 * @throws StorageError
 */
export async function saveLastReading(reading: LastReading): Promise<void> {
  try {
    await (await userDatabase()).put('readings', reading);
  } catch (cause) {
    throw storageError(cause, 'saving a reading');
  }
}

/**
 * The newest reading of any key, or undefined.
 * @throws StorageError
 */
export async function loadLastReading(): Promise<LastReading | undefined> {
  try {
    const cursor = await (await userDatabase()).transaction('readings').store.index('byTime').openCursor(null, 'prev');
    const reading = cursor?.value;
    return reading?.certificate instanceof Uint8Array ? reading : undefined;
  } catch (cause) {
    throw storageError(cause, 'loading the last reading');
  }
}

/** Forgets all readings. @throws StorageError */
export async function clearLastReadings(): Promise<void> {
  try {
    await (await userDatabase()).clear('readings');
  } catch (cause) {
    throw storageError(cause, 'clearing the readings');
  }
}
