import { afterEach, expect, test, vi } from 'vitest';
import { usbkey } from '../../src/app/state/usbkey.svelte.ts';

/** Two keys of one model, which WebHID tells apart by nothing but the object. */
function alikeKeys(): readonly [HIDDevice, HIDDevice] {
  const one = (productName: string): HIDDevice =>
    Object.assign(new EventTarget(), {
      ...{ vendorId: 0x055c, productId: 0xe618, productName, collections: [], opened: false },
      open: () => Promise.reject(new DOMException('not here', 'NotAllowedError')),
      close: () => Promise.resolve(),
    }) as unknown as HIDDevice;
  return [one('first'), one('second')];
}

afterEach(() => {
  vi.restoreAllMocks();
});

test('of two keys that look alike the one that was chosen is read', async () => {
  const [first, second] = alikeKeys();
  vi.spyOn(navigator.hid, 'getDevices').mockResolvedValue([first, second]);
  vi.spyOn(navigator.hid, 'requestDevice').mockResolvedValue([second]);

  await usbkey.connect('hid');

  expect(usbkey.attached.map(({ productName }) => productName)).toEqual(['first', 'second']);
  expect(usbkey.view.at === 'trouble' && usbkey.view.device?.productName).toBe('second');
});
