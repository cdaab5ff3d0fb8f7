import { TransportError } from '../apdu/channel.ts';
import { transportErrorFrom } from './browser-errors.ts';
import { parseCanokeyState, stateRequest } from './canokey-control.ts';
import { within } from './deadline.ts';
import { findCanokeyInterface } from './webusb-canokey.ts';
import { bytesOf, openInterface } from './webusb-interface.ts';

const probeTimeoutMs = 2000;

/**
 * Asks a device that has an interface like CanoKey's, and is in no table, for nothing but the state that CanoKey would
 * tell: one byte, read. A device that answers otherwise is left closed, and was sent nothing.
 * @param usb where `disconnect` events come from: `navigator.usb`
 * @throws TransportError `malformed` or `stalled` when it is none; what opening and claiming throw
 */
export async function probeCanokey(device: USBDevice, usb: EventTarget): Promise<void> {
  const interfaceNumber = findCanokeyInterface(device);
  if (interfaceNumber === undefined) throw new TransportError('failed', 'no vendor-class interface without endpoints');
  await openInterface(device, usb, { interfaceNumber, alternateSetting: 0 }, async (gone, stop) => {
    const asked = device.controlTransferIn(stateRequest(interfaceNumber), 1);
    const { status, data } = await within(asked, { timeoutMs: probeTimeoutMs, gone }).catch((error: unknown) => {
      throw transportErrorFrom(error, 'transfer');
    });
    if (status !== 'ok') throw new TransportError('stalled', `a state request ends with ${status}`);
    parseCanokeyState(bytesOf(data));
    stop();
  });
}
