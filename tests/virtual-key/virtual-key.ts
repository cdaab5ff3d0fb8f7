import type { Card } from './card.ts';
import type { BrowserOptions } from './chooser.ts';
import { CcidDevice } from './ccid-device.ts';
import type { HidDeviceModel, UsbDeviceModel, UsbIdentity } from './device-models.ts';
import { FakeHid } from './fake-hid.ts';
import { FakeUsb } from './fake-usb.ts';
import { type FaultKind, FaultPlan } from './faults.ts';
import { Gmt0017Applet } from './gmt0017-applet.ts';
import { type Latency, noLatency } from './latency.ts';
import { LongmaiDevice } from './longmai-device.ts';
import { Memory, type Persist } from './memory.ts';
import { hidOverUsb } from './other-devices.ts';
import type { Attachment, KeyState } from './state.ts';

export interface VirtualKeyOptions extends BrowserOptions {
  /** Called with the whole state after every write to the key's memory; returns once the state is safe. */
  readonly persist?: Persist;
  /** Called whenever the key was plugged in or pulled out, by whomever. */
  readonly onPlug?: () => void;
  /** No waiting unless given. */
  readonly latency?: Latency;
  /** The most data one ExportCertificate answers with, in bytes. */
  readonly answerLimit?: number;
  /** Stands between the reader and the chip, and may watch or falsify what goes through. */
  readonly through?: (card: Card) => Card;
}

/** A physical key: one memory and one chip behind one plug, seen by WebUSB and, where it is a HID, by WebHID. */
interface Body {
  readonly memory: Memory;
  readonly usb: UsbDeviceModel;
  readonly hid: HidDeviceModel | undefined;
}

interface Attached {
  readonly vendorId: number;
  readonly productId: number;
  readonly productName: string;
  /** Longest command, bytes. */
  readonly maxCommandBytes: number;
  readonly answerLimit: number;
}

/** Small answers on the HID key, so that its certificates come in parts (6A9E). */
const attached: Record<Attachment, Attached> = {
  'longmai-hid': {
    vendorId: 0x055c,
    productId: 0xe618,
    productName: 'mToken GM3000',
    maxCommandBytes: 4096,
    answerLimit: 512,
  },
  'ccid-extended': {
    vendorId: 0x1209,
    productId: 0x0001,
    productName: 'USBKEY CCID-E',
    maxCommandBytes: 4096,
    answerLimit: 2048,
  },
  'ccid-short': {
    vendorId: 0x1209,
    productId: 0x0001,
    productName: 'USBKEY CCID-S',
    maxCommandBytes: 261,
    answerLimit: 2048,
  },
};

/** A software USBKEY together with the browser's USB that it is plugged into. */
export class VirtualKey {
  readonly usb: FakeUsb;
  readonly hid: FakeHid;
  readonly #options: VirtualKeyOptions;
  #faults: FaultPlan;
  #body: Body;
  #plugged = false;

  constructor(state: KeyState, options: VirtualKeyOptions & { readonly usb?: FakeUsb; readonly hid?: FakeHid } = {}) {
    this.#options = options;
    this.usb = options.usb ?? new FakeUsb(options);
    this.hid = options.hid ?? new FakeHid(options);
    this.#faults = this.#freshFaults();
    this.#body = this.#make(state);
  }

  get plugged(): boolean {
    return this.#plugged;
  }

  /** Transfers (and HID reports, both ways) so far on this key. */
  get transfers(): number {
    return this.#faults.transfers;
  }

  /** Writes to the key's memory so far. */
  get writes(): number {
    return this.#faults.writes;
  }

  /** A copy of what the key holds between power-downs. */
  state(): KeyState {
    return structuredClone(this.#body.memory.state);
  }

  /** Whether the page may use the key without asking. */
  get granted(): boolean {
    const { usb, hid } = this.#body;
    return hid ? this.hid.isGranted(hid) : this.usb.isGranted(usb);
  }

  /** Gives the page permission, as if the person had chosen the key before. */
  grant(): void {
    const { usb, hid } = this.#body;
    if (hid) this.hid.grant(hid);
    else this.usb.grant(usb);
  }

  /** Resolves when the page has been told. */
  async plug(): Promise<void> {
    if (this.#plugged) return;
    this.#plugged = true;
    this.#options.onPlug?.();
    const { usb, hid } = this.#body;
    await Promise.all([this.usb.plug(usb, this.#faults), hid && this.hid.plug(hid, this.#faults)]);
  }

  /** The key has no power when this returns; the promise resolves when the page has been told. */
  async unplug(): Promise<void> {
    if (!this.#plugged) return;
    this.#plugged = false;
    const { usb, hid } = this.#body;
    const told = Promise.all([this.usb.unplug(usb), hid && this.hid.unplug(hid)]);
    this.#options.onPlug?.();
    await told;
  }

  /** Puts another key in this one's place: plugged in, and permitted, if this one was. */
  async reset(state: KeyState): Promise<void> {
    const { plugged, granted } = this;
    await this.unplug();
    this.#faults = this.#freshFaults();
    this.#body = this.#make(state);
    this.#options.persist?.(this.state());
    if (granted) this.grant();
    if (plugged) await this.plug();
  }

  /** Pulls the key at the n-th transfer or report from now (1 is the next), before or after its effect. */
  unplugAt(n: number, when: 'before' | 'after'): void {
    this.#faults.arm({ place: 'transfer', n, kind: when });
  }

  /** Pulls the key at the n-th write to its memory from now (1 is the next). */
  unplugAtWrite(n: number, when: 'before' | 'after'): void {
    this.#faults.arm({ place: 'write', n, kind: when });
  }

  /** Makes the n-th transfer from now stall, or vanish. */
  disturb(n: number, kind: Extract<FaultKind, 'stall' | 'lost'>): void {
    this.#faults.arm({ place: 'transfer', n, kind });
  }

  /** Forgets faults that have not struck. */
  disarm(): void {
    this.#faults.disarm();
  }

  #freshFaults(): FaultPlan {
    const faults = new FaultPlan();
    faults.cut = () => void this.unplug();
    return faults;
  }

  #make(state: KeyState): Body {
    const { vendorId, productId, productName, maxCommandBytes, answerLimit } = attached[state.attachment];
    const memory = new Memory(state, this.#options.persist ?? (() => undefined), this.#faults);
    const identity: UsbIdentity = {
      vendorId,
      productId,
      productName,
      manufacturerName: state.info.manufacturer,
      serialNumber: state.info.serialNumber,
    };
    const chip = new Gmt0017Applet(memory, {
      apduLevel: state.attachment === 'ccid-short' ? 'short' : 'extended',
      maxCommandBytes,
      answerLimit: this.#options.answerLimit ?? answerLimit,
      latency: this.#options.latency ?? noLatency,
    });
    const card = this.#options.through?.(chip) ?? chip;
    if (state.attachment === 'longmai-hid')
      return { memory, usb: hidOverUsb(identity), hid: new LongmaiDevice(card, identity) };
    return { memory, usb: new CcidDevice(card, identity), hid: undefined };
  }
}
