import { createServer, type Server } from 'node:http';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { listen, type Listening } from '../demo/listen.ts';
import { backHandlers } from '../demo/server.ts';
import { staticFiles } from '../demo/static-files.ts';
import { answerWith, type RequestHandler } from '../reference-ca/http.ts';
import { openReferenceCa } from '../reference-ca/reference-ca.ts';
import { expect, test, typePassword } from './fixtures.ts';
import { everythingStored } from './parts/storage.ts';
import { pages } from './parts/views.ts';

test.use({ baseURL: `http://localhost:${Number(process.env['E2E_PORT'] ?? 4373) + 1}` });

const repository = path.resolve(import.meta.dirname, '../..');

/** One visit to the home page, long enough for the service worker to have everything. */
async function visitOnce(page: Page): Promise<void> {
  await page.goto('/');
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
}

/** Whether the page has what it fetches some seconds after it was opened. */
const isFetchedForLater = (page: Page): Promise<boolean> =>
  page.evaluate(() => performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/api/centres')));

/** A browser without a network says so in its console for each thing it could not fetch; everything else is a fault. */
function forgiveTheNetwork(problems: string[]): void {
  const others = problems.filter((problem) => !problem.includes('ERR_INTERNET_DISCONNECTED'));
  problems.splice(0, problems.length, ...others);
}

test('after one visit every page opens without a network, from a link and from the address bar', async ({
  page,
  context,
  problems,
}) => {
  test.setTimeout(120_000);
  const titles = new Map<string, string>();
  await visitOnce(page);
  for (const { path: address } of pages) {
    await page.goto(address);
    titles.set(address, await page.getByRole('heading', { level: 1 }).innerText());
  }
  await page.evaluate(() => localStorage.clear());

  await context.setOffline(true);

  for (const [address, title] of titles) {
    await page.goto(address);
    await expect(page.getByRole('heading', { level: 1 }), address).toHaveText(title);
    await expect(page.getByText('现在没有网络。'), address).toBeVisible();
    await expect(page.getByRole('contentinfo').getByText('400-880-9888'), address).toBeVisible();
  }
  await page.goto('/');
  await page.getByRole('link', { name: /忘记密码或锁死/ }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'USBKEY解锁' })).toBeVisible();
  await page.getByRole('link', { name: '填写授权书' }).click();
  await expect(page.getByRole('heading', { level: 1, name: '授权书' })).toBeVisible();
  forgiveTheNetwork(problems);
});

test('after one visit to the home page alone: search, answers, letter and English work without a network', async ({
  page,
  context,
  problems,
}) => {
  await visitOnce(page);
  await context.setOffline(true);

  await page.goto('/faq');
  await page.getByRole('searchbox').fill('mmsl');
  await expect(page.getByRole('main').getByRole('listitem').first()).toContainText('密码锁了怎么办？');
  await page.getByRole('link', { name: /密码锁了怎么办？/ }).click();
  await expect(page.getByRole('heading', { level: 1, name: '密码锁了怎么办？' })).toBeVisible();

  await page.goto('/letter?for=unlock');
  await page.getByLabel('公司名称', { exact: true }).fill('示例科技（天津）有限公司');
  await expect(page.locator('.sheet')).toContainText('我公司示例科技（天津）有限公司，');
  await expect(page.locator('.sheet')).toContainText('USBKEY解锁 ☑');

  await page.getByRole('button', { name: 'Switch to English' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Letter of authorisation' })).toBeVisible();
  forgiveTheNetwork(problems);
});

test('after one visit to the home page alone: the page of centres says what is known, and no error', async ({
  page,
  context,
  problems,
}) => {
  await visitOnce(page);
  await expect.poll(() => isFetchedForLater(page)).toBe(true);
  await expect.poll(() => everythingStored(page)).toContain('/api/centres');
  await context.setOffline(true);

  await page.goto('/centres');

  await expect(page.getByText('已收录 0/23')).toBeVisible();
  await expect(page.getByRole('main').getByRole('alert')).toHaveCount(0);
  forgiveTheNetwork(problems);
});

test('scripts off: both hot-lines, the browser to open, and the materials of the five flows', async ({
  browser,
  baseURL,
}) => {
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: baseURL ?? '' });
  const page = await context.newPage();
  for (const address of ['/', '/guide/unlock', '/letter']) {
    await page.goto(address);
    // It waits a moment, lest it flash up before the site is there.
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    const text = await page.locator('main').innerText();
    for (const words of [
      ...['400-880-9888', '95105345-2', '接通后按 2', 'Chrome', 'Edge', 'IE 模式'],
      ...['证书更新', '证书升级', 'USBKEY 解锁', 'USBKEY 补办', '证书新办'],
      ...['60 天', '2018 年 9 月 18 日', '26', '免费更换', '登记发票信息'],
      ...['身份证原件', '加盖公章的授权书', '税务登记证件原件', '一照一码', '营业执照', '本人身份证件', '证书协办函'],
      ...['加盖企业公章、经办人签字', '任意', '只能现场办理'],
    ])
      expect(text, address).toContain(words);
  }
  await expect(page.getByRole('link', { name: '95105345-2' })).toHaveAttribute('href', 'tel:95105345,2');
  await context.close();
});

