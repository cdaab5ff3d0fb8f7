import type { Page } from '@playwright/test';
import { containersOf, expect, keyState, samplePassword, seen, test } from './fixtures.ts';

/** What pulls the rug away, armed while the page asks for the password. */
type Strike = (page: Page) => Promise<void>;

const success = /证书已更新，新的有效期到/;

/**
 * Does what the page says, as an anxious person would, until the certificate is renewed: plugs the key in again when it is
 * out, types the password when asked, presses the page's own button otherwise.
 */
async function followThePage(page: Page): Promise<void> {
  const done = seen(page, success);
  const password = page.locator('input[type=password]:not([readonly])');
  const out = seen(page, /USBKEY 断开了/);
  const onward = page
    .getByRole('main')
    .getByRole('button', { name: /^(再试一次|不插拔，再试一次|重新开始)$/ })
    .first();
  const offer = page
    .getByRole('main')
    .getByRole('link', { name: /^(更新证书|继续办理)$/ })
    .first();
  for (let turn = 0; turn < 12; turn += 1) {
    await expect(done.or(password).or(out).or(onward).or(offer).first()).toBeVisible({ timeout: 20_000 });
    if (await done.isVisible()) return;
    if (await password.isVisible()) {
      await password.fill(samplePassword);
      await password.press('Enter');
      await expect(password).toBeHidden();
    } else if (await out.isVisible()) {
      await page.evaluate(() => window.virtualKey.plug());
      await expect(out).toBeHidden({ timeout: 20_000 });
    } else if (await onward.isVisible()) {
      await onward.click();
      await expect(done.or(password).or(out).first()).toBeVisible({ timeout: 20_000 });
    } else {
      await offer.click();
      await expect(offer).toBeHidden({ timeout: 20_000 });
    }
  }
  throw new Error('the page led nowhere');
}

async function renewThrough(page: Page, strike: Strike): Promise<void> {
  await page.goto('/certificates');
  await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
  const before = await keyState(page);
  await page.getByRole('link', { name: '更新证书' }).click();
  await expect(page.locator('input[type=password]')).toBeVisible();
  await strike(page);
  await followThePage(page);

  const after = await keyState(page);
  const [old, renewed, ...more] = containersOf(after);
  expect(old).toEqual(containersOf(before)[0]);
  expect(renewed?.signing?.certificate).toBeTruthy();
  expect(more).toEqual([]);
  expect(after.applications[0]?.remainingTries).toBe(after.applications[0]?.maxTries);
  const status = await page.request.get(`/api/enrolments/${renewed?.name.slice(1) ?? ''}`);
  expect(await status.json()).toMatchObject({ status: 'confirmed' });
}

/** Transfers of a renewal with two certificates, counted from the password: over HID reports there are some 220. */
const transfers = [1, 2, 9, 20, 54, 90, 119, 160, 200];

for (const when of ['before', 'after'] as const) {
  for (const n of transfers)
    test(`the key comes out ${when} transfer ${n} takes effect`, async ({ page, desk }) => {
      await desk({ scenario: 'due-30-days' });
      await renewThrough(page, () =>
        page.evaluate(([at, how]) => window.virtualKey.unplugAt(at, how), [n, when] as const),
      );
    });

  for (const n of [1, 2, 3, 4, 5])
    test(`the key comes out ${when} write ${n} to its memory`, async ({ page, desk }) => {
      await desk({ scenario: 'due-30-days' });
      await renewThrough(page, () =>
        page.evaluate(([at, how]) => window.virtualKey.unplugAtWrite(at, how), [n, when] as const),
      );
    });
}

/** Of a renewal with two certificates, by their place; what lies between is like what stands here. */
const exchanges = [
  [0, 'request'],
  [1, 'request for the encryption certificate'],
  [3, 'last confirmation'],
] as const;
const disturbances = [
  'dropped before it arrives',
  'answered into the void',
  'answered with 500',
  'answered with garbage',
] as const;
for (const [index, exchange] of exchanges)
  for (const disturbance of disturbances)
    test(`the ${exchange} is ${disturbance}`, async ({ page, desk, problems }) => {
      await desk({ scenario: 'due-30-days' });
      let count = 0;
      await renewThrough(page, async () => {
        await page.route('**/ca/cmp', async (route) => {
          if (count++ !== index) return route.fallback();
          if (disturbance === 'dropped before it arrives') return route.abort('connectionreset');
          if (disturbance === 'answered into the void') {
            await route.fetch();
            return route.abort('connectionreset');
          }
          if (disturbance === 'answered with 500') return route.fulfill({ status: 500, body: 'broken' });
          return route.fulfill({ status: 200, contentType: 'application/pkixcmp', body: 'MII, but not really' });
        });
      });
      expect(count).toBeGreaterThan(index);
      // The browser logs failed requests of its own accord.
      problems.splice(
        0,
        problems.length,
        ...problems.filter((problem) => !problem.includes('Failed to load resource')),
      );
    });

for (const [index, exchange] of exchanges)
  for (const moment of ['before it is sent', 'after it has arrived'] as const)
    test(`the page is reloaded when the ${exchange} is on its way, ${moment}`, async ({ page, desk, problems }) => {
      await desk({ scenario: 'due-30-days' });
      page.on('dialog', (dialog) => void dialog.accept());
      let count = 0;
      await renewThrough(page, async () => {
        const reloaded = new Promise<void>((resolve, reject) => {
          void page.route('**/ca/cmp', async (route) => {
            if (count++ !== index) return route.fallback();
            if (moment === 'after it has arrived') await route.fetch();
            // Until the page is gone the exchange has no end: a page that learnt of one would send it again in time.
            await page.goto('/certificates').then(() => resolve(), reject);
            await route.abort('aborted').catch(() => undefined);
          });
        });
        await page.locator('input[type=password]').fill(samplePassword);
        await page.keyboard.press('Enter');
        await reloaded;
      });
      expect(count).toBeGreaterThan(index);
      problems.splice(
        0,
        problems.length,
        ...problems.filter((problem) => !problem.includes('Failed to load resource')),
      );
    });
