import { TransportError, type TransportErrorCode } from '../../apdu/channel.ts';
import { ServiceError } from '../../service/errors.ts';
import type { AttachedKey, RefusalReason } from '../../usbkey/connect.ts';
import { KeyError } from '../../usbkey/usbkey.ts';
import type { BrowserTrouble } from '../environment.ts';

/** What stands between the person and a reading. The words for each are in `messages/key-trouble.ts`. */
export type KeyTrouble =
  | BrowserTrouble
  | 'nothingChosen'
  | 'noGesture'
  | RefusalReason
  /** It was tried, and does not answer as a key would. */
  | 'notAKey'
  | 'accessDenied'
  /** Another program, or a driver: no tab of this site. */
  | 'busy'
  | 'otherTab'
  /** This page itself, with something else. */
  | 'ownTask'
  | 'several'
  | 'unplugged'
  /** Unplugged too, and without a serial number, so that the browser asks for it again. */
  | 'unpluggedForgotten'
  | 'noAnswer'
  | 'stalled'
  | 'badAnswer'
  | 'noConfig'
  | 'unexpected';

/** Another tab of this site holds the key's lock. */
export class OtherTab extends Error {
  override readonly name = 'OtherTab';
}

/** This page is at a key already. */
export class OwnTask extends Error {
  override readonly name = 'OwnTask';
}

/** The operator has stopped this model, or this firmware of it, altogether. */
export class HeldBack extends Error {
  override readonly name = 'HeldBack';
}

const transportTroubles: Record<TransportErrorCode, KeyTrouble> = {
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

/** The browser knows a USB device again by its serial number only; a HID device it always does. */
export const unpluggedTrouble = ({ way, device }: AttachedKey): KeyTrouble =>
  way === 'usb' && device.serialNumber === '' ? 'unpluggedForgotten' : 'unplugged';

export function troubleOf(error: unknown, attached?: AttachedKey): KeyTrouble {
  if (error instanceof OtherTab) return 'otherTab';
  if (error instanceof OwnTask) return 'ownTask';
  if (error instanceof HeldBack) return 'heldBack';
  if (error instanceof TransportError) {
    return error.code === 'disconnected' && attached ? unpluggedTrouble(attached) : transportTroubles[error.code];
  }
  if (error instanceof KeyError) return 'badAnswer';
  return error instanceof ServiceError ? 'noConfig' : 'unexpected';
}

/** What of a device that was only guessed to be a key means that it is none. */
export const provesNoKey = (trouble: KeyTrouble): boolean => ['noAnswer', 'stalled', 'badAnswer'].includes(trouble);

const answeredByConnecting = new Set<KeyTrouble>([
  'nothingChosen',
  'noGesture',
  'unplugged',
  'unpluggedForgotten',
  'fidoOnly',
  'unknownDevice',
  'notAKey',
]);

/** Troubles after which choosing a key once more leads on. */
export const isAnsweredByConnecting = (trouble: KeyTrouble): boolean => answeredByConnecting.has(trouble);
