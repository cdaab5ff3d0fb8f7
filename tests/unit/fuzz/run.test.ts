import { describe, expect, it } from 'vitest';
import { orders, type Amount } from '../../fuzz/orders.ts';
import type { SliceResult } from '../../fuzz/slice.ts';
import { summarise, summaryText } from '../../fuzz/summary.ts';
import { acceptanceName, chooseTargets } from '../../fuzz/targets.ts';
import type { Order } from '../../fuzz/worker.ts';

/** All orders, on a clock that goes on by so many seconds with each. */
function given(targets: readonly string[], amount: Amount, secondsEach = 1): readonly Order[] {
  let seconds = -secondsEach;
  return [...orders(targets, amount, 5, () => (seconds += secondsEach) * 1000)];
}
const namesOf = (list: readonly Order[]): readonly string[] => list.map(({ target }) => target);

describe('orders', () => {
  it('cover a number of mutants, shared between the targets, without a gap', () => {
    const list = given(['a', 'b'], { kind: 'count', count: 9001 });

    for (const name of ['a', 'b']) {
      const own = list.filter(({ target }) => target === name);
      expect(own.map(({ from }) => from)).toEqual([0, ...own.slice(0, -1).map(({ to }) => to)]);
      expect(own.at(-1)?.to).toBe(4501);
    }
  });

  it('go round the targets until the time for all together is over', () => {
    const list = given(['a', 'b', 'c'], { kind: 'time', seconds: 7 });

    expect(namesOf(list).slice(0, 6)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    expect(list.length).toBeLessThanOrEqual(7);
  });

  it('give each target its own time, one after the other', () => {
    const list = given(['a', 'b', 'content-pack'], { kind: 'each', seconds: 4 });

    expect(new Set(namesOf(list))).toEqual(new Set(['a', 'b', 'content-pack']));
    expect(namesOf(list)).toEqual([...namesOf(list)].sort());
    for (const name of ['a', 'b', 'content-pack']) {
      expect(list.filter(({ target }) => target === name).length).toBeGreaterThanOrEqual(3);
    }
  });

  it('are shorter for what takes long, so that the time is kept', () => {
    const [quick, costly] = given(['cmp', 'content-pack'], { kind: 'time', seconds: 60 });

    expect(costly?.to).toBeLessThan(quick?.to ?? 0);
  });

  it('end when no target has any left', () => {
    expect(given(['a'], { kind: 'count', count: 1 })).toEqual([{ target: 'a', seed: 5, from: 0, to: 1 }]);
  });
});

describe('targets on the command line', () => {
  const readers = ['cmp', 'ccid', 'certificate'];

  it.each([
    ['are all readers when none is named', {}, readers],
    ['are those that are named, once each, in that order', { target: 'ccid, cmp,ccid' }, ['ccid', 'cmp']],
    ['may be what is no reader', { target: `cmp,${acceptanceName}` }, ['cmp', acceptanceName]],
    ['are all but those excepted', { except: 'cmp,ccid' }, ['certificate']],
    ['are those named but those excepted', { target: 'cmp,ccid', except: 'cmp' }, ['ccid']],
  ] as const)('%s', (_what, options, chosen) => {
    expect(chooseTargets(readers, options)).toEqual({ chosen, unknown: [] });
  });

  it('are said to be none when they are', () => {
    expect(chooseTargets(readers, { target: 'cmp,cpm', except: 'x' }).unknown).toEqual(['cpm', 'x']);
  });
});

describe('the summary', () => {
  const slice = (part: Partial<SliceResult>): SliceResult => ({
    ...{ target: 'a', count: 100, accepted: 30, rejected: 69, passed: 60, longestMs: 2, ms: 500, heapBytes: 7 },
    ...{ findings: [], tally: new Map([['made\tfirst', 2]]) },
    ...part,
  });
  const finding = { target: 'a', seed: 5, index: 3, what: 'TypeError: oh', input: '00ff' };
  const both = [slice({}), slice({ longestMs: 9, tally: new Map([['made\tfirst+second', 5]]) })];

  it('adds up the slices of a target', () => {
    expect(summarise(both, 'DER', [finding])).toEqual({
      ...{ mutants: 200, accepted: 60, rejected: 138, seconds: 1, mutantsPerSecond: 200, longestMs: 9, heapBytes: 7 },
      ...{ passed: { gate: 'DER', mutants: 120, share: 0.6 }, findings: 1 },
      fates: { made: { 'first+second': 5, first: 2 } },
    });
  });

  it('says of a target that was not reached that nothing was done', () => {
    expect(summarise([], undefined, [])).toMatchObject({
      mutants: 0,
      passed: undefined,
      longestMs: 0,
      fates: undefined,
    });
  });

  it('names in words the share that got past, what took longest, and what makes a finding again', () => {
    const text = summaryText({
      ...{ seed: 5, node: 'v20', threads: 2, seconds: 1.5, mutants: 200 },
      targets: { a: summarise(both, 'DER', [finding]) },
      findings: [finding],
    });

    expect(text).toContain('DER 60.0 %');
    expect(text).toContain('9.0');
    expect(text).toContain('second                                   5  71.4 %');
    expect(text).toContain('a, seed 5, mutant 3: TypeError: oh\n00ff');
  });
});
