import { defineConfig } from '@playwright/test';

/** The page as it is shipped, in a Chromium as it is shipped, in front of a virtual USB device. */
export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.ts',
  outputDir: '../../node_modules/.cache/playwright-results-usb',
  globalSetup: './global-setup.ts',
  fullyParallel: true,
  workers: 2,
  forbidOnly: Boolean(process.env['CI']),
  retries: 0,
  timeout: 120_000,
  // What a test waits for is an event, not a moment; a laden machine may take its time.
  expect: { timeout: 30_000 },
  reporter: [['list'], ['json']],
});
