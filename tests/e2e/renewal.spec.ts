import type { Page } from '@playwright/test';
import { fromHex } from '../../src/pki/bytes.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { attachments } from '../virtual-key/state.ts';
import { containersOf, expect, keyState, seen, test, typePassword } from './fixtures.ts';
import { knowsNoImport } from './parts/views.ts';

const primary = /更新证书|升级证书/;

for (const attachment of attachments)
  test(`30 days left, ${attachment}: from the chooser to a renewed certificate`, async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days', attachment, granted: false });
    await page.goto('/certificates');
    if (attachment === 'longmai-hid') await page.getByRole('button', { name: '连接 USBKEY' }).click();
    else await page.getByRole('button', { name: '换一种方式' }).click();
    const chooser = page.getByRole('dialog', { name: '网页想要连接一个设备' });
    await chooser.getByText(attachment === 'longmai-hid' ? 'GM3000' : 'CCID').click();
    await chooser.getByRole('button', { name: '连接' }).click();
    await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
    const before = await keyState(page);

    await page.getByRole('link', { name: primary }).click();
    await typePassword(page);
    await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();
    await expect(page.getByRole('heading', { name: '原来的证书' })).toBeVisible();
    await expect(page.getByRole('heading', { name: '新的签名证书' })).toBeVisible();
    await expect(page.getByRole('heading', { name: '新的加密证书' })).toBeVisible();
    await expect(seen(page, /没有试过/)).toBeVisible();

    const after = await keyState(page);
    expect(containersOf(after)[0]).toEqual(containersOf(before)[0]);
    expect(containersOf(after)[1]?.name).toMatch(/^R[0-9a-f]{32}$/);
    expect(containersOf(after)[1]?.signing?.certificate).toBeTruthy();
    // The old container holds an encryption key pair, so the new one gets one too, of its own.
    expect(containersOf(after)[1]?.encryption?.certificate).toBeTruthy();
    expect(containersOf(after)[1]?.encryption).not.toEqual(containersOf(before)[0]?.encryption);
  });

test('expired: still renewed on line, and the page says the date now', async ({ page, desk }) => {
  await desk({ scenario: 'expired' });
  await page.goto('/certificates');
  await expect(seen(page, '证书已过期 12 天，仍可尝试在线更新。')).toBeVisible();
  await page.getByRole('link', { name: primary }).click();
  await typePassword(page);
  await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();
});

test('an old issuer’s certificate is upgraded', async ({ page, desk }) => {
  await desk({ scenario: 'old-issuer' });
  await page.goto('/certificates');
  await page.getByRole('link', { name: '升级证书' }).click();
  await typePassword(page);
  await expect(seen(page, /证书已升级，新的有效期到/)).toBeVisible();
});

test('wrong once, then right: one try is spent and said, then the work goes on', async ({ page, desk }) => {
  await desk({ scenario: 'due-30-days' });
  await page.goto('/certificates');
  await page.getByRole('link', { name: primary }).click();
  await typePassword(page, '87654321');
  const tries = (await keyState(page)).applications[0];
  expect(tries?.remainingTries).toBe((tries?.maxTries ?? 0) - 1);
  await expect(seen(page, `密码不对，还可以试 ${tries?.remainingTries ?? 0} 次。证书没有变化。`)).toBeVisible();
  await typePassword(page);
  await expect(seen(page, /证书已更新/)).toBeVisible();
});

test('locked: no password box appears, and unlocking at a centre is named', async ({ page, desk }) => {
  await desk({ scenario: 'locked' });
  await page.goto('/certificates');
  await expect(seen(page, 'USBKEY 已锁死，网上不能解锁。证书没有变化，请到任意服务中心解锁。')).toBeVisible();
  await expect(page.locator('input[type=password]')).toHaveCount(0);
  await page.getByRole('link', { name: '看要带什么' }).first().click();
  await expect(page).toHaveURL('/guide/unlock');
  await page.goto('/renew');
  await expect(seen(page, /已锁死/)).toBeVisible();
  await expect(page.locator('input[type=password]')).toHaveCount(0);
});

test('unplugged while the authority takes its time: replugged, it goes on to the end', async ({ page, desk }) => {
  await desk({ scenario: 'ca-waits' });
  await page.goto('/certificates');
  await page.getByRole('link', { name: primary }).click();
  await typePassword(page);
  await expect(seen(page, /证书机构正在处理/)).toBeVisible();
  await page.evaluate(() => window.virtualKey.unplug());
  await expect(seen(page, 'USBKEY 断开了。')).toBeVisible();
  await expect(seen(page, '原来的证书仍在。')).toBeVisible();
  await page.evaluate(() => window.virtualKey.plug());
  await typePassword(page);
  await expect(seen(page, /证书已更新/)).toBeVisible({ timeout: 15_000 });
  expect(containersOf(await keyState(page))).toHaveLength(2);
});

