/** Something a figure must not exceed. */
export interface Goal {
  /** What is compared, e.g. `ours ÷ bare`. */
  readonly what: string;
  readonly value: number;
  readonly atMost: number;
}

/** One line of a table. */
export interface Row {
  /** What was measured, e.g. a command. */
  readonly name: string;
  readonly unit: 'µs' | 'ms' | 's' | 'bytes' | 'times' | 'a second';
  /** By who did it or how, e.g. `ours`, `bare`; of what takes time, the median. */
  readonly figures: Readonly<Record<string, number>>;
  readonly goals: readonly Goal[];
}

/** One file of this folder. */
export interface Measure {
  /** What the command line calls it. */
  readonly name: string;
  readonly title: string;
  readonly run: () => Promise<readonly Row[]>;
}

type Work = () => unknown;

export interface Race {
  readonly name: string;
  /** What does the same work once, each in its way; a promise is waited for. */
  readonly runners: Readonly<Record<string, Work>>;
  /** How many times as long as another one may take, at most. */
  readonly goals?: readonly { readonly of: string; readonly against: string; readonly atMost: number }[];
  /** Rounds that count, after a quarter as many that do not. */
  readonly rounds?: number;
  /** Times the work is done in a round: one alone may be too short for the clock. */
  readonly repeats?: number;
}

/** @throws RangeError for no values */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new RangeError('no values');
  return (low + high) / 2;
}

/** Microseconds for one time. */
async function timed(work: Work, repeats: number): Promise<number> {
  const begun = performance.now();
  for (let count = 0; count < repeats; count++) {
    const result = work();
    // Not everybody is asynchronous, and waiting for nothing takes time, too.
    if (result instanceof Promise) await result;
  }
  return ((performance.now() - begun) * 1000) / repeats;
}

/**
 * Times several ways of doing the same, turn and turn about in one run, so that whatever else the machine does meets all of
 * them. Who goes first changes each round.
 */
export async function race({ name, runners, goals = [], rounds = 2000, repeats = 8 }: Race): Promise<Row> {
  const names = Object.keys(runners);
  const times = new Map(names.map((runner): [string, number[]] => [runner, []]));
  for (let round = -Math.ceil(rounds / 4); round < rounds; round++) {
    const first = ((round % names.length) + names.length) % names.length;
    for (const runner of [...names.slice(first), ...names.slice(0, first)]) {
      const work = runners[runner];
      if (!work) continue;
      const time = await timed(work, repeats);
      if (round >= 0) times.get(runner)?.push(time);
    }
  }
  const medians = new Map(Array.from(times, ([runner, all]) => [runner, median(all)]));
  return {
    name,
    unit: 'µs',
    figures: Object.fromEntries(medians),
    goals: goals.map(({ of, against, atMost }) => ({
      what: `${of} ÷ ${against}`,
      value: (medians.get(of) ?? Number.NaN) / (medians.get(against) ?? Number.NaN),
      atMost,
    })),
  };
}

export interface Contest {
  readonly name: string;
  readonly goal?: number;
  readonly ours: Work;
  /** Does the same work with nothing in between. */
  readonly bare: Work;
}

/** A race of two. */
export const compete = ({ name, goal, ours, bare }: Contest): Promise<Row> =>
  race({
    name,
    runners: { ours, bare },
    goals: goal === undefined ? [] : [{ of: 'ours', against: 'bare', atMost: goal }],
  });
