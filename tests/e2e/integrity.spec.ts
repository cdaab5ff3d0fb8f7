import { expect, test } from '@playwright/test';

// Not the fixtures' test: what is looked for here is an error.
test.use({ baseURL: `http://localhost:${Number(process.env['E2E_PORT'] ?? 4373) + 1}`, serviceWorkers: 'block' });

test('a script changed on its way is not run, and the page says what it says without scripts', async ({ page }) => {
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.route('**/assets/index-*.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${await response.text()}\ndocument.title = 'changed';` });
  });
  await page.goto('/', { waitUntil: 'networkidle' });
  await expect(page.locator('#static')).toBeVisible();
  expect(await page.title()).toBe('CA证书在线服务平台');
  expect(errors.join('\n')).toContain('integrity');
});
