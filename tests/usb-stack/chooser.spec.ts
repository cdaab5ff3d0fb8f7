import type { Page } from '@playwright/test';
import { connectWords } from '../../src/app/messages/connect.ts';
import { keyTrouble } from '../../src/app/messages/key-trouble.ts';
import { openDisplay, type Display } from './display.ts';
import { ensureDisplay } from './ensure.mjs';
import { withoutSerialNumber } from './faces.ts';
import { expect, seen, test as base } from './fixtures.ts';
import { KeyOnTheBus } from './key-on-the-bus.ts';

const test = base.extend<{ desktop: Display }>({
  desktop: async ({ browserName }, use) => {
    expect(browserName).toBe('chromium');
    test.skip(!ensureDisplay(), 'no Xvfb or xdotool');
    const display = await openDisplay();
    await use(display);
    await display.close();
  },
});

// The chooser is no part of the page and says to nobody when it is ready for keys: they are pressed until it heeds them.
const patience = { timeout: 60_000 };
const due = '证书还有 30 天到期，现在就可以更新。';
const { connect: connectButton, otherWay } = connectWords['zh-CN'];
const { nothingChosen: nothingWasChosen, unpluggedForgotten } = keyTrouble['zh-CN'];

const button = (page: Page, name: string): Promise<void> => page.getByRole('button', { name }).click();
const nothingChosen = (page: Page): ReturnType<Page['getByText']> => seen(page, nothingWasChosen.happened);

/** Opens the chooser by a button of the page and takes the first device in it. */
async function choose(page: Page, desktop: Display, by: string): Promise<void> {
  await button(page, by);
  await expect(async () => {
    // Keys that come before the list is filled choose nothing.
    if (await nothingChosen(page).isVisible()) await button(page, by);
    desktop.press('Tab', 'Down', 'Return');
    await expect(seen(page, due)).toBeVisible({ timeout: 5000 });
  }).toPass(patience);
}

test('the browser’s own chooser: closed without a choice, then answered with the key', async ({ desk, desktop }) => {
  const { page } = await desk('due-30-days', 'longmai-hid', { grants: [], display: desktop.name });
  await page.goto('/certificates');

  await button(page, connectButton);
  await expect(async () => {
    desktop.press('Escape');
    await expect(nothingChosen(page)).toBeVisible({ timeout: 2000 });
  }).toPass(patience);

  await choose(page, desktop, connectButton);
});

test('a key without a serial number is forgotten when it is pulled: said, and chosen again', async ({
  site,
  openPage,
  desktop,
}) => {
  const state = await site.ca.personalise('due-30-days', 'ccid-extended');
  const key = new KeyOnTheBus(state, { as: withoutSerialNumber });
  const { page, ports } = await openPage([key], { grants: [], display: desktop.name });
  await page.goto('/certificates');
  await choose(page, desktop, otherWay);

  await key.unplug();
  await expect(seen(page, unpluggedForgotten.happened)).toBeVisible();
  await expect(seen(page, unpluggedForgotten.next)).toBeVisible();

  await key.plug(ports[0] ?? 0);
  await choose(page, desktop, connectButton);
});
