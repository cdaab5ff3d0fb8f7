import { defineConfig } from '@playwright/test';
import { chromiumArgs, findChromium } from './tools/browser.mjs';

const executablePath = findChromium();
const port = Number(process.env['E2E_PORT'] ?? 4373);

export default defineConfig({
  testDir: './e2e',
  outputDir: '../node_modules/.cache/playwright-results',
  fullyParallel: true,
  workers: 2,
  forbidOnly: Boolean(process.env['CI']),
  retries: 0,
  timeout: 60_000,
  // An office machine is slow; what a test waits for is an event, not a moment.
  expect: { timeout: 15_000 },
  reporter: [['list'], ['json']],
  use: {
    baseURL: `http://localhost:${port}`,
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    serviceWorkers: 'allow',
    trace: 'retain-on-failure',
    launchOptions: { ...(executablePath ? { executablePath } : {}), args: chromiumArgs },
  },
  projects: [{ name: 'chromium' }],
  webServer: {
    // The site, the operator's API, the reference CA and the virtual key's script on one origin; builds are made before.
    command: `npx --no-install tsx tests/demo/start.ts --no-build --port ${port} --production-port ${port + 1} --strict-port`,
    cwd: '..',
    url: `http://localhost:${port}/`,
    reuseExistingServer: false,
    stdout: 'ignore',
  },
});
