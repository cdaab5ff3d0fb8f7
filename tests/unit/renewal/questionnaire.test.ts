import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  choices,
  endIsKnown,
  inputOf,
  nextQuestion,
  questions,
  type Answers,
  type Question,
} from '../../../src/renewal/questionnaire.ts';
import { recommend, type Recommendation, type RecommendPolicy } from '../../../src/renewal/recommend.ts';

const policy: RecommendPolicy = {
  upgradeCutoff: new Date('2018-09-18T00:00:00+08:00'),
  windowDays: 60,
  maxExpiredDays: null,
  hasOnlineCa: true,
  acceptsExpiredSigner: null,
};
const now = new Date('2025-03-01T09:00:00+08:00');
const decide = (answers: Answers, by: RecommendPolicy = policy): Recommendation =>
  recommend(inputOf(answers, by, now), by, now);

/** A whole key with a known password at a computer that will do. */
const well: Answers = {
  issued: 'yes',
  key: 'intact',
  password: 'known',
  received: 'since',
  ends: 'later',
  computer: 'ready',
};
const closed: RecommendPolicy = { ...policy, hasOnlineCa: false };

describe('the answers lead to every action and every way out', () => {
  test.each<[string, Answers, RecommendPolicy, string, string]>([
    ['never had a certificate', { issued: 'no' }, policy, 'centreNew', 'D2'],
    ['lost the key', { ...well, key: 'lost' }, policy, 'centreReplacement', 'D3'],
    ['broke the key', { ...well, key: 'damagedOther' }, policy, 'centreReplacement', 'D4'],
    ['has a key that broke by itself', { ...well, key: 'damagedIntact' }, policy, 'centreReplacement', 'D5'],
    ['has a key that does nothing', { issued: 'yes', key: 'dead' }, policy, 'centreReplacement', 'D15'],
    ['has a key of another service', { issued: 'unsure', key: 'foreign' }, policy, 'callHotline', 'D16'],
    ['locked the key', { ...well, password: 'locked' }, policy, 'centreUnlock', 'D6'],
    ['forgot the password', { ...well, password: 'forgotten' }, policy, 'centreUnlock', 'D7'],
    [
      'has one try left, and renewal due',
      { ...well, password: 'lastTry', ends: 'soon' },
      policy,
      'centreUnlock',
      'D24',
    ],
    ['needs the upgrade', { ...well, received: 'before' }, policy, 'onlineUpgrade', 'D19'],
    [
      'needs the upgrade, knows no end',
      { ...well, received: 'before', ends: 'unsure' },
      policy,
      'onlineUpgrade',
      'D19',
    ],
    ['has had the upgrade', { ...well, received: 'upgraded' }, policy, 'none', 'D25'],
    ['has an end that comes soon', { ...well, ends: 'soon' }, policy, 'onlineRenewal', 'D22'],
    ['has an expired certificate', { ...well, ends: 'expired' }, policy, 'onlineRenewal', 'D22'],
    ['has nothing to do', well, policy, 'none', 'D25'],
    [
      'needs the upgrade, offline',
      { ...well, received: 'before', computer: 'offline' },
      policy,
      'waitForNetwork',
      'D18',
    ],
    ['needs the renewal, offline', { ...well, ends: 'soon', computer: 'offline' }, policy, 'waitForNetwork', 'D21'],
    ['can get at a computer', { ...well, ends: 'soon', computer: 'elsewhere' }, policy, 'fixEnvironment', 'D8'],
    [
      'needs the upgrade, no computer',
      { ...well, received: 'before', computer: 'none' },
      policy,
      'centreUpgrade',
      'D8',
    ],
    ['needs the renewal, no computer', { ...well, ends: 'expired', computer: 'none' }, policy, 'centreRenewal', 'D8'],
    ['knows nothing, no computer', { computer: 'none', key: 'intact' }, policy, 'originalOrCentre', 'D8'],
    ['knows nothing, failed online', { computer: 'failed', key: 'intact' }, policy, 'originalOrCentre', 'D8'],
    ['failed to upgrade twice', { ...well, received: 'before', computer: 'failed' }, policy, 'centreUpgrade', 'D20'],
    ['failed to renew twice', { ...well, ends: 'soon', computer: 'failed' }, policy, 'centreRenewal', 'D23'],
    ['was interrupted', { ...well, ends: 'soon', computer: 'halfway' }, policy, 'resume', 'D1'],
    ['knows no dates', { ...well, received: 'unsure', ends: 'unsure' }, policy, 'fixEnvironment', 'D10'],
    ['needs the upgrade, service closed', { ...well, received: 'before' }, closed, 'centreUpgrade', 'D20'],
    ['needs the renewal, service closed', { ...well, ends: 'soon' }, closed, 'centreRenewal', 'D23'],
  ])('%s', (_who, answers, by, action, row) => {
    expect(decide(answers, by)).toMatchObject({ action, row });
  });

  test('what was interrupted is named after what was due', () => {
    expect(decide({ ...well, received: 'before', computer: 'halfway' }).flow).toBe('upgrade');
    expect(decide({ ...well, ends: 'soon', computer: 'halfway' }).flow).toBe('renew');
  });

  test('what was answered on another way, before going back, does not count', () => {
    expect(decide({ ...well, issued: 'no', computer: 'halfway' }).action).toBe('centreNew');
    expect(decide({ ...well, key: 'lost', password: 'locked' }).action).toBe('centreReplacement');
    expect(decide({ ...well, password: 'locked', computer: 'halfway' }).pending).toBeUndefined();
  });

  test('what else is due comes with the unlocking', () => {
    const { followUps } = decide({ ...well, password: 'locked', received: 'before', ends: 'soon' });
    expect(followUps).toEqual(['upgrade', 'renewal']);
  });
});

