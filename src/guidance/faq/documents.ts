import type { Language } from '../text.ts';
import { plainAnswer, type FaqEntry } from './entry.ts';
import type { SearchDocument } from './search.ts';

/** The questions as the search wants them, in the language of the page. */
export const searchDocuments = (
  entries: readonly FaqEntry[],
  pinyin: Readonly<Record<string, readonly string[]>>,
  language: Language,
): readonly SearchDocument[] =>
  entries.map(({ id, question, keywords, answer }) => ({
    id,
    title: question[language],
    otherTitle: question[language === 'en' ? 'zh-CN' : 'en'],
    keywords,
    body: plainAnswer(answer[language]),
    pinyin: pinyin[id] ?? [],
  }));
