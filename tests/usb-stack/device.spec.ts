import type { ApduChannel } from '../../src/apdu/channel.ts';
import type * as Discovery from '../../src/device/discovery.ts';
import { FakeHid } from '../virtual-key/fake-hid.ts';
import { FakeUsb } from '../virtual-key/fake-usb.ts';
import { attachments } from '../virtual-key/state.ts';
import { VirtualKey } from '../virtual-key/virtual-key.ts';
import { describeHid, describeUsb } from './describe.ts';
import { expect, pulled, test } from './fixtures.ts';

/** How long an exchange with a key that was pulled may stay without its error. */
const errorWithinMs = 2000;

for (const attachment of attachments)
  test(`${attachment}: pulled at any transfer, an exchange ends as disconnected in time, and the next one works`, async ({
    desk,
    bench,
  }) => {
    const { page, key, port } = await desk('due-30-days', attachment, { origin: bench.origin });
    await page.goto('/');
    /** Opens the key and asks for its information: a few transfers each way. Says how it went. */
    const exchange = (): Promise<string> =>
      page.evaluate(async () => {
        const name = '/discovery.js';
        const { grantedDevices, watchDevices } = (await import(name)) as typeof Discovery;
        const find = async (): Promise<Discovery.GrantedDevice> => {
          const arrival = new Promise<Discovery.GrantedDevice>((resolve) => {
            watchDevices({ onConnect: resolve, onDisconnect: () => undefined });
          });
          const [device] = await grantedDevices();
          return device ?? arrival;
        };
        const device = await find();
        let channel: ApduChannel | undefined;
        try {
          channel = await device.openChannel();
          // GM/T 0017 GetDevInfo: CLA 80, INS 04, Le 256.
          const answer = await channel.transmit(Uint8Array.of(0x80, 0x04, 0, 0, 0), { timeoutMs: 10_000 });
          return `${answer.length} bytes`;
        } catch (error) {
          return String((error as { code?: unknown }).code);
        } finally {
          await channel?.close();
        }
      });
    const whole = await exchange();
    expect(whole).toMatch(/^\d+ bytes$/);
    const transfersBefore = key.faults.transfers;
    expect(await exchange()).toBe(whole);
    const transfers = key.faults.transfers - transfersBefore;

    for (const kind of ['before', 'after'] as const)
      for (const n of [1, 2, Math.ceil(transfers / 2), transfers - 2]) {
        const out = pulled(key).then(() => Date.now());
        key.faults.arm({ place: 'transfer', n, kind });
        const result = exchange().then((code) => ({ code, at: Date.now() }));
        const { code, at } = await result;
        expect(code, `${kind} transfer ${n}`).toBe('disconnected');
        expect(at - (await out), `${kind} transfer ${n}`).toBeLessThan(errorWithinMs);
        await key.plug(port);
        expect(await exchange(), `after ${kind} transfer ${n}`).toBe(whole);
      }
  });

const plugInto = { usb: new FakeUsb(), hid: new FakeHid() };

test('the browser describes a CCID key as the fake does', async ({ desk, bench }) => {
  const { page, key } = await desk('due-30-days', 'ccid-extended', { origin: bench.origin });
  await page.goto('/');
  const real = await page.evaluateHandle(async () => (await navigator.usb.getDevices()).at(0));
  const fake = new VirtualKey(key.state(), plugInto);
  fake.grant();
  await fake.plug();
  const [imitation] = await plugInto.usb.getDevices();
  expect(await real.evaluate(describeUsb)).toEqual(describeUsb(imitation));
});

test('the browser describes a HID key as the fake does', async ({ desk, bench }) => {
  const { page, key } = await desk('due-30-days', 'longmai-hid', { origin: bench.origin });
  await page.goto('/');
  const real = await page.evaluateHandle(async () => (await navigator.hid.getDevices()).at(0));
  const fake = new VirtualKey(key.state(), plugInto);
  fake.grant();
  await fake.plug();
  const [imitation] = await plugInto.hid.getDevices();
  expect(await real.evaluate(describeHid)).toEqual(describeHid(imitation));
});
