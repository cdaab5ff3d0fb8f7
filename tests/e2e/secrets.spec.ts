import { createHash } from 'node:crypto';
import type { Page } from '@playwright/test';
import { expect, keyState, seen, test, type KeyOnDesk } from './fixtures.ts';
import { watchArrays } from './parts/arrays.ts';
import { heldInMemory, type Held, type Secret } from './parts/memory.ts';
import { storedPlaces } from './parts/storage.ts';

/*
 * Canaries: passwords and a management key that occur nowhere else. After each flow nothing of them may be left, neither
 * written down or sent, nor in memory that a script can still reach.
 */

/** As long as a key of each kind takes them. No six characters of one occur in another. */
const passwords = {
  gmt0017: { wrong: 'Zq7#wK9!mB4&xR2?', right: 'Vx4%tM2?hN8@cJ6!', unsent: 'Gf5*yL3$eP7-uD1~' },
  piv: { wrong: 'Zq7#wK9!', right: 'Vx4%tM2?', unsent: 'Gf5*yL3$' },
} as const;
type Passwords = (typeof passwords)['gmt0017' | 'piv'];
const passwordsOf = ({ commandSet = 'gmt0017' }: KeyOnDesk): Passwords => passwords[commandSet];

/** What opens a GM/T 0017 key as well as the password: the first 16 bytes of the digest under which the proof is made. */
const digestOf = (password: string): readonly number[] =>
  Array.from(
    createHash('sha1')
      .update(Buffer.from(password.padEnd(16, '\0')))
      .digest()
      .subarray(0, 16),
  );

/** Everything that leaves the page or is written down about it, as it happens. */
function listen(page: Page): () => string {
  const heard: string[] = [];
  page.on('console', (message) => heard.push(message.text()));
  page.on('request', (request) => {
    heard.push(request.url(), JSON.stringify(request.headers()), request.postDataBuffer()?.toString('latin1') ?? '');
  });
  return () => heard.join('\n');
}

/** Changes what the virtual key keeps, in a page that is left afterwards. */
async function changeKey(page: Page, pattern: RegExp, replacement: string): Promise<void> {
  await page.goto('/about');
  await keyState(page);
  await page.evaluate(
    ([source, becomes]) => {
      const saved = localStorage.getItem('virtual-key') ?? '';
      const changed = saved.replace(new RegExp(source, 'g'), becomes);
      if (changed === saved) throw new Error('the key is as it was');
      localStorage.setItem('virtual-key', changed);
    },
    [pattern.source, replacement] as const,
  );
}

/** The page with a key on the desk whose password is the canary, watched from the first moment. */
async function begin(page: Page, desk: (key: KeyOnDesk) => Promise<void>, key: KeyOnDesk): Promise<() => string> {
  const heard = listen(page);
  await watchArrays(page);
  await desk(key);
  await changeKey(page, /"(userPassword|pin)":"[^"]*"/, `"$1":"${passwordsOf(key).right}"`);
  return heard;
}

async function toRenewal(page: Page): Promise<void> {
  await page.goto('/certificates');
  await page.getByRole('link', { name: /更新证书/ }).click();
}

/** As a person does: key by key, so that the test itself leaves no string behind. */
async function typeKeys(page: Page, secret: string, label = '密码'): Promise<void> {
  await page.getByLabel(label).and(page.locator('input')).focus();
  await page.keyboard.type(secret);
  await page.keyboard.press('Enter');
}

/** The virtual key knows its own secrets, and lives in the page's memory. */
const ofVirtualKey = ({ by }: Held): boolean =>
  by.length > 0 && by.every((holder) => ['Object.userPassword', 'Object.pin', 'Object.key'].includes(holder));

/** The page and the browser hold no secret. @returns what the virtual key holds of each */
async function expectNothingLeft(
  page: Page,
  heard: () => string,
  secrets: readonly Secret[],
): Promise<readonly (readonly Held[])[]> {
  const held = await heldInMemory(page, secrets);
  expect(held.map((places) => places.filter((place) => !ofVirtualKey(place)))).toEqual(secrets.map(() => []));
  const shown = await page.evaluate(() =>
    [document.documentElement.outerHTML, ...Array.from(document.querySelectorAll('input'), (i) => i.value)].join(),
  );
  const places = { heard: heard(), shown, title: await page.title(), ...(await storedPlaces(page)) };
  for (const [place, text] of Object.entries(places))
    for (const secret of secrets)
      if (typeof secret === 'string') expect(text.includes(secret), `${secret} in ${place}`).toBe(false);
  return held;
}

