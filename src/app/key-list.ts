import { beijingDay, renewableFrom } from '../guidance/beijing.ts';
import { calendarFile, type CalendarEvent, type ReminderWords } from '../guidance/ics.ts';
import { holderName } from '../renewal/trust.ts';
import type { ListedKey } from '../storage/key-list.ts';
import type { Reading } from './state/usbkey.svelte.ts';

/** What the list says of a key, in the order of urgency. */
export const listStatuses = ['locked', 'upgrade', 'renewal', 'unfinished', 'centre', 'none'] as const;
export type ListStatus = (typeof listStatuses)[number];

/** A status as it was stored; one of another version says nothing. */
export const listStatus = (stored: string): ListStatus => listStatuses.find((status) => status === stored) ?? 'none';

/**
 * A name its owner's bookkeeper recognises and nobody else does: the town that all share is left out, then at most three
 * characters and never more than half stay.
 */
export function maskName(name: string): string {
  const own = name.trim().replace(/^天津市?(?=..)/u, '');
  const characters = Array.from(own);
  return `${characters.slice(0, Math.min(3, Math.floor(characters.length / 2))).join('')}***`;
}

/** The list's row for a key that has been read; undefined where no certificate was read. */
export async function listedKey({
  contents,
  recommendation,
  windowDays,
  readAt,
}: Reading): Promise<ListedKey | undefined> {
  const certificate = contents.active?.certificate;
  if (!certificate) return undefined;
  const { serialNumber } = contents.info;
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`casupport key ${serialNumber}`));
  const id = Array.from(new Uint8Array(hash, 0, 12), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return {
    id,
    tail: serialNumber.slice(-4),
    holder: maskName(holderName(certificate) ?? ''),
    notAfter: certificate.notAfter.getTime(),
    readAt: readAt.getTime(),
    windowDays,
    status: statusOf(recommendation.action),
  };
}

function statusOf(action: Reading['recommendation']['action']): ListStatus {
  switch (action) {
    case 'none':
      return 'none';
    case 'onlineRenewal':
    case 'centreRenewal':
    case 'waitForNetwork':
      return 'renewal';
    case 'onlineUpgrade':
    case 'centreUpgrade':
      return 'upgrade';
    case 'resume':
      return 'unfinished';
    case 'centreUnlock':
      return 'locked';
    default:
      return 'centre';
  }
}

/** The keys by the end of their certificates, the next first; `latestFirst` the other way round. */
export const byExpiry = (keys: readonly ListedKey[], latestFirst = false): ListedKey[] =>
  [...keys].sort((a, b) => (a.notAfter - b.notAfter || a.id.localeCompare(b.id)) * (latestFirst ? -1 : 1));

/** One calendar for all keys: for each the first day of renewing, where it is still to come, and the last day. */
export function keyListCalendar(
  keys: readonly ListedKey[],
  words: (key: ListedKey, notAfter: Date) => ReminderWords,
  now: Date,
): string {
  const events = byExpiry(keys).flatMap((key): CalendarEvent[] => {
    const notAfter = new Date(key.notAfter);
    const said = words(key, notAfter);
    const opens = renewableFrom(notAfter, key.windowDays);
    const uid = (kind: string): string => `${key.id}-${kind}@casupport.cn`;
    return [
      ...(opens > beijingDay(now) ? [{ uid: uid('renewable'), day: opens, alarmHours: [9], ...said.renewable }] : []),
      { uid: uid('last-day'), day: beijingDay(notAfter), alarmHours: [9 - 7 * 24], ...said.lastDay },
    ];
  });
  return calendarFile(events, now);
}
