import { sampleManagementKey } from '../reference-ca/piv-contents.ts';
import { certificateIn, certificateTag, tagName } from '../virtual-key/piv-objects.ts';
import type { KeyState, PivState } from '../virtual-key/state.ts';
import { expect, keyState, seen, test, typePassword } from './fixtures.ts';

const pivOf = ({ piv }: KeyState): PivState => {
  if (!piv) throw new Error('not a PIV key');
  return piv;
};
/** A slot's key pair and certificate object, as they lie on the key. */
const contentOf = ({ slots, objects }: PivState, slot: number): unknown => [
  slots.find((each) => each.slot === tagName(slot)),
  objects.find(({ tag }) => tag === tagName(certificateTag(slot))),
];

for (const [algorithm, attachment] of [
  ['p256', 'ccid-extended'],
  ['rsa2048', 'ccid-extended'],
  ['p256', 'canokey'],
  ['sm2', 'canokey'],
] as const)
  test(`${algorithm} over ${attachment}: the new certificate lies beside the old one`, async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days', attachment, commandSet: 'piv', algorithm });
    await page.goto('/certificates');
    await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
    const before = pivOf(await keyState(page));

    await page.getByRole('link', { name: '更新证书' }).click();
    await typePassword(page);
    await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();

    const after = pivOf(await keyState(page));
    expect(contentOf(after, 0x9a)).toEqual(contentOf(before, 0x9a));
    expect(after.slots.map((each) => [each.slot, each.algorithm])).toEqual([
      ['9a', algorithm],
      ['82', algorithm],
    ]);
    const { certificate, name } = certificateIn(after, 0x82);
    expect(name).toMatch(/^R[0-9a-f]{32}$/);
    expect(certificate?.length).toBeGreaterThan(300);
  });

test.describe('the panel', () => {
  test.use({ viewport: { width: 320, height: 640 } });

  test('changes the kind of key, keeps it over a reload and tells a management key that is asked for', async ({
    page,
  }) => {
    await page.goto('/');
    const tab = page.getByRole('button', { name: '体验模式' });
    await tab.click();
    const managementKey = page.getByText('它的管理密钥是');
    await expect(managementKey).toBeHidden();

    await page.getByLabel('USBKEY 种类').selectOption('PIV SM2，CanoKey');
    await expect.poll(async () => (await keyState(page)).attachment).toBe('canokey');
    await page.getByLabel('情形').selectOption('expired');
    await expect(managementKey).toHaveText(`它的管理密钥是 ${sampleManagementKey}。`);
    const made = await keyState(page);
    await page.reload();
    await tab.click();

    await expect(page.getByLabel('USBKEY 种类')).toHaveValue('PIV SM2，CanoKey');
    await expect(page.getByLabel('情形')).toHaveValue('expired');
    expect(await keyState(page)).toEqual(made);
    expect(pivOf(made).slots.map((each) => each.algorithm)).toEqual(['sm2']);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  });
});
