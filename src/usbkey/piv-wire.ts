import { chainCommand, type CommandApdu, maxCommandData } from '../apdu/command.ts';
import type { ResponseApdu } from '../apdu/response.ts';
import { swSuccess } from '../apdu/status-words.ts';
import { commandTimeoutMs } from '../apdu/timeouts.ts';
import type { Operations } from './operations.ts';
import { getData, getMetadata, parseObject } from './piv-commands.ts';
import { pivRefusal } from './refusals.ts';
import { KeyError } from './usbkey.ts';

/** Status words of PIV (SP 800-73-4 part 2), and of instructions a key does not know. */
export const status = {
  notVerified: 0x6982,
  notFound: 0x6a82,
  noSuchKey: 0x6a88,
  unknownInstruction: 0x6d00,
  unknownClass: 0x6e00,
} as const;
export const isUnknown = (sw: number): boolean => sw === status.unknownInstruction || sw === status.unknownClass;

/** Exchanges with a PIV key, within operations. */
export class PivWire {
  readonly #operations: Operations;
  /** Whether the key has GET METADATA; undefined until it was asked. */
  #hasMetadata: boolean | undefined;

  constructor(operations: Operations) {
    this.#operations = operations;
  }

  /** Longer commands are chained, which every PIV key knows (part 2, command chaining); extended lengths not all of them do. */
  async exchange(command: CommandApdu, timeoutMs: number = commandTimeoutMs.brief): Promise<ResponseApdu> {
    const links = chainCommand(command, maxCommandData.short);
    for (const link of links.slice(0, -1)) {
      const answer = await this.#operations.exchange(link, timeoutMs);
      if (answer.sw !== swSuccess) return answer;
    }
    return this.#operations.exchange(links.at(-1) ?? command, timeoutMs);
  }

  /** @returns the data of a command that must end with 9000 */
  async run(command: CommandApdu, timeoutMs: number = commandTimeoutMs.brief): Promise<Uint8Array> {
    const { data, sw } = await this.exchange(command, timeoutMs);
    if (sw !== swSuccess) throw pivRefusal(sw, command.ins);
    return data;
  }

  /** GET METADATA. @returns undefined on a key that does not know it */
  async metadata(reference: number): Promise<ResponseApdu | undefined> {
    if (this.#hasMetadata === false) return undefined;
    const answer = await this.exchange(getMetadata(reference));
    this.#hasMetadata = !isUnknown(answer.sw);
    return this.#hasMetadata ? answer : undefined;
  }

  /**
   * The value of an object's tag 53. For objects that tell something about the key, and not what is done with it: what
   * cannot be read is not known.
   */
  async readObject(tag: number): Promise<Uint8Array | 'absent' | 'unreadable'> {
    const { sw, data } = await this.exchange(getData(tag));
    if (sw === status.notFound) return 'absent';
    try {
      return sw === swSuccess ? parseObject(data) : 'unreadable';
    } catch (error) {
      if (error instanceof KeyError) return 'unreadable';
      throw error;
    }
  }
}
