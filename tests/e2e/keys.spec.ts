import type { Locator, Page } from '@playwright/test';
import type { Attachment, Scenario } from '../virtual-key/state.ts';
import { expect, keyState, seen, test, typePassword } from './fixtures.ts';
import { choose, plugStrange, sayOfTheModel, serialNumberOfStrangers } from './parts/devices.ts';

/* Which key it is, and what is said of those that cannot be used. */

const due = '证书还有 30 天到期，现在就可以更新。';
const plugAnother = (page: Page, scenario: Scenario, attachment: Attachment): Promise<void> =>
  page.evaluate(([one, way]) => window.virtualKey.plugAnother(one, way), [scenario, attachment] as const);

test.describe('several keys', () => {
  for (const [first, second] of [
    ['longmai-hid', 'ccid-short'],
    ['ccid-extended', 'ccid-extended'],
    ['longmai-hid', 'longmai-hid'],
  ] as const)
    test(`${first} and ${second}: each is named by what is on it, and the one taken is read`, async ({
      page,
      desk,
    }) => {
      await desk({ scenario: 'due-30-days', attachment: first });
      await page.goto('/certificates');
      await expect(seen(page, due)).toBeVisible();

      await plugAnother(page, 'expired', second);

      const keys = page.getByRole('main').getByRole('list').getByRole('button');
      await expect(page.getByText('插着 2 个 USBKEY，要办理哪一个？')).toBeVisible();
      await expect(keys).toHaveCount(2);
      const tail = (await keyState(page)).info.serialNumber.slice(-4);
      await expect(keys.filter({ hasText: `序列号尾号 ${tail}` })).toHaveText(/有效期到/);
      await keys.filter({ hasText: '已到期' }).click();
      await expect(seen(page, /证书已过期 12 天/)).toBeVisible();

      await page.getByRole('button', { name: '换另一个办理' }).click();
      await keys.filter({ hasText: `序列号尾号 ${tail}` }).click();
      await expect(seen(page, due)).toBeVisible();
    });

  test('can be taken by keyboard before they have been read, and nothing of it is kept', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await page.goto('/about');
    await plugAnother(page, 'expired', 'ccid-short');

    await page.locator('header').getByRole('link', { name: '证书管理' }).click();
    const first = page.getByRole('button', { name: 'GM3000' });
    await first.focus();
    await page.keyboard.press('Enter');

    await expect(seen(page, due)).toBeVisible();
    const kept = await page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('casupport.')));
    expect(kept).toEqual(['casupport.key']);
    await page.reload();
    await plugAnother(page, 'expired', 'ccid-short');
    await expect(page.getByText('插着 2 个 USBKEY，要办理哪一个？')).toBeVisible();
  });

  test('one of them pulled out: the other one is read without a question', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates');
    await expect(seen(page, due)).toBeVisible();
    await plugAnother(page, 'expired', 'ccid-short');
    await expect(page.getByText('已到期')).toBeVisible();

    await page.evaluate(() => window.virtualKey.unplug());

    await expect(seen(page, /证书已过期 12 天/)).toBeVisible();
  });

  test('another one pulled out while a certificate is shown changes nothing', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates');
    await expect(seen(page, due)).toBeVisible();
    await plugAnother(page, 'expired', 'ccid-short');
    await page.getByRole('button', { name: /有效期到/ }).click();
    await expect(seen(page, due)).toBeVisible();

    await page.evaluate(() => window.virtualKey.unplugAnother());

    await expect(page.getByRole('button', { name: '换另一个办理' })).toHaveCount(0);
    await expect(seen(page, due)).toBeVisible();
  });

  test('after a renewal another one can be taken', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await page.goto('/renew');
    await typePassword(page);
    await expect(seen(page, /证书已更新/)).toBeVisible();
    await page.getByRole('link', { name: '回到证书管理' }).click();
    await plugAnother(page, 'expired', 'ccid-short');

    await page.getByRole('button', { name: '换另一个办理' }).click();

    await page.getByRole('main').getByRole('list').getByRole('button').filter({ hasText: '已到期' }).click();
    await expect(seen(page, /证书已过期 12 天/)).toBeVisible();
  });

  test('a renewal that was interrupted goes on with its own key of two', async ({ page, desk }) => {
    await desk({ scenario: 'ca-waits', attachment: 'ccid-extended' });
    await page.goto('/certificates');
    await page.getByRole('link', { name: '更新证书' }).click();
    await typePassword(page);
    await expect(seen(page, /证书机构正在处理/)).toBeVisible();
    await page.evaluate(() => window.virtualKey.unplug());
    await expect(seen(page, 'USBKEY 断开了。')).toBeVisible();

    await plugAnother(page, 'expired', 'ccid-extended');
    await expect(page.getByText(/尾号/).first()).toBeVisible();
    await page.evaluate(() => window.virtualKey.plug());

    await expect(page.locator('input[type=password]:not([readonly])')).toBeVisible();
    await typePassword(page);
    await expect(seen(page, /证书已更新/)).toBeVisible({ timeout: 30_000 });
  });
});