test.describe('a new build', () => {
  let directory: string;
  let server: Listening;
  let close: () => Promise<void>;
  /** Lets the authority answer; until then a renewal stands still in the middle. */
  let answer: () => void;

  test.beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'site-'));
    await cp(path.join(repository, 'dist'), directory, { recursive: true });
    const ca = await openReferenceCa();
    const mayAnswer = new Promise<void>((resolve) => (answer = resolve));
    const hold: RequestHandler = async ({ url }) => {
      if (url === '/ca/cmp') await mayAnswer;
      return false;
    };
    const make = (): Server =>
      createServer(answerWith(hold, ...backHandlers(ca, { demo: true }), staticFiles(directory)));
    server = await listen(make, { port: 0, strictPort: true, host: '127.0.0.1' });
    close = async () => {
      await server.close();
      await ca.close();
      await rm(directory, { recursive: true });
    };
  });
  test.afterEach(async ({ page }) => {
    // It may still be fetching for later.
    await page.close();
    await close();
  });

  /** The site put on its server anew: its service worker is another one. */
  async function publish(page: Page): Promise<void> {
    const script = path.join(directory, 'sw.js');
    await writeFile(script, `${await readFile(script, 'utf8')}\n// another build\n`);
    await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      await registration.update();
      const { installing } = registration;
      if (installing)
        await new Promise<void>((resolve) => {
          installing.addEventListener('statechange', () => {
            if (installing.state === 'installed') resolve();
          });
        });
      if (!registration.waiting) throw new Error('no new build waits');
    });
  }

  test('waits for the person’s word, and never speaks up while a certificate is being renewed', async ({
    page,
    desk,
  }) => {
    test.setTimeout(120_000);
    const offer = page.getByText('网站有新版本。');
    await desk({ scenario: 'due-30-days' });
    await page.addInitScript({ path: path.join(repository, 'node_modules/.cache/demo/virtual-key.js') });
    const origin = new URL(server.url).origin;
    await page.goto(`${origin}/`);
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
    });
    // The worker that is there has the page only from the second visit on.
    await page.goto(`${origin}/renew`);
    await typePassword(page);
    await expect(page.getByText('正在向证书机构申请证书…').first()).toBeVisible();

    await publish(page);

    await expect(page.getByText('正在向证书机构申请证书…').first()).toBeVisible();
    await expect(offer).toBeHidden();
    await page.getByRole('link', { name: '业务指南' }).first().click();
    await expect(page.getByText('正在办理，请不要拔出 USBKEY，也不要关闭页面。')).toBeVisible();
    await expect(offer).toBeHidden();
    await page.getByRole('link', { name: '回到办理页' }).click();
    answer();
    await expect(page.getByText(/证书已更新，新的有效期到/)).toBeVisible({ timeout: 20_000 });
    await page.getByRole('link', { name: '回到证书管理' }).click();
    await expect(offer).toBeVisible();

    // The old worker hands over once it is at rest, which may take minutes where it was asked for something just then: what
    // is fetched for later comes first.
    await expect.poll(() => isFetchedForLater(page)).toBe(true);
    const loaded = page.waitForEvent('load', { timeout: 60_000 });
    await Promise.all([loaded, page.getByRole('button', { name: '现在更换' }).click()]);
    await expect(page.getByRole('heading', { level: 1, name: '证书管理' })).toBeVisible();
    await expect(offer).toBeHidden();
  });
});
