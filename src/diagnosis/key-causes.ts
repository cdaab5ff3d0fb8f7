import { TransportError, type TransportErrorCode } from '../apdu/channel.ts';
import type { AttachedKey } from '../usbkey/connect.ts';
import { KeyError } from '../usbkey/usbkey.ts';
import type { Cause } from './causes.ts';
import type { KeyPort } from './ports.ts';

const ofTransport: Readonly<Record<TransportErrorCode, Cause>> = {
  nothingChosen: 'nothingChosen',
  noGesture: 'noGesture',
  unsupported: 'noApi',
  accessDenied: 'accessDenied',
  protectedClass: 'protectedClass',
  busy: 'busy',
  disconnected: 'unplugged',
  timeout: 'noAnswer',
  stalled: 'stalled',
  malformed: 'badAnswer',
  cancelled: 'noAnswer',
  failed: 'noAnswer',
};

/** Of a device that was only guessed to be a key, these mean that it is none. */
const meansNoKey = new Set<Cause>(['noAnswer', 'stalled', 'badAnswer']);

/**
 * Why a key could not be opened, or read.
 * @throws the error itself where it is nothing that a key or the browser says
 */
export function keyCause(error: unknown, attached: AttachedKey, keys: Pick<KeyPort, 'holder'>): Cause {
  const holder = keys.holder(error);
  if (holder) return holder;
  if (!(error instanceof TransportError) && !(error instanceof KeyError)) throw error;
  const cause = error instanceof KeyError ? 'badAnswer' : ofTransport[error.code];
  // The browser knows a USB device again by its serial number only; a HID device it always does.
  if (cause === 'unplugged' && attached.way === 'usb' && attached.device.serialNumber === '')
    return 'unpluggedForgotten';
  return attached.device.guessed && meansNoKey.has(cause) ? 'notAKey' : cause;
}
