import type { Page } from '@playwright/test';
import { containersOf, expect, keyState, test, typePassword } from './fixtures.ts';
import type { FakeUsb } from '../virtual-key/fake-usb.ts';
import { holdInAnotherTab, plugStrange } from './parts/devices.ts';
import { siteOfItsOwn, type OwnSite } from './parts/own-site.ts';

/* The system check in Chromium: what only a browser can break, and the way from an error to the check and back. */

const sound = '都正常，可以放心使用。';
const withNotes = '没有大问题，有几处提醒，在下面。';

async function check(page: Page): Promise<void> {
  await page.getByRole('button', { name: '开始检测' }).click();
  await checked(page);
}
const checked = (page: Page): Promise<void> => expect(page.getByRole('button', { name: '重新检测' })).toBeVisible();
const state = (page: Page): ReturnType<Page['locator']> => page.locator('main .state');
/** What a check says in the list. */
const said = async (page: Page, group: string, name: string): Promise<ReturnType<Page['locator']>> => {
  const details = page.locator('main details').filter({ has: page.getByText(group, { exact: true }) });
  if (!(await details.evaluate((one) => (one as HTMLDetailsElement).open))) await details.locator('summary').click();
  return details.locator('dl > div').filter({ hasText: name }).locator('dd');
};

test('finds nothing wrong with a sound key, and signs with the password where the person wants it', async ({
  page,
  desk,
}) => {
  await desk({ scenario: 'not-due' });
  await page.goto('/check');
  await expect(page.getByText('不用密码，不会改动 USBKEY。')).toBeVisible();
  const before = await keyState(page);

  await check(page);
  await expect(state(page)).toHaveText(new RegExp(`${sound}|${withNotes}`));
  expect(await keyState(page)).toEqual(before);

  await page.getByRole('button', { name: '用密码试签一次' }).click();
  await typePassword(page);
  await expect(state(page)).toHaveText('试签成功，证书和密钥可以使用。');
  await expect(await said(page, '证书', '试签')).toHaveText('正常');
  expect(containersOf(await keyState(page))).toEqual(containersOf(before));
});

test('without a key says that the rest is in order, and goes on with the key that is chosen', async ({
  page,
  desk,
}) => {
  await desk({ scenario: 'not-due', granted: false });
  await page.goto('/check');
  await check(page);
  await expect(state(page)).toHaveText('浏览器和网络都正常。插上 USBKEY，可以接着检测它。');

  await page.getByRole('button', { name: '连接 USBKEY' }).click();
  const chooser = page.getByRole('dialog', { name: '网页想要连接一个设备' });
  await chooser.getByText('GM3000').click();
  await chooser.getByRole('button', { name: '连接' }).click();

  await expect(page.getByText('“允许使用 USBKEY”已经处理好。')).toBeVisible();
  await expect(await said(page, '证书', '有效期')).toHaveText('正常');
});

test('an error leads to the check of what stood in its way, and the code to its page', async ({ page, desk }) => {
  await desk({ scenario: 'due-30-days', granted: false, plugged: false });
  await page.goto('/certificates');
  await plugStrange(page, { productName: 'Card', interfaceClass: 0x0b, endpoints: 'bulk pair', granted: true });
  const code = page.getByRole('alert').getByText(/^故障码/);
  await expect(code).toHaveText(/故障码 \d{6}/);
  const digits = /\d{6}/.exec(await code.innerText())?.[0] ?? '';

  await page.getByRole('link', { name: '做一次系统检测' }).click();
  await checked(page);

  await expect(state(page)).toHaveText('这种 USBKEY，浏览器不允许网页使用。');
  await expect(page.locator('main details[open]')).toContainText('USBKEY 型号');
  await page.getByRole('link', { name: `${digits.slice(0, 3)} ${digits.slice(3)}` }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`故障码 ${digits.slice(0, 3)} ${digits.slice(3)}`);
  await expect(page.getByText('Linux，Chrome，USB 方式连接')).toBeVisible();
  await expect(page.locator('blockquote')).toContainText('这种 USBKEY，浏览器不允许网页使用。');
});

