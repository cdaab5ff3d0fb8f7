/**
 * What a virtual USBKEY holds between power-downs: plain JSON, so that it survives a reload in the browser's storage and
 * can be made by the reference CA ("personalised") on the server. Byte strings are lower-case hex.
 */
export interface KeyState {
  /** Which starting situation this key was made for. */
  readonly scenario: Scenario;
  attachment: Attachment;
  /** What the key's chip understands; GM/T 0017 when absent. A PIV key has no applications, and `piv` instead. */
  readonly commandSet?: CommandSet;
  readonly info: {
    readonly manufacturer: string;
    readonly issuer: string;
    label: string;
    readonly serialNumber: string;
    readonly firmwareVersion: readonly [major: number, minor: number];
    readonly maxContainers: number;
  };
  readonly applications: ApplicationState[];
  readonly piv?: PivState;
}

/** How the key is attached: what the browser sees of it. */
export type Attachment =
  /** Reports on a HID vendor page. */
  | 'longmai-hid'
  /** CCID on a vendor-class interface, extended or short APDUs. */
  | 'ccid-extended'
  | 'ccid-short'
  /** CCID on the smart-card class, which browsers keep from pages; short APDUs. */
  | 'ccid-0b'
  /** CanoKey's vendor requests on endpoint 0; a smart-card interface beside it. */
  | 'canokey';
/** Those over which a page reaches a GM/T 0017 key. */
export const attachments: readonly Attachment[] = ['longmai-hid', 'ccid-extended', 'ccid-short'];
export const allAttachments: readonly Attachment[] = [...attachments, 'ccid-0b', 'canokey'];

export type CommandSet = 'gmt0017' | 'piv';
export const commandSets: readonly CommandSet[] = ['gmt0017', 'piv'];

/** Longmai's keys speak GM/T 0017 and CanoKeys speak PIV; a CCID reader does not care. */
export const goTogether = (attachment: Attachment, commandSet: CommandSet): boolean =>
  attachment !== (commandSet === 'piv' ? 'longmai-hid' : 'canokey');

export const scenarios = [
  /** The signing certificate ends in 30 days. */
  'due-30-days',
  /** More than 60 days left. */
  'not-due',
  /** Ended 12 days ago. */
  'expired',
  /** Issued by the old (RSA-2048) authority before the cut-off date of the upgrade. */
  'old-issuer',
  /** Due, with one password try left. */
  'last-try',
  /** Due, password locked. */
  'locked',
  /** An application without any container. */
  'empty',
  /** A good certificate of somebody else's authority. */
  'foreign',
  /** Due; the authority refuses this holder. */
  'ca-refuses',
  /** Due; the authority lets this holder wait and be polled before it issues. */
  'ca-waits',
] as const;
export type Scenario = (typeof scenarios)[number];

export interface ApplicationState {
  readonly name: string;
  /** 16-bit, as sent on the wire (little-endian there). */
  readonly id: number;
  /** The user's password as typed. A software key has no secrets from its owner. */
  readonly userPassword: string;
  readonly maxTries: number;
  remainingTries: number;
  /** The first container's id; later ones count up. */
  nextContainerId: number;
  readonly containers: ContainerState[];
}

export interface ContainerState {
  readonly name: string;
  readonly id: number;
  signing?: KeyPairState;
  encryption?: KeyPairState;
}

export interface KeyPairState {
  readonly algorithm: 'sm2' | 'rsa';
  /** SM2: d, 32 bytes. RSA: DER PKCS #8. */
  readonly privateKey: string;
  /** SM2: X ‖ Y, 64 bytes. RSA: DER SubjectPublicKeyInfo. */
  readonly publicKey: string;
  /** DER. */
  certificate?: string;
}

/** A PIV card application (NIST SP 800-73-4 part 2) between power-downs. */
export interface PivState {
  /** 6 to 8 characters, as typed. */
  readonly pin: string;
  /** 1 to 15. */
  readonly maxTries: number;
  remainingTries: number;
  readonly managementKey: {
    readonly algorithm: PivManagementAlgorithm;
    /** 24 bytes for 3DES, otherwise 16, 24 or 32. */
    readonly key: string;
    /** The objects 5FFF00 and 5FC109 say so, and hold it. */
    readonly pinProtected: boolean;
  };
  readonly slots: PivSlotState[];
  readonly objects: PivObjectState[];
  readonly features: PivFeatures;
}

export const pivManagementAlgorithms = ['3des', 'aes128', 'aes192', 'aes256'] as const;
export type PivManagementAlgorithm = (typeof pivManagementAlgorithms)[number];

export const pivAlgorithms = ['p256', 'rsa2048', 'sm2'] as const;
export type PivAlgorithm = (typeof pivAlgorithms)[number];

export const pivPinPolicies = ['once', 'always', 'never'] as const;
export type PivPinPolicy = (typeof pivPinPolicies)[number];

/** A key pair in a slot. */
export interface PivSlotState {
  /** Key reference, two hex digits: `9a`, `9c`, `9d`, `9e`, `82`…`95`. */
  readonly slot: string;
  readonly algorithm: PivAlgorithm;
  /** P-256 and SM2: d, 32 bytes. RSA: DER PKCS #8. */
  readonly privateKey: string;
  /** P-256 and SM2: X ‖ Y, 64 bytes. RSA: DER SubjectPublicKeyInfo. */
  readonly publicKey: string;
  readonly pinPolicy: PivPinPolicy;
}

/** A data object that is present. */
export interface PivObjectState {
  /** `5fc105` and the like; the discovery object is `7e`. */
  readonly tag: string;
  /** As GET DATA answers it, `53 …` (or `7e …`) with tag and length. */
  readonly data: string;
}

/** What a card does beyond SP 800-73-4, or less. */
export interface PivFeatures {
  /** GET METADATA (INS F7), with it version (FD) and serial number (F8). */
  readonly metadata: boolean;
  /** MOVE KEY (INS F6), which deletes too. */
  readonly moveKey: boolean;
  /** The algorithm identifier of SM2 where the card has it. */
  readonly sm2Algorithm?: number;
  /** Key references 82…95 that exist. */
  readonly retiredSlots: readonly number[];
}
