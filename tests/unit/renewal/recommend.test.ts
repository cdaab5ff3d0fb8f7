import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { startOfBeijingDay } from '../../../src/guidance/beijing.ts';
import { assumptionIds, ruleIds, sectionOf } from '../../../src/guidance/rule-ids.ts';
import {
  clockDecides,
  recommend,
  rowOrder,
  type Action,
  type CertificateFacts,
  type EnvironmentTrouble,
  type Exit,
  type Reason,
  type RecommendInput,
  type RecommendPolicy,
  type Row,
} from '../../../src/renewal/recommend.ts';

const policy: RecommendPolicy = {
  upgradeCutoff: new Date('2018-09-18T00:00:00+08:00'),
  windowDays: 60,
  maxExpiredDays: null,
  hasOnlineCa: true,
  acceptsExpiredSigner: null,
};
const now = new Date('2025-03-01T09:00:00+08:00');

const certificate = (
  notBefore: string,
  notAfter: string,
  issuerGeneration: 'old' | 'new' | 'unknown' = 'unknown',
): CertificateFacts => ({
  state: 'present',
  notBefore: new Date(notBefore.includes('T') ? notBefore : `${notBefore}T00:00:00+08:00`),
  notAfter: new Date(notAfter.includes('T') ? notAfter : `${notAfter}T23:59:59+08:00`),
  issuerGeneration,
});
const far = certificate('2020-01-01', '2026-12-31');
const soon = certificate('2020-01-01', '2025-03-20');
const over = certificate('2020-01-01', '2024-12-31');
const oldFar = certificate('2017-05-01', '2026-12-31');
const oldSoon = certificate('2017-05-01', '2025-03-20');
const oldOver = certificate('2017-05-01', '2020-05-01');

const ready: RecommendInput = {
  everIssued: 'yes',
  tokenPhysical: 'ok',
  environment: [],
  cannotChangeEnvironment: false,
  token: 'ready',
  keySerialNumber: 'TJ00001234',
  password: 'unknown',
  lastTryConfirmed: false,
  certificate: far,
  certificateStatus: 'good',
  keyHasRoom: true,
  targetAlgorithmSupported: true,
  pending: undefined,
  onlineFailures: 0,
  oldCertificateRefused: false,
};
const pending = { purpose: 'renewal', stage: 'write', keySerialNumber: 'TJ00001234' } as const;

const decide = (input: Partial<RecommendInput>, changed: Partial<RecommendPolicy> = {}, at = now) =>
  recommend({ ...ready, ...input }, { ...policy, ...changed }, at);