test('a key in another tab is waited for, and checked once that is closed', async ({ page, desk }) => {
  await desk({ scenario: 'not-due' });
  const other = await holdInAnotherTab(page);
  await page.bringToFront();
  await page.goto('/check?from=interface');
  await checked(page);
  await expect(state(page)).toHaveText('另一个标签页正在使用这个 USBKEY。');

  await page.getByRole('button', { name: '等那个标签页，然后接着检测' }).click();
  await expect(page.getByText(/正在等另一个标签页/).first()).toBeVisible();
  await other.close();

  await expect(page.getByText('“没有被别的程序占用”已经处理好。')).toBeVisible();
});

test('a key that another program has: said so, and well once it is free', async ({ page, desk }) => {
  await desk({ scenario: 'not-due', granted: false, plugged: false });
  await page.goto('/check');
  const held = { granted: true, heldElsewhere: true } as const;
  await plugStrange(page, { productName: 'Reader', interfaceClass: 0xff, endpoints: 'bulk pair', ...held });
  await check(page);
  await expect(state(page)).toHaveText('别的程序正在使用这个 USBKEY。');

  await page.getByRole('button', { name: '再连接一次' }).click();

  await expect(page.getByText('“没有被别的程序占用”还没有好')).toBeVisible();
  await expect(state(page)).toHaveText('别的程序正在使用这个 USBKEY。');
});

test('a reader that hangs answers again once it is restarted', async ({ page, desk }) => {
  await desk({ scenario: 'not-due', attachment: 'ccid-extended' });
  await page.goto('/check');
  await expect(page.getByRole('button', { name: '开始检测' })).toBeVisible();
  const before = await keyState(page);
  await page.evaluate(async () => {
    const usb = navigator.usb as unknown as FakeUsb;
    for (const device of await usb.getDevices()) device.hang();
  });
  await check(page);
  await expect(state(page)).toHaveText('USBKEY 没有正常回应。');

  await page.getByRole('button', { name: '让 USBKEY 重新启动' }).click();

  await expect(page.getByText('“没有被别的程序占用”已经处理好。')).toBeVisible();
  await expect(await said(page, '证书', '有效期')).toHaveText('正常');
  expect(await keyState(page)).toEqual(before);
});

test('old content is fetched anew', async ({ page, desk }) => {
  await desk({ scenario: 'not-due' });
  await page.goto('/centres');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  // The page keeps what it has fetched before it shows it.
  await expect(page.locator('main .waiting')).toHaveCount(0);
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('casupport-cache');
        opening.onerror = () => reject(new Error('not opened'));
        opening.onsuccess = () => {
          const transaction = opening.result.transaction('documents', 'readwrite');
          const storedAt = Date.now() - 45 * 86_400_000;
          transaction.objectStore('documents').put({ name: '/api/centres', text: '[]', storedAt });
          transaction.oncomplete = () => {
            opening.result.close();
            resolve();
          };
        };
      }),
  );
  await page.goto('/check');
  await check(page);
  await expect(state(page)).toHaveText('本站保存的内容是 45 天前的。');

  await page.getByRole('button', { name: '更新内容' }).click();

  await expect(page.getByText('“内容新旧”已经处理好。')).toBeVisible();
});

test('an offline copy that is gone is fetched anew, and nothing of the person goes with it', async ({ page, desk }) => {
  await desk({ scenario: 'not-due' });
  await page.goto('/certificates');
  await expect(page.getByText(/现在不用办理/).first()).toBeVisible();
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    await (await navigator.serviceWorker.getRegistration('/'))?.unregister();
  });
  await page.locator('header').getByRole('link', { name: '系统检测' }).click();
  await check(page);
  const line = await said(page, '浏览器', '离线副本和版本');
  await expect(line).toContainText('这台电脑上还没有本站的离线副本。');

  await line.getByRole('button', { name: '重新下载离线副本' }).click();

  await expect(page.getByText('“离线副本和版本”已经处理好。')).toBeVisible();
  await page.locator('header').getByRole('link', { name: '证书管理' }).click();
  await page.evaluate(() => window.virtualKey.unplug());
  await page.reload();
  await expect(page.getByText(/上次读取的证书/)).toBeVisible();
});

