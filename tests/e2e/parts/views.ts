import { expect, typePassword, type KeyOnDesk } from '../fixtures.ts';
import type { Page } from '@playwright/test';
import { holdInAnotherTab, plugStrange, sayOfTheModel } from './devices.ts';

/** Something a person can have in front of them: an address, what lies on the desk, and what was done since. */
export interface View {
  readonly name: string;
  readonly path: string;
  /** Undefined: no key far and wide. */
  readonly key?: KeyOnDesk;
  /** What else leads there, up to the moment when the view stands still. */
  readonly reach?: (page: Page) => Promise<void>;
}

/** Every address of the site, one of each kind where there are many. */
export const pages: readonly View[] = [
  '/',
  '/certificates',
  '/renew',
  '/guide',
  '/guide/renew',
  '/guide/upgrade',
  '/guide/unlock',
  '/guide/replace',
  '/guide/new',
  '/faq',
  '/faq/locked',
  '/faq/no-such-question',
  '/centres',
  '/appointments',
  '/letter',
  '/check',
  '/code/209009',
  '/code/R15-3-07',
  '/code/no-such-code',
  '/privacy',
  '/about',
  '/operator/key-acceptance',
  '/no-such-page',
].map((path) => ({ name: path, path }));

const sees =
  (words: string | RegExp) =>
  async (page: Page): Promise<void> =>
    expect(page.getByRole('main').getByText(words).first()).toBeVisible();

const renewsUntil =
  (words: string | RegExp, password?: string) =>
  async (page: Page): Promise<void> => {
    await typePassword(page, password);
    await sees(words)(page);
  };

const acceptsUntil =
  (words: string | RegExp) =>
  async (page: Page): Promise<void> => {
    await page.getByRole('button', { name: '可以作废，开始验收' }).click();
    await renewsUntil(words)(page);
  };

/** The operator's word that this model imports no encryption key pair. */
export async function knowsNoImport(page: Page): Promise<void> {
  await page.route('**/config.json', async (route) => {
    const response = await route.fetch();
    const config = (await response.json()) as object;
    const row = { vendorId: '055C', productId: 'E618', name: 'Takes one', attachment: 'longmaiHid' };
    const models = [{ ...row, dialect: { wrappingTarget: 'temporaryKey' } }];
    await route.fulfill({ response, json: { ...config, models } });
  });
}

