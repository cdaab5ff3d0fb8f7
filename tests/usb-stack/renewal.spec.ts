import type { KeyKind } from '../reference-ca/personalise.ts';
import { samplePassword } from '../reference-ca/personalise.ts';
import type { Attachment } from '../virtual-key/state.ts';
import { expect, seen, test, typePassword } from './fixtures.ts';
import { pairsOn } from './on-the-key.ts';

const keys: readonly (readonly [what: string, Attachment, KeyKind])[] = [
  ['GM/T 0017 with SM2 over Longmai’s HID reports', 'longmai-hid', {}],
  ['GM/T 0017 with SM2 over CCID with extended APDUs', 'ccid-extended', {}],
  ['GM/T 0017 with SM2 over CCID with short APDUs', 'ccid-short', {}],
  ['PIV with P-256 over CCID', 'ccid-extended', { commandSet: 'piv', algorithm: 'p256' }],
  ['PIV with RSA-2048 over CCID', 'ccid-short', { commandSet: 'piv', algorithm: 'rsa2048' }],
  ['PIV with P-256 over CanoKey’s control transfers', 'canokey', { commandSet: 'piv', algorithm: 'p256' }],
  ['PIV with SM2 over CanoKey’s control transfers', 'canokey', { commandSet: 'piv', algorithm: 'sm2' }],
];

for (const [what, attachment, kind] of keys)
  test(`${what}: renewed through the browser’s own USB`, async ({ desk, site }) => {
    const { page, key } = await desk('due-30-days', attachment, { kind });
    const before = pairsOn(key.state());
    await page.goto('/certificates');
    await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();

    await page.getByRole('link', { name: '更新证书' }).click();
    await typePassword(page, samplePassword);
    await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();

    const [old, renewed, ...more] = pairsOn(key.state());
    expect(old).toEqual(before[0]);
    expect(renewed?.certificate).toBeTruthy();
    expect(more).toEqual([]);
    const status = await page.request.get(`${site.origin}/api/enrolments/${renewed?.name?.slice(1) ?? ''}`);
    expect(await status.json()).toMatchObject({ status: 'confirmed' });
  });