/** Both passwords, and what the key would take for them; the right one is in the virtual key alone. */
async function expectNoPasswordLeft(page: Page, heard: () => string, key: KeyOnDesk): Promise<void> {
  const { wrong, right, unsent } = passwordsOf(key);
  const [ofRight = []] = await expectNothingLeft(page, heard, [right, wrong, unsent, digestOf(right), digestOf(wrong)]);
  expect(ofRight.length).toBeGreaterThan(0);
}

const hid: KeyOnDesk = { scenario: 'due-30-days' };
const ccid: KeyOnDesk = { scenario: 'due-30-days', attachment: 'ccid-short' };
const canokey: KeyOnDesk = { scenario: 'due-30-days', attachment: 'canokey', commandSet: 'piv' };
for (const key of [hid, ccid, canokey])
  test(`${key.commandSet ?? 'gmt0017'} over ${key.attachment ?? 'longmai-hid'}: a wrong and a right password leave nothing behind`, async ({
    page,
    desk,
  }) => {
    const { wrong, right } = passwordsOf(key);
    const heard = await begin(page, desk, key);
    await toRenewal(page);
    await typeKeys(page, wrong);
    await expect(seen(page, /密码不对，还可以试/)).toBeVisible();
    await typeKeys(page, right);
    await expect(seen(page, /证书已更新/)).toBeVisible();

    await expectNoPasswordLeft(page, heard, key);
  });

test('nor does a wrong one, after which the person gives up, with another half typed', async ({ page, desk }) => {
  const { wrong, unsent } = passwordsOf(hid);
  const heard = await begin(page, desk, hid);
  await toRenewal(page);
  await typeKeys(page, wrong);
  await expect(seen(page, /密码不对，还可以试/)).toBeVisible();
  const field = page.locator('input[type=password]');
  await field.focus();
  await page.keyboard.type(unsent);
  await page.getByRole('button', { name: '显示' }).click();
  await page.getByRole('button', { name: '先不办了' }).click();
  await expect(page.getByLabel('密码').and(page.locator('input'))).toHaveCount(0);

  await expectNoPasswordLeft(page, heard, hid);
});

test('nor one that was typed when the key was pulled out in the middle', async ({ page, desk }) => {
  const heard = await begin(page, desk, hid);
  await toRenewal(page);
  await expect(page.locator('input[type=password]')).toBeVisible();
  await page.evaluate(() => window.virtualKey.unplugAtWrite(1, 'after'));
  await typeKeys(page, passwordsOf(hid).right);
  await expect(page.locator('input[type=password]')).toHaveCount(0);
  await expect(seen(page, 'USBKEY 断开了。')).toBeVisible();

  await expectNoPasswordLeft(page, heard, hid);
});

for (const [key, transfer] of [
  [hid, 5],
  [canokey, 5],
] as const)
  test(`nor one on its way to a ${key.commandSet ?? 'gmt0017'} key that was pulled out with it`, async ({
    page,
    desk,
  }) => {
    const tries = async (): Promise<number | undefined> => {
      const { applications, piv } = await keyState(page);
      return (piv ?? applications[0])?.remainingTries;
    };
    const heard = await begin(page, desk, key);
    await toRenewal(page);
    await expect(page.locator('input[type=password]')).toBeVisible();
    const before = (await tries()) ?? 0;
    await page.evaluate((n) => window.virtualKey.unplugAt(n, 'after'), transfer);
    await typeKeys(page, passwordsOf(key).wrong);
    await expect(seen(page, 'USBKEY 断开了。')).toBeVisible();
    expect(await tries()).toBe(before - 1);

    await expectNoPasswordLeft(page, heard, key);
  });

test('nor when the authority refuses', async ({ page, desk }) => {
  const key: KeyOnDesk = { scenario: 'ca-refuses' };
  const heard = await begin(page, desk, key);
  await toRenewal(page);
  await typeKeys(page, passwordsOf(key).right);
  await expect(page.getByRole('main').getByText('证书机构没有同意这次申请。')).toBeVisible();

  await expectNoPasswordLeft(page, heard, key);
});

test('nor when the old certificate is deleted afterwards', async ({ page, desk }) => {
  const heard = await begin(page, desk, hid);
  // As on a key that was renewed before: its signing container holds no encryption key pair.
  await changeKey(page, /,"encryption":\{[^}]*\}/, '');
  await page.goto('/renew');
  await typeKeys(page, passwordsOf(hid).right);
  await expect(seen(page, /证书已更新/)).toBeVisible();
  await page.getByText('要不要删除原来的证书？').click();
  await page.getByRole('button', { name: '删除原来的证书' }).click();
  await typeKeys(page, passwordsOf(hid).right);
  await expect(seen(page, '原来的证书已删除，新的证书仍在。')).toBeVisible();

  await expectNoPasswordLeft(page, heard, hid);
});

