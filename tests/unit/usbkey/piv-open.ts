import { vi } from 'vitest';
import { authorisedKeys } from '../../../src/usbkey/connect.ts';
import type { ContainerRef, UsbKey } from '../../../src/usbkey/usbkey.ts';
import { samplePassword, samplePivState } from '../../virtual-key/make-state.ts';
import type { KeyState, PivAlgorithm } from '../../virtual-key/state.ts';
import { VirtualKey } from '../../virtual-key/virtual-key.ts';
import { certificateObject, samplePair, type SamplePair } from './piv-samples.ts';

export const password = new TextEncoder().encode(samplePassword);
export const message = new TextEncoder().encode('p10cr');
export const ref = (container: string): ContainerRef => ({ application: 'PIV', container });
export const existing = ref('9A');
export const fresh = ref(`R${'0123456789abcdef'.repeat(2)}`);

export const pairs: Readonly<Record<PivAlgorithm, SamplePair>> = {
  p256: samplePair('p256'),
  rsa2048: samplePair('rsa2048'),
  sm2: samplePair('sm2'),
};

/** A virtual key in the page's USB, granted and open. Undo with `vi.unstubAllGlobals`. */
export async function pluggedIn(state: KeyState): Promise<{ virtual: VirtualKey; key: UsbKey }> {
  const virtual = new VirtualKey(state);
  vi.stubGlobal('navigator', { usb: virtual.usb, hid: virtual.hid });
  virtual.grant();
  await virtual.plug();
  return { virtual, key: await opened() };
}

/** Opens the only key that is plugged in. */
export async function opened(): Promise<UsbKey> {
  const [attached] = await authorisedKeys();
  if (!attached) throw new Error('no key');
  return attached.open();
}

/** A key with a pair in 9A, and whatever else. */
export function stateWith(algorithm: PivAlgorithm, options: Parameters<typeof samplePivState>[0] = {}): KeyState {
  const pair = pairs[algorithm];
  return samplePivState({
    ...options,
    slots: [pair.inSlot('9a'), ...(options.slots ?? [])],
    objects: { '5fc105': certificateObject(pair.certificate), ...options.objects },
  });
}
