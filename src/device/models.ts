/** How a key meets the browser, and so which sender speaks to it, or why none can. */
export type ModelAttachment =
  /** Longmai's reports on a HID vendor usage page: WebHID. */
  | 'longmaiHid'
  /** CCID messages on a vendor-class interface: WebUSB. */
  | 'vendorCcid'
  /** CanoKey's control transfers to a vendor-class interface without endpoints: WebUSB. */
  | 'canokey'
  /** USB class 0B, kept from web pages. */
  | 'smartCardClass'
  /** USB class 08 only, kept from web pages. */
  | 'massStorage';

export type CommandSet = 'gmt0017' | 'piv';

/**
 * What this site may do with a key: nothing, read it, or put a new certificate on it. From the strictest to the loosest.
 */
export const enrolments = ['off', 'readOnly', 'on'] as const;
export type Enrolment = (typeof enrolments)[number];

/** Where makers' GM/T 0017 firmware differs. */
export interface SkfDialect {
  /** The digest that makes the challenge's key from the password. */
  readonly pinDigest: 'sha1' | 'sm3';
  /** Whether ImportCertificate wants the login too, about which GM/T 0017 says nothing. */
  readonly passwordForImport: boolean;
  /** Which nibble of the last byte of 63Cx counts the tries. A hint only: GetPINInfo is what is believed. */
  readonly triesNibble: 'low' | 'high';
  /**
   * What ImportECCKeyPair's 64 bytes encPriv hold: the 32 encrypted bytes of the private key d behind 32 zero bytes, or
   * before them; or 64 encrypted bytes, d behind zeros.
   */
  readonly importedPrivateKey: 'last32' | 'first32' | 'all64';
  /** Under which public key it takes the encryption key pair; none can be imported here under a temporary one. */
  readonly wrappingTarget: 'signingKey' | 'temporaryKey';
  /** What RSASignData is given: the DigestInfo of SHA-256 (P1 02), or the message, for the key to hash (P1 01, P2 03). */
  readonly rsaSignData: 'digestInfo' | 'message';
  /** Seconds to wait for a signature: a key with a button waits for a press. */
  readonly signSeconds: number;
}

/** Where PIV keys differ (NIST SP 800-73-4). */
export interface PivDialect {
  /** The algorithm identifier of SM2 on keys that have it; without one the key is asked for none. */
  readonly sm2Algorithm?: number;
  /**
   * When a retired slot is free to be used: only where object, metadata and key history all say so, or, on a key that
   * cannot tell more, already where the slot has no certificate object.
   */
  readonly spareSlot: 'provenEmpty' | 'noCertificate';
  /** The retired key management slots the key has, 82 to 95 (SP 800-73-4 part 1 table 4b). */
  readonly retiredSlots: readonly number[];
}

export interface KeyModel {
  readonly vendorId: number;
  readonly productId: number;
  readonly name: string;
  readonly attachment: ModelAttachment;
  /** Undefined where it is not known, or the key cannot be reached, so that it does not matter. */
  readonly commandSet: CommandSet | undefined;
  readonly dialect: SkfDialect;
  readonly piv?: PivDialect;
  readonly enrolment: Enrolment;
  readonly note?: string;
}

/** A model as the operator writes it down; what is left out is as on most keys. */
export interface ModelRow {
  readonly vendorId: number;
  readonly productId: number;
  readonly name: string;
  readonly attachment: ModelAttachment;
  readonly commandSet?: CommandSet;
  readonly dialect?: Partial<SkfDialect>;
  readonly piv?: Partial<PivDialect>;
  readonly enrolment?: Enrolment;
  readonly note?: string;
}

export const defaultDialect: SkfDialect = {
  pinDigest: 'sha1',
  passwordForImport: false,
  triesNibble: 'low',
  importedPrivateKey: 'last32',
  wrappingTarget: 'signingKey',
  rsaSignData: 'digestInfo',
  signSeconds: 15,
};

/** All twenty retired slots, and nothing taken for free that is not proven to be. */
export const defaultPivDialect: PivDialect = {
  spareSlot: 'provenEmpty',
  retiredSlots: Array.from({ length: 20 }, (_, index) => 0x82 + index),
};

function modelOf({ vendorId, productId, name, attachment, note, ...row }: ModelRow): KeyModel {
  const reachable = attachment !== 'smartCardClass' && attachment !== 'massStorage';
  const usual = attachment === 'canokey' || row.piv ? 'piv' : reachable ? 'gmt0017' : undefined;
  const commandSet = row.commandSet ?? usual;
  return {
    ...{ vendorId, productId, name, attachment, commandSet },
    dialect: { ...defaultDialect, ...row.dialect },
    ...(commandSet === 'piv' ? { piv: { ...defaultPivDialect, ...row.piv } } : {}),
    enrolment: row.enrolment ?? 'on',
    ...(note === undefined ? {} : { note }),
  };
}

const refused = (
  vendorId: number,
  productIds: readonly number[],
  name: string,
  attachment: 'smartCardClass' | 'massStorage',
): readonly KeyModel[] => productIds.map((productId) => modelOf({ vendorId, productId, name, attachment }));

/** The keys we know. An operator adds a row for a key of the same kind; no code changes. */
export const keyModels: readonly KeyModel[] = [
  modelOf({ vendorId: 0x055c, productId: 0xe618, name: 'Longmai mToken GM3000', attachment: 'longmaiHid' }),
  modelOf({
    ...{ vendorId: 0x055c, productId: 0xf603, name: 'Longmai mToken GM3000', attachment: 'longmaiHid' },
    note: 'Composite: HID interface 0, CCID interface 1',
  }),
  modelOf({
    ...{ vendorId: 0x20a0, productId: 0x42d4, name: 'CanoKey', attachment: 'canokey' },
    // Has neither metadata nor a key history object, and two retired slots.
    piv: { sm2Algorithm: 0x54, spareSlot: 'noCertificate', retiredSlots: [0x82, 0x83] },
  }),
  modelOf({
    ...{ vendorId: 0x1209, productId: 0x0001, name: 'Virtual USBKEY', attachment: 'vendorCcid' },
    note: 'Laboratory: test identifier of pid.codes',
  }),
  modelOf({
    ...{ vendorId: 0x1209, productId: 0x0002, name: 'Virtual PIV key', attachment: 'vendorCcid', commandSet: 'piv' },
    note: 'Laboratory: test identifier of pid.codes',
  }),
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

let additions: readonly KeyModel[] = [];
let additionsAsGiven = '[]';

/**
 * Takes the operator's models, in place of those taken before. They go before the table's own, so a row for a known key
 * replaces the table's.
 */
export function setModelAdditions(rows: readonly ModelRow[]): void {
  // The same rows again leave every model the object it was.
  const given = JSON.stringify(rows);
  if (given !== additionsAsGiven) additions = rows.map(modelOf);
  additionsAsGiven = given;
}

/** The operator's models and the table's, in the order in which they count. */
export function allModels(): readonly KeyModel[] {
  return [...additions, ...keyModels];
}

/** @param vendorId idVendor @param productId idProduct, of the USB device descriptor (USB 2.0 §9.6.1) */
export function findModel(vendorId: number, productId: number): KeyModel | undefined {
  return allModels().find((model) => model.vendorId === vendorId && model.productId === productId);
}