describe('every row of the decision table', () => {
  const cases: [string, Row, Action | Exit, Reason, Partial<RecommendInput>, Partial<RecommendPolicy>?][] = [
    ['an unfinished transaction of this key', 'D1', 'resume', 'transactionPending', { pending }],
    ['never issued', 'D2', 'centreNew', 'neverIssued', { everIssued: 'no' }],
    ['key lost', 'D3', 'centreReplacement', 'keyLost', { tokenPhysical: 'lost', token: 'absent' }],
    ['key damaged', 'D4', 'centreReplacement', 'keyDamaged', { tokenPhysical: 'damagedOther', token: 'absent' }],
    ['key damaged, intact', 'D5', 'centreReplacement', 'keyDamagedIntact', { tokenPhysical: 'damagedIntact' }],
    ['password locked', 'D6', 'centreUnlock', 'passwordLocked', { password: 'locked' }],
    [
      'password locked, key not asked about',
      'D6',
      'centreUnlock',
      'passwordLocked',
      { password: 'locked', tokenPhysical: 'unknown' },
    ],
    ['password forgotten', 'D7', 'centreUnlock', 'passwordForgotten', { password: 'forgotten' }],
    ['insecure page', 'D8', 'fixEnvironment', 'insecure', { environment: ['insecure', 'noApi'] }],
    ['browser without WebUSB', 'D8', 'fixEnvironment', 'noApi', { environment: ['noApi'] }],
    ['telephone, also offline', 'D8', 'fixEnvironment', 'mobile', { environment: ['mobile', 'offline'] }],
    [
      'no other computer, upgrade due',
      'D8',
      'centreUpgrade',
      'environmentUnchangeable',
      { environment: ['noApi'], cannotChangeEnvironment: true, certificate: oldFar },
    ],
    [
      'no other computer, renewal due',
      'D8',
      'centreRenewal',
      'environmentUnchangeable',
      { environment: ['noApi'], cannotChangeEnvironment: true, certificate: soon },
    ],
    [
      'no other computer, nothing known',
      'D8',
      'originalOrCentre',
      'environmentUnchangeable',
      { environment: ['noApi'], cannotChangeEnvironment: true, certificate: { state: 'unread' }, token: 'absent' },
    ],
    [
      'no other computer, nothing due',
      'D8',
      'none',
      'valid',
      { environment: ['noApi'], cannotChangeEnvironment: true },
    ],
    ['clock wrong', 'D9', 'fixEnvironment', 'clockSkew', { environment: ['clockSkew'], certificate: soon }],
    ['no key', 'D10', 'fixEnvironment', 'keyAbsent', { token: 'absent', certificate: { state: 'unread' } }],
    ['key not read yet', 'D10', 'fixEnvironment', 'keyNotRead', { certificate: { state: 'unread' } }],
    ['key not authorised', 'D11', 'fixEnvironment', 'keyNotAuthorized', { token: 'notAuthorized' }],
    [
      'a clock nobody has checked, close to the end',
      'D9a',
      'fixEnvironment',
      'timeUnchecked',
      { timeIsKnown: false, certificate: certificate('2020-01-01', '2025-03-01') },
    ],
    ['key busy', 'D12', 'fixEnvironment', 'keyBusy', { token: 'busy' }],
    ['key blocked by the browser', 'D13', 'originalOrCentre', 'keyBlocked', { token: 'blockedClass' }],
    ['several keys', 'D14', 'fixEnvironment', 'severalKeys', { token: 'multiple' }],
    ['key unreadable', 'D15', 'centreReplacement', 'keyUnreadable', { token: 'unreadable' }],
    ['foreign certificate', 'D16', 'callHotline', 'foreignCertificate', { certificate: { state: 'foreign' } }],
    ['no certificate', 'D17', 'callHotline', 'noCertificate', { certificate: { state: 'none' } }],
    [
      'certificate revoked',
      'D17a',
      'callHotline',
      'certificateRevoked',
      { certificateStatus: 'revoked', certificate: soon },
    ],
    ['no room, upgrade due', 'D17b', 'centreUpgrade', 'noRoomOnKey', { keyHasRoom: false, certificate: oldSoon }],
    ['no room, renewal due', 'D17b', 'centreRenewal', 'noRoomOnKey', { keyHasRoom: false, certificate: soon }],
    [
      'algorithm unsupported',
      'D17b',
      'centreRenewal',
      'algorithmUnsupported',
      { targetAlgorithmSupported: false, certificate: soon },
    ],
    ['one try left', 'D24', 'centreUnlock', 'lastTry', { password: 'lastTry', certificate: soon }],
    [
      'upgrade due, offline',
      'D18',
      'waitForNetwork',
      'upgradeOffline',
      { environment: ['offline'], certificate: oldFar },
    ],
    ['upgrade due', 'D19', 'onlineUpgrade', 'upgradeDue', { certificate: oldFar }],
    [
      'one try left, confirmed',
      'D19',
      'onlineUpgrade',
      'upgradeDue',
      { certificate: oldFar, password: 'lastTry', lastTryConfirmed: true },
    ],
    [
      'upgrade due, no online authority',
      'D20',
      'centreUpgrade',
      'noOnlineAuthority',
      { certificate: oldFar },
      { hasOnlineCa: false },
    ],
    [
      'upgrade due, failed twice',
      'D20',
      'centreUpgrade',
      'failedRepeatedly',
      { certificate: oldFar, onlineFailures: 2 },
    ],
    [
      'upgrade due, old certificate refused',
      'D20',
      'centreUpgrade',
      'oldCertificateRefused',
      { certificate: oldOver, oldCertificateRefused: true },
    ],
    [
      'upgrade due, expired signers not accepted',
      'D20',
      'centreUpgrade',
      'oldCertificateRefused',
      { certificate: oldOver },
      { acceptsExpiredSigner: false },
    ],
    [
      'renewal due, offline',
      'D21',
      'waitForNetwork',
      'renewalOffline',
      { environment: ['offline'], certificate: soon },
    ],
    ['renewal due', 'D22', 'onlineRenewal', 'renewalDue', { certificate: soon }],
    ['renewal due, failed once', 'D22', 'onlineRenewal', 'renewalDue', { certificate: soon, onlineFailures: 1 }],
    ['expired', 'D22', 'onlineRenewal', 'expired', { certificate: over }],
    ['expired by exactly the limit', 'D22', 'onlineRenewal', 'expired', { certificate: over }, { maxExpiredDays: 60 }],
    [
      'expired a day over the limit',
      'D23',
      'centreRenewal',
      'expiredTooLong',
      { certificate: over },
      { maxExpiredDays: 59 },
    ],
    [
      'renewal due, no online authority',
      'D23',
      'centreRenewal',
      'noOnlineAuthority',
      { certificate: soon },
      { hasOnlineCa: false },
    ],
    ['renewal due, model stopped', 'D23', 'centreRenewal', 'modelStopped', { certificate: soon, modelStopped: true }],
    ['renewal due, failed twice', 'D23', 'centreRenewal', 'failedRepeatedly', { certificate: soon, onlineFailures: 2 }],
    [
      'renewal refused for an expired signer',
      'D23',
      'centreRenewal',
      'oldCertificateRefused',
      { certificate: over, oldCertificateRefused: true },
    ],
    ['valid', 'D25', 'none', 'valid', {}],
    ['valid and offline', 'D25', 'none', 'valid', { environment: ['offline'] }],
    ['valid, one try left', 'D25', 'none', 'valid', { password: 'lastTry' }],
  ];

  test.each(cases)('%s → %s %s', (_what, row, action, reason, input, changed) => {
    expect(decide(input, changed)).toMatchObject({ row, action, reason });
  });

  test('each row is reached by a case above', () => {
    expect(new Set(cases.map(([, row]) => row))).toEqual(new Set(rowOrder));
  });

  test('the rows are asked in the order of the table', () => {
    expect(rowOrder.join(' ')).toBe(
      'D1 D2 D3 D4 D5 D6 D7 D8 D9 D10 D11 D12 D13 D14 D15 D16 D17 D17a D17b D24 D18 D19 D20 D9a D21 D22 D23 D25',
    );
  });
});

