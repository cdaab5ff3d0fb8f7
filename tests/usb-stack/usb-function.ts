import { concatBytes } from '../virtual-key/bytes.ts';
import { configurationDescriptor, deviceDescriptor, type UsbDeviceModel } from '../virtual-key/device-models.ts';
import { type Completion, type Submit, urbStatus } from './usbip-protocol.ts';

/** Standard requests (USB 2.0 table 9-4) and HID's own descriptor type (HID 1.11 §7.1). */
const request = {
  getStatus: 0,
  clearFeature: 1,
  setFeature: 3,
  getDescriptor: 6,
  getConfiguration: 8,
  setConfiguration: 9,
  getInterface: 10,
  setInterface: 11,
} as const;
const descriptorType = { device: 1, configuration: 2, string: 3 } as const;
const englishUnitedStates = Uint8Array.of(4, descriptorType.string, 0x09, 0x04);

const requestTypes = ['standard', 'class', 'vendor'] as const;
const recipients = ['device', 'interface', 'endpoint', 'other'] as const;

const done = (actualLength: number): Completion => ({ status: urbStatus.ok, actualLength });
const stalled: Completion = { status: urbStatus.stall, actualLength: 0 };

interface WaitingTransfer {
  readonly length: number;
  received: Uint8Array;
  readonly resolve: (completion: Completion) => void;
}

/** STRING descriptor: UTF-16LE behind a two-byte header (USB 2.0 §9.6.7). */
function stringDescriptor(text: string): Uint8Array {
  const units = new Uint8Array(Buffer.from(text, 'utf16le')).subarray(0, 252);
  return concatBytes(Uint8Array.of(units.length + 2, descriptorType.string), units);
}

/**
 * A device model with power, as a host controller sees it: it answers standard requests by itself, hands class and vendor
 * requests and OUT transfers to the model, and fills IN transfers with the model's packets.
 */
export class UsbFunction {
  readonly #model: UsbDeviceModel;
  readonly #packets = new Map<number, Uint8Array[]>();
  readonly #waiting = new Map<number, WaitingTransfer[]>();
  /** Endpoint addresses (with the direction bit) that stall until the host clears them. */
  readonly #halted = new Set<number>();

  constructor(model: UsbDeviceModel) {
    this.#model = model;
    model.powerUp((endpointNumber, packet) => {
      listOf(this.#packets, endpointNumber).push(packet);
      this.#pump(endpointNumber);
    });
  }

  powerDown(): void {
    this.#model.powerDown();
    this.#packets.clear();
    this.#waiting.clear();
  }

  /** Resolves when the model has carried out everything it received. */
  idle(): Promise<void> {
    return this.#model.idle();
  }

  /** Carries out one transfer. @param signal aborted when the host gives it up: then it never settles */
  submit(urb: Submit, signal: AbortSignal): Promise<Completion> {
    if (urb.endpointNumber === 0) return Promise.resolve(this.#control(urb));
    const address = urb.endpointNumber | (urb.direction === 'in' ? 0x80 : 0);
    if (this.#halted.has(address)) return Promise.resolve(stalled);
    if (urb.direction === 'in') return this.#read(urb, signal);
    if (this.#model.receive(urb.endpointNumber, urb.data)) return Promise.resolve(done(urb.data.length));
    this.#halted.add(address);
    return Promise.resolve(stalled);
  }

  #read({ endpointNumber, length }: Submit, signal: AbortSignal): Promise<Completion> {
    return new Promise((resolve) => {
      const transfer: WaitingTransfer = { length, received: new Uint8Array(0), resolve };
      const waiting = listOf(this.#waiting, endpointNumber);
      waiting.push(transfer);
      signal.addEventListener('abort', () => {
        const index = waiting.indexOf(transfer);
        if (index >= 0) waiting.splice(index, 1);
      });
      this.#pump(endpointNumber);
    });
  }

  /** Fills the transfers that wait: a packet shorter than the endpoint's ends one (USB 2.0 §5.8.3). */
  #pump(endpointNumber: number): void {
    const packets = listOf(this.#packets, endpointNumber);
    const waiting = listOf(this.#waiting, endpointNumber);
    const packetSize = this.#packetSize(endpointNumber);
    for (;;) {
      const [transfer] = waiting;
      const packet = transfer && packets.shift();
      if (!transfer || !packet) return;
      const { received, length, resolve } = transfer;
      if (received.length + packet.length > length) {
        waiting.shift();
        resolve({ status: urbStatus.overflow, actualLength: received.length, data: received });
        continue;
      }
      transfer.received = concatBytes(received, packet);
      if (packet.length === packetSize && transfer.received.length < length) continue;
      waiting.shift();
      resolve({ ...done(transfer.received.length), data: transfer.received });
    }
  }

  #packetSize(endpointNumber: number): number {
    for (const { endpoints } of this.#model.interfaces)
      for (const endpoint of endpoints)
        if (endpoint.direction === 'in' && endpoint.endpointNumber === endpointNumber) return endpoint.packetSize;
    return 0;
  }

  #control({ setup: packet, data }: Submit): Completion {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    const bmRequestType = view.getUint8(0);
    const requestType = requestTypes[(bmRequestType >> 5) & 3];
    const recipient = recipients[bmRequestType & 0x1f];
    if (!requestType || !recipient) return stalled;
    const setup = {
      ...{ requestType, recipient, request: view.getUint8(1) },
      ...{ value: view.getUint16(2, true), index: view.getUint16(4, true) },
    };
    const length = view.getUint16(6, true);
    if (bmRequestType & 0x80) {
      const answer = this.#standardIn(setup) ?? this.#model.controlIn(setup, length);
      if (!answer) return stalled;
      const cut = answer.slice(0, length);
      return { ...done(cut.length), data: cut };
    }
    return this.#standardOut(setup) || this.#model.controlOut(setup, data) ? done(data.length) : stalled;
  }

  #standardIn(setup: USBControlTransferParameters): Uint8Array | undefined {
    if (setup.requestType !== 'standard') return undefined;
    switch (setup.request) {
      case request.getStatus:
        return Uint8Array.of(0, 0);
      case request.getConfiguration:
        return Uint8Array.of(1);
      case request.getInterface:
        return Uint8Array.of(0);
      case request.getDescriptor:
        return setup.recipient === 'device' ? this.#descriptor(setup.value >> 8, setup.value & 0xff) : undefined;
      default:
        return undefined;
    }
  }

  #descriptor(type: number, index: number): Uint8Array | undefined {
    const { identity, interfaces } = this.#model;
    if (type === descriptorType.device) return deviceDescriptor(identity);
    if (type === descriptorType.configuration && index === 0) return configurationDescriptor(interfaces);
    if (type !== descriptorType.string) return undefined;
    if (index === 0) return englishUnitedStates;
    // In the order of the device descriptor's iManufacturer, iProduct and iSerialNumber.
    const text = [identity.manufacturerName, identity.productName, identity.serialNumber][index - 1];
    return typeof text === 'string' ? stringDescriptor(text) : undefined;
  }

  #standardOut({ requestType, request: code, recipient, value, index }: USBControlTransferParameters): boolean {
    if (requestType !== 'standard') return false;
    if (code === request.clearFeature && recipient === 'endpoint') this.#halted.delete(index & 0x8f);
    else if (code === request.setFeature && recipient === 'endpoint') this.#halted.add(index & 0x8f);
    else if (code === request.setConfiguration) return value <= 1;
    else return code === request.setInterface && value === 0;
    return true;
  }
}

function listOf<Value>(lists: Map<number, Value[]>, key: number): Value[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
