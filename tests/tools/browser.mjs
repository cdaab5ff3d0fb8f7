// @ts-check
// Finds a Chromium-family browser for the tests. Plain JavaScript: it runs before anything is compiled.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @param {string} file */
const runs = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/**
 * The path of an installed Chromium, Chrome or Edge, or undefined.
 * @returns {string | undefined}
 * @throws when CHROME_PATH is set to something that does not run
 */
export function findChromium() {
  const asked = process.env['CHROME_PATH'];
  if (asked) {
    if (!runs(asked)) throw new Error(`CHROME_PATH is ${asked}, which is not an executable file`);
    return asked;
  }
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'microsoft-edge'];
  const onPath = (process.env['PATH'] ?? '').split(delimiter).flatMap((dir) => names.map((name) => join(dir, name)));
  const windows = ['ProgramFiles', 'ProgramFiles(x86)', 'LOCALAPPDATA']
    .map((variable) => process.env[variable])
    .filter((root) => root !== undefined)
    .flatMap((root) => [
      join(root, 'Google', 'Chrome', 'Application', 'chrome.exe'),
      join(root, 'Chromium', 'Application', 'chrome.exe'),
      join(root, 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
    ]);
  const fixed = [
    '/usr/bin/chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ];
  return [...onPath, ...fixed, ...windows].find(runs);
}

/**
 * The same browser without its windows, where it is installed: it takes half the time. Else the browser.
 * @returns {string | undefined}
 * @throws when CHROME_PATH is set to something that does not run
 */
export function findHeadless() {
  if (process.env['CHROME_PATH']) return findChromium();
  return (
    (process.env['PATH'] ?? '')
      .split(delimiter)
      .map((dir) => join(dir, 'chromium-headless-shell'))
      .find(runs) ?? findChromium()
  );
}

export const chromiumArgs = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
