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

test('with scripts off the page still says what to bring and whom to call', async ({ browser, baseURL }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: baseURL ?? '' });
  const page = await context.newPage();
  await page.goto('/');
  for (const words of ['400-880-9888', '95105345-2', '授权书', '证书协办函', 'Chrome'])
    await expect(page.getByText(words).first()).toBeVisible();
  await context.close();
});

test('nothing is asked of any other host', async ({ page, baseURL }) => {
  const hosts = new Set<string>();
  page.on('request', (request) => hosts.add(new URL(request.url()).origin));
  for (const route of ['/', '/certificates', '/guide/renew', '/centres']) {
    await page.goto(route, { waitUntil: 'networkidle' });
  }
  expect([...hosts]).toEqual([new URL(baseURL ?? '').origin]);
});
