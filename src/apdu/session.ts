import { concatBytes } from './bytes.ts';
import { type ApduChannel, TransportError } from './channel.ts';
import {
  chainCommand,
  type CommandApdu,
  encodeCommand,
  fitsShort,
  type LengthForm,
  maxCommandData,
  neAll,
} from './command.ts';
import { maxResponseBytes, parseResponse, type ResponseApdu } from './response.ts';
import { swSuccess } from './status-words.ts';

/** One APDU on the wire, as far as a report may know it: never data, which may be a proof or a certificate. */
export interface TraceEntry {
  readonly ins: number;
  readonly sw: number;
}

export interface ApduSessionOptions {
  /**
   * `whenNeeded`: extended-length APDUs only for what no short one can carry. `wherePossible`: all of them on a wire
   * that can, as GM/T 0017 keys expect.
   */
  readonly extendedLength: 'whenNeeded' | 'wherePossible';
  readonly trace?: ((entry: TraceEntry) => void) | undefined;
}

export interface ExchangeOptions {
  /** Milliseconds of silence of one APDU after which the exchange is given up; `commandTimeoutMs` has them by kind. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const insGetResponse = 0xc0;
/** Four times what the longest response takes in pieces of 256 bytes: some keys give less at a time. */
const maxGetResponses = 1024;

/**
 * Commands in, responses out: chooses the APDU's form, chains what does not fit, collects 61xx and answers 6Cxx
 * (ISO/IEC 7816-4 §5.1, §5.6, §7.6.1). One exchange at a time.
 */
export class ApduSession {
  readonly #channel: ApduChannel;
  readonly #options: ApduSessionOptions;
  #busy = false;

  constructor(channel: ApduChannel, options: ApduSessionOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  get gone(): AbortSignal {
    return this.#channel.gone;
  }

  /**
   * Sends a command and returns its whole response with the final status word, whatever that is. An Ne larger than the
   * wire's form can say becomes "all that is there".
   * @throws TransportError what the channel throws; `busy` when another exchange is running; `malformed` when the key
   *   announces more without ever sending it
   * @throws CommandApduError when the command cannot be encoded
   */
  async exchange(command: CommandApdu, options: ExchangeOptions): Promise<ResponseApdu> {
    if (this.#busy) throw new TransportError('busy', 'another exchange with this key is running');
    this.#busy = true;
    try {
      const { form, links } = this.#plan(command);
      for (const link of links.slice(0, -1)) {
        const response = await this.#send(link, form, options);
        // A refusal in the middle of a chain ends it: ISO/IEC 7816-4 §5.1.1.1.
        if (response.sw !== swSuccess) return response;
      }
      return await this.#collect(links.at(-1) ?? command, form, options);
    } finally {
      this.#busy = false;
    }
  }

  /** Releases the device. Never throws. */
  async close(): Promise<void> {
    await this.#channel.close();
  }

  #plan(command: CommandApdu): { form: LengthForm; links: readonly CommandApdu[] } {
    const { apduLevel, maxCommandBytes } = this.#channel;
    const wantsExtended = this.#options.extendedLength === 'wherePossible' || !fitsShort(command);
    const form: LengthForm = apduLevel === 'extended' && wantsExtended ? 'extended' : 'short';
    const ne = command.ne === undefined ? undefined : Math.min(command.ne, neAll[form]);
    // Around the data stand the header and at most Lc and Le: 4 + 1 + 1 bytes, or 4 + 3 + 2.
    const overhead = form === 'short' ? 6 : 9;
    return {
      form,
      links: chainCommand({ ...command, ne }, Math.min(maxCommandData[form], maxCommandBytes - overhead)),
    };
  }

  async #send(command: CommandApdu, form: LengthForm, options: ExchangeOptions): Promise<ResponseApdu> {
    const bytes = encodeCommand(command, form);
    try {
      const answer = await this.#channel.transmit(bytes, options);
      const response = parseResponse(answer);
      // A key that keeps its management key behind the password answers with it: one copy is enough to clear.
      answer.fill(0);
      this.#options.trace?.({ ins: command.ins, sw: response.sw });
      return response;
    } finally {
      // It may hold a password. No channel keeps it beyond its call.
      bytes.fill(0);
    }
  }

  async #collect(command: CommandApdu, form: LengthForm, options: ExchangeOptions): Promise<ResponseApdu> {
    let response = await this.#sendWithLe(command, form, options);
    const parts = [response.data];
    let total = response.data.length;
    for (let rounds = 0; response.sw >> 8 === 0x61; rounds++) {
      const getResponse = { cla: 0, ins: insGetResponse, p1: 0, p2: 0, ne: response.sw & 0xff || neAll.short };
      response = await this.#sendWithLe(getResponse, 'short', options);
      total += response.data.length;
      if (total > maxResponseBytes - 2) throw new TransportError('malformed', 'more response data than Ne can ask for');
      const endless = response.data.length === 0 || rounds >= maxGetResponses;
      if (response.sw >> 8 === 0x61 && endless) {
        throw new TransportError('malformed', 'the key announces response data that never ends');
      }
      parts.push(response.data);
    }
    if (parts.length === 1) return response;
    const data = concatBytes(...parts);
    for (const part of parts) part.fill(0);
    return { data, sw: response.sw };
  }

  /** 6Cxx: nothing was done, the right Le is xx. Once, and only for a command that had an Le to be wrong. */
  async #sendWithLe(command: CommandApdu, form: LengthForm, options: ExchangeOptions): Promise<ResponseApdu> {
    const response = await this.#send(command, form, options);
    if (response.sw >> 8 !== 0x6c || command.ne === undefined) return response;
    return this.#send({ ...command, ne: response.sw & 0xff || neAll.short }, form, options);
  }
}
