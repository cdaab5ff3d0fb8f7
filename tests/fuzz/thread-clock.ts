import { readFileSync } from 'node:fs';

/** Where a thread's time goes. */
export interface ThreadClock {
  /** Milliseconds, as on the wall. */
  readonly now: () => number;
  /** Milliseconds that this thread could have worked and had to wait for a processor. */
  readonly waited: () => number;
}

const nanosecondsInMs = 1e6;

/**
 * The waiting in Linux' /proc/…/schedstat, three numbers: nanoseconds on a processor, nanoseconds waiting for one, and
 * how many times (Documentation/scheduler/sched-stats.rst).
 * @returns milliseconds; 0 where the text says nothing
 */
export function waitedOf(schedstat: string): number {
  const [, waited] = /^\d+ (\d+) \d+\s*$/u.exec(schedstat) ?? [];
  return waited === undefined ? 0 : Number(waited) / nanosecondsInMs;
}

/**
 * The clock of the thread that asks. What it spends waiting for other things, e.g. for the engine's own threads to end a
 * computation, counts as its time; only what other programs took does not. Elsewhere than on Linux nothing says what
 * that is, and a wall clock is left.
 */
export const threadClock: ThreadClock = {
  now: () => performance.now(),
  waited: () => {
    try {
      return waitedOf(readFileSync('/proc/thread-self/schedstat', 'latin1'));
    } catch {
      return 0;
    }
  },
};
