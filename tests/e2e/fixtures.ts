import { test as base, expect, type BrowserContext, type Page } from '@playwright/test';
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
  /**
   * Uncaught errors, console errors and violations of the content security policy, in every page of every context; every
   * test ends without any. Nor may it have asked anything of another host, which cannot be forgiven.
   */
  problems: string[];
  /** Lays a key on the desk before the page is opened. */
  desk: (key: KeyOnDesk) => Promise<void>;
}

/** Whether an address is one of a server that the test runs, or leads to no server at all. */
function isOfThisMachine(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return !/^(?:https?|wss?):$/.test(protocol) || ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}

export const test = base.extend<Fixtures>({
  problems: [
    async ({ browser, context }, use) => {
      const problems: string[] = [];
      const foreign: string[] = [];
      const watch = async (watched: BrowserContext): Promise<void> => {
        watched.on('weberror', (error) => problems.push(`uncaught: ${error.error().message}`));
        watched.on('console', (message) => {
          if (message.type() === 'error') problems.push(`console: ${message.text()}`);
        });
        watched.on('request', (request) => {
          if (!isOfThisMachine(request.url())) foreign.push(request.url());
        });
        await watched.addInitScript(() => {
          document.addEventListener('securitypolicyviolation', (event) => {
            console.error(`CSP ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
          });
        });
      };
      const watchAnother = (another: BrowserContext): void => void watch(another);
      await watch(context);
      browser.on('context', watchAnother);
      await use(problems);
      browser.off('context', watchAnother);
      // What a page still asks for in the end is nobody's failure.
      for (const page of context.pages()) await page.unrouteAll({ behavior: 'ignoreErrors' });
      await context.unrouteAll({ behavior: 'ignoreErrors' });
      expect(problems).toEqual([]);
      expect(foreign).toEqual([]);
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
