/*
 * Mutants through everything that reads bytes from outside:
 *
 *   npx tsx tests/fuzz/main.ts [--target NAME,NAME…] [--except NAME,NAME…]
 *       [--count N | --time SECONDS | --each SECONDS] [--seed S] [--workers N] [--json FILE]
 *
 * Without `--target`: all readers. `--target acceptance`: answers of an authority, changed and protected anew by its own
 * key. `--count`: mutants of all targets together, 1 000 000 unless told (20 000 for acceptance alone); `--time`: seconds
 * for all together, in turn; `--each`: seconds for each target, one after the other.
 * A reader returns a value or throws the error of its room; anything else, more than a second of its own time, or memory
 * that is not given back, is a finding, printed with what makes it again, and the exit status is 1.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { toHex } from '../../src/pki/bytes.ts';
import { orders, type Amount } from './orders.ts';
import { mutant, type Finding, type SliceResult } from './slice.ts';
import { stuckWatch } from './stuck.ts';
import { summarise, summaryText, type Summary } from './summary.ts';
import { acceptanceName, chooseTargets, openTarget, readingTargets } from './targets.ts';
import type { Order } from './worker.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string' },
    time: { type: 'string' },
    each: { type: 'string' },
    seed: { type: 'string' },
    target: { type: 'string' },
    except: { type: 'string' },
    workers: { type: 'string' },
    json: { type: 'string' },
  },
});
function misused(what: string): never {
  console.error(what);
  process.exit(2);
}
function numberOf(text: string | undefined, otherwise: number): number {
  const number = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  return misused(`not a positive whole number: ${text ?? ''}`);
}

const readers = readingTargets().map(({ name }) => name);
const { chosen, unknown } = chooseTargets(readers, values);
if (unknown.length > 0)
  misused(`no target ${unknown.join(', ')}; there are ${[...readers, acceptanceName].join(', ')}`);
if (chosen.length === 0) misused('no target is left');
if ([values.count, values.time, values.each].filter((given) => given !== undefined).length > 1) {
  misused('one of --count, --time and --each');
}
const seed = values.seed === undefined ? Date.now() % 1_000_000_007 : numberOf(values.seed, 1);
const usualCount = chosen.every((name) => name === acceptanceName) ? 20_000 : 1_000_000;
const amount: Amount =
  values.time !== undefined
    ? { kind: 'time', seconds: numberOf(values.time, 60) }
    : values.each !== undefined
      ? { kind: 'each', seconds: numberOf(values.each, 60) }
      : { kind: 'count', count: numberOf(values.count, usualCount) };
const workerCount = numberOf(values.workers, availableParallelism());

/** A mutant that runs this long will not end. */
const stuckMs = 20_000;
const checkEveryMs = 500;
/** What a worker may hold on to after a slice beyond what it held after its second one of that target, bytes. */
const allowedGrowth = 64 * 1024 * 1024;
const maxHeapMb = 768;

const results: SliceResult[] = [];
const findings: Finding[] = [];
const queue = orders(chosen, amount, seed);
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
    const shared = new SharedArrayBuffer(8);
    const running = new Int32Array(shared);
    running[0] = -1;
    const worker = new Worker(startWorker, {
      eval: true,
      workerData: shared,
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    });
    const heaps = new Map<string, number[]>();
    let order: Order | undefined;
    const isStuck = stuckWatch(stuckMs);
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
      const [index, beats] = [Atomics.load(running, 0), Atomics.load(running, 1)];
      if (isStuck(index, beats, performance.now())) fail(`did not end within ${stuckMs} ms`);
    }, checkEveryMs);
    worker.on('message', (result: SliceResult) => {
      results.push(result);
      findings.push(...result.findings);
      const own = heaps.get(result.target) ?? [];
      heaps.set(result.target, own);
      own.push(result.heapBytes);
      // By its second slice it has been loaded and its code compiled.
      const settled = own[1] ?? result.heapBytes;
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
const seconds = Number(((performance.now() - begun) / 1000).toFixed(1));

const opened = await Promise.all(chosen.map(openTarget));
const summary: Summary = {
  seed,
  node: process.version,
  threads: workerCount,
  seconds,
  mutants: results.reduce((value, { count }) => value + count, 0),
  targets: Object.fromEntries(
    opened.map(({ name, gate }) => [
      name,
      summarise(
        results.filter(({ target }) => target === name),
        gate?.name,
        findings.filter(({ target }) => target === name),
      ),
    ]),
  ),
  findings,
};
console.log(summaryText(summary));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(summary, undefined, 2)}\n`);
if (findings.length > 0) process.exitCode = 1;
