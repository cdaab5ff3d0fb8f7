import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRolledOut } from '../../../src/renewal/rollout.ts';

test('a key that is in stays in as the share grows', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.integer({ min: 0, max: 100 }),
      fc.integer({ min: 0, max: 100 }),
      (serial, one, other) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        expect(isRolledOut(serial, less) && !isRolledOut(serial, more)).toBe(false);
      },
    ),
  );
});

test.each([
  [0, 0, 0],
  [20, 0.16, 0.24],
  [50, 0.45, 0.55],
  [100, 1, 1],
  [undefined, 1, 1],
])('of %s percent as many are in', (percent, least, most) => {
  const serials = Array.from({ length: 2000 }, (_, at) => `1001${String(at).padStart(8, '0')}`);
  const share = serials.filter((serial) => isRolledOut(serial, percent)).length / serials.length;
  expect(share).toBeGreaterThanOrEqual(least);
  expect(share).toBeLessThanOrEqual(most);
});
