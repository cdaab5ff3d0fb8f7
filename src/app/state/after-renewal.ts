import type { AfterwardsPorts } from '../../renewal/finished.ts';
import { indexedDbJournal } from '../../renewal/indexeddb-journal.ts';
import type { AskPassword } from '../../renewal/login.ts';
import { clock } from '../../service/clock.ts';
import { askOnPage, type Asking } from './ask-password.ts';
import { keyLocks } from './key-lock.svelte.ts';
import { enrolmentUnder, latestPolicy } from './operators-policy.ts';
import { usbkey, type Reading } from './usbkey.svelte.ts';

/**
 * Opens the key of a reading for something the person wants done after a renewal.
 * @throws TransportError, OtherTab, OwnTask, ServiceError
 */
export function afterRenewal<T>(
  reading: Reading,
  asking: Asking,
  work: (ports: AfterwardsPorts, askPassword: AskPassword) => Promise<T>,
): Promise<T> {
  const { attached } = reading;
  return usbkey.withKey(attached, async (key) => {
    keyLocks.announceWork();
    return work(
      {
        key,
        journal: indexedDbJournal,
        enrolment: enrolmentUnder(await latestPolicy(reading), reading),
        now: () => clock.now(),
        randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      },
      askOnPage({ key, attached }, asking),
    );
  });
}
