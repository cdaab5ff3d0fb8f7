import { beijingDay, parseIsoDay, startOfBeijingDay, type BeijingDay } from '../guidance/beijing.ts';
import type { CertificateFacts, EnvironmentTrouble, RecommendInput, RecommendPolicy } from './recommend.ts';

/** What a person without a key at hand is asked, in this order: at most six. */
export const questions = ['issued', 'key', 'password', 'received', 'ends', 'computer'] as const;
export type Question = (typeof questions)[number];

/** The answers one can choose from. `unsure` is always one: nobody is made to guess. */
export const choices = {
  /** Has there ever been a certificate of this service? */
  issued: ['yes', 'no', 'unsure'],
  /** `dead`: looks whole, but nothing happens when it is plugged in. `foreign`: not of the Tianjin tax service. */
  key: ['intact', 'lost', 'damagedIntact', 'damagedOther', 'dead', 'foreign'],
  /** `lastTry`: known, but only one try is left. */
  password: ['known', 'forgotten', 'locked', 'lastTry', 'unsure'],
  /** Before or since the day of the upgrade (R-1.1-1); `upgraded`: before, and upgraded meanwhile. */
  received: ['before', 'upgraded', 'since', 'unsure'],
  /** `day`: on a day the person knows. `soon`: within the days in which it can be renewed. */
  ends: ['day', 'expired', 'soon', 'later', 'unsure'],
  /** What stands in the way of doing it online, or how far one got. */
  computer: ['ready', 'offline', 'elsewhere', 'none', 'halfway', 'failed'],
} as const satisfies Readonly<Record<Question, readonly string[]>>;
export type Choice<Of extends Question> = (typeof choices)[Of][number];

export type Answers = {
  readonly [Of in Question]?: Choice<Of> | undefined;
} & {
  /** ISO day, with `ends: 'day'`. One that is not in the calendar counts as not known. */
  readonly endDay?: string | undefined;
};

const settledByKey = ({ issued, key }: Answers): boolean => issued === 'no' || (key !== undefined && key !== 'intact');
const settledByPassword = ({ password }: Answers): boolean => password === 'locked' || password === 'forgotten';

/**
 * The question that comes next, or undefined when the answers so far settle it: who never had a certificate is asked
 * nothing about it, and a key that must be replaced or unlocked needs no computer.
 */
export function nextQuestion(answers: Answers): Question | undefined {
  if (settledByKey(answers)) return undefined;
  const open = questions.find((question) => answers[question] === undefined);
  return open === 'computer' && settledByPassword(answers) ? undefined : open;
}

/** Without what was answered before somebody went back and took another way. */
function asked(answers: Answers): Answers {
  const { issued, key, computer, ...more } = answers;
  if (issued === 'no') return { issued };
  if (settledByKey(answers)) return { issued, key };
  return { issued, key, computer: settledByPassword(answers) ? undefined : computer, ...more };
}

/** The last millisecond of a natural day in Beijing, the moment to which certificates usually run. */
const endOf = (day: BeijingDay): Date => new Date(startOfBeijingDay(day + 1).getTime() - 1);

/** When the certificate ends; a moment that stands for “soon” or “expired” where no day is known. */
function notAfter({ ends, endDay }: Answers, windowDays: number, today: BeijingDay): Date | undefined {
  switch (ends) {
    case 'day': {
      const day = parseIsoDay(endDay ?? '');
      return day === undefined ? undefined : endOf(day);
    }
    case 'expired':
      return endOf(today - 1);
    case 'soon':
      return endOf(today + Math.floor(windowDays / 2));
    case 'later':
      return endOf(today + windowDays + 1);
    case 'unsure':
    case undefined:
      return undefined;
  }
}

/** True where the person named the day: only then may a page count days or name one. */
export const endIsKnown = ({ ends, endDay }: Answers): boolean =>
  ends === 'day' && parseIsoDay(endDay ?? '') !== undefined;

function certificate(answers: Answers, policy: RecommendPolicy, today: BeijingDay): CertificateFacts {
  const { key, received } = answers;
  if (key === 'foreign') return { state: 'foreign' };
  const end = notAfter(answers, policy.windowDays, today);
  const before = received === 'before';
  // Neither tells of something that is due: only the key itself can.
  if (!end && !before) return { state: 'unread' };
  const cutoff = policy.upgradeCutoff.getTime();
  return {
    state: 'present',
    notBefore: new Date(before ? cutoff - 1 : cutoff),
    // The upgrade is due whenever it ends.
    notAfter: end ?? endOf(today + policy.windowDays + 1),
    issuerGeneration: received === 'since' || received === 'upgraded' ? 'new' : 'unknown',
  };
}

const physical: Readonly<Record<Choice<'key'>, RecommendInput['tokenPhysical']>> = {
  intact: 'ok',
  lost: 'lost',
  damagedIntact: 'damagedIntact',
  damagedOther: 'damagedOther',
  dead: 'unknown',
  foreign: 'ok',
};

const passwords: Readonly<Record<Choice<'password'>, RecommendInput['password']>> = {
  known: 'ok',
  forgotten: 'forgotten',
  locked: 'locked',
  lastTry: 'lastTry',
  unsure: 'unknown',
};

const environments: Readonly<Record<Choice<'computer'>, readonly EnvironmentTrouble[]>> = {
  ready: [],
  offline: ['offline'],
  elsewhere: ['noApi'],
  none: ['noApi'],
  halfway: [],
  failed: [],
};

/**
 * The decision table's input for a person's own words. Pure and total: whatever has not been answered is unknown.
 * @throws RangeError when `now` or the policy's date is invalid
 */
export function inputOf(given: Answers, policy: RecommendPolicy, now: Date): RecommendInput {
  const answers = asked(given);
  const { issued, key, password, received, computer } = answers;
  const keySerialNumber = computer === 'halfway' ? '' : undefined;
  const facts = certificate(answers, policy, beijingDay(now));
  // Who has failed online and knows no dates is not told to try once more (R-1.1.3.2-1, R-1.3.3.2-1).
  const notHere = computer === 'none' || (computer === 'failed' && facts.state === 'unread');
  return {
    everIssued: issued === 'yes' || issued === 'no' ? issued : 'unknown',
    tokenPhysical: key ? physical[key] : 'unknown',
    environment: notHere ? ['noApi'] : computer ? environments[computer] : [],
    cannotChangeEnvironment: notHere,
    token: key === 'dead' ? 'unreadable' : 'ready',
    keySerialNumber,
    password: password ? passwords[password] : 'unknown',
    lastTryConfirmed: false,
    certificate: facts,
    certificateStatus: 'unknown',
    keyHasRoom: true,
    targetAlgorithmSupported: true,
    // The person says that something was begun with this very key: reading it will tell what.
    pending:
      keySerialNumber === undefined
        ? undefined
        : { purpose: received === 'before' ? 'upgrade' : 'renewal', stage: 'request', keySerialNumber },
    onlineFailures: computer === 'failed' ? 2 : 0,
    oldCertificateRefused: false,
  };
}
