import { type StatusMeaning, statusMeaning } from '../apdu/status-words.ts';
import { KeyError, type KeyErrorCode } from './usbkey.ts';

const codes: Readonly<Partial<Record<StatusMeaning, KeyErrorCode>>> = {
  notLoggedIn: 'notLoggedIn',
  // The application was closed by somebody else, and the login went with it.
  applicationNotOpen: 'notLoggedIn',
  passwordLocked: 'notLoggedIn',
  noRoom: 'noRoom',
  containerExists: 'containerExists',
  noSuchApplication: 'notFound',
  noSuchName: 'notFound',
  badContainerName: 'notFound',
  noSuchContainer: 'notFound',
  noKeyPair: 'noKeyPair',
  noCertificate: 'noCertificate',
  memoryFailure: 'writeFailed',
  writeFailed: 'writeFailed',
  keyGenerationFailed: 'keyGenerationFailed',
  signFailed: 'signFailed',
  unsupportedDigest: 'unsupported',
  unknownInstruction: 'unsupported',
  unknownClass: 'unsupported',
};

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');

/** A status word other than 9000 as the port's error. @param ins the command's INS, for the report */
export function refusal(sw: number, ins: number): KeyError {
  const meaning = statusMeaning(sw);
  return new KeyError(codes[meaning] ?? 'refused', `INS ${hex(ins, 2)}: ${hex(sw, 4)} ${meaning}`, sw);
}

/** The same for PIV, where 6A8x says something else (SP 800-73-4 part 2). */
const pivCodes: ReadonlyMap<number, KeyErrorCode> = new Map([
  [0x6581, 'writeFailed'],
  [0x6982, 'notLoggedIn'],
  [0x6983, 'notLoggedIn'],
  [0x6a81, 'unsupported'],
  [0x6a82, 'notFound'],
  [0x6a84, 'noRoom'],
  [0x6a86, 'unsupported'],
  [0x6a88, 'noKeyPair'],
  [0x6d00, 'unsupported'],
  [0x6e00, 'unsupported'],
]);

/** A status word other than 9000 of a PIV key. @param ins the command's INS, for the report */
export function pivRefusal(sw: number, ins: number): KeyError {
  return new KeyError(pivCodes.get(sw) ?? 'refused', `INS ${hex(ins, 2)}: ${hex(sw, 4)}`, sw);
}
