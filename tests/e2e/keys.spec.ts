import type { Page } from '@playwright/test';
import type { Attachment, Scenario } from '../virtual-key/state.ts';
import type { FakeUsb } from '../virtual-key/fake-usb.ts';
import { expect, keyState, seen, test, typePassword } from './fixtures.ts';

/* Which key it is, and what is said of those that cannot be used. */

const due = '证书还有 30 天到期，现在就可以更新。';
const plugAnother = (page: Page, scenario: Scenario, attachment: Attachment): Promise<void> =>
  page.evaluate(([one, way]) => window.virtualKey.plugAnother(one, way), [scenario, attachment] as const);

async function choose(page: Page, device: string): Promise<void> {
  const chooser = page.getByRole('dialog', { name: '网页想要连接一个设备' });
  await chooser.getByText(device).click();
  await chooser.getByRole('button', { name: '连接' }).click();
}

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
    const before = await page.evaluate(() => Object.keys(localStorage).sort());

    await page.locator('header').getByRole('link', { name: '证书管理' }).click();
    const first = page.getByRole('button', { name: 'GM3000' });
    await first.focus();
    await page.keyboard.press('Enter');

    await expect(seen(page, due)).toBeVisible();
    const kept = await page.evaluate(() => Object.keys(localStorage).sort());
    expect(kept.filter((name) => !before.includes(name))).toEqual(['casupport.key']);
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

  await expect(page.getByText(new RegExp(`这不是刚才的 USBKEY：刚才的尾号是 ${before}，`))).toBeVisible();
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
    await page.evaluate(async () => {
      const silent = (): undefined => undefined;
      await (navigator.usb as unknown as FakeUsb).plug({
        identity: {
          ...{ vendorId: 0x1d6b, productId: 0x0104, manufacturerName: 'Somebody', productName: 'Gadget' },
          serialNumber: 'CANARY-4711',
        },
        interfaces: [
          {
            ...{ interfaceNumber: 0, interfaceClass: 2, interfaceSubclass: 0, interfaceProtocol: 0 },
            endpoints: [{ endpointNumber: 1, direction: 'in', type: 'interrupt', packetSize: 8 }],
          },
        ],
        ...{ powerUp: silent, powerDown: silent, reset: silent, controlIn: silent },
        receive: () => false,
        controlOut: () => false,
        idle: () => Promise.resolve(),
      });
    });
    await page.getByRole('button', { name: '列表里没有？换一种方式' }).click();
    const chooser = page.getByRole('dialog', { name: '网页想要连接一个设备' });
    await expect(chooser.getByText('Gadget')).toHaveCount(0);
    await chooser.getByRole('button', { name: '取消' }).click();
    await expect(seen(page, '没有选中 USBKEY。')).toBeVisible();

    await page.getByRole('button', { name: '还是没有？列出这台电脑上的全部设备' }).click();
    await choose(page, 'Gadget');
    await expect(seen(page, '没有认出这个设备，它可能不是天津税务 USBKEY。')).toBeVisible();
    await page.getByText('设备报告，供热线查看').click();

    const report = ['K08', 'VID:PID 1D6B:0104 (WebUSB)', 'product Gadget', 'maker Somebody'].join('\n');
    const rest = 'interface 0.0 class 02/00/00\n  endpoint 1 in interrupt 8\n';
    await page.getByRole('button', { name: '复制报告' }).click();
    await expect(page.getByText('已复制，可以粘贴给热线。')).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${report}\n${rest}`);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: '下载报告' }).click();
    expect((await download).suggestedFilename()).toBe('USBKEY设备报告-1D6B-0104.txt');
    await expect(page.getByText('CANARY')).toHaveCount(0);
  });

  /** Plugs in and grants a device with a vendor's interface, as `change` would have it. */
  const vendorDevice = (page: Page, change: { notOpenable?: boolean; heldElsewhere?: boolean; ccid?: boolean }) =>
    page.evaluate(async ({ notOpenable = false, heldElsewhere = false, ccid = false }) => {
      const silent = (): undefined => undefined;
      const descriptor = new Uint8Array(54);
      descriptor.set([54, 0x21]);
      const model: Parameters<FakeUsb['plug']>[0] = {
        identity: {
          ...{ vendorId: 0x1d6b, productId: 0x0105, manufacturerName: 'Somebody', productName: 'Reader' },
          serialNumber: 'S1',
        },
        notOpenable,
        interfaces: [
          {
            ...{ interfaceNumber: 0, interfaceClass: 0xff, interfaceSubclass: 0, interfaceProtocol: 0, heldElsewhere },
            endpoints: [
              { endpointNumber: 1, direction: 'in', type: 'bulk', packetSize: 64 },
              { endpointNumber: 1, direction: 'out', type: 'bulk', packetSize: 64 },
            ],
            ...(ccid ? { classDescriptor: descriptor } : {}),
          },
        ],
        ...{ powerUp: silent, powerDown: silent, reset: silent, controlIn: silent },
        receive: () => false,
        controlOut: () => false,
        idle: () => Promise.resolve(),
      };
      const usb = navigator.usb as unknown as FakeUsb;
      usb.grant(model);
      await usb.plug(model);
    }, change);

  for (const [what, change, words] of [
    ['that is no key', {}, '试着读取了这个设备，它没有像 USBKEY 那样回答。'],
    ['whose reader makes no sense', { ccid: true }, '试着读取了这个设备，它没有像 USBKEY 那样回答。'],
    ['that another program holds', { heldElsewhere: true }, '别的程序正在使用这个 USBKEY。'],
    ['that the computer keeps', { notOpenable: true }, '电脑没有让浏览器使用这个 USBKEY，多半是驱动程序占着它。'],
  ] as const)
    test(`an unknown device ${what}`, async ({ page, desk }) => {
      await desk({ scenario: 'due-30-days', plugged: false, granted: false });
      await page.goto('/certificates');
      await vendorDevice(page, change);
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
    await vendorDevice(page, {});
    await expect(seen(page, /没有像 USBKEY 那样回答/)).toBeVisible();
    await page.evaluate(() => window.virtualKey.plug());
    await expect(seen(page, due)).toBeVisible();
  });
});

test.describe('the operator', () => {
  const rule = (page: Page, change: object): Promise<void> =>
    page.route('**/api/policy', async (route) => {
      const response = await route.fetch();
      const policy = (await response.json()) as object;
      const models = [{ vendorId: '055C', productId: 'E618', ...change }];
      await route.fulfill({ response, json: { ...policy, models } });
    });

  test('stops a model: its key is not even opened', async ({ page, desk }) => {
    await rule(page, { enrolment: 'off' });
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates');
    await expect(seen(page, '这种型号的 USBKEY，本站暂时不办理。')).toBeVisible();
  });

  test('stops one firmware, which is known once the key has been read', async ({ page, desk }) => {
    await rule(page, { firmware: '1.*', enrolment: 'off' });
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates');
    await expect(seen(page, '这种型号的 USBKEY，本站暂时不办理。')).toBeVisible();
  });

  test('lets a model be read and not renewed', async ({ page, desk }) => {
    await rule(page, { enrolment: 'readOnly' });
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates');
    await expect(seen(page, /暂停在线办理/)).toBeVisible();
    await expect(page.getByText('这种型号的 USBKEY，本站目前只能查看证书，不能在线办理。')).toBeVisible();
    await expect(page.getByRole('link', { name: '更新证书' })).toHaveCount(0);
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
