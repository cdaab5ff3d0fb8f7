import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longestAllowedMs, runSlice } from '../../fuzz/slice.ts';
import { stuckWatch } from '../../fuzz/stuck.ts';
import type { Target } from '../../fuzz/target.ts';
import { waitedOf, type ThreadClock } from '../../fuzz/thread-clock.ts';

/** A machine on which each run of the target takes what a list says: of its own, and waiting for a processor. */
function machine(costs: readonly (readonly [ownMs: number, waitingMs: number])[]): {
  readonly clock: ThreadClock;
  readonly target: Target;
  readonly runs: () => number;
} {
  let [now, waited, runs] = [0, 0, 0];
  return {
    clock: { now: () => now, waited: () => waited },
    runs: () => runs,
    target: {
      name: 'slow',
      mutate: (random) => random.bytes(4),
      run: () => {
        const [ownMs, waitingMs] = costs[runs++] ?? [0, 0];
        now += ownMs + waitingMs;
        waited += waitingMs;
        return 'accepted';
      },
    },
  };
}
const slow = longestAllowedMs + 1;

describe('a mutant that took more than it may', () => {
  it('is a finding when it does each time', async () => {
    const { target, clock } = machine([
      [slow + 3, 0],
      [slow + 2, 0],
      [slow, 0],
      [slow + 1, 500],
    ]);

    const { findings, longestMs } = await runSlice(target, 1, 0, 1, { clock });

    expect(findings).toMatchObject([{ index: 0, what: `took ${slow} ms` }]);
    expect(longestMs).toBe(slow);
  });

  it('is none when it did so once', async () => {
    const { target, clock } = machine([
      [slow, 0],
      [slow, 0],
      [12, 0],
      [slow, 0],
    ]);

    const { findings, longestMs } = await runSlice(target, 1, 0, 1, { clock });

    expect(findings).toEqual([]);
    expect(longestMs).toBe(12);
  });

  it('is none when the machine was busy with other things, each time', async () => {
    const busy = [30, 9000] as const;
    const { target, clock } = machine([busy, busy, busy, busy]);

    const { findings, longestMs } = await runSlice(target, 1, 0, 1, { clock });

    expect(findings).toEqual([]);
    expect(longestMs).toBe(30);
  });

  it('is one, however busy the machine is, when what is its own is too much', async () => {
    const both = [slow, 9000] as const;
    const { target, clock } = machine([both, both, both, both]);

    const { findings } = await runSlice(target, 1, 0, 1, { clock });

    expect(findings).toMatchObject([{ what: `took ${slow} ms` }]);
  });

  it('is run again only where there is something to look at', async () => {
    const { target, clock, runs } = machine(Array.from({ length: 50 }, () => [2, 0] as const));

    await runSlice(target, 1, 0, 50, { clock });

    expect(runs()).toBe(50);
  });

  it('tells the watch of each try, so that one which never ends shows', async () => {
    const { target, clock } = machine([
      [slow, 0],
      [slow, 0],
    ]);
    const beats: number[] = [];

    await runSlice(target, 1, 7, 9, { clock, watch: (index) => beats.push(index) });

    expect(beats).toEqual([7, 7, 7, 7, 8, -1]);
  });
});

describe('a mutant that does not end', () => {
  it('is seen once it has run for too long', () => {
    const isStuck = stuckWatch(20_000);

    const seen = [0, 10_000, 20_000, 20_001].map((now) => isStuck(7, 1, now));

    expect(seen).toEqual([false, false, false, true]);
  });

  it('is none while another try begins now and then, or none is running', () => {
    const isStuck = stuckWatch(20_000);

    const tries = [0, 1, 2, 3].map((count) => isStuck(7, count, count * 20_000));
    const between = [60_000, 90_000].map((now) => isStuck(-1, 4, now));

    expect([...tries, ...between]).not.toContain(true);
  });
});

describe('the time a thread waits for a processor', () => {
  it('is the second number of schedstat, in nanoseconds', () => {
    expect(waitedOf('18546977 24073566 24\n')).toBeCloseTo(24.073566, 6);
  });

  it('is none where the text says nothing', () => {
    fc.assert(fc.property(fc.string(), (text) => /^\d+ \d+ \d+\s*$/u.test(text) || waitedOf(text) === 0));
    expect(waitedOf('')).toBe(0);
  });
});
