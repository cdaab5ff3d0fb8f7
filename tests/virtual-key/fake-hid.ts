import { concatBytes, copyOf } from './bytes.ts';
import { type BrowserOptions, type Chooser, afterReactions, chooseFirst, pageHasGesture } from './chooser.ts';
import type { HidDeviceModel } from './device-models.ts';
import { FaultPlan } from './faults.ts';

const fidoPage = 0xf1d0;

const exception = (name: string, method: string, message: string, face = 'HIDDevice'): DOMException =>
  new DOMException(`Failed to execute '${method}' on '${face}': ${message}`, name);

/** What a call on an unplugged device turns into: Chromium never settles it. */
const never = <Result>(): Promise<Result> => new Promise(() => undefined);

class ConnectionEvent extends Event {
  readonly device: FakeHidDevice;
  constructor(type: 'connect' | 'disconnect', device: FakeHidDevice) {
    super(type);
    this.device = device;
  }
}

class InputReportEvent extends Event {
  readonly device: FakeHidDevice;
  readonly reportId = 0;
  readonly data: DataView;
  constructor(device: FakeHidDevice, report: Uint8Array) {
    super('inputreport');
    this.device = device;
    this.data = new DataView(concatBytes(report).buffer);
  }
}

/** The collections a page may see. */
const visible = (model: HidDeviceModel): HIDCollectionInfo[] =>
  model.collections.filter(({ usagePage }) => usagePage !== fidoPage);

/** One plugged-in device as Chromium hands it to a page. */
export class FakeHidDevice extends EventTarget {
  oninputreport: ((event: Event) => unknown) | null = null;
  readonly vendorId: number;
  readonly productId: number;
  readonly productName: string;
  readonly collections: HIDCollectionInfo[];
  readonly #model: HidDeviceModel;
  readonly #faults: FaultPlan;
  readonly #forget: () => void;
  #present = true;
  #opened = false;

