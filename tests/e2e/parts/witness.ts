import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { expect } from '../fixtures.ts';
import { storedPlaces } from './storage.ts';

/** Sees all that a page says, writes down or sends, by place, from before it is opened. */
export interface Witness {
  /** Looks at what is stored now; what was seen before is remembered. */
  look(): Promise<void>;
  /** Something else that was seen, such as what is to be handed on. */
  saw(place: string, text: string): void;
  /** In which places each datum has been found, by its name; and that whatever it were, it would have been. */
  found(data: Readonly<Record<string, string>>): Promise<Record<string, string[]>>;
}

/** The channels on which the site's tabs speak to each other. */
const channels = ['casupport.appointments', 'casupport.key'];
const control = 'Hm4-Qx7-Wd2-Zj9';

/** How text may be written down: as it is, as JSON, in an address, as bytes of UTF-8, as hex of those, or as base64. */
function formsOf(text: string): readonly string[] {
  const bytes = Buffer.from(text, 'utf8');
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    return encoded.slice(before === 0 ? 0 : before + 1, -1);
  });
  const escaped = Array.from(text, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [
    ...[text, encodeURIComponent(text), bytes.toString('latin1'), hex, hex.toUpperCase(), escaped.join('')],
    // A few characters of base64 are found anywhere.
    ...base64.filter((part) => part.length >= 8),
  ];
}

/** The first two steps of a path: what follows may be a number. */
const steps = (url: string): string => new URL(url).pathname.split('/').slice(0, 3).join('/');

export async function watch(page: Page): Promise<Witness> {
  const seen = new Map<string, string[]>();
  const saw = (place: string, text: string): void => void seen.set(place, [...(seen.get(place) ?? []), text]);
  const context = page.context();
  const downloads: Promise<void>[] = [];

  context.on('console', (message) => saw('console', message.text()));
  context.on('weberror', (error) => saw('console', String(error.error().stack)));
  context.on('request', (request) => {
    saw('addresses asked for', request.url());
    saw('headers sent', JSON.stringify(request.headers()));
    const body = request.postDataBuffer()?.toString('latin1');
    if (body !== undefined) saw(`sent to ${steps(request.url())}`, body);
  });
  page.on('framenavigated', (frame) => saw('address', frame.url()));
  page.on('download', (download) => {
    const read = async (): Promise<void> =>
      saw(`file ${download.suggestedFilename()}`, await readFile(await download.path(), 'latin1'));
    downloads.push(read());
  });
  await context.exposeBinding('witness', (_, place: string, text: string) => saw(place, text));
  await page.addInitScript(() => {
    const tell = (place: string, value: unknown): void =>
      void (window as unknown as { witness: (place: string, text: string) => Promise<void> }).witness(
        place,
        typeof value === 'string' ? value : JSON.stringify(value),
      );
    /** Before the function does its work, its arguments are told. */
    const overhear = (owner: object, name: string, place: string): void => {
      const original = Reflect.get(owner, name) as (...given: unknown[]) => unknown;
      Object.defineProperty(owner, name, {
        value(...given: unknown[]) {
          // What the demo's virtual key keeps is its own.
          if (!String(given[0]).startsWith('virtual-key')) tell(place, given);
          return original.apply(this, given);
        },
      });
    };
    overhear(History.prototype, 'pushState', 'history.state');
    overhear(History.prototype, 'replaceState', 'history.state');
    overhear(ServiceWorker.prototype, 'postMessage', 'messages to the service worker');
    overhear(Storage.prototype, 'setItem', 'setItem');
    overhear(Clipboard.prototype, 'writeText', 'clipboard');
    window.BroadcastChannel = new Proxy(BroadcastChannel, {
      construct: (target, [name]: [string]) => {
        tell('channels', name);
        return new target(name);
      },
    });
    addEventListener('DOMContentLoaded', () => {
      new MutationObserver(() => tell('title', document.title)).observe(document.head, {
        subtree: true,
        childList: true,
        characterData: true,
      });
    });
  });

  const other = await context.newPage();
  /** A tab of the same origin, from the first look on. */
  const listening = async (): Promise<void> => {
    if (other.url() !== 'about:blank') return;
    await other.goto(new URL('/robots.txt', page.url()).href);
    await other.evaluate((names) => {
      for (const name of names)
        new BroadcastChannel(name).onmessage = ({ data }) =>
          void (window as unknown as { witness: (place: string, text: string) => Promise<void> }).witness(
            'messages to other tabs',
            JSON.stringify(data),
          );
    }, channels);
    await page.bringToFront();
  };
  const look = async (): Promise<void> => {
    await listening();
    for (const [place, text] of Object.entries(await storedPlaces(page))) saw(place, text);
    saw('title', await page.title());
    saw('referrer', await page.evaluate(() => document.referrer));
    await Promise.all(downloads);
  };
  const placesOf = (text: string): string[] => {
    const forms = formsOf(text);
    return Array.from(seen)
      .filter(([, texts]) => texts.some((one) => forms.some((form) => one.includes(form))))
      .map(([place]) => place)
      .sort();
  };

  return {
    look,
    saw,
    found: async (data) => {
      await look();
      const found = Object.fromEntries(Object.entries(data).map(([name, text]) => [name, placesOf(text)]));
      for (const name of seen.get('channels') ?? []) expect(channels).toContain(name);
      await leaveEverywhere(page);
      await look();
      await expect.poll(() => placesOf(control)).toEqual(expect.arrayContaining(everywhere));
      return found;
    },
  };
}

/** Where the control is left. */
const everywhere = [
  ...['address', 'addresses asked for', 'cache control', 'console', 'cookies', 'file control.txt', 'headers sent'],
  ...['history.state', 'indexedDB casupport-control/rows', 'localStorage', 'messages to other tabs'],
  ...['messages to the service worker', 'sent to /control', 'sessionStorage', 'setItem', 'title'],
];

/** Does once all that a page must not do with a person's data. */
async function leaveEverywhere(page: Page): Promise<void> {
  await page.route('**/control*', (route) => route.fulfill({ status: 204, body: '' }));
  const downloaded = page.waitForEvent('download');
  await page.evaluate(
    async ([datum, channel]) => {
      console.log(datum);
      localStorage.setItem('control', datum);
      sessionStorage.setItem('control', datum);
      document.cookie = `control=${datum}`;
      history.replaceState({ datum }, '', `${location.pathname}?control=${datum}`);
      document.title = datum;
      await fetch(`/control?${datum}`, {
        method: 'POST',
        body: new TextEncoder().encode(datum),
        headers: { 'X-Control': datum },
      });
      await (await caches.open('control')).put('/x', new Response(`… ${datum}`));
      await new Promise<void>((resolve, reject) => {
        const open = indexedDB.open('casupport-control');
        open.onupgradeneeded = () =>
          open.result.createObjectStore('rows').put({ bytes: new TextEncoder().encode(datum) }, 1);
        open.onerror = () => reject(new Error('the database does not open'));
        open.onsuccess = () => {
          open.result.close();
          resolve();
        };
      });
      new BroadcastChannel(channel).postMessage({ datum });
      (await navigator.serviceWorker.ready).active?.postMessage({ datum });
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([datum]));
      link.download = 'control.txt';
      link.click();
    },
    [control, channels[1] ?? ''] as const,
  );
  await downloaded;
}
