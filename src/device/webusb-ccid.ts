import { concatBytes } from '../apdu/bytes.ts';
import { type ApduChannel, TransportError, type TransmitOptions } from '../apdu/channel.ts';
import { transferErrorFrom, transportErrorFrom } from './browser-errors.ts';
import {
  abortMessage,
  announcedLength,
  answers,
  ccidFailure,
  ccidHeaderBytes,
  type CcidDescriptor,
  type CcidReply,
  chainParameter,
  findCcidDescriptor,
  getSlotStatus,
  iccPowerOff,
  iccPowerOn,
  parseCcidDescriptor,
  parseReply,
  replyType,
  ResponseJoiner,
  segmentCommand,
  xfrBlock,
} from './ccid.ts';
import { type Limits, within } from './deadline.ts';
import { watchGone } from './gone.ts';

/** bInterfaceClass of a vendor's own interface, which a page may claim. */
export const vendorClass = 0xff;

const controlTimeoutMs = 2000;
const powerOnTimeoutMs = 5000;
// Bounds against a reader that never comes to the point.
const maxDiscarded = 32;
const maxTimeExtensions = 512;
const maxExtendedTimeoutMs = 60_000;

interface Endpoints {
  readonly interfaceNumber: number;
  readonly alternateSetting: number;
  readonly in: number;
  readonly out: number;
  /** wMaxPacketSize of the bulk-IN endpoint. */
  readonly packetBytes: number;
}

/** The first vendor-class interface with a bulk endpoint each way, in the active or else the first configuration. */
export function findCcidEndpoints(device: USBDevice): Endpoints | undefined {
  const configuration = device.configuration ?? device.configurations[0];
  for (const { interfaceNumber, alternates } of configuration?.interfaces ?? []) {
    for (const { alternateSetting, interfaceClass, endpoints } of alternates) {
      if (interfaceClass !== vendorClass) continue;
      const bulk = (direction: USBDirection) =>
        endpoints.find((endpoint) => endpoint.type === 'bulk' && endpoint.direction === direction);
      const [bulkIn, bulkOut] = [bulk('in'), bulk('out')];
      if (!bulkIn || !bulkOut || bulkIn.packetSize < 1) continue;
      return {
        interfaceNumber,
        alternateSetting,
        in: bulkIn.endpointNumber,
        out: bulkOut.endpointNumber,
        packetBytes: bulkIn.packetSize,
      };
    }
  }
  return undefined;
}

/**
 * Opens a key that speaks CCID 1.1 on a vendor-class interface, and powers its chip on.
 * @param usb where `disconnect` events come from: `navigator.usb`
 * @throws TransportError `accessDenied`, `busy`, `protectedClass`, `disconnected`, or `failed` when the device has no such
 *   interface or works below the APDU level
 */
export async function openCcidChannel(device: USBDevice, usb: EventTarget): Promise<ApduChannel> {
  const { gone, stop } = watchGone(usb, device);
  try {
    return await open(device, gone, stop);
  } catch (error) {
    stop();
    await device.close().catch(() => undefined);
    throw error;
  }
}

async function open(device: USBDevice, gone: AbortSignal, stop: () => void): Promise<ApduChannel> {
  const limits = { timeoutMs: powerOnTimeoutMs, gone };
  const opening = (work: Promise<void>, step: 'open' | 'claim') =>
    within(work, limits).catch((error: unknown) => {
      throw transportErrorFrom(error, step);
    });
  if (!device.opened) await opening(device.open(), 'open');
  const [firstConfiguration] = device.configurations;
  if (device.configuration === null && firstConfiguration) {
    await opening(device.selectConfiguration(firstConfiguration.configurationValue), 'open');
  }
  const endpoints = findCcidEndpoints(device);
  if (!endpoints) throw new TransportError('failed', 'no vendor-class interface with bulk endpoints');
  await opening(device.claimInterface(endpoints.interfaceNumber), 'claim');
  if (endpoints.alternateSetting !== 0) {
    await opening(device.selectAlternateInterface(endpoints.interfaceNumber, endpoints.alternateSetting), 'claim');
  }
  const descriptor = await readDescriptor(device, endpoints.interfaceNumber, limits);
  if (descriptor.level !== 'shortApdu' && descriptor.level !== 'extendedApdu') {
    throw new TransportError('failed', `the reader works at ${descriptor.level} level, below APDUs`);
  }
  const channel = new CcidChannel(device, endpoints, descriptor, gone, stop);
  await channel.powerOn();
  return channel;
}

