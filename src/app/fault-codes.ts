import type { Stopped } from '../renewal/outcome.ts';
import { steps, type StopReason } from '../renewal/outcome.ts';
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
};

const two = (n: number): string => String(n).padStart(2, '0');

/** `K05`: reading a key. */
export const keyCode = (trouble: KeyTrouble): string => `K${two(keyNumbers[trouble])}`;

/** `R14-3`: a renewal stopped, and at which of the six steps. */
export const renewalCode = ({ reason, step }: Pick<Stopped, 'reason' | 'step'>): string =>
  `R${two(renewalNumbers[reason])}-${steps.indexOf(step) + 1}`;

export type Fault =
  | { readonly kind: 'key'; readonly trouble: KeyTrouble }
  | { readonly kind: 'renewal'; readonly reason: StopReason; readonly step: number | undefined }
  | { readonly kind: 'page' };

/** What a code means; undefined for one this site has never given. Case and spaces do not matter. */
export function readCode(text: string): Fault | undefined {
  const code = text.replace(/\s/g, '').toUpperCase();
  if (code === 'P01') return { kind: 'page' };
  const found = /^([KR])(\d\d)(?:-([1-6]))?$/.exec(code);
  if (!found) return undefined;
  const number = Number(found[2]);
  const named = <Name extends string>(numbers: Record<Name, number>): Name | undefined =>
    (Object.keys(numbers) as Name[]).find((name) => numbers[name] === number);
  if (found[1] === 'K') {
    const trouble = found[3] === undefined ? named(keyNumbers) : undefined;
    return trouble && { kind: 'key', trouble };
  }
  const reason = named(renewalNumbers);
  return reason && { kind: 'renewal', reason, step: found[3] === undefined ? undefined : Number(found[3]) };
}
