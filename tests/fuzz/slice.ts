import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { toHex, type Bytes } from '../../src/pki/bytes.ts';
import { hashOf, Random } from './random.ts';
import { reduce } from './reduce.ts';
import type { Target } from './target.ts';
import { threadClock, type ThreadClock } from './thread-clock.ts';

/** Milliseconds of its own that no input may take. */
export const longestAllowedMs = 1000;

/** An input that did what none may. */
export interface Finding {
  readonly target: string;
  readonly seed: number;
  readonly index: number;
  readonly what: string;
  /** Reduced, hexadecimal. */
  readonly input: string;
}

export interface SliceResult {
  readonly target: string;
  readonly count: number;
  readonly accepted: number;
  readonly rejected: number;
  /** Inputs that got past the target's first check, where it has one. */
  readonly passed: number;
  /** What the slowest took, without waiting for a processor. */
  readonly longestMs: number;
  readonly ms: number;
  /** Heap in use after it, garbage collected. */
  readonly heapBytes: number;
  readonly findings: readonly Finding[];
  readonly tally: ReadonlyMap<string, number>;
}

/** Makes the mutant with this number again. */
export function mutant(target: Target, seed: number, index: number): Bytes | Promise<Bytes> {
  return target.mutate(new Random(hashOf(target.name), seed, index));
}

const textOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ''}` : String(error);
const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';
const kindOf = (text: string): string => firstLine(text).replace(/\d+/gu, '#');

/** What a target throws at an input and should not; undefined when it does not. */
async function thrown(target: Target, input: Bytes): Promise<string | undefined> {
  try {
    await target.run(input);
    return undefined;
  } catch (error) {
    return textOf(error);
  }
}

/** How often what was slow once is tried again. */
const tries = 3;

/**
 * What an input takes on a machine that does other things, too: the best of three, without waiting for a processor.
 * Neither garbage of inputs before it nor a machine with much to do makes it slow; what it does itself does, each time.
 */
async function ownMs(target: Target, input: Bytes, clock: ThreadClock, beat: () => void): Promise<number> {
  let best = Infinity;
  for (let count = 0; count < tries; count++) {
    beat();
    const [began, waitedBefore] = [clock.now(), clock.waited()];
    await thrown(target, input);
    const [took, waited] = [clock.now() - began, clock.waited() - waitedBefore];
    best = Math.min(best, took - Math.min(waited, took));
  }
  return best;
}

/** @param what it threw */
async function findingOf(
  target: Target,
  { seed, index, input, what }: { seed: number; index: number; input: Bytes; what: string },
): Promise<Finding> {
  const happensAgain = async (smaller: Bytes): Promise<boolean> => {
    const other = await thrown(target, smaller);
    return other !== undefined && kindOf(other) === kindOf(what);
  };
  const reduced = target.isWhole === true ? input : await reduce(input, happensAgain);
  return { target: target.name, seed, index, what, input: toHex(reduced) };
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** More findings of one slice say nothing new. */
const maxFindings = 5;

/** Faster than this nothing is looked at twice. */
const unremarkableMs = 20;

export interface SliceOptions {
  /** Told of every mutant before it runs, and of each further try, so that somebody else can see which never ends. */
  readonly watch?: (index: number) => void;
  readonly clock?: ThreadClock;
}

/** Runs mutants number `from` to `to` − 1. */
export async function runSlice(
  target: Target,
  seed: number,
  from: number,
  to: number,
  { watch = () => undefined, clock = threadClock }: SliceOptions = {},
): Promise<SliceResult> {
  const counts = { accepted: 0, rejected: 0 };
  const findings: Finding[] = [];
  const tally = new Map<string, number>();
  let passed = 0;
  let longestMs = 0;
  const begun = clock.now();
  let index = from;
  for (; index < to && findings.length < maxFindings; index++) {
    const beat = (): void => watch(index);
    beat();
    const made = mutant(target, seed, index);
    const input = made instanceof Promise ? await made : made;
    const started = clock.now();
    let what: string | undefined;
    try {
      counts[await target.run(input)]++;
    } catch (error) {
      what = textOf(error);
    }
    let ms = clock.now() - started;
    if (target.gate?.passes(input) === true) passed++;
    const fate = target.fate?.(input);
    if (fate !== undefined) tally.set(fate, (tally.get(fate) ?? 0) + 1);
    if (ms > Math.max(longestMs, unremarkableMs)) ms = Math.min(ms, await ownMs(target, input, clock, beat));
    longestMs = Math.max(longestMs, ms);
    if (what !== undefined) findings.push(await findingOf(target, { seed, index, input, what }));
    else if (ms > longestAllowedMs) {
      findings.push({ target: target.name, seed, index, what: `took ${ms.toFixed(0)} ms`, input: toHex(input) });
    }
  }
  watch(-1);
  const ms = clock.now() - begun;
  collectGarbage();
  const heapBytes = process.memoryUsage().heapUsed;
  return { target: target.name, count: index - from, ...counts, passed, longestMs, ms, heapBytes, findings, tally };
}