  constructor(model: HidDeviceModel, faults: FaultPlan, forget: () => void) {
    super();
    this.#model = model;
    this.#faults = faults;
    this.#forget = forget;
    this.vendorId = model.identity.vendorId;
    this.productId = model.identity.productId;
    this.productName = model.identity.productName;
    this.collections = visible(model);
    model.powerUp((report) => this.#deliver(report));
  }

  /** Stays true after unplugging, until close(). */
  get opened(): boolean {
    return this.#opened;
  }

  /** The plug is pulled. */
  disappear(): void {
    this.#present = false;
  }

  async open(): Promise<void> {
    if (this.#opened) throw exception('InvalidStateError', 'open', 'The device is already open.');
    await Promise.resolve();
    if (!this.#present || this.#model.notOpenable)
      throw exception('NotAllowedError', 'open', 'Failed to open the device.');
    this.#opened = true;
  }

  async close(): Promise<void> {
    await Promise.resolve();
    this.#opened = false;
  }

  async forget(): Promise<void> {
    await this.close();
    this.#forget();
  }

  async sendReport(reportId: number, data: BufferSource): Promise<void> {
    if (!this.#opened) throw exception('InvalidStateError', 'sendReport', 'The device must be opened first.');
    const bytes = copyOf(data);
    if (!this.#present) return never();
    if (reportId !== 0 || bytes.length > this.#model.outputReportBytes)
      throw exception('NotAllowedError', 'sendReport', 'Failed to write the report.');
    const fault = this.#faults.next('transfer');
    if (fault === 'before') this.#faults.cut();
    await Promise.resolve();
    if (!this.#isPresent()) return never();
    if (fault === 'stall') throw exception('NotAllowedError', 'sendReport', 'Failed to write the report.');
    // The operating system fills a report up to the length that the descriptor gives it.
    const padding = new Uint8Array(this.#model.outputReportBytes - bytes.length);
    if (fault !== 'lost') this.#model.receive(concatBytes(bytes, padding));
    if (fault !== 'after') return;
    await this.#model.idle();
    this.#faults.cut();
    return never();
  }

  async sendFeatureReport(): Promise<void> {
    return this.#noFeatureReport('sendFeatureReport', 'Failed to write the feature report.');
  }

  async receiveFeatureReport(): Promise<DataView> {
    return this.#noFeatureReport('receiveFeatureReport', 'Failed to receive the feature report.');
  }

  /** These devices have no feature reports. */
  #noFeatureReport<Result>(method: string, message: string): Promise<Result> {
    if (!this.#opened)
      return Promise.reject(exception('InvalidStateError', method, 'The device must be opened first.'));
    if (!this.#present) return never();
    return Promise.reject(exception('NotAllowedError', method, message));
  }

  #isPresent(): boolean {
    return this.#present;
  }

  #deliver(report: Uint8Array): void {
    const fault = this.#faults.next('transfer');
    if (fault === 'before') this.#faults.cut();
    // Reports that come while nobody has the device open are dropped.
    if (this.#opened && this.#present && fault !== 'lost' && fault !== 'stall') {
      const event = new InputReportEvent(this, report);
      this.oninputreport?.(event);
      this.dispatchEvent(event);
    }
    if (fault === 'after') this.#faults.cut();
  }
}

function matches(model: HidDeviceModel, filter: HIDDeviceFilter): boolean {
  const { vendorId, productId, usagePage, usage } = filter;
  if (vendorId !== undefined && vendorId !== model.identity.vendorId) return false;
  if (productId !== undefined && productId !== model.identity.productId) return false;
  return (
    usagePage === undefined ||
    visible(model).some(
      (collection) => collection.usagePage === usagePage && (usage === undefined || collection.usage === usage),
    )
  );
}

function checkFilter(filter: HIDDeviceFilter): void {
  const wrong = (message: string): TypeError => new TypeError(`Failed to execute 'requestDevice' on 'HID': ${message}`);
  if (Object.values(filter).every((value) => value === undefined))
    throw wrong('A filter must provide a property to filter by.');
  if (filter.productId !== undefined && filter.vendorId === undefined)
    throw wrong('A filter containing a productId must also contain a vendorId.');
  if (filter.usage !== undefined && filter.usagePage === undefined)
    throw wrong('A filter containing a usage must also contain a usagePage.');
}

interface Plugged {
  readonly model: HidDeviceModel;
  readonly device: FakeHidDevice;
}

/** `navigator.hid` in front of device models, with Chromium's measured behaviour. */
export class FakeHid extends EventTarget {
  onconnect: ((event: Event) => unknown) | null = null;
  ondisconnect: ((event: Event) => unknown) | null = null;
  chooser: Chooser;
  readonly #options: BrowserOptions;
  readonly #plugged = new Set<Plugged>();
  readonly #grants = new Set<HidDeviceModel>();

  constructor(options: BrowserOptions = {}) {
    super();
    this.#options = options;
    this.chooser = options.chooser ?? chooseFirst;
  }

  async getDevices(): Promise<FakeHidDevice[]> {
    await this.#options.ready;
    return [...this.#plugged]
      .filter(({ model }) => this.#grants.has(model) && visible(model).length > 0)
      .map(({ device }) => device);
  }

  /** The chosen device, or [] when the person closed the chooser. */
  async requestDevice(options?: HIDDeviceRequestOptions): Promise<FakeHidDevice[]> {
    if (!options)
      throw new TypeError("Failed to execute 'requestDevice' on 'HID': 1 argument required, but only 0 present.");
    for (const filter of options.filters) checkFilter(filter);
    if (!(this.#options.hasGesture ?? pageHasGesture)())
      throw exception(
        'SecurityError',
        'requestDevice',
        'Must be handling a user gesture to show a permission request.',
        'HID',
      );
    await this.#options.ready;
    const listed = [...this.#plugged].filter(
      ({ model }) =>
        visible(model).length > 0 &&
        (options.filters.length === 0 || options.filters.some((filter) => matches(model, filter))),
    );
    const index = await this.chooser(
      listed.map(({ model: { identity } }) => ({
        name: identity.productName,
        vendorId: identity.vendorId,
        productId: identity.productId,
      })),
    );
    const chosen = index === undefined ? undefined : listed[index];
    if (!chosen || !this.#plugged.has(chosen)) return [];
    this.grant(chosen.model);
    return [chosen.device];
  }

  /** Gives the page permission, as if the person had chosen the device before. */
  grant(model: HidDeviceModel): void {
    this.#grants.add(model);
    this.#options.onGrant?.();
  }

  isGranted(model: HidDeviceModel): boolean {
    return this.#grants.has(model);
  }

  /** Plugs a device in. Resolves when the page has been told, which it is only if it holds a grant. */
  async plug(model: HidDeviceModel, faults: FaultPlan = new FaultPlan()): Promise<void> {
    if ([...this.#plugged].some((plugged) => plugged.model === model)) return;
    const forget = (): void => {
      this.#grants.delete(model);
      this.#options.onGrant?.();
    };
    const device = new FakeHidDevice(model, faults, forget);
    this.#plugged.add({ model, device });
    await afterReactions();
    if (this.#grants.has(model)) this.#tell('connect', device);
  }

  /** Pulls a device out; the grant stays, with or without a serial number. Resolves when the page has been told. */
  async unplug(model: HidDeviceModel): Promise<void> {
    const plugged = [...this.#plugged].find((candidate) => candidate.model === model);
    if (!plugged) return;
    this.#plugged.delete(plugged);
    plugged.model.powerDown();
    plugged.device.disappear();
    await afterReactions();
    if (this.#grants.has(model)) this.#tell('disconnect', plugged.device);
  }

  #tell(type: 'connect' | 'disconnect', device: FakeHidDevice): void {
    const event = new ConnectionEvent(type, device);
    (type === 'connect' ? this.onconnect : this.ondisconnect)?.(event);
    this.dispatchEvent(event);
  }
}
