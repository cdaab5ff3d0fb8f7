import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from './fixtures.ts';

const dist = path.resolve(import.meta.dirname, '../../dist');
const budgetBytes = 30 * 1024;

test.use({ baseURL: `http://localhost:${Number(process.env['E2E_PORT'] ?? 4373) + 1}` });

test(`the home page fetches at most ${budgetBytes / 1024} kB of JavaScript, gzipped, until it is idle`, async ({
  page,
}) => {
  const scripts = new Map<string, number>();
  page.on('response', (response) => {
    if (response.request().resourceType() !== 'script' || response.request().serviceWorker()) return;
    scripts.set(response.url(), 0);
  });
  await page.goto('/', { waitUntil: 'networkidle' });
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  for (const url of scripts.keys())
    scripts.set(url, gzipSync(readFileSync(path.join(dist, new URL(url).pathname))).length);
  const total = [...scripts.values()].reduce((sum, bytes) => sum + bytes, 0);
  console.log(`home page JavaScript: ${total} bytes gzip in ${scripts.size} files`);
  expect(scripts.size).toBeGreaterThan(0);
  expect(total).toBeLessThanOrEqual(budgetBytes);
});

test('the production build knows nothing of the virtual key, the sample authority or the demo', () => {
  const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const traces = /virtual-?key|体验模式|reference-ca|示例认证中心|\/demo\/keys/i;
  const guilty = files
    .filter((entry) => !entry.name.endsWith('.map') || traces.test(entry.name))
    .filter(
      (entry) => traces.test(entry.name) || traces.test(readFileSync(path.join(entry.parentPath, entry.name), 'utf8')),
    );
  expect(files.length).toBeGreaterThan(10);
  expect(guilty.map((entry) => entry.name)).toEqual([]);
});

test('every route answers with its page, without an error', async ({ page }) => {
  const routes = [
    ...['/', '/certificates', '/renew', '/guide', '/guide/renew', '/guide/upgrade', '/guide/new', '/guide/replace'],
    ...['/guide/unlock', '/faq', '/centres', '/appointments', '/letter', '/check', '/privacy', '/about'],
    '/no-such-page',
  ];
  for (const route of routes) {
    await page.goto(route);
    await expect(page.getByRole('heading', { level: 1 }), route).toBeVisible();
    await expect(page.getByText('400-880-9888').first(), route).toBeVisible();
  }
});

test('after one visit the shell opens without a network', async ({ page, context, problems }) => {
  await page.goto('/');
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  await context.setOffline(true);
  await page.goto('/certificates');
  await expect(page.getByRole('heading', { level: 1, name: '证书管理' })).toBeVisible();
  await page.goto('/guide/unlock');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  // What the network could not give is logged by the browser itself.
  for (const problem of problems) expect(problem).toContain('ERR_INTERNET_DISCONNECTED');
  problems.length = 0;
});

test('with scripts off the page still says what to bring, where to go and whom to call', async ({
  browser,
  baseURL,
}) => {
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: baseURL ?? '' });
  const page = await context.newPage();
  await page.goto('/');
  // It waits a moment for the site that is not going to come.
  await expect(page.locator('#static')).toBeVisible();
  const said = await page.locator('#static').innerText();
  const facts = [
    ...['400-880-9888', '95105345-2', '接通后按 2', 'Chrome 109', 'Edge 109', '兼容模式'],
    ...['证书更新', '60 天内到期', '证书升级', '2018 年 9 月 18 日前', 'USBKEY 解锁', 'USBKEY 补办', '证书新办'],
    ...['身份证原件', '加盖公章的授权书', '26 元', '非人为损坏且外观完好的可以免费更换', '登记发票信息'],
    ...['办税服务厅', '税务登记证件原件', '一照一码纳税人带营业执照', '加盖企业公章、经办人签字的“证书协办函”'],
    ...['23 个 CA 证书服务中心', '任选一个', '天津市税务局门户网站'],
  ];
  expect(facts.filter((fact) => !said.replace(/\s+/g, ' ').includes(fact))).toEqual([]);
  expect(await page.locator('a[href="tel:4008809888"], a[href="tel:95105345,2"]').count()).toBe(2);
  await context.close();
});

test('with scripts on the static text is gone, and read by nobody', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1, name: '您要办什么？' })).toBeVisible();
  expect(await page.locator('#static').count()).toBe(0);
  expect(await page.getByRole('main').count()).toBe(1);
});

test('the manifest names icons, shortcuts and screenshots that are there, of the size it says', async ({ request }) => {
  const manifest = (await (await request.get('/manifest.webmanifest')).json()) as {
    [name: string]: unknown;
    icons: { src: string; sizes: string; purpose: string }[];
    shortcuts: { name: string; url: string }[];
    screenshots: { src: string; sizes: string; form_factor: string }[];
  };
  expect(manifest).toMatchObject({ name: 'CA证书在线服务平台', short_name: 'CA证书', id: '/', lang: 'zh-CN' });
  expect(manifest.shortcuts.map(({ name, url }) => [name, url])).toEqual([
    ['证书管理', '/certificates'],
    ['业务指南', '/guide'],
    ['网点', '/centres'],
  ]);
  expect(new Set(manifest.icons.map(({ purpose }) => purpose))).toEqual(new Set(['any', 'maskable']));
  expect(new Set(manifest.screenshots.map((one) => one.form_factor))).toEqual(new Set(['wide', 'narrow']));
  for (const { src, sizes } of [...manifest.icons, ...manifest.screenshots]) {
    const answer = await request.get(src);
    expect(answer.status(), src).toBe(200);
    if (!src.endsWith('.png')) continue;
    const png = await answer.body();
    // IHDR: width and height, big-endian, at 16 and 20.
    expect(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`, src).toBe(sizes);
    expect(png.length, src).toBeLessThan(150_000);
  }
  const worker = await (await request.get('/sw.js')).text();
  expect(worker).not.toContain('/screenshots/');
});

test('nothing is asked of any other host', async ({ page, baseURL }) => {
  const hosts = new Set<string>();
  page.on('request', (request) => hosts.add(new URL(request.url()).origin));
  for (const route of ['/', '/certificates', '/guide/renew', '/centres']) {
    await page.goto(route, { waitUntil: 'networkidle' });
  }
  expect([...hosts]).toEqual([new URL(baseURL ?? '').origin]);
});
