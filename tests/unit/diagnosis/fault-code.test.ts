import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { identifyBrowser } from '../../../src/diagnosis/browser-identity.ts';
import { causeOf, causes, type Cause } from '../../../src/diagnosis/causes.ts';
import { checkGroups } from '../../../src/diagnosis/check.ts';
import { causeCode, causeIn, decodeFault, encodeFault, stages } from '../../../src/diagnosis/fault-code.ts';

const environment = fc.option(
  fc.record({
    system: fc.constantFrom('windows', 'mac', 'linux', 'phone', 'other'),
    browser: fc.constantFrom('chrome', 'edge', 'otherChromium', 'other'),
    way: fc.constantFrom('none', 'usb', 'hid'),
  }),
  { nil: undefined },
);
const fault = fc.record({
  stage: fc.constantFrom(...stages),
  number: fc.nat(99),
  environment,
});
const digit = fc.nat(9).map(String);

describe('a fault code', () => {
  test('is six digits that read back', () => {
    fc.assert(
      fc.property(fault, (one) => {
        const code = encodeFault(one);
        expect(code).toMatch(/^\d{6}$/);
        expect(decodeFault(code)).toEqual(one);
      }),
    );
  });

  test('heard with one digit wrong is no code', () => {
    fc.assert(
      fc.property(fault, fc.nat(5), digit, (one, at, wrong) => {
        const code = encodeFault(one);
        fc.pre(code.charAt(at) !== wrong);
        expect(decodeFault(code.slice(0, at) + wrong + code.slice(at + 1))).toBeUndefined();
      }),
    );
  });

  test('with two neighbours swapped is no code', () => {
    fc.assert(
      fc.property(fault, fc.nat(4), (one, at) => {
        const code = encodeFault(one);
        const [a, b] = [code.charAt(at), code.charAt(at + 1)];
        fc.pre(a !== b);
        expect(decodeFault(code.slice(0, at) + b + a + code.slice(at + 2))).toBeUndefined();
      }),
    );
  });

  // Damm's own example is 572 with check digit 4; zeros before it change nothing.
  test('has the check digit that Damm’s example has', () => {
    expect(decodeFault('005724')).toMatchObject({ stage: 'browser', number: 5 });
    expect(decodeFault('005723')).toBeUndefined();
  });

  test.each(['２０９ １００', '209-100', ' 20 91 00 ', '209–100'])('is read as people write it: %s', (text) => {
    const plain = text.normalize('NFKC').replace(/\D/g, '');
    expect(decodeFault(text)).toEqual(decodeFault(plain));
  });

  test('any other text is none', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^\d{6}$/.test(text.normalize('NFKC').replace(/[\s\p{Pd}]/gu, '')));
        expect(decodeFault(text)).toBeUndefined();
      }),
    );
  });
});

describe('causes', () => {
  const all = Object.keys(causes) as Cause[];

  test('have numbers of their own, of two digits', () => {
    expect(new Set(all.map((cause) => causes[cause].number)).size).toBe(all.length);
    for (const cause of all) {
      const { number } = causes[cause];
      expect(number).toBeGreaterThan(0);
      expect(number).toBeLessThan(100);
      expect(causeOf(number)).toBe(cause);
    }
  });

  test('keep their numbers from version to version', () => {
    const numbers = Object.fromEntries(all.map((cause) => [cause, causes[cause].number]));
    expect(numbers).toMatchObject({
      insecure: 1,
      busy: 10,
      ownTask: 24,
      offline: 43,
      locked: 61,
      pending: 77,
      page: 90,
    });
  });

  test.each(checkGroups)('found in %s read back from their code', (group) => {
    for (const cause of all) {
      const code = decodeFault(causeCode(group, cause, undefined));
      expect(code && causeIn(code)).toBe(cause);
    }
  });
});

describe('the browser and the computer', () => {
  const windows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)';
  test.each([
    [`${windows} Chrome/131.0.0.0 Safari/537.36`, 'chrome', 131, 'windows'],
    [`${windows} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.2903.70`, 'edge', 131, 'windows'],
    [`${windows} Chrome/109.0.0.0 Safari/537.36 QQBrowser/13.5`, 'otherChromium', 109, 'windows'],
    ['Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko', 'other', undefined, 'windows'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0', 'other', 133, 'linux'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.4 Safari/605.1.15', 'other', 17, 'mac'],
    ['Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/156.0.0.0 Safari/537.36', 'chrome', 156, 'linux'],
    ['Mozilla/5.0 (Linux; Android 13) Chrome/120.0.0.0 Mobile Safari/537.36', 'chrome', 120, 'phone'],
    ['', 'other', undefined, 'other'],
  ])('%s', (userAgent, browser, version, system) => {
    expect(identifyBrowser(userAgent)).toEqual({ browser, version, system });
  });
});
