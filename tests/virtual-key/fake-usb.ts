import { copyOf, concatBytes } from './bytes.ts';
import { type BrowserOptions, type Chooser, afterReactions, chooseFirst, pageHasGesture } from './chooser.ts';
import {
  configurationDescriptor,
  deviceDescriptor,
  type UsbDeviceModel,
  type UsbEndpointModel,
  type UsbInterfaceModel,
} from './device-models.ts';
import { type FaultKind, FaultPlan } from './faults.ts';

/** Interface classes that WebUSB keeps from pages (WICG WebUSB, "protected interface class"). */
const protectedClasses = new Set([0x01, 0x03, 0x08, 0x0b, 0x0e, 0x10, 0xe0]);
const massStorage = 0x08;
const maxTransferBytes = 32 * 1024 * 1024;

const exception = (name: string, method: string, message: string, face = 'USBDevice'): DOMException =>
  new DOMException(`Failed to execute '${method}' on '${face}': ${message}`, name);

const gone = (method: string): DOMException => exception('NotFoundError', method, 'The device was disconnected.');
const broken = (method: string): DOMException => exception('NetworkError', method, 'A transfer error has occurred.');

class ConnectionEvent extends Event {
  readonly device: FakeUsbDevice;
  constructor(type: 'connect' | 'disconnect', device: FakeUsbDevice) {
    super(type);
    this.device = device;
  }
}

interface InResult {
  readonly status: USBTransferStatus;
  readonly data: DataView<ArrayBuffer>;
}

interface OutResult {
  readonly status: USBTransferStatus;
  readonly bytesWritten: number;
}

interface Alternate extends Omit<UsbInterfaceModel, 'interfaceNumber' | 'classDescriptor' | 'heldElsewhere'> {
  readonly alternateSetting: number;
  readonly interfaceName: null;
}

interface Configuration {
  readonly configurationValue: number;
  readonly configurationName: null;
  readonly interfaces: readonly {
    readonly interfaceNumber: number;
    readonly alternate: Alternate;
    readonly alternates: readonly Alternate[];
    readonly claimed: boolean;
  }[];
}

interface WaitingTransfer {
  readonly length: number;
  received: Uint8Array;
  readonly resolve: (result: InResult) => void;
  readonly reject: (error: DOMException) => void;
  /** Called instead of resolving when a fault strikes at the transfer's end. */
  readonly intercept: (() => void) | undefined;
}

const viewOf = (bytes: Uint8Array): DataView<ArrayBuffer> => new DataView(concatBytes(bytes).buffer);

/** One plugged-in device as Chromium hands it to a page. Unplugging ends the object's life for good. */
export class FakeUsbDevice {
  readonly usbVersionMajor = 2;
  readonly usbVersionMinor = 0;
  readonly usbVersionSubminor = 0;
  readonly deviceClass = 0;
  readonly deviceSubclass = 0;
  readonly deviceProtocol = 0;
  readonly deviceVersionMajor = 1;
  readonly deviceVersionMinor = 0;
  readonly deviceVersionSubminor = 0;
  readonly vendorId: number;
  readonly productId: number;
  readonly manufacturerName: string | null;
  readonly productName: string | null;
  readonly serialNumber: string | null;
  readonly configuration: Configuration;
  readonly configurations: readonly Configuration[];
  readonly #model: UsbDeviceModel;
  readonly #faults: FaultPlan;
  readonly #forget: () => void;
  readonly #claimed = new Set<number>();
  readonly #halted = new Set<string>();
  readonly #packets = new Map<number, Uint8Array[]>();
  readonly #waiting = new Map<number, WaitingTransfer[]>();
  /** Control transfers whose answer was lost. */
  readonly #unanswered: ((error: DOMException) => void)[] = [];
  #present = true;
  #hangs = false;
  #opened = false;
  #changing = false;

