/*
 * Mutants through everything that reads bytes from outside:
 * `npx tsx tests/fuzz/main.ts [--count N | --time SECONDS] [--seed S] [--target NAME]`. Without a target: all readers,
 * 1 000 000 mutants. `--target acceptance`: answers of an authority, changed and protected anew by its own key, 20 000.
 * A reader returns a value or throws the error of its room; anything else, more than a second, or memory that is not
 * given back, is a finding, printed with what makes it again, and the exit status is 1.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { toHex } from '../../src/pki/bytes.ts';
import { mutant, type Finding, type SliceResult } from './slice.ts';
import { acceptanceName, openTarget, readingTargets } from './targets.ts';
import type { Order } from './worker.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string' },
    time: { type: 'string' },
    seed: { type: 'string' },
    target: { type: 'string' },
    workers: { type: 'string' },
  },
});
function numberOf(text: string | undefined, otherwise: number): number {
  const number = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  console.error(`not a positive whole number: ${text ?? ''}`);
  process.exit(2);
}

const names = readingTargets().map(({ name }) => name);
if (values.target !== undefined && values.target !== acceptanceName && !names.includes(values.target)) {
  console.error(`no target ${values.target}; there are ${[...names, acceptanceName].join(', ')}`);
  process.exit(2);
}
const chosen = values.target === undefined ? names : [values.target];
const isAcceptance = values.target === acceptanceName;
const seed = values.seed === undefined ? Date.now() % 1_000_000_007 : numberOf(values.seed, 1);
const seconds = values.time === undefined ? undefined : numberOf(values.time, 60);
const total = numberOf(values.count, isAcceptance ? 20_000 : 1_000_000);
const workerCount = numberOf(values.workers, availableParallelism());

const sliceLength = isAcceptance ? 250 : seconds === undefined ? 2500 : 500;
/** A mutant that runs this long will not end. */
const stuckMs = 20_000;
const checkEveryMs = 500;
/** What a worker may hold on to after a slice beyond what it held after its first ones, bytes. */
const allowedGrowth = 64 * 1024 * 1024;
const maxHeapMb = 768;

/** Slices of every target in turn, until all are given out or the time is over. */
function* orders(): Generator<Order, void> {
  const ends = performance.now() + (seconds ?? 0) * 1000;
  const each = seconds === undefined ? Math.ceil(total / chosen.length) : Infinity;
  for (let from = 0; from < each; from += sliceLength) {
    for (const target of chosen) {
      if (seconds !== undefined && performance.now() >= ends) return;
      yield { target, seed, from, to: Math.min(from + sliceLength, each) };
    }
  }
}

const results: SliceResult[] = [];
const findings: Finding[] = [];
const queue = orders();
/** Ctrl-C: what is running is brought to its end and told. */
let isStopped = false;
process.once('SIGINT', () => {
  isStopped = true;
});

async function lost({ target, seed: its }: Order, index: number, what: string): Promise<void> {
  const input = toHex(await mutant(await openTarget(target), its, index));
  findings.push({ target, seed: its, index, what, input });
}

/** tsx reads TypeScript in the main thread only, unless it is asked to in another. */
const startWorker = `import('tsx/esm/api').then(({ register }) => {
  register();
  return import(${JSON.stringify(new URL('./worker.ts', import.meta.url).href)});
});`;

/** One thread, from its first slice to its last. */
function runWorker(): Promise<void> {
  return new Promise((resolve, reject) => {
    const shared = new SharedArrayBuffer(4);
    const running = new Int32Array(shared).fill(-1);
    const worker = new Worker(startWorker, {
      eval: true,
      workerData: shared,
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    });
    const heaps: number[] = [];
    let order: Order | undefined;
    let seen = -1;
    let since = performance.now();
    const end = (): void => {
      clearInterval(timer);
      void worker.terminate().then(() => resolve());
    };
    const next = (): void => {
      const given = queue.next();
      if (given.done === true || isStopped) {
        end();
        return;
      }
      order = given.value;
      worker.postMessage(order);
    };
    const fail = (what: string): void => {
      const index = Atomics.load(running, 0);
      const last = order;
      clearInterval(timer);
      // Another thread goes on with the rest.
      void worker
        .terminate()
        .then(() => last && lost(last, index, what))
        .then(runWorker)
        .then(resolve);
    };
    const timer = setInterval(() => {
      const index = Atomics.load(running, 0);
      if (index !== seen) [seen, since] = [index, performance.now()];
      else if (index >= 0 && performance.now() - since > stuckMs) fail(`did not end within ${stuckMs} ms`);
    }, checkEveryMs);
    worker.on('message', (result: SliceResult) => {
      results.push(result);
      findings.push(...result.findings);
      heaps.push(result.heapBytes);
      // Every target has been loaded once, and its code compiled.
      const settled = heaps[Math.min(heaps.length - 1, 2 * chosen.length)] ?? 0;
      if (result.heapBytes - settled > allowedGrowth) {
        findings.push({ target: result.target, seed, index: -1, what: `holds ${result.heapBytes} bytes`, input: '' });
      }
      next();
    });
    worker.on('error', (error) => {
      // No mutant was running: the fault is ours.
      if (Atomics.load(running, 0) < 0) reject(error);
      else fail(`ended its thread: ${error.message}`);
    });
    next();
  });
}

