import { type ApduChannel, TransportError, type TransmitOptions } from '../../../src/apdu/channel.ts';

/** A wire whose far end is a function: what a key would answer to each command, or an error to end the exchange with. */
export class ScriptedChannel implements ApduChannel {
  readonly apduLevel: ApduChannel['apduLevel'];
  readonly maxCommandBytes: number;
  readonly sent: Uint8Array[] = [];
  readonly options: TransmitOptions[] = [];
  closed = false;
  readonly #unplug = new AbortController();
  readonly #answer: (command: Uint8Array) => Uint8Array | Error | Promise<Uint8Array>;

  constructor(
    answer: (command: Uint8Array) => Uint8Array | Error | Promise<Uint8Array>,
    {
      apduLevel = 'extended',
      maxCommandBytes = 65_544,
    }: Partial<Pick<ApduChannel, 'apduLevel' | 'maxCommandBytes'>> = {},
  ) {
    this.#answer = answer;
    this.apduLevel = apduLevel;
    this.maxCommandBytes = maxCommandBytes;
  }

  get gone(): AbortSignal {
    return this.#unplug.signal;
  }

  unplug(): void {
    this.#unplug.abort(new TransportError('disconnected', 'unplugged'));
  }

  async transmit(command: Uint8Array, options: TransmitOptions): Promise<Uint8Array> {
    if (options.signal?.aborted) throw new TransportError('cancelled', 'cancelled');
    this.sent.push(command.slice());
    this.options.push(options);
    const answer = await this.#answer(command);
    if (answer instanceof Error) throw answer;
    return answer.slice();
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}
