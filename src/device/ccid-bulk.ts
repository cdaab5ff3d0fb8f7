import { concatBytes } from '../apdu/bytes.ts';
import { TransportError } from '../apdu/channel.ts';
import { transportErrorFrom } from './browser-errors.ts';
import { announcedLength } from './ccid.ts';
import { stopIfOver, type Turn } from './turns.ts';
import { bytesOf } from './webusb-interface.ts';

const clearHaltTimeoutMs = 2000;
/** Empty transfers before the first byte of a message. */
const maxEmptyTransfers = 32;
/** The most that is asked for before a message has begun: the longest are long, and few. */
const maxFirstReadBytes = 4096;

const nothing = new Uint8Array() as Uint8Array;
const ignore = () => undefined;

/** The bulk endpoints of a CCID interface. */
export interface BulkEndpoints {
  /** Endpoint numbers. */
  readonly in: number;
  readonly out: number;
  /** wMaxPacketSize of each. */
  readonly inPacketBytes: number;
  readonly outPacketBytes: number;
}

export interface BulkOptions {
  /** dwMaxCCIDMessageLength. */
  readonly maxMessageBytes: number;
  /** Ends a message that fills its last packet with an empty one. CCID 1.1 does not ask for it; some readers do. */
  readonly zeroLengthPacket: boolean;
}

/** A message under way to the reader. */
interface Sent {
  readonly length: number;
  readonly write: Promise<USBOutTransferResult>;
  /** The empty packet after it. */
  readonly ending: Promise<USBOutTransferResult> | undefined;
}

/**
 * Carries whole CCID messages over a pair of bulk endpoints.
 *
 * A message that fills its last packet may come with or without an empty packet after it, and neither may be waited for.
 * So a message is read packet by packet until its length is known, unless the reader has shown that it sends the empty
 * one: then every message ends its transfer, and one read brings it whole.
 */
export class CcidBulk {
  readonly #device: USBDevice;
  readonly #endpoints: BulkEndpoints;
  readonly #options: BulkOptions;
  /**
   * A read that nobody has had the result of. WebUSB cannot cancel one, so it would swallow the next reply: whoever reads
   * next takes it over.
   */
  #pending: { readonly length: number; readonly result: Promise<USBInTransferResult> } | undefined;
  /** What has arrived of a message so far. */
  #received = nothing;
  /** Whether the last message filled all that was asked for, so that what comes next tells how this reader ends one. */
  #lastFilledUp = false;
  #endsWithEmpty = false;

  constructor(device: USBDevice, endpoints: BulkEndpoints, options: BulkOptions) {
    this.#device = device;
    this.#endpoints = endpoints;
    this.#options = options;
  }

