import { concatBytes } from '../apdu/bytes.ts';
import { TransportError } from '../apdu/channel.ts';
import { maxResponseBytes } from '../apdu/response.ts';
import {
  type Block,
  type BlockFault,
  decodeBlock,
  encodeBlock,
  maxInformationBytes,
  type SupervisoryRequest,
} from './tpdu-t1-block.ts';
import type { Turn } from './turns.ts';

/**
 * Sends one block and receives the next.
 * @param waiting by how much the chip may take longer than usual, this time: 0 or 1 not at all
 * @returns undefined when none came, or one with a parity error
 */
export type TransferBlock = (block: Uint8Array, waiting: number, turn: Turn) => Promise<Uint8Array | undefined>;

/** ISO/IEC 7816-3 §11.4.2, before anything else is agreed. */
const defaultInformationBytes = 32;
/** ISO/IEC 7816-3 §11.6.3.2: one try and two repetitions, of asking as of being asked. */
const maxTries = 3;
/** Waiting time extensions and changes of IFSC in one exchange. */
const maxRequests = 512;
const maxExtendedTimeoutMs = 60_000;

/**
 * The host's end of T=1 (ISO/IEC 7816-3 §11): block numbers, chaining both ways, repetition, waiting time extension,
 * resynchronisation. What was lost for good is never sent again from here, for the chip may have carried it out.
 */
export class T1Link {
  readonly #transfer: TransferBlock;
  readonly #initialIfsc: number;
  readonly #ifsd: number;
  readonly #readerAnnounces: boolean;
  /** The longest information field that the chip can receive. */
  #ifsc: number;
  /** Whether the chip knows what we can receive. */
  #announced: boolean;
  /** N(S) of the next I-block, ours and the chip's. */
  #ours: 0 | 1 = 0;
  #theirs: 0 | 1 = 0;
  /** Whether the last exchange has come to its end, so that both ends agree on the numbers. */
  #clean = true;
  #broken = false;

  /**
   * @param ifsc from the answer to reset
   * @param ifsd what the reader can receive in one block, 32 to 254
   * @param readerAnnounces whether the reader tells the chip its IFSD
   */
  constructor(transfer: TransferBlock, ifsc: number, ifsd: number, readerAnnounces: boolean) {
    this.#transfer = transfer;
    this.#initialIfsc = this.#ifsc = ifsc;
    this.#ifsd = Math.min(ifsd, maxInformationBytes);
    this.#readerAnnounces = readerAnnounces;
    this.#announced = readerAnnounces || ifsd === defaultInformationBytes;
  }

  /** Whether even resynchronising has failed: only a reset of the chip helps. */
  get broken(): boolean {
    return this.#broken;
  }

