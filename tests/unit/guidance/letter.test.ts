import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  blankLetter,
  checkLetter,
  creditCodeCheck,
  identityNumberCheck,
  letterFileName,
  letterFor,
  letterLines,
  letterText,
  type LetterFields,
} from '../../../src/guidance/letter.ts';

/** The appendix of the service guide, as published. */
const appendix = readFileSync(new URL('appendix.txt', import.meta.url), 'utf8').trimEnd();

/** Codes as published in the public register of companies. */
const creditCodes = ['91350100M000100Y43', '914403001922038216', '9144030071526726XG'];
/** The examples in GB 11643 itself. */
const identityNumbers = ['11010519491231002X', '440524188001010014'];

const filled: LetterFields = {
  company: '示例科技（天津）有限公司',
  taxpayerNumber: '91350100M000100Y43',
  agentName: '张三',
  agentIdentityNumber: '11010519491231002X',
  agentMobile: '13800138000',
  replacement: false,
  unlock: true,
  from: '2025-03-01',
  until: '2025-03-31',
  date: '2025-03-01',
};

describe('the wording', () => {
  test('of the blank letter is the appendix, character by character, with its two garbled boxes mended', () => {
    const mended = appendix.replace('USBKEY补办 (    USBKEY解锁 (', 'USBKEY补办 □    USBKEY解锁 □');
    expect(mended).not.toBe(appendix);
    expect(Array.from(letterText(blankLetter))).toEqual(Array.from(mended));
  });

  test('keeps its fixed words whatever is filled in', () => {
    const fixed = (fields: LetterFields) =>
      letterLines(fields).map((line) => line.parts.filter((part) => part.kind === 'words').map((part) => part.text));
    const blank = fixed({ ...blankLetter, date: '2025-01-01' });
    const anyText = fc.string({ unit: 'grapheme', maxLength: 40 });
    fc.assert(
      fc.property(anyText, anyText, fc.boolean(), (company, agentName, unlock) => {
        expect(fixed({ ...filled, company, agentName, unlock })).toEqual(blank);
      }),
    );
  });

  test('puts every field in its place', () => {
    expect(letterText(filled).split('\n')).toEqual([
      letterFileName,
      '授 权 书',
      '我公司示例科技（天津）有限公司，企业证件号码（纳税人识别号）91350100M000100Y43，兹授权我司员工张三,身份证号11010519491231002X，手机号码13800138000，办理天津市税务局CA证书相关业务，请予以协助。',
      '业务类型：USBKEY补办 □    USBKEY解锁 ☑',
      '（注：请选择办理的业务类型，并在选择的业务类型 □ 处划勾）',
      '   授权期限：2025年3月1日',
      '           至2025年3月31日',
      '                                   单位名称：（公章）',
      '日期：2025年3月1日',
    ]);
  });

  test.each([
    ['replacement', '☑', '□'],
    ['unlock', '□', '☑'],
    [undefined, '□', '□'],
  ] as const)('coming from %s, the boxes are %s %s', (business, replacement, unlock) => {
    expect(letterText(letterFor(business))).toContain(`业务类型：USBKEY补办 ${replacement}    USBKEY解锁 ${unlock}\n`);
  });

  test('both kinds of business may be ticked', () => {
    expect(letterText({ ...blankLetter, replacement: true, unlock: true })).toContain('补办 ☑    USBKEY解锁 ☑');
  });

  test('a day that is none stays a blank to write on', () => {
    expect(letterText({ ...blankLetter, from: '2025-02-30' })).toBe(letterText(blankLetter));
  });
});

describe('what is filled in is checked', () => {
  test('and what is left blank is not', () => {
    expect(checkLetter(blankLetter)).toEqual({});
    expect(checkLetter({ ...blankLetter, company: '   ' })).toEqual({});
    expect(checkLetter(filled)).toEqual({});
  });

  test.each<[string, Partial<LetterFields>]>([
    ['a company of eighty characters', { company: '公'.repeat(80) }],
    ['a code written in groups, in small letters', { taxpayerNumber: ' 9135 0100 m000 100y 43' }],
    ['an older tax number of 15', { taxpayerNumber: '120105123456789' }],
    ['an older tax number of 20', { taxpayerNumber: '12010519800101123400' }],
    ['a sole trader’s number: the identity number', { taxpayerNumber: '11010519491231002X' }],
    ['an identity number with a small x', { agentIdentityNumber: '11010519491231002x' }],
    ['a mobile number in groups', { agentMobile: '138 0013 8000' }],
    ['a mobile number with the country', { agentMobile: '+86 138-0013-8000' }],
    ['one day of authority', { from: '2025-03-01', until: '2025-03-01' }],
    ['a leap day', { date: '2024-02-29' }],
  ])('%s is right', (_what, fields) => {
    expect(checkLetter({ ...blankLetter, ...fields })).toEqual({});
  });

  test.each<[Partial<LetterFields>, string]>([
    [{ company: '公'.repeat(81) }, 'tooLong'],
    [{ agentName: '名'.repeat(31) }, 'tooLong'],
    [{ taxpayerNumber: '12345678901234' }, 'taxpayerNumberShape'],
    [{ taxpayerNumber: '123456789012345678901' }, 'taxpayerNumberShape'],
    [{ taxpayerNumber: '九一三五' }, 'taxpayerNumberShape'],
    [{ taxpayerNumber: '91350100M000100Y44' }, 'taxpayerNumberCheck'],
    [{ taxpayerNumber: '91350100I000100Y43' }, 'taxpayerNumberCheck'],
    [{ agentIdentityNumber: '1101051949123100' }, 'identityNumberShape'],
    [{ agentIdentityNumber: '110105491231002' }, 'identityNumberShape'],
    [{ agentIdentityNumber: '11010519490230002X' }, 'identityNumberDate'],
    [{ agentIdentityNumber: '110105194912310021' }, 'identityNumberCheck'],
    [{ agentMobile: '12800138000' }, 'mobileShape'],
    [{ agentMobile: '1380013800' }, 'mobileShape'],
    [{ agentMobile: '02223456789' }, 'mobileShape'],
    [{ from: '2025-02-29' }, 'notADay'],
    [{ date: '3月1日' }, 'notADay'],
  ])('%j is told as %s', (fields, problem) => {
    expect(checkLetter({ ...blankLetter, ...fields })).toEqual({ [Object.keys(fields)[0] ?? '']: problem });
  });

  test('the end of the authority is not before its beginning', () => {
    expect(checkLetter({ ...blankLetter, from: '2025-03-02', until: '2025-03-01' })).toEqual({
      until: 'untilBeforeFrom',
    });
  });

  test.each(creditCodes)('%s carries its check character (GB 32100)', (code) => {
    expect(creditCodeCheck(code.slice(0, 17))).toBe(code.at(-1));
  });

  test.each(identityNumbers)('%s carries its check character (GB 11643, its own examples)', (number) => {
    expect(identityNumberCheck(number.slice(0, 17))).toBe(number.at(-1));
  });

  test('one wrong digit in an identity number is always found', () => {
    const digits = fc.integer({ min: 0, max: 9 });
    fc.assert(
      fc.property(fc.array(digits, { minLength: 17, maxLength: 17 }), fc.nat(16), digits, (number, at, other) => {
        fc.pre(number[at] !== other);
        const changed = number.map((digit, index) => (index === at ? other : digit));
        expect(identityNumberCheck(changed.join(''))).not.toBe(identityNumberCheck(number.join('')));
      }),
    );
  });
});
