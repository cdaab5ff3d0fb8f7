import { transactionIdOf } from '../../renewal/container-name.ts';
import { indexedDbJournal } from '../../renewal/indexeddb-journal.ts';
import type { JournalRecord } from '../../renewal/journal.ts';
import type { Reading } from './usbkey.svelte.ts';

/** What this browser knows of how the certificate that counts came to its key. */
export class ActiveRecord {
  record = $state.raw<JournalRecord>();

  /** Reads it anew; a browser without storage knows nothing. @returns what to call when it is not wanted any more */
  load({ contents: { active, info } }: Reading): () => void {
    let wanted = true;
    const transactionId = active && transactionIdOf(active.container.ref.container);
    const found = transactionId === undefined ? Promise.resolve(undefined) : indexedDbJournal.get(transactionId);
    void found
      .catch(() => undefined)
      .then((record) => {
        if (wanted) this.record = record?.keySerialNumber === info.serialNumber ? record : undefined;
      });
    return () => (wanted = false);
  }
}
