import type { Cause } from './causes.ts';
import type { Notebook } from './notebook.ts';
import type { CheckPorts } from './ports.ts';

export const checkGroups = ['browser', 'network', 'usbkey', 'certificate', 'work'] as const;
export type CheckGroup = (typeof checkGroups)[number];

/** In the order in which they are shown; of several troubles the first is mostly the reason for the others. */
export const checkIds = [
  'secureContext',
  'browser',
  'interfaces',
  'storage',
  'serviceWorker',
  'content',
  'network',
  'service',
  'clock',
  'authority',
  'permission',
  'model',
  'interface',
  'exchange',
  'application',
  'password',
  'certificates',
  'keyPair',
  'chain',
  'signature',
  'expiry',
  'status',
  'journal',
  'leftovers',
] as const;
export type CheckId = (typeof checkIds)[number];

/** What the words about a finding may name. Nothing in it tells whose key it is but the last four of a serial number. */
export interface Details {
  /** Natural days: until the end, or since. */
  readonly days?: number;
  /** Milliseconds a server took. */
  readonly ms?: number;
  /** Minutes this computer's clock is fast; negative: slow. */
  readonly minutes?: number;
  /** How many. */
  readonly count?: number;
  /** Password tries left. */
  readonly remaining?: number;
  /** The last four of a key's serial number. */
  readonly tail?: string;
  /** A version, a model, the maker's own name of a device. */
  readonly name?: string;
}

/** What a check has come to. */
export type Finding =
  | { readonly outcome: 'ok'; readonly details?: Details }
  | { readonly outcome: 'found'; readonly cause: Cause; readonly details?: Details }
  /** `because`: what it builds on was not there, the person has to ask for it, or the run was ended. */
  | { readonly outcome: 'skipped'; readonly because: CheckId | 'notAsked' | 'cancelled' };

export const fine = (details: Details = {}): Finding => ({ outcome: 'ok', details });
export const found = (cause: Cause, details: Details = {}): Finding => ({ outcome: 'found', cause, details });

/**
 * One thing to look at. Looking spends no password try, writes nothing to a key and changes nothing on the computer; what
 * can be done about a cause is in the table of causes.
 */
export interface Check {
  readonly id: CheckId;
  readonly group: CheckGroup;
  /** Checks that must have found nothing bad: without them it is not looked at. */
  readonly needs: readonly CheckId[];
  /** Checks that are waited for, whatever they find. */
  readonly after: readonly CheckId[];
  /** Milliseconds after which it is given up. */
  readonly limitMs: number;
  /** Only where the person asks for it: it wants the password. */
  readonly onRequest?: true;
  readonly detect: (look: Look) => Promise<Finding> | Finding;
}

/** A list of checks, in order. */
export const checksOf = (...checks: readonly Check[]): readonly Check[] => checks;

/** What a check is given. */
export interface Look {
  readonly ports: CheckPorts;
  /** What earlier checks have come upon. */
  readonly notes: Notebook;
  /** Aborted when the run is ended, or this check's time is over. */
  readonly signal: AbortSignal;
}
