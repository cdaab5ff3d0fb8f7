import type { Card } from './card.ts';
import { CcidDevice } from './ccid-device.ts';
import type { HidDeviceModel, UsbDeviceModel, UsbIdentity } from './device-models.ts';
import type { FaultPlan } from './faults.ts';
import { Gmt0017Applet } from './gmt0017-applet.ts';
import { type Latency, noLatency } from './latency.ts';
import { LongmaiDevice } from './longmai-device.ts';
import { Memory, type Persist } from './memory.ts';
import { hidOverUsb } from './other-devices.ts';
import type { Attachment, KeyState } from './state.ts';

export interface KeyBodyOptions {
  /** Called with the whole state after every write to the key's memory; returns once the state is safe. */
  readonly persist?: Persist;
  /** No waiting unless given. */
  readonly latency?: Latency;
  /** The most data one ExportCertificate answers with, in bytes. */
  readonly answerLimit?: number;
  /** Stands between the reader and the chip, and may watch or falsify what goes through. */
  readonly through?: (card: Card) => Card;
}

/** A physical key: one memory and one chip behind one plug, seen by WebUSB and, where it is a HID, by WebHID. */
export interface KeyBody {
  readonly memory: Memory;
  readonly usb: UsbDeviceModel;
  readonly hid: HidDeviceModel | undefined;
}

interface Attached {
  readonly vendorId: number;
  readonly productId: number;
  readonly productName: string;
  /** Longest command, bytes. */
  readonly maxCommandBytes: number;
  readonly answerLimit: number;
}

/** Small answers on the HID key, so that its certificates come in parts (6A9E). */
const attached: Record<Attachment, Attached> = {
  'longmai-hid': {
    vendorId: 0x055c,
    productId: 0xe618,
    productName: 'mToken GM3000',
    maxCommandBytes: 4096,
    answerLimit: 512,
  },
  'ccid-extended': {
    vendorId: 0x1209,
    productId: 0x0001,
    productName: 'USBKEY CCID-E',
    maxCommandBytes: 4096,
    answerLimit: 2048,
  },
  'ccid-short': {
    vendorId: 0x1209,
    productId: 0x0001,
    productName: 'USBKEY CCID-S',
    maxCommandBytes: 261,
    answerLimit: 2048,
  },
};

/** Builds the key that a state describes. @param faults strike at writes to its memory */
export function makeKeyBody(state: KeyState, faults: FaultPlan, options: KeyBodyOptions = {}): KeyBody {
  const { vendorId, productId, productName, maxCommandBytes, answerLimit } = attached[state.attachment];
  const memory = new Memory(state, options.persist ?? (() => undefined), faults);
  const identity: UsbIdentity = {
    vendorId,
    productId,
    productName,
    manufacturerName: state.info.manufacturer,
    serialNumber: state.info.serialNumber,
  };
  const chip = new Gmt0017Applet(memory, {
    apduLevel: state.attachment === 'ccid-short' ? 'short' : 'extended',
    maxCommandBytes,
    answerLimit: options.answerLimit ?? answerLimit,
    latency: options.latency ?? noLatency,
  });
  const card = options.through?.(chip) ?? chip;
  if (state.attachment === 'longmai-hid')
    return { memory, usb: hidOverUsb(identity), hid: new LongmaiDevice(card, identity) };
  return { memory, usb: new CcidDevice(card, identity), hid: undefined };
}
