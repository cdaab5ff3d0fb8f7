import type { Step, Stopped, StopReason, Unacceptable } from '../renewal/outcome.ts';
import type { KeyTrouble } from './state/usbkey.svelte.ts';

/** Codes a person can read out. Numbers are never given anew: a code means the same in every version. */
const keyNumbers: Record<KeyTrouble, number> = {
  insecure: 1,
  mobile: 2,
  noApi: 3,
  nothingChosen: 4,
  protectedClass: 5,
  massStorage: 6,
  fidoOnly: 7,
  unknownDevice: 8,
  accessDenied: 9,
  busy: 10,
  otherTab: 11,
  several: 12,
  unplugged: 13,
  noAnswer: 14,
  noConfig: 15,
  unexpected: 16,
  noGesture: 17,
  otherWay: 18,
  notAKey: 19,
  heldBack: 20,
  unpluggedForgotten: 21,
  stalled: 22,
  badAnswer: 23,
  ownTask: 24,
};

const renewalNumbers: Record<StopReason, number> = {
  cancelled: 1,
  locked: 2,
  passwordUnknown: 3,
  unplugged: 4,
  deviceTrouble: 5,
  keyRefused: 6,
  noRoom: 7,
  unsupportedAlgorithm: 8,
  noCertificate: 9,
  closed: 10,
  expiredTooLong: 11,
  caUnreachable: 12,
  caUntrusted: 13,
  caRejected: 14,
  notAcceptable: 15,
  withdrawn: 16,
  goneFromKey: 17,
  checkFailed: 18,
  storageFailed: 19,
  unexpected: 20,
  modelStopped: 21,
  managementKeyNeeded: 22,
  caWaits: 23,
  encryptionUnsupported: 24,
  encryptionGivenUp: 25,
};

const acceptanceNumbers: Record<Unacceptable, number> = {
  notDer: 1,
  algorithmParameters: 2,
  notACertificate: 3,
  otherPublicKey: 4,
  sameAsSigningKey: 5,
  otherSubject: 6,
  otherTaxpayerNumber: 7,
  weakerKey: 8,
  weakSignature: 9,
  sameCertificate: 10,
  badSerialNumber: 11,
  notLonger: 12,
  alreadyExpired: 13,
  notYetValid: 14,
  livesTooLong: 15,
  cannotSign: 16,
  otherPurpose: 17,
  cannotEncrypt: 18,
  canSign: 19,
  isAuthority: 20,
  unknownExtension: 21,
  notChained: 22,
  oldIssuer: 23,
  noKeyPair: 24,
  notOpened: 25,
  otherKeyPair: 26,
};

const stepNumbers: Record<Step, number> = {
  password: 1,
  newKey: 2,
  request: 3,
  write: 4,
  check: 5,
  finish: 6,
  encryption: 7,
};

const two = (n: number): string => String(n).padStart(2, '0');

/** `K05`: reading a key. */
export const keyCode = (trouble: KeyTrouble): string => `K${two(keyNumbers[trouble])}`;

/** `R14-3`: a renewal stopped, and at which step; `R15-3-07`: at which check of the certificate first. */
export const renewalCode = ({ reason, step, acceptance: [failure] = [] }: StoppedAt): string =>
  `R${two(renewalNumbers[reason])}-${stepNumbers[step]}${failure ? `-${two(acceptanceNumbers[failure])}` : ''}`;

interface StoppedAt extends Pick<Stopped, 'reason' | 'step'> {
  readonly acceptance?: readonly Unacceptable[];
}

export type Fault =
  | { readonly kind: 'key'; readonly trouble: KeyTrouble }
  | {
      readonly kind: 'renewal';
      readonly reason: StopReason;
      readonly step: Step | undefined;
      readonly failure?: Unacceptable;
    }
  | { readonly kind: 'page' };

/** What a code means; undefined for one this site has never given. Case and spaces do not matter. */
export function readCode(text: string): Fault | undefined {
  const code = text.replace(/\s/g, '').toUpperCase();
  if (code === 'P01') return { kind: 'page' };
  const found = /^([KR])(\d\d)(?:-([1-7])(?:-(\d\d))?)?$/.exec(code);
  if (!found) return undefined;
  const named = <Name extends string>(numbers: Record<Name, number>, digits = found[2]): Name | undefined =>
    (Object.keys(numbers) as Name[]).find((name) => numbers[name] === Number(digits));
  if (found[1] === 'K') {
    const trouble = found[3] === undefined ? named(keyNumbers) : undefined;
    return trouble && { kind: 'key', trouble };
  }
  const reason = named(renewalNumbers);
  const step = found[3] === undefined ? undefined : named(stepNumbers, found[3]);
  if (found[4] === undefined) return reason && { kind: 'renewal', reason, step };
  const failure = reason === 'notAcceptable' ? named(acceptanceNumbers, found[4]) : undefined;
  return reason && failure && { kind: 'renewal', reason, step, failure };
}
