import { describe, expect, test } from 'vitest';
import { estimateReplacementFee, type ReplacementCause } from '../../../src/guidance/fee.ts';
import { guideHotlines, hotlines } from '../../../src/guidance/hotlines.ts';
import { yuan } from '../../../src/guidance/numbers.ts';

describe('the fee of a replacement', () => {
  const damaged = (manMade: boolean | undefined, looksIntact: boolean | undefined): ReplacementCause => ({
    what: 'damaged',
    manMade,
    looksIntact,
  });

  test.each([
    ['lost', { what: 'lost' } as const, 2600, 'charge', false],
    ['not man-made and intact', damaged(false, true), 0, 'free', true],
    ['man-made', damaged(true, true), 2600, 'charge', true],
    ['man-made and broken outside', damaged(true, false), 2600, 'charge', true],
    ['not man-made, but broken outside', damaged(false, false), 2600, 'charge', true],
    ['broken outside, cause not known', damaged(undefined, false), 2600, 'charge', true],
    ['intact, cause not known', damaged(undefined, true), undefined, 'unclear', true],
    ['not man-made, outside not known', damaged(false, undefined), undefined, 'unclear', true],
    ['nothing known', damaged(undefined, undefined), undefined, 'unclear', true],
  ])('%s', (_what, cause, fen, outcome, decidedByCentre) => {
    expect(estimateReplacementFee(cause)).toEqual({ fen, outcome, decidedByCentre });
  });

  test.each([
    [2600, '26'],
    [0, '0'],
    [2650, '26.50'],
  ])('%i fen are written %s', (fen, written) => {
    expect(yuan(fen)).toBe(written);
  });
});

test('the hot-lines are written as the service writes them, and dial', () => {
  expect(hotlines.map(({ number, href, hintIsAssumption }) => [number, href, hintIsAssumption])).toEqual([
    ['400-880-9888', 'tel:4008809888', false],
    ['95105345-2', 'tel:95105345,2', true],
  ]);
  expect(guideHotlines[1].hint?.['zh-CN']).toContain('按 2');
});