describe('a day the person names counts as the last whole day in Beijing', () => {
  test.each([
    ['2025-04-30', 'onlineRenewal', { daysLeft: 60, expired: false }],
    ['2025-05-01', 'none', { daysLeft: 61, expired: false }],
    ['2025-03-01', 'onlineRenewal', { daysLeft: 0, expired: false }],
    ['2025-02-28', 'onlineRenewal', { expired: true, expiredDays: 1 }],
  ] as const)('%s', (endDay, action, validity) => {
    expect(decide({ ...well, ends: 'day', endDay })).toMatchObject({ action, validity });
    expect(endIsKnown({ ends: 'day', endDay })).toBe(true);
  });

  test.each(['', '2025-02-30', '25-3-1', '2025-13-01'])('“%s” is none, and counts as not known', (endDay) => {
    expect(endIsKnown({ ends: 'day', endDay })).toBe(false);
    expect(decide({ ...well, ends: 'day', endDay })).toEqual(decide({ ...well, ends: 'unsure' }));
  });
});

test('a renewal that the authority no longer takes leads to the centre', () => {
  const answers: Answers = { ...well, ends: 'day', endDay: '2024-02-01' };
  expect(decide(answers, { ...policy, maxExpiredDays: 365 })).toMatchObject({ action: 'centreRenewal', row: 'D23' });
  expect(decide(answers)).toMatchObject({ action: 'onlineRenewal' });
});

describe('the order of the questions', () => {
  const walk = (answers: Answers): Question[] => {
    const asked: Question[] = [];
    let given: Answers = {};
    for (let next = nextQuestion(given); next !== undefined; next = nextQuestion(given)) {
      asked.push(next);
      given = { ...given, [next]: answers[next] ?? choices[next][0] };
    }
    return asked;
  };

  test.each<[string, Answers, readonly Question[]]>([
    ['all six', well, questions],
    ['one, without a certificate', { issued: 'no' }, ['issued']],
    ['two, with a lost key', { issued: 'yes', key: 'lost' }, ['issued', 'key']],
    ['five, to unlock', { ...well, password: 'locked' }, ['issued', 'key', 'password', 'received', 'ends']],
  ])('%s', (_what, answers, asked) => {
    expect(walk(answers)).toEqual(asked);
  });
});

const answersArbitrary: fc.Arbitrary<Answers> = fc.record({
  issued: fc.constantFrom(undefined, ...choices.issued),
  key: fc.constantFrom(undefined, ...choices.key),
  password: fc.constantFrom(undefined, ...choices.password),
  received: fc.constantFrom(undefined, ...choices.received),
  ends: fc.constantFrom(undefined, ...choices.ends),
  computer: fc.constantFrom(undefined, ...choices.computer),
  endDay: fc.oneof(
    fc.constant(undefined),
    fc.string(),
    fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((at) => at.toISOString().slice(0, 10)),
  ),
});

test('every combination of answers gives an action, and the same one again', () => {
  let combinations = 0;
  for (const issued of choices.issued)
    for (const key of choices.key)
      for (const password of choices.password)
        for (const received of choices.received)
          for (const ends of choices.ends)
            for (const computer of choices.computer) {
              const answers: Answers = { issued, key, password, received, ends, computer, endDay: '2025-04-01' };
              expect(decide(answers).action).toBe(decide(answers).action);
              combinations += 1;
            }
  expect(combinations).toBe(3 * 6 * 5 * 4 * 5 * 6);
});

test('property: whatever has been answered, at whatever time and by whatever policy, there is an action', () => {
  fc.assert(
    fc.property(
      answersArbitrary,
      fc.date({ min: new Date('2018-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
      fc.integer({ min: 0, max: 366 }),
      fc.option(fc.integer({ min: 0, max: 2000 })),
      fc.boolean(),
      (answers, at, windowDays, maxExpiredDays, hasOnlineCa) => {
        const by = { ...policy, windowDays, maxExpiredDays, hasOnlineCa };
        const { action, basis } = recommend(inputOf(answers, by, at), by, at);
        expect(action).toBeTruthy();
        expect(basis.rules.length > 0 || action === 'fixEnvironment').toBe(true);
        if (answers.issued === 'no') expect(action).toBe('centreNew');
        if (!hasOnlineCa) expect(action).not.toMatch(/^online/);
      },
    ),
  );
});

test('property: no walk asks the same question twice, nor more than six', () => {
  fc.assert(
    fc.property(answersArbitrary, (answers) => {
      const given: Record<string, unknown> = {};
      for (let asked = 0; asked <= questions.length; asked += 1) {
        const next = nextQuestion(given);
        if (next === undefined) return;
        expect(given[next]).toBeUndefined();
        given[next] = answers[next] ?? 'unsure';
      }
      expect.unreachable('seven questions');
    }),
  );
});