/** What a key makes of the two pages about it. */
export const keyViews: readonly View[] = [
  {
    name: 'certificates: nothing chosen',
    path: '/certificates',
    key: { scenario: 'due-30-days', granted: false },
    reach: async (page: Page): Promise<void> => {
      await page.getByRole('button', { name: '连接 USBKEY' }).click();
      await page.getByRole('dialog').getByRole('button', { name: '取消' }).click();
      await sees('接下来')(page);
    },
  },
  {
    name: 'certificates: due',
    path: '/certificates',
    key: { scenario: 'due-30-days' },
    reach: sees('证书还有 30 天到期，现在就可以更新。'),
  },
  { name: 'certificates: not due', path: '/certificates', key: { scenario: 'not-due' }, reach: sees(/现在不用办理/) },
  {
    name: 'certificates: expired',
    path: '/certificates',
    key: { scenario: 'expired' },
    reach: sees(/证书已过期 12 天/),
  },
  { name: 'certificates: upgrade', path: '/certificates', key: { scenario: 'old-issuer' }, reach: sees(/需要升级/) },
  { name: 'certificates: locked', path: '/certificates', key: { scenario: 'locked' }, reach: sees(/已锁死/) },
  { name: 'certificates: last try', path: '/certificates', key: { scenario: 'last-try' }, reach: sees(/最后 1 次/) },
  { name: 'certificates: foreign', path: '/certificates', key: { scenario: 'foreign' }, reach: sees(/没有天津税务/) },
  { name: 'certificates: empty', path: '/certificates', key: { scenario: 'empty' }, reach: sees(/没有读到证书/) },
  {
    name: 'certificates: as last read',
    path: '/certificates',
    key: { scenario: 'due-30-days' },
    reach: async (page: Page): Promise<void> => {
      await sees(/30 天到期/)(page);
      await page.evaluate(() => window.virtualKey.unplug());
      await page.reload();
      await sees(/上次读取的证书/)(page);
    },
  },
  {
    name: 'certificates: several keys',
    path: '/certificates',
    key: { scenario: 'due-30-days' },
    reach: async (page: Page): Promise<void> => {
      await page.evaluate(() => window.virtualKey.plugAnother('expired', 'ccid-short'));
      await expect(page.getByRole('button', { name: /有效期到|已到期/ })).toHaveCount(2);
    },
  },
  {
    name: 'certificates: one of several keys',
    path: '/certificates',
    key: { scenario: 'due-30-days' },
    reach: async (page: Page): Promise<void> => {
      await page.evaluate(() => window.virtualKey.plugAnother('expired', 'ccid-short'));
      await page.getByRole('button', { name: '有效期到' }).click();
      await sees('换另一个办理')(page);
    },
  },
  {
    name: 'certificates: another key',
    path: '/certificates',
    key: { scenario: 'due-30-days' },
    reach: async (page: Page): Promise<void> => {
      await sees(/30 天到期/)(page);
      await page.evaluate(() => window.virtualKey.unplug());
      await sees('USBKEY 断开了。')(page);
      await page.evaluate(() => window.virtualKey.plugAnother('due-30-days', 'longmai-hid'));
      await sees(/不是刚才的那一个/)(page);
    },
  },
  {
    name: 'certificates: another tab',
    path: '/certificates',
    key: { scenario: 'due-30-days' },
    reach: async (page: Page): Promise<void> => {
      await sees(/30 天到期/)(page);
      await holdInAnotherTab(page);
      await page.bringToFront();
      await sees(/另一个标签页正在办理/)(page);
    },
  },
  {
    name: 'certificates: smart card',
    path: '/certificates',
    key: { scenario: 'due-30-days', granted: false, plugged: false },
    reach: async (page: Page): Promise<void> => {
      await plugStrange(page, { productName: 'Card', interfaceClass: 0x0b, endpoints: 'bulk pair', granted: true });
      await sees('这种 USBKEY，浏览器不允许网页使用。')(page);
    },
  },
  {
    name: 'certificates: behind the other door',
    path: '/certificates',
    key: { scenario: 'due-30-days', granted: false, plugged: false },
    reach: async (page: Page): Promise<void> => {
      await plugStrange(page, { productName: 'Key', interfaceClass: 0x03, endpoints: 'interrupt', granted: true });
      await sees('这个 USBKEY 要换一种方式连接。')(page);
    },
  },
  {
    name: 'certificates: no key, and its report',
    path: '/certificates',
    key: { scenario: 'due-30-days', granted: false, plugged: false },
    reach: async (page: Page): Promise<void> => {
      await plugStrange(page, { productName: 'Reader', interfaceClass: 0xff, endpoints: 'bulk pair', granted: true });
      await sees(/没有像 USBKEY 那样回答/)(page);
      await page.getByText('设备报告，供热线查看').click();
      await sees('复制报告')(page);
    },
  },
  {
    name: 'certificates: held elsewhere',
    path: '/certificates',
    key: { scenario: 'due-30-days', granted: false, plugged: false },
    reach: async (page: Page): Promise<void> => {
      const held = { granted: true, heldElsewhere: true } as const;
      await plugStrange(page, { productName: 'Reader', interfaceClass: 0xff, endpoints: 'bulk pair', ...held });
      await sees('别的程序正在使用这个 USBKEY。')(page);
    },
  },
  {
    name: 'certificates: model stopped',
    path: '/certificates',
    key: { scenario: 'due-30-days' },
    reach: async (page: Page): Promise<void> => {
      await sayOfTheModel(page, { enrolment: 'off' });
      await page.reload();
      await sees('这种型号的 USBKEY，本站暂时不办理。')(page);
    },
  },
  {
    name: 'certificates: model to be read only',
    path: '/certificates',
    key: { scenario: 'not-due' },
    reach: async (page: Page): Promise<void> => {
      await sayOfTheModel(page, { enrolment: 'readOnly' });
      await page.reload();
      await sees(/本站目前只能查看证书/)(page);
    },
  },
  {
    name: 'renew: password',
    path: '/renew',
    key: { scenario: 'due-30-days' },
    reach: (page: Page): Promise<void> => expect(page.locator('input[type=password]')).toBeVisible(),
  },
  {
    name: 'renew: wrong password',
    path: '/renew',
    key: { scenario: 'due-30-days' },
    reach: renewsUntil(/密码不对/, '87654321'),
  },
  { name: 'renew: last try', path: '/renew', key: { scenario: 'last-try' }, reach: sees(/不要再试/) },
  { name: 'renew: locked', path: '/renew', key: { scenario: 'locked' }, reach: sees(/已锁死/) },
  {
    name: 'renew: unplugged',
    path: '/renew',
    key: { scenario: 'ca-waits' },
    reach: async (page: Page): Promise<void> => {
      await renewsUntil(/证书机构正在处理/)(page);
      await page.evaluate(() => window.virtualKey.unplug());
      await sees('USBKEY 断开了。')(page);
    },
  },
  {
    name: 'renew: to be chosen again',
    path: '/renew',
    key: { scenario: 'due-30-days', attachment: 'ccid-extended' },
    reach: async (page: Page): Promise<void> => {
      await expect(page.locator('input[type=password]')).toBeVisible();
      await page.evaluate(async () => {
        for (const device of await navigator.usb.getDevices()) await device.forget();
      });
      await renewsUntil('USBKEY 断开了。')(page);
      await page.getByRole('button', { name: '再试一次' }).click();
      await sees(/^请插好同一个 USBKEY/)(page);
    },
  },
  {
    name: 'renew: left for later',
    path: '/renew',
    key: { scenario: 'ca-waits' },
    reach: async (page: Page): Promise<void> => {
      await typePassword(page);
      await page.getByRole('button', { name: '先停下，以后接着办' }).click();
      await sees(/已停下/)(page);
    },
  },
  {
    name: 'renew: takes no encryption certificate',
    path: '/renew',
    key: { scenario: 'due-30-days' },
    reach: async (page: Page): Promise<void> => {
      await knowsNoImport(page);
      await page.reload();
      await sees(/装不进新的加密证书/)(page);
    },
  },
  {
    name: 'renew: success',
    path: '/renew',
    key: { scenario: 'due-30-days' },
    reach: renewsUntil(/证书已更新，新的有效期到/),
  },
  {
    name: 'renew: refused',
    path: '/renew',
    key: { scenario: 'ca-refuses' },
    reach: renewsUntil('证书机构没有同意这次申请。'),
  },
  {
    name: 'check: no key',
    path: '/check?from=permission',
    reach: sees('浏览器和网络都正常。插上 USBKEY，可以接着检测它。'),
  },
  {
    name: 'check: in order',
    path: '/check?from=browser',
    key: { scenario: 'not-due' },
    reach: sees(/都正常|没有大问题/),
  },
  {
    name: 'check: two things to deal with, and the report',
    path: '/check?from=password',
    key: { scenario: 'locked' },
    reach: async (page: Page): Promise<void> => {
      await sees('有 2 处要处理，先看第一处。')(page);
      await page.getByText('检测报告，供热线查看').click();
    },
  },
  {
    name: 'check: test signature',
    path: '/check?from=browser',
    key: { scenario: 'not-due' },
    reach: async (page: Page): Promise<void> => {
      await page.getByRole('button', { name: '用密码试签一次' }).click();
      await expect(page.locator('input[type=password]')).toBeVisible();
    },
  },
  {
    name: 'key acceptance: with a certificate on the key',
    path: '/operator/key-acceptance',
    key: { scenario: 'due-30-days' },
    reach: sees(/里面有“.+”的证书/),
  },
  {
    name: 'key acceptance: pull it out',
    path: '/operator/key-acceptance',
    key: { scenario: 'foreign' },
    reach: acceptsUntil('请拔下 USBKEY。'),
  },
  {
    name: 'key acceptance: passed',
    path: '/operator/key-acceptance',
    key: { scenario: 'foreign' },
    reach: async (page: Page): Promise<void> => {
      await acceptsUntil('请拔下 USBKEY。')(page);
      await page.evaluate(() => window.virtualKey.unplug());
      await sees(/请再插上同一个/)(page);
      await page.evaluate(() => window.virtualKey.plug());
      await sees(/验收通过/)(page);
    },
  },
];
