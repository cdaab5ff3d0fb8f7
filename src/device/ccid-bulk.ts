import { concatBytes } from '../apdu/bytes.ts';
import { TransportError } from '../apdu/channel.ts';
import { transportErrorFrom } from './browser-errors.ts';
import { announcedLength } from './ccid.ts';
import { stopIfOver, type Turn } from './turns.ts';
import { bytesOf } from './webusb-interface.ts';

const clearHaltTimeoutMs = 2000;
/** Empty transfers before the first byte of a message. */
const maxEmptyTransfers = 32;

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

/** Carries whole CCID messages over a pair of bulk endpoints. */
export class CcidBulk {
  readonly #device: USBDevice;
  readonly #endpoints: BulkEndpoints;
  readonly #options: BulkOptions;
  /**
   * A read of one packet that nobody has had the result of. WebUSB cannot cancel one, so it would swallow the next reply:
   * whoever reads next takes it over.
   */
  #pending: Promise<USBInTransferResult> | undefined;
  /** What has arrived of a message so far. */
  #received: Uint8Array = new Uint8Array();

  constructor(device: USBDevice, endpoints: BulkEndpoints, options: BulkOptions) {
    this.#device = device;
    this.#endpoints = endpoints;
    this.#options = options;
  }

  /**
   * Sends one message and clears its bytes, which may hold a password. The read for its reply is under way already.
   * @throws TransportError `stalled`
   */
  async send(message: Uint8Array<ArrayBuffer>, turn: Turn): Promise<void> {
    const { out, outPacketBytes } = this.#endpoints;
    const { length } = message;
    const sending = this.#device.transferOut(out, message);
    const ending =
      this.#options.zeroLengthPacket && length % outPacketBytes === 0
        ? this.#device.transferOut(out, new Uint8Array())
        : undefined;
    // The browser has its own copy.
    message.fill(0);
    void this.#ask();
    ending?.catch(() => undefined);
    const results = [await sending, await ending];
    stopIfOver(turn);
    const failed = results.find((result) => result !== undefined && result.status !== 'ok');
    if (failed === undefined && results[0]?.bytesWritten === length) return;
    // A stalled write may have arrived whole (bytesWritten says so even then), so it is never sent again from here.
    if (failed?.status === 'stall') await this.#clearHalt('out', out, turn);
    throw new TransportError('stalled', `a write ended with ${failed?.status ?? 'too little'}`);
  }

  /**
   * Receives one whole message, packet by packet until its length is known: a message that fills its last packet may come
   * with or without an empty packet after it, and neither may be waited for.
   * @throws TransportError `malformed`, `stalled`
   */
  async receive(turn: Turn): Promise<Uint8Array> {
    const { inPacketBytes } = this.#endpoints;
    for (let empty = 0; ;) {
      const announced = announcedLength(this.#received, this.#options.maxMessageBytes);
      if (announced !== undefined && announced <= this.#received.length) return this.#take();
      const missing = announced === undefined ? 1 : announced - this.#received.length;
      const packet = await this.#read(Math.ceil(missing / inPacketBytes) * inPacketBytes, turn);
      if (packet.length === 0 && this.#received.length === 0) {
        if (++empty > maxEmptyTransfers) throw new TransportError('malformed', 'only empty transfers arrive');
        continue;
      }
      this.#received = this.#received.length === 0 ? packet : concatBytes(this.#received, packet);
      const endsHere = packet.length % inPacketBytes !== 0 || packet.length === 0;
      if (endsHere && this.#received.length !== announcedLength(this.#received, Infinity)) {
        throw new TransportError('malformed', `a CCID message that ends after ${this.#take().length} bytes`);
      }
    }
  }

  #take(): Uint8Array {
    const received = this.#received;
    this.#received = new Uint8Array();
    return received;
  }

  #ask(length = this.#endpoints.inPacketBytes): Promise<USBInTransferResult> {
    if (!this.#pending) {
      this.#pending = this.#device.transferIn(this.#endpoints.in, length);
      // Whoever reads hears of it; if nobody does, nobody need.
      this.#pending.catch(() => undefined);
    }
    return this.#pending;
  }

  async #read(length: number, turn: Turn): Promise<Uint8Array> {
    for (let stalls = 0; ; stalls++) {
      let result: USBInTransferResult;
      try {
        result = await this.#ask(length);
      } finally {
        // Whoever was given up leaves the result to the next one.
        if (!turn.over) this.#pending = undefined;
      }
      stopIfOver(turn);
      if (result.status === 'ok') return bytesOf(result.data);
      if (result.status === 'babble') {
        throw new TransportError('malformed', 'the reader sends more than a packet holds');
      }
      // The reply may still be behind the stall; a second stall is a refusal.
      await this.#clearHalt('in', this.#endpoints.in, turn);
      if (stalls > 0) throw new TransportError('stalled', 'the bulk-IN endpoint stalls');
    }
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
