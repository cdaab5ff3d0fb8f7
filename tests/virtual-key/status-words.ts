/** Status words SW1 SW2 of GM/T 0017, NIST SP 800-73-4 and ISO/IEC 7816-4 §5.6 that the virtual key answers. */
export const statusWords = {
  ok: 0x9000,
  /** 61xx: xx more bytes (00: 256 or more) wait for GET RESPONSE. */
  bytesRemaining: 0x6100,
  /** 63Cx: wrong password, x tries left. */
  wrongPassword: 0x63c0,
  wrongLength: 0x6700,
  secureMessagingUnsupported: 0x6882,
  lastOfChainExpected: 0x6883,
  keyGenerationFailed: 0x6915,
  notLoggedIn: 0x6982,
  passwordBlocked: 0x6983,
  conditionsNotSatisfied: 0x6985,
  applicationNotOpen: 0x698a,
  wrongData: 0x6a80,
  objectNotFound: 0x6a82,
  noRoom: 0x6a84,
  wrongP1P2: 0x6a86,
  noApplication: 0x6a88,
  /** The same number in PIV (ISO/IEC 7816-4): what P2 refers to is not there. */
  referenceNotFound: 0x6a88,
  nameUnknown: 0x6a8b,
  wrongContainerName: 0x6a91,
  wrongContainerId: 0x6a94,
  noKeyPair: 0x6a95,
  noCertificate: 0x6a96,
  wrongDigestAlgorithm: 0x6a9d,
  moreData: 0x6a9e,
  unknownInstruction: 0x6d00,
  unknownClass: 0x6e00,
  containerExists: 0x6e02,
} as const;

/** Thrown inside the applet to answer with a status word and no data. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly statusWord: number;
  constructor(statusWord: number) {
    super(`status word ${statusWord.toString(16)}`);
    this.statusWord = statusWord;
  }
}
