import { indexedDbJournal, readRecord } from '../renewal/indexeddb-journal.ts';
import { allTransactions } from '../storage/transactions.ts';
import type { JournalEntry, JournalPort } from './ports.ts';

/** The browser's journal, looked at as a whole. */
export const journalPort: JournalPort = {
  ...indexedDbJournal,
  async all() {
    const records: JournalEntry[] = [];
    let damaged = 0;
    for (const row of await allTransactions()) {
      try {
        records.push(readRecord(row));
      } catch {
        damaged += 1;
      }
    }
    return { records, damaged };
  },
};