/** GET_DESCRIPTOR (USB 2.0 §9.4.3) for the active configuration, and the interface's class descriptor in it. */
async function readDescriptor(device: USBDevice, interfaceNumber: number, limits: Limits): Promise<CcidDescriptor> {
  const active = device.configuration?.configurationValue;
  const index = Math.max(
    0,
    device.configurations.findIndex(({ configurationValue }) => configurationValue === active),
  );
  const getDescriptor = async (length: number) => {
    const setup = {
      requestType: 'standard',
      recipient: 'device',
      request: 0x06,
      value: 0x0200 | index,
      index: 0,
    } as const;
    try {
      const { data } = await within(device.controlTransferIn(setup, length), limits);
      return bytesOf(data);
    } catch (error) {
      throw transportErrorFrom(error, 'transfer');
    }
  };
  const head = await getDescriptor(9);
  const total = (head[2] ?? 0) | ((head[3] ?? 0) << 8);
  const found = findCcidDescriptor(await getDescriptor(Math.max(total, 9)), interfaceNumber);
  if (!found) throw new TransportError('malformed', 'the interface has no CCID class descriptor');
  return parseCcidDescriptor(found);
}

class CcidChannel implements ApduChannel {
  readonly apduLevel: 'short' | 'extended';
  readonly maxCommandBytes: number;
  readonly gone: AbortSignal;
  readonly #device: USBDevice;
  readonly #endpoints: Endpoints;
  readonly #descriptor: CcidDescriptor;
  readonly #stopWatching: () => void;
  readonly #slot = 0;
  #seq = 0;
  #busy = false;
  #closed = false;
  /**
   * A read that was given up but is still pending: WebUSB cannot cancel one, so it would swallow the next reply. The next
   * read takes it over.
   */
  #pendingRead: Promise<USBInTransferResult> | undefined;
  /** What has arrived of a message so far. */
  #received = new Uint8Array();
  /** The sequence number of a command whose reply was given up. */
  #abandoned: number | undefined;

  constructor(
    device: USBDevice,
    endpoints: Endpoints,
    descriptor: CcidDescriptor,
    gone: AbortSignal,
    stopWatching: () => void,
  ) {
    this.#device = device;
    this.#endpoints = endpoints;
    this.#descriptor = descriptor;
    this.gone = gone;
    this.#stopWatching = stopWatching;
    this.apduLevel = descriptor.level === 'extendedApdu' ? 'extended' : 'short';
    // 65544: the longest extended APDU, 4 + 3 + 65535 + 2. At that level blocks are chained, so any length goes.
    this.maxCommandBytes = this.apduLevel === 'extended' ? 65_544 : 261;
  }

