import type { Page } from '@playwright/test';
import { expect, samplePassword, test } from './fixtures.ts';
import { follow, tab, tabTo, tour } from './parts/keys.ts';

// Nothing in this file touches the mouse.
const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name });

test.beforeEach(async ({ desk }, { title }) => {
  if (!title.startsWith('renew')) await desk({ scenario: 'not-due', plugged: false, granted: false });
});

test('the first stop skips to the content', async ({ page }) => {
  await page.goto('/');
  await expect(heading(page, '您要办什么？')).toBeVisible();

  expect((await tab(page)).name).toContain('跳到正文');
  await page.keyboard.press('Enter');
  await tab(page);

  await expect(page.getByRole('main').getByRole('link', { name: '连接 USBKEY' })).toBeFocused();
});

test('from the home page to a flow: the focus arrives at its heading, and back again', async ({ page }) => {
  await page.goto('/');

  await follow(page, page.getByRole('main').getByRole('link', { name: /丢了或坏了/ }));
  await expect(heading(page, 'USBKEY补办')).toBeFocused();
  const box = page.getByRole('checkbox', { name: /经办人身份证原件/ });
  await tabTo(page, box);
  await page.keyboard.press('Space');
  await expect(box).toBeChecked();
  await page.goBack();

  await expect(heading(page, '您要办什么？')).toBeFocused();
});

test('a question searched from the home page, its answer opened', async ({ page }) => {
  await page.goto('/');

  await tabTo(page, page.getByRole('searchbox', { name: '搜索常见问题' }));
  await page.keyboard.insertText('密码锁了怎么办');
  await page.keyboard.press('Enter');
  await expect(heading(page, '常见问题')).toBeFocused();
  await expect(page.getByRole('status').getByText(/找到 \d+ 条/)).toBeVisible();
  await follow(page, page.getByRole('link', { name: /密码锁了怎么办？/ }));

  await expect(heading(page, '密码锁了怎么办？')).toBeFocused();
  await tabTo(page, page.getByText('依据', { exact: true }));
  await page.keyboard.press('Enter');
  await expect(page.getByText(/R-1\.5/).first()).toBeVisible();
});

test('the letter filled in and printed', async ({ page }) => {
  await page.addInitScript(() => {
    Object.assign(window, { asked: 0 });
    window.print = () => Object.assign(window, { asked: 1 });
  });
  await page.goto('/guide/unlock');

  await follow(page, page.getByRole('link', { name: '填写授权书' }));
  await expect(heading(page, '授权书')).toBeFocused();
  for (const [label, value] of [
    ['公司名称', '示例科技（天津）有限公司'],
    ['纳税人识别号', '91350100M000100Y43'],
    ['姓名', '张三丰'],
    ['手机号码', '13800138000'],
    ['身份证号', '11010519491231002X'],
  ] as const) {
    await tabTo(page, page.getByLabel(label, { exact: true }));
    await page.keyboard.insertText(value);
  }
  await tabTo(page, page.getByRole('button', { name: '打印授权书' }), 'Shift+Tab');
  await page.keyboard.press('Enter');

  await expect(page.locator('.sheet')).toContainText('兹授权我司员工张三丰,身份证号11010519491231002X');
  await expect(page.locator('.sheet')).toContainText('USBKEY解锁 ☑');
  expect(await page.evaluate<unknown>('window.asked')).toBe(1);
});

test('renewing: chooser, password, success', async ({ page, desk }) => {
  await desk({ scenario: 'due-30-days', granted: false });
  await page.goto('/');

  await follow(
    page,
    page
      .getByRole('main')
      .getByRole('link', { name: /USBKEY/ })
      .first(),
  );
  await expect(heading(page, '证书管理')).toBeFocused();
  await follow(page, page.getByRole('button', { name: '连接 USBKEY' }));
  const chooser = page.getByRole('dialog', { name: '网页想要连接一个设备' });
  await tabTo(page, chooser.getByRole('radio').first());
  await page.keyboard.press('Space');
  await follow(page, chooser.getByRole('button', { name: '连接' }));
  await expect(page.getByText('证书还有 30 天到期，现在就可以更新。').last()).toBeVisible();
  await follow(page, page.getByRole('link', { name: '更新证书' }));
  await expect(page.getByLabel('USBKEY 密码')).toBeFocused();
  await page.keyboard.type(samplePassword);
  await page.keyboard.press('Enter');

  await expect(page.getByText(/证书已更新，新的有效期到/)).toBeVisible();
  await follow(page, page.getByRole('link', { name: '回到证书管理' }));
  await expect(heading(page, '证书管理')).toBeFocused();
});

test('renewing, wrong once: the field has the focus again, and what is wrong belongs to it or is read out', async ({
  page,
  desk,
}) => {
  await desk({ scenario: 'due-30-days' });
  await page.goto('/renew');
  const field = page.getByLabel('USBKEY 密码');
  await expect(field).toBeFocused();

  await page.keyboard.type('87654321');
  await page.keyboard.press('Enter');

  await expect(page.getByRole('alert').getByText(/密码不对，还可以试/)).toBeVisible();
  await expect(field).toBeFocused();
  await expect(field).toHaveValue('');
});

for (const screen of [
  { width: 1093, height: 490 },
  { width: 390, height: 844 },
])
  for (const path of ['/', '/guide/replace', '/faq', '/centres', '/letter', '/certificates', '/check'])
    test(`${path}, ${screen.width} wide: round by Tab, every stop in sight with its ring, no trap`, async ({
      page,
    }) => {
      await page.setViewportSize(screen);
      await page.goto(path);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await expect(page.locator('main')).toHaveAttribute('aria-busy', 'false');
      // What is still to come pushes the rest down, and out of sight of whoever is there already.
      await expect(page.locator('main .waiting')).toHaveCount(0);

      const stops = await tour(page);

      expect(stops.length).toBeGreaterThan(10);
      expect(stops[0]).toContain('跳到正文');
    });
