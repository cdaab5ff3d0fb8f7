import { bytesToHex, concatBytes } from './bytes.ts';
import type { CommandApdu } from './command-apdu.ts';
import { Refusal, statusWords as sw } from './status-words.ts';

export interface Answer {
  readonly data: Uint8Array;
  readonly statusWord: number;
}

const chainBit = 0x10;

/** True when more of the command follows: CLA bit 5 (ISO/IEC 7816-4 §5.3.3). */
export const isChained = ({ cla }: CommandApdu): boolean => (cla & chainBit) !== 0;

/** What a card remembers between the parts of long commands and long answers. A power cut takes it away. */
export class Transmission {
  /** Command data that came with CLA bit 5 set so far. */
  #chain: { readonly header: string; readonly data: Uint8Array } | undefined;
  /** What GET RESPONSE may fetch. */
  #waiting: Answer | undefined;

  /**
   * All data of the chain that ends with, or goes on with, this command.
   * @param maxBytes of the data and a header of nine bytes
   * @throws Refusal 6883 when another command stands where the chain's next part should, 6700 when it grows too long
   */
  join(command: CommandApdu, maxBytes: number): Uint8Array {
    const header = bytesToHex(Uint8Array.of(command.ins, command.p1, command.p2));
    const begun = this.#chain;
    this.#chain = undefined;
    if (begun && begun.header !== header && isChained(command)) throw new Refusal(sw.lastOfChainExpected);
    const data = begun?.header === header ? concatBytes(begun.data, command.data) : command.data;
    if (data.length + 9 > maxBytes) throw new Refusal(sw.wrongLength);
    if (isChained(command)) this.#chain = { header, data };
    return data;
  }

  /** Another command came: the rest of the last answer is gone. */
  drop(): void {
    this.#waiting = undefined;
  }

  /** GET RESPONSE (ISO/IEC 7816-4 §7.6.1). @throws Refusal 6985 when nothing waits */
  getResponse(command: CommandApdu): Answer {
    if (command.p1 !== 0 || command.p2 !== 0) throw new Refusal(sw.wrongP1P2);
    const waiting = this.#waiting;
    if (!waiting) throw new Refusal(sw.conditionsNotSatisfied);
    if (command.expected === undefined || command.data.length > 0) throw new Refusal(sw.wrongLength);
    this.#waiting = undefined;
    return waiting;
  }

  /** Cuts an answer to what the host takes and keeps the rest for GET RESPONSE (ISO/IEC 7816-4 §5.3.4). */
  fit({ data, statusWord }: Answer, expected: number): Uint8Array {
    if (data.length <= expected) return concatBytes(data, statusBytes(statusWord));
    const rest = data.slice(expected);
    this.#waiting = { data: rest, statusWord };
    const remaining = rest.length > 0xff ? 0 : rest.length;
    return concatBytes(data.slice(0, expected), statusBytes(sw.bytesRemaining | remaining));
  }
}

const statusBytes = (statusWord: number): Uint8Array => Uint8Array.of(statusWord >> 8, statusWord & 0xff);
