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

const tries = 4;
const firstDelayMs = 1_000;
/** Longer than this a person should not sit and watch: the run stops and says when to come back. */
const longestDelayMs = 30_000;

/**
 * Tries an exchange with the authority again while it is unreachable or busy: exponential backoff with full jitter,
 * Retry-After honoured, bounded. Only for exchanges that may be repeated.
 * @param random uniform in [0, 1)
 */
export async function withRetry<T>(
  exchange: () => Promise<T>,
  { wait, random, signal }: { wait: Wait; random: () => number; signal: AbortSignal | undefined },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await exchange();
    } catch (error) {
      if (!(error instanceof CaError) || !isPassing(error) || attempt === tries) throw error;
      const asked = error.retryAfterSeconds === undefined ? 0 : error.retryAfterSeconds * 1_000;
      if (asked > longestDelayMs) throw error;
      await wait(asked + random() * firstDelayMs * 2 ** (attempt - 1), signal);
    }
  }
}

/** The request may arrive when it is sent again. */
export const isPassing = (error: CaError): boolean =>
  error.code === 'unreachable' || error.code === 'timeout' || error.code === 'unavailable';
