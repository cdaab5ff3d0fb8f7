import { renewableFrom, startOfBeijingDay } from '../guidance/beijing.ts';
import type { Recommendation } from '../renewal/recommend.ts';
import { formatDate } from './format.ts';
import type { StateWords } from './messages/state.ts';

/** How serious the state is: colour and icon repeat the sentence. */
export type Mood = 'ok' | 'warn' | 'bad';
export interface StateSentence {
  readonly mood: Mood;
  readonly text: string;
}

/** The first line of a page about a key: how things stand, in one sentence (two where the second says what to do). */
export function stateSentence(
  recommendation: Recommendation,
  notAfter: Date | undefined,
  windowDays: number,
  t: StateWords,
): StateSentence {
  const { action, reason, validity } = recommendation;
  const days = validity && (validity.expired ? t.expired(validity.expiredDays) : t.left(validity.daysLeft));
  const say = (mood: Mood, ...parts: (string | undefined)[]): StateSentence => ({
    mood,
    text: parts.filter((part) => part !== undefined).join(t.space),
  });
  switch (action) {
    case 'none':
      return notAfter
        ? say('ok', t.far(formatDate(notAfter), formatDate(startOfBeijingDay(renewableFrom(notAfter, windowDays)))))
        : say('ok', t.nothingToDo);
    case 'onlineRenewal':
      if (!validity) return say('warn', t.renewNow);
      if (validity.expired) return say('bad', t.expiredOnline(validity.expiredDays));
      return say('warn', validity.daysLeft === 0 ? t.todayOnline : t.leftOnline(validity.daysLeft));
    case 'onlineUpgrade':
      return say(validity?.expired === true ? 'bad' : 'warn', t.upgradeOnline, days);
    case 'resume':
      return say('warn', t.resume);
    case 'centreUnlock':
      return say('bad', reason === 'lastTry' ? t.lastTry : t.locked);
    case 'waitForNetwork':
      return say('warn', days, reason === 'upgradeOffline' ? t.upgradeOffline : t.renewalOffline);
    case 'centreUpgrade':
    case 'centreRenewal':
      return say('warn', days, t.why[reason], action === 'centreUpgrade' ? t.upgradeAtCentre : t.renewAtCentre);
    case 'callHotline':
      if (reason === 'certificateRevoked') return say('bad', t.revoked);
      return say('bad', reason === 'foreignCertificate' ? t.foreign : t.noCertificate);
    case 'fixEnvironment':
      return say('warn', reason === 'timeUnchecked' ? t.timeUnchecked : t.clockSkew);
    case 'centreReplacement':
    case 'centreNew':
    case 'originalOrCentre':
      return say('warn', t.atCentre);
  }
}
