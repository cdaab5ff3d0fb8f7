import { CaError } from '../../src/ca/authority.ts';
import type { Wait } from '../../src/renewal/retry.ts';
import { Random } from '../fuzz/random.ts';

/** The last day before a filing date: everybody comes at once. */
export interface DeadlineDay {
  /** Who comes, spread evenly over `arrivalSeconds`. */
  readonly people: number;
  readonly arrivalSeconds: number;
  /** Requests that the authority answers in a second. */
  readonly capacity: number;
  /** Requests that wait at the authority; any more get 503. */
  readonly queue: number;
  /** What every other 503 says in Retry-After; the rest say nothing. */
  readonly retryAfterSeconds: number;
}

export const deadlineDay: DeadlineDay = {
  people: 100_000,
  arrivalSeconds: 600,
  capacity: 50,
  queue: 200,
  retryAfterSeconds: 30,
};

/** Sends a request until it is answered, or throws when it gives up. */
export type Client = (
  exchange: () => Promise<void>,
  world: { readonly wait: Wait; readonly random: () => number },
) => Promise<void>;

export interface DeadlineResult {
  /** Seconds from the first arrival to the last success. */
  readonly lastSuccess: number;
  /** The least that is possible: as many seconds as the authority needs for everybody. */
  readonly ideal: number;
  /** Requests in the busiest second. */
  readonly peak: number;
  /** Requests that were answered with 503. */
  readonly wasted: number;
  /** How often somebody was told to come back later, and did. */
  readonly gaveUp: number;
}

/** Events due, the earliest first (a binary heap). */
class Agenda {
  readonly #items: { readonly at: number; readonly happen: () => void }[] = [];

  /** When the next event is due; undefined when nothing is to come. */
  next(): number | undefined {
    return this.#items[0]?.at;
  }

  add(at: number, happen: () => void): void {
    const items = this.#items;
    let index = items.length;
    items.push({ at, happen });
    for (;;) {
      const above = (index - 1) >> 1;
      const [parent, child] = [items[above], items[index]];
      if (index === 0 || !parent || !child || parent.at <= child.at) return;
      items[above] = child;
      items[index] = parent;
      index = above;
    }
  }

  take(): (() => void) | undefined {
    const items = this.#items;
    const [first] = items;
    const last = items.pop();
    if (!first || !last || items.length === 0) return first?.happen;
    items[0] = last;
    for (let index = 0; ;) {
      const left = 2 * index + 1;
      const smaller = (items[left + 1]?.at ?? Infinity) < (items[left]?.at ?? Infinity) ? left + 1 : left;
      const [parent, child] = [items[index], items[smaller]];
      if (!parent || !child || parent.at <= child.at) return first.happen;
      items[index] = child;
      items[smaller] = parent;
      index = smaller;
    }
  }
}

/** What happens within so many milliseconds happens at its end. */
const sliceMs = 5;
/** Somebody who was told to come back later does so within this time. */
const comesBackMs = 120_000;

/** Lets a whole deadline day pass in virtual time. The same seed makes the same day. */
export async function simulate(day: DeadlineDay, client: Client, seed = 1): Promise<DeadlineResult> {
  const { people, arrivalSeconds, capacity, queue, retryAfterSeconds } = day;
  const numbers = new Random(seed, 2, 3);
  const random = (): number => numbers.below(0x1_0000_0000) / 0x1_0000_0000;
  const agenda = new Agenda();
  let now = 0;
  const wait: Wait = (milliseconds) => new Promise((resolve) => agenda.add(now + milliseconds, resolve));

  const perSecond: number[] = [];
  let freeAt = 0;
  let wasted = 0;
  let gaveUp = 0;
  const exchange = async (): Promise<void> => {
    const second = Math.floor(now / 1000);
    perSecond[second] = (perSecond[second] ?? 0) + 1;
    // One more is at work.
    if (freeAt - now > ((queue + 1) * 1000) / capacity) {
      wasted++;
      const says = wasted % 2 === 0 ? { retryAfterSeconds } : {};
      throw new CaError('unavailable', 'HTTP status 503', says);
    }
    freeAt = Math.max(freeAt, now) + 1000 / capacity;
    await wait(freeAt - now);
  };
  const person = async (): Promise<number> => {
    await wait(random() * arrivalSeconds * 1000);
    for (;;) {
      try {
        await client(exchange, { wait, random });
        return now;
      } catch (error) {
        if (!(error instanceof CaError)) throw error;
        gaveUp++;
        await wait(random() * comesBackMs);
      }
    }
  };
  const everybody = Promise.all(Array.from({ length: people }, person));
  for (let due = agenda.next(); due !== undefined; due = agenda.next()) {
    now = Math.max(now, Math.ceil(due / sliceMs) * sliceMs);
    while ((agenda.next() ?? Infinity) <= now) agenda.take()?.();
    // Whatever follows at once, follows before time goes on.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const lastSuccess = (await everybody).reduce((last, at) => Math.max(last, at), 0);
  const peak = perSecond.reduce((most, count) => Math.max(most, count), 0);
  return { lastSuccess: lastSuccess / 1000, ideal: people / capacity, peak, wasted, gaveUp };
}

/** Always the same pause, whatever the authority says: what is done where nobody thought about it. */
export const fixedInterval =
  (seconds: number): Client =>
  async (exchange, { wait }) => {
    for (;;) {
      try {
        await exchange();
        return;
      } catch (error) {
        if (!(error instanceof CaError)) throw error;
        await wait(seconds * 1000);
      }
    }
  };
