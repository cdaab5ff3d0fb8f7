import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { acceptance } from '../../src/app/messages/acceptance.ts';
import { sayCause } from '../../src/app/cause-words.ts';
import { keyCode, readCode, renewalCode } from '../../src/app/fault-codes.ts';
import { causes, type Cause } from '../../src/diagnosis/causes.ts';
import { setLocale } from '../../src/app/i18n.svelte.ts';
import { mask } from '../../src/app/mask.ts';
import { keyTrouble } from '../../src/app/messages/key-trouble.ts';
import { renew } from '../../src/app/messages/renew.ts';
import { stateWords } from '../../src/app/messages/state.ts';
import { stateSentence } from '../../src/app/state-sentence.ts';
import type { KeyTrouble } from '../../src/app/state/usbkey.svelte.ts';
import { guideNumbers } from '../../src/guidance/rules.ts';
import { steps, type StopReason, type Unacceptable } from '../../src/renewal/outcome.ts';
import { recommend, type RecommendInput, type RecommendPolicy } from '../../src/renewal/recommend.ts';

const beijing = (text: string): Date => new Date(`${text}+08:00`);
const now = beijing('2025-03-01T12:00:00');
const policy: RecommendPolicy = {
  upgradeCutoff: guideNumbers.upgradeCutoff,
  windowDays: 60,
  maxExpiredDays: null,
  hasOnlineCa: true,
  acceptsExpiredSigner: true,
};
const present = (notAfter: string, notBefore = '2020-01-01T00:00:00'): RecommendInput['certificate'] => ({
  state: 'present',
  notBefore: beijing(notBefore),
  notAfter: beijing(notAfter),
  issuerGeneration: 'unknown',
});
const usual: RecommendInput = {
  everIssued: 'yes',
  tokenPhysical: 'ok',
  environment: [],
  cannotChangeEnvironment: false,
  token: 'ready',
  keySerialNumber: '01',
  password: 'unknown',
  lastTryConfirmed: false,
  certificate: present('2025-03-20T23:59:59'),
  certificateStatus: 'unknown',
  keyHasRoom: true,
  targetAlgorithmSupported: true,
  pending: undefined,
  onlineFailures: 0,
  oldCertificateRefused: false,
};

beforeEach(() => setLocale('zh-CN'));

describe('the first sentence about a certificate', () => {
  const said = (change: Partial<RecommendInput>): string => {
    const input = { ...usual, ...change };
    const notAfter = input.certificate.state === 'present' ? input.certificate.notAfter : undefined;
    return stateSentence(recommend(input, policy, now), notAfter, policy.windowDays, stateWords['zh-CN']).text;
  };

  test.each<[string, Partial<RecommendInput>, string]>([
    [
      'revoked',
      { certificateStatus: 'revoked' },
      '这张证书已被证书机构吊销，不能再用，也不能在线更新。请致电热线，或带上 USBKEY 到任意服务中心。',
    ],
    [
      'far from its end',
      { certificate: present('2025-05-01T23:59:59') },
      '证书有效期到 2025年5月1日，现在不用办理。2025年3月2日 起可以更新。',
    ],
    ['within the window', {}, '证书还有 19 天到期，现在就可以更新。'],
    ['on its last day', { certificate: present('2025-03-01T23:59:59') }, '证书今天到期，请现在更新。'],
    ['expired', { certificate: present('2025-02-17T23:59:59') }, '证书已过期 12 天，仍可尝试在线更新。'],
    ['locked', { password: 'locked' }, 'USBKEY 已锁死，网上不能解锁。证书没有变化，请到任意服务中心解锁。'],
    [
      'due for the upgrade',
      { certificate: present('2025-12-31T23:59:59', '2017-05-01T00:00:00') },
      '这张证书需要升级，现在就可以在线升级。证书还有 305 天到期。',
    ],
    ['offline', { environment: ['offline'] }, '证书还有 19 天到期。现在没有网络，联网后就可以更新。'],
    [
      'without room on the key',
      { keyHasRoom: false },
      '证书还有 19 天到期。USBKEY 里没有空位，写不进新证书。请带上 USBKEY，到任意服务中心更新。',
    ],
  ])('%s', (_name, change, words) => {
    expect(said(change)).toBe(words);
  });
});

