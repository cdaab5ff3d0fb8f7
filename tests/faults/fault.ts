import type { Purpose } from '../../src/renewal/journal.ts';
import type { Attachment, CommandSet, PivAlgorithm, Scenario } from '../virtual-key/state.ts';

/** A key as the procedure meets it. */
export interface Face {
  readonly attachment: Attachment;
  readonly commandSet: CommandSet;
  /** Of a PIV key: the key pair of the old certificate. */
  readonly algorithm?: PivAlgorithm;
  /** The old key pair is in 9C, and the key wants the PIN before every signature of it. */
  readonly passwordForEverySignature?: boolean;
  /** One kept behind the PIN, or one that only the person knows; as the key was handed out where left out. */
  readonly managementKey?: 'protected' | 'custom';
}

const hid: Face = { attachment: 'longmai-hid', commandSet: 'gmt0017' };
const ccid: Face = { attachment: 'ccid-extended', commandSet: 'gmt0017' };
/** A PIV key that tells all about itself (metadata) and can move keys. */
const pivCcid: Face = { attachment: 'ccid-short', commandSet: 'piv', algorithm: 'p256' };
/** A PIV key that cannot show a key pair before there is a certificate, with two retired slots. */
const canokey: Face = { attachment: 'canokey', commandSet: 'piv', algorithm: 'p256' };

/** Which authority is asked: CMP, or rest-enrolment with either form of its requests. */
export const authorities = ['cmp', 'rest', 'restCfca'] as const;
export type AuthorityKind = (typeof authorities)[number];

/** A starting situation: what is pressed, with which key, at which authority. */
export interface Situation extends Case {
  readonly authority: AuthorityKind;
}

interface Case {
  readonly name: string;
  readonly purpose: Purpose;
  readonly scenario: Scenario;
  readonly face: Face;
  /** What the authority does with the replaced certificate: the stricter of its policies is where a loss shows. */
  readonly revokeOld: 'never' | 'onConfirm';
  /** Every single fault is tried: {renewal, upgrade} × {HID, CCID} of GM/T 0017, and both kinds of PIV key. */
  readonly full: boolean;
  /** The key has room for one more container only: an attempt that leaves one behind is stuck. */
  readonly tight?: boolean;
  /** The first password typed after each press is wrong. */
  readonly mistypes?: boolean;
  /** A signing and an encryption certificate are to be had. */
  readonly encryption?: boolean;
}

