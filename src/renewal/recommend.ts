import {
  beijingDay,
  isoDay,
  renewableFrom,
  startOfBeijingDay,
  validityAt,
  type Validity,
} from '../guidance/beijing.ts';
import { estimateReplacementFee, type FeeEstimate } from '../guidance/fee.ts';
import { materialsFor, type Material } from '../guidance/materials.ts';
import type { AssumptionId, FlowSlug, RuleId } from '../guidance/rule-ids.ts';
import type { Purpose, Stage } from './journal.ts';

/** The eight things a person may have to do. */
export type Action =
  | 'none'
  | 'onlineUpgrade'
  | 'onlineRenewal'
  | 'centreUpgrade'
  | 'centreRenewal'
  | 'centreUnlock'
  | 'centreReplacement'
  | 'centreNew';

/** The five ways out where nothing new can be started now. */
export type Exit = 'resume' | 'waitForNetwork' | 'fixEnvironment' | 'callHotline' | 'originalOrCentre';

export type EnvironmentTrouble = 'noApi' | 'insecure' | 'mobile' | 'offline' | 'clockSkew';

/** Facts of the signing certificate on the key, read now or remembered from the last time. */
export type CertificateFacts =
  /** Not read yet, and nothing remembered. */
  | { readonly state: 'unread' }
  | { readonly state: 'none' }
  /** Not from the Tianjin tax service. */
  | { readonly state: 'foreign' }
  | {
      readonly state: 'present';
      readonly notBefore: Date;
      readonly notAfter: Date;
      /** From the issuer's name and the algorithm; the date alone misses renewed old keys. */
      readonly issuerGeneration: 'old' | 'new' | 'unknown';
    };

export interface PendingTransaction {
  readonly purpose: Purpose;
  readonly stage: Stage;
  /** Of the key the transaction belongs to. */
  readonly keySerialNumber: string;
}

/** Everything the table looks at. Plain data; nothing is read from elsewhere. */
export interface RecommendInput {
  /** `yes` as soon as a certificate has been read. */
  readonly everIssued: 'yes' | 'no' | 'unknown';
  readonly tokenPhysical: 'ok' | 'lost' | 'damagedIntact' | 'damagedOther' | 'unknown';
  /** Empty when all is well; several may hold at once. */
  readonly environment: readonly EnvironmentTrouble[];
  /** The person said that another browser or computer is not to be had. */
  readonly cannotChangeEnvironment: boolean;
  /** `unreadable`: still so after three times out and in. */
  readonly token: 'absent' | 'notAuthorized' | 'busy' | 'blockedClass' | 'unreadable' | 'ready' | 'multiple';
  /** Of the key that is plugged in. */
  readonly keySerialNumber: string | undefined;
  readonly password: 'unknown' | 'ok' | 'lastTry' | 'locked' | 'forgotten';
  /** The person has said, in so many words, to be sure of the password. */
  readonly lastTryConfirmed: boolean;
  readonly certificate: CertificateFacts;
  readonly certificateStatus: 'good' | 'revoked' | 'unknown';
  /** The key has room for another container. */
  readonly keyHasRoom: boolean;
  /** The key can make keys of the algorithm the authority wants. */
  readonly targetAlgorithmSupported: boolean;
  readonly pending: PendingTransaction | undefined;
  /** Failures of the same action in a row within 24 hours, from the journal. */
  readonly onlineFailures: number;
  /** The authority has refused this action because the old certificate has expired or is not to be used. */
  readonly oldCertificateRefused: boolean;
  /** Online service is being introduced, and this key is not among the first. */
  readonly notRolledOut?: boolean;
  /** The operator lets nothing be written to this model of key, or with this firmware, for now. */
  readonly modelStopped?: boolean;
  /** A server has said what time it is; taken to be so where left out. Else the time is this computer's. */
  readonly timeIsKnown?: boolean;
}

