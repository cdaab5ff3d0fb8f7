import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  beijingDay,
  isoDay,
  parseIsoDay,
  renewableFrom,
  startOfBeijingDay,
  validityAt,
} from '../../../src/guidance/beijing.ts';

const anyDate = fc.date({ min: new Date('1992-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });

describe('the natural day in Beijing', () => {
  test.each([
    ['2018-09-17T15:59:59.999Z', '2018-09-17'],
    ['2018-09-17T16:00:00.000Z', '2018-09-18'],
    ['2024-02-29T00:00:00+08:00', '2024-02-29'],
    ['2024-02-29T23:59:59+08:00', '2024-02-29'],
    ['2024-12-31T16:00:00Z', '2025-01-01'],
  ])('%s is on %s', (instant, day) => {
    expect(isoDay(beijingDay(new Date(instant)))).toBe(day);
  });

  test('agrees with the platform’s own Asia/Shanghai calendar', () => {
    const shanghai = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai', dateStyle: 'short' });
    fc.assert(
      fc.property(anyDate, (at) => {
        expect(isoDay(beijingDay(at))).toBe(shanghai.format(at));
      }),
    );
  });

  test('begins at its own midnight', () => {
    fc.assert(
      fc.property(anyDate, (at) => {
        const start = startOfBeijingDay(beijingDay(at));
        expect(beijingDay(start)).toBe(beijingDay(at));
        expect(beijingDay(new Date(start.getTime() - 1))).toBe(beijingDay(at) - 1);
      }),
    );
  });

  test('an invalid date is refused', () => {
    expect(() => beijingDay(new Date('no date'))).toThrow(RangeError);
  });

  test.each(['2025-02-29', '2025-13-01', '2025-00-10', '25-01-01', '2025-1-1', '', 'today'])(
    '“%s” is not a day',
    (written) => {
      expect(parseIsoDay(written)).toBeUndefined();
    },
  );

  test('a day reads back as it was written', () => {
    fc.assert(
      fc.property(anyDate, (at) => {
        expect(parseIsoDay(isoDay(beijingDay(at)))).toBe(beijingDay(at));
      }),
    );
  });
});

describe('validity', () => {
  test.each([
    ['2025-04-30T23:59:59+08:00', '2025-03-01T09:00:00+08:00', 60, false, 0],
    ['2025-05-01T23:59:59+08:00', '2025-03-01T09:00:00+08:00', 61, false, 0],
    ['2025-03-01T23:59:59+08:00', '2025-03-01T12:00:00+08:00', 0, false, 0],
    ['2025-03-01T10:00:00+08:00', '2025-03-01T12:00:00+08:00', 0, true, 0],
    ['2025-02-28T23:59:59+08:00', '2025-03-01T00:00:00+08:00', -1, true, 1],
    ['2024-02-29T23:59:59+08:00', '2023-12-31T09:00:00+08:00', 60, false, 0],
    ['2024-02-29T23:59:59+08:00', '2024-03-01T09:00:00+08:00', -1, true, 1],
  ])('%s seen at %s: %i days left, expired %s, since %i days', (notAfter, now, daysLeft, expired, expiredDays) => {
    expect(validityAt(new Date(notAfter), new Date(now))).toEqual({ daysLeft, expired, expiredDays });
  });

  test('the very millisecond of notAfter is still valid', () => {
    const notAfter = new Date('2025-03-01T12:00:00+08:00');
    expect(validityAt(notAfter, notAfter).expired).toBe(false);
    expect(validityAt(notAfter, new Date(notAfter.getTime() + 1)).expired).toBe(true);
  });

  test.each([
    ['2025-05-01T23:59:59+08:00', '2025-03-02'],
    ['2024-02-29T23:59:59+08:00', '2023-12-31'],
    ['2024-04-29T23:59:59+08:00', '2024-02-29'],
  ])('a certificate until %s can be renewed from %s', (notAfter, from) => {
    expect(isoDay(renewableFrom(new Date(notAfter), 60))).toBe(from);
  });
});
