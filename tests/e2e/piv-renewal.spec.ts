import type { Locator, Page } from '@playwright/test';
import { sampleManagementKey } from '../reference-ca/piv-contents.ts';
import type { Face } from '../faults/fault.ts';
import { expect, keyState, samplePassword, seen, test, typePassword } from './fixtures.ts';
import { openWith, pairIn, slotOf } from './parts/piv.ts';

/* What a PIV key asks for, and what becomes of its certificates. */

const ccid: Face = { attachment: 'ccid-short', commandSet: 'piv', algorithm: 'p256' };
const field = (page: Page): Locator => page.getByRole('main').locator('input');
const answer = async (page: Page, text: string): Promise<void> => {
  await field(page).fill(text);
  await page.keyboard.press('Enter');
};

test('a key that wants the password for every signature says what for each time', async ({ page, desk }) => {
  const { attachment, commandSet } = ccid;
  await desk({ scenario: 'due-30-days', attachment, commandSet });
  await openWith(page, { ...ccid, passwordForEverySignature: true }, '/renew');
  const before = await keyState(page);

  await typePassword(page);
  await expect(seen(page, /请再输一次，用原来的证书签署申请/)).toBeVisible();
  await expect(seen(page, '申请证书')).toBeVisible();
  await answer(page, '87654321');
  await expect(seen(page, /密码不对，还可以试 2 次/)).toBeVisible();
  await answer(page, samplePassword);
  await expect(seen(page, /请再输一次，用原来的证书答复证书机构/)).toBeVisible();
  await answer(page, samplePassword);

  await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();
  expect(slotOf(await keyState(page), '9C')).toBe(slotOf(before, '9C'));
});

test('a management key that only the person knows is asked for, and a wrong one changes nothing', async ({
  page,
  desk,
}) => {
  await desk({ scenario: 'expired', attachment: 'canokey', commandSet: 'piv', algorithm: 'sm2' });
  await page.goto('/renew');
  await typePassword(page);
  await expect(page.getByLabel('管理密钥', { exact: true })).toBeVisible();
  const before = await keyState(page);

  await answer(page, '00'.repeat(24));
  await expect(seen(page, '管理密钥不对。证书没有变化。')).toBeVisible();
  expect((await keyState(page)).piv).toEqual(before.piv);
  await answer(page, sampleManagementKey);

  await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();
  const kept = await page.evaluate(() =>
    Object.keys(localStorage)
      .filter((name) => !name.startsWith('virtual-key'))
      .map((name) => localStorage.getItem(name))
      .join(),
  );
  expect(kept).not.toContain(sampleManagementKey);
  await page.getByRole('link', { name: '回到证书管理' }).click();
  await page.getByText('详细信息').click();
  await expect(page.getByText('由您输入，本站没有保存')).toBeVisible();
  await expect(page.getByText('82 退役密钥管理 1')).toBeVisible();
});

test.describe('other programs find the new certificate', () => {
  const renewed = async (page: Page): Promise<void> => {
    await page.goto('/renew');
    await typePassword(page);
    await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();
    await expect(seen(page, /其他程序一般只看 9A 和 9C，找到的还是原来的证书/)).toBeVisible();
  };

  test('once it has taken the old one’s slot, by choice, and both are whole', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days', attachment: 'ccid-short', commandSet: 'piv' });
    await renewed(page);
    const before = await keyState(page);

    await page.getByRole('button', { name: '把新证书换到 9A 号槽' }).click();
    await typePassword(page);

    await expect(seen(page, /新证书已换到 9A 号槽/)).toBeVisible();
    const after = await keyState(page);
    expect(pairIn(after, '9A')).toBe(pairIn(before, '82'));
    expect(pairIn(after, '83')).toBe(pairIn(before, '9A'));
    expect(slotOf(after, '82')).toBeUndefined();
    await page.getByRole('link', { name: '回到证书管理' }).click();
    await page.getByText('详细信息').click();
    await expect(page.getByText('9A PIV 认证')).toBeVisible();
    await expect(page.getByText(/其他程序一般只看/)).toBeHidden();
  });

  test('whoever leaves at the password lets go of the key, and may begin anew', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days', attachment: 'ccid-short', commandSet: 'piv' });
    await renewed(page);
    const move = page.getByRole('button', { name: '把新证书换到 9A 号槽' });
    await move.click();
    await expect(field(page)).toBeVisible();

    await page.locator('header').getByRole('link', { name: '证书管理' }).click();
    await move.click();
    await typePassword(page);

    await expect(seen(page, /新证书已换到 9A 号槽/)).toBeVisible();
    expect(await page.evaluate(async () => (await navigator.locks.query()).held?.length)).toBe(0);
  });

  test('a move that was cut is finished from the certificates page', async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days', attachment: 'ccid-short', commandSet: 'piv' });
    await renewed(page);
    const before = await keyState(page);

    await page.evaluate(() => window.virtualKey.unplugAtWrite(3, 'after'));
    await page.getByRole('button', { name: '把新证书换到 9A 号槽' }).click();
    await typePassword(page);
    await expect(seen(page, /没有换完。两张证书都在 USBKEY 里/)).toBeVisible();
    await page.evaluate(() => window.virtualKey.plug());
    await page.goto('/certificates');
    await page.getByRole('button', { name: '接着换完' }).click();
    await typePassword(page);

    await expect(seen(page, /新证书已换到 9A 号槽/)).toBeVisible();
    const after = await keyState(page);
    expect(pairIn(after, '9A')).toBe(pairIn(before, '82'));
    expect(pairIn(after, '83')).toBe(pairIn(before, '9A'));
  });

  test('not on a key that cannot move key pairs, which is said, and so is its management key', async ({
    page,
    desk,
  }) => {
    await desk({ scenario: 'due-30-days', attachment: 'canokey', commandSet: 'piv' });
    await renewed(page);
    await expect(page.getByRole('button', { name: /号槽/ })).toHaveCount(0);
    await expect(seen(page, /管理密钥还是出厂时的/)).toBeVisible();
    await expect(page.getByText('要不要删除原来的证书')).toHaveCount(0);
  });
});
