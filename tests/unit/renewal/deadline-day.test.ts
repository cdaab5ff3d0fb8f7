import { expect, test } from 'vitest';
import { withRetry } from '../../../src/renewal/retry.ts';
import { deadlineDay, fixedInterval, simulate, type Client } from '../../bench/deadline-simulation.ts';

/** A fiftieth of everything but the time: as crowded as the real one. */
const smallDay = {
  ...deadlineDay,
  people: deadlineDay.people / 50,
  capacity: deadlineDay.capacity / 50,
  queue: deadlineDay.queue / 50,
};
const shipped: Client = (exchange, world) =>
  withRetry(exchange, { ...world, signal: undefined, onWait: () => undefined });

test.each([1, 2, 3])(
  'on a deadline day everybody is served within 1.2 times what the authority needs, without giving up (%i)',
  async (seed) => {
    const { lastSuccess, ideal, gaveUp } = await simulate(smallDay, shipped, seed);
    expect(lastSuccess / ideal).toBeLessThanOrEqual(1.2);
    expect(gaveUp).toBe(0);
  },
);

test('the authority is asked in vain half as often as with a fixed pause of half a minute', async () => {
  const [ours, fixed] = [await simulate(smallDay, shipped), await simulate(smallDay, fixedInterval(30))];
  expect(ours.wasted / fixed.wasted).toBeLessThan(0.6);
  expect(ours.peak).toBeLessThan(fixed.peak);
});

test('an authority that is fast enough is asked once by everybody', async () => {
  const { lastSuccess, wasted, peak } = await simulate({ ...smallDay, people: 60 }, shipped);
  expect(wasted).toBe(0);
  expect(peak).toBeLessThan(10);
  expect(lastSuccess).toBeLessThan(smallDay.arrivalSeconds + 10);
});
