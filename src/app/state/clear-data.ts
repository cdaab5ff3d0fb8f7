import { readRecord } from '../../renewal/indexeddb-journal.ts';
import type { Purpose } from '../../renewal/journal.ts';
import type { StoredTransaction } from '../../storage/database.ts';
import { clearDocuments } from '../../storage/documents.ts';
import { clearAllButTransactions, countRows } from '../../storage/inventory.ts';
import { allTransactions, removeTransaction } from '../../storage/transactions.ts';
import { kioskName } from './kiosk.ts';

/** A transaction that could be gone on with. */
export interface Unfinished {
  readonly transactionId: string;
  /** The last four characters of the key's serial number. */
  readonly tail: string;
  /** Undefined where the record cannot be read. */
  readonly begun: { readonly purpose: Purpose; readonly startedAt: Date } | undefined;
}

export interface Kept {
  readonly reading: boolean;
  readonly letter: boolean;
  readonly keys: number;
  /** Unsent ones included. */
  readonly appointments: number;
  readonly finished: number;
  readonly unfinished: readonly Unfinished[];
}

function unfinished(row: StoredTransaction): Unfinished | undefined {
  const { transactionId } = row;
  const tail = row.keySerialNumber.slice(-4);
  try {
    const { stage, purpose, startedAt } = readRecord(row);
    if (stage === 'done' || stage === 'ended') return undefined;
    return { transactionId, tail, begun: { purpose, startedAt: new Date(startedAt) } };
  } catch {
    // Perhaps it matters: it is treated as one that does.
    return { transactionId, tail, begun: undefined };
  }
}

/** What this site keeps in this browser. @throws StorageError */
export async function whatIsKept(): Promise<Kept> {
  const rows = await allTransactions();
  const open = rows.map(unfinished).filter((row) => row !== undefined);
  const counts = await countRows();
  const rowsIn = (store: string): number => counts.get(store) ?? 0;
  return {
    reading: rowsIn('readings') > 0,
    letter: rowsIn('letter') > 0,
    keys: rowsIn('keyList'),
    appointments: rowsIn('appointments'),
    finished: rows.length - open.length,
    unfinished: open,
  };
}

/** Removes the records of runs that are over; with `all` the unfinished ones too. @throws StorageError */
async function clearTransactions(all: boolean): Promise<void> {
  for (const row of await allTransactions())
    if (all || unfinished(row) === undefined) await removeTransaction(row.transactionId);
}

/** Removes this site's entries, and no other site's on a shared origin. */
function clearSettings(storage: Storage, except?: string): void {
  for (const name of Object.keys(storage))
    if (name.startsWith('casupport.') && name !== except) storage.removeItem(name);
}

/** Runs all, whatever becomes of each. @throws what the first failure threw */
async function all(...tasks: (() => Promise<void> | void)[]): Promise<void> {
  const outcomes = await Promise.allSettled(tasks.map(async (task) => task()));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}

/**
 * 清除本机数据: everything of this site in this browser, except unfinished transactions unless they are asked for too.
 * The service worker goes with its copies and comes back with the next visit; otherwise it would never fill them again.
 * @throws Error where not everything could be cleared; what could be is
 */
export function clearData(andUnfinished: boolean): Promise<void> {
  return all(
    clearAllButTransactions,
    () => clearTransactions(andUnfinished),
    clearDocuments,
    () => clearSettings(localStorage),
    () => clearSettings(sessionStorage, kioskName),
    clearCopies,
  );
}

/** The end of somebody's time at a centre's computer: what could be of the person goes, the site's copies stay. */
export function clearSession(): Promise<void> {
  return all(
    clearAllButTransactions,
    () => clearTransactions(false),
    () => clearSettings(sessionStorage, kioskName),
  );
}

async function clearCopies(): Promise<void> {
  if ('caches' in globalThis) for (const name of await caches.keys()) await caches.delete(name);
  if ('serviceWorker' in navigator) await (await navigator.serviceWorker.getRegistration('/'))?.unregister();
}
