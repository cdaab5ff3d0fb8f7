import { pivStatusMeaning, type StatusMeaning, statusMeaning } from '../apdu/status-words.ts';
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

/** What more PIV says (SP 800-73-4 part 2). */
const pivCodes: Readonly<Partial<Record<StatusMeaning, KeyErrorCode>>> = {
  ...codes,
  functionNotSupported: 'unsupported',
  noSuchObject: 'notFound',
  noSuchReference: 'noKeyPair',
};
/** P1 or P2, by which PIV names the algorithm and the slot. */
const swIncorrectParameters = 0x6a86;

/** A status word other than 9000 of a PIV key. @param ins the command's INS, for the report */
export function pivRefusal(sw: number, ins: number): KeyError {
  const meaning = pivStatusMeaning(sw);
  const code = sw === swIncorrectParameters ? 'unsupported' : (pivCodes[meaning] ?? 'refused');
  return new KeyError(code, `INS ${hex(ins, 2)}: ${hex(sw, 4)} ${meaning}`, sw);
}