  /**
   * Sends a command APDU and returns the response APDU.
   * @throws TransportError `failed` when blocks were lost for good or the chip aborts; `malformed` for blocks that lead
   *   nowhere
   */
  async exchange(command: Uint8Array, turn: Turn): Promise<Uint8Array> {
    if (!this.#clean) await this.#resynchronise(turn);
    if (!this.#announced) await this.#announceIfsd(turn);
    this.#clean = false;
    const chain = new OutgoingChain(command);
    try {
      const response = await this.#converse(chain, turn);
      this.#clean = true;
      return response;
    } finally {
      chain.clear();
    }
  }

  async #converse(chain: OutgoingChain, turn: Turn): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let received = 0;
    let toSend = chain.next(this.#ours, this.#ifsc);
    let waiting = 0;
    for (let faults = 0, repeats = 0, requests = 0; ;) {
      const block = await this.#send(toSend, waiting, turn);
      waiting = 0;
      if (typeof block === 'object' && block.kind === 'S' && isRequestOfChip(block)) {
        if (++requests > maxRequests) throw new TransportError('timeout', 'waiting time extensions without end');
        toSend = encodeBlock({ ...block, response: true });
        if (block.what === 'abort') {
          await this.#send(toSend, 0, turn);
          throw await this.#lost(turn);
        }
        if (block.what === 'ifs') this.#ifsc = block.value;
        if (block.what === 'wtx') {
          waiting = block.value;
          turn.restart(Math.min(Math.max(turn.timeoutMs, turn.timeoutMs * block.value), maxExtendedTimeoutMs));
        }
        continue;
      }
      if (typeof block === 'object' && block.kind === 'R' && chain.goesOn && block.nr !== this.#ours) {
        this.#ours = flip(this.#ours);
        toSend = chain.next(this.#ours, this.#ifsc);
        faults = repeats = 0;
        turn.restart();
        continue;
      }
      if (typeof block === 'object' && block.kind === 'I' && !chain.goesOn && block.ns === this.#theirs) {
        if (!chain.acknowledged) this.#ours = flip(this.#ours);
        chain.acknowledged = true;
        this.#theirs = flip(this.#theirs);
        received += block.information.length;
        parts.push(block.information);
        if (received > maxResponseBytes || (block.more && block.information.length === 0)) {
          throw new TransportError('malformed', 'a T=1 response without end');
        }
        if (!block.more) return concatBytes(...parts);
        toSend = encodeBlock({ kind: 'R', nr: this.#theirs, error: 'none' });
        faults = repeats = 0;
        turn.restart();
        continue;
      }
      const isReceipt = typeof block === 'object' && block.kind === 'R';
      // Nothing that leads on: either a block that can be understood, and asks for ours again, or none.
      faults = isReceipt ? 0 : faults + 1;
      repeats = isReceipt ? repeats + 1 : repeats;
      if (faults >= maxTries || repeats >= maxTries) throw await this.#lost(turn);
      const wantsOurs = isReceipt && block.nr === this.#ours && !chain.acknowledged;
      const error = block === 'check' ? 'check' : 'other';
      toSend = wantsOurs ? chain.current : encodeBlock({ kind: 'R', nr: this.#theirs, error });
    }
  }

  async #send(bytes: Uint8Array, waiting: number, turn: Turn): Promise<Block | BlockFault> {
    const arrived = await this.#transfer(bytes, waiting, turn);
    return arrived ? decodeBlock(arrived) : 'other';
  }

  /** S(IFS request), §11.6.2.3. A chip that does not understand it goes on with what it had. */
  async #announceIfsd(turn: Turn): Promise<void> {
    this.#announced = true;
    await this.#request('ifs', this.#ifsd, turn);
  }

  /** S(RESYNCH request), §11.6.3.2: both ends begin anew. */
  async #resynchronise(turn: Turn): Promise<void> {
    this.#broken = !(await this.#request('resynch', 0, turn));
    if (this.#broken) throw new TransportError('failed', 'the chip does not resynchronise');
    this.#clean = true;
    this.#ours = this.#theirs = 0;
    this.#ifsc = this.#initialIfsc;
    this.#announced = this.#readerAnnounces || this.#ifsd === defaultInformationBytes;
  }

  /** @returns whether the chip has answered it */
  async #request(what: SupervisoryRequest, value: number, turn: Turn): Promise<boolean> {
    const request = encodeBlock({ kind: 'S', what, response: false, value });
    for (let tries = 0; tries < maxTries; tries++) {
      const block = await this.#send(request, 0, turn);
      if (typeof block === 'object' && block.kind === 'S' && block.what === what && block.response) return true;
    }
    return false;
  }

  /** What is thrown when blocks were lost for good, after both ends have begun anew if they can. */
  async #lost(turn: Turn): Promise<TransportError> {
    await this.#resynchronise(turn);
    return new TransportError('failed', 'blocks between reader and chip were lost');
  }
}

/** A command on its way in I-blocks. */
class OutgoingChain {
  readonly #command: Uint8Array;
  readonly #blocks: Uint8Array[] = [];
  #sent = 0;
  /** Whether the chip has answered the last block. */
  acknowledged = false;

  constructor(command: Uint8Array) {
    this.#command = command;
  }

  /** Whether blocks are left after the current one. */
  get goesOn(): boolean {
    return this.#sent < this.#command.length;
  }

  /** The block under way. */
  get current(): Uint8Array {
    return this.#blocks.at(-1) ?? new Uint8Array(0);
  }

  next(ns: 0 | 1, ifsc: number): Uint8Array {
    const information = this.#command.subarray(this.#sent, this.#sent + ifsc);
    this.#sent += information.length;
    const block = encodeBlock({ kind: 'I', ns, more: this.goesOn, information });
    this.#blocks.push(block);
    return block;
  }

  /** Clears the copies made, which may hold a password. */
  clear(): void {
    for (const block of this.#blocks) block.fill(0);
  }
}

function flip(number: 0 | 1): 0 | 1 {
  return number === 0 ? 1 : 0;
}

/** RESYNCH is the host's to ask for; an information field of the chip has 1 to 254 bytes. */
function isRequestOfChip({ what, response, value }: Block & { readonly kind: 'S' }): boolean {
  if (response) return false;
  if (what === 'ifs') return value >= 1 && value <= maxInformationBytes;
  return what === 'wtx' || what === 'abort';
}
