import { sampleState } from '../virtual-key/make-state.ts';
import { VirtualKey } from '../virtual-key/virtual-key.ts';

type State = ReturnType<typeof sampleState>;

/** A virtual key, plugged in and granted, without latency. */
export async function pluggedKey(state: State): Promise<VirtualKey> {
  const key = new VirtualKey(state);
  key.grant();
  await key.plug();
  return key;
}

/** What a driver sees of the key over WebUSB. */
export async function usbDeviceOf(key: VirtualKey): Promise<USBDevice> {
  const [device] = await key.usb.getDevices();
  if (!device) throw new Error('the virtual key is not on WebUSB');
  // The fake has all of a USBDevice that a driver uses.
  return device as unknown as USBDevice;
}

/** @throws Error when the answer is neither 9000 nor 61xx: a refusal would be measured for an answer */
export function expectAnswer(response: Uint8Array): Uint8Array {
  const sw1 = response.at(-2);
  if (sw1 !== 0x90 && sw1 !== 0x61) throw new Error('the virtual key refuses the command');
  return response;
}

const hex = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** Commands that take a virtual key next to no time, so that the way to it shows. */
export const exchanges = {
  gmt0017: [
    { name: 'GenRandom, 8 bytes', command: hex('80 50 00 00 00 0008') },
    // A CCID message of exactly one packet.
    { name: 'GenRandom, 52 bytes', command: hex('80 50 00 00 00 0034') },
    { name: 'GenRandom, 128 bytes', command: hex('80 50 00 00 00 0080') },
  ],
  piv: [
    { name: 'SELECT', command: hex('00 a4 04 00 05 a000000308') },
    { name: 'GET DATA, 256 bytes', command: hex('00 cb 3fff 05 5c035fc105 00') },
  ],
} as const;
