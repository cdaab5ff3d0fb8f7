import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { rebuildCache, refreshContent, resetDevice } from '../../src/app/state/check-repairs.ts';
import { browserPort, looksPrivate } from '../../src/diagnosis/browser-port.ts';
import { cacheDatabase, userDatabase } from '../../src/storage/database.ts';
import { TransportError } from '../../src/apdu/channel.ts';
import type { AttachedKey } from '../../src/usbkey/connect.ts';

const record = { transactionId: 'ab'.repeat(16), keySerialNumber: 'K', updatedAt: 1 };
const copy = { name: '/config.json', storedAt: 1, text: '{}' };
const copies = async (): Promise<unknown> => (await cacheDatabase()).getAll('documents');

beforeEach(async () => {
  await (await cacheDatabase()).put('documents', copy);
  await (await userDatabase()).put('transactions', record);
  await (await caches.open('shell')).put('/kept.txt', new Response('kept'));
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await (await cacheDatabase()).clear('documents');
  await (await userDatabase()).clear('transactions');
  await caches.delete('shell');
});

describe('fetching the offline copy anew', () => {
  test.each([
    ['no network', () => Promise.reject(new TypeError('Failed to fetch'))],
    ['a server with a fault', () => Promise.resolve(new Response('', { status: 503 }))],
  ])('with %s leaves the copies there are', async (_name, answer) => {
    vi.stubGlobal('fetch', answer);

    await rebuildCache();

    expect(await copies()).toEqual([copy]);
    expect(await caches.has('shell')).toBe(true);
  });

  test('throws the copies away, and nothing of the person', async () => {
    vi.stubGlobal('fetch', (url: string) =>
      Promise.resolve(new Response('', { status: url === '/index.html' ? 200 : 404 })),
    );

    await rebuildCache();

    expect(await copies()).toEqual([]);
    expect(await caches.has('shell')).toBe(false);
    expect(await (await userDatabase()).getAll('transactions')).toEqual([record]);
  });
});

describe('fetching the content anew', () => {
  const publicKey = btoa(`\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00${'k'.repeat(32)}`);
  const config = {
    ...{ version: 1, ca: null, api: '/api', anchors: [], intermediates: [], oldIssuers: [] },
    holder: { taxpayerNumber: [] },
    contentKeys: [{ keyId: 'k', algorithm: 'ed25519', publicKey }],
  };
  const refused = { kind: 'guidance', checkedAt: 1, refused: { reason: 'hash', version: 2 } } as const;
  const kept = async (): Promise<unknown> => (await cacheDatabase()).get('packChecks', 'guidance');
  beforeEach(async () => {
    await (await cacheDatabase()).put('packChecks', refused);
  });
  afterEach(async () => {
    await (await cacheDatabase()).clear('packChecks');
  });

  test('looks for newer packs too, whatever else there is not', async () => {
    vi.stubGlobal('fetch', (url: string) =>
      Promise.resolve(url === '/config.json' ? Response.json(config) : new Response('', { status: 404 })),
    );

    await refreshContent();

    expect(await kept()).toEqual({ kind: 'guidance', checkedAt: expect.any(Number) as number });
  });

  test('without a network leaves all as it is', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));

    await refreshContent();

    expect(await kept()).toEqual(refused);
  });
});

describe('restarting a key', () => {
  const keyThat = (reset: (() => Promise<void>) | undefined): AttachedKey =>
    ({ device: { reset } }) as unknown as AttachedKey;

  test('that cannot be restarted is left to the check that follows', async () => {
    const gone = new TransportError('disconnected', 'gone');
    await expect(resetDevice(keyThat(() => Promise.reject(gone)))).resolves.toBeUndefined();
    await expect(resetDevice(keyThat(undefined))).resolves.toBeUndefined();
    await expect(resetDevice(undefined)).resolves.toBeUndefined();
  });
});

describe('what this Chromium says of itself', () => {
  test('is as it is', async () => {
    const port = browserPort();

    expect(port.secureContext).toBe(true);
    expect(port.identity).toMatchObject({ browser: 'chrome', system: 'linux' });
    expect(await Promise.all([port.door('usb'), port.door('hid')])).toEqual(['ready', 'ready']);
    expect(await port.storage()).toMatchObject({ state: 'ok', looksPrivate: false });
    expect(await port.serviceWorker()).toBe('none');
  });

  test('of a private window is its quota, until Chrome 136', () => {
    const gigabyte = 2 ** 30;
    expect(looksPrivate({ quota: 1.5 * gigabyte }, 2 * gigabyte)).toBe(true);
    expect(looksPrivate({ quota: 60 * gigabyte }, 4 * gigabyte)).toBe(false);
    expect(looksPrivate({}, 4 * gigabyte)).toBe(false);
    expect(looksPrivate({ quota: gigabyte }, undefined)).toBe(false);
  });
});
