import type { StoredTransaction } from '../storage/database.ts';
import { StorageError } from '../storage/errors.ts';
import { getTransaction, putTransaction, removeTransaction, transactionsOfKey } from '../storage/transactions.ts';
import { maxEncryptionAttempts } from './encryption-id.ts';
import type { EncryptionStage, EndReason, Journal, JournalRecord, Purpose, Stage } from './journal.ts';
import { usualSlots } from './usual-slot.ts';

const stages: readonly Stage[] = ['generate', 'request', 'write', 'encryption', 'confirm', 'ended', 'done'];
const encryptionStages: readonly EncryptionStage[] = ['request', 'import', 'confirm', 'ended', 'done'];
const purposes: readonly Purpose[] = ['renewal', 'upgrade'];
const managementKeys: readonly unknown[] = [undefined, 'protected', 'default', 'asked'];
const choices: readonly unknown[] = [undefined, 'chosen', 'done'];
const promotionSlots: readonly unknown[] = [undefined, ...usualSlots];
const endReasons: readonly EndReason[] = ['rejected', 'notAcceptable', 'withdrawn', 'goneFromKey'];

/** The journal in the browser's database, written with strict durability. Throws `StorageError`. */
export const indexedDbJournal: Journal = {
  put: (record) => putTransaction(record),
  async get(transactionId) {
    const row = await getTransaction(transactionId);
    return row && readRecord(row);
  },
  async ofKey(keySerialNumber) {
    // A damaged record must not stand in the way of the person: it is left where it is and passed over. The key names
    // its containers after their transactions, and the authority is asked about each before anything new begins.
    return (await transactionsOfKey(keySerialNumber)).flatMap((row) => {
      try {
        return [readRecord(row)];
      } catch {
        return [];
      }
    });
  },
  remove: (transactionId) => removeTransaction(transactionId),
};

/**
 * A stored row as a record, every field checked: a torn or foreign database is said, not believed.
 * @throws StorageError `damaged`
 */
export function readRecord(row: StoredTransaction): JournalRecord {
  const value = row as unknown as Record<string, unknown>;
  const bytes = (name: string): boolean => value[name] instanceof Uint8Array;
  const optionalBytes = (name: string): boolean => value[name] === undefined || bytes(name);
  const container = (name: string): boolean => {
    const ref = value[name] as { application?: unknown; container?: unknown } | undefined;
    return typeof ref?.application === 'string' && typeof ref.container === 'string';
  };
  const sound =
    // As the type says; of a foreign database nothing is certain.
    typeof value['transactionId'] === 'string' &&
    /^[0-9a-f]{32}$/.test(value['transactionId']) &&
    typeof value['keySerialNumber'] === 'string' &&
    typeof value['startedAt'] === 'number' &&
    typeof value['updatedAt'] === 'number' &&
    (purposes as readonly unknown[]).includes(value['purpose']) &&
    (stages as readonly unknown[]).includes(value['stage']) &&
    (value['endedBecause'] === undefined || (endReasons as readonly unknown[]).includes(value['endedBecause'])) &&
    managementKeys.includes(value['managementKey']) &&
    [value['retirement'], value['promotion']].every((choice) => choices.includes(choice)) &&
    promotionSlots.includes(value['promotionSlot']) &&
    container('oldContainer') &&
    container('newContainer') &&
    bytes('oldCertificate') &&
    ['newPublicKey', 'request', 'reply', 'newCertificate', 'confirmation'].every(optionalBytes) &&
    (value['confirmBy'] === undefined || typeof value['confirmBy'] === 'number') &&
    (value['encryption'] === undefined || isEncryption(value['encryption']));
  if (!sound) throw new StorageError('damaged', 'a journal record does not have the form this version writes');
  return row as JournalRecord;
}

function isEncryption(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false;
  const value = part as Record<string, unknown>;
  const { stage, attempt } = value;
  const bytes = (name: string): boolean => value[name] instanceof Uint8Array;
  const isDelivered = stage === 'import' || stage === 'confirm' || stage === 'done';
  return (
    (encryptionStages as readonly unknown[]).includes(stage) &&
    Number.isInteger(attempt) &&
    Number(attempt) >= 0 &&
    Number(attempt) < maxEncryptionAttempts &&
    ['request', 'reply', 'certificate', 'envelope', 'confirmation'].every(
      (name) => value[name] === undefined || bytes(name),
    ) &&
    (!isDelivered || ['reply', 'certificate', 'envelope'].every(bytes))
  );
}
