import { openDisplay } from './display.ts';
import { ensureDisplay } from './ensure.mjs';
import { expect, seen, test } from './fixtures.ts';

// The chooser is no part of the page and says to nobody when it is ready for keys: they are pressed until it heeds them.
const patience = { timeout: 60_000 };

test('the browser’s own chooser: closed without a choice, then answered with the key', async ({ desk }) => {
  test.skip(!ensureDisplay(), 'no Xvfb or xdotool');
  const display = await openDisplay();
  try {
    const { page } = await desk('due-30-days', 'longmai-hid', { grants: [], display: display.name });
    await page.goto('/certificates');
    const connect = page.getByRole('button', { name: '连接 USBKEY' });
    const nothingChosen = seen(page, '没有选中 USBKEY。');

    await connect.click();
    await expect(async () => {
      display.press('Escape');
      await expect(nothingChosen).toBeVisible({ timeout: 2000 });
    }).toPass(patience);

    await expect(async () => {
      // Keys that come before the list is filled choose nothing either.
      if (await nothingChosen.isVisible()) await connect.click();
      display.press('Tab', 'Down', 'Return');
      await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible({ timeout: 5000 });
    }).toPass(patience);
    await page.context().close();
  } finally {
    await display.close();
  }
});
