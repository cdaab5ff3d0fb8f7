import { expect, type Page, test as base } from '@playwright/test';
import type { KeyKind } from '../reference-ca/personalise.ts';
import type { Attachment, Scenario } from '../virtual-key/state.ts';
import { type Bench, openBench } from './bench.ts';
import { type Grant, startChromium } from './chromium.ts';
import { type DeviceOnTheBus, KeyOnTheBus } from './key-on-the-bus.ts';
import { type Outcome, type SmartCardService, startSmartCardService } from './pcscd.ts';
import { openSite, type Site } from './site.ts';

export interface Desk {
  readonly page: Page;
  readonly key: KeyOnTheBus;
  /** The port the key was plugged into, and goes into again. */
  readonly port: number;
}

export interface PageOptions {
  /** Chosen for the site before. Default: every device, by the door that fits it. */
  readonly grants?: readonly Grant[];
  /** Chosen for the site before as well, but not plugged in. */
  readonly absent?: readonly DeviceOnTheBus[];
  /** Default: the shipped site. */
  readonly origin?: string;
  /** Another site to which the same devices were granted. */
  readonly otherOrigin?: string;
  /** The computer does not let the browser open the devices. */
  readonly denied?: boolean;
  readonly display?: string;
}

interface Fixtures {
  /** Plugs devices in and opens a browser in front of them. */
  openPage: (devices: readonly DeviceOnTheBus[], options?: PageOptions) => Promise<{ page: Page; ports: number[] }>;
  /** Plugs in a fresh key, chosen for the site before. */
  desk: (scenario: Scenario, attachment: Attachment, options?: PageOptions & { kind?: KeyKind }) => Promise<Desk>;
  /** Plugs a device in and starts a smart-card service in front of it, which has found its card when this resolves. */
  smartCards: (device: DeviceOnTheBus) => Promise<SmartCardService>;
}

const hidClass = 0x03;
const grantOf = ({ model: { identity, interfaces } }: DeviceOnTheBus): Grant => ({
  way: interfaces.some(({ interfaceClass }) => interfaceClass === hidClass) ? 'hid' : 'usb',
  identity,
});

export const test = base.extend<Fixtures, { site: Site; bench: Bench }>({
  bench: [
    async ({ browserName }, use) => {
      expect(browserName).toBe('chromium');
      const bench = await openBench();
      await use(bench);
      await bench.close();
    },
    { scope: 'worker' },
  ],
  site: [
    async ({ browserName }, use) => {
      expect(browserName).toBe('chromium');
      const site = await openSite();
      await use(site);
      await site.close();
    },
    { scope: 'worker' },
  ],
  openPage: async ({ site }, use) => {
    const closers: (() => Promise<unknown>)[] = [];
    await use(async (devices, { origin = site.origin, otherOrigin, display, denied, absent = [], ...options } = {}) => {
      const known = [...devices, ...absent];
      const ports = await Promise.all(devices.map((device) => device.plug(0)));
      closers.push(...known.map((device) => () => device.unplug()));
      const browser = await startChromium({
        origins: otherOrigin === undefined ? [origin] : [origin, otherOrigin],
        ...{ usbIpPorts: ports, deniedPorts: denied ? ports : [], grants: options.grants ?? known.map(grantOf) },
        ...(display === undefined ? {} : { display }),
      });
      closers.push(() => browser.close());
      const [page = await browser.context.newPage()] = browser.context.pages();
      return { page, ports };
    });
    for (const close of closers.reverse()) await close();
  },
  desk: async ({ site, openPage }, use) => {
    await use(async (scenario, attachment, { kind, ...options } = {}) => {
      const key = new KeyOnTheBus(await site.ca.personalise(scenario, attachment, kind));
      const { page, ports } = await openPage([key], options);
      const [port = 0] = ports;
      return { page, key, port };
    });
  },
  smartCards: async ({ browserName }, use) => {
    expect(browserName).toBe('chromium');
    const closers: (() => Promise<unknown>)[] = [];
    await use(async (device) => {
      const port = await device.plug(0);
      closers.push(() => device.unplug());
      const service = startSmartCardService([port]);
      closers.push(() => service.close());
      await expect(async () => {
        expect((await service.run('opensc-tool', ['--list-readers'])).output).toMatch(/^0 +Yes /m);
      }).toPass({ timeout: 30_000, intervals: [20] });
      return service;
    });
    for (const close of closers.reverse()) await close();
  },
});
export { expect };

/** Words as a person sees them; what is only read out by a screen reader says the same again. */
export const seen = (page: Page, words: string | RegExp): ReturnType<Page['getByText']> =>
  page.getByText(words).and(page.locator(':not(.visually-hidden)')).first();

export async function typePassword(page: Page, password: string): Promise<void> {
  await page.getByLabel('密码', { exact: false }).and(page.locator('input')).fill(password);
  await page.keyboard.press('Enter');
}

/** What a program that has succeeded wrote. */
export function succeeded({ status, output }: Outcome): string {
  expect(status, output).toBe(0);
  return output;
}

/** Resolves at the moment a fault that is armed pulls the key. */
export const pulled = ({ faults }: KeyOnTheBus): Promise<void> =>
  new Promise((resolve) => {
    const { cut } = faults;
    faults.cut = () => {
      faults.cut = cut;
      cut();
      resolve();
    };
  });
