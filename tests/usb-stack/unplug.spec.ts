import { type KeyKind, samplePassword } from '../reference-ca/personalise.ts';
import type { Fault } from '../virtual-key/faults.ts';
import type { Attachment } from '../virtual-key/state.ts';
import { expect, pulled, seen, test, typePassword } from './fixtures.ts';
import { pairsOn } from './on-the-key.ts';

declare global {
  interface Window {
    /** Set by a test: gone after a reload. */
    sameDocument?: boolean;
  }
}

/** How long a person may be left without a word after pulling the key. */
const wordWithinMs = 2000;

const gmt0017: KeyKind = {};
const pivP256: KeyKind = { commandSet: 'piv', algorithm: 'p256' };
const pivSm2: KeyKind = { commandSet: 'piv', algorithm: 'sm2' };

const moments: readonly (readonly [Attachment, KeyKind, Fault])[] = [
  ['longmai-hid', gmt0017, { place: 'transfer', n: 20, kind: 'after' }],
  ['longmai-hid', gmt0017, { place: 'write', n: 2, kind: 'after' }],
  ['ccid-extended', gmt0017, { place: 'transfer', n: 12, kind: 'before' }],
  ['ccid-extended', gmt0017, { place: 'write', n: 3, kind: 'after' }],
  ['ccid-extended', pivP256, { place: 'transfer', n: 30, kind: 'before' }],
  ['ccid-extended', pivP256, { place: 'write', n: 2, kind: 'after' }],
  ['canokey', pivP256, { place: 'transfer', n: 25, kind: 'before' }],
  ['canokey', pivP256, { place: 'write', n: 3, kind: 'after' }],
  ['canokey', pivSm2, { place: 'write', n: 2, kind: 'before' }],
];

for (const [attachment, kind, fault] of moments) {
  const what = [attachment, kind.commandSet, kind.algorithm].filter(Boolean).join(' ');
  const moment = `${fault.kind} ${fault.place} ${fault.n}`;
  test(`${what}, pulled ${moment}: said at once, replugged, finished without a reload`, async ({ desk, site }) => {
    const { page, key, port } = await desk('due-30-days', attachment, { kind });
    const [before] = pairsOn(key.state());
    await page.goto('/certificates');
    await page.getByRole('link', { name: '更新证书' }).click();
    const password = page.locator('input[type=password]:not([readonly])');
    await expect(password).toBeVisible();
    await page.evaluate(() => (window.sameDocument = true));

    const out = pulled(key);
    key.faults.arm(fault);
    await typePassword(page, samplePassword);
    await out;
    await expect(seen(page, 'USBKEY 断开了。')).toBeVisible({ timeout: wordWithinMs });
    await expect(seen(page, /原来的证书仍在/)).toBeVisible();

    await key.plug(port);
    const done = seen(page, /证书已更新，新的有效期到/);
    await expect(password.or(done).first()).toBeVisible();
    if (await password.isVisible()) await typePassword(page, samplePassword);
    await expect(done).toBeVisible();
    expect(await page.evaluate(() => window.sameDocument)).toBe(true);

    const [old, renewed, ...more] = pairsOn(key.state());
    expect(old).toEqual(before);
    expect(renewed?.certificate).toBeTruthy();
    expect(more).toEqual([]);
    const status = await page.request.get(`${site.origin}/api/enrolments/${renewed?.name?.slice(1) ?? ''}`);
    expect(await status.json()).toMatchObject({ status: 'confirmed' });
  });
}
