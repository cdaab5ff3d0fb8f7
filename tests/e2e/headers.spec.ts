import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { APIResponse, Page, Response } from '@playwright/test';
import { headers } from '../deploy/headers.ts';
import { expect, seen, test, typePassword } from './fixtures.ts';

/* What every host must send, asked of the server in front: the reference one, or nginx as tests/deploy/nginx.conf has it. */

const production = `http://localhost:${Number(process.env['E2E_PORT'] ?? 4373) + 1}`;
const dist = path.resolve(import.meta.dirname, '../../dist');
const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name !== '_headers')
  .map(({ parentPath, name }) => `/${path.relative(dist, path.join(parentPath, name)).split(path.sep).join('/')}`);
const routes = ['/', '/certificates', '/guide/renew', '/faq/locked', '/code/C04108', '/no-such-page', '/guide/1.3'];

/** Which of the headers an answer lacks, or has otherwise or more than once. */
async function wrong(answer: APIResponse | Response, expected = Object.entries(headers)): Promise<string[]> {
  const sent = await answer.headersArray();
  return expected.flatMap(([name, value]) => {
    const values = sent.filter((header) => header.name.toLowerCase() === name.toLowerCase());
    return values.length === 1 && values[0]?.value === value
      ? []
      : [`${answer.url()} ${name}: ${values.map((header) => header.value).join(' and ')}`];
  });
}
const cacheControl = (answer: APIResponse): string | undefined => answer.headers()['cache-control'];

test.describe('the production build', () => {
  test.use({ baseURL: production });

  test('each of its files comes with every header, and may be kept for ever or must be asked for again', async ({
    request,
  }) => {
    const faults: string[] = [];
    for (const file of files.filter((one) => one !== '/config.json')) {
      const answer = await request.get(file);
      const isHashed = file.startsWith('/assets/');
      const expected = isHashed ? 'public, max-age=31536000, immutable' : 'no-cache';
      if (!answer.ok()) faults.push(`${file}: ${answer.status()}`);
      if (cacheControl(answer) !== expected) faults.push(`${file}: ${cacheControl(answer) ?? 'kept at will'}`);
      faults.push(...(await wrong(answer)));
    }
    expect(faults).toEqual([]);
    expect(files.length).toBeGreaterThan(50);
    // A hash of letters, digits, - and _ before the extension: whoever keeps it for ever never has an old one.
    const unhashed = files.filter((file) => file.startsWith('/assets/') && !/-[\w-]{8}\.\w+(?:\.map)?$/.test(file));
    expect(unhashed).toEqual([]);
  });

  test('each address of a page is answered with the page and every header', async ({ request }) => {
    const faults: string[] = [];
    for (const route of routes) {
      const answer = await request.get(route, { headers: { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' } });
      expect(answer.status(), route).toBe(200);
      expect(answer.headers()['content-type'], route).toBe('text/html; charset=utf-8');
      expect(cacheControl(answer), route).toBe('no-cache');
      faults.push(...(await wrong(answer)));
    }
    expect(faults).toEqual([]);
  });

  test('what is not there is said to be missing and not kept, and the list of headers is not shown', async ({
    request,
  }) => {
    for (const file of ['/assets/index-00000000.js', '/icons/none.png', '/none.js', '/_headers']) {
      const answer = await request.get(file);
      expect(answer.status(), file).toBe(404);
      expect(cacheControl(answer) ?? '', file).not.toMatch(/immutable|max-age/);
    }
  });

  test('what the service answers is of the type it says, and kept by nobody', async ({ request }) => {
    for (const address of ['/config.json', '/api/policy', '/api/centres']) {
      const answer = await request.get(address);
      expect(answer.status(), address).toBe(200);
      expect(answer.headers()['content-type'], address).toMatch(/^application\/json/);
      expect(answer.headers()['x-content-type-options'], address).toBe('nosniff');
    }
  });

  test('its page is alone with itself: no other origin’s window, frame or resource is let in', async ({ page }) => {
    await page.goto('/');
    expect(await page.evaluate(() => [crossOriginIsolated, isSecureContext])).toEqual([true, true]);
  });
});

/** What the site's own server answers while a page works, but for what it has from the service behind. */
function answersOf(page: Page): Response[] {
  const answers: Response[] = [];
  page.on('response', (response) => {
    if (!/^\/(?:api|ca|demo|config\.json)/.test(new URL(response.url()).pathname)) answers.push(response);
  });
  return answers;
}

test('every answer that a renewal needs comes with every header', async ({ page, desk }) => {
  await desk({ scenario: 'due-30-days' });
  const answers = answersOf(page);
  await page.goto('/certificates');
  await page.getByRole('link', { name: '更新证书' }).click();
  await typePassword(page);
  await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();

  const own = answers.filter((response) => !response.fromServiceWorker() && !response.url().startsWith('data:'));
  expect(own.length).toBeGreaterThan(10);
  // The browser takes this one off what it has kept.
  const expected = Object.entries(headers).filter(([name]) => name !== 'Strict-Transport-Security');
  expect((await Promise.all(own.map((answer) => wrong(answer, expected)))).flat()).toEqual([]);
});