  constructor(model: UsbDeviceModel, faults: FaultPlan, forget: () => void) {
    this.#model = model;
    this.#faults = faults;
    this.#forget = forget;
    this.vendorId = model.identity.vendorId;
    this.productId = model.identity.productId;
    this.manufacturerName = model.identity.manufacturerName;
    this.productName = model.identity.productName;
    this.serialNumber = model.identity.serialNumber;
    const claimed = this.#claimed;
    this.configuration = {
      configurationValue: 1,
      configurationName: null,
      interfaces: model.interfaces.map((face) => {
        const alternate: Alternate = {
          alternateSetting: 0,
          interfaceClass: face.interfaceClass,
          interfaceSubclass: face.interfaceSubclass,
          interfaceProtocol: face.interfaceProtocol,
          interfaceName: null,
          endpoints: face.endpoints.map((endpoint) => ({ ...endpoint })),
        };
        return {
          interfaceNumber: face.interfaceNumber,
          alternate,
          alternates: [alternate],
          get claimed() {
            return claimed.has(face.interfaceNumber);
          },
        };
      }),
    };
    this.configurations = [this.configuration];
    model.powerUp((endpointNumber, packet) => {
      this.#packetsOf(endpointNumber).push(packet);
      this.#pump(endpointNumber);
    });
  }

  get opened(): boolean {
    return this.#opened;
  }

  /** Its firmware hangs: no endpoint but 0 takes or gives anything, until the device is reset or pulled. */
  hang(): void {
    this.#hangs = true;
  }

  /** The plug is pulled: transfers fail, later calls find no device. */
  disappear(): void {
    this.#present = false;
    this.#opened = false;
    this.#claimed.clear();
    this.#rejectWaiting(() => broken('transferIn'));
    this.#packets.clear();
  }

