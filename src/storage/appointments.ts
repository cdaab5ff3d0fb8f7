import { askToPersist, userDatabase, type StoredAppointment } from './database.ts';
import { storageError } from './errors.ts';

export type { StoredAppointment } from './database.ts';

/**
 * Keeps a new appointment with strict durability: it has reached the disk, as far as the system tells, when this resolves.
 * @throws StorageError
 */
export async function addAppointment(row: StoredAppointment): Promise<void> {
  try {
    const transaction = (await userDatabase()).transaction('appointments', 'readwrite', { durability: 'strict' });
    await Promise.all([transaction.store.add(row), transaction.done]);
  } catch (cause) {
    throw storageError(cause, 'keeping an appointment');
  }
  void askToPersist();
}

/**
 * Changes an appointment in one transaction, whatever other tabs do at the same time. What has been removed stays so.
 * @param change gets the row as it is; undefined leaves it
 * @returns the row afterwards; undefined where there is none
 * @throws StorageError
 */
export async function changeAppointment(
  id: string,
  change: (row: StoredAppointment) => StoredAppointment | undefined,
): Promise<StoredAppointment | undefined> {
  try {
    const transaction = (await userDatabase()).transaction('appointments', 'readwrite', { durability: 'strict' });
    const before = await transaction.store.get(id);
    const after = before && change(before);
    if (after) await transaction.store.put(after);
    await transaction.done;
    return after ?? before;
  } catch (cause) {
    throw storageError(cause, 'changing an appointment');
  }
}

/** @throws StorageError */
export async function allAppointments(): Promise<StoredAppointment[]> {
  try {
    return await (await userDatabase()).getAll('appointments');
  } catch (cause) {
    throw storageError(cause, 'reading the appointments');
  }
}

/** @throws StorageError */
export async function removeAppointment(id: string): Promise<void> {
  try {
    await (await userDatabase()).delete('appointments', id);
  } catch (cause) {
    throw storageError(cause, 'removing an appointment');
  }
}
