import { TransportError } from '../apdu/channel.ts';
import type { CommandApdu } from '../apdu/command.ts';
import type { ResponseApdu } from '../apdu/response.ts';
import type { ApduSession } from '../apdu/session.ts';
import { commandTimeoutMs } from '../apdu/timeouts.ts';

/** What a driver does with its key: one operation after the other, until the key is closed. */
export class Operations {
  readonly #session: ApduSession;
  readonly #closing = new AbortController();
  #tail: Promise<unknown> = Promise.resolve();

  /** @param session of a channel that is open, and of no other use meanwhile */
  constructor(session: ApduSession) {
    this.#session = session;
  }

  /** Aborted once the device is gone. */
  get gone(): AbortSignal {
    return this.#session.gone;
  }

  /** The key is gone, or about to be closed: nothing more can be asked of it. */
  get over(): boolean {
    return this.gone.aborted || this.#closing.signal.aborted;
  }

  /** One operation after the other, so that what one has opened or selected never meets another's. */
  serially<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(() => {
      if (this.#closing.signal.aborted) throw new TransportError('disconnected', 'the key is closed');
      return operation();
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** One command within an operation. @param timeoutMs milliseconds of silence */
  exchange(command: CommandApdu, timeoutMs: number): Promise<ResponseApdu> {
    return this.#session.exchange(command, { timeoutMs, signal: this.#closing.signal });
  }

  /**
   * Ends what is running with `cancelled`, so that a key waiting for its button does not hold up the page, and releases
   * the device.
   * @param farewell the last commands, each with the given patience; not sent to a device that is gone
   */
  async close(farewell: (exchange: (command: CommandApdu) => Promise<ResponseApdu>) => Promise<void>): Promise<void> {
    this.#closing.abort();
    await this.#tail;
    const exchange = (command: CommandApdu) => this.#session.exchange(command, { timeoutMs: commandTimeoutMs.closing });
    if (!this.gone.aborted) await farewell(exchange).catch(() => undefined);
    await this.#session.close();
  }
}
