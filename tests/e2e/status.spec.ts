import { createServer, type Server } from 'node:http';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { fromHex } from '../../src/pki/bytes.ts';
import { listen, type Listening } from '../demo/listen.ts';
import { backHandlers } from '../demo/server.ts';
import { staticFiles } from '../demo/static-files.ts';
import { answerWith, send, type RequestHandler } from '../reference-ca/http.ts';
import { openReferenceCa, type ReferenceCa } from '../reference-ca/reference-ca.ts';
import { containersOf, expect, keyState, seen, test } from './fixtures.ts';

const repository = path.resolve(import.meta.dirname, '../..');
const goodLine = /^没有被吊销（证书机构 .+ 的记录）$/;
const renewNow = '证书还有 30 天到期，现在就可以更新。';

let ca: ReferenceCa;
let server: Listening;
/** Comes before the authority's own answers about certificates. */
let instead: RequestHandler;

test.beforeEach(async () => {
  ca = await openReferenceCa();
  instead = () => Promise.resolve(false);
  const make = (): Server =>
    createServer(
      answerWith(
        (request, response) => instead(request, response),
        ...backHandlers(ca, { demo: true }),
        staticFiles(path.join(repository, 'dist')),
      ),
    );
  server = await listen(make, { port: 0, strictPort: true, host: '127.0.0.1' });
});
test.afterEach(async ({ page }) => {
  // It may still be fetching for later.
  await page.close();
  await server.close();
  await ca.close();
});

/** After the key has been laid on the desk. */
async function open(page: Page): Promise<void> {
  await page.addInitScript({ path: path.join(repository, 'node_modules/.cache/demo/virtual-key.js') });
  await page.goto(new URL('/certificates', server.url).href);
}
const isStatus = (url: string | undefined): boolean => /^\/api\/(?:ocsp|crl\/)/.test(url ?? '');

test('says that a certificate is not revoked, and once it is, that, and what to do', async ({ page, desk }) => {
  await desk({ scenario: 'due-30-days' });
  await open(page);
  await expect(seen(page, renewNow)).toBeVisible();
  await expect(page.getByText(goodLine)).toBeVisible();

  const certificate = containersOf(await keyState(page))[0]?.signing?.certificate ?? '';
  await ca.revoke(fromHex(certificate), 'keyCompromise');
  await page.reload();

  await expect(seen(page, /^这张证书已被证书机构吊销，不能再用，也不能在线更新。/)).toBeVisible();
  await expect(page.getByText(/被证书机构吊销，不能再用（密钥可能已泄露）$/)).toBeVisible();
  await expect(page.getByRole('link', { name: /^致电热线/ })).toBeVisible();
  await expect(page.getByRole('link', { name: '更新证书', exact: true })).toBeHidden();
});

test('lets nobody wait for the answer', async ({ page, desk }) => {
  // It never comes.
  instead = (request) => (isStatus(request.url) ? new Promise(() => undefined) : Promise.resolve(false));
  await desk({ scenario: 'due-30-days' });
  await open(page);
  await expect(page.getByText('正在向证书机构查询…')).toBeVisible();
  await expect(seen(page, renewNow)).toBeVisible();
  await expect(page.getByRole('link', { name: '更新证书', exact: true })).toBeVisible();
});

test('says that it is not known where the answer is none', async ({ page, desk }) => {
  instead = (request, response) => {
    if (!isStatus(request.url)) return Promise.resolve(false);
    const type = request.method === 'POST' ? 'application/ocsp-response' : 'application/pkix-crl';
    send(response, 200, type, Uint8Array.of(1, 2, 3));
    return Promise.resolve(true);
  };
  await desk({ scenario: 'due-30-days' });
  await open(page);
  await expect(page.getByText('没有查到，收到的答复核对不上，没有采信。', { exact: false })).toBeVisible();
  await expect(seen(page, renewNow)).toBeVisible();
});