test('another key than the one that was pulled out is said to be another', async ({ page, desk }) => {
  await desk({ scenario: 'due-30-days' });
  await page.goto('/certificates');
  await expect(seen(page, due)).toBeVisible();
  const before = (await keyState(page)).info.serialNumber.slice(-4);

  await page.evaluate(() => window.virtualKey.unplug());
  await expect(seen(page, 'USBKEY 断开了。')).toBeVisible();
  await plugAnother(page, 'expired', 'longmai-hid');

  await expect(page.getByText(new RegExp(`不是刚才的那一个（尾号 ${before}）`))).toBeVisible();
});

test('a password that was wrong is asked of the key anew once it has been out, though the renewal was over', async ({
  page,
  desk,
}) => {
  await desk({ scenario: 'due-30-days' });
  await page.goto('/certificates');
  const renew = page.getByRole('link', { name: '更新证书' });
  await renew.click();
  await typePassword(page, '87654321');
  await expect(seen(page, /密码不对，还可以试/)).toBeVisible();
  await typePassword(page, '87654321');
  await expect(seen(page, /这个密码刚才试过，不对/)).toBeVisible();
  await page.getByRole('button', { name: '先不办了' }).click();
  await page.locator('header').getByRole('link', { name: '证书管理' }).click();
  await expect(seen(page, due)).toBeVisible();

  await page.evaluate(() => window.virtualKey.unplug());
  await expect(seen(page, 'USBKEY 断开了。')).toBeVisible();
  await page.evaluate(() => window.virtualKey.plug());
  await renew.click();
  await typePassword(page, '87654321');

  await expect(seen(page, /密码不对，还可以试/)).toBeVisible();
});

/** At work for as long as the person does not type: the tab has the key while it asks for the password. */
async function beginRenewal(page: Page): Promise<void> {
  await page.goto('/certificates');
  await page.getByRole('link', { name: '更新证书' }).click();
  await expect(page.locator('input[type=password]')).toBeVisible();
}

test('two tabs, one key: the second says what the first does, waits, and takes over when the first is closed', async ({
  page,
  context,
  desk,
}) => {
  await desk({ scenario: 'due-30-days' });
  await beginRenewal(page);

  const second = await context.newPage();
  await second.goto('/certificates');
  const words = /^另一个标签页正在办理（\d\d:\d\d 开始）。$/;
  await expect(seen(second, words)).toBeVisible();
  await second.getByRole('button', { name: '再试一次' }).click();
  await expect(seen(second, words)).toBeVisible();

  await page.close();
  await expect(seen(second, due)).toBeVisible();
});

test('two tabs, two keys: neither waits for the other', async ({ page, context, desk }) => {
  await desk({ scenario: 'due-30-days', attachment: 'ccid-extended' });
  await beginRenewal(page);

  const second = await context.newPage();
  await second.goto('/certificates');
  await expect(seen(second, /^另一个标签页正在办理/)).toBeVisible();
  await second.evaluate(() => window.virtualKey.unplug());
  await second.evaluate(() => window.virtualKey.plugAnother('expired', 'ccid-extended'));

  await expect(seen(second, /证书已过期 12 天/)).toBeVisible();
  await expect(page.locator('input[type=password]')).toBeVisible();
});

