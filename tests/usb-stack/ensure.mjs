// @ts-check
// Programs this suite needs beside a browser: a C compiler with the Linux headers; an X server without a screen.
import { spawnSync } from 'node:child_process';
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

const hasDisplay = () => succeeds('sh', ['-c', 'command -v Xvfb']) && succeeds('sh', ['-c', 'command -v xdotool']);

/** True when there is an X server without a screen and a program that types into it, installed if need be. */
export function ensureDisplay() {
  if (hasDisplay() || (aptInstall('xvfb', 'xdotool') && hasDisplay())) return true;
  console.error('The browser’s own chooser needs Xvfb and xdotool. Debian: apt-get install xvfb xdotool (as root)');
  return false;
}
