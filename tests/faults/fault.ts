import type { Purpose } from '../../src/renewal/journal.ts';
import type { Attachment, Scenario } from '../virtual-key/state.ts';

/** A starting situation: what is pressed, with which key, at which authority. */
export interface Situation {
  readonly name: string;
  readonly purpose: Purpose;
  readonly scenario: Scenario;
  readonly attachment: Attachment;
  /** What the authority does with the replaced certificate: the stricter of its policies is where a loss shows. */
  readonly revokeOld: 'never' | 'onConfirm';
  /** One of {renewal, upgrade} × {HID, CCID}, where every single fault is tried. */
  readonly full: boolean;
  /** The key has room for one more container only: an attempt that leaves one behind is stuck. */
  readonly tight?: boolean;
  /** The first password typed after each press is wrong. */
  readonly mistypes?: boolean;
}

export const situations: readonly Situation[] = [
  {
    name: 'renewal over longmai-hid',
    purpose: 'renewal',
    scenario: 'due-30-days',
    attachment: 'longmai-hid',
    revokeOld: 'onConfirm',
    full: true,
  },
  {
    name: 'renewal over ccid-extended',
    purpose: 'renewal',
    scenario: 'due-30-days',
    attachment: 'ccid-extended',
    revokeOld: 'never',
    full: true,
    tight: true,
  },
  {
    name: 'upgrade over longmai-hid',
    purpose: 'upgrade',
    scenario: 'old-issuer',
    attachment: 'longmai-hid',
    revokeOld: 'never',
    full: true,
    tight: true,
  },
  {
    name: 'upgrade over ccid-extended',
    purpose: 'upgrade',
    scenario: 'old-issuer',
    attachment: 'ccid-extended',
    revokeOld: 'onConfirm',
    full: true,
  },
  {
    name: 'renewal over ccid-short',
    purpose: 'renewal',
    scenario: 'due-30-days',
    attachment: 'ccid-short',
    revokeOld: 'onConfirm',
    full: false,
  },
  {
    name: 'renewal with waiting',
    purpose: 'renewal',
    scenario: 'ca-waits',
    attachment: 'ccid-extended',
    revokeOld: 'onConfirm',
    full: false,
  },
  {
    name: 'renewal after expiry',
    purpose: 'renewal',
    scenario: 'expired',
    attachment: 'longmai-hid',
    revokeOld: 'never',
    full: false,
  },
  {
    name: 'renewal with a wrong password',
    purpose: 'renewal',
    scenario: 'due-30-days',
    attachment: 'longmai-hid',
    revokeOld: 'onConfirm',
    full: false,
    tight: true,
    mistypes: true,
  },
];

/** Where faults strike, and how. Places are counted from the press (or the recovery) in which the fault is to strike. */
export const kinds = {
  /**
   * A transfer or report on the wire. Cut before or after its effect: between the blocks of one APDU, before the last
   * one and so before the APDU's effect, or after it. Lost without a word; stalled.
   */
  transfer: ['before', 'after', 'lost', 'stall'],
  /** A call of the page to the device: the page dies before it, or once it has happened. The key keeps power and login. */
  call: ['killBefore', 'killAfter'],
  /** A write to the key's memory: cut before or after it. */
  write: ['before', 'after'],
  /** The certificate's write is torn by a cut: `n` says where. */
  torn: ['cut'],
  /** An exchange with the authority, once or from there on until all is well again. */
  ca: [
    'requestDropped',
    'answerDropped',
    'error500',
    'garbage',
    'requestsDropped',
    'answersDropped',
    'errors500',
    'allGarbage',
  ],
  /** A write of the journal: the page dies before or after the commit, the browser refuses it, another tab is pressed. */
  journal: ['killBefore', 'killAfter', 'refused', 'otherTab'],
  /** The password's counter lies: at the n-th question, or (`always`) from there on. */
  counter: ['zero', 'one', 'most', 'more', 'less', 'nonsense', 'alwaysZero', 'alwaysLess', 'alwaysMore'],
  /**
   * Something happens between two presses: two hours, 30 hours or 40 days go by; the password is locked, or another key
   * is pressed, or another computer is used, or the authority refuses this holder.
   */
  between: ['late', 'nextDay', 'month', 'locked', 'otherKey', 'otherComputer', 'refused'],
} as const;

export type Place = keyof typeof kinds;
export type Kind<P extends Place = Place> = (typeof kinds)[P][number];

export interface Fault {
  readonly place: Place;
  /** 1 is the first. */
  readonly n: number;
  readonly kind: Kind;
}

/** One trial: a fault in the first press and, maybe, another one in the first recovery. */
export interface Trial {
  readonly situation: number;
  readonly first: Fault | undefined;
  readonly second?: Fault;
}

const sayFault = ({ place, n, kind }: Fault): string => `${place} ${n} ${kind}`;

/** What distinguishes one trial from another: situation, point, kind[, second point, second kind]. */
export const nameOf = ({ situation, first, second }: Trial): string =>
  [situations[situation]?.name ?? '', first && sayFault(first), second && sayFault(second)]
    .filter((part) => part !== undefined)
    .join(' | ');

/** How a trial ended. */
export interface Verdict {
  readonly trial: Trial;
  /** Every fault of the trial found its place. One that did not is not counted. */
  readonly struck: boolean;
  readonly ending: 'recovered' | 'explained' | 'stuck';
  /** Of an explained one: the cause; of a stuck one: the last outcome. */
  readonly cause: string;
  /** Broken promises, in words. */
  readonly lost: readonly string[];
  readonly doubleIssued: readonly string[];
  readonly presses: readonly string[];
}

/** How often each place comes by in a press without faults. */
export type Profile = Readonly<Record<Exclude<Place, 'between' | 'torn'>, number>>;
