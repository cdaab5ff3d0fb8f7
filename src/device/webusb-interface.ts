import { TransportError } from '../apdu/channel.ts';
import { transportErrorFrom } from './browser-errors.ts';
import { within } from './deadline.ts';
import { watchGone } from './gone.ts';

/** bInterfaceClass of a vendor's own interface, which a page may claim. */
export const vendorClass = 0xff;

const openTimeoutMs = 5000;

/** Which interface to claim, in which of its settings. */
export interface UsbInterfaceChoice {
  readonly interfaceNumber: number;
  readonly alternateSetting: number;
}

/** The interfaces, in all their settings, of the active or else the first configuration. */
export function interfaceSettings(
  device: USBDevice,
): readonly (UsbInterfaceChoice & Pick<USBAlternateInterface, 'interfaceClass' | 'endpoints'>)[] {
  const configuration = device.configuration ?? device.configurations[0];
  return (configuration?.interfaces ?? []).flatMap(({ interfaceNumber, alternates }) =>
    alternates.map(({ alternateSetting, interfaceClass, endpoints }) => ({
      ...{ interfaceNumber, alternateSetting, interfaceClass, endpoints },
    })),
  );
}

/**
 * Opens a device, configures it if nobody has, claims one of its interfaces and starts what speaks over it. A device on
 * which that fails is left closed.
 * @param usb where `disconnect` events come from: `navigator.usb`
 * @param start what to do with the interface; its `stop` ends the watching for an unplug
 * @throws TransportError `accessDenied`, `busy`, `protectedClass`, `disconnected`, `timeout`; what `start` throws
 */
export async function openInterface<T>(
  device: USBDevice,
  usb: EventTarget,
  { interfaceNumber, alternateSetting }: UsbInterfaceChoice,
  start: (gone: AbortSignal, stop: () => void) => Promise<T>,
): Promise<T> {
  const { gone, stop } = watchGone(usb, device);
  const step = (name: 'open' | 'claim', work: Promise<void>) =>
    within(work, { timeoutMs: openTimeoutMs, gone }).catch((error: unknown) => {
      throw transportErrorFrom(error, name);
    });
  try {
    if (!device.opened) await step('open', device.open());
    const [first] = device.configurations;
    if (device.configuration === null && first) {
      await step('open', device.selectConfiguration(first.configurationValue));
    }
    await step('claim', device.claimInterface(interfaceNumber));
    if (alternateSetting !== 0) {
      await step('claim', device.selectAlternateInterface(interfaceNumber, alternateSetting));
    }
    return await start(gone, stop);
  } catch (error) {
    stop();
    await within(device.close(), { timeoutMs: openTimeoutMs, gone }).catch(() => undefined);
    throw error;
  }
}

/** The bytes of a transfer's result, not copied. */
export function bytesOf(data: DataView | undefined): Uint8Array {
  return data ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array();
}

/** A missing interface: the device is another than its model says. */
export function noInterface(wanted: string): TransportError {
  return new TransportError('failed', `no ${wanted}`);
}