const begun = performance.now();
await Promise.all(Array.from({ length: workerCount }, runWorker));
const took = (performance.now() - begun) / 1000;

const sum = (list: readonly SliceResult[], of: (result: SliceResult) => number): number =>
  list.reduce((value, result) => value + of(result), 0);
const share = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
const ofDer = new Set((await Promise.all(chosen.map(openTarget))).filter(({ isDer }) => isDer).map(({ name }) => name));
console.table(
  Object.fromEntries(
    chosen.map((name) => {
      const own = results.filter(({ target }) => target === name);
      const count = sum(own, (result) => result.count);
      return [
        name,
        {
          mutants: count,
          accepted: sum(own, ({ accepted }) => accepted),
          rejected: sum(own, ({ rejected }) => rejected),
          'passed DER': ofDer.has(name)
            ? share(
                sum(own, ({ passedDer }) => passedDer),
                count,
              )
            : '',
          'mutants/s': Math.round(
            (count /
              Math.max(
                1,
                sum(own, ({ ms }) => ms),
              )) *
              1000,
          ),
          'longest, ms': Number(Math.max(0, ...own.map(({ longestMs }) => longestMs)).toFixed(1)),
        },
      ];
    }),
  ),
);

/** What became of the mutants of every field, most frequent first. */
function printTally(): void {
  const all = new Map<string, number>();
  for (const { tally } of results) for (const [key, count] of tally) all.set(key, (all.get(key) ?? 0) + count);
  if (all.size === 0) return;
  const made = [...all.values()].reduce((value, count) => value + count, 0);
  const by = (column: 0 | 1): ReadonlyMap<string, Map<string, number>> => {
    const groups = new Map<string, Map<string, number>>();
    for (const [key, count] of all) {
      const [field = '', outcome = ''] = key.split('\t');
      const [group, other] = column === 0 ? [field, outcome] : [outcome, field];
      const counts = groups.get(group) ?? new Map<string, number>();
      groups.set(group, counts.set(other, (counts.get(other) ?? 0) + count));
    }
    return groups;
  };
  const total = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);
  console.log('\nmutated field: what became of it');
  for (const [field, outcomes] of [...by(0)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const sorted = [...outcomes].sort(([, a], [, b]) => b - a).map(([outcome, count]) => `${outcome} ${count}`);
    console.log(`  ${field.padEnd(34)} ${String(total(outcomes)).padStart(6)}  ${sorted.slice(0, 6).join(' · ')}`);
  }
  console.log('\nshares');
  const shares = new Map<string, number>();
  for (const [outcome, fields] of by(1)) {
    for (const check of outcome.split('+')) shares.set(check, (shares.get(check) ?? 0) + total(fields));
  }
  for (const [check, count] of [...shares].sort(([, a], [, b]) => b - a)) {
    console.log(`  ${check.padEnd(34)} ${String(count).padStart(6)}  ${share(count, made)}`);
  }
}
printTally();

const count = sum(results, (result) => result.count);
console.log(
  `\nseed ${seed}: ${count} mutants in ${took.toFixed(1)} s on ${workerCount} threads, ${findings.length} findings`,
);
for (const { target, index, what, input } of findings) {
  console.log(`\n${target}, seed ${seed}, mutant ${index}: ${what}\n${input}`);
}
if (findings.length > 0) process.exitCode = 1;
