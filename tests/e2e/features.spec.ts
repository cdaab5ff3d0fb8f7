import { readFile } from 'node:fs/promises';
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, keyState, seen, test, typePassword } from './fixtures.ts';
import { holdInAnotherTab } from './parts/devices.ts';

const bar = (page: Page): ReturnType<Page['getByRole']> => page.getByRole('complementary', { name: 'USBKEY 的情况' });
const plug = (page: Page): Promise<void> => page.evaluate(() => window.virtualKey.plug());
const unplug = (page: Page): Promise<void> => page.evaluate(() => window.virtualKey.unplug());
const stored = (page: Page): Promise<string[]> => page.evaluate(() => Object.keys(localStorage).sort());

/** The rows of a store in the user's database. */
const rows = (page: Page, store: string): Promise<unknown[]> =>
  page.evaluate(
    (name) =>
      new Promise<unknown[]>((resolve, reject) => {
        const opening = indexedDB.open('casupport-user');
        opening.onerror = () => reject(new Error('the database does not open'));
        opening.onsuccess = () => {
          const database = opening.result;
          if (!database.objectStoreNames.contains(name)) {
            database.close();
            resolve([]);
            return;
          }
          const asking = database.transaction(name).objectStore(name).getAll();
          asking.onsuccess = () => {
            database.close();
            resolve(asking.result as unknown[]);
          };
        };
      }),
    store,
  );

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
}

test.describe('a key that is plugged in', () => {
  test('is read on any page, says how it stands and offers what is due; nothing is written', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days', plugged: false });
    await page.goto('/faq');
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await plug(page);

    await expect(bar(page).getByText('证书还有 30 天到期，现在就可以更新。')).toBeVisible();
    await expectAccessible(page);
    const before = await keyState(page);
    await bar(page).getByRole('link', { name: '更新证书' }).click();

    await expect(page).toHaveURL('/renew');
    await expect(page.locator('input[type=password]')).toBeVisible();
    await expect(bar(page)).toHaveCount(0);
    expect(await keyState(page)).toEqual(before);
  });

  test('offers the upgrade where that is due, and moves nothing on the page', async ({ page, desk }) => {
    await desk({ scenario: 'old-issuer', plugged: false });
    await page.goto('/guide');
    const heading = page.getByRole('heading', { level: 1 });
    const places = async (): Promise<unknown> => [
      await heading.boundingBox(),
      await page.locator('footer').boundingBox(),
    ];
    await expect(page.locator('main')).toHaveAttribute('aria-busy', 'false');
    const before = await places();
    await plug(page);

    await expect(bar(page).getByRole('link', { name: '升级证书' })).toBeVisible();
    expect(await places()).toEqual(before);
  });

  test('is not spoken of again until it is unplugged', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await page.goto('/centres');
    await bar(page).getByRole('button', { name: '暂不办理' }).click();
    await expect(bar(page)).toHaveCount(0);
    await page.getByRole('link', { name: '业务指南' }).first().click();
    await expect(page).toHaveURL('/guide');
    await expect(bar(page)).toHaveCount(0);

    await unplug(page);
    await plug(page);

    await expect(bar(page)).toBeVisible();
  });

  test('gives the home page its state, in a place that was kept for it', async ({ page, desk }) => {
    await desk({ scenario: 'not-due', plugged: false });
    await page.goto('/');
    const button = page.getByRole('link', { name: '连接 USBKEY' });
    const before = await button.boundingBox();
    await plug(page);

    await expect(page.getByRole('main').getByText(/证书有效期到 .*现在不用办理。.* 起可以更新。/)).toBeVisible();
    const after = await page.getByRole('link', { name: 'USBKEY 已插入，检查我的证书' }).boundingBox();
    expect(after?.y).toBe(before?.y);
    await unplug(page);
    await expect(page.getByRole('main').getByText(/起可以更新/)).toHaveCount(0);
  });

  test('speaks English', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await page.goto('/faq');
    await page.getByRole('button', { name: 'Switch to English' }).click();
    const aside = page.getByRole('complementary', { name: 'Your USBKEY' });
    await expect(aside.getByText('The certificate expires in 30 days; it can be renewed now.')).toBeVisible();
    await expect(aside.getByRole('button', { name: 'Not now' })).toBeVisible();
  });
});

