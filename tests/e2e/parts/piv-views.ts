import type { Page } from '@playwright/test';
import type { Face } from '../../faults/fault.ts';
import { expect, typePassword } from '../fixtures.ts';
import { openWith } from './piv.ts';
import type { View } from './views.ts';

const ccid: Face = { attachment: 'ccid-short', commandSet: 'piv', algorithm: 'p256' };

const renewUntil = async (page: Page, words: string | RegExp): Promise<void> => {
  await typePassword(page);
  await expect(page.getByRole('main').getByText(words).first()).toBeVisible();
};

/** What only a PIV key makes of the pages about it. */
export const pivViews: readonly View[] = [
  {
    name: 'renew: a management key is asked for',
    path: '/renew',
    key: { scenario: 'expired', attachment: 'canokey', commandSet: 'piv', algorithm: 'sm2' },
    reach: async (page: Page): Promise<void> => {
      await renewUntil(page, /要先核对管理密钥/);
      await page.getByRole('main').locator('input').fill('0011');
      await page.keyboard.press('Enter');
      await expect(page.getByText(/刚才输入了 4 个/)).toBeVisible();
    },
  },
  {
    name: 'renew: the password again, for a signature',
    path: '/about',
    key: { scenario: 'due-30-days', attachment: 'ccid-short', commandSet: 'piv' },
    reach: async (page: Page): Promise<void> => {
      await openWith(page, { ...ccid, passwordForEverySignature: true }, '/renew');
      await renewUntil(page, /签署申请/);
    },
  },
  {
    name: 'renew: success beside the old certificate, which may be moved',
    path: '/renew',
    key: { scenario: 'due-30-days', attachment: 'ccid-short', commandSet: 'piv' },
    reach: (page: Page): Promise<void> => renewUntil(page, '把新证书换到 9A 号槽'),
  },
  {
    name: 'certificates: beside the old one, with the management key that every key is delivered with',
    path: '/renew',
    key: { scenario: 'due-30-days', attachment: 'canokey', commandSet: 'piv' },
    reach: async (page: Page): Promise<void> => {
      await renewUntil(page, /管理密钥还是出厂时的/);
      await page.getByRole('link', { name: '回到证书管理' }).click();
      await page.getByText('详细信息').click();
      await expect(page.getByText('82 退役密钥管理 1')).toBeVisible();
    },
  },
];
