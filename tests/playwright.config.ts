import { defineConfig } from '@playwright/test';
import { chromiumArgs, findHeadless } from './tools/browser.mjs';

// E2E_PORT=n: the demo there, the production build on the next. E2E_FRONT=nginx: served by nginx. E2E_TRACE=1: traces.
const executablePath = findHeadless();
const port = Number(process.env['E2E_PORT'] ?? 4373);
const ports = `--port ${port} --production-port ${port + 1}`;

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
    // It takes a third of the time; a failure says what was expected and what the page held then.
    trace: process.env['E2E_TRACE'] ? 'retain-on-failure' : 'off',
    launchOptions: { ...(executablePath ? { executablePath } : {}), args: chromiumArgs },
  },
  projects: [{ name: 'chromium' }],
  webServer: {
    // The site, the operator's API, the reference CA and the virtual key's script on one origin; builds are made before.
    command:
      process.env['E2E_FRONT'] === 'nginx'
        ? `npx --no-install tsx tests/demo/behind-nginx.ts ${ports}`
        : `npx --no-install tsx tests/demo/start.ts --no-build ${ports} --strict-port`,
    cwd: '..',
    url: `http://localhost:${port}/`,
    reuseExistingServer: false,
    // What it has written goes with it.
    gracefulShutdown: { signal: 'SIGTERM', timeout: 10_000 },
    stdout: 'ignore',
  },
});
