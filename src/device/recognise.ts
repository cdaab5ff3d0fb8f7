import type { KeyModel } from './models.ts';
import { findCanokeyInterface } from './webusb-canokey.ts';
import { findCcidEndpoints } from './webusb-ccid.ts';

/** Why a device that the person can see in the chooser cannot be used from a web page, or not this way. */
export type RefusalReason =
  /** A smart card of USB class 0B, which browsers keep from pages. */
  | 'protectedClass'
  /** A disk of USB class 08, likewise. */
  | 'massStorage'
  /** A security key for signing in, and nothing else that a page may see. */
  | 'fidoOnly'
  /** The browser has it for pages, but behind its other door: a HID device over WebUSB, or the other way round. */
  | 'otherWay'
  /** The table of models says that nothing is to be done with it. */
  | 'heldBack'
  /** Nothing of it that a page may use looks like a key. */
  | 'unknownDevice';

/** What speaks to a device. */
export type Sender = 'longmaiHid' | 'vendorCcid' | 'canokey';

export interface Recognised {
  /** What may speak to it, in the order in which to try. Empty for a refused one. */
  readonly senders: readonly Sender[];
  /** Its descriptors allow them, but no table of models says that it is a key. */
  readonly guessed: boolean;
  readonly refusal: RefusalReason | undefined;
}

const usbClass = { hid: 0x03, massStorage: 0x08, smartCard: 0x0b } as const;
const fidoUsagePage = 0xf1d0;
/** Usage pages from here on are vendor-defined (HID Usage Tables §3). */
const firstVendorPage = 0xff00;
const longmaiReportBits = 64 * 8;

const refused = (refusal: RefusalReason): Recognised => ({ senders: [], guessed: false, refusal });

/** Tells from its descriptors, without opening it, what a device granted over WebUSB is. */
export function recogniseUsb(device: USBDevice, model: KeyModel | undefined): Recognised {
  if (model?.enrolment === 'off') return refused('heldBack');
  const senders: Sender[] = [];
  if (findCcidEndpoints(device)) senders.push('vendorCcid');
  if (findCanokeyInterface(device) !== undefined) senders.push('canokey');
  const known = senders.filter((sender) => sender === model?.attachment);
  if (known.length > 0) return { senders: known, guessed: false, refusal: undefined };

  const interfaces = (device.configuration ?? device.configurations[0])?.interfaces ?? [];
  const classes = new Set(interfaces.flatMap(({ alternates }) => alternates.map((each) => each.interfaceClass)));
  if (model?.attachment === 'longmaiHid' && classes.has(usbClass.hid)) return refused('otherWay');
  // Whatever else it is: over an interface that is the vendor's own, it may be tried.
  if (senders.length > 0) return { senders, guessed: true, refusal: undefined };

  if (model?.attachment === 'massStorage') return refused('massStorage');
  if (model?.attachment === 'smartCardClass' || classes.has(usbClass.smartCard)) return refused('protectedClass');
  if (classes.has(usbClass.hid)) return refused(saysFido(device.productName) ? 'fidoOnly' : 'otherWay');
  return refused(classes.has(usbClass.massStorage) ? 'massStorage' : 'unknownDevice');
}

/** USB descriptors do not tell a security key from other HID devices; its name mostly does. */
function saysFido(productName: string | null | undefined): boolean {
  return /\b(fido2?|u2f|security key|yubikey)\b/i.test(productName ?? '');
}

/** Tells from its collections, without opening it, what a device granted over WebHID is. */
export function recogniseHid(device: HIDDevice, model: KeyModel | undefined): Recognised {
  if (model?.enrolment === 'off') return refused('heldBack');
  const visible = device.collections.filter(({ usagePage }) => usagePage !== fidoUsagePage);
  if (model?.attachment === 'longmaiHid' && visible.length > 0) {
    return { senders: ['longmaiHid'], guessed: false, refusal: undefined };
  }
  if (model?.attachment === 'vendorCcid' || model?.attachment === 'canokey') return refused('otherWay');
  // The browser hides protected collections, so a FIDO-only device shows none at all.
  if (visible.length === 0) return refused('fidoOnly');
  if (visible.some(carriesLongmaiReports)) return { senders: ['longmaiHid'], guessed: true, refusal: undefined };
  return refused('unknownDevice');
}

/** A vendor's own page with reports of 64 bytes each way, without a report id. */
function carriesLongmaiReports({ usagePage = 0, inputReports = [], outputReports = [] }: HIDCollectionInfo): boolean {
  const fits = ({ reportId = 0, items = [] }: HIDReportInfo) =>
    reportId === 0 && reportBits(items) === longmaiReportBits;
  return usagePage >= firstVendorPage && inputReports.some(fits) && outputReports.some(fits);
}

/** How long a report is, by its items (HID 1.11 §6.2.2.7: Report Size × Report Count). */
export function reportBits(items: readonly HIDReportItem[]): number {
  return items.reduce((bits, { reportSize = 0, reportCount = 0 }) => bits + reportSize * reportCount, 0);
}