test('a new certificate that was torn later is written back with the password', async ({ page, desk }) => {
  await desk({ scenario: 'due-30-days' });
  await page.goto('/renew');
  await typePassword(page);
  await expect(page.getByText(/证书已更新，新的有效期到/).first()).toBeVisible();
  const renewed = containersOf(await keyState(page));
  await page.evaluate(() => {
    const saved = JSON.parse(localStorage.getItem('virtual-key') ?? '{}') as {
      state: { applications: { containers: { signing?: { certificate?: string } }[] }[] };
    };
    const signing = saved.state.applications[0]?.containers.at(-1)?.signing;
    if (signing?.certificate !== undefined) signing.certificate = signing.certificate.slice(0, 400);
    localStorage.setItem('virtual-key', JSON.stringify(saved));
  });

  await page.goto('/check');
  await check(page);
  await expect(page.locator('main')).toContainText('USBKEY 里有一张证书不见了，或者不完整，可以写回去。');
  await page.getByRole('button', { name: '写回证书' }).click();
  await expect(page.getByText('输入密码后，把证书写回 USBKEY。密钥和其他内容不会改动。')).toBeVisible();
  await typePassword(page);

  await expect(page.getByText('“读取证书”已经处理好。')).toBeVisible();
  expect(containersOf(await keyState(page))).toEqual(renewed);
});

test('the same on a PIV key, and that everybody knows its management key', async ({ page, desk }) => {
  await desk({ scenario: 'due-30-days', attachment: 'canokey', commandSet: 'piv', algorithm: 'sm2' });
  await page.goto('/renew');
  await typePassword(page);
  await expect(page.getByText(/证书已更新，新的有效期到/).first()).toBeVisible();
  const { piv: renewed } = await keyState(page);
  await page.evaluate(() => {
    const saved = JSON.parse(localStorage.getItem('virtual-key') ?? '{}') as {
      state: { piv: { objects: { tag: string; data: string }[] } };
    };
    const object = saved.state.piv.objects.find(({ tag }) => tag === '5fc10d');
    if (object) object.data = object.data.slice(0, 400);
    localStorage.setItem('virtual-key', JSON.stringify(saved));
  });

  await page.goto('/check');
  await check(page);
  await page.getByRole('button', { name: '写回证书' }).click();
  await typePassword(page);

  await expect(page.getByText('“读取证书”已经处理好。')).toBeVisible();
  await expect(page.getByText('这个 USBKEY 的管理密钥还是出厂时的')).toBeVisible();
  expect((await keyState(page)).piv).toEqual(renewed);
});

test('a browser that keeps nothing is said to', async ({ page, desk }) => {
  await page.addInitScript(() => {
    Object.defineProperty(window, 'indexedDB', {
      get: () => {
        throw new DOMException('', 'SecurityError');
      },
    });
  });
  await desk({ scenario: 'not-due' });
  await page.goto('/check?from=storage');
  await checked(page);

  await expect(state(page)).toHaveText('浏览器不让本站保存数据。');
});

test('the report can be looked through, copied and downloaded, and tells no names', async ({ page, desk, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await desk({ scenario: 'locked' });
  await page.goto('/certificates');
  const holder = await page.locator('main').getByText(/公司/).first().innerText();
  await page.goto('/check?from=password');
  await checked(page);
  await page.getByText('检测报告，供热线查看').click();
  const shown = await page.locator('pre').innerText();

  await page.getByRole('button', { name: '复制报告' }).click();
  await expect(page.getByText('已复制，可以粘贴给热线。')).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: '下载报告' }).click();

  expect((await download).suggestedFilename()).toBe('系统检测报告.txt');
  expect(copied.trim()).toBe(shown.trim());
  expect(copied).toContain('password locked');
  const { serialNumber } = (await keyState(page)).info;
  for (const secret of [holder.trim(), serialNumber, '12345678']) expect(copied).not.toContain(secret);
});

