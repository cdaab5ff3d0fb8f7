/**
 * What a virtual USBKEY holds between power-downs: plain JSON, so that it survives a reload in the browser's storage and
 * can be made by the reference CA ("personalised") on the server. Byte strings are lower-case hex.
 */
export interface KeyState {
  /** Which starting situation this key was made for. */
  readonly scenario: Scenario;
  attachment: Attachment;
  readonly info: {
    readonly manufacturer: string;
    readonly issuer: string;
    label: string;
    readonly serialNumber: string;
    readonly firmwareVersion: readonly [major: number, minor: number];
    readonly maxContainers: number;
  };
  readonly applications: ApplicationState[];
}

/** How the key is attached: what the browser sees of it. */
export type Attachment = 'longmai-hid' | 'ccid-extended' | 'ccid-short';
export const attachments: readonly Attachment[] = ['longmai-hid', 'ccid-extended', 'ccid-short'];

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
