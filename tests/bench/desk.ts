import { authorisedKeys, traceExchanges } from '../../src/usbkey/connect.ts';
import type { UsbKey } from '../../src/usbkey/usbkey.ts';
import type { Latency } from '../virtual-key/latency.ts';
import type { Attachment, KeyState } from '../virtual-key/state.ts';
import { VirtualKey } from '../virtual-key/virtual-key.ts';

/** Kinds of keys that take part, by their wire. */
export const wires: readonly { readonly name: string; readonly attachment: Attachment; readonly isPiv?: true }[] = [
  { name: 'GM/T 0017 over Longmai HID', attachment: 'longmai-hid' },
  { name: 'GM/T 0017 over CCID, short APDUs', attachment: 'ccid-short' },
  { name: 'GM/T 0017 over CCID, extended APDUs', attachment: 'ccid-extended' },
  { name: 'PIV over CanoKey’s control transfers', attachment: 'canokey', isPiv: true },
];

/** A virtual key that has just been plugged in, on the page's USB. */
export async function plugged(state: KeyState, latency: Latency): Promise<VirtualKey> {
  const key = new VirtualKey(state, { latency, hasGesture: () => true });
  key.grant();
  await key.plug();
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { usb: key.usb, hid: key.hid } });
  return key;
}

/** The key as the page gets it: through discovery, framing, session and driver. */
export async function opened(): Promise<UsbKey> {
  const [attached] = (await authorisedKeys()).filter(({ refusal }) => !refusal);
  if (!attached) throw new Error('no key is plugged in and granted');
  return attached.open();
}

/** Does something and counts the commands that keys were sent meanwhile. */
export async function countingCommands<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly commands: number }> {
  let commands = 0;
  const end = traceExchanges(() => commands++);
  try {
    return { result: await work(), commands };
  } finally {
    end();
  }
}
