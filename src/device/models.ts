/** How a key meets the browser, and so which sender speaks to it, or why none can. */
export type ModelAttachment =
  /** Longmai's reports on a HID vendor usage page: WebHID. */
  | 'longmaiHid'
  /** CCID messages on a vendor-class interface: WebUSB. */
  | 'vendorCcid'
  /** USB class 0B, kept from web pages. */
  | 'smartCardClass'
  /** USB class 08 only, kept from web pages. */
  | 'massStorage';

/** Where makers' GM/T 0017 firmware differs. */
export interface SkfDialect {
  /** The digest that makes the challenge's key from the password. */
  readonly pinDigest: 'sha1' | 'sm3';
  /** Seconds to wait for a signature: a key with a button waits for a press. */
  readonly signSeconds: number;
}

export interface KeyModel {
  readonly vendorId: number;
  readonly productId: number;
  readonly name: string;
  readonly attachment: ModelAttachment;
  /** Undefined where the key cannot be reached, so that its command set does not matter. */
  readonly commandSet: 'gmt0017' | undefined;
  readonly dialect: SkfDialect;
  readonly note?: string;
}

export const defaultDialect: SkfDialect = { pinDigest: 'sha1', signSeconds: 15 };

const usable = (
  vendorId: number,
  productId: number,
  name: string,
  attachment: 'longmaiHid' | 'vendorCcid',
  note?: string,
): KeyModel => ({
  ...{ vendorId, productId, name, attachment, commandSet: 'gmt0017', dialect: defaultDialect },
  ...(note === undefined ? {} : { note }),
});
const refused = (
  vendorId: number,
  productIds: readonly number[],
  name: string,
  attachment: 'smartCardClass' | 'massStorage',
): readonly KeyModel[] =>
  productIds.map((productId) => ({
    ...{ vendorId, productId, name, attachment, commandSet: undefined, dialect: defaultDialect },
  }));

/** The keys we know. An operator adds a row for a key of the same kind; no code changes. */
export const keyModels: readonly KeyModel[] = [
  usable(0x055c, 0xe618, 'Longmai mToken GM3000', 'longmaiHid'),
  usable(0x055c, 0xf603, 'Longmai mToken GM3000', 'longmaiHid', 'Composite: HID interface 0, CCID interface 1'),
  usable(0x1209, 0x0001, 'Virtual USBKEY', 'vendorCcid', 'Laboratory: test identifier of pid.codes'),
  ...refused(0x096e, [0x0807], 'Feitian ePass2003', 'smartCardClass'),
  ...refused(0x163c, [0x0407, 0x0417, 0x0418, 0x0406, 0x0a03], 'Watchdata USBKEY', 'smartCardClass'),
  ...refused(0xa625, [0x0801, 0x0810], 'TianYu USBKEY', 'smartCardClass'),
  ...refused(0x055c, [0xdb08], 'Longmai mToken, CD mode', 'massStorage'),
  ...refused(0x163c, [0x5480], 'Watchdata USBKEY, CD mode', 'massStorage'),
  ...refused(0x14d6, [0xa002], 'USBKEY, CD mode', 'massStorage'),
  ...refused(0x3254, [0xff10], 'USBKEY, CD mode', 'massStorage'),
  ...refused(0x1677, [0x6101], 'USBKEY, CD mode', 'massStorage'),
  ...refused(0x2012, [0x2010], 'USBKEY, CD mode', 'massStorage'),
  ...refused(0x1432, [0x07d0, 0x07dc, 0x07e2], 'USBKEY, CD mode', 'massStorage'),
  ...refused(0x287f, [0x00d4], 'USBKEY, CD mode', 'massStorage'),
  ...refused(0x1ea8, [0xb00b], 'USBKEY, CD mode', 'massStorage'),
  ...refused(0xd449, [0x0001], 'USBKEY, CD mode', 'massStorage'),
  ...refused(0x2ec9, [0x1001], 'USBKEY, CD mode', 'massStorage'),
  ...refused(0x3a59, [0x4458], 'USBKEY, CD mode', 'massStorage'),
];

export function findModel(vendorId: number, productId: number): KeyModel | undefined {
  return keyModels.find((model) => model.vendorId === vendorId && model.productId === productId);
}
