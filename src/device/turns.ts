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

/**
 * Waits; not at all for 0.
 * @throws TransportError `cancelled`, which nobody hears, when the exchange was given up meanwhile
 */
export async function pause(milliseconds: number, turn: Turn): Promise<void> {
  if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds));
  stopIfOver(turn);
}

/**
 * A deadline that is moved far more often than it is reached. Its timer is left running when the deadline moves away, and
 * looks again when it rings: setting and clearing one for every exchange costs more than the rest of the exchange.
 */
class Deadline {
  readonly #onReached: () => void;
  #at = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ringsAt = Infinity;

  constructor(onReached: () => void) {
    this.#onReached = onReached;
  }

  set(timeoutMs: number): void {
    this.#at = performance.now() + timeoutMs;
    if (this.#ringsAt > this.#at) this.#ringIn(timeoutMs);
  }

  lift(): void {
    this.#at = Infinity;
  }

  stop(): void {
    this.lift();
    clearTimeout(this.#timer);
    this.#ringsAt = Infinity;
  }

  #ringIn(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onRing, milliseconds);
    this.#ringsAt = performance.now() + milliseconds;
  }

  readonly #onRing = () => {
    this.#ringsAt = Infinity;
    const left = this.#at - performance.now();
    if (left === Infinity) return;
    if (left > 0) {
      this.#ringIn(left);
    } else {
      this.lift();
      this.#onReached();
    }
  };
}

class RunningTurn implements Turn {
  readonly timeoutMs: number;
  readonly #deadline: Deadline;
  readonly #onGivenUp: (error: unknown) => void;
  readonly #whole: Turn | undefined;
  #ended = false;

  /** @param onGivenUp hears once why it ended early */
  constructor(timeoutMs: number, deadline: Deadline, onGivenUp: (error: unknown) => void, whole?: Turn) {
    this.timeoutMs = timeoutMs;
    this.#deadline = deadline;
    this.#onGivenUp = onGivenUp;
    this.#whole = whole;
    deadline.set(timeoutMs);
  }

  get over(): boolean {
    return this.#ended || this.#whole?.over === true;
  }

  restart(timeoutMs = this.timeoutMs): void {
    if (!this.over) this.#deadline.set(timeoutMs);
  }

  async part<T>(timeoutMs: number, work: (part: Turn) => Promise<T>): Promise<T> {
    const patienceMs = Math.min(timeoutMs, this.timeoutMs);
    let part: RunningTurn | undefined;
    const deadline = new Deadline(() => part?.giveUp(timeout()));
    this.restart(patienceMs + this.timeoutMs);
    try {
      return await new Promise<T>((resolve, reject) => {
        part = new RunningTurn(patienceMs, deadline, reject, this);
        work(part).then(resolve, (error: unknown) => reject(asError(error)));
      });
    } finally {
      part?.end();
      deadline.stop();
      this.restart();
    }
  }

  /** @returns false when it had ended before */
  end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#deadline.lift();
    return true;
  }

  giveUp(error: unknown): void {
    if (this.end()) this.#onGivenUp(error);
  }
}

/** Takes exchanges with one device in turn: one at a time, each under one deadline for all the calls it makes. */
export class Turns {
  readonly #gone: AbortSignal;
  readonly #deadline = new Deadline(() => this.#current?.giveUp(timeout()));
  #current: RunningTurn | undefined;
  /** The caller's signal of the current exchange. */
  #signal: AbortSignal | undefined;
  /** The signal listened to: a caller has the same for all its exchanges, so it is not taken up anew for each. */
  #heeded: AbortSignal | undefined;

  /** @param gone aborted with its `TransportError('disconnected')` once the device is gone */
  constructor(gone: AbortSignal) {
    this.#gone = gone;
    gone.addEventListener('abort', () => this.#current?.giveUp(disconnected()));
  }

  /**
   * Settles like `work`, unless the device goes, the caller aborts or the time is over first; what was over before it
   * began does nothing.
   * @throws TransportError `disconnected`, `cancelled`, `timeout`, or `busy` when another is running; else what the error
   *   that `work` rejects with means
   */
  take<T>({ timeoutMs, signal }: Omit<Limits, 'gone'>, work: (turn: Turn) => Promise<T>): Promise<T> {
    if (this.#gone.aborted) return Promise.reject(disconnected());
    if (this.#current?.over === false) {
      return Promise.reject(new TransportError('busy', 'another exchange is running'));
    }
    if (signal?.aborted) return Promise.reject(cancelled());
    this.#signal = signal;
    if (signal && signal !== this.#heeded) this.#heed(signal);
    return new Promise<T>((resolve, reject) => {
      const turn = new RunningTurn(timeoutMs, this.#deadline, (error) => {
        transferErrorFrom(error, this.#gone).then(reject, reject);
      });
      this.#current = turn;
      work(turn).then(
        (value) => {
          if (turn.end()) resolve(value);
        },
        (error: unknown) => turn.giveUp(error),
      );
    });
  }

  /** Gives up what runs, because the device is being closed; there are no exchanges after this. */
  stop(): void {
    this.#current?.giveUp(cancelled());
    this.#deadline.stop();
    this.#heed(undefined);
  }

  #heed(signal: AbortSignal | undefined): void {
    this.#heeded?.removeEventListener('abort', this.#onAbort);
    this.#heeded = signal;
    signal?.addEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = ({ target }: Event) => {
    // Whoever gives up because the device went may do so before we hear of it.
    if (target === this.#signal) this.#current?.giveUp(this.#gone.aborted ? disconnected() : cancelled());
  };
}

function timeout(): TransportError {
  return new TransportError('timeout', 'the device did not answer in time');
}
