import { identifyBrowser } from '../diagnosis/browser-identity.ts';
import type { Cause } from '../diagnosis/causes.ts';
import type { CheckGroup } from '../diagnosis/check.ts';
import {
  causeCode,
  causeIn,
  decodeFault,
  encodeFault,
  type FaultCode,
  type FaultEnvironment,
  type FaultStage,
} from '../diagnosis/fault-code.ts';
import type { Step, Stopped, StopReason, Unacceptable } from '../renewal/outcome.ts';
import type { KeyTrouble } from './state/usbkey.svelte.ts';

/*
 * Codes a person can read out: six digits since this version. Numbers are never given anew: a code means the same in every
 * version.
 */

/** Of the form `K05`, which earlier versions gave. */
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
  paused: 26,
  notRolledOut: 27,
  certificateRevoked: 28,
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

type Way = FaultEnvironment['way'];

/** This computer and browser, and by which door the key is reached. */
export const environmentHere = (way: Way): FaultEnvironment => {
  const { system, browser } = identifyBrowser(navigator.userAgent);
  return { system, browser, way };
};

const ofBrowser: readonly KeyTrouble[] = ['insecure', 'mobile', 'noApi'];

/** Reading a key did not come to an end. */
export const keyCode = (trouble: KeyTrouble, way: Way = 'none'): string =>
  causeCode(ofBrowser.includes(trouble) ? 'browser' : 'usbkey', trouble, environmentHere(way));

/** A check has found something. */
export const checkCode = (group: CheckGroup, cause: Cause, way: Way = 'none'): string =>
  causeCode(group, cause, environmentHere(way));

/** What a check of the certificate found first is told in the place of the reason, which follows from it. */
const acceptanceOffset = 50;

/** A renewal stopped: at which step, why, and if a certificate was not acceptable, at which check of it first. */
export const renewalCode = ({ reason, step, acceptance: [failure] = [] }: StoppedAt, way: Way = 'none'): string =>
  encodeFault({
    stage: step,
    number: failure ? acceptanceOffset + acceptanceNumbers[failure] : renewalNumbers[reason],
    environment: environmentHere(way),
  });

interface StoppedAt extends Pick<Stopped, 'reason' | 'step'> {
  readonly acceptance?: readonly Unacceptable[];
}

export type Fault = (
  | { readonly kind: 'cause'; readonly cause: Cause; readonly stage: FaultStage | undefined }
  | {
      readonly kind: 'renewal';
      readonly reason: StopReason;
      readonly step: Step | undefined;
      readonly failure?: Unacceptable;
    }
) & { readonly environment?: FaultEnvironment };

const named = <Name extends string>(numbers: Record<Name, number>, number: number): Name | undefined =>
  (Object.keys(numbers) as Name[]).find((name) => numbers[name] === number);

const isStep = (stage: FaultStage): stage is FaultStage & Step => Object.keys(stepNumbers).includes(stage);

function fromDigits(code: FaultCode): Fault | undefined {
  const { stage, number } = code;
  const environment = code.environment ? { environment: code.environment } : {};
  if (!isStep(stage)) {
    const cause = causeIn(code);
    return cause && { kind: 'cause', cause, stage, ...environment };
  }
  const failure = named(acceptanceNumbers, number - acceptanceOffset);
  if (failure) return { kind: 'renewal', reason: 'notAcceptable', step: stage, failure, ...environment };
  const reason = named(renewalNumbers, number);
  return reason && { kind: 'renewal', reason, step: stage, ...environment };
}

/**
 * What a code means; undefined for one this site has never given. Case, spaces and dashes do not matter. Besides the six
 * digits, the forms of earlier versions: `K05`, `R14-3`, `R15-3-07`, `P01`.
 */
export function readCode(text: string): Fault | undefined {
  const digits = decodeFault(text);
  if (digits) return fromDigits(digits);
  const code = text.replace(/\s/g, '').toUpperCase();
  if (code === 'P01') return { kind: 'cause', cause: 'page', stage: undefined };
  const found = /^([KR])(\d\d)(?:-([1-7])(?:-(\d\d))?)?$/.exec(code);
  if (!found) return undefined;
  const [, letter, number, at, detail] = found;
  if (letter === 'K') {
    const trouble = at === undefined ? named(keyNumbers, Number(number)) : undefined;
    return trouble && { kind: 'cause', cause: trouble, stage: undefined };
  }
  const reason = named(renewalNumbers, Number(number));
  const step = at === undefined ? undefined : named(stepNumbers, Number(at));
  if (detail === undefined) return reason && { kind: 'renewal', reason, step };
  const failure = reason === 'notAcceptable' ? named(acceptanceNumbers, Number(detail)) : undefined;
  return reason && failure && { kind: 'renewal', reason, step, failure };
}

/** In two groups, as it is read out: `210 106`. Other forms stay as they are. */
export const spoken = (code: string): string => code.replace(/^(\d{3})(\d{3})$/, '$1 $2');
