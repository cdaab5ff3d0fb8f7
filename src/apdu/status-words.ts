/** What a status word says (ISO/IEC 7816-4 §5.6; GM/T 0017 adds the 6A8x–6A9x of containers and certificates). */
export type StatusMeaning =
  | 'success'
  | 'moreAvailable'
  | 'wrongLe'
  | 'wrongPassword'
  | 'memoryFailure'
  | 'wrongLength'
  | 'keyGenerationFailed'
  | 'notLoggedIn'
  | 'passwordLocked'
  | 'conditionsNotSatisfied'
  | 'applicationNotOpen'
  | 'wrongParameters'
  | 'noRoom'
  | 'noSuchApplication'
  | 'noSuchName'
  | 'badContainerName'
  | 'noSuchContainer'
  | 'noKeyPair'
  | 'noCertificate'
  | 'writeFailed'
  | 'verifyFailed'
  | 'signFailed'
  | 'unsupportedDigest'
  | 'moreToExport'
  | 'containerExists'
  | 'unknownInstruction'
  | 'unknownClass'
  | 'unknown';

/** SW1 SW2 of a command that ended well. */
export const swSuccess = 0x9000;
/** GM/T 0017: the certificate goes on in the answer to the same command sent again. */
export const swMoreToExport = 0x6a9e;
/** GM/T 0017: the application id is not, or no longer, open. */
export const swApplicationNotOpen = 0x698a;
export const swPasswordLocked = 0x6983;

const meanings: ReadonlyMap<number, StatusMeaning> = new Map([
  [swSuccess, 'success'],
  [0x6581, 'memoryFailure'],
  [0x6700, 'wrongLength'],
  [0x6915, 'keyGenerationFailed'],
  [0x6982, 'notLoggedIn'],
  [swPasswordLocked, 'passwordLocked'],
  [0x6984, 'conditionsNotSatisfied'],
  [0x6985, 'conditionsNotSatisfied'],
  [0x6986, 'conditionsNotSatisfied'],
  [0x6987, 'conditionsNotSatisfied'],
  [0x6988, 'conditionsNotSatisfied'],
  [swApplicationNotOpen, 'applicationNotOpen'],
  [0x6a80, 'wrongParameters'],
  [0x6a81, 'wrongParameters'],
  [0x6a84, 'noRoom'],
  [0x6a86, 'wrongParameters'],
  [0x6a88, 'noSuchApplication'],
  [0x6a8b, 'noSuchName'],
  [0x6a90, 'wrongParameters'],
  [0x6a91, 'badContainerName'],
  [0x6a94, 'noSuchContainer'],
  [0x6a95, 'noKeyPair'],
  [0x6a96, 'noCertificate'],
  [0x6a97, 'writeFailed'],
  [0x6a98, 'verifyFailed'],
  [0x6a9c, 'signFailed'],
  [0x6a9d, 'unsupportedDigest'],
  [swMoreToExport, 'moreToExport'],
  [0x6d00, 'unknownInstruction'],
  [0x6e00, 'unknownClass'],
  [0x6e02, 'containerExists'],
]);

/** The meaning of SW1 SW2; `unknown` for one that neither document names. */
export function statusMeaning(sw: number): StatusMeaning {
  if (sw >> 8 === 0x61) return 'moreAvailable';
  if (sw >> 8 === 0x6c) return 'wrongLe';
  if (triesLeft(sw) !== undefined) return 'wrongPassword';
  return meanings.get(sw) ?? 'unknown';
}

/**
 * The x of 63Cx. Only a hint: some firmware counts in another nibble, so the counter itself is to be read.
 * @returns 0..15, or undefined for any other status word
 */
export function triesLeft(sw: number): number | undefined {
  return (sw & 0xfff0) === 0x63c0 ? sw & 0xf : undefined;
}
