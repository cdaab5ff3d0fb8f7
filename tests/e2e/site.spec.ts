import { readFileSync } from 'node:fs';
import path from 'node:path';
import { allFaq } from '../../src/guidance/faq/all.ts';
import { districtCodes, districtNames } from '../../src/guidance/centres/districts.ts';
import { expect, test } from './fixtures.ts';
import { pages } from './parts/views.ts';

const production = `http://localhost:${Number(process.env['E2E_PORT'] ?? 4373) + 1}`;
test.use({ baseURL: production });

test('every link of every page leads to a page of its own, or plainly off the site', async ({ page }) => {
  test.setTimeout(120_000);
  const known = pages.map(({ path: address }) => address).filter((address) => !/no-such|\/code\//.test(address));
  const waiting = [...known];
  const seen = new Set(waiting);
  const broken: string[] = [];
  const titles = new Map<string, string>();
  const origins = new Set<string>();

  for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
    // One document, as a person walks: each page by its link, not by a new load.
    if (titles.size === 0) await page.goto(address);
    else
      await page.evaluate((to) => {
        const link = document.createElement('a');
        link.href = to;
        document.body.append(link);
        link.click();
        link.remove();
      }, address);
    await expect(page).toHaveURL(address);
    await expect(page.locator('main')).toHaveAttribute('aria-busy', 'false');
    const { title, missing, hrefs, faults } = await page.evaluate(() => ({
      title: document.title,
      missing: document.querySelector('main h1')?.textContent === '没有这一页',
      hrefs: [...document.querySelectorAll<HTMLAnchorElement>('a[href]')].map((a) => a.href),
      faults: [
        ...(document.querySelectorAll('h1').length === 1 ? [] : ['not one h1']),
        ...[...document.querySelectorAll<HTMLAnchorElement>('a[target=_blank]')]
          .filter((a) => !a.relList.contains('noopener'))
          .map((a) => `without noopener: ${a.href}`),
        ...[...document.querySelectorAll<HTMLAnchorElement>('a[href^="#"]')]
          .filter((a) => !document.getElementById(a.hash.slice(1)))
          .map((a) => `leads nowhere: ${a.hash}`),
      ],
    }));
    if (missing) broken.push(address);
    broken.push(...faults.map((fault) => `${address}: ${fault}`));
    titles.set(address, title);
    for (const href of hrefs) {
      const url = new URL(href);
      if (url.protocol === 'tel:') continue;
      origins.add(url.origin);
      const to = url.pathname;
      if (url.origin !== production || seen.has(to)) continue;
      seen.add(to);
      waiting.push(to);
    }
  }

  expect(broken).toEqual([]);
  expect([...origins]).toEqual([production]);
  expect(allFaq.length).toBeGreaterThanOrEqual(40);
  expect(allFaq.filter(({ id }) => !seen.has(`/faq/${id}`)).map(({ id }) => id)).toEqual([]);
  const doubled = [...titles].filter(([at, title]) => [...titles].some(([to, same]) => to !== at && same === title));
  expect(doubled).toEqual([]);
});

test('home asks one question and leads to the five flows', async ({ page }) => {
  for (const [card, title] of [
    ['证书快到期了', '证书更新'],
    ['很久没升级', '证书升级'],
    ['忘记密码或锁死', 'USBKEY解锁'],
    ['丢了或坏了', 'USBKEY补办'],
    ['第一次办理', '证书新办'],
  ] as const) {
    await page.goto('/');
    await expect(page.getByRole('heading', { level: 1, name: '您要办什么？' })).toBeVisible();
    await page.getByRole('main').getByRole('link', { name: card }).click();
    await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible();
  }
});

for (const [kind, query, answer] of [
  ['Han bigram', '密码锁了怎么办', 'locked'],
  ['Han bigram, part of a word', '协办函', 'assistance-letter'],
  ['Han and Latin mixed', 'USBKEY丢了', 'lost-key'],
  ['pinyin', 'mimasuole', 'locked'],
  ['pinyin with blanks', 'fu wu re xian', 'hotline'],
  ['pinyin unfinished', 'wangjimi', 'forgot-password'],
  ['initials', 'mmsl', 'locked'],
  ['initials', 'sqszmt', 'letter-how-to'],
  ['synonym U盾', 'U盾丢了', 'lost-key'],
  ['synonym 税盘', '税盘锁死', 'locked'],
  ['synonym 口令', '忘了口令', 'forgot-password'],
  ['synonym 多少钱', '补办收费', 'replacement-fee'],
  ['synonym 电话', '客服电话', 'hotline'],
  ['synonym 延期', '证书过期还能延期吗', 'already-expired'],
  ['full width', 'ＵＳＢＫＥＹ丢了', 'lost-key'],
] as const)
  test(`search by ${kind}: “${query}” finds ${answer} first, and the answer opens`, async ({ page }) => {
    const question = allFaq.find(({ id }) => id === answer)?.question['zh-CN'] ?? '';
    await page.goto('/faq');

    await page.getByRole('searchbox', { name: '搜索常见问题' }).fill(query);
    const first = page.getByRole('main').getByRole('listitem').first().getByRole('link');
    await expect(first).toHaveAttribute('href', `/faq/${answer}`);
    await first.click();

    await expect(page.getByRole('heading', { level: 1, name: question })).toBeVisible();
    await page.goBack();
    await expect(page.getByRole('searchbox')).toHaveValue(query);
  });

test('search that finds nothing says so and names the hot-line', async ({ page }) => {
  await page.goto('/faq');

  await page.getByRole('searchbox').fill('qwxzqwxz');

  await expect(page.getByRole('status').getByText('没有找到“qwxzqwxz”的回答。')).toBeVisible();
  await expect(page.getByRole('main').getByText('400-880-9888')).toBeVisible();
});