test('the authority refuses: the old certificate stays, and the hot-line and a code are named', async ({
  page,
  desk,
}) => {
  await desk({ scenario: 'ca-refuses' });
  await page.goto('/certificates');
  const before = await keyState(page);
  await page.getByRole('link', { name: primary }).click();
  await typePassword(page);
  const card = page.getByRole('main');
  await expect(card.getByText('证书机构没有同意这次申请。')).toBeVisible();
  await expect(card.getByText('原来的证书仍在。')).toBeVisible();
  await expect(card.getByText('400-880-9888').first()).toBeVisible();
  await expect(card.getByText(/\d{6}/).first()).toBeVisible();
  expect(containersOf(await keyState(page))[0]).toEqual(containersOf(before)[0]);
});

test('after a reload in the middle the same transaction is offered and finished', async ({ page, desk }) => {
  await desk({ scenario: 'ca-waits' });
  await page.goto('/certificates');
  await page.getByRole('link', { name: primary }).click();
  await typePassword(page);
  await expect(seen(page, /证书机构正在处理/)).toBeVisible();
  const [, half] = containersOf(await keyState(page));
  page.on('dialog', (dialog) => void dialog.accept());
  await page.goto('/certificates');
  await page.getByRole('link', { name: '继续办理' }).click();
  await typePassword(page);
  await expect(seen(page, /证书已更新/)).toBeVisible({ timeout: 15_000 });
  const after = containersOf(await keyState(page));
  expect(after).toHaveLength(2);
  expect(after[1]?.name).toBe(half?.name);
});

/** The authority is busy, and says for how long, until it is let go. */
async function busy(page: Page): Promise<() => Promise<void>> {
  const places = ['**/ca/cmp', '**/api/enrolments/**'];
  for (const place of places)
    await page.route(place, (route) => route.fulfill({ status: 503, headers: { 'Retry-After': '120' } }));
  return async () => {
    for (const place of places) await page.unroute(place);
  };
}

/** The browser logs failed requests of its own accord. */
function forgiveBusy(problems: string[]): void {
  problems.splice(0, problems.length, ...problems.filter((problem) => !problem.includes('503')));
}

/** What the operator says from now on. */
async function sayPolicy(page: Page, change: object): Promise<void> {
  await page.route('**/api/policy', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...((await response.json()) as object), ...change } });
  });
}

test('while the authority is busy one may leave it for later, and goes on from there', async ({
  page,
  desk,
  problems,
}) => {
  await desk({ scenario: 'due-30-days' });
  await page.goto('/certificates');
  await page.getByRole('link', { name: primary }).click();
  const before = await keyState(page);
  const calm = await busy(page);
  await expect(page.getByRole('button', { name: '先停下，以后接着办' })).toHaveCount(0);
  await typePassword(page);
  await expect(seen(page, /证书机构现在很忙/)).toBeVisible();

  await page.getByRole('button', { name: '先停下，以后接着办' }).click();

  await expect(seen(page, '已停下，办理的进度都记着。')).toBeVisible();
  await expect(seen(page, '原来的证书仍在。')).toBeVisible();
  await expect(seen(page, /\d{4}年\d+月\d+日.* 以后插上，接着办。/)).toBeVisible();
  const [old, half] = containersOf(await keyState(page));
  expect(old).toEqual(containersOf(before)[0]);

  // Later, in a page that knows of it only from what was kept.
  await calm();
  await page.goto('/certificates');
  await page.getByRole('link', { name: '继续办理' }).click();
  await typePassword(page);
  await expect(seen(page, /证书已更新/)).toBeVisible();
  const after = containersOf(await keyState(page));
  expect(after).toHaveLength(2);
  expect(after[1]?.name).toBe(half?.name);
  forgiveBusy(problems);
});

test('who has left it for later may go on at once', async ({ page, desk, problems }) => {
  await desk({ scenario: 'due-30-days' });
  await page.goto('/certificates');
  await page.getByRole('link', { name: primary }).click();
  const calm = await busy(page);
  await typePassword(page);
  await page.getByRole('button', { name: '先停下，以后接着办' }).click();
  await calm();

  await page.getByRole('button', { name: '接着办' }).click();

  await typePassword(page);
  await expect(seen(page, /证书已更新/)).toBeVisible();
  expect(containersOf(await keyState(page))).toHaveLength(2);
  forgiveBusy(problems);
});