test('nor when a PIV key’s new certificate takes the old one’s slot', async ({ page, desk }) => {
  const key: KeyOnDesk = { ...ccid, commandSet: 'piv' };
  const heard = await begin(page, desk, key);
  await page.goto('/renew');
  await typeKeys(page, passwordsOf(key).right);
  await page.getByRole('button', { name: '把新证书换到 9A 号槽' }).click();
  await typeKeys(page, passwordsOf(key).right);
  await expect(seen(page, /新证书已换到 9A 号槽/)).toBeVisible();

  await expectNoPasswordLeft(page, heard, key);
});

for (const key of [{ scenario: 'foreign' }, canokey] satisfies KeyOnDesk[])
  test(`nor when a ${key === canokey ? 'PIV' : 'GM/T 0017'} key is tried for acceptance, which is written down`, async ({
    page,
    desk,
  }) => {
    const heard = await begin(page, desk, key);
    await page.goto('/operator/key-acceptance');
    await page.getByRole('button', { name: '可以作废，开始验收' }).click();
    await typeKeys(page, passwordsOf(key).right);
    await expect(seen(page, '请拔下 USBKEY。')).toBeVisible();

    await expectNoPasswordLeft(page, heard, key);
  });

test('nor when the system check signs', async ({ page, desk }) => {
  const key: KeyOnDesk = { scenario: 'not-due' };
  const { wrong, right } = passwordsOf(key);
  const heard = await begin(page, desk, key);
  await page.goto('/check');
  await page.getByRole('button', { name: '开始检测' }).click();
  await page.getByRole('button', { name: '用密码试签一次' }).click();
  await typeKeys(page, wrong);
  await expect(seen(page, /密码不对，还可以试/)).toBeVisible();
  await typeKeys(page, right);
  await expect(page.locator('main .state')).toHaveText('试签成功，证书和密钥可以使用。');

  await expectNoPasswordLeft(page, heard, key);
});

test('what helps with a locked key asks for none', async ({ page, desk }) => {
  await desk({ scenario: 'locked' });
  for (const path of ['/certificates', '/renew', '/guide/unlock', '/letter?for=unlock']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByText('已锁死').or(page.getByText('解锁')).first()).toBeVisible();
    await expect(page.getByLabel(/密码/).and(page.locator('input'))).toHaveCount(0);
    await expect(page.locator('input[type=password]')).toHaveCount(0);
  }
});

test('a management key leaves nothing behind: incomplete, wrong and right', async ({ page, desk }) => {
  // In capitals, as the virtual key does not write its own; no six digits without a letter.
  const wrong = 'D3B8F05A6C1E9274D3B8F05A6C1E9274D3B8F05A6C1E9274';
  const right = 'C4A7E91D5B2F8063C4A7E91D5B2F8063A1D9E4B7F2C50683';
  const incomplete = 'E2F6A90B7D4C';
  const bytesOf = (hex: string): readonly number[] => Array.from(Buffer.from(hex, 'hex'));
  const key: KeyOnDesk = { scenario: 'expired', attachment: 'canokey', commandSet: 'piv', algorithm: 'sm2' };
  const heard = await begin(page, desk, key);
  await changeKey(page, /("managementKey":\{[^}]*"key":)"[^"]*"/, `$1"${right.toLowerCase()}"`);
  await page.goto('/renew');
  await typeKeys(page, passwordsOf(key).right);
  const field = page.getByLabel('管理密钥', { exact: true });
  await expect(field).toBeVisible();
  await typeKeys(page, incomplete, '管理密钥');
  await expect(page.getByText(/刚才输入了 12 个/)).toBeVisible();
  await field.focus();
  await page.keyboard.press('Control+Z');
  await expect(field).toHaveValue('');
  await typeKeys(page, wrong, '管理密钥');
  await expect(seen(page, '管理密钥不对。证书没有变化。')).toBeVisible();
  await typeKeys(page, right, '管理密钥');
  await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();

  const secrets = [bytesOf(right), right, wrong, bytesOf(wrong), incomplete, bytesOf(incomplete)];
  const [ofRight = []] = await expectNothingLeft(page, heard, [...secrets, passwordsOf(key).right]);
  expect(ofRight.length).toBeGreaterThan(0);
});

test('a password that was sent does not come back by undoing', async ({ page, desk }) => {
  await desk(hid);
  await toRenewal(page);
  await typeKeys(page, passwordsOf(hid).wrong);
  await expect(seen(page, /密码不对，还可以试/)).toBeVisible();
  // The same once more costs no try: the field stays, and is emptied.
  await typeKeys(page, passwordsOf(hid).wrong);
  const field = page.getByLabel('密码').and(page.locator('input'));
  await expect(field).toHaveValue('');
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await field.focus();
  await page.keyboard.press('Control+Z');

  await expect(field).toHaveValue('');
});