  /** Finds the slot's state and powers the chip on, automatic voltage first: some keys refuse a chosen one. */
  async powerOn(): Promise<void> {
    const limits = { timeoutMs: powerOnTimeoutMs, gone: this.gone };
    const status = await this.#roundTrip((seq) => getSlotStatus(this.#slot, seq), replyType.slotStatus, limits);
    if (status.icc === 'absent') throw new TransportError('failed', 'the reader holds no chip');
    const chosen = ([1, 2, 3] as const).filter((select) => this.#descriptor.voltages & (1 << (select - 1)));
    let reply: CcidReply | undefined;
    for (const select of [0, ...chosen] as const) {
      reply = await this.#roundTrip((seq) => iccPowerOn(this.#slot, seq, select), replyType.dataBlock, limits);
      if (reply.command === 'done') return;
    }
    if (reply) throw ccidFailure(reply);
  }

  async transmit(command: Uint8Array, options: TransmitOptions): Promise<Uint8Array> {
    if (this.gone.aborted || this.#closed) throw new TransportError('disconnected', 'the device is gone or closed');
    if (this.#busy) throw new TransportError('busy', 'another exchange is running');
    if (options.signal?.aborted) throw new TransportError('cancelled', 'cancelled before anything was sent');
    if (command.length > this.maxCommandBytes)
      throw new TransportError('failed', 'the command is too long for the reader');
    this.#busy = true;
    try {
      return await this.#exchange(command, { ...options, gone: this.gone });
    } catch (error) {
      throw transportErrorFrom(error, 'transfer');
    } finally {
      this.#busy = false;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.gone.aborted) {
      const limits = { timeoutMs: controlTimeoutMs, gone: this.gone };
      if (!this.#busy) {
        const powerOff = this.#roundTrip((seq) => iccPowerOff(this.#slot, seq), replyType.slotStatus, limits);
        await powerOff.catch(() => undefined);
      }
      await within(this.#device.close(), limits).catch(() => undefined);
    }
    this.#stopWatching();
  }

  async #exchange(command: Uint8Array, limits: Limits): Promise<Uint8Array> {
    await this.#abortAbandoned(limits);
    const transfer = async (data: Uint8Array<ArrayBuffer>, level: number) => {
      const reply = await this.#roundTrip((seq) => xfrBlock(this.#slot, seq, data, level), replyType.dataBlock, limits);
      if (reply.command === 'failed') throw ccidFailure(reply);
      return reply;
    };
    const blocks = segmentCommand(command, this.#descriptor.maxMessageBytes - ccidHeaderBytes);
    for (const { data, level } of blocks.slice(0, -1)) {
      const { specific, data: unexpected } = await transfer(data, level);
      if (specific !== chainParameter.empty || unexpected.length > 0) {
        throw new TransportError('malformed', 'the reader answers before the command is whole');
      }
    }
    const last = blocks.at(-1);
    if (!last) throw new TransportError('failed', 'an empty command');
    let reply = await transfer(last.data, last.level);
    const response = new ResponseJoiner();
    for (;;) {
      const whole = response.push(reply.specific, reply.data);
      if (whole) return whole;
      reply = await transfer(new Uint8Array(), chainParameter.empty);
    }
  }

  /** Sends one message and reads its reply, past leftovers and time extensions, both bounded. */
  async #roundTrip(
    build: (seq: number) => Uint8Array<ArrayBuffer>,
    expectedType: number,
    limits: Limits,
  ): Promise<CcidReply> {
    const seq = this.#seq;
    this.#seq = (seq + 1) & 0xff;
    this.#abandoned = seq;
    await this.#write(build(seq), limits);
    const reply = await this.#readAnswer(seq, expectedType, limits);
    this.#abandoned = undefined;
    if (reply.command === 'unknown') throw new TransportError('malformed', 'reserved bmCommandStatus');
    return reply;
  }

  async #readAnswer(seq: number, expectedType: number, limits: Limits): Promise<CcidReply> {
    let timeoutMs = limits.timeoutMs;
    for (let discarded = 0, extensions = 0; ;) {
      const reply = parseReply(await this.#readMessage({ ...limits, timeoutMs }));
      if (!answers(reply, this.#slot, seq, expectedType)) {
        if (++discarded > maxDiscarded) throw new TransportError('malformed', 'only replies to other commands arrive');
      } else if (reply.command !== 'timeExtension') {
        return reply;
      } else {
        if (++extensions > maxTimeExtensions) throw new TransportError('timeout', 'time extensions without end');
        timeoutMs = Math.max(limits.timeoutMs, Math.min(limits.timeoutMs * reply.error, maxExtendedTimeoutMs));
      }
    }
  }

  /**
   * Reads one whole message, packet by packet until its length is known: a message that fills its last packet may come
   * with or without an empty packet after it, and neither may be waited for.
   */
  async #readMessage(limits: Limits): Promise<Uint8Array> {
    const { packetBytes } = this.#endpoints;
    for (let empty = 0; ;) {
      const announced = announcedLength(this.#received, this.#descriptor.maxMessageBytes);
      if (announced !== undefined && announced <= this.#received.length) return this.#take();
      const missing = announced === undefined ? 1 : announced - this.#received.length;
      const packet = await this.#read(Math.ceil(missing / packetBytes) * packetBytes, limits);
      if (packet.length === 0 && this.#received.length === 0) {
        if (++empty > maxDiscarded) throw new TransportError('malformed', 'only empty transfers arrive');
        continue;
      }
      this.#received = concatBytes(this.#received, packet);
      const endsHere = packet.length % packetBytes !== 0 || packet.length === 0;
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

  async #read(length: number, limits: Limits): Promise<Uint8Array> {
    for (let stalls = 0; ; stalls++) {
      this.#pendingRead ??= this.#device.transferIn(this.#endpoints.in, length);
      const result = await this.#settled(this.#pendingRead, limits, () => (this.#pendingRead = undefined));
      if (result.status === 'ok') return bytesOf(result.data);
      if (result.status === 'babble')
        throw new TransportError('malformed', 'the reader sends more than a packet holds');
      // The reply may still be behind the stall; a second stall is a refusal.
      await this.#clearHalt('in', this.#endpoints.in, limits);
      if (stalls > 0) throw new TransportError('stalled', 'the bulk-IN endpoint stalls');
    }
  }

  async #write(bytes: Uint8Array<ArrayBuffer>, limits: Limits): Promise<void> {
    const result = await this.#settled(this.#device.transferOut(this.#endpoints.out, bytes), limits);
    if (result.status === 'ok' && result.bytesWritten === bytes.length) return;
    // A stalled write may have arrived whole (bytesWritten says so even then), so it is never sent again from here.
    if (result.status === 'stall') await this.#clearHalt('out', this.#endpoints.out, limits);
    throw new TransportError('stalled', `a write ended with ${result.status}`);
  }

  async #clearHalt(direction: USBDirection, endpoint: number, limits: Limits): Promise<void> {
    try {
      await this.#settled(this.#device.clearHalt(direction, endpoint), { ...limits, timeoutMs: controlTimeoutMs });
    } catch (error) {
      const { code } = transportErrorFrom(error, 'transfer');
      if (code === 'disconnected' || code === 'cancelled') throw error;
      throw new TransportError('stalled', 'the endpoint stalls and cannot be cleared', { cause: error });
    }
  }

  /** Awaits a device call; `onSettled` runs only when the call itself has ended. */
  async #settled<T>(work: Promise<T>, limits: Limits, onSettled?: () => void): Promise<T> {
    try {
      const value = await within(work, limits);
      onSettled?.();
      return value;
    } catch (error) {
      if (error instanceof TransportError) throw error;
      onSettled?.();
      throw await transferErrorFrom(error, this.gone);
    }
  }

  /**
   * Ends a command whose reply was given up (CCID 1.1 §5.3.1, §6.1.13), so that the reader takes a new one. A reader that
   * does not answer an abort is spoken to all the same: the sequence number keeps late replies apart.
   */
  async #abortAbandoned(limits: Limits): Promise<void> {
    const seq = this.#abandoned;
    if (seq === undefined) return;
    this.#abandoned = undefined;
    const { interfaceNumber } = this.#endpoints;
    const setup = {
      requestType: 'class',
      recipient: 'interface',
      request: 0x01,
      value: this.#slot | (seq << 8),
      index: interfaceNumber,
    } as const;
    const brief = { ...limits, timeoutMs: Math.min(limits.timeoutMs, controlTimeoutMs) };
    try {
      await this.#settled(this.#device.controlTransferOut(setup), brief);
      await this.#write(abortMessage(this.#slot, seq), brief);
      await this.#readAnswer(seq, replyType.slotStatus, brief);
    } catch (error) {
      const { code } = transportErrorFrom(error, 'transfer');
      if (code === 'disconnected' || code === 'cancelled') throw error;
    }
  }
}

function bytesOf(data: DataView | undefined): Uint8Array {
  return data ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array();
}