export interface RecommendPolicy {
  /** Certificates that begin before this instant need the upgrade (R-1.1-1, A-1). */
  readonly upgradeCutoff: Date;
  /** R-1.3.1-1 */
  readonly windowDays: number;
  /** Natural days after expiry during which the authority still renews online; null: no limit. */
  readonly maxExpiredDays: number | null;
  readonly hasOnlineCa: boolean;
  /** Whether the authority takes a request signed with an expired certificate; null: it has not said. */
  readonly acceptsExpiredSigner: boolean | null;
}

/** Why, as a code; the words are the application's. */
export type Reason =
  | 'transactionPending'
  | 'neverIssued'
  | 'keyLost'
  | 'keyDamaged'
  | 'keyDamagedIntact'
  | 'passwordLocked'
  | 'passwordForgotten'
  | 'insecure'
  | 'noApi'
  | 'mobile'
  | 'environmentUnchangeable'
  | 'clockSkew'
  | 'timeUnchecked'
  | 'keyAbsent'
  | 'keyNotRead'
  | 'keyNotAuthorized'
  | 'keyBusy'
  | 'keyBlocked'
  | 'severalKeys'
  | 'keyUnreadable'
  | 'foreignCertificate'
  | 'noCertificate'
  | 'certificateRevoked'
  | 'noRoomOnKey'
  | 'algorithmUnsupported'
  | 'lastTry'
  | 'upgradeOffline'
  | 'upgradeDue'
  | 'renewalOffline'
  | 'renewalDue'
  | 'expired'
  | 'noOnlineAuthority'
  | 'modelStopped'
  | 'failedRepeatedly'
  | 'oldCertificateRefused'
  | 'expiredTooLong'
  | 'valid';

export type Row =
  | 'D1'
  | 'D2'
  | 'D3'
  | 'D4'
  | 'D5'
  | 'D6'
  | 'D7'
  | 'D8'
  | 'D9'
  | 'D10'
  | 'D11'
  | 'D12'
  | 'D13'
  | 'D14'
  | 'D15'
  | 'D16'
  | 'D17'
  | 'D17a'
  | 'D17b'
  | 'D24'
  | 'D18'
  | 'D19'
  | 'D20'
  | 'D9a'
  | 'D21'
  | 'D22'
  | 'D23'
  | 'D25';

/** What a recommendation stands on, for the 依据 link. */
export interface Basis {
  /** Section of the service guide; undefined where only good sense speaks. */
  readonly section: string | undefined;
  readonly rules: readonly RuleId[];
  readonly assumptions: readonly AssumptionId[];
}

export interface Recommendation {
  readonly action: Action | Exit;
  /** The row of the decision table that spoke. */
  readonly row: Row;
  readonly reason: Reason;
  readonly basis: Basis;
  /** The guide page to open for more. */
  readonly flow: FlowSlug | undefined;
  /** Other ways, best first. */
  readonly alternatives: readonly (Action | Exit)[];
  /** What is due besides: to be done at the centre in the same visit, or next after an online upgrade. */
  readonly followUps: readonly ('upgrade' | 'renewal')[];
  /** To bring to the centre; for 新办 the tax hall's list is on the guide page. */
  readonly materials: readonly Material[];
  readonly fee: FeeEstimate | undefined;
  /** Which box to tick on the letter of authorisation. */
  readonly letter: 'replacement' | 'unlock' | undefined;
  /** Undefined while no certificate is known, the computer's clock is wrong, or too much hangs on one nobody has checked. */
  readonly validity: Validity | undefined;
  /** ISO day in Beijing from which the certificate can be renewed; only while there is nothing to do. */
  readonly renewableFrom: string | undefined;
  /** Issuer and date tell different stories: ask the hot-line whether the upgrade has been done. */
  readonly hotlineCheck: boolean;
  /** A transaction that stays, whatever is done now. */
  readonly pending: (PendingTransaction & { readonly sameKey: boolean }) | undefined;
  /** What to do once the network is back, or once the key is unlocked. */
  readonly remind: 'network' | 'unlocked' | undefined;
  /** Run the table again once the action is done. */
  readonly decideAgain: boolean;
  /** Show no field for the password. */
  readonly hidePassword: boolean;
  /** Let the person go on only after an explicit “I am sure of the password”. */
  readonly confirmLastTry: boolean;
  /** Offer the report for the hot-line. */
  readonly offerReport: boolean;
}

