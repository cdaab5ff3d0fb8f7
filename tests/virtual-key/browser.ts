/*
 * The demo's USBKEY in the browser. A classic script that runs before the site: it puts fakes in place of navigator.usb
 * and navigator.hid with a virtual key behind them, and draws the 体验模式 panel. No other build has it.
 */
import { FakeHid } from './fake-hid.ts';
import { FakeUsb } from './fake-usb.ts';
import { type KeyChoice, sameKind } from './demo/choice.ts';
import { chooserDialog } from './demo/chooser-dialog.ts';
import { mountPanel, type PanelModel } from './demo/panel.ts';
import { readOptions, readSaved, writeSaved } from './demo/saved.ts';
import { noLatency, realLatency } from './latency.ts';
import { defaultManagementKey } from './piv-management.ts';
import { fidoDevice, massStorageDevice, smartCardDevice } from './other-devices.ts';
import type { Attachment, CommandSet, KeyState, PivAlgorithm, Scenario } from './state.ts';
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
  /** Another key, fresh from the demo's server, takes this one's place: GM/T 0017 unless told otherwise. */
  reset(
    scenario: Scenario,
    attachment: Attachment,
    kind?: { readonly commandSet?: CommandSet; readonly algorithm?: PivAlgorithm },
  ): Promise<void>;
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
  saved && (!given || (saved.choice.scenario === options.scenario && sameKind(saved.choice, options)))
    ? saved
    : undefined;

const { scenario, attachment, commandSet, algorithm } = restored?.choice ?? options;
let choice: KeyChoice = { scenario, attachment, commandSet, algorithm };
let key: VirtualKey | undefined;
let show: ((model: PanelModel) => void) | undefined;

function refresh(): void {
  const state = key?.state();
  show?.({ choice, managementKey: managementKeyToType(state), plugged: key?.plugged });
  if (key && state) writeSaved({ choice, state, plugged: key.plugged, granted: key.granted });
}

/** What a page has to ask for: neither kept on the key behind the PIN nor the one every key is delivered with. */
function managementKeyToType(state: KeyState | undefined): string | undefined {
  const managementKey = state?.piv?.managementKey;
  const isKnown = !managementKey || managementKey.pinProtected || managementKey.key === defaultManagementKey;
  return isKnown ? undefined : managementKey.key;
}

async function fetchState({ scenario, attachment, commandSet, algorithm }: KeyChoice): Promise<KeyState> {
  const parameters = new URLSearchParams({ scenario, attachment, 'command-set': commandSet, algorithm });
  const response = await fetch(`/demo/keys?${parameters.toString()}`, { cache: 'no-store' });
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
    state: await fetchState(choice),
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

async function reset(wanted: KeyChoice): Promise<void> {
  const state = await fetchState(wanted);
  choice = wanted;
  if (key) return key.reset(state);
  key = put(state);
  if (options.granted) key.grant();
  await key.plug();
}

let another: VirtualKey | undefined;

async function plugAnother(scenario: Scenario, attachment: Attachment): Promise<void> {
  await another?.unplug();
  another = new VirtualKey(await fetchState({ ...choice, scenario, attachment, commandSet: 'gmt0017' }), {
    usb,
    hid,
    latency: noLatency,
  });
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
  reset: async (scenario, attachment, { commandSet = 'gmt0017', algorithm = 'p256' } = {}) => {
    await started;
    await reset({ scenario, attachment, commandSet, algorithm });
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
      reset: (wanted) => handle.reset(wanted.scenario, wanted.attachment, wanted),
    });
    refresh();
  });
