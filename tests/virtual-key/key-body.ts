import type { Card } from './card.ts';
import { CanokeyDevice } from './canokey-device.ts';
import { CcidDevice } from './ccid-device.ts';
import type { HidDeviceModel, UsbDeviceModel, UsbIdentity } from './device-models.ts';
import type { FaultPlan } from './faults.ts';
import { Gmt0017Applet } from './gmt0017-applet.ts';
import { type Latency, noLatency } from './latency.ts';
import { LongmaiDevice } from './longmai-device.ts';
import { Memory, type Persist } from './memory.ts';
import { hidOverUsb } from './other-devices.ts';
import { PivApplet } from './piv-applet.ts';
import type { Sm2SignatureFormat } from './piv-keys.ts';
import { type Attachment, type CommandSet, goTogether, type KeyState } from './state.ts';

export interface KeyBodyOptions {
  /** Called with the whole state after every write to the key's memory; returns once the state is safe. */
  readonly persist?: Persist;
  /** No waiting unless given. */
  readonly latency?: Latency;
  /** The most data one ExportCertificate answers with, in bytes. */
  readonly answerLimit?: number;
  /** How a PIV key writes an SM2 signature down; r ‖ s unless given. */
  readonly sm2SignatureFormat?: Sm2SignatureFormat;
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
  'ccid-0b': {
    vendorId: 0x096e,
    productId: 0x0807,
    productName: 'USBKEY CCID-0B',
    maxCommandBytes: 261,
    answerLimit: 2048,
  },
  canokey: {
    vendorId: 0x20a0,
    productId: 0x42d4,
    productName: 'CanoKey Virtual',
    maxCommandBytes: 261,
    answerLimit: 2048,
  },
};

/** A PIV key on a vendor-class reader is a model of its own. */
const pivOnVendorClass = { productId: 0x0002, productName: 'PIV USBKEY' };

/**
 * Builds the key that a state describes.
 * @param faults strike at writes to its memory
 * @throws RangeError when attachment, command set and content do not go together
 */
export function makeKeyBody(state: KeyState, faults: FaultPlan, options: KeyBodyOptions = {}): KeyBody {
  const { attachment, commandSet = 'gmt0017' } = state;
  if (!goTogether(attachment, commandSet)) throw new RangeError(`no ${commandSet} key is attached by ${attachment}`);
  const memory = new Memory(state, options.persist ?? (() => undefined), faults);
  const { vendorId, productId, productName } = {
    ...attached[attachment],
    ...(commandSet === 'piv' && attached[attachment].productId === 0x0001 ? pivOnVendorClass : {}),
  };
  const identity: UsbIdentity = {
    ...{ vendorId, productId, productName },
    manufacturerName: state.info.manufacturer,
    serialNumber: state.info.serialNumber,
  };
  const chip = makeChip(memory, attachment, commandSet, options);
  const card = options.through?.(chip) ?? chip;
  switch (attachment) {
    case 'longmai-hid':
      return { memory, usb: hidOverUsb(identity), hid: new LongmaiDevice(card, identity) };
    case 'canokey':
      return { memory, usb: new CanokeyDevice(card, identity), hid: undefined };
    case 'ccid-0b':
      return { memory, usb: new CcidDevice(card, identity, { interfaceClass: 0x0b }), hid: undefined };
    default:
      return { memory, usb: new CcidDevice(card, identity), hid: undefined };
  }
}

function makeChip(memory: Memory, attachment: Attachment, commandSet: CommandSet, options: KeyBodyOptions): Card {
  const { maxCommandBytes, answerLimit } = attached[attachment];
  const shared = {
    apduLevel: maxCommandBytes > 261 ? 'extended' : 'short',
    maxCommandBytes,
    latency: options.latency ?? noLatency,
  } as const;
  return commandSet === 'piv'
    ? new PivApplet(memory, {
        ...shared,
        canokey: attachment === 'canokey',
        sm2SignatureFormat: options.sm2SignatureFormat ?? 'raw',
      })
    : new Gmt0017Applet(memory, { ...shared, answerLimit: options.answerLimit ?? answerLimit });
}
