import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import { storageError } from './errors.ts';

/** A journal record as stored: the keys that are searched for, the rest opaque to this room. */
export interface StoredTransaction {
  readonly transactionId: string;
  readonly keySerialNumber: string;
  readonly updatedAt: number;
}

/** The last reading of a key, shown while no key is in. Nothing in it is secret; the tax number is masked before. */
export interface LastReading {
  readonly keySerialNumber: string;
  /** Milliseconds since 1970. */
  readonly readAt: number;
  /** DER of the active signing certificate. */
  readonly certificate: Uint8Array;
  readonly keyName: string;
}

/** One key on the list that a person keeps on this device: enough to recognise it, too little to know whose it is. */
export interface ListedKey {
  /** Made from the key's serial number, which cannot be read back out of it. */
  readonly id: string;
  /** The last four characters of the key's serial number. */
  readonly tail: string;
  /** Masked before. */
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  readonly readAt: number;
  /** Days before the end from which the certificate can be renewed, as the operator had it then. */
  readonly windowDays: number;
  /** What was advised when it was read. */
  readonly status: string;
}

/** The letter of authorisation as kept on request: unreadable without its key, which leaves this browser never. */
export interface SealedLetter {
  readonly id: 'letter';
  /** AES-GCM, 256 bits, not extractable. */
  readonly key: CryptoKey;
  /** 12 bytes, fresh each time. */
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

/** A booking as stored, unsent ones included: the key that is searched for, the rest opaque to this room. */
export interface StoredAppointment {
  readonly id: string;
}

/** What must never be lost: only migrated, never dropped. */
interface UserSchema extends DBSchema {
  transactions: { key: string; value: StoredTransaction; indexes: { byKey: string } };
  readings: { key: string; value: LastReading; indexes: { byTime: number } };
  keyList: { key: string; value: ListedKey };
  letter: { key: string; value: SealedLetter };
  appointments: { key: string; value: StoredAppointment };
}

/** The last good copy of a document. */
export interface StoredDocument {
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly storedAt: number;
  /** As the service sent it. */
  readonly etag?: string;
}

export type PackKind = 'guidance' | 'faq';

/** A content pack as it was verified, byte for byte. */
export interface StoredPack {
  readonly version: number;
  /** The key it was verified with. */
  readonly keyId: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Milliseconds since 1970. */
  readonly storedAt: number;
}

/** How the last look for a newer pack ended. */
export interface PackCheck {
  readonly kind: PackKind;
  /** Milliseconds since 1970. */
  readonly checkedAt: number;
  /** Of the manifest, when nothing was wrong with what it names. */
  readonly etag?: string;
  /** Why a pack was not taken, and which. */
  readonly refused?: { readonly reason: string; readonly version: number | undefined };
}

/** What can be fetched again: dropped and rebuilt whenever it does not open. */
interface CacheSchema extends DBSchema {
  documents: { key: string; value: StoredDocument & { readonly name: string } };
  packs: {
    key: [PackKind, 'current' | 'former'];
    value: StoredPack & { readonly kind: PackKind; readonly place: 'current' | 'former' };
  };
  packChecks: { key: PackKind; value: PackCheck };
}

export type UserDatabase = IDBPDatabase<UserSchema>;
export type CacheDatabase = IDBPDatabase<CacheSchema>;

let user: Promise<UserDatabase> | undefined;
let cache: Promise<CacheDatabase> | undefined;

/**
 * The user's data in IndexedDB, opened once.
 * @throws StorageError
 */
export function userDatabase(): Promise<UserDatabase> {
  user ??= openDB<UserSchema>('casupport-user', 4, {
    upgrade(database, from) {
      if (from < 1) {
        database
          .createObjectStore('transactions', { keyPath: 'transactionId' })
          .createIndex('byKey', 'keySerialNumber');
        database.createObjectStore('readings', { keyPath: 'keySerialNumber' }).createIndex('byTime', 'readAt');
      }
      if (from < 2) database.createObjectStore('keyList', { keyPath: 'id' });
      if (from < 3) database.createObjectStore('letter', { keyPath: 'id' });
      if (from < 4) database.createObjectStore('appointments', { keyPath: 'id' });
    },
    // A newer version of the site, in another tab, wants to migrate: let it, and open again when needed.
    blocking(_current, _blocked, event) {
      (event.target as IDBDatabase).close();
      user = undefined;
    },
    terminated() {
      user = undefined;
    },
  }).catch((cause: unknown) => {
    user = undefined;
    throw storageError(cause, 'opening the user database');
  });
  return user;
}

/**
 * The re-creatable cache in IndexedDB, opened once.
 * @throws StorageError
 */
export function cacheDatabase(): Promise<CacheDatabase> {
  cache ??= openDB<CacheSchema>('casupport-cache', 2, {
    upgrade(database) {
      for (const name of Array.from(database.objectStoreNames)) database.deleteObjectStore(name);
      database.createObjectStore('documents', { keyPath: 'name' });
      database.createObjectStore('packs', { keyPath: ['kind', 'place'] });
      database.createObjectStore('packChecks', { keyPath: 'kind' });
    },
    blocking(_current, _blocked, event) {
      (event.target as IDBDatabase).close();
      cache = undefined;
    },
    terminated() {
      cache = undefined;
    },
  }).catch((cause: unknown) => {
    cache = undefined;
    throw storageError(cause, 'opening the cache database');
  });
  return cache;
}

/** Asks the browser once not to evict this site's data; what it answers changes nothing for us. */
export async function askToPersist(): Promise<void> {
  try {
    if (!(await navigator.storage.persisted())) await navigator.storage.persist();
  } catch {
    // Not offered in this browser or mode: the data is then as safe as the browser makes it.
  }
}
