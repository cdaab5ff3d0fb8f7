import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { BrowserContext, Page } from '@playwright/test';
import { listen, type Listening } from '../demo/listen.ts';
import { demoDirectory } from '../demo/options.ts';
import { createDemoServer } from '../demo/server.ts';
import { staticFiles } from '../demo/static-files.ts';
import { ContentShelf } from '../operator-api/content.ts';
import { openOperator } from '../operator-api/operator.ts';
import { openReferenceCa, type ReferenceCa } from '../reference-ca/reference-ca.ts';
import { expect, test } from './fixtures.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const keyId = 'e2e';
const contentKeys = [
  { keyId, algorithm: 'ed25519', publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') },
];
const shelf = new ContentShelf();
const now = Date.now();
const hour = 3_600_000;
const message = {
  id: 'line-down',
  text: {
    'zh-CN': '今天下午 95105345 检修，请拨打 022-00000000。',
    en: '95105345 is being repaired; call 022-00000000.',
  },
  from: new Date(now - hour).toISOString(),
  until: new Date(now + hour).toISOString(),
};

let ca: ReferenceCa;
let site: Listening;
test.beforeAll(async () => {
  publish('guidance', pack('guidance', 1, {}));
  publish('faq', pack('faq', 1, { entries: [] }));
  ca = await openReferenceCa({});
  const operator = openOperator(
    true,
    { content: shelf, messages: () => [message] },
    {
      contentKeys,
      hotlineMessages: true,
      hotlines: [{ number: '022-00000000' }, { number: '95105345-2' }],
      icp: { record: '津ICP备00000000号', link: 'https://beian.miit.gov.cn/' },
      maps: ['amap'],
    },
  );
  site = await listen(() => createDemoServer(ca, staticFiles(demoDirectory), { demo: true, operator }), {
    port: 0,
    strictPort: true,
    host: '127.0.0.1',
  });
});
test.afterAll(async () => {
  await site.close();
  await ca.close();
});

interface Made {
  readonly bytes: Uint8Array;
  readonly manifest: Record<string, unknown>;
}
function pack(kind: 'guidance' | 'faq', version: number, content: unknown): Made {
  const bytes = Buffer.from(JSON.stringify({ kind, version, publishedAt: '2026-11-22T08:00:00+08:00', content }));
  const manifest = {
    ...{ kind, version, keyId, size: bytes.length, url: `/api/content/${kind}/${version}` },
    sha256: createHash('sha256').update(bytes).digest('hex'),
    signature: sign(null, bytes, privateKey).toString('base64'),
  };
  return { bytes, manifest };
}
const publish = (kind: 'guidance' | 'faq', { manifest, bytes }: Made): void =>
  shelf.publish(kind, JSON.stringify(manifest), bytes);

/** Opens a page and waits until it has looked for newer content and kept what it found out. */
async function visit(page: Page, path: string): Promise<void> {
  const before = await lastLook(page);
  await page.goto(site.url + path.slice(1));
  await expect.poll(() => lastLook(page), { timeout: 30_000 }).toBeGreaterThan(before);
}
async function lastLook(page: Page): Promise<number> {
  if (!page.url().startsWith('http')) return 0;
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const open = indexedDB.open('casupport-cache');
        open.onerror = () => resolve(0);
        open.onsuccess = () => {
          const database = open.result;
          if (!database.objectStoreNames.contains('packChecks')) {
            database.close();
            resolve(0);
            return;
          }
          const all = database.transaction('packChecks').objectStore('packChecks').get('faq');
          all.onsuccess = () => {
            const check = all.result as { checkedAt: number } | undefined;
            database.close();
            resolve(check?.checkedAt ?? 0);
          };
        };
      }),
  );
}
const fee = (page: Page): ReturnType<Page['getByText']> => page.getByText(/USBKEY 介质费 \d+ 元，核验通过后/);
const stateOf = (page: Page): ReturnType<Page['locator']> => page.locator('[data-pack="guidance"]');
const online = async (context: BrowserContext, is: boolean): Promise<void> => context.setOffline(!is);

