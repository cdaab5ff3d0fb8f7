import type { BrowserOptions } from './chooser.ts';
import { FakeHid } from './fake-hid.ts';
import { FakeUsb } from './fake-usb.ts';
import { type FaultKind, FaultPlan } from './faults.ts';
import { type KeyBody, type KeyBodyOptions, makeKeyBody } from './key-body.ts';
import type { KeyState } from './state.ts';

export interface VirtualKeyOptions extends BrowserOptions, KeyBodyOptions {
  /** Called whenever the key was plugged in or pulled out, by whomever. */
  readonly onPlug?: () => void;
}

/** A software USBKEY together with the browser's USB that it is plugged into. */
export class VirtualKey {
  readonly usb: FakeUsb;
  readonly hid: FakeHid;
  readonly #options: VirtualKeyOptions;
  #faults: FaultPlan;
  #body: KeyBody;
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

  #make(state: KeyState): KeyBody {
    return makeKeyBody(state, this.#faults, this.#options);
  }
}