describe('fault codes', () => {
  const troubles = Object.keys(keyTrouble.en).filter((name) => !['again', 'bring'].includes(name)) as KeyTrouble[];
  const reasons = Object.keys(renew.en.stopped) as StopReason[];

  test('every trouble with a key has a code of its own that reads back', () => {
    const codes = troubles.map((trouble) => keyCode(trouble, 'hid'));

    expect(new Set(codes).size).toBe(troubles.length);
    expect(codes.filter((code) => !/^\d{6}$/.test(code))).toEqual([]);
    expect(codes.map(readCode)).toMatchObject(
      troubles.map((cause) => ({ kind: 'cause', cause, environment: { way: 'hid', browser: 'chrome' } })),
    );
  });

  test('every stop at every step has a code of its own that reads back', () => {
    const stops = reasons.flatMap((reason) => steps.map((step) => ({ reason, step })));
    const codes = stops.map((stop) => renewalCode(stop, 'usb'));

    expect(new Set(codes).size).toBe(stops.length);
    expect(codes.filter((code) => !/^\d{6}$/.test(code))).toEqual([]);
    expect(codes.map(readCode)).toMatchObject(stops.map(({ reason, step }) => ({ kind: 'renewal', reason, step })));
  });

  test('every check of a certificate has a code of its own that reads back, and words', () => {
    const failures = Object.keys(acceptance.en.failures) as Unacceptable[];
    const codes = failures.map((failure) =>
      renewalCode({ reason: 'notAcceptable', step: 'request', acceptance: [failure, 'notChained'] }),
    );

    expect(new Set(codes).size).toBe(failures.length);
    expect(codes.map(readCode)).toMatchObject(
      failures.map((failure) => ({ kind: 'renewal', reason: 'notAcceptable', step: 'request', failure })),
    );
    expect(new Set(Object.values(acceptance['zh-CN'].failures)).size).toBe(failures.length);
  });

  test.each(['R15-3-99', 'R14-3-07', 'R15-07', 'K05-3-07'])('%s has never been given', (text) => {
    expect(readCode(text)).toBeUndefined();
  });

  test.each([
    [' k05 ', { kind: 'cause', cause: 'protectedClass' }],
    ['K 05', { kind: 'cause', cause: 'protectedClass' }],
    ['k24', { kind: 'cause', cause: 'ownTask' }],
    ['P01', { kind: 'cause', cause: 'page' }],
    ['R14-3', { kind: 'renewal', reason: 'caRejected', step: 'request' }],
    ['R15-3-07', { kind: 'renewal', reason: 'notAcceptable', step: 'request' }],
  ])('of earlier versions are read still, as people write them: %j', (text, fault) => {
    expect(readCode(text)).toMatchObject(fault);
  });

  test('of a page that did not open stands on it as it is', () => {
    expect(readCode('090005')).toEqual({ kind: 'cause', cause: 'page', stage: 'browser' });
  });

  test('any other text is no code, and no trouble', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(
          !/^([KRP]\d\d(-[1-7](-\d\d)?)?|\d{6})$/.test(
            text
              .normalize('NFKC')
              .replace(/[\s\p{Pd}]/gu, '')
              .toUpperCase(),
          ),
        );
        expect(readCode(text)).toBeUndefined();
      }),
    );
  });

  test('every cause has words in both languages: what was found, what it means, at most three steps', () => {
    for (const locale of ['zh-CN', 'en'] as const) {
      setLocale(locale);
      for (const cause of Object.keys(causes) as Cause[]) {
        const { found, means, todo } = sayCause(cause, { days: 3, count: 2, minutes: 20, ms: 4_000, tail: '4711' });
        expect(found.length, cause).toBeGreaterThan(3);
        expect(means.length, cause).toBeGreaterThan(3);
        expect(todo.length, cause).toBeGreaterThan(0);
        expect(todo.length, cause).toBeLessThanOrEqual(3);
        expect([found, means, ...todo].join(' ')).not.toMatch(/undefined|NaN|PIN|!|！/);
        if (locale === 'zh-CN') for (const part of [found, means, ...todo]) expect(part).toMatch(/。$/);
      }
    }
    setLocale('zh-CN');
  });
});

test('a masked number keeps its length and at most eight characters', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9A-Z]{1,24}$/), (number) => {
      const masked = mask(number);
      expect(masked).toHaveLength(number.length);
      expect(masked.replaceAll('*', '').length).toBeLessThanOrEqual(8);
      expect(masked.replaceAll('*', '').length).toBeLessThanOrEqual(Math.max(0, number.length - 4));
    }),
  );
  expect(mask('91120000MA07E6XK9T')).toBe('9112**********XK9T');
});
