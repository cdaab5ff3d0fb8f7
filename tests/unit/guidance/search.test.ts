import fc from 'fast-check';
import { pinyin } from 'pinyin-pro';
import { describe, expect, test } from 'vitest';
import { allFaq } from '../../../src/guidance/faq/all.ts';
import { searchDocuments } from '../../../src/guidance/faq/documents.ts';
import { faqPinyin } from '../../../src/guidance/faq/pinyin.ts';
import { createSearch, createSearchOfMany, type SearchDocument } from '../../../src/guidance/faq/search.ts';
import { expand } from '../../../src/guidance/faq/synonyms.ts';

const search = createSearch(searchDocuments(allFaq, faqPinyin, 'zh-CN'));
const searchEnglish = createSearch(searchDocuments(allFaq, faqPinyin, 'en'));
const ids = (query: string, limit = 3) => search(query, limit).map((hit) => hit.id);

describe('a person finds the answer', () => {
  test.each([
    // as the guide says it
    ['密码锁了怎么办', 'locked'],
    ['忘记密码', 'forgot-password'],
    ['证书更新', 'renew-online'],
    ['证书协办函', 'assistance-letter'],
    ['授权书怎么填', 'letter-how-to'],
    ['什么浏览器', 'which-browser'],
    ['补办要多少钱', 'replacement-fee'],
    ['开发票', 'invoice'],
    ['法人要授权书吗', 'legal-representative'],
    // as people say it
    ['U盾丢了', 'lost-key'],
    ['u棒丢失', 'lost-key'],
    ['证书过期', 'already-expired'],
    ['口令锁死', 'locked'],
    ['PIN码忘了', 'forgot-password'],
    ['证书续期', 'when-to-renew'],
    ['怎么续费', 'renew-online'],
    ['换证', 'when-to-renew'],
    ['税盘', 'not-tianjin-key'],
    ['金税盘', 'not-tianjin-key'],
    ['客服电话', 'hotline'],
    ['几点上班', 'opening-hours'],
    ['第一次办证书', 'first-certificate'],
    ['新公司怎么办', 'first-certificate'],
    ['插上没反应', 'key-broken'],
    ['360浏览器', 'which-browser'],
    ['苹果手机', 'phone'],
    ['初始密码', 'initial-password'],
    ['能试几次', 'how-many-tries'],
    // one character
    ['锁', 'locked'],
    ['丢', 'lost-key'],
    // pinyin, in one go, with blanks, and as initials
    ['mimasuole', 'locked'],
    ['mi ma suo le', 'locked'],
    ['wangjimima', 'forgot-password'],
    ['mmsl', 'locked'],
    ['xieban', 'assistance-letter'],
    ['fapiao', 'invoice'],
    ['fp', 'invoice'],
    ['liulanqi', 'which-browser'],
    ['shuixuyaoshengji', 'who-needs-upgrade'],
    // slips
    ['usbkye 丢了', 'lost-key'],
    ['chorme', 'which-browser'],
    ['liulanqj', 'which-browser'],
    ['  密码　锁了！！', 'locked'],
  ])('“%s” → %s among the first three', (query, id) => {
    expect(ids(query)).toContain(id);
  });

  test.each([
    ['forgot password', 'forgot-password'],
    ['locked', 'locked'],
    ['lost', 'lost-key'],
    ['which browser', 'which-browser'],
    ['brwoser', 'which-browser'],
    ['invoice', 'invoice'],
  ])('in English, “%s” → %s', (query, id) => {
    expect(searchEnglish(query, 3).map((hit) => hit.id)).toContain(id);
  });

  test.each(allFaq.map((entry) => [entry.question['zh-CN'], entry.id] as const))(
    'its own question “%s” finds it first',
    (query, id) => {
      expect(ids(query, 1)).toEqual([id]);
    },
  );

  test.each(['', '   ', '？！', 'zzzzqqqq', '鹱'])('“%s” finds nothing', (query) => {
    expect(ids(query)).toEqual([]);
  });

  test('characters that never stand together are still found one by one', () => {
    expect(ids('锁码', 20)).toContain('locked');
  });

  test('any text is answered: at most as many hits as asked for, best first, each once', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.constantFrom('密'.repeat(500), 'a'.repeat(5000)),
    );
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 10 }), (query, limit) => {
        const hits = search(query, limit);
        expect(hits.length).toBeLessThanOrEqual(limit);
        expect(new Set(hits.map((hit) => hit.id)).size).toBe(hits.length);
        expect(hits.map((hit) => hit.score)).toEqual(hits.map((hit) => hit.score).sort((a, b) => b - a));
      }),
    );
  });
});

describe('what people say', () => {
  test.each([
    ['u盾', ['usbkey']],
    ['my key', ['usbkey']],
    ['monkey', []],
    ['review', []],
    ['口令', ['密码']],
  ])('“%s” means %j', (query, meant) => {
    expect(expand(query)).toEqual(meant);
  });
});

test('among three thousand questions the right one is found first, by words, pinyin and initials', () => {
  const topics = Array.from('甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉');
  const things = [
    '办理',
    '材料',
    '地点',
    '费用',
    '期限',
    '网点',
    '表格',
    '电话',
    '密码',
    '发票',
    '升级',
    '更新',
    '补办',
    '解锁',
    '授权',
  ];
  const crowd: SearchDocument[] = [];
  for (const [at, first] of topics.entries())
    for (const thing of things)
      for (const number of Array(10).keys()) {
        const title = `${first}类事项第${number}号${thing}说明`;
        const run = pinyin(title.replace(/\d/, ''), { toneType: 'none', v: true });
        crowd.push({
          id: `${at}-${thing}-${number}`,
          title,
          otherTitle: '',
          keywords: [thing],
          body: `关于${title}的正文。`.repeat(3),
          pinyin: [run],
        });
      }
  const all = [...crowd, ...searchDocuments(allFaq, faqPinyin, 'zh-CN')];
  const large = createSearch(all);
  const queries: [string, string][] = [
    ['密码锁了怎么办', 'locked'],
    ['wangjimima', 'forgot-password'],
    ['U盾丢了', 'lost-key'],
    ['liulanqj', 'which-browser'],
    ['什么浏览器', 'which-browser'],
    ['wjmm', 'forgot-password'],
  ];
  const started = performance.now();
  const found = queries.map(([query]) => large(query, 3).map((hit) => hit.id));
  const each = (performance.now() - started) / queries.length;
  // Printed, not asserted: a shared machine's clock proves nothing.
  console.log(`${all.length} entries: ${each.toFixed(1)} ms a query`);
  for (const [at, [, id]] of queries.entries()) expect(found[at]).toContain(id);
  expect(all.length).toBeGreaterThanOrEqual(3000);
});

test('an index built bit by bit finds the same first answers, and stops when it is told to', async () => {
  const documents = searchDocuments(allFaq, faqPinyin, 'zh-CN');
  const atOnce = createSearch(documents.map((document) => ({ ...document, body: '' })));
  const bitByBit = await createSearchOfMany(documents, () => Promise.resolve());
  for (const query of ['密码锁了怎么办', 'mms', 'U盾丢了', '发票'])
    expect(bitByBit(query, 5), query).toEqual(atOnce(query, 5));
  const left = new Error('left the page');
  await expect(createSearchOfMany(documents, () => Promise.reject(left))).rejects.toBe(left);
});
