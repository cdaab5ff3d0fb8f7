import { beijingDay, renewableFrom } from '../guidance/beijing.ts';
import { expiryReminder } from '../guidance/ics.ts';
import type { Certificate } from '../pki/certificate.ts';
import { formatDate } from './format.ts';
import { say } from './i18n.svelte.ts';
import { certificates } from './messages/certificates.ts';
import { saveFile } from './save-file.ts';

/** Saves the two reminders of a certificate, in the current language, as a calendar file. */
export function saveReminder({ serialNumber, notAfter }: Certificate, windowDays: number, now: Date): void {
  const t = say(certificates).ics;
  const opens = renewableFrom(notAfter, windowDays);
  const words = {
    renewable: { summary: t.renewableTitle, description: t.renewable(formatDate(notAfter)) },
    lastDay: { summary: t.lastTitle, description: t.last },
  };
  const still = opens > beijingDay(now) ? opens : undefined;
  const file = expiryReminder(serialNumber, still, beijingDay(notAfter), words, now);
  saveFile(t.file, 'text/calendar;charset=utf-8', file);
}
