import { cacheDatabase, type PackCheck, type PackKind, type StoredPack } from './database.ts';
import { storageError } from './errors.ts';

export interface KeptPacks {
  readonly current: StoredPack | undefined;
  /** The one before, for when the current one turns out to be of no use. */
  readonly former: StoredPack | undefined;
}

/** The content packs of a kind; none where nothing can be read here. */
export async function recallPacks(kind: PackKind): Promise<KeptPacks> {
  try {
    const database = await cacheDatabase();
    const transaction = database.transaction('packs');
    const [current, former] = await Promise.all([
      transaction.store.get([kind, 'current']),
      transaction.store.get([kind, 'former']),
      transaction.done,
    ]);
    return { current, former };
  } catch {
    return { current: undefined, former: undefined };
  }
}

/**
 * Makes a verified pack the current one and keeps the one before, all or nothing.
 * @returns false, and nothing changed, when another tab has put one in that is as new or newer
 * @throws StorageError
 */
export async function switchPack(kind: PackKind, pack: StoredPack): Promise<boolean> {
  try {
    const transaction = (await cacheDatabase()).transaction('packs', 'readwrite', { durability: 'strict' });
    const { store } = transaction;
    const current = await store.get([kind, 'current']);
    const newer = current === undefined || pack.version > current.version;
    if (newer) {
      if (current) await store.put({ ...current, place: 'former' });
      await store.put({ ...pack, kind, place: 'current' });
    }
    await transaction.done;
    return newer;
  } catch (cause) {
    throw storageError(cause, 'switching the content pack');
  }
}

/** Forgets the packs of a kind that were verified with a key no longer trusted. @throws StorageError */
export async function dropPacks(kind: PackKind, trusts: (keyId: string) => boolean): Promise<void> {
  try {
    const transaction = (await cacheDatabase()).transaction('packs', 'readwrite');
    const { store } = transaction;
    const current = await store.get([kind, 'current']);
    const former = await store.get([kind, 'former']);
    const keepsFormer = former !== undefined && trusts(former.keyId);
    if (current && !trusts(current.keyId)) {
      await store.delete([kind, 'current']);
      if (keepsFormer) await store.put({ ...former, place: 'current' });
      await store.delete([kind, 'former']);
    } else if (former && !keepsFormer) await store.delete([kind, 'former']);
    await transaction.done;
  } catch (cause) {
    throw storageError(cause, 'dropping a content pack');
  }
}

/** How the last look for a newer pack ended; undefined before the first. */
export async function recallPackCheck(kind: PackKind): Promise<PackCheck | undefined> {
  try {
    return await (await cacheDatabase()).get('packChecks', kind);
  } catch {
    return undefined;
  }
}

/** Losing this costs a look, so failing to keep it is no error. */
export async function keepPackCheck(check: PackCheck): Promise<void> {
  try {
    await (await cacheDatabase()).put('packChecks', check);
  } catch {
    // The next look finds out again.
  }
}
