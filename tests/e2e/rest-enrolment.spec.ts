import { createServer, type Server } from 'node:http';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { fromHex, toHex } from '../../src/pki/bytes.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { listen, type Listening } from '../demo/listen.ts';
import type { AuthorityKind } from '../demo/options.ts';
import { backHandlers } from '../demo/server.ts';
import { staticFiles } from '../demo/static-files.ts';
import { answerWith, requestUrl, type RequestHandler } from '../reference-ca/http.ts';
import { openReferenceCa, type ReferenceCa } from '../reference-ca/reference-ca.ts';
import { containersOf, expect, keyState, seen, test, typePassword } from './fixtures.ts';

/* The same page, the same key, an authority that does not speak CMP. */

const repository = path.resolve(import.meta.dirname, '../..');

let ca: ReferenceCa;
let server: Listening | undefined;
/** Paths below /ca that were asked for. */
let asked: string[];

test.beforeEach(async () => {
  ca = await openReferenceCa();
  asked = [];
});
test.afterEach(async ({ page }) => {
  // It may still be fetching for later.
  await page.close();
  await server?.close();
  await ca.close();
});

/** The site in front of an authority; to be opened after the key has been laid on the desk. */
async function open(page: Page, authority: AuthorityKind): Promise<void> {
  const listening: RequestHandler = (request) => {
    const { pathname } = requestUrl(request);
    if (pathname.startsWith('/ca/')) asked.push(pathname.replace(/[0-9a-f]{32}/u, '…'));
    return Promise.resolve(false);
  };
  const make = (): Server =>
    createServer(
      answerWith(listening, ...backHandlers(ca, { demo: true, authority }), staticFiles(path.join(repository, 'dist'))),
    );
  server = await listen(make, { port: 0, strictPort: true, host: '127.0.0.1' });
  await page.addInitScript({ path: path.join(repository, 'node_modules/.cache/demo/virtual-key.js') });
  await page.goto(new URL('/certificates', server.url).href);
}

for (const [authority, form] of [
  ['rest', 'PKCS #10'],
  ['rest-cfca', 'CFCA’s request'],
] as const)
  test(`renews both certificates by ${form} over a plain API`, async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await open(page, authority);
    await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
    const [before] = containersOf(await keyState(page));

    await page.getByRole('link', { name: '更新证书', exact: true }).click();
    await typePassword(page);
    await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();

    const [old, made] = containersOf(await keyState(page));
    const certificate = fromHex(made?.signing?.certificate ?? '');
    expect(old).toEqual(before);
    expect(ca.ledger.certificate(certificate)).toMatchObject({ status: 'valid', usage: 'signing' });
    const encryption = fromHex(made?.encryption?.certificate ?? '');
    expect(ca.ledger.certificate(encryption)).toMatchObject({ status: 'valid', usage: 'encryption' });
    expect(made?.encryption?.publicKey).toBe(toHex(parseCertificate(encryption).spki.slice(-64)));
    // CFCA's request writes the name in BMPStrings, two bytes to a letter; PKCS #10 as it stands in the old certificate.
    const { subject } = parseCertificate(certificate);
    const wide = Buffer.from('91120100MA', 'utf16le').swap16();
    expect(Buffer.from(subject.der).includes(wide)).toBe(authority === 'rest-cfca');
    const enrolments = '/ca/rest/enrolments';
    const others = [`${enrolments}/…`, `${enrolments}/…/encryption`, `${enrolments}/…/confirmation`];
    expect(asked[0]).toBe(enrolments);
    expect(asked.at(-1)).toBe(`${enrolments}/…/confirmation`);
    expect([enrolments, ...others]).toEqual(expect.arrayContaining(asked));
    expect(asked.filter((path) => path.endsWith('/encryption'))).toHaveLength(1);
  });

test('left for later while it is busy, it is gone on with', async ({ page, desk, problems }) => {
  await desk({ scenario: 'due-30-days' });
  await open(page, 'rest');
  const place = '**/ca/rest/**';
  await page.route(place, (route) => route.fulfill({ status: 503, headers: { 'Retry-After': '120' } }));
  await page.getByRole('link', { name: '更新证书', exact: true }).click();
  await typePassword(page);
  await page.getByRole('button', { name: '先停下，以后接着办' }).click();
  await expect(seen(page, '已停下，办理的进度都记着。')).toBeVisible();
  const [, half] = containersOf(await keyState(page));
  await page.unroute(place);

  await page.getByRole('button', { name: '接着办' }).click();

  await typePassword(page);
  await expect(seen(page, /证书已更新/)).toBeVisible();
  expect(containersOf(await keyState(page))[1]?.name).toBe(half?.name);
  const issued = ca.ledger.certificatesOf('sm2').filter(({ transactionId }) => transactionId !== undefined);
  expect(issued.map(({ usage }) => usage)).toEqual(['signing', 'encryption']);
  problems.splice(0, problems.length, ...problems.filter((problem) => !problem.includes('503')));
});

test('goes on after a reload while the authority takes its time', async ({ page, desk }) => {
  await desk({ scenario: 'ca-waits' });
  await open(page, 'rest-cfca');
  await page.getByRole('link', { name: /更新证书/ }).click();
  await typePassword(page);
  await expect(seen(page, /证书机构正在处理/)).toBeVisible();
  const [, half] = containersOf(await keyState(page));
  page.on('dialog', (dialog) => void dialog.accept());
  await page.reload();
  await page.goto(new URL('/certificates', server?.url).href);
  await page.getByRole('link', { name: '继续办理' }).click();
  await typePassword(page);
  await expect(seen(page, /证书已更新/)).toBeVisible();
  const after = containersOf(await keyState(page));
  expect(after).toHaveLength(2);
  expect(after[1]?.name).toBe(half?.name);
  const issued = ca.ledger.certificatesOf('sm2').filter(({ transactionId }) => transactionId !== undefined);
  expect(issued.map(({ usage, status }) => [usage, status])).toEqual([
    ['signing', 'valid'],
    ['encryption', 'valid'],
  ]);
});