test.describe('a device that cannot be used', () => {
  test('a key chosen behind the wrong door is read after one more click', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days', granted: false });
    await page.goto('/certificates');
    await page.getByRole('button', { name: '列表里没有？换一种方式' }).click();
    await choose(page, 'GM3000');
    await expect(seen(page, '这个 USBKEY 要换一种方式连接。')).toBeVisible();

    await page.getByRole('button', { name: '换一种方式连接' }).click();
    await choose(page, 'GM3000');

    await expect(seen(page, due)).toBeVisible();
  });

  test('nothing chosen: the list of all devices is offered, and an unknown one can be reported', async ({
    page,
    context,
    desk,
  }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await desk({ scenario: 'due-30-days', plugged: false, granted: false });
    await page.goto('/certificates');
    await plugStrange(page, { productName: 'Gadget', interfaceClass: 2, endpoints: 'interrupt' });
    await page.getByRole('button', { name: '列表里没有？换一种方式' }).click();
    const chooser = page.getByRole('dialog', { name: '网页想要连接一个设备' });
    await expect(chooser.getByText('Gadget')).toHaveCount(0);
    await chooser.getByRole('button', { name: '取消' }).click();
    await expect(seen(page, '没有选中 USBKEY。')).toBeVisible();

    await page.getByRole('button', { name: '还是没有？列出这台电脑上的全部设备' }).click();
    await choose(page, 'Gadget');
    await expect(seen(page, '没有认出这个设备，它可能不是天津税务 USBKEY。')).toBeVisible();
    await page.getByText('设备报告，供热线查看').click();

    const code = /^\d{6}$/;
    const report = ['VID:PID 1D6B:0104 (WebUSB)', 'product Gadget', 'maker Somebody'].join('\n');
    const rest = 'interface 0.0 class 02/00/00\n  endpoint 1 in interrupt 8\n';
    await page.getByRole('button', { name: '复制报告' }).click();
    await expect(page.getByText('已复制，可以粘贴给热线。')).toBeVisible();
    const [first = '', ...others] = (await page.evaluate(() => navigator.clipboard.readText())).split('\n');
    expect(first).toMatch(code);
    expect(others.join('\n')).toBe(`${report}\n${rest}`);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: '下载报告' }).click();
    expect((await download).suggestedFilename()).toBe('USBKEY设备报告-1D6B-0104.txt');
    await expect(page.getByText(serialNumberOfStrangers)).toHaveCount(0);
  });

  const vendorDevice = { productName: 'Reader', interfaceClass: 0xff, endpoints: 'bulk pair', granted: true } as const;

  for (const [what, change, words] of [
    ['that is no key', {}, '试着读取了这个设备，它没有像 USBKEY 那样回答。'],
    ['whose reader makes no sense', { asReader: true }, '试着读取了这个设备，它没有像 USBKEY 那样回答。'],
    ['that another program holds', { heldElsewhere: true }, '别的程序正在使用这个 USBKEY。'],
    ['that the computer keeps', { notOpenable: true }, '电脑没有让浏览器使用这个 USBKEY，多半是驱动程序占着它。'],
  ] as const)
    test(`an unknown device ${what}`, async ({ page, desk }) => {
      await desk({ scenario: 'due-30-days', plugged: false, granted: false });
      await page.goto('/certificates');
      await plugStrange(page, { ...vendorDevice, ...change });
      await expect(seen(page, words)).toBeVisible();
    });

  test('a smart card is recognised, and the way to a centre shown', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days', plugged: false, granted: false });
    await page.goto('/certificates');
    await page.getByRole('button', { name: '列表里没有？换一种方式' }).click();
    await choose(page, 'ePass2003');
    await expect(seen(page, '这种 USBKEY，浏览器不允许网页使用。')).toBeVisible();
    await expect(page.getByRole('link', { name: '看要带什么' })).toBeVisible();
  });

  test('a known key beside an unknown device is read without a question', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days', plugged: false });
    await page.goto('/certificates');
    await plugStrange(page, vendorDevice);
    await expect(seen(page, /没有像 USBKEY 那样回答/)).toBeVisible();
    await page.evaluate(() => window.virtualKey.plug());
    await expect(seen(page, due)).toBeVisible();
  });
});

