import type { ApduChannel } from '../../src/apdu/channel.ts';
import type * as Discovery from '../../src/device/discovery.ts';
import type { KeyKind } from '../reference-ca/personalise.ts';
import { attachments } from '../virtual-key/state.ts';
import { VirtualKey } from '../virtual-key/virtual-key.ts';
import { describeHid, describeUsb } from './describe.ts';
import { expect, pulled, test } from './fixtures.ts';

/** How long an exchange with a key that was pulled may stay without its error. */
const errorWithinMs = 2000;

/** What a key answers without a password, in a few transfers. */
const questions = {
  // GM/T 0017 GetDevInfo: Le 256.
  gmt0017: [0x80, 0x04, 0, 0, 0],
  // PIV: SELECT (SP 800-73-4 part 2 §3.1.1).
  piv: [0x00, 0xa4, 0x04, 0, 5, 0xa0, 0, 0, 0x03, 0x08, 0],
} as const;
const gmt0017: KeyKind = { commandSet: 'gmt0017' };
const piv: KeyKind = { commandSet: 'piv', algorithm: 'p256' };

for (const [attachment, kind] of [...attachments.map((each) => [each, gmt0017] as const), ['canokey', piv] as const])
  test(`${attachment}: pulled at any transfer, an exchange ends as disconnected in time, and the next one works`, async ({
    desk,
    bench,
  }) => {
    const { page, key, port } = await desk('due-30-days', attachment, { kind, origin: bench.origin });
    await page.goto('/');
    /** Opens the key and asks it something. Says how it went. */
    const exchange = (): Promise<string> =>
      page.evaluate(
        async (question) => {
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
            const answer = await channel.transmit(Uint8Array.from(question), { timeoutMs: 10_000 });
            return `${answer.length} bytes`;
          } catch (error) {
            return String((error as { code?: unknown }).code);
          } finally {
            await channel?.close();
          }
        },
        questions[kind.commandSet ?? 'gmt0017'],
      );
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

for (const [attachment, kind] of [
  ['ccid-extended', gmt0017],
  ['ccid-0b', piv],
  ['canokey', piv],
] as const)
  test(`the browser describes a ${attachment} key as the fake does`, async ({ desk, bench }) => {
    const { page, key } = await desk('due-30-days', attachment, { kind, origin: bench.origin });
    await page.goto('/');
    const real = await page.evaluateHandle(async () => (await navigator.usb.getDevices()).at(0));
    const fake = new VirtualKey(key.state());
    fake.grant();
    await fake.plug();
    const [imitation] = await fake.usb.getDevices();
    expect(await real.evaluate(describeUsb)).toEqual(describeUsb(imitation));
  });

test('the browser describes a HID key as the fake does', async ({ desk, bench }) => {
  const { page, key } = await desk('due-30-days', 'longmai-hid', { origin: bench.origin });
  await page.goto('/');
  const real = await page.evaluateHandle(async () => (await navigator.hid.getDevices()).at(0));
  const fake = new VirtualKey(key.state());
  fake.grant();
  await fake.plug();
  const [imitation] = await fake.hid.getDevices();
  expect(await real.evaluate(describeHid)).toEqual(describeHid(imitation));
});
