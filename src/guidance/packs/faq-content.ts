import * as v from 'valibot';
import { faqTopics } from '../faq/entry.ts';
import { assumptionIds, ruleIds } from '../rule-ids.ts';
import { textSchema, words } from './guidance-content.ts';

const line = words(2000);
const lines = v.pipe(v.array(line), v.minLength(1), v.maxLength(30));
const blocks = v.pipe(
  v.array(v.union([line, v.strictObject({ list: lines }), v.strictObject({ steps: lines })])),
  v.minLength(1),
  v.maxLength(30),
);
const id = v.pipe(v.string(), v.maxLength(80), v.regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be an id'));
const few = <Item extends v.GenericSchema>(item: Item, most: number) =>
  v.optional(v.pipe(v.array(item), v.maxLength(most)), []);

const entrySchema = v.strictObject({
  id,
  topic: v.picklist(faqTopics),
  question: textSchema(200),
  answer: v.strictObject({ 'zh-CN': blocks, en: blocks }),
  keywords: few(v.pipe(v.string(), v.minLength(1), v.maxLength(60)), 50),
  /** Syllables of question and keywords without tones. */
  pinyin: few(v.pipe(v.string(), v.maxLength(400), v.regex(/^[a-z]+( [a-z]+)*$/)), 100),
  rules: few(v.picklist(ruleIds), 20),
  assumptions: few(v.picklist(assumptionIds), 20),
  pages: few(v.pipe(v.string(), v.maxLength(120), v.regex(/^\/[a-z0-9/.-]*$/)), 10),
});

/** The content of a `faq` pack: questions that are new or take the place of one with the same id, and ids of others. */
export const faqContentSchema = v.strictObject({
  entries: v.pipe(v.array(entrySchema), v.maxLength(30_000)),
  withdrawn: v.optional(v.pipe(v.array(id), v.maxLength(1000)), []),
});
export type FaqContent = v.InferOutput<typeof faqContentSchema>;
