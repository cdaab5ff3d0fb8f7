import { type ApduChannel, TransportError, type TransmitOptions } from '../apdu/channel.ts';
import { wholeResponse } from '../apdu/response.ts';
import { collectChained, sendChained } from './ccid-apdu-level.ts';
import { type BulkEndpoints, CcidBulk } from './ccid-bulk.ts';
import { type CcidDescriptor, findCcidDescriptor, parseCcidDescriptor } from './ccid-descriptor.ts';
import { type InterruptEndpoint, watchSlot } from './ccid-interrupt.ts';
import { CcidSlot } from './ccid-slot.ts';
import { ccidHeaderBytes, chainParameter } from './ccid.ts';
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
 *   interface or works below the APDU level
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
    if (descriptor.level !== 'shortApdu' && descriptor.level !== 'extendedApdu') {
      throw new TransportError('failed', `the reader works at ${descriptor.level} level, below APDUs`);
    }
    const channel = new CcidChannel(device, endpoints, descriptor, quirks, gone, stop);
    await channel.powerOn();
    return channel;
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

class CcidChannel implements ApduChannel {
  readonly apduLevel: 'short' | 'extended';
  readonly maxCommandBytes: number;
  readonly gone: AbortSignal;
  readonly #device: USBDevice;
  readonly #endpoints: CcidEndpoints;
  readonly #descriptor: CcidDescriptor;
  readonly #maxBlockBytes: number;
  readonly #slot: CcidSlot;
  readonly #turns: Turns;
  readonly #onAbsent: () => void;
  readonly #stopWatching: () => void;
  #closed = false;

  constructor(
    device: USBDevice,
    endpoints: CcidEndpoints,
    descriptor: CcidDescriptor,
    quirks: CcidQuirks,
    unplugged: AbortSignal,
    stopWatching: () => void,
  ) {
    this.#device = device;
    this.#endpoints = endpoints;
    this.#descriptor = descriptor;
    this.#stopWatching = stopWatching;
    // A key is gone with its chip, too, though the reader stays.
    const gone = new AbortController();
    this.gone = gone.signal;
    this.#turns = new Turns(gone.signal);
    const { maxMessageBytes } = descriptor;
    this.#maxBlockBytes = maxMessageBytes - ccidHeaderBytes;
    const bulk = new CcidBulk(device, endpoints, {
      maxMessageBytes,
      zeroLengthPacket: quirks.zeroLengthPacket ?? false,
    });
    this.#onAbsent = () => gone.abort(disconnected());
    unplugged.addEventListener('abort', this.#onAbsent);
    this.#slot = new CcidSlot(device, endpoints.interfaceNumber, bulk, this.#onAbsent);
    this.apduLevel = descriptor.level === 'extendedApdu' ? 'extended' : 'short';
    // 65544: the longest extended APDU, 4 + 3 + 65535 + 2. At that level blocks are chained, so any length goes.
    this.maxCommandBytes = this.apduLevel === 'extended' ? 65_544 : 261;
  }

  /** Powers the chip on and begins to watch that it stays. */
  async powerOn(): Promise<void> {
    await this.#turns.take({ timeoutMs: powerOnTimeoutMs }, (turn) => this.#powerOn(turn));
    const { interrupt } = this.#endpoints;
    if (interrupt) void watchSlot(this.#device, interrupt, 0, this.#onAbsent);
  }

  transmit(command: Uint8Array, options: TransmitOptions): Promise<Uint8Array> {
    if (this.#closed) return Promise.reject(new TransportError('disconnected', 'the channel is closed'));
    if (command.length > this.maxCommandBytes) {
      return Promise.reject(new TransportError('failed', 'the command is too long for the reader'));
    }
    return this.#turns.take(options, (turn) => this.#exchange(command, turn));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const powerOff = this.#turns.take({ timeoutMs: controlTimeoutMs }, (turn) => this.#slot.powerOff(turn));
    await powerOff.catch(() => undefined);
    this.#turns.stop();
    this.#stopWatching();
    const limits = { timeoutMs: controlTimeoutMs, gone: new AbortController().signal };
    await within(this.#device.close(), limits).catch(() => undefined);
  }

  async #powerOn(turn: Turn): Promise<void> {
    await this.#slot.powerOn(this.#descriptor.voltages, turn);
  }

  async #exchange(command: Uint8Array, turn: Turn): Promise<Uint8Array> {
    if (this.#slot.abandoned) await this.#slot.abortAbandoned(turn);
    if (!this.#slot.powered) await this.#powerOn(turn);
    // What fits goes whole; only readers of short APDUs never chain, and what they say of it is reserved.
    const reply =
      command.length <= this.#maxBlockBytes
        ? await this.#slot.transfer(command, chainParameter.whole, turn)
        : await sendChained(this.#slot, command, this.#maxBlockBytes, turn);
    const isWhole = this.apduLevel === 'short' || reply.specific === chainParameter.whole;
    return wholeResponse(isWhole ? reply.data : await collectChained(this.#slot, reply, turn));
  }
}