/** The input with everything derived from it. */
interface Facts {
  readonly input: RecommendInput;
  readonly policy: RecommendPolicy;
  readonly sameKey: boolean;
  readonly validity: Validity | undefined;
  /** By this computer's clock, which nobody has checked, it is close to when it expires, or when it can be renewed. */
  readonly timeDecides: boolean;
  readonly needUpgrade: boolean;
  readonly needRenew: boolean;
  readonly hotlineCheck: boolean;
  /** The centre's answer to what is due; undefined when nothing is, or nothing is known. */
  readonly centreAction: 'centreUpgrade' | 'centreRenewal' | undefined;
  readonly renewableFrom: string | undefined;
}

/** How far a clock that nobody has checked may be off: beyond that lies the error that is noticed with a server. */
const clockToleranceMs = 24 * 3_600_000;

/**
 * Whether a certificate is so close to a moment at which something else becomes true of it (it can be renewed, it has
 * expired, it has expired for too long) that a clock which is off by up to 24 hours, both ends included, decides. A clock
 * by which it has not begun is wrong, who knows by how much.
 * @throws RangeError when a date is invalid
 */
export function clockDecides(
  { notBefore, notAfter }: { readonly notBefore: Date; readonly notAfter: Date },
  { windowDays, maxExpiredDays }: Pick<RecommendPolicy, 'windowDays' | 'maxExpiredDays'>,
  now: Date,
): boolean {
  const opens = startOfBeijingDay(renewableFrom(notAfter, windowDays));
  const closes = maxExpiredDays === null ? [] : [startOfBeijingDay(beijingDay(notAfter) + maxExpiredDays + 1)];
  const isNear = (moment: Date): boolean => Math.abs(moment.getTime() - now.getTime()) <= clockToleranceMs;
  return now < notBefore || [notAfter, opens, ...closes].some(isNear);
}

function derive(input: RecommendInput, policy: RecommendPolicy, now: Date): Facts {
  const certificate = input.certificate;
  const pending = input.pending;
  const sameKey =
    pending !== undefined && input.keySerialNumber !== undefined && pending.keySerialNumber === input.keySerialNumber;
  const common = { input, policy, sameKey };
  if (certificate.state !== 'present')
    return {
      ...common,
      validity: undefined,
      timeDecides: false,
      needUpgrade: false,
      needRenew: false,
      hotlineCheck: false,
      centreAction: undefined,
      renewableFrom: undefined,
    };
  const { notBefore, notAfter, issuerGeneration } = certificate;
  const before = notBefore.getTime() < policy.upgradeCutoff.getTime();
  const needUpgrade = issuerGeneration === 'old' || (issuerGeneration === 'unknown' && before);
  // With a wrong clock nothing can be said about days; the upgrade does not depend on them.
  const timeDecides = input.timeIsKnown === false && clockDecides(certificate, policy, now);
  const validity = input.environment.includes('clockSkew') || timeDecides ? undefined : validityAt(notAfter, now);
  const needRenew = validity !== undefined && (validity.expired || validity.daysLeft <= policy.windowDays);
  return {
    ...common,
    validity,
    timeDecides,
    needUpgrade,
    needRenew,
    hotlineCheck: (issuerGeneration === 'new' && before) || (issuerGeneration === 'old' && !before),
    centreAction: needUpgrade ? 'centreUpgrade' : needRenew ? 'centreRenewal' : undefined,
    renewableFrom: validity && isoDay(renewableFrom(notAfter, policy.windowDays)),
  };
}

/** A row's answer: what differs from the quiet default. */
interface Answer extends Partial<Omit<Recommendation, 'row' | 'basis'>> {
  readonly action: Action | Exit;
  readonly reason: Reason;
  readonly section?: string;
  readonly rules?: readonly RuleId[];
  readonly assumptions?: readonly AssumptionId[];
}

interface TableRow {
  readonly row: Row;
  readonly applies: (facts: Facts) => boolean;
  readonly answer: (facts: Facts) => Answer;
}

