import { parentPort, workerData } from 'node:worker_threads';
import { runSlice } from './slice.ts';
import type { Target } from './target.ts';
import { openTarget } from './targets.ts';

export interface Order {
  readonly target: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

/** What a worker shares: the number of the mutant that is running, or −1, and how often one has begun to. */
const running = new Int32Array(workerData as SharedArrayBuffer);
const watch = (index: number): void => {
  Atomics.store(running, 0, index);
  Atomics.add(running, 1, 1);
};
const targets = new Map<string, Promise<Target>>();

async function work({ target: name, seed, from, to }: Order): Promise<void> {
  const opening = targets.get(name) ?? openTarget(name);
  targets.set(name, opening);
  const result = await runSlice(await opening, seed, from, to, { watch });
  parentPort?.postMessage(result);
}

parentPort?.on('message', (order: Order) => void work(order));
