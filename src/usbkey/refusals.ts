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

/** A status word other than 9000 as the port's error. @param ins the command's INS, for the report */
export function refusal(sw: number, ins: number): KeyError {
  const meaning = statusMeaning(sw);
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  return new KeyError(codes[meaning] ?? 'refused', `INS ${hex(ins, 2)}: ${hex(sw, 4)} ${meaning}`, sw);
}
