import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beijingDay } from '../../../src/guidance/beijing.ts';
import { calendarFile, expiryReminder, type DayEvent } from '../../../src/guidance/ics.ts';

const createdAt = new Date('2025-03-01T01:02:03Z');
const day = (iso: string) => beijingDay(new Date(`${iso}T12:00:00+08:00`));
const event = (changed: Partial<DayEvent> = {}): DayEvent => ({
  uid: '0a1b-renewable@casupport.cn',
  day: day('2025-03-02'),
  summary: 'CA 证书可以更新了',
  description: '插上 USBKEY，打开“证书管理”。',
  alarmHours: [9],
  ...changed,
});

/** Reads a content line back: unfolds, splits, unescapes (RFC 5545 §3.1, §3.3.11). */
function valueOf(file: string, property: string): string | undefined {
  const line = file
    .replace(/\r\n[ \t]/g, '')
    .split('\r\n')
    .find((one) => one.startsWith(`${property}:`));
  return line
    ?.slice(property.length + 1)
    .replace(/\\([\\;,nN])/g, (_, escaped: string) => (/n/i.test(escaped) ? '\n' : escaped));
}

describe('a calendar file', () => {
  test('is written as RFC 5545 wants it', () => {
    expect(calendarFile([event({ description: '先看；再办, 一步一步' })], createdAt).split('\r\n')).toEqual([
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//casupport//certificate reminders//ZH',
      'CALSCALE:GREGORIAN',
      'METHOD:PUBLISH',
      'BEGIN:VEVENT',
      'UID:0a1b-renewable@casupport.cn',
      'DTSTAMP:20250301T010203Z',
      'DTSTART;VALUE=DATE:20250302',
      'DTEND;VALUE=DATE:20250303',
      'SUMMARY:CA 证书可以更新了',
      'DESCRIPTION:先看；再办\\, 一步一步',
      'TRANSP:TRANSPARENT',
      'BEGIN:VALARM',
      'ACTION:DISPLAY',
      'DESCRIPTION:CA 证书可以更新了',
      'TRIGGER:PT9H',
      'END:VALARM',
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ]);
  });

  test('of a visit has its moments in UTC and its place, and makes its hour busy', () => {
    const visit = {
      ...{ uid: 'a@casupport.cn', summary: '去网点', description: '带上 USBKEY', location: '河西, 某路 1 号' },
      ...{ start: new Date('2026-11-24T09:00:00+08:00'), end: new Date('2026-11-24T09:30:00+08:00') },
      alarmHours: [-24],
    };
    const lines = calendarFile([visit], createdAt).split('\r\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        ...['DTSTART:20261124T010000Z', 'DTEND:20261124T013000Z', 'LOCATION:河西\\, 某路 1 号', 'TRANSP:OPAQUE'],
        'TRIGGER:-PT24H',
      ]),
    );
    expect(lines.filter((line) => line.includes('VALUE=DATE'))).toEqual([]);
  });

  test('never has a line over 75 octets, splits no character, and reads back as it was said', () => {
    const said = fc.string({ unit: 'grapheme', maxLength: 300 }).map((one) => one.replace(/\p{Cc}|\p{Cs}/gu, ''));
    fc.assert(
      fc.property(said, said, (summary, description) => {
        const file = calendarFile([event({ summary, description, alarmHours: [] })], createdAt);
        for (const line of file.split('\r\n')) expect(new TextEncoder().encode(line).length).toBeLessThanOrEqual(75);
        expect(file).not.toMatch(/[^\r]\n|\r[^\n]/);
        expect(valueOf(file, 'SUMMARY')).toBe(summary);
        expect(valueOf(file, 'DESCRIPTION')).toBe(description);
      }),
    );
  });

  test.each([
    ['a;b,c\\d', 'a\\;b\\,c\\\\d'],
    ['one\r\ntwo\nthree', 'one\\ntwo\\nthree'],
    ['BEGIN:VEVENT\r\nEND:VCALENDAR', 'BEGIN:VEVENT\\nEND:VCALENDAR'],
    ['bell\u0007', 'bell'],
  ])('%j is escaped', (summary, written) => {
    expect(calendarFile([event({ summary })], createdAt)).toContain(`\r\nSUMMARY:${written}\r\n`);
  });

  test('the last day of February in a leap year ends on the first of March', () => {
    const file = calendarFile([event({ day: day('2024-02-29') })], createdAt);
    expect(file).toContain('DTSTART;VALUE=DATE:20240229\r\nDTEND;VALUE=DATE:20240301');
  });
});

describe('the reminders of a certificate', () => {
  const words = {
    renewable: { summary: 'CA 证书可以更新了', description: '' },
    lastDay: { summary: 'CA 证书今天到期', description: '' },
  };

  test('fall on the first day of renewal and on the last day, with a word a week ahead', () => {
    const file = expiryReminder('0a1b', day('2025-03-02'), day('2025-05-01'), words, createdAt);
    expect(file.match(/^(UID|DTSTART|TRIGGER).*$/gm)).toEqual([
      'UID:0a1b-renewable@casupport.cn',
      'DTSTART;VALUE=DATE:20250302',
      'TRIGGER:PT9H',
      'UID:0a1b-last-day@casupport.cn',
      'DTSTART;VALUE=DATE:20250501',
      'TRIGGER:-PT159H',
    ]);
  });

  test('skip the first day once it has passed', () => {
    const file = expiryReminder('0a1b', undefined, day('2025-05-01'), words, createdAt);
    expect(file.match(/BEGIN:VEVENT/g)).toHaveLength(1);
  });
});
