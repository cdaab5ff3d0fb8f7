import { acceptanceName } from './targets.ts';
import type { Order } from './worker.ts';

/** How many mutants, or how long. */
export type Amount =
  /** Of all targets together. */
  | { readonly kind: 'count'; readonly count: number }
  /** Seconds for all targets together, in turn. */
  | { readonly kind: 'time'; readonly seconds: number }
  /** Seconds for each target, one after the other. */
  | { readonly kind: 'each'; readonly seconds: number };

/** Short enough that the time is kept, where that is what counts. */
const sliceLengths = { count: 2500, time: 500, each: 500 } as const;
const costlyLength = 100;
/** A mutant of these costs a signature or two. */
export const costly: readonly string[] = [acceptanceName, 'content-pack', 'lying-skf', 'lying-piv'];

/**
 * Slices of the targets, as long as there is something to do.
 * @param now milliseconds that go on while slices are worked on
 */
export function* orders(
  targets: readonly string[],
  amount: Amount,
  seed: number,
  now: () => number = () => performance.now(),
): Generator<Order, void> {
  const lengthOf = (target: string): number => (costly.includes(target) ? costlyLength : sliceLengths[amount.kind]);
  if (amount.kind === 'each') {
    for (const target of targets) {
      const ends = now() + amount.seconds * 1000;
      const length = lengthOf(target);
      for (let from = 0; now() < ends; from += length) yield { target, seed, from, to: from + length };
    }
    return;
  }
  const ends = amount.kind === 'time' ? now() + amount.seconds * 1000 : Infinity;
  const each = amount.kind === 'count' ? Math.ceil(amount.count / targets.length) : Infinity;
  const reached = new Map(targets.map((target): [string, number] => [target, 0]));
  for (let isDone = false; !isDone;) {
    isDone = true;
    for (const target of targets) {
      const from = reached.get(target) ?? 0;
      if (from >= each) continue;
      if (now() >= ends) return;
      isDone = false;
      const to = Math.min(from + lengthOf(target), each);
      reached.set(target, to);
      yield { target, seed, from, to };
    }
  }
}
