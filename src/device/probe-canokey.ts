import { TransportError } from '../apdu/channel.ts';
import { transportErrorFrom } from './browser-errors.ts';
import { parseCanokeyState, stateRequest } from './canokey-control.ts';
import { within } from './deadline.ts';
import { watchGone } from './gone.ts';
import { findCanokeyInterface } from './webusb-canokey.ts';
import { bytesOf } from './webusb-interface.ts';

const probeTimeoutMs = 2000;

/**
 * Asks a device that has an interface like CanoKey's, and is in no table, for nothing but the state that CanoKey would
 * tell: one byte, read. A device that answers otherwise is left closed, and was sent nothing.
 * @throws TransportError `malformed` or `stalled` when it is none; what opening and claiming throw
 */
export async function probeCanokey(device: USBDevice, usb: EventTarget): Promise<void> {
  const interfaceNumber = findCanokeyInterface(device);
  if (interfaceNumber === undefined) throw new TransportError('failed', 'no vendor-class interface without endpoints');
  const { gone, stop } = watchGone(usb, device);
  const step = async <T>(name: 'open' | 'claim' | 'transfer', work: Promise<T>): Promise<T> => {
    try {
      return await within(work, { timeoutMs: probeTimeoutMs, gone });
    } catch (error) {
      throw transportErrorFrom(error, name);
    }
  };
  try {
    if (!device.opened) await step('open', device.open());
    const [first] = device.configurations;
    if (device.configuration === null && first) {
      await step('open', device.selectConfiguration(first.configurationValue));
    }
    await step('claim', device.claimInterface(interfaceNumber));
    const { status, data } = await step('transfer', device.controlTransferIn(stateRequest(interfaceNumber), 1));
    if (status !== 'ok') throw new TransportError('stalled', `a state request ends with ${status}`);
    parseCanokeyState(bytesOf(data));
  } catch (error) {
    await device.close().catch(() => undefined);
    throw error;
  } finally {
    stop();
  }
}
