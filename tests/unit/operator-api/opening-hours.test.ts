import { expect, test } from 'vitest';
import fc from 'fast-check';
import { readOpeningHours } from '../../operator-api/opening-hours.ts';

const office = [1, 2, 3, 4, 5];

test.each([
  [
    '工作日 9:00–12:00，13:30–17:00',
    [
      [office, 540, 720],
      [office, 810, 1_020],
    ],
  ],
  ['示例：工作日 9:00–16:30', [[office, 540, 990]]],
  ['周一至周六 08：30-17：00', [[[1, 2, 3, 4, 5, 6], 510, 1_020]]],
  ['星期五到星期一 9:00~10:00', [[[5, 6, 0, 1], 540, 600]]],
  ['每天 9:00至24:00', [[[0, 1, 2, 3, 4, 5, 6], 540, 1_440]]],
  ['9:00-17:00（节假日除外）', [[office, 540, 1_020]]],
  ['17:00–9:00', []],
  ['9:00–25:00', []],
  ['请电话联系', []],
  ['', []],
] as const)('%s', (words, openings) => {
  expect(readOpeningHours(words).map(({ weekdays, from, until }) => [weekdays, from, until])).toEqual(openings);
});

test('whatever is written, what is read lies within a day and a week', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[周一二日天至9:：0-9– ]{0,40}$/), (words) => {
      for (const { weekdays, from, until } of readOpeningHours(words)) {
        expect(from < until && until <= 1_440).toBe(true);
        expect(new Set(weekdays).size).toBe(weekdays.length);
        expect(weekdays.every((day) => day >= 0 && day <= 6)).toBe(true);
      }
    }),
  );
});
