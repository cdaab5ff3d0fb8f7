import { samplePassword } from '../reference-ca/personalise.ts';
import { attachments } from '../virtual-key/state.ts';
import { containersOf, expect, seen, test, typePassword } from './fixtures.ts';

for (const attachment of attachments)
  test(`30 days left, ${attachment}: renewed through the browser’s own USB`, async ({ desk, site }) => {
    const { page, key } = await desk('due-30-days', attachment);
    const before = containersOf(key.state());
    await page.goto('/certificates');
    await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();

    await page.getByRole('link', { name: '更新证书' }).click();
    await typePassword(page, samplePassword);
    await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();

    const [old, renewed, ...more] = containersOf(key.state());
    expect(old).toEqual(before[0]);
    expect(renewed?.signing?.certificate).toBeTruthy();
    expect(more).toEqual([]);
    const status = await page.request.get(`${site.origin}/api/enrolments/${renewed?.name.slice(1) ?? ''}`);
    expect(await status.json()).toMatchObject({ status: 'confirmed' });
  });
