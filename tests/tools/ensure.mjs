// @ts-check
// Programs the tests need and a machine may lack: a browser, OpenSSL, nginx. Use what is there, else install it where that is
// possible (root and apt on Debian), else say plainly what to type.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { findChromium, findHeadless } from './browser.mjs';

/** @param {string} command @param {string[]} args */
const run = (command, args) => {
  console.log(`$ ${command} ${args.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(command, args, { stdio: 'inherit', env, shell: process.platform === 'win32' }).status === 0;
};

const isDebian = () => {
  try {
    return /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
};
const canApt = () => process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');

let updated = false;
/** @param {string[]} packages */
export const aptInstall = (...packages) => {
  if (!canApt()) return false;
  updated ||= run('apt-get', ['update', '-qq']);
  return updated && run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages]);
};

const playwrightBrowser = async () => {
  const { chromium } = await import('playwright');
  return existsSync(chromium.executablePath()) ? chromium.executablePath() : undefined;
};

/** The browser for the tests, installed if need be; undefined when there is none and none could be had. */
export async function ensureBrowser() {
  const found = findChromium() ?? (await playwrightBrowser());
  if (found) return found;
  // Ubuntu's chromium package is a stub for a snap, so apt only where it is a browser.
  if (isDebian() && aptInstall('chromium', 'fonts-wqy-microhei') && findChromium()) return findChromium();
  const withDeps = canApt() ? ['--with-deps'] : [];
  if (run('npx', ['--no-install', 'playwright', 'install', ...withDeps, 'chromium'])) {
    const installed = await playwrightBrowser();
    if (installed) return installed;
  }
  console.error(`
No Chromium, Chrome or Edge was found, and none could be installed.
  Debian:     apt-get install chromium        (as root)
  elsewhere:  install Chrome, or set CHROME_PATH=/path/to/chrome
Then run the command again. Without a browser only the unit tests run: npm run test:unit`);
  return undefined;
}

/** Installs the browser without windows beside Debian's own one, where it can be had: tests are faster with it. */
export function ensureHeadless() {
  const found = findHeadless();
  // Both of one version, so both are named.
  if (found === '/usr/bin/chromium' && isDebian()) aptInstall('chromium', 'chromium-headless-shell');
}

/** True when there is an nginx, installed if need be. */
export function ensureNginx() {
  const works = () => spawnSync('nginx', ['-v'], { stdio: 'ignore' }).status === 0;
  if (works()) return true;
  if (isDebian()) aptInstall('nginx');
  return works();
}

/** True when an OpenSSL 3 is on the PATH, installed if need be. */
export function ensureOpenssl() {
  const works = () => /^OpenSSL 3/.test(spawnSync('openssl', ['version'], { encoding: 'utf8' }).stdout ?? '');
  if (works()) return true;
  aptInstall('openssl');
  return works();
}