  async open(): Promise<void> {
    await this.#change('open', () => {
      if (this.#model.notOpenable) throw exception('SecurityError', 'open', 'Access denied.');
      this.#opened = true;
    });
  }

  async close(): Promise<void> {
    await this.#change('close', () => {
      if (!this.#opened) return;
      this.#opened = false;
      this.#claimed.clear();
      this.#rejectWaiting(() => exception('AbortError', 'transferIn', 'The transfer was cancelled.'));
    });
  }

  async forget(): Promise<void> {
    await this.#change('forget', () => {
      this.disappear();
      this.#forget();
    });
  }

  async selectConfiguration(configurationValue: number): Promise<void> {
    await this.#change('selectConfiguration', () => {
      this.#mustBeOpen('selectConfiguration');
      if (configurationValue !== 1)
        throw exception(
          'NotFoundError',
          'selectConfiguration',
          'The configuration value provided is not supported by the device.',
        );
    });
  }

  async claimInterface(interfaceNumber: number): Promise<void> {
    await this.#change('claimInterface', () => {
      this.#mustBeOpen('claimInterface');
      const face = this.#interface('claimInterface', interfaceNumber);
      if (protectedClasses.has(face.interfaceClass))
        throw exception('SecurityError', 'claimInterface', 'The requested interface implements a protected class.');
      if (face.heldElsewhere) throw exception('NetworkError', 'claimInterface', 'Unable to claim interface.');
      this.#claimed.add(interfaceNumber);
    });
  }

  async releaseInterface(interfaceNumber: number): Promise<void> {
    await this.#change('releaseInterface', () => {
      this.#mustBeOpen('releaseInterface');
      const face = this.#interface('releaseInterface', interfaceNumber);
      this.#claimed.delete(interfaceNumber);
      this.#rejectWaiting(() => broken('transferIn'), face);
    });
  }

  async selectAlternateInterface(interfaceNumber: number, alternateSetting: number): Promise<void> {
    await this.#change('selectAlternateInterface', () => {
      this.#mustBeOpen('selectAlternateInterface');
      this.#mustBeClaimed('selectAlternateInterface', interfaceNumber);
      if (alternateSetting !== 0)
        throw exception(
          'NotFoundError',
          'selectAlternateInterface',
          'The alternate setting provided is not supported by the device in its current configuration.',
        );
    });
  }

  async reset(): Promise<void> {
    await this.#change('reset', () => {
      this.#mustBeOpen('reset');
      this.#rejectWaiting(() => broken('transferIn'));
      this.#packets.clear();
      this.#halted.clear();
      this.#hangs = false;
      this.#model.reset();
    });
  }

  async clearHalt(direction: USBDirection, endpointNumber: number): Promise<void> {
    await this.#change('clearHalt', () => {
      this.#mustBeOpen('clearHalt');
      this.#endpoint('clearHalt', direction, endpointNumber);
      this.#halted.delete(`${direction}${endpointNumber}`);
    });
  }

  async controlTransferIn(setup: USBControlTransferParameters, length: number): Promise<InResult> {
    this.#checkControl('controlTransferIn', setup);
    if (length > 0xffff)
      throw exception('DataError', 'controlTransferIn', 'The data buffer exceeded its maximum size.');
    const { fault, result: bytes } = await this.#controlled('controlTransferIn', () =>
      isGetDescriptor(setup) ? this.#descriptor(setup.value) : this.#model.controlIn(setup, length),
    );
    if (fault === 'lost') return this.#neverAnswered();
    if (!bytes) return { status: 'stall', data: viewOf(new Uint8Array(0)) };
    return { status: 'ok', data: viewOf(bytes.subarray(0, length)) };
  }

  async controlTransferOut(setup: USBControlTransferParameters, data?: BufferSource): Promise<OutResult> {
    this.#checkControl('controlTransferOut', setup);
    const bytes = data ? copyOf(data) : new Uint8Array(0);
    const { fault, result } = await this.#controlled(
      'controlTransferOut',
      (lost) => lost || this.#model.controlOut(setup, bytes),
    );
    const accepted = fault !== 'stall' && result === true;
    return { status: accepted ? 'ok' : 'stall', bytesWritten: accepted ? bytes.length : 0 };
  }

  async transferOut(endpointNumber: number, data: BufferSource): Promise<OutResult> {
    this.#mustBeOpen('transferOut');
    this.#endpoint('transferOut', 'out', endpointNumber);
    const bytes = copyOf(data);
    if (bytes.length > maxTransferBytes)
      throw exception('DataError', 'transferOut', 'The data buffer exceeded its maximum size.');
    const fault = this.#faults.next('transfer');
    if (fault === 'before') this.#faults.cut();
    await Promise.resolve();
    if (!this.#present) throw broken('transferOut');
    if (this.#hangs) return this.#neverAnswered();
    if (fault === 'stall') this.#halted.add(`out${endpointNumber}`);
    // A stall still reports every byte as written.
    if (this.#halted.has(`out${endpointNumber}`)) return { status: 'stall', bytesWritten: bytes.length };
    if (fault !== 'lost' && !this.#model.receive(endpointNumber, bytes)) {
      this.#halted.add(`out${endpointNumber}`);
      return { status: 'stall', bytesWritten: bytes.length };
    }
    if (fault === 'after') {
      await this.#model.idle();
      this.#faults.cut();
      throw broken('transferOut');
    }
    return { status: 'ok', bytesWritten: bytes.length };
  }

  async transferIn(endpointNumber: number, length: number): Promise<InResult> {
    this.#mustBeOpen('transferIn');
    this.#endpoint('transferIn', 'in', endpointNumber);
    if (length > maxTransferBytes)
      throw exception('DataError', 'transferIn', 'The data buffer exceeded its maximum size.');
    const fault = this.#faults.next('transfer');
    if (fault === 'before') this.#faults.cut();
    await Promise.resolve();
    if (!this.#present) throw broken('transferIn');
    if (this.#hangs) return this.#neverAnswered();
    if (fault === 'stall') this.#halted.add(`in${endpointNumber}`);
    if (this.#halted.has(`in${endpointNumber}`)) return { status: 'stall', data: viewOf(new Uint8Array(0)) };
    return new Promise((resolve, reject) => {
      const intercept =
        fault === 'after'
          ? () => {
              this.#faults.cut();
              reject(broken('transferIn'));
            }
          : fault === 'lost'
            ? () =>
                this.#waitingOf(endpointNumber).push({ ...transfer, received: new Uint8Array(0), intercept: undefined })
            : undefined;
      const transfer: WaitingTransfer = { length, received: new Uint8Array(0), resolve, reject, intercept };
      this.#waitingOf(endpointNumber).push(transfer);
      this.#pump(endpointNumber);
    });
  }

  isochronousTransferIn(): Promise<never> {
    return Promise.reject(exception('NotFoundError', 'isochronousTransferIn', 'There is no such endpoint.'));
  }

  isochronousTransferOut(): Promise<never> {
    return Promise.reject(exception('NotFoundError', 'isochronousTransferOut', 'There is no such endpoint.'));
  }

  /** Gives packets to the transfers that wait for them, as a host controller does: a short packet ends a transfer. */
  #pump(endpointNumber: number): void {
    const packets = this.#packetsOf(endpointNumber);
    const waiting = this.#waitingOf(endpointNumber);
    const packetSize = this.#endpointModel('in', endpointNumber)?.packetSize ?? 0;
    for (;;) {
      const [transfer] = waiting;
      const packet = transfer && packets.shift();
      if (!transfer || !packet) return;
      if (transfer.received.length + packet.length > transfer.length) {
        waiting.shift();
        transfer.resolve({ status: 'babble', data: viewOf(transfer.received) });
        continue;
      }
      transfer.received = concatBytes(transfer.received, packet);
      if (packet.length === packetSize && transfer.received.length < transfer.length) continue;
      waiting.shift();
      if (transfer.intercept) transfer.intercept();
      else transfer.resolve({ status: 'ok', data: viewOf(transfer.received) });
    }
  }

  async #controlled<Result>(
    method: string,
    run: (lost: boolean) => Result,
  ): Promise<{ readonly fault: FaultKind | undefined; readonly result?: Result }> {
    const fault = this.#faults.next('transfer');
    if (fault === 'before') this.#faults.cut();
    await Promise.resolve();
    if (!this.#present) throw broken(method);
    if (fault === 'stall') return { fault };
    const result = run(fault === 'lost');
    if (fault === 'after') {
      await this.#model.idle();
      this.#faults.cut();
      throw broken(method);
    }
    return { fault, result };
  }

  /** The host waits for what does not come. */
  #neverAnswered(): Promise<never> {
    return new Promise((_resolve, reject) => this.#unanswered.push(reject));
  }

  #checkControl(method: string, setup: USBControlTransferParameters): void {
    this.#mustBeOpen(method);
    if (setup.recipient !== 'interface') return;
    const face = this.#interface(method, setup.index & 0xff);
    if (protectedClasses.has(face.interfaceClass))
      throw exception('SecurityError', method, 'The requested interface implements a protected class.');
    this.#mustBeClaimed(method, face.interfaceNumber);
  }

  #descriptor(value: number): Uint8Array | undefined {
    if (value === 0x0100) return deviceDescriptor(this.#model.identity);
    if (value === 0x0200) return configurationDescriptor(this.#model.interfaces);
    return undefined;
  }

  async #change(method: string, effect: () => void): Promise<void> {
    this.#mustBePresent(method);
    if (this.#changing)
      throw exception('InvalidStateError', method, 'An operation that changes the device state is in progress.');
    this.#changing = true;
    try {
      await Promise.resolve();
      this.#mustBePresent(method);
      effect();
    } finally {
      this.#changing = false;
    }
  }

  #mustBePresent(method: string): void {
    if (!this.#present) throw gone(method);
  }

  #mustBeOpen(method: string): void {
    this.#mustBePresent(method);
    if (!this.#opened) throw exception('InvalidStateError', method, 'The device must be opened first.');
  }

  #mustBeClaimed(method: string, interfaceNumber: number): void {
    if (!this.#claimed.has(interfaceNumber))
      throw exception('InvalidStateError', method, 'The specified interface has not been claimed.');
  }

  #interface(method: string, interfaceNumber: number): UsbInterfaceModel {
    const face = this.#model.interfaces.find((candidate) => candidate.interfaceNumber === interfaceNumber);
    if (face) return face;
    throw exception(
      'NotFoundError',
      method,
      'The interface number provided is not supported by the device in its current configuration.',
    );
  }

  #endpointModel(direction: USBDirection, endpointNumber: number): UsbEndpointModel | undefined {
    return this.#model.interfaces
      .filter((face) => this.#claimed.has(face.interfaceNumber))
      .flatMap((face) => face.endpoints)
      .find((endpoint) => endpoint.direction === direction && endpoint.endpointNumber === endpointNumber);
  }

  #endpoint(method: string, direction: USBDirection, endpointNumber: number): void {
    if (this.#endpointModel(direction, endpointNumber)) return;
    throw exception(
      'NotFoundError',
      method,
      'The specified endpoint is not part of a claimed and selected alternate interface.',
    );
  }

  #packetsOf(endpointNumber: number): Uint8Array[] {
    const packets = this.#packets.get(endpointNumber) ?? [];
    this.#packets.set(endpointNumber, packets);
    return packets;
  }

  #waitingOf(endpointNumber: number): WaitingTransfer[] {
    const waiting = this.#waiting.get(endpointNumber) ?? [];
    this.#waiting.set(endpointNumber, waiting);
    return waiting;
  }

  #rejectWaiting(error: () => DOMException, face?: UsbInterfaceModel): void {
    if (!face) for (const reject of this.#unanswered.splice(0)) reject(error());
    for (const [endpointNumber, waiting] of this.#waiting) {
      const concerned =
        !face || face.endpoints.some((end) => end.direction === 'in' && end.endpointNumber === endpointNumber);
      if (concerned) for (const transfer of waiting.splice(0)) transfer.reject(error());
    }
  }
}

const isGetDescriptor = (setup: USBControlTransferParameters): boolean =>
  setup.requestType === 'standard' && setup.recipient === 'device' && setup.request === 0x06;

function matches(model: UsbDeviceModel, filter: USBDeviceFilter): boolean {
  const { vendorId, productId, serialNumber, classCode, subclassCode, protocolCode } = filter;
  const { identity } = model;
  if (vendorId !== undefined && vendorId !== identity.vendorId) return false;
  if (productId !== undefined && productId !== identity.productId) return false;
  if (serialNumber !== undefined && serialNumber !== identity.serialNumber) return false;
  if (classCode === undefined) return true;
  return model.interfaces.some(
    (face) =>
      face.interfaceClass === classCode &&
      (subclassCode === undefined || face.interfaceSubclass === subclassCode) &&
      (protocolCode === undefined || face.interfaceProtocol === protocolCode),
  );
}

function checkFilter(filter: USBDeviceFilter): void {
  const wrong = (message: string): TypeError => new TypeError(`Failed to execute 'requestDevice' on 'USB': ${message}`);
  if (filter.productId !== undefined && filter.vendorId === undefined)
    throw wrong('A filter containing a productId must also contain a vendorId.');
  if (filter.subclassCode !== undefined && filter.classCode === undefined)
    throw wrong('A filter containing a subclassCode must also contain a classCode.');
  if (filter.protocolCode !== undefined && filter.subclassCode === undefined)
    throw wrong('A filter containing a protocolCode must also contain a subclassCode.');
}

interface Plugged {
  readonly model: UsbDeviceModel;
  readonly device: FakeUsbDevice;
}

/** `navigator.usb` in front of device models, with Chromium's measured behaviour. */
export class FakeUsb extends EventTarget {
  onconnect: ((event: Event) => unknown) | null = null;
  ondisconnect: ((event: Event) => unknown) | null = null;
  chooser: Chooser;
  readonly #options: BrowserOptions;
  readonly #plugged = new Set<Plugged>();
  readonly #grants = new Set<UsbDeviceModel>();

  constructor(options: BrowserOptions = {}) {
    super();
    this.#options = options;
    this.chooser = options.chooser ?? chooseFirst;
  }

  async getDevices(): Promise<FakeUsbDevice[]> {
    await this.#options.ready;
    return [...this.#plugged].filter(({ model }) => this.#grants.has(model)).map(({ device }) => device);
  }

  async requestDevice(options?: USBDeviceRequestOptions): Promise<FakeUsbDevice> {
    if (!options)
      throw new TypeError("Failed to execute 'requestDevice' on 'USB': 1 argument required, but only 0 present.");
    const { filters, exclusionFilters = [] } = options;
    for (const filter of [...filters, ...exclusionFilters]) checkFilter(filter);
    if (!(this.#options.hasGesture ?? pageHasGesture)())
      throw exception(
        'SecurityError',
        'requestDevice',
        'Must be handling a user gesture to show a permission request.',
        'USB',
      );
    await this.#options.ready;
    const listed = [...this.#plugged].filter(
      ({ model }) =>
        // What has nothing but disks is not shown.
        model.interfaces.some((face) => face.interfaceClass !== massStorage) &&
        (filters.length === 0 || filters.some((filter) => matches(model, filter))) &&
        !exclusionFilters.some((filter) => matches(model, filter)),
    );
    const index = await this.chooser(
      listed.map(({ model: { identity } }) => ({
        name: identity.productName,
        vendorId: identity.vendorId,
        productId: identity.productId,
      })),
    );
    const chosen = index === undefined ? undefined : listed[index];
    if (!chosen || !this.#plugged.has(chosen))
      throw exception('NotFoundError', 'requestDevice', 'No device selected.', 'USB');
    this.grant(chosen.model);
    return chosen.device;
  }

  /** Gives the page permission, as if the person had chosen the device before. */
  grant(model: UsbDeviceModel): void {
    this.#grants.add(model);
    this.#options.onGrant?.();
  }

  isGranted(model: UsbDeviceModel): boolean {
    return this.#grants.has(model);
  }

  /** Plugs a device in. Resolves when the page has been told, which it is only if it holds a grant. */
  async plug(model: UsbDeviceModel, faults: FaultPlan = new FaultPlan()): Promise<void> {
    if ([...this.#plugged].some((plugged) => plugged.model === model)) return;
    const device = this.#add(model, faults);
    await afterReactions();
    if (this.#grants.has(model)) this.#tell('connect', device);
  }

  #add(model: UsbDeviceModel, faults: FaultPlan): FakeUsbDevice {
    const forget = (): void => {
      this.#grants.delete(model);
      this.#plugged.delete(plugged);
      // Chosen again it is another object.
      this.#add(model, faults);
      this.#options.onGrant?.();
    };
    const plugged = { model, device: new FakeUsbDevice(model, faults, forget) };
    this.#plugged.add(plugged);
    return plugged.device;
  }

  /** Pulls a device out. Resolves when the page has been told: transfers fail first, then the event comes. */
  async unplug(model: UsbDeviceModel): Promise<void> {
    const plugged = [...this.#plugged].find((candidate) => candidate.model === model);
    if (!plugged) return;
    this.#plugged.delete(plugged);
    plugged.model.powerDown();
    plugged.device.disappear();
    const granted = this.#grants.has(model);
    // Without a serial number the browser cannot know the device again.
    if (model.identity.serialNumber === null) this.#grants.delete(model);
    await afterReactions();
    if (granted) this.#tell('disconnect', plugged.device);
  }

  #tell(type: 'connect' | 'disconnect', device: FakeUsbDevice): void {
    const event = new ConnectionEvent(type, device);
    (type === 'connect' ? this.onconnect : this.ondisconnect)?.(event);
    this.dispatchEvent(event);
  }
}
