/** One line of the table. */
export interface Row {
  /** What was measured, e.g. a command. */
  readonly name: string;
  /** Medians of one round, microseconds. */
  readonly ours: number;
  readonly bare: number;
  /** ours ÷ bare. */
  readonly ratio: number;
  /** The largest ratio that is good enough; undefined where none is asked for. */
  readonly goal: number | undefined;
}

/** One file of this folder. */
export interface Measure {
  /** What the command line calls it. */
  readonly name: string;
  readonly title: string;
  readonly run: () => Promise<readonly Row[]>;
}

export interface Contest {
  readonly name: string;
  readonly goal?: number;
  /** Does the work once, our way. */
  readonly ours: () => Promise<void>;
  /** Does the same work once with nothing in between. */
  readonly bare: () => Promise<void>;
}

const warmUpRounds = 500;
const rounds = 2000;
/** Times the work is done in a round: one alone is too short for the clock. */
const repeats = 8;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[(sorted.length - 1) >> 1], sorted[middle]];
  return (low + high) / 2;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  for (let count = 0; count < repeats; count++) await work();
  return ((performance.now() - begun) * 1000) / repeats;
}

/**
 * Times two ways of doing the same, turn and turn about in one run, so that whatever else the machine does meets both.
 * Who goes first changes each round.
 */
export async function compete({ name, goal, ours, bare }: Contest): Promise<Row> {
  const times: Readonly<Record<'ours' | 'bare', number[]>> = { ours: [], bare: [] };
  for (let round = -warmUpRounds; round < rounds; round++) {
    const oursFirst = round % 2 === 0;
    const first = await timed(oursFirst ? ours : bare);
    const second = await timed(oursFirst ? bare : ours);
    if (round < 0) continue;
    times.ours.push(oursFirst ? first : second);
    times.bare.push(oursFirst ? second : first);
  }
  const medians = { ours: median(times.ours), bare: median(times.bare) };
  return { name, ...medians, ratio: medians.ours / medians.bare, goal };
}
