import type { Page } from '@playwright/test';
import { expect, keyState, seen, test, typePassword, type KeyOnDesk } from './fixtures.ts';
import { stringsWith } from './parts/memory.ts';
import { everythingStored } from './parts/storage.ts';

/* Canaries: passwords that occur nowhere else. After each flow nothing of them may be left. */

const wrong = 'Zq7#wK9!';
const right = 'Vx4%tM2?';

/** Everything that leaves the page or is written down about it, as it happens. */
function listen(page: Page): () => string {
  const heard: string[] = [];
  page.on('console', (message) => heard.push(message.text()));
  page.on('request', (request) => {
    heard.push(request.url(), JSON.stringify(request.headers()), request.postDataBuffer()?.toString('latin1') ?? '');
  });
  return () => heard.join('\n');
}

/** Gives the key on the desk the canary for its password. */
async function givePassword(page: Page): Promise<void> {
  await page.goto('/about');
  await keyState(page);
  await page.evaluate((password) => {
    const saved = localStorage.getItem('virtual-key') ?? '';
    const changed = saved.replace(/"(userPassword|pin)":"[^"]*"/g, (_, name: string) => `"${name}":"${password}"`);
    if (changed === saved) throw new Error('the key has no password');
    localStorage.setItem('virtual-key', changed);
  }, right);
}

/** As a person does: key by key, so that the test itself leaves no string behind. */
async function typeKeys(page: Page, password: string): Promise<void> {
  await page.getByLabel('密码', { exact: false }).and(page.locator('input')).focus();
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
}

const occurrences = (text: string, part: string): number => text.split(part).length - 1;

async function expectNothingLeft(page: Page, heard: () => string): Promise<void> {
  for (const password of [wrong, right]) {
    expect(heard()).not.toContain(password);
    const shown = await page.evaluate(() =>
      [document.documentElement.outerHTML, ...Array.from(document.querySelectorAll('input'), (i) => i.value)].join(),
    );
    expect(shown).not.toContain(password);
    // The key itself knows its password, and is kept in this browser's storage, being no real one.
    const ofKey = await page.evaluate(() => JSON.stringify(localStorage.getItem('virtual-key')));
    expect(occurrences(await everythingStored(page), password)).toBe(occurrences(ofKey, password));
  }
  // The right one is in the virtual key's own memory.
  expect(await stringsWith(page, wrong)).toEqual([]);
}

const keys: readonly KeyOnDesk[] = [
  { scenario: 'due-30-days' },
  { scenario: 'due-30-days', attachment: 'ccid-short' },
  { scenario: 'due-30-days', attachment: 'canokey', commandSet: 'piv' },
];
for (const key of keys)
  test(`${key.commandSet ?? 'gmt0017'} over ${key.attachment ?? 'longmai-hid'}: a wrong and a right password leave nothing behind`, async ({
    page,
    desk,
  }) => {
    const heard = listen(page);
    await desk(key);
    await givePassword(page);
    await page.goto('/certificates');
    await page.getByRole('link', { name: /更新证书/ }).click();
    await typeKeys(page, wrong);
    await expect(seen(page, /密码不对，还可以试/)).toBeVisible();
    await typeKeys(page, right);
    await expect(seen(page, /证书已更新/)).toBeVisible();

    await expectNothingLeft(page, heard);
  });

test('a key pulled out in the middle leaves no password behind either', async ({ page, desk }) => {
  const heard = listen(page);
  await desk({ scenario: 'due-30-days' });
  await givePassword(page);
  await page.goto('/certificates');
  await page.getByRole('link', { name: /更新证书/ }).click();
  await typeKeys(page, wrong);
  await expect(seen(page, /密码不对，还可以试/)).toBeVisible();
  await page.evaluate(() => window.virtualKey.unplugAtWrite(1, 'after'));
  await typeKeys(page, right);
  await expect(page.locator('input[type=password]')).toHaveCount(0);
  await expect(seen(page, 'USBKEY 断开了。')).toBeVisible();

  await expectNothingLeft(page, heard);
});

test('a management key leaves nothing behind', async ({ page, desk }) => {
  const typed = 'c4a7e91d5b2f8063c4a7e91d5b2f8063c4a7e91d5b2f8063';
  const heard = listen(page);
  await desk({ scenario: 'expired', attachment: 'canokey', commandSet: 'piv', algorithm: 'sm2' });
  await page.goto('/renew');
  await typePassword(page);
  await expect(page.getByLabel('管理密钥', { exact: true })).toBeVisible();
  await page.getByLabel('管理密钥', { exact: true }).focus();
  await page.keyboard.type(typed);
  await page.keyboard.press('Enter');
  await expect(seen(page, '管理密钥不对。证书没有变化。')).toBeVisible();

  expect(heard()).not.toContain(typed);
  expect(await everythingStored(page)).not.toContain(typed);
  expect(await page.content()).not.toContain(typed);
  expect(await stringsWith(page, typed)).toEqual([]);
});

test('what is looked for in memory is found where it is', async ({ page }) => {
  await page.goto('/about');
  await page.evaluate((parts) => {
    Object.assign(window, { kept: new Map([['password', parts.join('')]]) });
  }, Array.from(wrong));

  expect(await stringsWith(page, wrong)).toEqual([wrong]);
});