describe('the boundary vectors', () => {
  test.each([
    ['2018-09-17T15:59:59Z', '2025-12-31', '2025-03-01T09:00:00+08:00', 'unknown', 'onlineUpgrade'],
    ['2018-09-17T16:00:00Z', '2025-12-31', '2025-03-01T09:00:00+08:00', 'unknown', 'none'],
    ['2020-01-01', '2025-04-30', '2025-03-01T09:00:00+08:00', 'unknown', 'onlineRenewal'],
    ['2020-01-01', '2025-05-01', '2025-03-01T09:00:00+08:00', 'unknown', 'none'],
    ['2020-01-01', '2025-03-01T23:59:59+08:00', '2025-03-01T12:00:00+08:00', 'unknown', 'onlineRenewal'],
    ['2020-01-01', '2025-02-28T23:59:59+08:00', '2025-03-01T00:00:00+08:00', 'unknown', 'onlineRenewal'],
    ['2017-05-01', '2025-03-20', '2025-03-01T09:00:00+08:00', 'unknown', 'onlineUpgrade'],
    ['2017-05-01', '2020-05-01', '2025-03-01T09:00:00+08:00', 'unknown', 'onlineUpgrade'],
    ['2019-06-01', '2026-06-01', '2025-03-01T09:00:00+08:00', 'old', 'onlineUpgrade'],
    ['2020-01-01', '2024-02-29', '2023-12-31T09:00:00+08:00', 'unknown', 'onlineRenewal'],
  ] as const)('from %s until %s, on %s, issuer %s → %s', (from, until, at, generation, action) => {
    expect(decide({ certificate: certificate(from, until, generation) }, {}, new Date(at)).action).toBe(action);
  });

  test('61 days left: from 2025-03-02 on it can be renewed', () => {
    expect(decide({ certificate: certificate('2020-01-01', '2025-05-01') }).renewableFrom).toBe('2025-03-02');
  });

  test.each([
    ['2025-04-30', '2025-03-01T09:00:00+08:00', { daysLeft: 60, expired: false, expiredDays: 0 }],
    ['2025-03-01', '2025-03-01T12:00:00+08:00', { daysLeft: 0, expired: false, expiredDays: 0 }],
    ['2025-02-28', '2025-03-01T00:00:00+08:00', { daysLeft: -1, expired: true, expiredDays: 1 }],
  ])('until %s seen on %s the days are told', (until, at, validity) => {
    expect(decide({ certificate: certificate('2020-01-01', until) }, {}, new Date(at)).validity).toEqual(validity);
  });

  test('an upgrade with an expired certificate that the authority refuses goes to the centre, never round in circles', () => {
    expect(decide({ certificate: oldOver }).action).toBe('onlineUpgrade');
    expect(decide({ certificate: oldOver, oldCertificateRefused: true }).action).toBe('centreUpgrade');
  });

  test.each(['unknown', 'yes'] as const)(
    'a locked key, certificate issued: %s, is unlocked whatever else is due',
    (everIssued) => {
      for (const facts of [far, soon, over, oldFar, oldOver])
        expect(decide({ everIssued, password: 'locked', certificate: facts }).action).toBe('centreUnlock');
    },
  );
});