const has = (facts: Facts, ...troubles: EnvironmentTrouble[]) =>
  troubles.some((trouble) => facts.input.environment.includes(trouble));

const due = (facts: Facts) => facts.needUpgrade || facts.needRenew;

const dueList = (facts: Facts): ('upgrade' | 'renewal')[] => [
  ...(facts.needUpgrade ? (['upgrade'] as const) : []),
  ...(facts.needRenew ? (['renewal'] as const) : []),
];

/** What is left to do in the same visit when the upgrade is what a person goes for. */
const besidesUpgrade = (facts: Facts): ('upgrade' | 'renewal')[] =>
  facts.needUpgrade && facts.needRenew ? ['renewal'] : [];

const upgradeAtCentre = {
  flow: 'upgrade',
  section: '1.1.3.2',
  rules: ['R-1.1.3.2-1', 'R-1.1.3.2-2', 'R-1.1-3'],
  materials: materialsFor('upgrade', 'centre'),
} as const;

const renewalAtCentre = {
  flow: 'renew',
  section: '1.3.3.2',
  rules: ['R-1.3.3.2-1', 'R-1.3.3.2-2'],
  materials: materialsFor('renew', 'centre'),
} as const;

/** What a visit to a centre stands on and takes, for the thing that is due. */
const atCentre = (facts: Facts) => (facts.needUpgrade ? upgradeAtCentre : renewalAtCentre);

/** Where nothing is known of the certificate: the USBKEY is all either visit takes. */
const anyCentre = {
  section: '1.1.3.2',
  rules: ['R-1.1.3.2-1', 'R-1.3.3.2-1'],
  materials: materialsFor('renew', 'centre'),
} as const;

/** The visit that answers what is due; none when nothing is; both when nothing is known. */
function centreAlternatives({ centreAction, validity }: Facts): readonly Action[] {
  if (centreAction) return [centreAction];
  return validity ? [] : ['centreUpgrade', 'centreRenewal'];
}

const replacement = (fee: FeeEstimate, lost: boolean) =>
  ({
    action: 'centreReplacement',
    flow: 'replace',
    letter: 'replacement',
    fee,
    materials: materialsFor('replace', 'centre').filter((material) => !(lost && material.code === 'usbKey')),
  }) as const;

const unlock = (facts: Facts) =>
  ({
    action: 'centreUnlock',
    flow: 'unlock',
    section: '1.5',
    letter: 'unlock',
    materials: materialsFor('unlock', 'centre'),
    followUps: dueList(facts),
    remind: due(facts) || facts.input.pending ? 'unlocked' : undefined,
    hidePassword: true,
  }) as const;

const environment = (reason: Reason): Answer => ({ action: 'fixEnvironment', reason });

const refusedExpired = (facts: Facts) =>
  facts.validity?.expired === true && facts.policy.acceptsExpiredSigner === false;

const tooLongExpired = ({ validity, policy }: Facts) =>
  validity !== undefined && policy.maxExpiredDays !== null && validity.expiredDays > policy.maxExpiredDays;

/** Why what is due cannot be done online; undefined when it can. */
function onlineObstacle(facts: Facts): Reason | undefined {
  if (!facts.policy.hasOnlineCa || facts.input.notRolledOut === true) return 'noOnlineAuthority';
  if (facts.input.modelStopped === true) return 'modelStopped';
  if (facts.input.oldCertificateRefused || refusedExpired(facts)) return 'oldCertificateRefused';
  if (!facts.needUpgrade && tooLongExpired(facts)) return 'expiredTooLong';
  if (facts.input.onlineFailures >= 2) return 'failedRepeatedly';
  return undefined;
}

