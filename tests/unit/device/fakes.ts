import { toHex } from '../apdu/hex.ts';
import { ccidDescriptor, configurationDescriptor } from './ccid-bytes.ts';

/*
 * Devices at the browser's edge whose inside is a script. They behave as Chromium was measured to: names of DOMExceptions,
 * order of rejection and `disconnect`, WebHID calls that never settle after an unplug.
 */

const error = (name: string) => new DOMException('measured', name);

/** `navigator.usb` or `navigator.hid`, as far as events and lists go. */
export class FakeBus<Device extends object> extends EventTarget {
  devices: Device[] = [];
  /** What the chooser gives, or an error's name. */
  chosen: Device[] | string = [];
  asked: unknown;

  getDevices(): Promise<Device[]> {
    return Promise.resolve([...this.devices]);
  }
  requestDevice(options: unknown): Promise<Device | Device[]> {
    this.asked = options;
    if (typeof this.chosen === 'string') return Promise.reject(error(this.chosen));
    const [first] = this.chosen;
    return Promise.resolve(this instanceof FakeUsb && first ? first : this.chosen);
  }
  announce(type: 'connect' | 'disconnect', device: Device): void {
    this.devices = this.devices.filter((each) => each !== device);
    if (type === 'connect') this.devices.push(device);
    this.dispatchEvent(Object.assign(new Event(type), { device }));
  }
}
export class FakeUsb extends FakeBus<USBDevice> {}
export class FakeHid extends FakeBus<HIDDevice> {}

// WebUSB's result classes by their shape: a script makes none of the browser's own objects.
interface InResult {
  readonly status: USBTransferStatus;
  readonly data?: DataView;
}
interface OutResult {
  readonly status: USBTransferStatus;
  readonly bytesWritten: number;
}
interface Waiting {
  readonly resolve: (result: InResult) => void;
  readonly reject: (reason: unknown) => void;
}
interface Configuration {
  readonly configurationValue: number;
  readonly interfaces: readonly { readonly interfaceNumber: number; readonly alternates: readonly object[] }[];
}

/** What a scripted bulk-IN transfer ends with. */
export type Packet = Uint8Array | 'stall' | 'babble' | 'silence' | `error:${string}`;

export interface UsbScript {
  readonly features?: number;
  readonly maxMessageBytes?: number;
  /** Packets to send for each message that arrives on bulk-OUT. */
  readonly onMessage?: (message: Uint8Array) => readonly Packet[];
  readonly outStatus?: (message: Uint8Array) => USBTransferStatus;
  /** Calls that reject, by name: the DOMException's name. */
  readonly rejects?: Readonly<Record<string, string>>;
  readonly interfaceClasses?: readonly number[];
  readonly configuration?: Uint8Array;
  readonly ids?: readonly [vendorId: number, productId: number];
  /** Whether there is an interrupt endpoint, number 2. */
  readonly interrupt?: boolean;
}

/** A USBDevice with one interface per class, bulk endpoints 1 each way, 64-byte packets. */
export class ScriptedUsbDevice {
  readonly calls: string[] = [];
  /** Everything written to bulk-OUT, in hexadecimal. */
  readonly written: string[] = [];
  readonly vendorId: number;
  readonly productId: number;
  readonly productName = 'Scripted key';
  readonly configurations: Configuration[];
  configuration: Configuration | null = null;
  opened = false;
  readonly #script: UsbScript;
  readonly #configurationBytes: Uint8Array;
  #packets: Packet[] = [];
  #waiting: Waiting | undefined;
  #notifications: Packet[] = [];
  #listening: Waiting | undefined;
  #gone = false;

  constructor(script: UsbScript = {}) {
    this.#script = script;
    [this.vendorId, this.productId] = script.ids ?? [0x1209, 0x0001];
    this.#configurationBytes =
      script.configuration ??
      configurationDescriptor(ccidDescriptor(script.features ?? 0x0004_0000, script.maxMessageBytes ?? 271));
    const bulk = (['in', 'out'] as const).map((direction) => ({
      ...{ endpointNumber: 1, direction, type: 'bulk' as const, packetSize: 64 },
    }));
    const interrupt = { endpointNumber: 2, direction: 'in' as const, type: 'interrupt' as const, packetSize: 8 };
    const endpoints = [...bulk, ...(script.interrupt ? [interrupt] : [])];
    const interfaces = (script.interfaceClasses ?? [0xff]).map((interfaceClass, interfaceNumber) => {
      const alternate = { alternateSetting: 0, interfaceClass, interfaceSubclass: 0, interfaceProtocol: 0, endpoints };
      return { interfaceNumber, alternate, alternates: [alternate], claimed: false };
    });
    this.configurations = [{ configurationValue: 1, interfaces }];
  }

  /** What a USBDevice is to the code under test. */
  get device(): USBDevice {
    return this as unknown as USBDevice;
  }

