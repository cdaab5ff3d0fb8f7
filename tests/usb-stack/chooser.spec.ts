import type { Page } from '@playwright/test';
import { connectWords } from '../../src/app/messages/connect.ts';
import { certificates } from '../../src/app/messages/certificates.ts';
import { keyTrouble } from '../../src/app/messages/key-trouble.ts';
import { openDisplay, type Display } from './display.ts';
import { ensureDisplay } from './ensure.mjs';
import { withoutSerialNumber } from './faces.ts';
import { expect, seen, test as base } from './fixtures.ts';
import { KeyOnTheBus } from './key-on-the-bus.ts';

// A test names the desktop first: it is put away last, after the browser whose window it shows.
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
const { choosing } = certificates['zh-CN'];
const { nothingChosen: nothingWasChosen, unpluggedForgotten } = keyTrouble['zh-CN'];

const button = (page: Page, name: string): Promise<void> => page.getByRole('button', { name }).click({ timeout: 5000 });
const nothingChosen = (page: Page): ReturnType<Page['getByText']> => seen(page, nothingWasChosen.happened);

/** Opens the chooser by a button of the page and takes the first device in it. */
async function choose(page: Page, desktop: Display, by: string): Promise<void> {
  await expect(async () => {
    // A slow machine may have got there since.
    if (await seen(page, due).isVisible()) return;
    // Keys that came before the list was filled chose nothing; those that came before the chooser went to the page, and
    // may have led away from it.
    if (new URL(page.url()).pathname !== '/certificates') await page.goto('/certificates');
    if (!(await seen(page, choosing).isVisible())) await button(page, by);
    await expect(seen(page, choosing)).toBeVisible({ timeout: 2000 });
    desktop.press('Tab', 'Down', 'Return');
    await expect(seen(page, due)).toBeVisible({ timeout: 10_000 });
  }).toPass(patience);
}

test('the browser’s own chooser: closed without a choice, then answered with the key', async ({ desktop, desk }) => {
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
  desktop,
  site,
  openPage,
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
