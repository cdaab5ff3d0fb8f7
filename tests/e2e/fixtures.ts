import { test as base, expect, type Page } from '@playwright/test';
import type { Attachment, CommandSet, KeyState, PivAlgorithm, Scenario } from '../virtual-key/state.ts';
import type {} from '../virtual-key/browser.ts';

export const samplePassword = '12345678';

export interface KeyOnDesk {
  readonly scenario: Scenario;
  readonly attachment?: Attachment;
  /** GM/T 0017 unless said otherwise. */
  readonly commandSet?: CommandSet;
  /** Of a PIV key; P-256 unless said otherwise. */
  readonly algorithm?: PivAlgorithm;
  /** Chosen in the browser's chooser before: plugging it in is enough. Default: it is. */
  readonly granted?: boolean;
  readonly plugged?: boolean;
  readonly panel?: boolean;
}

interface Fixtures {
  /** Uncaught errors, console errors and violations of the content security policy; every test ends without any. */
  problems: string[];
  /** Lays a key on the desk before the page is opened. */
  desk: (key: KeyOnDesk) => Promise<void>;
}

export const test = base.extend<Fixtures>({
  problems: [
    async ({ page }, use) => {
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(`console: ${message.text()}`);
      });
      await page.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (event) => {
          console.error(`CSP ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
        });
      });
      await use(problems);
      expect(problems).toEqual([]);
    },
    { auto: true },
  ],
  desk: async ({ page }, use) => {
    await use(async (key) => {
      const options = {
        attachment: 'longmai-hid',
        granted: true,
        plugged: true,
        panel: false,
        latency: 'none',
        ...key,
      };
      await page.addInitScript((value) => {
        // Only once: what happens to the key afterwards survives a reload.
        if (localStorage.getItem('virtual-key-options') === null)
          localStorage.setItem('virtual-key-options', JSON.stringify(value));
      }, options);
    });
  },
});
export { expect };

/** What the virtual key holds. */
export const keyState = (page: Page): Promise<KeyState> => page.evaluate(() => window.virtualKey.state());

export const containersOf = (state: KeyState): KeyState['applications'][number]['containers'] =>
  state.applications.flatMap(({ containers }) => containers);

/** Types a password into the box and sends it. */
export async function typePassword(page: Page, password = samplePassword): Promise<void> {
  await page.getByLabel('密码', { exact: false }).and(page.locator('input')).fill(password);
  await page.keyboard.press('Enter');
}

/** Words as a person sees them; what is only read out by a screen reader says the same again. */
export const seen = (page: Page, words: string | RegExp): ReturnType<Page['getByText']> =>
  page.getByText(words).and(page.locator(':not(.visually-hidden)')).first();
