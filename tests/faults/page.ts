import type { UsbKey } from '../../src/usbkey/usbkey.ts';
import { authorisedKeys } from '../../src/usbkey/connect.ts';
import type { VirtualKey } from '../virtual-key/virtual-key.ts';
import type { VirtualTime } from './virtual-time.ts';

const transferCalls = new Set(['sendReport', 'transferOut', 'transferIn', 'controlTransferIn', 'controlTransferOut']);

/** What a dead page waits for. */
const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

type Listener = (event: Event) => void;

/**
 * One page in the browser, with its own view of the devices. When it dies its ports are severed for good: what is left
 * of its code reaches neither key nor network nor storage. The browser closes its devices; the keys stay powered.
 */
export class Page {
  /** Resolves when the page dies. */
  readonly dead: Promise<void>;
  /** Calls to devices so far. */
  calls = 0;
  readonly #time: VirtualTime;
  readonly #views = new WeakMap<object, object>();
  readonly #opened = new Set<{ close(): Promise<void> }>();
  readonly #listeners: (() => void)[] = [];
  readonly #navigator: { readonly usb: EventTarget; readonly hid: EventTarget };
  #alive = true;
  #die: () => void = () => undefined;
  #killAt: { readonly call: number; readonly when: 'before' | 'after' } | undefined;

  /** @param browser any key plugged into the browser: all share its USB */
  constructor(browser: VirtualKey, time: VirtualTime) {
    this.#time = time;
    this.dead = new Promise((resolve) => (this.#die = resolve));
    this.#navigator = { usb: this.#door(browser.usb), hid: this.#door(browser.hid) };
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Kills the page at the n-th call to a device from now. */
  killAtCall(n: number, when: 'before' | 'after'): void {
    this.#killAt = { call: this.calls + n, when };
  }

  disarm(): void {
    this.#killAt = undefined;
  }

  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const stop of this.#listeners) stop();
    for (const device of this.#opened) void device.close().catch(() => undefined);
    this.#die();
  }

  /** Work on behalf of this page: it ends for it only while it lives. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#alive) return never();
    const result = await work().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if (!this.isAlive()) return never();
    if ('error' in result) throw result.error;
    return result.value;
  }

  /** The key as the page gets it: through discovery, framing, session and driver. */
  async connect(): Promise<UsbKey> {
    Object.defineProperty(globalThis, 'navigator', { configurable: true, value: this.#navigator });
    const [attached] = (await authorisedKeys()).filter(({ refusal }) => !refusal);
    if (!attached) throw new Error('no key is plugged in and granted');
    return attached.open();
  }

  // A method, so that what was known of it before an await is not taken for granted after it.
  isAlive(): boolean {
    return this.#alive;
  }

  /** `navigator.usb` or `navigator.hid`, with devices of this page's own. */
  #door(source: EventTarget & { getDevices(): Promise<object[]> }): EventTarget & { getDevices(): Promise<object[]> } {
    const events = new EventTarget();
    for (const type of ['connect', 'disconnect']) {
      this.#listen(source, type, (event) => {
        const told = Object.assign(new Event(type), {
          device: this.#view((event as Event & { readonly device: object }).device),
        });
        events.dispatchEvent(told);
      });
    }
    return Object.assign(events, {
      getDevices: () => this.alone(async () => (await source.getDevices()).map((device) => this.#view(device))),
    });
  }

  #listen(source: EventTarget, type: string, listener: Listener): () => void {
    const guarded = (event: Event): void => {
      if (!this.#alive) return;
      this.#time.stir();
      listener(event);
    };
    source.addEventListener(type, guarded);
    const stop = (): void => source.removeEventListener(type, guarded);
    this.#listeners.push(stop);
    return stop;
  }

  #view(device: object): object {
    const known = this.#views.get(device);
    if (known) return known;
    const stops = new Map<Listener, () => void>();
    const own: Readonly<Record<string, unknown>> = {
      addEventListener: (type: string, listener: Listener) => {
        stops.set(listener, this.#listen(device as EventTarget, type, listener));
      },
      removeEventListener: (_type: string, listener: Listener) => stops.get(listener)?.(),
    };
    const view = new Proxy(device, {
      get: (target, name) => {
        if (typeof name === 'string' && name in own) return own[name];
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        return (...parameters: unknown[]) =>
          this.#call(device, String(name), () => Reflect.apply(value, target, parameters) as Promise<unknown>);
      },
    });
    this.#views.set(device, view);
    return view;
  }

  async #call(device: object, name: string, call: () => Promise<unknown>): Promise<unknown> {
    if (!this.#alive) return never();
    this.#time.stir();
    if (name === 'open') this.#opened.add(device as { close(): Promise<void> });
    let dies: 'before' | 'after' | undefined;
    if (transferCalls.has(name)) {
      this.calls += 1;
      if (this.#killAt?.call === this.calls) dies = this.#killAt.when;
    }
    if (dies === 'before') {
      this.kill();
      return never();
    }
    return this.alone(async () => {
      try {
        return await call();
      } finally {
        this.#time.stir();
        if (dies === 'after') this.kill();
      }
    });
  }
}
