import { type ApduChannel, TransportError, type TransmitOptions } from '../apdu/channel.ts';
import { wholeResponse } from '../apdu/response.ts';
import { type BulkEndpoints, CcidBulk } from './ccid-bulk.ts';
import { type CcidDescriptor, findCcidDescriptor, parseCcidDescriptor } from './ccid-descriptor.ts';
import { type InterruptEndpoint, watchSlot } from './ccid-interrupt.ts';
import { type Link, powerOnLink } from './ccid-link.ts';
import { CcidSlot } from './ccid-slot.ts';
import { transportErrorFrom } from './browser-errors.ts';
import { disconnected, within } from './deadline.ts';
import { type Turn, Turns } from './turns.ts';
import {
  bytesOf,
  interfaceSettings,
  noInterface,
  openInterface,
  type UsbInterfaceChoice,
  vendorClass,
} from './webusb-interface.ts';

const controlTimeoutMs = 2000;
const powerOnTimeoutMs = 5000;

/** Where readers differ from what CCID 1.1 says. */
export interface CcidQuirks {
  /** The reader waits for an empty packet after a message that fills its last one. */
  readonly zeroLengthPacket?: boolean;
}

interface CcidEndpoints extends UsbInterfaceChoice, BulkEndpoints {
  readonly interrupt: InterruptEndpoint | undefined;
}

/** The first vendor-class interface with a bulk endpoint each way, in the active or else the first configuration. */
export function findCcidEndpoints(device: USBDevice): CcidEndpoints | undefined {
  for (const { interfaceNumber, alternateSetting, interfaceClass, endpoints } of interfaceSettings(device)) {
    const find = (type: USBEndpointType, direction: USBDirection) =>
      endpoints.find(
        (endpoint) => endpoint.type === type && endpoint.direction === direction && endpoint.packetSize > 0,
      );
    const [bulkIn, bulkOut, interrupt] = [find('bulk', 'in'), find('bulk', 'out'), find('interrupt', 'in')];
    if (interfaceClass !== vendorClass || !bulkIn || !bulkOut) continue;
    return {
      ...{ interfaceNumber, alternateSetting },
      ...{ in: bulkIn.endpointNumber, inPacketBytes: bulkIn.packetSize },
      ...{ out: bulkOut.endpointNumber, outPacketBytes: bulkOut.packetSize },
      interrupt: interrupt && { endpointNumber: interrupt.endpointNumber, packetBytes: interrupt.packetSize },
    };
  }
  return undefined;
}

/**
 * Opens a key that speaks CCID 1.1 on a vendor-class interface, and powers its chip on.
 * @param usb where `disconnect` events come from: `navigator.usb`
 * @throws TransportError `accessDenied`, `busy`, `protectedClass`, `disconnected`, or `failed` when the device has no such
 *   interface, works at character level, or holds no chip that speaks T=0 or T=1
 */
export async function openCcidChannel(
  device: USBDevice,
  usb: EventTarget,
  quirks: CcidQuirks = {},
): Promise<ApduChannel> {
  const endpoints = findCcidEndpoints(device);
  if (!endpoints) throw noInterface('vendor-class interface with bulk endpoints');
  return openInterface(device, usb, endpoints, async (gone, stop) => {
    const descriptor = await readDescriptor(device, endpoints.interfaceNumber, gone);
    const reader = new CcidReader(device, endpoints, descriptor, quirks, gone, stop);
    const link = await reader.powerOn();
    return new CcidChannel(reader, link);
  });
}

/** GET_DESCRIPTOR (USB 2.0 §9.4.3) for the active configuration, and the interface's class descriptor in it. */
async function readDescriptor(device: USBDevice, interfaceNumber: number, gone: AbortSignal): Promise<CcidDescriptor> {
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
      const reading = device.controlTransferIn(setup, length);
      return bytesOf((await within(reading, { timeoutMs: controlTimeoutMs, gone })).data);
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

/** The reader and what is needed to bring its chip to life again. */
class CcidReader {
  readonly gone: AbortSignal;
  readonly slot: CcidSlot;
  readonly turns: Turns;
  readonly #device: USBDevice;
  readonly #interrupt: InterruptEndpoint | undefined;
  readonly #descriptor: CcidDescriptor;
  readonly #onAbsent: () => void;
  readonly #stopWatching: () => void;

  constructor(
    device: USBDevice,
    endpoints: CcidEndpoints,
    descriptor: CcidDescriptor,
    quirks: CcidQuirks,
    unplugged: AbortSignal,
    stopWatching: () => void,
  ) {
    this.#device = device;
    this.#interrupt = endpoints.interrupt;
    this.#descriptor = descriptor;
    this.#stopWatching = stopWatching;
    // A key is gone with its chip, too, though the reader stays.
    const gone = new AbortController();
    this.gone = gone.signal;
    this.#onAbsent = () => gone.abort(disconnected());
    unplugged.addEventListener('abort', this.#onAbsent);
    this.turns = new Turns(gone.signal);
    const { maxMessageBytes } = descriptor;
    const zeroLengthPacket = quirks.zeroLengthPacket ?? false;
    const bulk = new CcidBulk(device, endpoints, { maxMessageBytes, zeroLengthPacket });
    this.slot = new CcidSlot(device, endpoints.interfaceNumber, bulk, this.#onAbsent);
  }

  /** Powers the chip on and begins to watch that it stays. */
  async powerOn(): Promise<Link> {
    const link = await this.turns.take({ timeoutMs: powerOnTimeoutMs }, (turn) => this.link(turn));
    if (this.#interrupt) void watchSlot(this.#device, this.#interrupt, 0, this.#onAbsent);
    return link;
  }

  link(turn: Turn): Promise<Link> {
    return powerOnLink(this.slot, this.#descriptor, turn);
  }

  async close(): Promise<void> {
    const powerOff = this.turns.take({ timeoutMs: controlTimeoutMs }, (turn) => this.slot.powerOff(turn));
    await powerOff.catch(() => undefined);
    this.turns.stop();
    this.#stopWatching();
    const limits = { timeoutMs: controlTimeoutMs, gone: new AbortController().signal };
    await within(this.#device.close(), limits).catch(() => undefined);
  }
}

class CcidChannel implements ApduChannel {
  readonly apduLevel: 'short' | 'extended';
  readonly maxCommandBytes: number;
  readonly gone: AbortSignal;
  readonly #reader: CcidReader;
  #link: Link;
  #closed = false;

  constructor(reader: CcidReader, link: Link) {
    this.#reader = reader;
    this.#link = link;
    this.gone = reader.gone;
    this.apduLevel = link.apduLevel;
    this.maxCommandBytes = link.maxCommandBytes;
  }

  transmit(command: Uint8Array, options: TransmitOptions): Promise<Uint8Array> {
    if (this.#closed) return Promise.reject(new TransportError('disconnected', 'the channel is closed'));
    if (command.length > this.maxCommandBytes) {
      return Promise.reject(new TransportError('failed', 'the command is too long for the reader'));
    }
    return this.#reader.turns.take(options, (turn) => this.#exchange(command, turn));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#reader.close();
  }

  async #exchange(command: Uint8Array, turn: Turn): Promise<Uint8Array> {
    const { slot } = this.#reader;
    if (slot.abandoned) await slot.abortAbandoned(turn);
    if (!slot.powered || this.#link.broken) this.#link = await this.#reader.link(turn);
    return wholeResponse(await this.#link.exchange(command, turn));
  }
}
