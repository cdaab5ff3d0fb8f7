import type { JSHandle, Page } from '@playwright/test';
import { echoDevice, echoInterfaces, echoRequests } from './echo-device.ts';
import { expect, test } from './fixtures.ts';
import { DeviceOnTheBus } from './key-on-the-bus.ts';

/*
 * What the stand-in for the kernel's USB does beneath the browser, apart from any key: the transfers that CanoKey's framing
 * and a reader's notices are made of, and several devices at once.
 */

/** A granted device, open and with its interfaces claimed. */
const claimed = (page: Page, serialNumber: string): Promise<JSHandle<USBDevice>> =>
  page.evaluateHandle(async (serial) => {
    const device = (await navigator.usb.getDevices()).find((candidate) => candidate.serialNumber === serial);
    if (!device) throw new Error(`no device ${serial}`);
    await device.open();
    for (const { interfaceNumber } of device.configuration?.interfaces ?? [])
      await device.claimInterface(interfaceNumber);
    return device;
  }, serialNumber);

interface Fetched {
  readonly status: string | undefined;
  readonly bytes: readonly number[];
}

/** Stores bytes in the device by one vendor request, fetches them by another. */
const echo = (device: JSHandle<USBDevice>, bytes: readonly number[]): Promise<Fetched> =>
  device.evaluate(
    async (target, { store, fetch, index, data }) => {
      const setup = { requestType: 'vendor', recipient: 'interface', value: 0, index } as const;
      await target.controlTransferOut({ ...setup, request: store }, Uint8Array.from(data));
      const result = await target.controlTransferIn({ ...setup, request: fetch }, 1500);
      return { status: result.status, bytes: Array.from(new Uint8Array(result.data?.buffer ?? new ArrayBuffer(0))) };
    },
    { ...echoRequests, index: echoInterfaces.control, data: bytes },
  );

const whole = (bytes: readonly number[]): Fetched => ({ status: 'ok', bytes });

test('vendor requests to an interface without endpoints go both ways; a stall ends one and harms none', async ({
  openPage,
  bench,
}) => {
  const { page } = await openPage([new DeviceOnTheBus(echoDevice('E1'))], { origin: bench.origin });
  await page.goto('/');
  const device = await claimed(page, 'E1');
  const long = Array.from({ length: 1340 }, (_, index) => index & 0xff);

  expect(await echo(device, [1, 2, 3])).toEqual(whole([1, 2, 3]));
  expect(await echo(device, long)).toEqual(whole(long));
  const refused = await device.evaluate(async (target, index) => {
    const setup = { requestType: 'vendor', recipient: 'interface', request: 0x7f, value: 0, index } as const;
    const [read, written] = [
      await target.controlTransferIn(setup, 8),
      await target.controlTransferOut(setup, new Uint8Array(8)),
    ];
    return [read.status, written.status];
  }, echoInterfaces.control);
  expect(refused).toEqual(['stall', 'stall']);
  expect(await echo(device, [4])).toEqual(whole([4]));
});

test('an interrupt endpoint delivers packet by packet', async ({ openPage, bench }) => {
  const { page } = await openPage([new DeviceOnTheBus(echoDevice('E1'))], { origin: bench.origin });
  await page.goto('/');
  const device = await claimed(page, 'E1');

  const lengths = await device.evaluate(async (target) => {
    const waiting = target.transferIn(2, 8);
    await target.transferOut(1, new Uint8Array(20));
    const packets = [await waiting, await target.transferIn(2, 8), await target.transferIn(2, 8)];
    return packets.map(({ data }) => data?.byteLength);
  });

  expect(lengths).toEqual([8, 8, 4]);
});

test('pulled in the middle of a control transfer: it fails, the page is told, the device is gone', async ({
  openPage,
  bench,
}) => {
  let reach = (): void => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const device = new DeviceOnTheBus(echoDevice('E1'), {}, ({ setup }, run) => {
    if (setup[1] !== echoRequests.fetch || setup[0] !== 0xc1) return run();
    reach();
    return new Promise(() => undefined);
  });
  const { page } = await openPage([device], { origin: bench.origin });
  await page.goto('/');
  const handle = await claimed(page, 'E1');

  const ended = handle.evaluate(
    async (target, { fetch, index }) => {
      const name = (error: unknown): string => (error as DOMException).name;
      const gone = new Promise((resolve) => navigator.usb.addEventListener('disconnect', resolve));
      const setup = { requestType: 'vendor', recipient: 'interface', request: fetch, value: 0, index } as const;
      const error = await target.controlTransferIn(setup, 64).then(() => 'none', name);
      await gone;
      return [error, target.opened, await target.controlTransferIn(setup, 64).then(() => 'none', name)];
    },
    { fetch: echoRequests.fetch, index: echoInterfaces.control },
  );
  await reached;
  await device.unplug();

  expect(await ended).toEqual(['NetworkError', false, 'NotFoundError']);
});

test('two devices at once: each answers for itself, and one stays when the other is pulled', async ({
  openPage,
  bench,
}) => {
  const devices = ['E1', 'E2'].map((serial) => new DeviceOnTheBus(echoDevice(serial)));
  const { page } = await openPage(devices, { origin: bench.origin });
  await page.goto('/');
  const [first, second] = [await claimed(page, 'E1'), await claimed(page, 'E2')];

  expect(await Promise.all([echo(first, [1]), echo(second, [2])])).toEqual([whole([1]), whole([2])]);
  const news = await page.evaluateHandle(() => ({
    left: new Promise((resolve) => {
      navigator.usb.addEventListener('disconnect', ({ device }) => resolve(device.serialNumber));
    }),
  }));
  await devices[0]?.unplug();
  expect(await news.evaluate(({ left }) => left)).toBe('E1');
  expect(await echo(second, [3])).toEqual(whole([3]));
  const remaining = await page.evaluate(async () =>
    (await navigator.usb.getDevices()).map(({ serialNumber }) => serialNumber),
  );
  expect(remaining).toEqual(['E2']);
});