test.describe('a bookkeeper with many keys', () => {
  test('reads one after the other without a reload, and keeps nothing unasked', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates');
    await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
    expect(await rows(page, 'keyList')).toEqual([]);

    await page.getByRole('button', { name: '换下一个 USBKEY' }).click();
    await expect(page.getByText('请拔下这个 USBKEY。')).toBeVisible();
    await unplug(page);
    await expect(page.getByText(/请插上下一个 USBKEY/)).toBeVisible();
    await expect(page.getByRole('button', { name: '连接 USBKEY' })).toBeVisible();
    await page.evaluate(() => window.virtualKey.reset('not-due', 'longmai-hid'));
    await plug(page);

    await expect(seen(page, /现在不用办理/)).toBeVisible();
    expect(await rows(page, 'keyList')).toEqual([]);
  });

  test('keeps a list on request: sorted, masked, in one calendar, and removed again', async ({ page, desk }) => {
    await desk({ scenario: 'not-due' });
    await page.goto('/certificates');
    await page.getByRole('checkbox', { name: '记在本机' }).check();
    const list = page.getByRole('region', { name: 'USBKEY 清单' });
    await expect(list.getByRole('listitem')).toHaveCount(1);
    await page.getByRole('button', { name: '换下一个 USBKEY' }).click();
    await unplug(page);
    await page.evaluate(() => window.virtualKey.reset('due-30-days', 'longmai-hid'));
    await plug(page);
    await expect(list.getByRole('listitem')).toHaveCount(2);

    await expect(list.getByRole('listitem').first()).toContainText('可以更新');
    await list.getByRole('button', { name: /先到期的在前/ }).click();
    await expect(list.getByRole('listitem').first()).toContainText('现在不用办理');
    const serial = (await keyState(page)).info.serialNumber;
    const kept = JSON.stringify(await rows(page, 'keyList'));
    expect(kept).not.toContain(serial);
    expect(kept).toContain('***');
    await expectAccessible(page);

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      list.getByRole('button', { name: '全部加入日历' }).click(),
    ]);
    const calendar = await readFile(await download.path(), 'utf8');
    expect(calendar.match(/BEGIN:VCALENDAR/g)).toHaveLength(1);
    expect(calendar.match(/UID:[0-9a-f]{24}-last-day@/g)).toHaveLength(2);

    await list.getByRole('button', { name: /^移除/ }).first().click();
    await expect(list.getByRole('listitem')).toHaveCount(1);
    await list.getByRole('button', { name: '全部移除' }).click();
    await list.getByRole('button', { name: '确定全部移除' }).click();
    await expect(list.getByRole('listitem')).toHaveCount(0);
    expect(await rows(page, 'keyList')).toEqual([]);
  });

  test('sees the list without a key, and prints it alone', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates');
    await page.getByRole('checkbox', { name: '记在本机' }).check();
    await expect(page.getByRole('region', { name: 'USBKEY 清单' }).getByRole('listitem')).toHaveCount(1);
    await unplug(page);
    await page.reload();
    const list = page.getByRole('region', { name: 'USBKEY 清单' });
    await expect(list.getByRole('listitem')).toHaveCount(1);

    await page.evaluate(() => (window.print = () => undefined));
    await list.getByRole('button', { name: '打印清单' }).click();
    await page.emulateMedia({ media: 'print' });

    await expect(list.getByRole('listitem')).toBeVisible();
    await expect(page.getByRole('heading', { name: /上次读取的证书/ })).toBeHidden();
    await expect(list.getByRole('button')).toHaveCount(0);
  });
});

test.describe('a centre’s computer', () => {
  test('keeps nothing of a person, and forgets the visit at the end', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates?kiosk');
    await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
    await page.getByRole('button', { name: '大字版' }).click();
    await expectAccessible(page);
    expect((await stored(page)).filter((name) => name.startsWith('casupport.'))).toEqual([]);
    expect(await rows(page, 'readings')).toEqual([]);
    await expect(page.getByRole('checkbox', { name: '记在本机' })).toHaveCount(0);

    await page.getByRole('link', { name: '更新证书' }).first().click();
    await typePassword(page);
    await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();
    expect(await rows(page, 'transactions')).toHaveLength(1);
    await unplug(page);
    await page.getByRole('button', { name: '结束' }).click();

    await expect(page).toHaveURL('/');
    await expect(page.getByRole('button', { name: '结束' })).toBeVisible();
    await expect(page.locator('html')).not.toHaveAttribute('data-type');
    expect(await rows(page, 'transactions')).toEqual([]);
    await page.goBack();
    await expect(page.getByRole('button', { name: '结束' })).toBeVisible();
    await expect(page.getByText(/证书已更新/)).toHaveCount(0);
  });

  test('asks after 100 s without anybody, goes on with whoever answers, and clears 20 s later', async ({
    page,
    desk,
  }) => {
    await page.clock.install();
    await desk({ scenario: 'due-30-days', plugged: false });
    await page.goto('/letter?kiosk');
    await page.getByLabel('公司名称').fill('某某科技有限公司');
    await expect(page.getByRole('button', { name: '结束' })).toBeVisible();
    await page.keyboard.press('Tab');

    await page.clock.fastForward(99_000);
    await expect(page.getByRole('alertdialog')).toHaveCount(0);
    await page.clock.runFor(1_500);
    await expect(page.getByRole('alertdialog')).toBeVisible();
    await expectAccessible(page);
    await page.getByRole('button', { name: '继续使用' }).click();
    await expect(page.getByRole('alertdialog')).toHaveCount(0);
    await expect(page.getByLabel('公司名称')).toHaveValue('某某科技有限公司');

    await page.clock.runFor(101_000);
    await expect(page.getByRole('alertdialog')).toBeVisible();
    await page.clock.runFor(21_000);
    await expect(page).toHaveURL('/');
    await page.goto('/letter');
    await expect(page.getByLabel('公司名称')).toHaveValue('');
  });

  test('is not cleared while a certificate is being made', async ({ page, desk }) => {
    await desk({ scenario: 'ca-waits' });
    await page.goto('/certificates?kiosk');
    await page.getByRole('link', { name: '更新证书' }).first().click();
    await expect(page.locator('input[type=password]')).toBeVisible();
    await page.clock.install();
    await typePassword(page);
    await expect(seen(page, /证书机构正在处理/)).toBeVisible();
    await page.clock.fastForward(300_000);
    await expect(page.getByRole('alertdialog')).toHaveCount(0);
    await expect(page).toHaveURL('/renew');
  });

  test('is an ordinary page again after ?kiosk=off', async ({ page }) => {
    await page.goto('/?kiosk');
    await expect(page.getByRole('button', { name: '结束' })).toBeVisible();
    await page.goto('/guide');
    await expect(page.getByRole('button', { name: '结束' })).toBeVisible();
    await page.goto('/?kiosk=off');
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByRole('button', { name: '结束' })).toHaveCount(0);
  });
});

