/*
 * The demo's USBKEY in the browser. A classic script that runs before the site: it puts fakes in place of navigator.usb
 * and navigator.hid with a virtual key behind them, and draws the 体验模式 panel. No other build has it.
 */
import { FakeHid } from './fake-hid.ts';
import { FakeUsb } from './fake-usb.ts';
import { chooserDialog } from './demo/chooser-dialog.ts';
import { mountPanel, type PanelModel } from './demo/panel.ts';
import { readOptions, readSaved, writeSaved } from './demo/saved.ts';
import { noLatency, realLatency } from './latency.ts';
import { fidoDevice, massStorageDevice, smartCardDevice } from './other-devices.ts';
import type { Attachment, KeyState, Scenario } from './state.ts';
import { readKeyState } from './state-schema.ts';
import { VirtualKey } from './virtual-key.ts';

/** What end-to-end tests do to the key from inside the page. */
export interface VirtualKeyHandle {
  plug(): Promise<void>;
  unplug(): Promise<void>;
  /** Pulls the key at the n-th transfer or report from now, before or after its effect. */
  unplugAt(n: number, when: 'before' | 'after'): Promise<void>;
  /** Pulls the key at the n-th write to its memory from now. */
  unplugAtWrite(n: number, when: 'before' | 'after'): Promise<void>;
  state(): Promise<KeyState>;
  /** Another key, fresh from the demo's server, takes this one's place. */
  reset(scenario: Scenario, attachment: Attachment): Promise<void>;
  /** Plugs in a second key beside the first, already permitted; nothing of it outlives the page. */
  plugAnother(scenario: Scenario, attachment: Attachment): Promise<void>;
  unplugAnother(): Promise<void>;
}

declare global {
  interface Window {
    virtualKey: VirtualKeyHandle;
  }
}

const { options, given } = readOptions();
const saved = readSaved();
const restored =
  saved && (!given || (saved.state.scenario === options.scenario && saved.state.attachment === options.attachment))
    ? saved
    : undefined;

let key: VirtualKey | undefined;
let show: ((model: PanelModel) => void) | undefined;

function refresh(): void {
  const state = key?.state();
  const { scenario, attachment } = state ?? restored?.state ?? options;
  show?.({ scenario, attachment, plugged: key?.plugged });
  if (key && state) writeSaved({ state, plugged: key.plugged, granted: key.granted });
}

async function fetchState(scenario: Scenario, attachment: Attachment): Promise<KeyState> {
  const response = await fetch(`/demo/keys?${new URLSearchParams({ scenario, attachment }).toString()}`, {
    cache: 'no-store',
  });
  const state = response.ok ? readKeyState(await response.json()) : undefined;
  if (!state) throw new Error(`/demo/keys: HTTP ${response.status}`);
  return state;
}

function put(state: KeyState): VirtualKey {
  return new VirtualKey(state, {
    usb,
    hid,
    latency: options.latency === 'none' ? noLatency : realLatency,
    persist: refresh,
    onPlug: refresh,
  });
}

async function start(): Promise<void> {
  const { state, plugged, granted } = restored ?? {
    state: await fetchState(options.scenario, options.attachment),
    plugged: options.plugged,
    granted: options.granted,
  };
  const made = put(state);
  // In this order: a page is not told of a device that was there before it.
  if (plugged) await made.plug();
  if (granted) made.grant();
  key = made;
  refresh();
}

async function reset(scenario: Scenario, attachment: Attachment): Promise<void> {
  const state = await fetchState(scenario, attachment);
  if (key) return key.reset(state);
  key = put(state);
  if (options.granted) key.grant();
  await key.plug();
}

let another: VirtualKey | undefined;

async function plugAnother(scenario: Scenario, attachment: Attachment): Promise<void> {
  await another?.unplug();
  another = new VirtualKey(await fetchState(scenario, attachment), { usb, hid, latency: noLatency });
  another.grant();
  await another.plug();
}

async function theKey(): Promise<VirtualKey> {
  await started;
  if (!key) throw new Error('no key: the demo server gave none');
  return key;
}

let begin = (): void => undefined;
const begun = new Promise<void>((resolve) => (begin = resolve));
const started = begun.then(start).catch((error: unknown) => {
  console.warn('体验模式: no sample key', error);
  refresh();
});
const browser = { chooser: chooserDialog, ready: started, onGrant: refresh };
const usb = new FakeUsb(browser);
const hid = new FakeHid(browser);
begin();
void usb.plug(smartCardDevice());
void usb.plug(massStorageDevice());
void hid.plug(fidoDevice());

for (const [name, fake] of Object.entries({ usb, hid }))
  Object.defineProperty(Navigator.prototype, name, { configurable: true, enumerable: true, get: () => fake });

window.virtualKey = {
  plug: async () => (await theKey()).plug(),
  unplug: async () => (await theKey()).unplug(),
  unplugAt: async (n, when) => (await theKey()).unplugAt(n, when),
  unplugAtWrite: async (n, when) => (await theKey()).unplugAtWrite(n, when),
  state: async () => (await theKey()).state(),
  reset: async (scenario, attachment) => {
    await started;
    await reset(scenario, attachment);
  },
  plugAnother,
  unplugAnother: async () => another?.unplug(),
};

if (options.panel)
  document.addEventListener('DOMContentLoaded', () => {
    const handle = window.virtualKey;
    show = mountPanel({
      plug: () => handle.plug(),
      unplug: () => handle.unplug(),
      reset: (scenario, attachment) => handle.reset(scenario, attachment),
    });
    refresh();
  });