const cases: readonly Case[] = [
  {
    name: 'renewal over longmai-hid',
    purpose: 'renewal',
    scenario: 'due-30-days',
    face: hid,
    revokeOld: 'onConfirm',
    full: true,
  },
  {
    name: 'renewal over ccid-extended',
    purpose: 'renewal',
    scenario: 'due-30-days',
    face: ccid,
    revokeOld: 'never',
    full: true,
    tight: true,
  },
  {
    name: 'upgrade over longmai-hid',
    purpose: 'upgrade',
    scenario: 'old-issuer',
    face: hid,
    revokeOld: 'never',
    full: true,
    tight: true,
  },
  {
    name: 'upgrade over ccid-extended',
    purpose: 'upgrade',
    scenario: 'old-issuer',
    face: ccid,
    revokeOld: 'onConfirm',
    full: true,
  },
  {
    name: 'renewal over ccid-short',
    purpose: 'renewal',
    scenario: 'due-30-days',
    face: { ...ccid, attachment: 'ccid-short' },
    revokeOld: 'onConfirm',
    full: false,
  },
  {
    name: 'renewal with waiting',
    purpose: 'renewal',
    scenario: 'ca-waits',
    face: ccid,
    revokeOld: 'onConfirm',
    full: false,
  },
  {
    name: 'renewal after expiry',
    purpose: 'renewal',
    scenario: 'expired',
    face: hid,
    revokeOld: 'never',
    full: false,
  },
  {
    name: 'renewal with a wrong password',
    purpose: 'renewal',
    scenario: 'due-30-days',
    face: hid,
    revokeOld: 'onConfirm',
    full: false,
    tight: true,
    mistypes: true,
  },
  {
    name: 'renewal with PIV over ccid',
    purpose: 'renewal',
    scenario: 'due-30-days',
    face: pivCcid,
    revokeOld: 'onConfirm',
    full: true,
  },
  {
    name: 'renewal with PIV over canokey',
    purpose: 'renewal',
    scenario: 'due-30-days',
    face: canokey,
    revokeOld: 'never',
    full: true,
  },
  {
    name: 'renewal with PIV SM2 over canokey',
    purpose: 'renewal',
    scenario: 'due-30-days',
    face: { ...canokey, algorithm: 'sm2' },
    revokeOld: 'onConfirm',
    full: false,
    mistypes: true,
  },
  {
    name: 'renewal with PIV, one slot left',
    purpose: 'renewal',
    scenario: 'due-30-days',
    face: canokey,
    revokeOld: 'onConfirm',
    full: false,
    tight: true,
  },
  {
    name: 'renewal with PIV in 9C, with waiting',
    purpose: 'renewal',
    scenario: 'ca-waits',
    face: { ...pivCcid, passwordForEverySignature: true, managementKey: 'protected' },
    revokeOld: 'onConfirm',
    full: false,
  },
  {
    name: 'renewal with PIV, own management key',
    purpose: 'renewal',
    scenario: 'expired',
    face: { ...pivCcid, managementKey: 'custom' },
    revokeOld: 'never',
    full: false,
  },
  {
    name: 'upgrade with PIV over canokey',
    purpose: 'upgrade',
    scenario: 'old-issuer',
    face: { ...canokey, algorithm: 'rsa2048' },
    revokeOld: 'never',
    full: false,
  },
  {
    name: 'renewal with two certificates over longmai-hid',
    purpose: 'renewal',
    scenario: 'due-30-days',
    face: hid,
    revokeOld: 'onConfirm',
    full: true,
    encryption: true,
  },
  {
    name: 'upgrade with two certificates over ccid-extended',
    purpose: 'upgrade',
    scenario: 'old-issuer',
    face: ccid,
    revokeOld: 'onConfirm',
    full: true,
    tight: true,
    encryption: true,
  },
  {
    name: 'renewal with two certificates, with waiting',
    purpose: 'renewal',
    scenario: 'ca-waits',
    face: ccid,
    revokeOld: 'never',
    full: false,
    encryption: true,
  },
];

/** CFCA's form counts where something is delivered in it. */
const authoritiesOf = ({ encryption }: Case): readonly AuthorityKind[] =>
  authorities.filter((authority) => authority !== 'restCfca' || encryption === true);

/** Every case at every authority: those at CMP first. */
export const situations: readonly Situation[] = authorities.flatMap((authority) =>
  cases
    .filter((one) => authoritiesOf(one).includes(authority))
    .map((one) => ({ ...one, authority, name: authority === 'cmp' ? one.name : `${one.name} at ${authority}` })),
);

/** Every case at one authority, by a number: whichever it is, all authorities come by. */
export function oneAuthorityEach(number: number): readonly number[] {
  return cases.map((one, index) => {
    const own = authoritiesOf(one);
    const authority = own[(index + number) % own.length];
    return situations.findIndex(
      ({ name }) => name === (authority === 'cmp' ? one.name : `${one.name} at ${authority}`),
    );
  });
}

export const commandSetOf = ({ situation }: Trial): CommandSet => situations[situation]?.face.commandSet ?? 'gmt0017';

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
  /**
   * An exchange with the authority, once or from there on until all is well again; or it is busy from there on, and the
   * person stops as soon as the page says so.
   */
  ca: [
    'requestDropped',
    'answerDropped',
    'error500',
    'garbage',
    'requestsDropped',
    'answersDropped',
    'errors500',
    'allGarbage',
    'busyStopped',
  ],
  /** The page says that the authority takes its time, and the person stops. */
  wait: ['stopped'],
  /** What the operator says once the password has been typed: nothing new, not this key, not this model. */
  rules: ['closed', 'notRolledOut', 'modelStopped'],
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