test('any code is explained without a network', async ({ page, desk, context }) => {
  await desk({ scenario: 'not-due', granted: false, plugged: false });
  await page.goto('/check');
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await expect(page.getByRole('button', { name: '开始检测' })).toBeVisible();
  await context.setOffline(true);

  await page.getByLabel('故障码').fill('209-009');
  await page.getByRole('button', { name: '查看' }).click();

  await expect(page.getByText('电脑没有让浏览器使用这个 USBKEY，多半是驱动程序占着它。').first()).toBeVisible();
  await context.setOffline(false);
});

test.describe('the production build in front of Chromium’s own USB', () => {
  test.use({ baseURL: `http://localhost:${Number(process.env['E2E_PORT'] ?? 4373) + 1}` });

  for (const [what, policy, words] of [
    ['a policy that forbids both ways', 'usb=(), hid=()', '浏览器禁止本页使用 USBKEY。'],
    ['a policy that forbids WebUSB', 'usb=(), hid=(self)', '浏览器的两种连接方式，有一种被禁止。'],
  ] as const)
    test(`${what} is found`, async ({ page, problems }) => {
      await page.route('**/check', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, headers: { ...response.headers(), 'permissions-policy': policy } });
      });
      await page.goto('/check');

      await check(page);

      await expect(await said(page, '浏览器', '连接 USBKEY 的功能')).toHaveText(words);
      // Chromium says on its console what the policy keeps from the page.
      const others = problems.splice(0).filter((problem) => !problem.includes('Permissions policy violation: '));
      expect(others).toEqual([]);
    });

  test('without a key all is done in two seconds', async ({ page }) => {
    await page.goto('/check');
    await page.getByRole('button', { name: '开始检测' }).click();
    await expect(state(page)).toHaveText('浏览器和网络都正常。插上 USBKEY，可以接着检测它。', { timeout: 2_000 });
  });
});

test.describe('a new build of the site that waits', () => {
  let site: OwnSite;
  test.beforeEach(async () => {
    site = await siteOfItsOwn();
  });
  test.afterEach(async ({ page }) => {
    // It may still be fetching for later.
    await page.close();
    await site.close();
  });

  for (const [how, reload] of [
    ['from a page of the old one', (page: Page) => page.reload()],
    ['from a page that was loaded past its worker', loadPastWorker],
  ] as const)
    test(`${how} is found and taken, and the check comes again by itself`, async ({ page }) => {
      test.setTimeout(120_000);
      await page.goto(`${site.origin}/check`);
      await page.evaluate(() => navigator.serviceWorker.ready);
      await reload(page);
      // The old worker hands over once it is at rest: what is fetched for later comes first.
      for (const one of page.context().pages()) await expect.poll(() => isFetchedForLater(one)).toBe(true);
      await site.publish();
      await page.evaluate(async () => {
        const registration = await navigator.serviceWorker.ready;
        await registration.update();
      });
      await expect.poll(() => page.evaluate(isWaiting)).toBe(true);
      await check(page);
      await expect(page.locator('main')).toContainText('本站有新版本，已经下载好。');

      const loaded = page.waitForEvent('load', { timeout: 60_000 });
      await Promise.all([loaded, page.getByRole('button', { name: '更新到新版本' }).click()]);

      await checked(page);
      await expect(await said(page, '浏览器', '离线副本和版本')).toHaveText('正常');
      expect(await page.evaluate(isWaiting)).toBe(false);
    });
});

const isWaiting = async (): Promise<boolean> => {
  const registration = await navigator.serviceWorker.ready;
  return registration.waiting !== null;
};

/** Whether the page has what it fetches some seconds after it was opened. */
const isFetchedForLater = (page: Page): Promise<boolean> =>
  page.evaluate(() => performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/api/centres')));

/** As with the shift key held; another tab keeps the worker. */
async function loadPastWorker(page: Page): Promise<void> {
  const another = await page.context().newPage();
  await another.goto(new URL('/about', page.url()).href);
  await page.bringToFront();
  const session = await page.context().newCDPSession(page);
  const loaded = page.waitForEvent('load');
  await Promise.all([loaded, session.send('Page.reload', { ignoreCache: true })]);
  expect(await page.evaluate(() => navigator.serviceWorker.controller)).toBeNull();
}
