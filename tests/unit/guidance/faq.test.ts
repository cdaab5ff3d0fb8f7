import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { allFaq } from '../../../src/guidance/faq/all.ts';
import { faqTopics, flowOfTopic, plainAnswer } from '../../../src/guidance/faq/entry.ts';
import { assumptionIds, flowSlugs, ruleIds } from '../../../src/guidance/rule-ids.ts';
import { pinyinModule } from '../../tools/faq-pinyin.mjs';

const pages = [
  '/certificates',
  '/renew',
  '/guide',
  '/centres',
  '/appointments',
  '/letter',
  '/check',
  '/privacy',
  '/about',
  ...flowSlugs.map((slug) => `/guide/${slug}`),
];

describe('the questions', () => {
  test('are at least forty-five, each with an address of its own, at least five a flow', () => {
    expect(allFaq.length).toBeGreaterThanOrEqual(45);
    expect(new Set(allFaq.map((entry) => entry.id)).size).toBe(allFaq.length);
    for (const topic of faqTopics)
      expect(allFaq.filter((entry) => entry.topic === topic).length).toBeGreaterThanOrEqual(5);
    expect(faqTopics.filter((topic) => flowOfTopic(topic) !== undefined).length).toBe(flowSlugs.length);
  });

  test.each(allFaq.map((entry) => [entry.id, entry] as const))('%s is complete in both languages', (id, entry) => {
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(entry.question['zh-CN']).toMatch(/[？。]$/);
    expect(entry.question.en).toMatch(/[?.]$/);
    const zh = plainAnswer(entry.answer['zh-CN']);
    const en = plainAnswer(entry.answer.en);
    // The same shape in both: nothing left out of the translation.
    const shape = (language: 'zh-CN' | 'en') =>
      entry.answer[language].map((block) => (typeof block === 'string' ? 'p' : Object.keys(block)[0]));
    expect(shape('en')).toEqual(shape('zh-CN'));
    expect(`${zh}${en}`).not.toMatch(/[!！]|\bPIN\b|TODO/);
    // Short: nobody reads a wall of text.
    for (const block of entry.answer['zh-CN'])
      if (typeof block === 'string') expect(block.length).toBeLessThanOrEqual(100);
    expect(zh.length).toBeLessThanOrEqual(260);
  });

  test.each(allFaq.map((entry) => [entry.id, entry] as const))(
    '%s stands on rules or says that it assumes, and leads on',
    (_id, entry) => {
      expect(entry.rules.length + entry.assumptions.length).toBeGreaterThan(0);
      expect(entry.rules.filter((id) => !ruleIds.includes(id))).toEqual([]);
      expect(entry.assumptions.filter((id) => !assumptionIds.includes(id))).toEqual([]);
      expect(entry.pages.length).toBeGreaterThan(0);
      expect(entry.pages.filter((page) => !pages.includes(page))).toEqual([]);
      expect(entry.keywords.length).toBeGreaterThan(0);
    },
  );

  test('where the guide is silent on money, no answer says that something is free or costs', () => {
    for (const id of ['renewal-fee', 'unlock-fee']) {
      const entry = allFaq.find((one) => one.id === id);
      expect(plainAnswer(entry?.answer['zh-CN'] ?? [])).toMatch(/没有写.*以服务网点或热线的答复为准/);
      expect(entry?.assumptions).toContain('A-22');
    }
  });

  test('the pinyin in the tree is that of today’s questions', async () => {
    const file = new URL('../../../src/guidance/faq/pinyin.ts', import.meta.url);
    expect(readFileSync(file, 'utf8')).toBe(await pinyinModule());
  });
});
