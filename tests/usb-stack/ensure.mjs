// @ts-check
// Programs this suite needs beside a browser: a C compiler with the Linux headers; an X server without a screen; a
// smart-card service and tools for it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { aptInstall } from '../tools/ensure.mjs';

/** @param {string} command @param {string[]} args @param {string} [input] */
const succeeds = (command, args, input = '') => spawnSync(command, args, { input, stdio: 'pipe' }).status === 0;

const headers = ['stdlib.h', 'linux/usbdevice_fs.h', 'linux/hidraw.h'];
const compiles = () =>
  succeeds('cc', ['-fsyntax-only', '-x', 'c', '-'], headers.map((header) => `#include <${header}>\n`).join(''));

/** True when C can be compiled against the Linux headers, installed if need be. */
export function ensureCompiler() {
  if (process.platform !== 'linux') {
    console.error('The USB stack is replaced beneath a Chromium on Linux; this is another system.');
    return false;
  }
  if (compiles() || (aptInstall('gcc', 'libc6-dev', 'linux-libc-dev') && compiles())) return true;
  console.error(`
The USB stack's stand-in is a small C library, and there is no C compiler with the Linux headers.
  Debian:     apt-get install gcc libc6-dev linux-libc-dev        (as root)
  elsewhere:  install gcc, the C library's headers and the kernel's (UAPI) headers`);
  return false;
}

/** @param {string} program */
const isThere = (program) => succeeds('sh', ['-c', `command -v ${program}`]);
const hasDisplay = () => isThere('Xvfb') && isThere('xdotool');

/** True when there is an X server without a screen and a program that types into it, installed if need be. */
export function ensureDisplay() {
  if (hasDisplay() || (aptInstall('xvfb', 'xdotool') && hasDisplay())) return true;
  console.error('The browser’s own chooser needs Xvfb and xdotool. Debian: apt-get install xvfb xdotool (as root)');
  return false;
}

/** The service's own place is not on everybody's path. */
export const pcscdFile = '/usr/sbin/pcscd';
const ccidDriver = '/usr/lib/pcsc/drivers/ifd-ccid.bundle';
/** Which of Debian's packages brings what. */
const smartCardPackages = /** @type {const} */ ({
  pcscd: { package: 'pcscd', there: () => existsSync(pcscdFile) },
  libccid: { package: 'libccid', there: () => existsSync(ccidDriver) },
  'opensc-tool': { package: 'opensc', there: () => isThere('opensc-tool') },
  'pkcs11-tool': { package: 'opensc', there: () => isThere('pkcs11-tool') },
  'piv-tool': { package: 'opensc', there: () => isThere('piv-tool') },
  'yubico-piv-tool': { package: 'yubico-piv-tool', there: () => isThere('yubico-piv-tool') },
});
/** @typedef {Exclude<keyof typeof smartCardPackages, 'pcscd' | 'libccid'>} SmartCardTool */

/** @param {readonly (keyof typeof smartCardPackages)[]} names */
const missing = (names) => names.filter((name) => !smartCardPackages[name].there());

/** True when there is the smart-card service with its USB driver and the tools asked for. @param {SmartCardTool[]} tools */
export const hasSmartCards = (...tools) => missing(['pcscd', 'libccid', ...tools]).length === 0;

/** True when there is the smart-card service with its USB driver and all tools, installed if need be. */
export function ensureSmartCards() {
  const all = /** @type {(keyof typeof smartCardPackages)[]} */ (Object.keys(smartCardPackages));
  if (missing(all).length === 0) return true;
  const packages = [...new Set(missing(all).map((name) => smartCardPackages[name].package))];
  if (aptInstall(...packages) && missing(all).length === 0) return true;
  console.error(`
The key is checked with other people’s smart-card programs too, and these are missing: ${missing(all).join(', ')}.
  Debian:     apt-get install ${packages.join(' ')}        (as root)
Their tests are skipped.`);
  return false;
}
