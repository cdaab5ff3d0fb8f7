import { afterEach, describe, expect, test } from 'vitest';
import { filledEntry, merge, type Faq } from '../../../src/guidance/faq/in-use.ts';
import { allFaq } from '../../../src/guidance/faq/all.ts';
import type { FaqEntry } from '../../../src/guidance/faq/entry.ts';
import { estimateReplacementFee } from '../../../src/guidance/fee.ts';
import { flows } from '../../../src/guidance/flows.ts';
import { changedNumbers, filled, publishNumbers } from '../../../src/guidance/numbers.ts';
import { operatorHotlines } from '../../../src/guidance/operator-hotlines.ts';
import { guideHotlines } from '../../../src/guidance/hotlines.ts';
import { ContentError, readFaq, readGuidance } from '../../../src/guidance/packs/read.ts';
import { assumptionIds, ruleIds } from '../../../src/guidance/rule-ids.ts';
import { publishRules, rule } from '../../../src/guidance/rules.ts';
import { text } from '../../../src/guidance/text.ts';

afterEach(() => {
  publishNumbers({});
  publishRules({}, undefined);
});

describe('a changed number', () => {
  test('is in every sentence that names it', () => {
    publishNumbers({ replacementFeeFen: 3050, renewalWindowDays: 90, centreCount: 25 });

    const said = [
      rule('R-1.4.3-3').sentence['zh-CN'],
      rule('R-1.3.1-1').sentence.en,
      rule('R-1-2').sentence['zh-CN'],
      filled(flows.replace.fee.map((one) => one.text['zh-CN']).join()),
    ];

    expect(said[0]).toContain('30.50 元');
    expect(said[1]).toContain('within 90 days');
    expect(said[2]).toContain('25 个');
    expect(said[3]).toContain('30.50 元');
    expect(estimateReplacementFee({ what: 'lost' }).fen).toBe(3050);
  });

  test('is told with what it was, and only while it differs', () => {
    publishNumbers({ replacementFeeFen: 3000, centreCount: 23 });
    expect(changedNumbers()).toEqual([{ name: 'replacementFeeFen', rule: 'R-1.4.3-3', from: 2600, to: 3000 }]);
    publishNumbers({});
    expect(changedNumbers()).toEqual([]);
  });

  test('leaves no brace in any sentence of the site', () => {
    const sentences = [
      ...[...ruleIds, ...assumptionIds].flatMap((id) => Object.values(rule(id).sentence)),
      ...allFaq.map((entry) => JSON.stringify(filledEntry(entry).answer).replaceAll(/"(list|steps|zh-CN|en)":/g, '')),
      ...Object.values(flows).map((flow) => filled(JSON.stringify(flow.forWhom)).replaceAll(/[{}]"|"?\}/g, '')),
    ];
    expect(sentences.filter((sentence) => /\{\w+\}/.test(sentence))).toEqual([]);
  });
});

test('a published sentence takes the place of the guide’s, the others stay', () => {
  publishRules({ 'R-1-5': { sentence: text('新的热线', 'New lines'), effectiveFrom: '2027-01-01' } }, '2026-12-31');
  expect(rule('R-1-5')).toMatchObject({
    sentence: { 'zh-CN': '新的热线' },
    effectiveFrom: '2027-01-01',
    reviewedAt: '2026-12-31',
  });
  expect(rule('R-1-1').effectiveFrom).toBe('2018-09-18');
});

const entry = (id: string, zh: string): FaqEntry => ({
  ...{ id, topic: 'renew', question: text(zh, zh), answer: { 'zh-CN': [zh], en: [zh] } },
  ...{ keywords: [], rules: [], assumptions: [], pages: [] },
});

test('published questions take the place of those with their id, new ones follow, withdrawn ones go', () => {
  const own: Faq = {
    entries: [entry('a', '一'), entry('b', '二'), entry('c', '三')],
    pinyin: { a: ['yi'], b: ['er'] },
  };
  const published = { entries: [entry('b', '贰'), entry('d', '四')], pinyin: { b: ['er er'] }, withdrawn: ['c'] };

  const { entries, pinyin } = merge(own, published);

  expect(entries.map(({ id, question }) => [id, question['zh-CN']])).toEqual([
    ['a', '一'],
    ['b', '贰'],
    ['d', '四'],
  ]);
  expect(pinyin).toEqual({ a: ['yi'], b: ['er er'] });
});

test.each<[string, unknown]>([
  ['an unknown member', { price: 1 }],
  ['an unknown rule', { rules: { 'R-9-9': { sentence: text('x', 'x') } } }],
  ['markup', { rules: { 'R-1-1': { sentence: text('<img>', 'x') } } }],
  ['an unknown number in braces', { rules: { 'R-1-1': { sentence: text('{password}', 'x') } } }],
  ['one language', { rules: { 'R-1-1': { sentence: { 'zh-CN': 'x' } } } }],
  ['a day that is none', { reviewedAt: '2026-13-40' }],
])('guidance with %s is refused', (_what, content) => {
  expect(() => readGuidance(content)).toThrow(ContentError);
});

test.each<[string, unknown]>([
  ['an id twice', [entry('a', '一'), entry('a', '二')]],
  ['an address of another site', [{ ...entry('a', '一'), pages: ['https://evil.example'] }]],
  ['a topic nobody knows', [{ ...entry('a', '一'), topic: 'tea' }]],
  ['markup in an answer', [{ ...entry('a', '一'), answer: { 'zh-CN': ['<script>'], en: ['x'] } }]],
])('questions with %s are refused', (_what, entries) => {
  expect(() => readFaq({ entries })).toThrow(ContentError);
});

test('all questions of the site would pass as a pack', () => {
  expect(readFaq({ entries: allFaq }).entries).toHaveLength(allFaq.length);
});

test('the operator’s hot-lines dial what they show', () => {
  expect(
    operatorHotlines([{ number: '022-00000000' }, { number: '95105345-3', hint: text('转人工', 'staff') }]),
  ).toEqual([
    { number: '022-00000000', href: 'tel:02200000000', hint: undefined, hintIsAssumption: false },
    { number: '95105345-3', href: 'tel:95105345,3', hint: text('转人工', 'staff'), hintIsAssumption: false },
  ]);
  expect(operatorHotlines([{ number: '95105345-2' }])[0].hint?.['zh-CN']).toBe('接通后按 2');
  expect(operatorHotlines(undefined)).toBe(guideHotlines);
});
