import { TransportError } from '../apdu/channel.ts';
import { transferErrorFrom } from './browser-errors.ts';
import { asError, cancelled, disconnected, type Limits } from './deadline.ts';

/** One exchange's leave to use a device, or a part of it. */
export interface Turn {
  /** Once it is, what still runs for the exchange must do nothing more: a call into a device cannot be cancelled. */
  readonly over: boolean;
  /** The silence after which it is given up, milliseconds. */
  readonly timeoutMs: number;
  /** Starts the silence anew. @param timeoutMs once another length than its own */
  restart(timeoutMs?: number): void;
  /**
   * Runs something with a shorter patience of its own, which does not count as silence.
   * @throws TransportError `timeout` when that is over first; else what `work` rejects with
   */
  part<T>(timeoutMs: number, work: (part: Turn) => Promise<T>): Promise<T>;
}

/** @throws TransportError `cancelled`, which nobody hears, when the exchange was given up */
export function stopIfOver(turn: Turn): void {
  if (turn.over) throw new TransportError('cancelled', 'the exchange was given up');
}

/** Waits. @throws TransportError `cancelled`, which nobody hears, when the exchange was given up meanwhile */
export async function pause(milliseconds: number, turn: Turn): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  stopIfOver(turn);
}

class RunningTurn implements Turn {
  readonly timeoutMs: number;
  readonly #giveUp: (error: TransportError) => void;
  readonly #whole: Turn | undefined;
  readonly #onTimeout = () => {
    this.end();
    this.#giveUp(new TransportError('timeout', 'the device did not answer in time'));
  };
  #timer: ReturnType<typeof setTimeout>;
  #ended = false;

  constructor(timeoutMs: number, giveUp: (error: TransportError) => void, whole?: Turn) {
    this.timeoutMs = timeoutMs;
    this.#giveUp = giveUp;
    this.#whole = whole;
    this.#timer = setTimeout(this.#onTimeout, timeoutMs);
  }

  get over(): boolean {
    return this.#ended || this.#whole?.over === true;
  }

  restart(timeoutMs = this.timeoutMs): void {
    if (this.over) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onTimeout, timeoutMs);
  }

  async part<T>(timeoutMs: number, work: (part: Turn) => Promise<T>): Promise<T> {
    const patienceMs = Math.min(timeoutMs, this.timeoutMs);
    this.restart(patienceMs + this.timeoutMs);
    try {
      return await new Promise<T>((resolve, reject) => {
        const part = new RunningTurn(patienceMs, reject, this);
        work(part)
          .then(resolve, (error: unknown) => reject(asError(error)))
          .finally(() => part.end());
      });
    } finally {
      this.restart();
    }
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }
}

/** Takes exchanges with one device in turn: one at a time, each under one deadline for all the calls it makes. */
export class Turns {
  readonly #gone: AbortSignal;
  #current: RunningTurn | undefined;
  #giveUp: ((error: TransportError) => void) | undefined;

  /** @param gone aborted with its `TransportError('disconnected')` once the device is gone */
  constructor(gone: AbortSignal) {
    this.#gone = gone;
    gone.addEventListener('abort', () => this.#giveUp?.(disconnected()));
  }

  /**
   * Settles like `work`, unless the device goes, the caller aborts or the time is over first; what was over before it
   * began does nothing.
   * @throws TransportError `disconnected`, `cancelled`, `timeout`, or `busy` when another is running; else what the error
   *   that `work` rejects with means
   */
  async take<T>({ timeoutMs, signal }: Omit<Limits, 'gone'>, work: (turn: Turn) => Promise<T>): Promise<T> {
    if (this.#gone.aborted) throw disconnected();
    if (this.#current) throw new TransportError('busy', 'another exchange is running');
    if (signal?.aborted) throw cancelled();
    // Whoever gives up because the device went may do so before we hear of it.
    const onAbort = () => this.#giveUp?.(this.#gone.aborted ? disconnected() : cancelled());
    signal?.addEventListener('abort', onAbort);
    let failure: unknown;
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#giveUp = reject;
        this.#current = new RunningTurn(timeoutMs, reject);
        work(this.#current).then(resolve, (error: unknown) => reject(asError(error)));
      });
    } catch (error) {
      failure = error;
    } finally {
      this.#end();
      signal?.removeEventListener('abort', onAbort);
    }
    throw await transferErrorFrom(failure, this.#gone);
  }

  #end(): void {
    this.#current?.end();
    this.#current = undefined;
    this.#giveUp = undefined;
  }
}