test.describe('清除本机数据', () => {
  test('says what is kept and clears it', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates');
    await page.getByRole('checkbox', { name: '记在本机' }).check();
    await expect(page.getByRole('region', { name: 'USBKEY 清单' }).getByRole('listitem')).toHaveCount(1);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await unplug(page);
    await page.getByRole('button', { name: '清除本机数据' }).click();
    const dialog = page.getByRole('dialog', { name: '清除本机数据' });
    await expect(dialog).toContainText('1 个');
    await expectAccessible(page);

    await dialog.getByRole('button', { name: '清除', exact: true }).click();

    await expect(dialog.getByText('已清除。')).toBeVisible();
    expect(await rows(page, 'keyList')).toEqual([]);
    expect(await rows(page, 'readings')).toEqual([]);
    expect((await stored(page)).filter((name) => name.startsWith('casupport.'))).toEqual([]);
    expect(await page.evaluate(() => caches.keys())).toEqual([]);
    await dialog.getByRole('button', { name: '完成' }).click();
    await expect(page).toHaveURL('/');
  });

  test('keeps an unfinished renewal unless it is given up in words', async ({ page, desk }) => {
    await desk({ scenario: 'ca-waits' });
    await page.goto('/certificates');
    await page.getByRole('link', { name: '更新证书' }).first().click();
    await typePassword(page);
    await expect(seen(page, /证书机构正在处理/)).toBeVisible();
    await page.getByRole('button', { name: '清除本机数据' }).click();
    const dialog = page.getByRole('dialog', { name: '清除本机数据' });
    await expect(dialog.getByText('正在办理，现在不能清除。请等办理结束。')).toBeVisible();
    await expect(dialog.getByRole('button', { name: '清除', exact: true })).toBeDisabled();
    await dialog.getByRole('button', { name: '取消' }).click();
    await unplug(page);
    await expect(seen(page, 'USBKEY 断开了。')).toBeVisible();

    await page.getByRole('button', { name: '清除本机数据' }).click();
    await expect(dialog.getByText(/更新证书，USBKEY 尾号/)).toBeVisible();
    await dialog.getByRole('button', { name: '清除', exact: true }).click();
    await expect(dialog.getByText('没有办完的业务还在。')).toBeVisible();
    expect(await rows(page, 'transactions')).toHaveLength(1);
    await dialog.getByRole('button', { name: '完成' }).click();
    await expect(page).toHaveURL('/');

    await page.getByRole('button', { name: '清除本机数据' }).click();
    await dialog.getByRole('checkbox', { name: '没有办完的也一并清除' }).check();
    await dialog.getByRole('button', { name: '清除', exact: true }).click();
    await expect(dialog.getByText('已清除。')).toBeVisible();
    expect(await rows(page, 'transactions')).toEqual([]);
  });

  test('is left by Escape with everything in its place', async ({ page }) => {
    await page.goto('/');
    await page.getByRole('button', { name: '大字版' }).click();
    const button = page.getByRole('button', { name: '清除本机数据' });
    await button.click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect(button).toBeFocused();
    expect(await stored(page)).toContain('casupport.type');
  });
});

test('a second tab says that another is at work, and goes on by itself once that tab is closed', async ({
  page,
  desk,
}) => {
  await desk({ scenario: 'due-30-days' });
  await page.goto('/certificates');
  await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
  const other = await holdInAnotherTab(page);

  await expect(seen(page, /^另一个标签页正在办理（\d\d:\d\d 开始）。$/)).toBeVisible();
  await other.close();

  await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
});

test('a browser without storage reads the key all the same, and says that nothing was kept', async ({ page, desk }) => {
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('denied', 'SecurityError');
    };
  });
  await desk({ scenario: 'due-30-days' });
  await page.goto('/certificates');

  await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
  await expect(page.getByText(/这次读取的结果没有记在本机/)).toBeVisible();
  await page.getByRole('button', { name: '清除本机数据' }).click();
  await expect(page.getByRole('dialog').getByText(/不让网页保存数据/)).toBeVisible();
});
