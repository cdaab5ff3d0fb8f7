import { fidoDevice, massStorageDevice, smartCardDevice } from '../virtual-key/other-devices.ts';
import { besideSmartCard } from './faces.ts';
import { hidFunction } from './hid-function.ts';
import { DeviceOnTheBus, KeyOnTheBus } from './key-on-the-bus.ts';
import { expect, seen, test } from './fixtures.ts';

test('a smart card of class 0B that was chosen before is recognised, explained and sent to a centre', async ({
  openPage,
}) => {
  const { page } = await openPage([new DeviceOnTheBus(smartCardDevice())]);
  await page.goto('/certificates');
  await expect(seen(page, '这种 USBKEY，浏览器不允许网页使用。')).toBeVisible();
  await expect(seen(page, '请用原软件，或带上它去服务中心。')).toBeVisible();
  await expect(page.getByRole('link', { name: '看要带什么' })).toBeVisible();
});

test('a smart card of class 0B opens, but its interface cannot be claimed', async ({ openPage, bench }) => {
  const { page } = await openPage([new DeviceOnTheBus(smartCardDevice())], { origin: bench.origin });
  await page.goto('/');
  const refusal = await page.evaluate(async () => {
    const [device] = await navigator.usb.getDevices();
    await device?.open();
    return device?.claimInterface(0).catch((error: unknown) => (error as DOMException).name);
  });
  expect(refusal).toBe('SecurityError');
});

test('a HID key with a smart-card reader beside it is read over HID, the reader notwithstanding', async ({
  site,
  openPage,
}) => {
  const key = new KeyOnTheBus(await site.ca.personalise('due-30-days', 'longmai-hid'), { as: besideSmartCard });
  const { identity } = key.model;
  const { page } = await openPage([key], {
    grants: [
      { way: 'usb', identity },
      { way: 'hid', identity },
    ],
  });
  await page.goto('/certificates');
  await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
  expect(await page.evaluate(async () => (await navigator.usb.getDevices()).length)).toBe(1);
});

/** A person who plugs one of these in sees what somebody without a key sees: the browser keeps them from the page. */
const fido = fidoDevice();
const hidden = [
  ['a disk', massStorageDevice()],
  // With a serial number, so that a permission for it can be kept at all.
  ['a security key', hidFunction({ ...fido, identity: { ...fido.identity, serialNumber: 'FIDO0001' } })],
] as const;
for (const [what, model] of hidden)
  test(`${what} stays hidden although it was chosen before: the page asks for a key`, async ({ openPage }) => {
    const { identity } = model;
    const device = new DeviceOnTheBus(model);
    const { page } = await openPage([device], {
      grants: [
        { way: 'usb', identity },
        { way: 'hid', identity },
      ],
    });
    await page.goto('/certificates');
    await expect(page.getByRole('button', { name: '连接 USBKEY' })).toBeVisible();
    await expect(seen(page, /插上 USBKEY/)).toBeVisible();
    const visible = await page.evaluate(async () => [
      ...(await navigator.usb.getDevices()),
      ...(await navigator.hid.getDevices()),
    ]);
    expect(visible).toEqual([]);
  });