describe('what is due × how long it lasts × the password', () => {
  test.each([
    [oldFar, 'unknown', 'onlineUpgrade', []],
    [oldSoon, 'unknown', 'onlineUpgrade', ['renewal']],
    [oldOver, 'unknown', 'onlineUpgrade', ['renewal']],
    [far, 'unknown', 'none', []],
    [soon, 'unknown', 'onlineRenewal', []],
    [over, 'unknown', 'onlineRenewal', []],
    [oldFar, 'locked', 'centreUnlock', ['upgrade']],
    [oldSoon, 'locked', 'centreUnlock', ['upgrade', 'renewal']],
    [oldOver, 'locked', 'centreUnlock', ['upgrade', 'renewal']],
    [oldFar, 'forgotten', 'centreUnlock', ['upgrade']],
    [far, 'locked', 'centreUnlock', []],
    [soon, 'locked', 'centreUnlock', ['renewal']],
    [over, 'forgotten', 'centreUnlock', ['renewal']],
  ] as const)('case %#: password %s → %s', (facts, password, action, followUps) => {
    expect(decide({ certificate: facts, password })).toMatchObject({ action, followUps });
  });

  test('an online upgrade asks to decide again afterwards', () => {
    expect(decide({ certificate: oldSoon }).decideAgain).toBe(true);
    expect(decide({ certificate: soon }).decideAgain).toBe(false);
  });
});

describe('an unfinished transaction', () => {
  test('is not resumed with a locked password, and stays', () => {
    const said = decide({ pending, password: 'locked' });
    expect(said).toMatchObject({ action: 'centreUnlock', remind: 'unlocked', pending: { ...pending, sameKey: true } });
  });

  test('of another key is told, and this key is judged by itself', () => {
    const said = decide({ pending: { ...pending, keySerialNumber: 'TJ00009999' }, certificate: soon });
    expect(said).toMatchObject({ row: 'D22', pending: { keySerialNumber: 'TJ00009999', sameKey: false } });
  });

  test('stays in sight while the key is away', () => {
    const said = decide({ pending, token: 'absent', keySerialNumber: undefined, certificate: { state: 'unread' } });
    expect(said).toMatchObject({ row: 'D10', pending: { stage: 'write', sameKey: false } });
  });

  test('is resumed even when the certificate was torn off the key', () => {
    expect(decide({ pending, certificate: { state: 'none' } }).action).toBe('resume');
  });
});

