import { TransportError } from '../apdu/channel.ts';
import { transportErrorFrom, type DeviceStep } from './browser-errors.ts';

const limitMs = 5_000;

/**
 * Resets a USB device that nobody here has open: `open`, `reset` (USB 2.0 §7.1.7.5, by way of the computer), `close`. What
 * another program has open on it fails there.
 * @throws TransportError `busy` or `accessDenied` where it cannot be opened, `timeout`, `disconnected`
 */
export async function resetUsbDevice(device: USBDevice): Promise<void> {
  await step('open', () => device.open());
  try {
    await step('transfer', () => device.reset());
  } finally {
    await step('transfer', () => device.close()).catch(() => undefined);
  }
}

async function step(name: DeviceStep, call: () => Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TransportError('timeout', 'the device did not answer in time')), limitMs);
  });
  try {
    await Promise.race([call(), late]);
  } catch (error) {
    throw transportErrorFrom(error, name);
  } finally {
    clearTimeout(timer);
  }
}
