import type { Locator, Page } from '@playwright/test';
import { keyPicker } from '../../src/app/messages/key-picker.ts';
import { keyTrouble } from '../../src/app/messages/key-trouble.ts';
import { renew } from '../../src/app/messages/renew.ts';
import { type KeyKind, samplePassword } from '../reference-ca/personalise.ts';
import type { Attachment } from '../virtual-key/state.ts';
import { expect, pulled, seen, test, typePassword } from './fixtures.ts';
import { KeyOnTheBus } from './key-on-the-bus.ts';
import { pairsOn } from './on-the-key.ts';

/* More than one key, and more than one who wants it. */

const trouble = keyTrouble['zh-CN'];
const picker = keyPicker['zh-CN'];
const renewal = renew['zh-CN'];
const due = '证书还有 30 天到期，现在就可以更新。';
const done = /证书已更新，新的有效期到/;

const gmt0017: KeyKind = {};
const piv: KeyKind = { commandSet: 'piv', algorithm: 'p256' };

/** The end of the serial number as the page reads it from the key: PIV keys tell theirs as a number of four bytes. */
function serialTail(key: KeyOnTheBus): string {
  const { info, piv } = key.state();
  const serial = piv ? String(Number.parseInt(info.serialNumber.slice(-8), 16)) : info.serialNumber;
  return serial.slice(-4);
}
const passwordBox = (page: Page): Locator => page.locator('input[type=password]:not([readonly])');

for (const [first, second, kind] of [
  ['longmai-hid', 'ccid-short', gmt0017],
  ['canokey', 'canokey', piv],
] as const)
  test(`${first} and ${second}: told apart by their serial numbers, and only the chosen one is renewed`, async ({
    site,
    openPage,
  }) => {
    const make = async (attachment: Attachment): Promise<KeyOnTheBus> =>
      new KeyOnTheBus(await site.ca.personalise('due-30-days', attachment, kind));
    const [chosen, other] = [await make(first), await make(second)];
    const before = other.state();
    const { page } = await openPage([chosen, other]);
    await page.goto('/certificates');
    await expect(seen(page, picker.sentence(2))).toBeVisible();

    await page.getByRole('button', { name: picker.tail(serialTail(chosen)) }).click();
    await expect(seen(page, due)).toBeVisible();
    await page.getByRole('link', { name: '更新证书' }).click();
    await typePassword(page, samplePassword);
    await expect(seen(page, done)).toBeVisible();

    expect(pairsOn(chosen.state())).toHaveLength(2);
    expect(other.state()).toEqual(before);
  });

test('another key in the place of the one that was pulled is said to be another, and left alone', async ({
  site,
  desk,
}) => {
  const other = new KeyOnTheBus(await site.ca.personalise('due-30-days', 'ccid-extended'));
  const before = other.state();
  const { page, key, port } = await desk('due-30-days', 'ccid-extended', { absent: [other] });
  await page.goto('/certificates');
  await page.getByRole('link', { name: '更新证书' }).click();
  await expect(passwordBox(page)).toBeVisible();
  const out = pulled(key);
  key.faults.arm({ place: 'write', n: 2, kind: 'after' });
  await typePassword(page, samplePassword);
  await out;
  await expect(seen(page, trouble.unplugged.happened)).toBeVisible();

  await other.plug(port);
  await expect(seen(page, renewal.otherKey(serialTail(key)))).toBeVisible();
  await other.unplug();
  await key.plug(port);
  await expect(passwordBox(page).or(seen(page, done)).first()).toBeVisible();
  if (await passwordBox(page).isVisible()) await typePassword(page, samplePassword);
  await expect(seen(page, done)).toBeVisible();

  expect(other.state()).toEqual(before);
});

for (const [attachment, kind] of [
  ['ccid-extended', gmt0017],
  ['canokey', piv],
] as const)
  test(`${attachment}, held by somebody else: said, and read once it is let go`, async ({ desk, bench }) => {
    const { page } = await desk('due-30-days', attachment, { kind, otherOrigin: bench.origin });
    const elsewhere = await page.context().newPage();
    await elsewhere.goto(bench.origin);
    const device = await elsewhere.evaluateHandle(async () => {
      const [found] = await navigator.usb.getDevices();
      const vendorClass = found?.configuration?.interfaces.find(({ alternate }) => alternate.interfaceClass === 0xff);
      await found?.open();
      await found?.claimInterface(vendorClass?.interfaceNumber ?? -1);
      return found;
    });

    await page.goto('/certificates');
    await expect(seen(page, trouble.busy.happened)).toBeVisible();
    await expect(seen(page, trouble.busy.certificate)).toBeVisible();

    await device.evaluate((found) => found?.close());
    await page.getByRole('button', { name: trouble.again }).click();
    await expect(seen(page, due)).toBeVisible();
  });

test('two tabs: the second waits, says so, and reads the key when the first is closed', async ({ desk }) => {
  const { page } = await desk('due-30-days', 'ccid-extended');
  await page.goto('/certificates');
  await page.getByRole('link', { name: '更新证书' }).click();
  await expect(passwordBox(page)).toBeVisible();

  const second = await page.context().newPage();
  await second.goto('/certificates');
  await expect(seen(second, /^另一个标签页正在/)).toBeVisible();
  await expect(seen(second, trouble.otherTab.next)).toBeVisible();
  await page.close();

  await expect(seen(second, due)).toBeVisible();
});

for (const attachment of ['longmai-hid', 'ccid-extended'] as const)
  test(`${attachment}, kept from the browser by the computer: said with what to do`, async ({ desk }) => {
    const { page } = await desk('due-30-days', attachment, { denied: true });
    await page.goto('/certificates');
    await expect(seen(page, trouble.accessDenied.happened)).toBeVisible();
    await expect(seen(page, trouble.accessDenied.next)).toBeVisible();
  });
