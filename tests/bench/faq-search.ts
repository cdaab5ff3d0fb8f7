import { allFaq } from '../../src/guidance/faq/all.ts';
import { searchDocuments } from '../../src/guidance/faq/documents.ts';
import { faqPinyin } from '../../src/guidance/faq/pinyin.ts';
import { createSearch, type Search, type SearchDocument } from '../../src/guidance/faq/search.ts';
import { median, type Measure, type Row } from './measure.ts';

const queries = [
  '密码锁了怎么办',
  '忘记密码',
  '证书更新',
  '授权书怎么填',
  'U盾丢了',
  'mi ma',
  'which browser',
  '几点上班',
];

/** The shipped questions over and over, each time about another number: as many words as there would be. */
function documents(count: number): readonly SearchDocument[] {
  const own = searchDocuments(allFaq, faqPinyin, 'zh-CN');
  return Array.from({ length: count }, (_, index) => {
    const one = own[index % own.length];
    if (!one) throw new RangeError('no questions');
    return { ...one, id: `${one.id}-${index}`, body: `${one.body} 第${index}号 ${index}` };
  });
}

export const faqSearch: Measure = {
  name: 'faq',
  title: 'finding an answer among so many questions',
  run: () => {
    const rows: Row[] = [];
    for (const count of [100, 3000, 30_000]) {
      const all = documents(count);
      const building: number[] = [];
      let search: Search = () => [];
      for (let round = 0; round < (count > 10_000 ? 1 : 3); round++) {
        const begun = performance.now();
        search = createSearch(all);
        building.push(performance.now() - begun);
      }
      const asking: number[] = [];
      for (let round = 0; round < (count > 10_000 ? 5 : 60); round++)
        for (const query of queries) {
          const begun = performance.now();
          if (search(query, 10).length === 0) throw new Error(`${query} finds nothing`);
          asking.push(performance.now() - begun);
        }
      const figures = { 'building the index': median(building), 'one query': median(asking) };
      rows.push({ name: `${count} questions`, unit: 'ms', figures, goals: [] });
    }
    return Promise.resolve(rows);
  },
};
