// @ts-check
// The pinyin of the questions and their keywords, for the search. The dictionary is far too large for a browser, so the result
// is kept in the tree. After changing a question: npx tsx tests/tools/faq-pinyin.mjs
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pinyin } from 'pinyin-pro';
import { format } from 'prettier';
import { allFaq } from '../../src/guidance/faq/all.ts';

const file = fileURLToPath(new URL('../../src/guidance/faq/pinyin.ts', import.meta.url));

/**
 * Every run of Chinese in the question and the keywords, once, as syllables without tones.
 * @param {import('../../src/guidance/faq/entry.ts').FaqEntry} entry
 */
export const pinyinOf = (entry) => [
  ...new Set(
    [entry.question['zh-CN'], ...entry.keywords]
      // “忘记 USBKEY 密码” is typed as wangjimima: Latin words do not part a run.
      .flatMap((text) => text.replace(/[A-Za-z0-9\s“”{}]+/g, '').match(/\p{Script=Han}+/gu) ?? [])
      .map((run) => pinyin(run, { toneType: 'none', v: true })),
  ),
];

/** The whole file, as it should stand in the tree. */
export async function pinyinModule() {
  const record = Object.fromEntries(allFaq.map((entry) => [entry.id, pinyinOf(entry)]));
  const source = `/** Made by tests/tools/faq-pinyin.mjs from the questions and keywords; not to be edited. */
export const faqPinyin: Readonly<Record<string, readonly string[]>> = ${JSON.stringify(record)};
`;
  return format(source, { parser: 'typescript', singleQuote: true, printWidth: 120 });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, await pinyinModule());