test('without a list from the operator the page of centres invents none: 0 of 23, and the hot-line', async ({
  page,
}) => {
  await page.goto('/centres');

  await expect(page.getByText('已收录 0/23')).toBeVisible();
  await expect(page.getByRole('main').getByRole('link', { name: /400-880-9888/ })).toBeVisible();
  await expect(page.getByRole('article')).toHaveCount(0);
});

test('the operator’s centres: counted, filtered by district and service, on two maps that say one leaves the site', async ({
  page,
}) => {
  const centre = (id: string, district: string, name: string, services: readonly string[]): object => ({
    ...{ id, name, district, address: `${name}路 1 号`, phone: '022-23456789', hours: '工作日 9:00–17:00', services },
    sample: false,
  });
  const all = ['upgrade', 'new', 'renew', 'replace', 'unlock'];
  await page.route('**/api/centres', (route) =>
    route.fulfill({ json: [centre('a', '120101', '甲网点', all), centre('b', '120104', '乙网点', ['renew'])] }),
  );
  await page.goto('/centres');

  await expect(page.getByText('已收录 2/23')).toBeVisible();
  await page.getByRole('button', { name: /南开区/ }).click();
  await expect(page.getByRole('article')).toHaveCount(1);
  await expect(page.getByRole('heading', { name: '乙网点' })).toBeVisible();
  await page.getByRole('button', { name: '全部' }).click();
  await page.getByLabel('要办的业务').selectOption('unlock');
  await expect(page.getByRole('heading', { name: '甲网点' })).toBeVisible();
  await expect(page.getByRole('article')).toHaveCount(1);
  for (const [map, host] of [
    ['高德', /amap\.com$/],
    ['百度', /map\.baidu\.com$/],
  ] as const) {
    const link = page.getByRole('article').getByRole('link', { name: map });
    expect(new URL((await link.getAttribute('href')) ?? '').host).toMatch(host);
    await expect(link).toHaveAccessibleName(/新窗口|离开本站/);
  }
  await page.goto('/guide/unlock');
  await page.getByRole('link', { name: '找服务网点' }).first().click();
  await expect(page.getByLabel('要办的业务')).toHaveValue('unlock');
});

test('the sixteen districts have their names', () => {
  expect(districtCodes).toHaveLength(16);
  expect(Object.entries(districtNames).map(([code, name]) => `${code} ${name['zh-CN']}`)).toEqual([
    ...['120101 和平区', '120102 河东区', '120103 河西区', '120104 南开区', '120105 河北区', '120106 红桥区'],
    ...['120110 东丽区', '120111 西青区', '120112 津南区', '120113 北辰区', '120114 武清区', '120115 宝坻区'],
    ...['120116 滨海新区', '120117 宁河区', '120118 静海区', '120119 蓟州区'],
  ]);
});

test('language, type size and theme are kept over a reload', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('button', { name: '大字版' }).click();
  await page.getByRole('button', { name: '深色' }).click();
  await page.getByRole('button', { name: 'Switch to English' }).click();

  await page.reload();

  await expect(page.getByRole('button', { name: 'Large type' })).toHaveAttribute('aria-pressed', 'true');
  await expect(page.getByRole('button', { name: 'Dark' })).toHaveAttribute('aria-pressed', 'true');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
});

test('installable: icons, shortcuts and screenshots of the manifest are there', async ({ page, request }) => {
  await page.goto('/');
  const address = await page.locator('link[rel=manifest]').getAttribute('href');
  interface Picture {
    readonly src: string;
    readonly sizes: string;
    readonly type?: string;
    readonly purpose?: string;
  }
  const manifest = (await (await request.get(address ?? '')).json()) as {
    name: string;
    short_name: string;
    start_url: string;
    display: string;
    icons: Picture[];
    shortcuts: { url: string; name: string }[];
    screenshots?: Picture[];
  };

  expect(manifest).toMatchObject({ name: 'CA证书在线服务平台', short_name: 'CA证书', display: 'standalone' });
  for (const size of ['192x192', '512x512'])
    expect(manifest.icons.some(({ sizes, type }) => sizes === size && type === 'image/png')).toBe(true);
  expect(manifest.icons.some(({ purpose }) => purpose?.includes('maskable'))).toBe(true);
  for (const { src, sizes } of [...manifest.icons, ...(manifest.screenshots ?? [])]) {
    const answer = await request.get(src);
    expect(answer.ok(), src).toBe(true);
    expect(answer.headers()['content-type'], src).toMatch(/^image\//);
    const png = await answer.body();
    if (src.endsWith('.png')) expect(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`, src).toBe(sizes);
  }
  expect(manifest.shortcuts.length).toBeGreaterThan(0);
  for (const { url } of manifest.shortcuts) {
    await page.goto(url);
    await expect(page.getByRole('heading', { level: 1 })).not.toHaveText('没有这一页');
  }
});

test('the print-out of a flow is its list and the hot-lines, without the site around it', async ({ page }) => {
  await page.goto('/guide/unlock');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.emulateMedia({ media: 'print' });

  await expect(page.getByRole('banner')).toBeHidden();
  await expect(page.getByRole('contentinfo')).toBeHidden();
  await expect(page.getByText('经办人身份证原件')).toBeVisible();
  await expect(page.getByText('400-880-9888').locator('visible=true')).toHaveCount(1);
});

test('the text for browsers without scripts names no other numbers than the site', () => {
  const html = readFileSync(path.resolve(import.meta.dirname, '../../index.html'), 'utf8');
  expect([...html.matchAll(/href="tel:([^"]+)"/g)].map(([, number]) => number)).toEqual(['4008809888', '95105345,2']);
});
