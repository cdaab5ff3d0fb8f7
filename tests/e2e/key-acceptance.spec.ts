import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import type { ApduChannel } from '../../src/apdu/channel.ts';
import { grantedDevices } from '../../src/device/discovery.ts';
import { dialectDifferences } from '../../src/diagnosis/dialect-differences.ts';
import { replay } from '../../src/diagnosis/replay.ts';
import { readTranscript } from '../../src/diagnosis/transcript.ts';
import type { KeyState } from '../virtual-key/state.ts';
import { VirtualKey } from '../virtual-key/virtual-key.ts';
import { containersOf, expect, keyState, samplePassword, seen, test, typePassword } from './fixtures.ts';

const path = '/operator/key-acceptance';
const start = (page: Page) => page.getByRole('button', { name: '可以作废，开始验收' });

/** From the consent to the request to pull the key out. */
async function runUntilReplug(page: Page): Promise<void> {
  await start(page).click();
  await typePassword(page);
  await expect(seen(page, '请拔下 USBKEY。')).toBeVisible();
}

async function replug(page: Page): Promise<void> {
  await page.evaluate(() => window.virtualKey.unplug());
  await expect(seen(page, /请再插上同一个/)).toBeVisible();
  await page.evaluate(() => window.virtualKey.plug());
}

async function saved(page: Page): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: '保存记录' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^key-acceptance-055c-e618-\d{4}-\d\d-\d\d\.json$/);
  return readFile(await download.path(), 'utf8');
}

/** The transcript again with a key like the one of the page, in a browser's WebHID made for it. */
async function replayed(text: string, state: KeyState) {
  const virtual = new VirtualKey(state);
  virtual.grant();
  const { usb, hid } = virtual;
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { usb, hid } });
  const open = async (): Promise<ApduChannel> => {
    await virtual.unplug();
    await virtual.plug();
    const [device] = await grantedDevices();
    if (!device) throw new Error('no key');
    return device.openChannel();
  };
  const secrets = { password: new TextEncoder().encode(samplePassword), pinDigest: 'sha1' } as const;
  const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const outcome = await replay(readTranscript(text), { open, secrets, randomBytes });
  return { ...outcome, dialect: dialectDifferences(outcome, secrets) };
}

test('tries a key, has it pulled and plugged, removes its container; the record goes again with the virtual key', async ({
  page,
  desk,
}) => {
  await desk({ scenario: 'foreign' });
  await page.goto(path);
  await expect(start(page)).toBeVisible();
  const before = await keyState(page);

  await runUntilReplug(page);
  await replug(page);
  await expect(seen(page, '验收通过：每一项都和应有的一样。')).toBeVisible();
  await page.getByRole('button', { name: '删除验收用的容器' }).click();
  await typePassword(page);
  await expect(page.getByRole('listitem').filter({ hasText: '删除自己的容器' })).toContainText('通过');

  expect(containersOf(await keyState(page))).toEqual(containersOf(before));
  const text = await saved(page);
  const { exchanges, leftOut, dialect } = await replayed(text, before);
  expect(exchanges.length).toBeGreaterThan(50);
  expect(leftOut).toBe(0);
  expect(dialect).toEqual({ known: [], unexplained: [] });
  // Nothing of the key that is not a model's: serial number, holder, names.
  for (const { name } of before.applications) expect(text).not.toContain(Buffer.from(name).toString('hex'));
  expect(text).not.toContain(before.info.serialNumber);
  expect(text).not.toContain(Buffer.from(before.info.serialNumber).toString('hex'));
});

test('names the holder where there is a certificate on the key, and is reached from the page about the site', async ({
  page,
  desk,
}) => {
  await desk({ scenario: 'due-30-days' });
  await page.goto('/about');
  await page.getByRole('link', { name: 'USBKEY 验收' }).click();

  await expect(seen(page, /里面有“.+”的证书，请核对/)).toBeVisible();
});

test('a key that is pulled out in the middle is checked and cleaned up when it is back', async ({ page, desk }) => {
  await desk({ scenario: 'due-30-days' });
  await page.goto(path);
  const before = await keyState(page);
  await start(page).click();
  // While it generates the key pair: after the container was written.
  await page.evaluate(() => window.virtualKey.unplugAtWrite(2, 'before'));
  await typePassword(page);

  await expect(seen(page, /请再插上同一个/)).toBeVisible();
  await expect(page.getByRole('listitem').filter({ hasText: '生成密钥对' })).toContainText('USBKEY 断开了');
  await page.evaluate(() => window.virtualKey.plug());
  await expect(page.getByRole('listitem').filter({ hasText: '核对都在' })).toContainText('通过');
  await page.getByRole('button', { name: '删除验收用的容器' }).click();
  await typePassword(page);
  await expect(page.getByRole('listitem').filter({ hasText: '删除自己的容器' })).toContainText('通过');

  expect(containersOf(await keyState(page))).toEqual(containersOf(before));
});

test('another key in its place is left alone', async ({ page, desk }) => {
  await desk({ scenario: 'empty' });
  await page.goto(path);
  await runUntilReplug(page);

  await page.evaluate(() => window.virtualKey.reset('due-30-days', 'longmai-hid'));

  await expect(seen(page, /这不是刚才的 USBKEY/)).toBeVisible();
  const other = await keyState(page);
  expect(containersOf(other).filter(({ name }) => name.startsWith('T'))).toEqual([]);
});

test('tries a PIV key too', async ({ page, desk }) => {
  await desk({ scenario: 'due-30-days', attachment: 'canokey', commandSet: 'piv' });
  await page.goto(path);
  const before = (await keyState(page)).piv;
  await runUntilReplug(page);
  await replug(page);

  await expect(seen(page, '验收通过：每一项都和应有的一样。')).toBeVisible();
  await expect(page.getByRole('listitem').filter({ hasText: '签原文' })).toContainText('没有这项功能');
  const now = (await keyState(page)).piv;
  expect(now?.slots).toHaveLength((before?.slots.length ?? 0) + 1);
  expect(now?.slots).toEqual(expect.arrayContaining(before?.slots ?? []));
});
