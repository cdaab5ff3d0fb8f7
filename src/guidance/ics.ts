import { isoDay, type BeijingDay } from './beijing.ts';

interface EventWords {
  /** Globally unique and stable: importing the file again replaces the entry (RFC 5545 §3.8.4.7). */
  readonly uid: string;
  readonly summary: string;
  readonly description: string;
  readonly location?: string;
  /** Hours after the event begins at which to remind; negative for before. Whole numbers. */
  readonly alarmHours: readonly number[];
}
/** An all-day entry: days carry no time zone, so every calendar shows the day of Beijing. */
export interface DayEvent extends EventWords {
  readonly day: BeijingDay;
}
/** An entry from one moment to another, to the second. */
export interface TimedEvent extends EventWords {
  readonly start: Date;
  readonly end: Date;
}
export type CalendarEvent = DayEvent | TimedEvent;

/** RFC 5545 §3.3.11: backslash, semicolon, comma and line breaks are escaped; other controls have no place in a text. */
const escapeText = (value: string) =>
  value
    .replace(/\\/g, '\\\\')
    .replace(/[;,]/g, (character) => `\\${character}`)
    .replace(/\r\n|\r|\n/g, '\\n')
    .replace(/\p{Cc}/gu, '');

const octets = (character: string) => {
  const point = character.codePointAt(0) ?? 0;
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
};

/** RFC 5545 §3.1: no line is longer than 75 octets; a fold never splits a character. The leading blank counts. */
function fold(line: string): string {
  let folded = '';
  let length = 0;
  for (const character of line) {
    const size = octets(character);
    if (length + size > 75) {
      folded += '\r\n ';
      length = 1;
    }
    folded += character;
    length += size;
  }
  return folded;
}

/** `20250302T010203Z` */
const stamp = (at: Date) => `${at.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
const dateValue = (day: BeijingDay) => isoDay(day).replaceAll('-', '');

/** RFC 5545 §3.3.6: hours as `PT9H`, `-PT168H`. */
const duration = (hours: number) => `${hours < 0 ? '-' : ''}PT${Math.abs(Math.trunc(hours))}H`;

const eventLines = (event: CalendarEvent, createdAt: Date): readonly string[] => [
  'BEGIN:VEVENT',
  `UID:${escapeText(event.uid)}`,
  `DTSTAMP:${stamp(createdAt)}`,
  ...('day' in event
    ? [`DTSTART;VALUE=DATE:${dateValue(event.day)}`, `DTEND;VALUE=DATE:${dateValue(event.day + 1)}`]
    : [`DTSTART:${stamp(event.start)}`, `DTEND:${stamp(event.end)}`]),
  `SUMMARY:${escapeText(event.summary)}`,
  `DESCRIPTION:${escapeText(event.description)}`,
  ...(event.location === undefined ? [] : [`LOCATION:${escapeText(event.location)}`]),
  // A day to remember leaves the day free; a visit does not (RFC 5545 §3.8.2.7).
  `TRANSP:${'day' in event ? 'TRANSPARENT' : 'OPAQUE'}`,
  ...event.alarmHours.flatMap((hours) => [
    'BEGIN:VALARM',
    'ACTION:DISPLAY',
    `DESCRIPTION:${escapeText(event.summary)}`,
    `TRIGGER:${duration(hours)}`,
    'END:VALARM',
  ]),
  'END:VEVENT',
];

/** A calendar file (RFC 5545), to be saved as UTF-8 with the type `text/calendar`. */
export const calendarFile = (events: readonly CalendarEvent[], createdAt: Date): string =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//casupport//certificate reminders//ZH',
    'CALSCALE:GREGORIAN',
    'METHOD:PUBLISH',
    ...events.flatMap((event) => eventLines(event, createdAt)),
    'END:VCALENDAR',
  ]
    .map((line) => `${fold(line)}\r\n`)
    .join('');

export interface ReminderWords {
  readonly renewable: { readonly summary: string; readonly description: string };
  readonly lastDay: { readonly summary: string; readonly description: string };
}

/**
 * The two reminders of a certificate: the first day on which it can be renewed, and its last day with a word a week ahead.
 * @param serialNumber of the certificate, hex; makes the entries replaceable and nothing else
 * @param renewableFrom left out when that day has passed
 */
export function expiryReminder(
  serialNumber: string,
  renewableFrom: BeijingDay | undefined,
  lastDay: BeijingDay,
  words: ReminderWords,
  createdAt: Date,
): string {
  const uid = (kind: string) => `${serialNumber}-${kind}@casupport.cn`;
  const renewable = renewableFrom === undefined ? [] : [renewableFrom];
  return calendarFile(
    [
      ...renewable.map((day) => ({ uid: uid('renewable'), day, alarmHours: [9], ...words.renewable })),
      { uid: uid('last-day'), day: lastDay, alarmHours: [9 - 7 * 24], ...words.lastDay },
    ],
    createdAt,
  );
}
