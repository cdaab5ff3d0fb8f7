import { chromium, type Browser, type BrowserContext, type Page } from 'playwright';
import { gzipSync } from 'node:zlib';
import { listen } from '../demo/listen.ts';
import { createDemoServer } from '../demo/server.ts';
import { staticFiles } from '../demo/static-files.ts';
import { openReferenceCa } from '../reference-ca/reference-ca.ts';
import { chromiumArgs, findChromium } from '../tools/browser.mjs';
import { median, type Measure, type Row } from './measure.ts';
import { withSite } from './site-build.ts';

const rounds = 7;

/** A page on a processor that is so many times slower. */
async function slowPage(context: BrowserContext, slower: number): Promise<Page> {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: slower });
  return page;
}

/** Milliseconds from the navigation to the page's heading being in the document. */
async function start(page: Page, url: string): Promise<number> {
  await page.goto(url, { waitUntil: 'commit' });
  await page.waitForSelector('#app h1');
  return page.evaluate(() => performance.getEntriesByName('app-mounted')[0]?.startTime ?? Number.NaN);
}

interface Starts {
  readonly cold: number[];
  readonly warm: number[];
  readonly offline: number[];
}

async function starts(browser: Browser, url: string, slower: number): Promise<Starts> {
  const times: Starts = { cold: [], warm: [], offline: [] };
  for (let round = 0; round < rounds; round++) {
    const context = await browser.newContext({ locale: 'zh-CN' });
    const page = await slowPage(context, slower);
    times.cold.push(await start(page, url));
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
    });
    // The first page that the worker serves fills the browser's own caches of compiled scripts.
    await start(page, url);
    times.warm.push(await start(page, url));
    await context.setOffline(true);
    times.offline.push(await start(page, url));
    await context.close();
  }
  return times;
}

/** JavaScript, gzipped, until the home page is idle. */
async function homeScripts(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const page = await context.newPage();
  const sizes: Promise<number>[] = [];
  page.on('response', (response) => {
    if (response.request().resourceType() === 'script')
      sizes.push(response.body().then((body) => gzipSync(body).length));
  });
  await page.goto(url, { waitUntil: 'networkidle' });
  const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  await context.close();
  return total;
}

export const siteStart: Measure = {
  name: 'start',
  title: 'the production site in Chromium: from the navigation to the mounted page',
  run: () =>
    withSite('production', async (directory) => {
      const ca = await openReferenceCa();
      const site = await listen(() => createDemoServer(ca, staticFiles(directory), { demo: false }), {
        port: 0,
        strictPort: true,
        host: '127.0.0.1',
      });
      const executablePath = findChromium();
      const browser = await chromium.launch({ ...(executablePath && { executablePath }), args: chromiumArgs });
      try {
        const rows: Row[] = [];
        const home = await homeScripts(browser, site.url);
        rows.push({
          name: 'home page, JavaScript, gzip',
          unit: 'bytes',
          figures: { 'until idle': home },
          goals: [{ what: 'until idle', value: home, atMost: 30 * 1024 }],
        });
        for (const slower of [1, 4]) {
          const { cold, warm, offline } = await starts(browser, site.url, slower);
          const figures = { cold: median(cold), warm: median(warm), offline: median(offline) };
          rows.push({
            name: slower === 1 ? 'start' : `start, the processor ${slower} times slower`,
            unit: 'ms',
            figures,
            goals: slower === 1 ? [{ what: 'warm', value: figures.warm, atMost: 150 }] : [],
          });
        }
        return rows;
      } finally {
        await browser.close();
        await site.close();
        await ca.close();
      }
    }),
};
