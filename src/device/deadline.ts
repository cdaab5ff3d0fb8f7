import { TransportError } from '../apdu/channel.ts';

export interface Limits {
  readonly timeoutMs: number;
  /** Aborted with its `TransportError('disconnected')` once the device is gone. */
  readonly gone: AbortSignal;
  readonly signal?: AbortSignal | undefined;
}

/** Why something was given up, in the words of `TransportError`. */
export function disconnected(): TransportError {
  return new TransportError('disconnected', 'the device was unplugged');
}
export function cancelled(): TransportError {
  return new TransportError('cancelled', 'the exchange was cancelled');
}
/** What a call into a device was rejected with, as an error. */
export function asError(reason: unknown): Error {
  return reason instanceof Error
    ? reason
    : new TransportError('failed', 'a device call was rejected', { cause: reason });
}

/**
 * Settles like `work`, unless the device goes, the caller aborts or the time is over first. Calls into a device are
 * always wrapped in it: WebHID's never settle once the device is unplugged.
 * @throws TransportError `disconnected`, `cancelled` or `timeout`; else whatever `work` rejects with
 */
export function within<T>(work: Promise<T>, { timeoutMs, gone, signal }: Limits): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const release = () => {
      clearTimeout(timer);
      gone.removeEventListener('abort', onGone);
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown) => {
      release();
      reject(asError(error));
    };
    const onGone = () => fail(disconnected());
    // Whoever gives up because the device went may do so before we hear of it.
    const onAbort = () => fail(gone.aborted ? disconnected() : cancelled());
    const timer = setTimeout(() => fail(new TransportError('timeout', 'the device did not answer in time')), timeoutMs);
    gone.addEventListener('abort', onGone);
    signal?.addEventListener('abort', onAbort);
    work.then((value) => {
      release();
      resolve(value);
    }, fail);
    if (gone.aborted) onGone();
    else if (signal?.aborted) onAbort();
  });
}

/** Resolves once the signal is aborted, or after the time; never rejects. */
export function abortedWithin(signal: AbortSignal, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', settle);
      resolve(signal.aborted);
    };
    const timer = setTimeout(settle, timeoutMs);
    signal.addEventListener('abort', settle);
    if (signal.aborted) settle();
  });
}
