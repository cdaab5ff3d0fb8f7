import { expect, type Page, test as base } from '@playwright/test';
import type { Attachment, ContainerState, KeyState, Scenario } from '../virtual-key/state.ts';
import { type Grant, startChromium } from './chromium.ts';
import { type DeviceOnTheBus, KeyOnTheBus } from './key-on-the-bus.ts';
import { openSite, type Site } from './site.ts';

export interface Desk {
  readonly page: Page;
  readonly key: KeyOnTheBus;
  /** The port the key was plugged into, and goes into again. */
  readonly port: number;
}

interface Fixtures {
  /** Plugs a device in and opens a browser that may use it. */
  openPage: (
    device: DeviceOnTheBus,
    grants: readonly Grant[],
    display?: string,
  ) => Promise<{ page: Page; port: number }>;
  /** Plugs in a fresh key, chosen for the site before. */
  desk: (scenario: Scenario, attachment: Attachment) => Promise<Desk>;
}

export const test = base.extend<Fixtures, { site: Site }>({
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
    await use(async (device, grants, display) => {
      const port = await device.plug(0);
      closers.push(() => device.unplug());
      const browser = await startChromium({
        origin: site.origin,
        usbIpPort: port,
        grants,
        ...(display === undefined ? {} : { display }),
      });
      closers.push(() => browser.close());
      const [page = await browser.context.newPage()] = browser.context.pages();
      return { page, port };
    });
    for (const close of closers.reverse()) await close();
  },
  desk: async ({ site, openPage }, use) => {
    await use(async (scenario, attachment) => {
      const key = new KeyOnTheBus(await site.ca.personalise(scenario, attachment));
      const way = attachment === 'longmai-hid' ? 'hid' : 'usb';
      return { key, ...(await openPage(key, [{ way, identity: key.model.identity }])) };
    });
  },
});
export { expect };

export const containersOf = (state: KeyState): readonly ContainerState[] =>
  state.applications.flatMap(({ containers }) => containers);

/** Words as a person sees them; what is only read out by a screen reader says the same again. */
export const seen = (page: Page, words: string | RegExp): ReturnType<Page['getByText']> =>
  page.getByText(words).and(page.locator(':not(.visually-hidden)')).first();

export async function typePassword(page: Page, password: string): Promise<void> {
  await page.getByLabel('密码', { exact: false }).and(page.locator('input')).fill(password);
  await page.keyboard.press('Enter');
}
