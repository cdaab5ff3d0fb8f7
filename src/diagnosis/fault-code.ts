import type { BrowserIdentity } from './browser-identity.ts';
import { causeOf, causes, type Cause } from './causes.ts';
import type { CheckGroup } from './check.ts';

/*
 * A fault code is six digits that a person can read out: where (1), what (2), with which computer (2), and a check digit, so
 * that a code heard wrongly is known for it. Codes mean the same in every version.
 */

/** Where it happened: the first digit. From `password` on, the steps of a renewal or upgrade. */
export const stages = [
  'browser',
  'network',
  /** The key, and what is on it. */
  'usbkey',
  'password',
  'newKey',
  'request',
  'write',
  'check',
  'finish',
  'encryption',
] as const;
export type FaultStage = (typeof stages)[number];

const stageOfGroup: Readonly<Record<CheckGroup, FaultStage>> = {
  browser: 'browser',
  network: 'network',
  usbkey: 'usbkey',
  certificate: 'usbkey',
  work: 'usbkey',
};

/** The computer, the browser, and by which of its doors the key was reached. */
export interface FaultEnvironment {
  readonly system: BrowserIdentity['system'];
  readonly browser: BrowserIdentity['browser'];
  readonly way: 'usb' | 'hid' | 'none';
}

const systems: readonly BrowserIdentity['system'][] = ['windows', 'mac', 'linux', 'phone', 'other'];
const browsers: readonly BrowserIdentity['browser'][] = ['chrome', 'edge', 'otherChromium', 'other'];
const ways: readonly FaultEnvironment['way'][] = ['none', 'usb', 'hid'];

export interface FaultCode {
  readonly stage: FaultStage;
  /** 0 to 99: of a check or a key by the table of causes, of a renewal by its own. */
  readonly number: number;
  /** Undefined: not known. */
  readonly environment: FaultEnvironment | undefined;
}

/** 0: not known; from 61 on: free. */
function environmentNumber(environment: FaultEnvironment | undefined): number {
  if (!environment) return 0;
  const { system, browser, way } = environment;
  return 1 + (systems.indexOf(system) * browsers.length + browsers.indexOf(browser)) * ways.length + ways.indexOf(way);
}

function environmentOf(number: number): FaultEnvironment | undefined {
  const at = number - 1;
  const [system, browser, way] = [
    systems[Math.floor(at / (browsers.length * ways.length))],
    browsers[Math.floor(at / ways.length) % browsers.length],
    ways[at % ways.length],
  ];
  return system && browser && way ? { system, browser, way } : undefined;
}

/** A quasigroup of order 10 without a digit on its own diagonal (H. M. Damm, 2004). */
const damm = [
  '0317598642',
  '7092154863',
  '4206871359',
  '1750983426',
  '6123045978',
  '3674209581',
  '5869720134',
  '8945362017',
  '9438617205',
  '2581436790',
] as const;

/** 0 for digits that end with their check digit: every single wrong digit and every swap of neighbours shows. */
const checksum = (digits: string): number =>
  Array.from(digits).reduce((interim, digit) => Number(damm[interim]?.charAt(Number(digit))), 0);

/** The six digits. */
export function encodeFault({ stage, number, environment }: FaultCode): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const digits = `${stages.indexOf(stage)}${two(number)}${two(environmentNumber(environment))}`;
  return `${digits}${checksum(digits)}`;
}

/**
 * Reads six digits, as they are written or spoken of: full-width, with spaces or dashes between.
 * @returns undefined where they are no six digits, or the check digit is wrong
 */
export function decodeFault(text: string): FaultCode | undefined {
  const digits = text.normalize('NFKC').replace(/[\s\p{Pd}]/gu, '');
  if (!/^\d{6}$/.test(digits) || checksum(digits) !== 0) return undefined;
  const stage = stages[Number(digits.charAt(0))];
  const environment = environmentOf(Number(digits.slice(3, 5)));
  return stage && { stage, number: Number(digits.slice(1, 3)), environment };
}

/** What a check has found, as a code. */
export const causeCode = (group: CheckGroup, cause: Cause, environment: FaultEnvironment | undefined): string =>
  encodeFault({ stage: stageOfGroup[group], number: causes[cause].number, environment });

/** The cause in a code of a check or a key; undefined for those of a renewal, and for numbers never given. */
export const causeIn = ({ stage, number }: FaultCode): Cause | undefined =>
  stages.indexOf(stage) <= stages.indexOf('usbkey') ? causeOf(number) : undefined;