test.describe('the operator', () => {
  test('stops a model: its key is not even opened', async ({ page, desk }) => {
    await sayOfTheModel(page, { enrolment: 'off' });
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates');
    await expect(seen(page, '这种型号的 USBKEY，本站暂时不办理。')).toBeVisible();
  });

  test('stops one firmware, which is known once the key has been read', async ({ page, desk }) => {
    await sayOfTheModel(page, { firmware: '1.*', enrolment: 'off' });
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates');
    await expect(seen(page, '这种型号的 USBKEY，本站暂时不办理。')).toBeVisible();
  });

  for (const [scenario, words] of [
    ['due-30-days', /证书还有 30 天到期。这种型号的 USBKEY 暂停在线办理。/],
    ['not-due', '这种型号的 USBKEY，本站目前只能查看证书，不能在线办理。'],
  ] as const)
    test(`lets a model be read and not renewed: ${scenario}`, async ({ page, desk }) => {
      await sayOfTheModel(page, { enrolment: 'readOnly' });
      await desk({ scenario });
      await page.goto('/certificates');
      await expect(seen(page, words)).toBeVisible();
      await expect(page.getByRole('link', { name: '更新证书' })).toHaveCount(0);
    });

  test('stops a model while its certificate is on the screen: nothing is written', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates');
    await expect(seen(page, due)).toBeVisible();
    const before = await keyState(page);

    await sayOfTheModel(page, { enrolment: 'readOnly' });
    await page.getByRole('link', { name: '更新证书' }).click();

    await expect(seen(page, /这种型号的 USBKEY/)).toBeVisible();
    await expect(page.locator('input[type=password]')).toHaveCount(0);
    expect(await keyState(page)).toEqual(before);
  });

  test('teaches the site another model', async ({ page, desk }) => {
    await page.route('**/config.json', async (route) => {
      const response = await route.fetch();
      const config = (await response.json()) as object;
      const row = {
        vendorId: '055C',
        productId: 'E618',
        name: 'Held back',
        attachment: 'longmaiHid',
        enrolment: 'off',
      };
      await route.fulfill({ response, json: { ...config, models: [row] } });
    });
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates');
    await expect(seen(page, '这种型号的 USBKEY，本站暂时不办理。')).toBeVisible();
  });
});

test.describe('away while a certificate is renewed, and back again', () => {
  const out = 'USBKEY 断开了。';
  const password = (page: Page): Locator => page.locator('input[type=password]:not([readonly])');

  async function begin(page: Page): Promise<void> {
    await page.goto('/certificates');
    await page.getByRole('link', { name: '更新证书' }).click();
    await expect(password(page)).toBeVisible();
  }

  async function finish(page: Page): Promise<void> {
    const done = seen(page, /证书已更新，新的有效期到/);
    await expect(password(page).or(done).first()).toBeVisible();
    if (await password(page).isVisible()) await typePassword(page);
    await expect(done).toBeVisible();
  }

  test('another tab has taken it meanwhile: said so, and gone on once that tab lets go', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await begin(page);
    await page.evaluate(() => window.virtualKey.unplugAtWrite(2, 'after'));
    const lock = await page.evaluate(async () => (await navigator.locks.query()).held?.[0]?.name ?? '');
    await typePassword(page);
    await expect(seen(page, out)).toBeVisible();
    const otherTab = await page.context().newPage();
    await otherTab.goto('/about');
    await otherTab.evaluate(
      (name) =>
        new Promise<void>((got) => {
          void navigator.locks.request(name, () => {
            got();
            return new Promise(() => undefined);
          });
        }),
      lock,
    );
    await page.bringToFront();

    await page.evaluate(() => window.virtualKey.plug());
    await expect(seen(page, '另一个标签页正在使用这个 USBKEY。')).toBeVisible();
    await expect(seen(page, out)).toBeHidden();
    await otherTab.close();

    await finish(page);
  });

  test('the browser does not know it any more: chosen once more, and gone on', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days', attachment: 'ccid-extended' });
    await begin(page);
    await page.evaluate(async () => {
      for (const device of await navigator.usb.getDevices()) await device.forget();
    });
    await typePassword(page);
    await expect(seen(page, out)).toBeVisible();

    await page.getByRole('button', { name: '再试一次' }).click();
    await expect(seen(page, '请插好同一个 USBKEY，点“连接 USBKEY”选中它，从刚才的步骤继续。')).toBeVisible();
    await page.getByRole('button', { name: '连接 USBKEY' }).click();
    await choose(page, 'USBKEY CCID-E');

    await finish(page);
  });
});