  /**
   * Sends one message, clears its bytes, which may hold a password, and receives the next message.
   * @throws TransportError `stalled`, `malformed`
   */
  exchange(message: Uint8Array<ArrayBuffer>, turn: Turn): Promise<Uint8Array> {
    const { out, outPacketBytes } = this.#endpoints;
    const { length } = message;
    // An abandoned read for a whole message may mean that this one did not end as messages of this reader did.
    if (this.#pending) this.#endsWithEmpty = false;
    const write = this.#device.transferOut(out, message);
    // The browser has its own copy.
    message.fill(0);
    const fillsUp = this.#options.zeroLengthPacket && length % outPacketBytes === 0;
    const ending = fillsUp ? this.#device.transferOut(out, new Uint8Array(0)) : undefined;
    ending?.catch(ignore);
    // The read is under way before the answer is.
    this.#ask();
    return this.#receive(turn, { length, write, ending });
  }

  /**
   * Receives one more message.
   * @throws TransportError `stalled`, `malformed`
   */
  receive(turn: Turn): Promise<Uint8Array> {
    return this.#receive(turn);
  }

  async #receive(turn: Turn, sent?: Sent): Promise<Uint8Array> {
    if (sent) {
      const { status, bytesWritten } = await sent.write;
      stopIfOver(turn);
      if (status !== 'ok' || bytesWritten !== sent.length) throw await this.#unwritten(status, turn);
    }
    if (sent?.ending) {
      const { status } = await sent.ending;
      stopIfOver(turn);
      if (status !== 'ok') throw await this.#unwritten(status, turn);
    }
    for (let empty = 0, stalls = 0; ;) {
      const announced = announcedLength(this.#received, this.#options.maxMessageBytes);
      const { length, result } = this.#ask(announced === undefined ? undefined : announced - this.#received.length);
      let status: USBTransferStatus;
      let data: DataView | undefined;
      try {
        ({ status, data } = await result);
      } finally {
        // Whoever was given up leaves the result to the next one.
        stopIfOver(turn);
        this.#pending = undefined;
      }
      if (status !== 'ok') {
        await this.#unread(status, stalls++, turn);
        continue;
      }
      const part = bytesOf(data);
      const begins = this.#received.length === 0;
      if (begins && this.#lastFilledUp) this.#endsWithEmpty = part.length === 0;
      this.#lastFilledUp = false;
      if (begins && part.length === 0) {
        if (++empty > maxEmptyTransfers) throw new TransportError('malformed', 'only empty transfers arrive');
        continue;
      }
      this.#received = begins ? part : concatBytes(this.#received, part);
      const whole = announcedLength(this.#received, this.#options.maxMessageBytes);
      if (whole === this.#received.length) {
        this.#lastFilledUp = part.length === length;
        return this.#take();
      }
      // Only a short packet ends a transfer before it has brought all that was asked for.
      if (part.length < length || (whole !== undefined && whole < this.#received.length)) {
        throw new TransportError('malformed', `a CCID message that ends after ${this.#take().length} bytes`);
      }
    }
  }

  #take(): Uint8Array {
    const received = this.#received;
    this.#received = nothing;
    return received;
  }

  /** The read under way, or a new one. @param missing bytes of a message that has begun */
  #ask(missing?: number) {
    if (this.#pending) return this.#pending;
    const { inPacketBytes } = this.#endpoints;
    const wholeBytes = Math.min(this.#options.maxMessageBytes, maxFirstReadBytes);
    const wanted = missing ?? (this.#endsWithEmpty ? wholeBytes : inPacketBytes);
    const length = Math.ceil(wanted / inPacketBytes) * inPacketBytes;
    const result = this.#device.transferIn(this.#endpoints.in, length);
    // Whoever reads hears of it; if nobody does, nobody need.
    result.catch(ignore);
    return (this.#pending = { length, result });
  }

  /** The reply may still be behind a stall; a second stall is a refusal. */
  async #unread(status: USBTransferStatus, stalls: number, turn: Turn): Promise<void> {
    if (status !== 'stall') throw new TransportError('malformed', 'the reader sends more than a packet holds');
    await this.#clearHalt('in', this.#endpoints.in, turn);
    if (stalls > 0) throw new TransportError('stalled', 'the bulk-IN endpoint stalls');
  }

  /** A stalled write may have arrived whole (bytesWritten says so even then), so it is never sent again from here. */
  async #unwritten(status: USBTransferStatus, turn: Turn): Promise<TransportError> {
    if (status === 'stall') await this.#clearHalt('out', this.#endpoints.out, turn);
    return new TransportError('stalled', `a write ended with ${status}`);
  }

  async #clearHalt(direction: USBDirection, endpoint: number, turn: Turn): Promise<void> {
    try {
      await turn.part(clearHaltTimeoutMs, () => this.#device.clearHalt(direction, endpoint));
    } catch (error) {
      const { code } = transportErrorFrom(error, 'transfer');
      if (code === 'disconnected' || code === 'cancelled') throw error;
      throw new TransportError('stalled', 'the endpoint stalls and cannot be cleared', { cause: error });
    }
    stopIfOver(turn);
  }
}
