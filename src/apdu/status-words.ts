/**
 * What a status word says: ISO/IEC 7816-4 §5.6, what GM/T 0017 makes of 69xx and 6Axx for applications, containers and
 * certificates, and what NIST SP 800-73-4 part 2 §3 makes of them for data objects and key references.
 */
export type StatusMeaning =
  | 'success'
  | 'moreAvailable'
  | 'wrongLe'
  | 'wrongPassword'
  | 'warning'
  | 'executionFailed'
  | 'memoryFailure'
  | 'securityFailure'
  | 'wrongLength'
  | 'secureMessagingNotSupported'
  | 'chainingNotSupported'
  | 'lastOfChainExpected'
  | 'notAllowed'
  | 'keyGenerationFailed'
  | 'notLoggedIn'
  | 'passwordLocked'
  | 'conditionsNotSatisfied'
  | 'applicationNotOpen'
  | 'wrongParameters'
  | 'noRoom'
  | 'functionNotSupported'
  | 'noSuchObject'
  | 'noSuchReference'
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

/** ISO/IEC 7816-4 table 6, where SW2 says more than SW1. */
const isoMeanings: ReadonlyMap<number, StatusMeaning> = new Map([
  [swSuccess, 'success'],
  [0x6581, 'memoryFailure'],
  [0x6882, 'secureMessagingNotSupported'],
  [0x6883, 'lastOfChainExpected'],
  [0x6884, 'chainingNotSupported'],
  [0x6982, 'notLoggedIn'],
  [swPasswordLocked, 'passwordLocked'],
  [0x6984, 'conditionsNotSatisfied'],
  [0x6985, 'conditionsNotSatisfied'],
  [0x6986, 'conditionsNotSatisfied'],
  [0x6987, 'conditionsNotSatisfied'],
  [0x6988, 'conditionsNotSatisfied'],
  [0x6a81, 'functionNotSupported'],
  [0x6a82, 'noSuchObject'],
  [0x6a83, 'noSuchObject'],
  [0x6a84, 'noRoom'],
  [0x6a88, 'noSuchReference'],
]);

/** ISO/IEC 7816-4 table 5: what SW1 alone says. */
const isoCategories: ReadonlyMap<number, StatusMeaning> = new Map([
  [0x61, 'moreAvailable'],
  [0x62, 'warning'],
  [0x63, 'warning'],
  [0x64, 'executionFailed'],
  [0x65, 'executionFailed'],
  [0x66, 'securityFailure'],
  [0x67, 'wrongLength'],
  [0x68, 'functionNotSupported'],
  [0x69, 'notAllowed'],
  [0x6a, 'wrongParameters'],
  [0x6b, 'wrongParameters'],
  [0x6c, 'wrongLe'],
  [0x6d, 'unknownInstruction'],
  [0x6e, 'unknownClass'],
  [0x6f, 'executionFailed'],
]);

const gmt0017Meanings: ReadonlyMap<number, StatusMeaning> = new Map([
  [0x6915, 'keyGenerationFailed'],
  [swApplicationNotOpen, 'applicationNotOpen'],
  [0x6a81, 'wrongParameters'],
  [0x6a88, 'noSuchApplication'],
  [0x6a8b, 'noSuchName'],
  [0x6a91, 'badContainerName'],
  [0x6a94, 'noSuchContainer'],
  [0x6a95, 'noKeyPair'],
  [0x6a96, 'noCertificate'],
  [0x6a97, 'writeFailed'],
  [0x6a98, 'verifyFailed'],
  [0x6a9c, 'signFailed'],
  [0x6a9d, 'unsupportedDigest'],
  [swMoreToExport, 'moreToExport'],
  [0x6e02, 'containerExists'],
]);

const pivMeanings: ReadonlyMap<number, StatusMeaning> = new Map([
  // "Verification failed", without a counter.
  [0x6300, 'wrongPassword'],
]);

/** The meaning of SW1 SW2 from a GM/T 0017 key; `unknown` for one that neither document names. */
export function statusMeaning(sw: number): StatusMeaning {
  return meaning(sw, gmt0017Meanings);
}

/** The meaning of SW1 SW2 from a PIV key; `unknown` for one that neither document names. */
export function pivStatusMeaning(sw: number): StatusMeaning {
  return meaning(sw, pivMeanings);
}

function meaning(sw: number, own: ReadonlyMap<number, StatusMeaning>): StatusMeaning {
  if (triesLeft(sw) !== undefined) return 'wrongPassword';
  return own.get(sw) ?? isoMeanings.get(sw) ?? isoCategories.get(sw >> 8) ?? 'unknown';
}

/**
 * The x of 63Cx. Only a hint: some firmware counts in another nibble, so the counter itself is to be read.
 * @returns 0..15, or undefined for any other status word
 */
export function triesLeft(sw: number): number | undefined {
  return (sw & 0xfff0) === 0x63c0 ? sw & 0xf : undefined;
}
