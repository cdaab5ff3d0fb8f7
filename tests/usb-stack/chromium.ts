import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BrowserContext, chromium } from '@playwright/test';
import { chromiumArgs, findChromium } from '../tools/browser.mjs';
import type { UsbIdentity } from '../virtual-key/device-models.ts';
import { libraryFile } from './site.ts';

/** A device that the person has chosen for this site before. */
export interface Grant {
  readonly way: 'usb' | 'hid';
  readonly identity: UsbIdentity;
}

export interface Chromium {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/** Debian's `chromium` is a script around this; the library belongs into the browser alone. */
const debianChromium = '/usr/lib/chromium/chromium';
/** When the permission was given, in microseconds since 1601. Any past moment will do. */
const grantedAt = '13439809704871549';

/** The content settings that Chromium keeps for devices chosen in its chooser, by origin. */
function preferences(origins: readonly string[], grants: readonly Grant[]): string {
  const chosenBy = (way: Grant['way']): unknown => ({
    last_modified: grantedAt,
    setting: {
      'chosen-objects': grants
        .filter((grant) => grant.way === way)
        .map(({ identity: { productName, vendorId, productId, serialNumber } }) => ({
          name: productName,
          'vendor-id': vendorId,
          'product-id': productId,
          'serial-number': serialNumber ?? '',
        })),
    },
  });
  const chosen = (way: Grant['way']): unknown =>
    Object.fromEntries(origins.map((origin) => [`${origin},*`, chosenBy(way)]));
  const exceptions = { usb_chooser_data: chosen('usb'), hid_chooser_data: chosen('hid') };
  return JSON.stringify({ profile: { content_settings: { exceptions } } });
}

/**
 * Starts an unmodified Chromium with a fresh profile whose USB is what listens on the given USB/IP ports.
 * @param display an X display: Chromium opens a real window there; else it is headless
 */
export async function startChromium(options: {
  /** Sites to which the devices were granted; the first is the one that is opened. */
  readonly origins: readonly [string, ...string[]];
  readonly usbIpPorts: readonly number[];
  /** Those of them whose device the computer does not let the browser open. */
  readonly deniedPorts?: readonly number[];
  readonly grants?: readonly Grant[];
  readonly display?: string;
}): Promise<Chromium> {
  const { origins, usbIpPorts, deniedPorts = [], grants = [], display } = options;
  const directory = mkdtempSync(path.join(tmpdir(), 'usb-stack-'));
  const profile = path.join(directory, 'profile');
  mkdirSync(path.join(profile, 'Default'), { recursive: true });
  writeFileSync(path.join(profile, 'Default/Preferences'), preferences(origins, grants));
  const executablePath = existsSync(debianChromium) ? debianChromium : findChromium();
  const context = await chromium.launchPersistentContext(profile, {
    ...(executablePath ? { executablePath } : {}),
    // Playwright's own headless is a browser without choosers; Chromium's is the whole one.
    headless: false,
    args: [...chromiumArgs, display === undefined ? '--headless=new' : '--ozone-platform=x11'],
    baseURL: origins[0],
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    env: {
      ...definedOnly(process.env),
      ...(display === undefined ? {} : { DISPLAY: display }),
      LD_PRELOAD: libraryFile,
      FAKEUSB_PORTS: usbIpPorts.join(','),
      FAKEUSB_DENIED: deniedPorts.join(','),
      FAKEUSB_DIR: path.join(directory, 'sys'),
    },
  });
  return {
    context,
    close: async () => {
      await context.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const definedOnly = (environment: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined));