/** From top to bottom; the first row that applies answers. The last one always does. */
const table: readonly TableRow[] = [
  {
    row: 'D1',
    applies: ({ input, sameKey }) =>
      sameKey && input.token === 'ready' && input.password !== 'locked' && input.password !== 'forgotten',
    answer: ({ input }) => ({
      action: 'resume',
      reason: 'transactionPending',
      flow: input.pending?.purpose === 'upgrade' ? 'upgrade' : 'renew',
      section: '1.3.3.1',
      rules: ['R-1.3.3.1-7'],
      assumptions: ['A-11'],
    }),
  },
  {
    row: 'D2',
    applies: ({ input }) => input.everIssued === 'no',
    answer: () => ({
      action: 'centreNew',
      reason: 'neverIssued',
      flow: 'new',
      section: '1.2',
      rules: ['R-1.2.1-1', 'R-1.2.2-1', 'R-1.2.3-0'],
      materials: materialsFor('new', 'centre'),
    }),
  },
  {
    row: 'D3',
    applies: ({ input }) => input.tokenPhysical === 'lost',
    answer: () => ({
      ...replacement(estimateReplacementFee({ what: 'lost' }), true),
      reason: 'keyLost',
      section: '1.4',
      rules: ['R-1.4.1-1', 'R-1.4.2-1', 'R-1.4.3-3'],
      assumptions: ['A-14'],
    }),
  },
  {
    row: 'D4',
    applies: ({ input }) => input.tokenPhysical === 'damagedOther',
    answer: () => ({
      ...replacement(estimateReplacementFee({ what: 'damaged', manMade: true, looksIntact: false }), false),
      reason: 'keyDamaged',
      section: '1.4.3',
      rules: ['R-1.4.1-1', 'R-1.4.2-1', 'R-1.4.3-3'],
      assumptions: ['A-8', 'A-19'],
    }),
  },
  {
    row: 'D5',
    applies: ({ input }) => input.tokenPhysical === 'damagedIntact',
    answer: () => ({
      ...replacement(estimateReplacementFee({ what: 'damaged', manMade: false, looksIntact: true }), false),
      reason: 'keyDamagedIntact',
      section: '1.4.3',
      rules: ['R-1.4.1-1', 'R-1.4.2-1', 'R-1.4.3-5'],
      assumptions: ['A-8', 'A-19'],
    }),
  },
  {
    row: 'D6',
    // A lost or damaged key was answered above: what is left is whole, or nobody has said otherwise.
    applies: ({ input }) => input.password === 'locked',
    answer: (facts) => ({ ...unlock(facts), reason: 'passwordLocked', rules: ['R-1.5.1-2', 'R-1.5.2-1'] }),
  },
  {
    row: 'D7',
    applies: ({ input }) => input.password === 'forgotten',
    answer: (facts) => ({ ...unlock(facts), reason: 'passwordForgotten', rules: ['R-1.5.1-1', 'R-1.5.2-1'] }),
  },
  {
    row: 'D8',
    applies: (facts) => has(facts, 'insecure', 'noApi', 'mobile'),
    answer: (facts) => {
      const alternatives = centreAlternatives(facts);
      const reason = has(facts, 'mobile') ? 'mobile' : has(facts, 'insecure') ? 'insecure' : 'noApi';
      if (!facts.input.cannotChangeEnvironment)
        return {
          action: 'fixEnvironment',
          reason,
          ...(facts.centreAction ? atCentre(facts) : anyCentre),
          alternatives,
        };
      if (facts.centreAction)
        return {
          action: facts.centreAction,
          reason: 'environmentUnchangeable',
          ...atCentre(facts),
          followUps: besidesUpgrade(facts),
        };
      // Known to need nothing: nobody is sent anywhere for that.
      if (facts.validity) return { action: 'none', reason: 'valid', section: '1.3.1', rules: ['R-1.3.1-1'] };
      return { action: 'originalOrCentre', reason: 'environmentUnchangeable', ...anyCentre, alternatives };
    },
  },
  { row: 'D9', applies: (facts) => has(facts, 'clockSkew'), answer: () => environment('clockSkew') },
  {
    row: 'D10',
    // A ready key whose certificate has not been read is, for the person, a key that is not there yet.
    applies: ({ input }) =>
      input.token === 'absent' || (input.token === 'ready' && input.certificate.state === 'unread'),
    answer: ({ input }) => environment(input.token === 'absent' ? 'keyAbsent' : 'keyNotRead'),
  },
  {
    row: 'D11',
    applies: ({ input }) => input.token === 'notAuthorized',
    answer: () => environment('keyNotAuthorized'),
  },
  { row: 'D12', applies: ({ input }) => input.token === 'busy', answer: () => environment('keyBusy') },
  {
    row: 'D13',
    applies: ({ input }) => input.token === 'blockedClass',
    answer: (facts) => ({
      action: 'originalOrCentre',
      reason: 'keyBlocked',
      ...(facts.centreAction ? atCentre(facts) : anyCentre),
      alternatives: centreAlternatives(facts),
      followUps: besidesUpgrade(facts),
      offerReport: true,
    }),
  },
  { row: 'D14', applies: ({ input }) => input.token === 'multiple', answer: () => environment('severalKeys') },
  {
    row: 'D15',
    applies: ({ input }) => input.token === 'unreadable',
    answer: () => ({
      ...replacement(estimateReplacementFee({ what: 'damaged', manMade: undefined, looksIntact: undefined }), false),
      reason: 'keyUnreadable',
      section: '1.4.1',
      rules: ['R-1.4.1-1', 'R-1.4.2-1', 'R-1.4.3-3', 'R-1.4.3-5'],
      assumptions: ['A-8', 'A-19'],
      alternatives: ['callHotline'],
      offerReport: true,
    }),
  },
  {
    row: 'D16',
    applies: ({ input }) => input.certificate.state === 'foreign',
    answer: () => ({
      action: 'callHotline',
      reason: 'foreignCertificate',
      section: '1.3.3.1',
      rules: ['R-1.3.3.1-2', 'R-1-5'],
      offerReport: true,
    }),
  },
  {
    row: 'D17',
    applies: ({ input }) => input.certificate.state === 'none',
    answer: () => ({
      action: 'callHotline',
      reason: 'noCertificate',
      section: '1',
      rules: ['R-1-5'],
      materials: materialsFor('renew', 'centre'),
      alternatives: ['originalOrCentre'],
      offerReport: true,
    }),
  },
  {
    row: 'D17a',
    applies: ({ input }) => input.certificateStatus === 'revoked',
    answer: () => ({
      action: 'callHotline',
      reason: 'certificateRevoked',
      ...renewalAtCentre,
      rules: ['R-1-5', 'R-1.3.3.2-1'],
      alternatives: ['centreRenewal'],
      offerReport: true,
    }),
  },
  {
    row: 'D17b',
    applies: (facts) => due(facts) && !(facts.input.keyHasRoom && facts.input.targetAlgorithmSupported),
    answer: (facts) => ({
      action: facts.needUpgrade ? 'centreUpgrade' : 'centreRenewal',
      reason: facts.input.keyHasRoom ? 'algorithmUnsupported' : 'noRoomOnKey',
      ...atCentre(facts),
      followUps: besidesUpgrade(facts),
      offerReport: true,
    }),
  },
  {
    row: 'D24',
    applies: (facts) => due(facts) && facts.input.password === 'lastTry' && !facts.input.lastTryConfirmed,
    answer: (facts) => ({
      ...unlock(facts),
      reason: 'lastTry',
      rules: ['R-1.5.1-2', 'R-1.5.2-1'],
      assumptions: ['A-9'],
      alternatives: centreAlternatives(facts),
      confirmLastTry: true,
    }),
  },
  {
    row: 'D18',
    applies: (facts) => facts.needUpgrade && has(facts, 'offline'),
    answer: (facts) => ({
      action: 'waitForNetwork',
      reason: 'upgradeOffline',
      ...upgradeAtCentre,
      alternatives: ['centreUpgrade'],
      followUps: besidesUpgrade(facts),
      remind: 'network',
    }),
  },
  {
    row: 'D19',
    applies: (facts) => facts.needUpgrade && onlineObstacle(facts) === undefined,
    answer: (facts) => ({
      action: 'onlineUpgrade',
      reason: 'upgradeDue',
      flow: 'upgrade',
      section: '1.1',
      rules: ['R-1.1-2', 'R-1.1.1-1', 'R-1.1.2-1'],
      assumptions: facts.needRenew ? ['A-1', 'A-2', 'A-7'] : ['A-1', 'A-2'],
      alternatives: ['centreUpgrade'],
      followUps: besidesUpgrade(facts),
      decideAgain: true,
    }),
  },
  {
    row: 'D20',
    applies: (facts) => facts.needUpgrade,
    answer: (facts) => ({
      action: 'centreUpgrade',
      reason: onlineObstacle(facts) ?? 'upgradeDue',
      ...upgradeAtCentre,
      followUps: besidesUpgrade(facts),
      offerReport: true,
    }),
  },
  {
    // D9 for a clock that nobody has checked; the upgrade does not wait for that.
    row: 'D9a',
    applies: ({ timeDecides }) => timeDecides,
    answer: () => ({
      action: 'fixEnvironment',
      reason: 'timeUnchecked',
      ...renewalAtCentre,
      alternatives: ['centreRenewal'],
      remind: 'network',
    }),
  },
  {
    row: 'D21',
    applies: (facts) => facts.needRenew && has(facts, 'offline'),
    answer: () => ({
      action: 'waitForNetwork',
      reason: 'renewalOffline',
      ...renewalAtCentre,
      alternatives: ['centreRenewal'],
      remind: 'network',
    }),
  },
  {
    row: 'D22',
    applies: (facts) => facts.needRenew && onlineObstacle(facts) === undefined,
    answer: (facts) => ({
      action: 'onlineRenewal',
      reason: facts.validity?.expired === true ? 'expired' : 'renewalDue',
      flow: 'renew',
      section: '1.3.1',
      rules: ['R-1.3.1-1', 'R-1.3.2-1'],
      assumptions: facts.validity?.expired === true ? ['A-4', 'A-5'] : ['A-4'],
      alternatives: ['centreRenewal'],
    }),
  },
  {
    row: 'D23',
    applies: (facts) => facts.needRenew,
    answer: (facts) => ({
      action: 'centreRenewal',
      reason: onlineObstacle(facts) ?? 'renewalDue',
      ...renewalAtCentre,
      offerReport: true,
    }),
  },
  {
    row: 'D25',
    applies: () => true,
    answer: () => ({
      action: 'none',
      reason: 'valid',
      flow: 'renew',
      section: '1.3.1',
      rules: ['R-1.3.1-1'],
      assumptions: ['A-4'],
    }),
  },
];

