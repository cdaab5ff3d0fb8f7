import { expect, test } from 'vitest';
import { ServerClock } from '../../../src/service/clock.ts';

const answer = (headers: Record<string, string>): Response => new Response('', { headers });

test('the time is the server’s, carried on by a clock that cannot be set', () => {
  let monotonic = 1_000;
  const local = Date.parse('2019-01-01T00:00:00Z');
  const clock = new ServerClock(
    () => monotonic,
    () => local,
  );
  expect(clock.known).toBe(false);
  expect(clock.now()).toEqual(new Date(local));
  monotonic = 1_200;
  clock.observe(answer({ Date: 'Sun, 22 Nov 2026 09:00:00 GMT' }), 1_000);
  expect(clock.now()).toEqual(new Date('2026-11-22T09:00:00.600Z'));
  monotonic += 3_600_000;
  expect(clock.now()).toEqual(new Date('2026-11-22T10:00:00.600Z'));
  expect(clock.skewMs).toBeLessThan(-7 * 365 * 86_400_000);
});

test.each([
  ['no Date header', {}],
  ['an unreadable Date header', { Date: 'yesterday' }],
  ['a year long gone', { Date: 'Mon, 01 Jan 0001 00:00:00 GMT' }],
  ['the last day that a date can be', { Date: 'Sat, 13 Sep 275760 00:00:00 GMT' }],
  ['a cached answer', { Date: 'Sun, 22 Nov 2026 09:00:00 GMT', Age: '60' }],
])('%s changes nothing', (_what, headers) => {
  const clock = new ServerClock();
  clock.observe(answer(headers), 0);
  expect(clock.known).toBe(false);
});