test('a changed number shows, says so, and stays as it was whatever comes that is not right', async ({
  page,
  context,
  problems,
}) => {
  test.setTimeout(180_000);
  await test.step('as the guide has it', async () => {
    publish('guidance', pack('guidance', 2, { numbers: { replacementFeeFen: 3000 } }));
    await visit(page, '/guide/replace');
    await expect(fee(page)).toHaveText(/26 元/);
  });
  await test.step('from the next start of the page on', async () => {
    await page.reload();
    await expect(fee(page)).toHaveText(/30 元/);
    const notice = page.getByText('规则已更新');
    await expect(notice).toBeVisible();
    await expect(page.getByText('USBKEY 介质费：原来 26 元，现在 30 元。')).toBeVisible();
    await page.goto(`${site.url}guide/unlock`);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(notice).toHaveCount(0);
  });

  const next = pack('guidance', 3, { numbers: { replacementFeeFen: 100 } });
  const refused: readonly (readonly [string, Made])[] = [
    ['hash', { ...next, bytes: Buffer.from(next.bytes).fill(0x20, 60, 61) }],
    ['size', { ...next, bytes: next.bytes.slice(0, -7) }],
    ['olderVersion', pack('guidance', 1, { numbers: { replacementFeeFen: 100 } })],
    ['content', pack('guidance', 4, { numbers: { replacementFeeFen: -1 } })],
  ];
  for (const [reason, made] of refused)
    await test.step(`refused: ${reason}`, async () => {
      publish('guidance', made);
      await visit(page, '/about');
      await page.reload();
      await expect(stateOf(page)).toHaveAttribute('data-refused', reason);
      await expect(stateOf(page)).toContainText('在用第 2 版');
      await page.goto(`${site.url}guide/replace`);
      await expect(fee(page)).toHaveText(/30 元/);
    });

  await test.step('and offline', async () => {
    await online(context, false);
    await page.reload();
    await expect(fee(page)).toHaveText(/30 元/);
    await online(context, true);
    // The browser says of each request that there was no network.
    const others = problems.filter((problem) => !problem.includes('ERR_INTERNET_DISCONNECTED'));
    problems.splice(0, problems.length, ...others);
  });
  await test.step('a good one ends the notice', async () => {
    publish('guidance', next);
    await visit(page, '/about');
    await page.reload();
    await expect(stateOf(page)).toContainText('在用第 3 版');
    await expect(stateOf(page)).not.toHaveAttribute('data-refused');
  });
});

test('published questions are found, read and withdrawn', async ({ page }) => {
  const text = (zh: string, en: string): Record<string, string> => ({ 'zh-CN': zh, en });
  publish(
    'faq',
    pack('faq', 2, {
      entries: [
        {
          ...{ id: 'parking', topic: 'service', question: text('网点可以停车吗？', 'Is there parking?') },
          answer: { 'zh-CN': ['西门有停车场。'], en: ['At the west gate.'] },
          pinyin: ['wang dian ke yi ting che ma'],
        },
      ],
      withdrawn: ['report-loss'],
    }),
  );
  await visit(page, '/');
  await page.goto(`${site.url}faq?q=tingche`);
  await page.getByRole('link', { name: /网点可以停车吗/ }).click();
  await expect(page.getByText('西门有停车场。')).toBeVisible();
  await page.goto(`${site.url}faq/report-loss`);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'USBKEY 丢了要挂失吗？' })).toHaveCount(0);
});

test('hot-lines, record and messages are the operator’s', async ({ page }) => {
  await visit(page, '/');
  const foot = page.getByRole('contentinfo');
  await expect(foot.getByRole('link', { name: '022-00000000' })).toHaveAttribute('href', 'tel:02200000000');
  await expect(foot.getByRole('link', { name: '95105345-2' })).toHaveAttribute('href', 'tel:95105345,2');
  await expect(foot.getByText('接通后按 2')).toBeVisible();
  await expect(foot.getByRole('link', { name: '津ICP备00000000号' })).toHaveAttribute('href', /^https:\/\/beian/);
  await expect(foot.getByText('400-880-9888')).toHaveCount(0);
  await expect(page.getByText(message.text['zh-CN'])).toBeVisible();
});
