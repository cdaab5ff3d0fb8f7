import type { Page } from '@playwright/test';
import type { FakeUsb } from '../../virtual-key/fake-usb.ts';

/** A USB device in nobody's table, whose inside answers nothing. */
export interface StrangeDevice {
  readonly productName: string;
  readonly interfaceClass: number;
  readonly endpoints: 'bulk pair' | 'interrupt' | 'none';
  /** A class descriptor like a reader's, which makes no sense. */
  readonly asReader?: boolean;
  readonly granted?: boolean;
  readonly notOpenable?: boolean;
  readonly heldElsewhere?: boolean;
}

export const serialNumberOfStrangers = 'CANARY-4711';

/** Plugs it into the demo's browser. */
export const plugStrange = (page: Page, device: StrangeDevice): Promise<void> =>
  page.evaluate(
    async ([stranger, serialNumber]) => {
      const { productName, interfaceClass, endpoints, asReader, granted, notOpenable, heldElsewhere } = stranger;
      const silent = (): undefined => undefined;
      const model: Parameters<FakeUsb['plug']>[0] = {
        identity: { vendorId: 0x1d6b, productId: 0x0104, manufacturerName: 'Somebody', productName, serialNumber },
        notOpenable: notOpenable ?? false,
        interfaces: [
          {
            ...{ interfaceNumber: 0, interfaceClass, interfaceSubclass: 0, interfaceProtocol: 0 },
            heldElsewhere: heldElsewhere ?? false,
            endpoints: {
              none: [],
              interrupt: [{ endpointNumber: 1, direction: 'in', type: 'interrupt', packetSize: 8 } as const],
              'bulk pair': [
                { endpointNumber: 1, direction: 'in', type: 'bulk', packetSize: 64 } as const,
                { endpointNumber: 1, direction: 'out', type: 'bulk', packetSize: 64 } as const,
              ],
            }[endpoints],
            ...(asReader ? { classDescriptor: Uint8Array.of(54, 0x21, ...new Uint8Array(52)) } : {}),
          },
        ],
        ...{ powerUp: silent, powerDown: silent, reset: silent, controlIn: silent },
        receive: () => false,
        controlOut: () => false,
        idle: () => Promise.resolve(),
      };
      const usb = navigator.usb as unknown as FakeUsb;
      if (granted) usb.grant(model);
      await usb.plug(model);
    },
    [device, serialNumberOfStrangers] as const,
  );

/** Takes a device in the demo's chooser, which is open. */
export async function choose(page: Page, device: string): Promise<void> {
  const chooser = page.getByRole('dialog', { name: '网页想要连接一个设备' });
  await chooser.getByText(device).click();
  await chooser.getByRole('button', { name: '连接' }).click();
}

/** What the operator says today of the key on the desk, a Longmai HID one. */
export async function sayOfTheModel(page: Page, rule: { firmware?: string; enrolment: string }): Promise<void> {
  await page.route('**/api/policy', async (route) => {
    const response = await route.fetch();
    const policy = (await response.json()) as object;
    await route.fulfill({ response, json: { ...policy, models: [{ vendorId: '055C', productId: 'E618', ...rule }] } });
  });
}

/** Has the key on the desk, a Longmai HID one, in another tab, which works on it until it is closed. */
export async function holdInAnotherTab(page: Page): Promise<Page> {
  const other = await page.context().newPage();
  await other.goto('/about');
  // The real lock of a tab that is at the key, held for as long as the tab is open.
  await other.evaluate(
    () =>
      new Promise<void>((held) => {
        const lock = 'casupport.key 055c:e618:';
        void navigator.locks.request(lock, () => {
          held();
          new BroadcastChannel('casupport.key').postMessage({ say: 'mine', lock, task: 'work', since: Date.now() });
          return new Promise(() => undefined);
        });
      }),
  );
  return other;
}