describe('what comes with a recommendation', () => {
  const codes = (input: Partial<RecommendInput>) => decide(input).materials.map((item) => `${item.code} ${item.need}`);

  test('a lost key costs 26 yuan; nobody is asked to bring it', () => {
    expect(decide({ tokenPhysical: 'lost' })).toMatchObject({
      fee: { fen: 2600, decidedByCentre: false },
      letter: 'replacement',
    });
    expect(codes({ tokenPhysical: 'lost' })).toEqual([
      'agentIdentityCard required',
      'authorisation required',
      'invoiceDetails recommended',
    ]);
  });

  test('an intact key is exchanged free of charge, as the centre decides', () => {
    expect(decide({ tokenPhysical: 'damagedIntact' }).fee).toEqual({ fen: 0, outcome: 'free', decidedByCentre: true });
    expect(codes({ tokenPhysical: 'damagedIntact' })).toContain('usbKey recommended');
  });

  test('an unreadable key: the fee is left to the centre', () => {
    expect(decide({ token: 'unreadable' }).fee).toEqual({ fen: undefined, outcome: 'unclear', decidedByCentre: true });
  });

  test('unlocking takes the letter and names no fee', () => {
    expect(decide({ password: 'forgotten' })).toMatchObject({ letter: 'unlock', fee: undefined, hidePassword: true });
    expect(codes({ password: 'forgotten' })).toEqual([
      'agentIdentityCard required',
      'authorisation required',
      'usbKey recommended',
    ]);
  });

  test('renewal and upgrade at a centre take the USBKEY alone', () => {
    expect(codes({ certificate: soon, onlineFailures: 2 })).toEqual(['usbKey required']);
    expect(codes({ certificate: oldFar, onlineFailures: 2 })).toEqual(['usbKey required']);
  });

  test('the last try goes on only after an explicit word', () => {
    const said = decide({ certificate: oldFar, password: 'lastTry' });
    expect(said).toMatchObject({ confirmLastTry: true, alternatives: ['centreUpgrade'] });
  });

  test.each([
    ['new issuer, old date', certificate('2017-01-01', '2026-12-31', 'new'), 'none', true],
    ['old issuer, new date', certificate('2019-06-01', '2026-06-01', 'old'), 'onlineUpgrade', true],
    ['old issuer, old date', certificate('2017-01-01', '2026-12-31', 'old'), 'onlineUpgrade', false],
    ['new issuer, new date', certificate('2020-01-01', '2026-12-31', 'new'), 'none', false],
    ['unknown issuer', far, 'none', false],
  ])('%s: ask the hot-line only on a contradiction', (_what, facts, action, hotlineCheck) => {
    const said = decide({ certificate: facts });
    expect(said).toMatchObject({ action, hotlineCheck });
    expect(said.basis.assumptions.includes('A-2')).toBe(hotlineCheck || action === 'onlineUpgrade');
  });

  test('with a wrong clock no days are told, and nobody is told that nothing is due', () => {
    const said = decide({ environment: ['clockSkew', 'noApi'], cannotChangeEnvironment: true, certificate: far });
    expect(said).toMatchObject({
      action: 'originalOrCentre',
      validity: undefined,
      alternatives: ['centreUpgrade', 'centreRenewal'],
    });
  });

  test('an invalid moment is refused rather than judged', () => {
    expect(() => decide({}, {}, new Date(Number.NaN))).toThrow(RangeError);
  });
});

const anyInstant = fc.date({ min: new Date('2012-01-01'), max: new Date('2036-01-01'), noInvalidDate: true });
const anyCertificate: fc.Arbitrary<CertificateFacts> = fc.oneof(
  fc.constantFrom<CertificateFacts>({ state: 'unread' }, { state: 'none' }, { state: 'foreign' }),
  fc.record({
    state: fc.constant('present' as const),
    notBefore: anyInstant,
    notAfter: anyInstant,
    issuerGeneration: fc.constantFrom('old', 'new', 'unknown'),
  }),
);
const anyInput: fc.Arbitrary<RecommendInput> = fc.record({
  everIssued: fc.constantFrom('yes', 'no', 'unknown'),
  tokenPhysical: fc.constantFrom('ok', 'lost', 'damagedIntact', 'damagedOther', 'unknown'),
  environment: fc.subarray<EnvironmentTrouble>(['noApi', 'insecure', 'mobile', 'offline', 'clockSkew']),
  cannotChangeEnvironment: fc.boolean(),
  token: fc.constantFrom('absent', 'notAuthorized', 'busy', 'blockedClass', 'unreadable', 'ready', 'multiple'),
  keySerialNumber: fc.constantFrom(undefined, 'TJ00001234', 'TJ00005678'),
  password: fc.constantFrom('unknown', 'ok', 'lastTry', 'locked', 'forgotten'),
  lastTryConfirmed: fc.boolean(),
  certificate: anyCertificate,
  certificateStatus: fc.constantFrom('good', 'revoked', 'unknown'),
  keyHasRoom: fc.boolean(),
  targetAlgorithmSupported: fc.boolean(),
  pending: fc.constantFrom(undefined, pending),
  onlineFailures: fc.nat(4),
  oldCertificateRefused: fc.boolean(),
  modelStopped: fc.boolean(),
});
/** The quiet path is rare among the above: half of the cases start from a ready key. */
const someInput = fc.oneof(
  anyInput,
  fc
    .record({ certificate: anyCertificate, onlineFailures: fc.nat(3), keyHasRoom: fc.boolean() })
    .map((some) => ({ ...ready, ...some })),
);
const anyPolicy: fc.Arbitrary<RecommendPolicy> = fc.record({
  upgradeCutoff: fc.constant(policy.upgradeCutoff),
  windowDays: fc.constantFrom(0, 30, 60, 90),
  maxExpiredDays: fc.constantFrom(null, 0, 365),
  hasOnlineCa: fc.boolean(),
  acceptsExpiredSigner: fc.constantFrom(null, true, false),
});

