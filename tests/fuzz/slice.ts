import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { toHex, type Bytes } from '../../src/pki/bytes.ts';
import { assertDer, DerError } from '../../src/pki/der.ts';
import { hashOf, Random } from './random.ts';
import { reduce } from './reduce.ts';
import type { Target } from './target.ts';

/** Milliseconds that no input may take. */
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
  /** Inputs that the DER decoder takes. */
  readonly passedDer: number;
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

/** What is wrong with how a target takes an input, if anything. */
async function fault(target: Target, input: Bytes): Promise<string | undefined> {
  const started = performance.now();
  try {
    await target.run(input);
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ''}` : String(error);
  }
  const ms = performance.now() - started;
  return ms > longestAllowedMs ? `took ${ms.toFixed(0)} ms` : undefined;
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

async function findingOf(target: Target, seed: number, index: number, input: Bytes): Promise<Finding | undefined> {
  // A machine with much to do may keep anyone waiting for a second: what is slow is slow again.
  const what = await fault(target, input);
  if (what === undefined) return undefined;
  const kind = firstLine(what).replace(/\d+/gu, '#');
  const reduced =
    what.startsWith('took') || target.isWhole === true
      ? input
      : await reduce(input, async (smaller) => {
          const other = await fault(target, smaller);
          return other !== undefined && firstLine(other).replace(/\d+/gu, '#') === kind;
        });
  return { target: target.name, seed, index, what, input: toHex(reduced) };
}

function passesDer(input: Bytes): boolean {
  try {
    assertDer(input);
    return true;
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** More findings of one slice say nothing new. */
const maxFindings = 5;

/**
 * Runs mutants number `from` to `to` − 1.
 * @param watch told of every mutant before it runs, so that somebody else can see which one never ends
 */
export async function runSlice(
  target: Target,
  seed: number,
  from: number,
  to: number,
  watch: (index: number) => void = () => undefined,
): Promise<SliceResult> {
  const counts = { accepted: 0, rejected: 0 };
  const findings: Finding[] = [];
  let passedDer = 0;
  let longestMs = 0;
  const begun = performance.now();
  let index = from;
  for (; index < to && findings.length < maxFindings; index++) {
    watch(index);
    let failed = true;
    const made = mutant(target, seed, index);
    const input = made instanceof Promise ? await made : made;
    const started = performance.now();
    try {
      if (target.isDer && passesDer(input)) passedDer++;
      counts[await target.run(input)]++;
      failed = false;
    } catch {
      // Looked at below.
    }
    const ms = performance.now() - started;
    longestMs = Math.max(longestMs, ms);
    if (!failed && ms <= longestAllowedMs) continue;
    const finding = await findingOf(target, seed, index, input);
    if (finding) findings.push(finding);
  }
  watch(-1);
  const ms = performance.now() - begun;
  const tally = target.takeTally?.() ?? new Map<string, number>();
  collectGarbage();
  const heapBytes = process.memoryUsage().heapUsed;
  return { target: target.name, count: index - from, ...counts, passedDer, longestMs, ms, heapBytes, findings, tally };
}