/** The rows in the order in which they are asked. */
export const rowOrder: readonly Row[] = table.map(({ row }) => row);

/**
 * The recommended action: the decision table of the service, top down, first match wins. Pure and total.
 * Days are natural days in Beijing; `expired` is exact to the millisecond.
 * @throws RangeError when `now` or a date of the certificate or the policy is invalid
 */
export function recommend(input: RecommendInput, policy: RecommendPolicy, now: Date): Recommendation {
  beijingDay(now);
  beijingDay(policy.upgradeCutoff);
  if (input.certificate.state === 'present') beijingDay(input.certificate.notBefore);
  const facts = derive(input, policy, now);
  for (const { row, applies, answer } of table) {
    if (!applies(facts)) continue;
    const { section, rules = [], assumptions = [], ...said } = answer(facts);
    const { hotlineCheck, validity, sameKey } = facts;
    return {
      flow: undefined,
      alternatives: [],
      followUps: [],
      materials: [],
      fee: undefined,
      letter: undefined,
      validity,
      renewableFrom: said.action === 'none' ? facts.renewableFrom : undefined,
      hotlineCheck,
      pending: input.pending && { ...input.pending, sameKey },
      remind: undefined,
      decideAgain: false,
      hidePassword: false,
      confirmLastTry: false,
      offerReport: false,
      ...said,
      row,
      basis: {
        section,
        rules,
        assumptions: hotlineCheck && !assumptions.includes('A-2') ? [...assumptions, 'A-2'] : assumptions,
      },
    };
  }
  throw new RangeError('the decision table has no last row');
}