for (const [what, change, words] of [
  ['closed', { enrolment: 'closed' }, '在线办理现在没有开放。'],
  ['for fewer keys', { rolloutPercent: 0 }, '在线办理正在分批开放，现在还没有轮到这个 USBKEY。'],
] as const) {
  test(`${what} since the key was read: said before any password, and nothing is written`, async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates');
    await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
    const before = await keyState(page);
    await sayPolicy(page, change);

    await page.getByRole('link', { name: primary }).click();

    await expect(seen(page, words)).toBeVisible();
    await expect(seen(page, '原来的证书仍在。')).toBeVisible();
    await expect(page.locator('input[type=password]')).toHaveCount(0);
    expect(await keyState(page)).toEqual(before);
  });

  test(`${what} since the password was asked for: nothing is written`, async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    await page.goto('/certificates');
    const before = await keyState(page);
    await page.getByRole('link', { name: primary }).click();
    await expect(page.locator('input[type=password]')).toBeVisible();
    await sayPolicy(page, change);

    await typePassword(page);

    await expect(seen(page, words)).toBeVisible();
    expect(containersOf(await keyState(page))).toEqual(containersOf(before));
  });
}

test('a key that takes no encryption certificate: said before the password and at the end', async ({ page, desk }) => {
  await knowsNoImport(page);
  await desk({ scenario: 'due-30-days' });
  await page.goto('/certificates');
  const before = await keyState(page);
  await page.getByRole('link', { name: primary }).click();
  await expect(seen(page, /这个 USBKEY 装不进新的加密证书，原来的不动。/)).toBeVisible();
  await expect(page.locator('input[type=password]')).toBeVisible();

  await typePassword(page);

  await expect(seen(page, /证书已更新/)).toBeVisible();
  await expect(seen(page, /加密证书没有换/)).toBeVisible();
  await expect(page.getByRole('heading', { name: '新的加密证书' })).toHaveCount(0);
  const after = containersOf(await keyState(page));
  expect(after[0]).toEqual(containersOf(before)[0]);
  expect(after[1]?.encryption).toBeFalsy();
});

test('close to the end, by a clock that no server has checked, nothing is said of days', async ({ page, desk }) => {
  // Answers without a date, as a proxy may give them.
  await page.route(/\.json$|\/api\/|\/ca\//, async (route) => {
    const response = await route.fetch();
    const headers = response.headers();
    delete headers['date'];
    await route.fulfill({ response, headers });
  });
  await desk({ scenario: 'due-30-days' });
  await page.goto('/certificates');
  await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
  const state = await keyState(page);
  const { notAfter } = parseCertificate(fromHex(containersOf(state)[0]?.signing?.certificate ?? ''));

  await page.clock.setFixedTime(new Date(notAfter.getTime() + 3_600_000));
  await page.reload();

  await expect(seen(page, /核对不了时间，所以不能判断证书是不是到期/)).toBeVisible();
  await expect(page.getByText(/已过期|还有 \d+ 天/)).toHaveCount(0);
  await expect(page.getByRole('main').getByRole('link', { name: primary })).toHaveCount(0);
  await expect(page.getByRole('main').getByRole('button', { name: '重新读取' })).toBeVisible();
});

test('what a key held is shown, as read then, when no key is in', async ({ page, desk }) => {
  await desk({ scenario: 'due-30-days' });
  await page.goto('/certificates');
  await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
  await page.evaluate(() => window.virtualKey.unplug());
  await page.reload();
  await expect(page.getByRole('heading', { name: /上次读取的证书/ })).toBeVisible();
  await expect(page.getByRole('button', { name: '连接 USBKEY' })).toBeVisible();
});

for (const [scenario, words] of [
  ['foreign', /没有天津税务的证书，本站不能办理/],
  ['empty', /没有读到证书。请先致电热线核对/],
  ['not-due', /现在不用办理/],
] as const)
  test(`${scenario}: said in words, without a way to renew`, async ({ page, desk }) => {
    await desk({ scenario });
    await page.goto('/certificates');
    await expect(seen(page, words)).toBeVisible();
    await expect(page.getByRole('main').getByRole('link', { name: /^(更新|升级)证书$/ })).toHaveCount(0);
  });
