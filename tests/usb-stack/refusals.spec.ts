import { keyTrouble, type TroubleWords } from '../../src/app/messages/key-trouble.ts';
import type { UsbDeviceModel } from '../virtual-key/device-models.ts';
import { fidoDevice, massStorageDevice, smartCardDevice } from '../virtual-key/other-devices.ts';
import { echoDevice } from './echo-device.ts';
import { besideSmartCard } from './faces.ts';
import { hidFunction } from './hid-function.ts';
import { DeviceOnTheBus, KeyOnTheBus } from './key-on-the-bus.ts';
import { expect, seen, test } from './fixtures.ts';

const trouble = keyTrouble['zh-CN'];
const fido = fidoDevice();
const disk = massStorageDevice();
const hidOfDisk = {
  ...{ interfaceNumber: 1, interfaceClass: 0x03, interfaceSubclass: 0, interfaceProtocol: 0 },
  endpoints: [{ endpointNumber: 2, direction: 'in', type: 'interrupt', packetSize: 64 }],
} as const;

/** What a page may see of a device and not use, and the words for it. */
const refused: readonly (readonly [what: string, model: UsbDeviceModel, words: TroubleWords])[] = [
  ['a smart card of class 0B', smartCardDevice(), trouble.protectedClass],
  [
    'a disk with something else beside it',
    { ...disk, interfaces: [...disk.interfaces, hidOfDisk] },
    trouble.massStorage,
  ],
  [
    'a security key',
    hidFunction({ ...fido, identity: { ...fido.identity, vendorId: 0x096e, serialNumber: 'FIDO0001' } }),
    trouble.fidoOnly,
  ],
  ['an interface of the vendor’s own that is no key’s', echoDevice('E1'), trouble.notAKey],
];
for (const [what, model, words] of refused)
  test(`${what} that was chosen before is recognised and explained, with what to do`, async ({ openPage }) => {
    const { page } = await openPage([new DeviceOnTheBus(model)], {
      grants: [{ way: 'usb', identity: model.identity }],
    });
    await page.goto('/certificates');
    await expect(seen(page, words.happened)).toBeVisible();
    await expect(seen(page, words.certificate)).toBeVisible();
    await expect(seen(page, words.next)).toBeVisible();
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
const hidden = [
  ['a disk', disk],
  // With a serial number, so that a permission for it can be kept at all. The browser blocks its maker's over WebUSB too.
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