  open(): Promise<void> {
    return this.#call('open', () => void (this.opened = true));
  }
  close(): Promise<void> {
    return this.#call('close', () => {
      this.opened = false;
      this.#failWaiting('AbortError');
    });
  }
  selectConfiguration(value: number): Promise<void> {
    const chosen = this.configurations.find((each) => each.configurationValue === value) ?? null;
    return this.#call('selectConfiguration', () => void (this.configuration = chosen));
  }
  claimInterface(): Promise<void> {
    return this.#call('claimInterface', () => undefined);
  }
  selectAlternateInterface(): Promise<void> {
    return this.#call('selectAlternateInterface', () => undefined);
  }
  clearHalt(direction: USBDirection): Promise<void> {
    return this.#call(`clearHalt ${direction}`, () => undefined);
  }
  controlTransferIn(_: USBControlTransferParameters, length: number): Promise<InResult> {
    const data = new DataView(this.#configurationBytes.slice(0, length).buffer);
    return this.#call('controlTransferIn', () => ({ status: 'ok', data }));
  }
  controlTransferOut(setup: USBControlTransferParameters): Promise<OutResult> {
    const name = `control ${setup.requestType} ${setup.request} ${setup.value.toString(16)}`;
    return this.#call(name, () => ({ status: 'ok', bytesWritten: 0 }));
  }
  transferOut(_: number, data: Uint8Array): Promise<OutResult> {
    return this.#call('transferOut', () => {
      const message = data.slice();
      this.written.push(toHex(message));
      const status = this.#script.outStatus?.(message) ?? 'ok';
      if (status === 'ok') this.send(...(this.#script.onMessage?.(message) ?? []));
      return { status, bytesWritten: message.length };
    });
  }
  transferIn(endpointNumber: number): Promise<InResult> {
    if (endpointNumber === 2) return this.#listen();
    return this.#call('transferIn', () => {
      if (this.#waiting) throw new Error('two reads at once would share the reply');
      return new Promise<InResult>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        this.#serve();
      });
    });
  }

  /** Sends packets to the host, now or when it next reads. */
  send(...packets: readonly Packet[]): void {
    this.#packets.push(...packets);
    this.#serve();
  }
  /** Sends messages on the interrupt endpoint. */
  notify(...packets: readonly Packet[]): void {
    this.#notifications.push(...packets);
    this.#listening = serve(this.#listening, this.#notifications);
  }
  /** Pulled out: the pending read fails first, then the browser says so. */
  unplug(usb: FakeUsb): void {
    this.#gone = true;
    this.opened = false;
    this.#failWaiting('NetworkError');
    usb.announce('disconnect', this.device);
  }

  #serve(): void {
    this.#waiting = serve(this.#waiting, this.#packets);
  }
  #listen(): Promise<InResult> {
    return this.#call('transferIn interrupt', () => {
      return new Promise<InResult>((resolve, reject) => {
        this.#listening = serve({ resolve, reject }, this.#notifications);
      });
    });
  }
  #failWaiting(name: string): void {
    this.#waiting?.reject(error(name));
    this.#listening?.reject(error(name));
    this.#waiting = this.#listening = undefined;
  }
  async #call<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    this.calls.push(name);
    if (this.#gone) throw error('NotFoundError');
    const rejection = this.#script.rejects?.[name];
    if (rejection !== undefined) throw error(rejection);
    return await work();
  }
}

/** Ends a transfer with the next packet. @returns the transfer, if it still waits */
function serve(waiting: Waiting | undefined, packets: Packet[]): Waiting | undefined {
  const packet = waiting && packets.shift();
  if (packet === undefined || packet === 'silence') return waiting;
  if (packet instanceof Uint8Array) {
    waiting?.resolve({ status: 'ok', data: new DataView(packet.slice().buffer) });
  } else if (packet === 'stall' || packet === 'babble') {
    waiting?.resolve({ status: packet });
  } else {
    waiting?.reject(error(packet.slice('error:'.length)));
  }
  return undefined;
}

/** A HIDDevice whose reports are answered by a script. */
export class ScriptedHidDevice extends EventTarget {
  readonly vendorId: number;
  readonly productId: number;
  readonly productName = 'Scripted key';
  readonly collections: HIDCollectionInfo[];
  readonly written: Uint8Array[] = [];
  opened = false;
  /** Called with each report that arrives; answers with reports. */
  onReport: (report: Uint8Array) => readonly Uint8Array[] = () => [];
  rejects: Readonly<Record<string, string>> = {};
  #gone = false;

  constructor(
    ids: readonly [number, number] = [0x055c, 0xe618],
    collections: HIDCollectionInfo[] = [{ usagePage: 0xff00, usage: 1 }],
  ) {
    super();
    [this.vendorId, this.productId] = ids;
    this.collections = collections;
  }

  get device(): HIDDevice {
    return this as unknown as HIDDevice;
  }

  async open(): Promise<void> {
    await Promise.resolve();
    if (this.rejects['open'] !== undefined) throw error(this.rejects['open']);
    if (this.opened) throw error('InvalidStateError');
    this.opened = true;
  }
  close(): Promise<void> {
    this.opened = false;
    return Promise.resolve();
  }
  async sendReport(_: number, data: Uint8Array): Promise<void> {
    // Measured: after an unplug it neither resolves nor rejects.
    if (this.#gone) return new Promise(() => undefined);
    if (this.rejects['sendReport'] !== undefined) throw error(this.rejects['sendReport']);
    const report = data.slice();
    this.written.push(report);
    await Promise.resolve();
    for (const answer of this.onReport(report)) this.send(answer);
  }
  send(report: Uint8Array, reportId = 0): void {
    const data = new DataView(report.slice().buffer);
    this.dispatchEvent(Object.assign(new Event('inputreport'), { reportId, data }));
  }
  unplug(hid: FakeHid): void {
    this.#gone = true;
    hid.announce('disconnect', this.device);
  }
}
