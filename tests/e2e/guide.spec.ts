import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { violations } from './parts/accessibility.ts';
import { misfits, screens } from './parts/layout.ts';

const answer = async (page: Page, ...choices: string[]): Promise<void> => {
  for (const choice of choices) {
    const number = await page.locator('.sentence').textContent();
    await page.locator(`input[value=${choice}]`).check();
    await page.locator('form .primary').click();
    await expect(page.locator('.sentence')).not.toHaveText(number ?? '');
  }
};
const title = (page: Page, name: string): ReturnType<Page['getByRole']> =>
  page.getByRole('heading', { level: 1, name });

test('six answers lead from the guide to the certificates page, and the way back leads over them', async ({ page }) => {
  await page.goto('/guide');
  await page.getByRole('link', { name: /不确定要办哪一种/ }).click();
  await answer(page, 'yes', 'intact', 'known', 'since', 'soon', 'ready');
  await expect(title(page, '在线更新证书')).toBeFocused();
  await expect(page.getByText('依据：服务指南 1.3.1', { exact: false })).toBeVisible();

  await page.goBack();
  await expect(title(page, '手边有可以上网办的电脑吗？')).toBeFocused();
  await expect(page.locator('input[value=ready]')).toBeChecked();
  await page.goBack();
  await expect(page.locator('input[value=soon]')).toBeChecked();
  await page.goForward();
  await page.goForward();
  await page.getByRole('link', { name: '插上 USBKEY 开始' }).click();
  await expect(page).toHaveURL('/certificates');
});

test('no answer is left after a reload, and none is anywhere in storage or in the address', async ({ page }) => {
  await page.goto('/guide?ask=1');
  await answer(page, 'yes', 'intact', 'locked');
  expect(new URL(page.url()).search).toBe('?ask=4');
  const stored = await page.evaluate(async () => [
    ...Object.entries(localStorage),
    ...Object.entries(sessionStorage),
    ...(await indexedDB.databases()).map(({ name }) => name),
  ]);
  expect(JSON.stringify(stored)).not.toMatch(/locked|intact/);
  await page.reload();
  await expect(title(page, '以前领过天津税务的 CA 证书吗？')).toBeVisible();
  await expect(page.locator('input:checked')).toHaveCount(0);
});

test('a change of an earlier answer leads to another result', async ({ page }) => {
  await page.goto('/guide?ask=1');
  await answer(page, 'yes', 'intact', 'forgotten', 'unsure', 'unsure');
  await expect(title(page, '去网点解锁 USBKEY')).toBeVisible();
  await page.getByText('您的回答').click();
  await page.getByRole('link', { name: '修改 USBKEY 现在怎么样？' }).click();
  await answer(page, 'damagedIntact');
  await expect(title(page, '去网点补办 USBKEY')).toBeVisible();
  await expect(page.getByText('预估可以免费更换。')).toBeVisible();
});

for (const screen of screens) {
  test(`the questions, a result and the slip fit ${screen.width}×${screen.height}, and axe finds nothing`, async ({
    page,
  }) => {
    await page.setViewportSize(screen);
    for (const large of [false, true]) {
      // At every size the elements are the same; what axe measures is at its least and at its most at the ends.
      const isRead = large === (screen === screens[2]);
      const expectSound = async (): Promise<void> => {
        expect(await misfits(page)).toEqual([]);
        if (isRead) expect(await violations(page)).toEqual([]);
      };
      await page.goto('/guide?ask=1');
      if (large) await page.getByRole('button', { name: '大字版' }).click();
      await answer(page, 'yes');
      await expectSound();
      await answer(page, 'lost');
      await expectSound();
      await page.goto('/guide/replace?slip=1');
      await expect(title(page, '开票信息单')).toBeVisible();
      await expectSound();
    }
  });
}

test('the slip is printed on a sheet of its own', async ({ page }) => {
  await page.goto('/guide/replace');
  await page.getByRole('link', { name: '填写开票信息单' }).click();
  await page.getByLabel('发票抬头（公司名称）').fill('天津示例商贸有限公司');
  const pdf = await page.pdf({ format: 'A4' });
  expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)).toHaveLength(1);
  await page.emulateMedia({ media: 'print' });
  await expect(page.locator('.slip')).toBeVisible();
  await expect(page.locator('form')).toBeHidden();
  await expect(page.getByRole('heading', { level: 1 })).toBeHidden();
});

test('the kept letter is there on the next visit, unreadable in the database, and gone with one press', async ({
  page,
}) => {
  await page.goto('/letter');
  await page.getByLabel('身份证号').fill('11010519491231002X');
  await page.getByRole('checkbox', { name: '记在本机（加密）' }).check();
  const rows = (): Promise<string[]> =>
    page.evaluate(
      () =>
        new Promise<string[]>((resolve, reject) => {
          const open = indexedDB.open('casupport-user');
          open.onerror = () => reject(new Error('the database does not open'));
          open.onsuccess = () => {
            const all = open.result.transaction('letter').objectStore('letter').getAll();
            all.onsuccess = () => {
              open.result.close();
              resolve(all.result.map(({ sealed }: { sealed: Uint8Array }) => new TextDecoder('latin1').decode(sealed)));
            };
          };
        }),
    );
  await expect.poll(async () => (await rows()).length).toBe(1);
  expect((await rows()).join('')).not.toContain('110105');

  await page.reload();
  await expect(page.getByLabel('身份证号')).toHaveValue('11010519491231002X');
  await page.getByRole('button', { name: '清空' }).click();
  await expect.poll(async () => (await rows()).length).toBe(0);
  await page.reload();
  await expect(page.getByLabel('身份证号')).toHaveValue('');
});

test('with addresses from the operator the original program is linked, with a word that one leaves the site', async ({
  page,
}) => {
  await page.route('/config.json', async (route) => {
    const answered = await route.fetch();
    const config = (await answered.json()) as object;
    await route.fulfill({ json: { ...config, links: { taxBureau: 'https://tax.example/download' } } });
  });
  await page.goto('/guide/renew');

  const link = page.getByRole('link', { name: '天津市税务局门户网站' });
  await expect(link).toHaveAttribute('href', 'https://tax.example/download');
  await expect(link).toHaveAttribute('rel', /noreferrer/);
  await expect(page.getByText('（离开本站，新窗口）')).toHaveCount(1);
});

test('says when its words were last compared with the guide', async ({ page }) => {
  for (const route of ['/guide', '/guide/renew', '/faq']) {
    await page.goto(route);
    await expect(page.getByText(/^更新于 \d{4}年\d{1,2}月\d{1,2}日/), route).toBeVisible();
  }
});
