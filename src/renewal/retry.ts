import { CaError } from '../ca/authority.ts';

/** Waits; ends early, with a `CaError('cancelled')`, when the signal is aborted. */
export type Wait = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

/** The real `Wait`. */
export const wait: Wait = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    const cancelled = (): void => {
      clearTimeout(timer);
      reject(new CaError('cancelled', 'waiting was cancelled'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', cancelled);
      resolve();
    }, milliseconds);
    if (signal?.aborted) cancelled();
    else signal?.addEventListener('abort', cancelled, { once: true });
  });

interface Policy {
  readonly tries: number;
  readonly firstDelayMs: number;
  /** What the authority asks for comes on top. */
  readonly longestDelayMs: number;
  /** When the authority asks for more, the run stops and says when to come back. */
  readonly longestAskedMs: number;
}

/** Nobody is told that it takes longer: a person should not sit and watch. */
const unheard: Policy = { tries: 4, firstDelayMs: 1_000, longestDelayMs: 8_000, longestAskedMs: 30_000 };

/**
 * The person sees when the next try is, and may leave it to run for an hour. Tuned by the simulation of a deadline day
 * (tests/bench/deadline-day.ts): everybody is served in little more time than the authority needs for all, and it is asked
 * in vain half as often as with a fixed pause of half a minute.
 */
const queueing: Policy = { tries: 60, firstDelayMs: 4_000, longestDelayMs: 128_000, longestAskedMs: 300_000 };

export interface RetryOptions {
  readonly wait: Wait;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly signal: AbortSignal | undefined;
  /** Told how many milliseconds will pass until a busy authority is asked again. Only who can say so queues there. */
  readonly onWait?: ((milliseconds: number) => void) | undefined;
}

/**
 * Tries an exchange with the authority again while it is unreachable or busy: exponential backoff with full jitter,
 * Retry-After honoured, bounded. Only for exchanges that may be repeated.
 */
export async function withRetry<T>(
  exchange: () => Promise<T>,
  { wait, random, signal, onWait }: RetryOptions,
): Promise<T> {
  // Failures in a row of either kind: an answer, if only 503, shows that the network is there.
  let unheardInARow = 0;
  let busy = 0;
  for (;;) {
    try {
      return await exchange();
    } catch (error) {
      if (!(error instanceof CaError) || !isPassing(error)) throw error;
      // A network that is down does not come back by being waited for: that is said soon.
      const isQueueing = onWait !== undefined && error.code === 'unavailable';
      const policy = isQueueing ? queueing : unheard;
      if (isQueueing) busy++;
      unheardInARow = isQueueing ? 0 : unheardInARow + 1;
      const failures = isQueueing ? busy : unheardInARow;
      const asked = error.retryAfterSeconds === undefined ? 0 : error.retryAfterSeconds * 1_000;
      if (failures >= policy.tries || asked > policy.longestAskedMs) throw error;
      const backoff = Math.min(policy.firstDelayMs * 2 ** (failures - 1), policy.longestDelayMs);
      const delay = asked + random() * backoff;
      if (isQueueing) onWait(delay);
      await wait(delay, signal);
    }
  }
}

/** The request may arrive when it is sent again. */
export const isPassing = (error: CaError): boolean =>
  error.code === 'unreachable' || error.code === 'timeout' || error.code === 'unavailable';