describe('a clock that no server has checked', () => {
  const hour = 3_600_000;
  const day = 24 * hour;
  // Sixty days before it in Beijing: 2025-03-02.
  const notAfter = new Date('2025-05-01T23:59:59+08:00');
  const opens = new Date('2025-03-02T00:00:00+08:00');
  /** Online up to a year after its end: 2026-05-01 is the last day. */
  const closes = new Date('2026-05-02T00:00:00+08:00');
  const one: CertificateFacts = {
    state: 'present',
    notBefore: new Date('2020-01-01'),
    notAfter,
    issuerGeneration: 'new',
  };
  const unchecked = (at: Date, changed: Partial<RecommendPolicy> = {}, input: Partial<RecommendInput> = {}) =>
    decide({ timeIsKnown: false, certificate: one, ...input }, changed, at);

  test.each([
    ['the first day of renewal', opens, -day - 1, 'none'],
    ['the first day of renewal', opens, -day, 'fixEnvironment'],
    ['the first day of renewal', opens, -1, 'fixEnvironment'],
    ['the first day of renewal', opens, 0, 'fixEnvironment'],
    ['the first day of renewal', opens, day, 'fixEnvironment'],
    ['the first day of renewal', opens, day + 1, 'onlineRenewal'],
    ['the end', notAfter, -day - 1, 'onlineRenewal'],
    ['the end', notAfter, -day, 'fixEnvironment'],
    ['the end', notAfter, 0, 'fixEnvironment'],
    ['the end', notAfter, 1, 'fixEnvironment'],
    ['the end', notAfter, day, 'fixEnvironment'],
    ['the end', notAfter, day + 1, 'onlineRenewal'],
    ['the last day after the end', closes, -day - 1, 'onlineRenewal'],
    ['the last day after the end', closes, -day, 'fixEnvironment'],
    ['the last day after the end', closes, day, 'fixEnvironment'],
    ['the last day after the end', closes, day + 1, 'centreRenewal'],
  ] as const)('%s (%o) %i ms: %s', (_what, moment, ms, action) => {
    const at = new Date(moment.getTime() + ms);
    expect(unchecked(at, { maxExpiredDays: 365 }).action).toBe(action);
  });

  test('says so, what to do, and where else to go; nothing about days', () => {
    expect(unchecked(notAfter)).toMatchObject({
      reason: 'timeUnchecked',
      validity: undefined,
      renewableFrom: undefined,
      alternatives: ['centreRenewal'],
      remind: 'network',
    });
  });

  test('without a network it is said before what waits for one', () => {
    expect(unchecked(notAfter, {}, { environment: ['offline'] }).reason).toBe('timeUnchecked');
    const dueForLong = new Date(notAfter.getTime() - 20 * day);
    expect(unchecked(dueForLong, {}, { environment: ['offline'] }).reason).toBe('renewalOffline');
  });

  test('the upgrade, which does not depend on days, is recommended without naming any', () => {
    const old = certificate('2017-05-01', '2025-03-01');
    expect(unchecked(now, {}, { certificate: old })).toMatchObject({ action: 'onlineUpgrade', validity: undefined });
  });

  test('a transaction that is not finished is still what comes first', () => {
    expect(unchecked(notAfter, {}, { pending }).action).toBe('resume');
  });

  test('a clock by which the certificate has not begun is wrong', () => {
    expect(unchecked(new Date('2012-01-01T00:00:00+08:00')).reason).toBe('timeUnchecked');
    expect(decide({ certificate: one }, {}, new Date('2012-01-01T00:00:00+08:00')).action).toBe('none');
  });

  test('a time that a server has said is believed, to the last millisecond', () => {
    const told = (at: Date) => decide({ timeIsKnown: true, certificate: one }, {}, at);
    expect(told(new Date(opens.getTime() - 1)).action).toBe('none');
    expect(told(opens).action).toBe('onlineRenewal');
    expect(told(new Date(notAfter.getTime() + 1)).reason).toBe('expired');
  });

  test('whatever is said holds for every time up to 24 hours away, or that it cannot be said', () => {
    fc.assert(
      fc.property(
        anyInstant,
        anyInstant,
        anyPolicy,
        anyInstant,
        fc.integer({ min: -day, max: day }),
        (notBefore, end, some, at, error) => {
          const facts = { ...one, notBefore, notAfter: end };
          fc.pre(!clockDecides(facts, some, at));
          const judged = (when: Date) => recommend({ ...ready, certificate: facts }, some, when);
          const [said, truth] = [judged(at), judged(new Date(at.getTime() + error))];
          expect([truth.action, truth.reason]).toEqual([said.action, said.reason]);
          expect(recommend({ ...ready, certificate: facts, timeIsKnown: false }, some, at)).toEqual(said);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('for any input', () => {
  test('one of the rows answers, with a basis that exists', () => {
    fc.assert(
      fc.property(someInput, anyPolicy, anyInstant, (input, some, at) => {
        const said = recommend(input, some, at);
        expect(rowOrder).toContain(said.row);
        expect(said.basis.rules.every((id) => ruleIds.includes(id))).toBe(true);
        expect(said.basis.assumptions.every((id) => assumptionIds.includes(id))).toBe(true);
        // A section named is the home of at least one of the rules named, or above it.
        const { section, rules } = said.basis;
        if (section !== undefined) expect(rules.some((id) => sectionOf(id).startsWith(section))).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test('the same input gives the same answer, and is left as it was', () => {
    fc.assert(
      fc.property(someInput, anyPolicy, anyInstant, (input, some, at) => {
        const before = structuredClone(input);
        expect(recommend(input, some, at)).toEqual(recommend(structuredClone(input), structuredClone(some), at));
        expect(input).toEqual(before);
      }),
    );
  });

  test('an earlier row always wins over a later one', () => {
    const strength = (input: RecommendInput, at: Date) => rowOrder.indexOf(recommend(input, policy, at).row);
    fc.assert(
      fc.property(someInput, anyInstant, (input, at) => {
        expect(strength({ ...input, everIssued: 'no' }, at)).toBeLessThanOrEqual(1);
        expect(strength({ ...input, tokenPhysical: 'lost' }, at)).toBeLessThanOrEqual(2);
        expect(strength({ ...input, password: 'locked' }, at)).toBeLessThanOrEqual(5);
      }),
    );
  });

  test('as time goes by, what was due never becomes “nothing to do”', () => {
    fc.assert(
      fc.property(someInput, anyPolicy, anyInstant, fc.nat(4000 * 24 * 60), (input, some, at, minutes) => {
        const first = recommend(input, some, at).action;
        const later = recommend(input, some, new Date(at.getTime() + minutes * 60_000)).action;
        if (first !== 'none') expect(later).not.toBe('none');
      }),
      { numRuns: 3000 },
    );
  });

  test('nobody is asked for a password of a locked key, and no online action starts on a telephone or offline', () => {
    fc.assert(
      fc.property(someInput, anyPolicy, anyInstant, (input, some, at) => {
        const { action } = recommend(input, some, at);
        const online = action === 'onlineRenewal' || action === 'onlineUpgrade';
        if (online) {
          expect(['locked', 'forgotten']).not.toContain(input.password);
          expect(input.environment).toEqual([]);
          expect(input.token).toBe('ready');
          expect(some.hasOnlineCa).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('the days of a certificate begin at midnight in Beijing, whatever the zone of the machine', () => {
    fc.assert(
      fc.property(fc.integer({ min: 17_000, max: 22_000 }), fc.nat(86_399_999), (day, ms) => {
        const at = new Date(startOfBeijingDay(day).getTime() + ms);
        const notAfter = new Date(startOfBeijingDay(day + 61).getTime() - 1);
        const facts: CertificateFacts = {
          state: 'present',
          notBefore: new Date('2020-01-01'),
          notAfter,
          issuerGeneration: 'new',
        };
        expect(decide({ certificate: facts }, {}, at).action).toBe('onlineRenewal');
      }),
    );
  });
});
