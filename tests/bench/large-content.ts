import { filterCentres, type Centre } from '../../src/guidance/centres/centre.ts';
import { districtCodes } from '../../src/guidance/centres/districts.ts';
import { allFaq } from '../../src/guidance/faq/all.ts';
import { searchDocuments } from '../../src/guidance/faq/documents.ts';
import { filledEntry } from '../../src/guidance/faq/in-use.ts';
import { faqPinyin } from '../../src/guidance/faq/pinyin.ts';
import { createSearchOfMany } from '../../src/guidance/faq/search.ts';
import { readFaq } from '../../src/guidance/packs/read.ts';
import { readPack } from '../../src/service/content-pack.ts';
import { median, type Measure, type Row } from './measure.ts';

/** What a person takes for an answer at once (RAIL), and what a page may hold a key press up for. */
const atOnceMs = 100;

function centres(count: number): readonly Centre[] {
  return Array.from({ length: count }, (_, at) => ({
    id: `c${at}`,
    name: `第 ${(at * 7919) % count} 服务中心`,
    district: districtCodes[at % districtCodes.length] ?? '120101',
    address: `示例路 ${at} 号`,
    hours: '',
    phone: '',
    services: ['renew', 'unlock'],
    sample: false,
  }));
}

function timed<Value>(work: () => Value): { readonly value: Value; readonly ms: number } {
  const begun = performance.now();
  const value = work();
  return { value, ms: performance.now() - begun };
}

function centresRow(count: number): Row {
  const list = centres(count);
  const first = timed(() => filterCentres(list, {})).ms;
  const keys = ['示', '示例', '示例路 77', '服务中心', '没有'].map(
    (words) => timed(() => filterCentres(list, { words })).ms,
  );
  const key = median(keys);
  return {
    name: `${count} centres`,
    unit: 'ms',
    figures: { 'put in order once': first, 'a key press in the filter': key },
    goals: [{ what: 'a key press in the filter', value: key, atMost: atOnceMs }],
  };
}

async function questionsRow(count: number): Promise<Row> {
  const entries = Array.from({ length: count }, (_, at) => {
    const one = allFaq[at % allFaq.length];
    if (!one) throw new RangeError('no questions');
    return { ...filledEntry(one), id: `${one.id}-${at}` };
  });
  const bytes = new TextEncoder().encode(
    JSON.stringify({ kind: 'faq', version: 1, publishedAt: '2026-11-22T08:00:00+08:00', content: { entries } }),
  );
  const checked = timed(() => readFaq(readPack(bytes).content));
  let begun = performance.now();
  let longest = 0;
  const whole = performance.now();
  const search = await createSearchOfMany(searchDocuments(checked.value.entries, faqPinyin, 'zh-CN'), async () => {
    longest = Math.max(longest, performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve));
    begun = performance.now();
  });
  const indexed = performance.now() - whole;
  const asking = ['密码锁了怎么办', 'U盾丢了', 'mi ma', '授权书怎么填'].map(
    (query) => timed(() => search(query, 12)).ms,
  );
  return {
    name: `${count} questions of a pack, ${Math.round(bytes.length / 1024 / 1024)} MiB`,
    unit: 'ms',
    figures: {
      'read and checked': checked.ms,
      'indexed in all': indexed,
      'longest hold-up while indexing': longest,
      'one query': median(asking),
    },
    goals: [{ what: 'longest hold-up while indexing', value: longest, atMost: 2 * atOnceMs }],
  };
}

export const largeContent: Measure = {
  name: 'large-content',
  title: 'ten thousand centres and thirty thousand questions',
  run: async () => [centresRow(23), centresRow(10_000), await questionsRow(3000), await questionsRow(30_000)],
};
