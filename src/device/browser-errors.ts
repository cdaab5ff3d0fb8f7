import { TransportError, type TransportErrorCode } from '../apdu/channel.ts';
import { abortedWithin } from './deadline.ts';

/** During which call on the device the browser reported something; the same DOMException means different things. */
export type DeviceStep = 'choose' | 'open' | 'claim' | 'transfer';

// Names as Chromium gives them, measured. Messages are never read: they are neither stable nor translated.
const codes: Readonly<Record<DeviceStep, Readonly<Partial<Record<string, TransportErrorCode>>>>> = {
  choose: { NotFoundError: 'nothingChosen', SecurityError: 'noGesture', NotSupportedError: 'unsupported' },
  // NetworkError: a driver or another program has the whole device.
  open: {
    SecurityError: 'accessDenied',
    NotAllowedError: 'accessDenied',
    NetworkError: 'busy',
    NotFoundError: 'disconnected',
  },
  // SecurityError here is the protected interface class; a refused node is already refused by open().
  claim: { SecurityError: 'protectedClass', NetworkError: 'busy', NotFoundError: 'disconnected' },
  // A local close() aborts what is pending.
  transfer: { NotFoundError: 'disconnected', AbortError: 'cancelled', SecurityError: 'accessDenied' },
};

/** What a rejected call on the device means. A `TransportError` stays what it is. */
export function transportErrorFrom(reason: unknown, step: DeviceStep): TransportError {
  if (reason instanceof TransportError) return reason;
  const name = reason instanceof Error || reason instanceof DOMException ? reason.name : undefined;
  const code = (name === undefined ? undefined : codes[step][name]) ?? 'failed';
  return new TransportError(code, `${step}: ${name ?? 'rejected'}`, { cause: reason });
}

/** Windows reports a failed transfer shortly before it reports the unplug. */
const unplugGraceMs = 300;

/** What a rejected transfer means, with a moment's patience for an unplug that explains it. */
export async function transferErrorFrom(reason: unknown, gone: AbortSignal): Promise<TransportError> {
  const error = transportErrorFrom(reason, 'transfer');
  if (error === reason || error.code !== 'failed' || !(await abortedWithin(gone, unplugGraceMs))) return error;
  return new TransportError('disconnected', 'the device was unplugged', { cause: reason });
}
