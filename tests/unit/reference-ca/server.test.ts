import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseMessage } from '../../../src/ca/cmp-messages.ts';
import { concat, fromBase64, toHex } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { listen, type Listening } from '../../demo/listen.ts';
import { readOptions } from '../../demo/options.ts';
import { createDemoServer } from '../../demo/server.ts';
import { staticFiles } from '../../demo/static-files.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';
import { issuedCertificate, makeCsr, makeHolder, makeRequest, random, TestClock } from './holder.ts';

const clock = new TestClock();
let directory: string;
let ca: ReferenceCa;
let demo: Listening;
let production: Listening;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'demo-'));
  await writeFile(path.join(directory, 'index.html'), '<!doctype html>');
  await writeFile(path.join(directory, '_headers'), '/*\n  X-Everywhere: yes\n');
  ca = await openReferenceCa({ now: clock.now });
  const start = (isDemo: boolean): Promise<Listening> =>
    listen(() => createDemoServer(ca, staticFiles(directory), { demo: isDemo }), {
      port: 0,
      strictPort: true,
      host: '127.0.0.1',
    });
  demo = await start(true);
  production = await start(false);
});
afterAll(async () => {
  await demo.close();
  await production.close();
  await ca.close();
  await rm(directory, { recursive: true });
});

const url = (pathname: string): string => new URL(pathname, demo.url).href;
const post = (body: Uint8Array, headers: Record<string, string> = { 'Content-Type': 'application/pkixcmp' }) =>
  fetch(url('/ca/cmp'), { method: 'POST', body: concat(body), headers });

/** A JSON object. */
async function json(response: Response): Promise<Record<string, unknown>> {
  const value: unknown = await response.json();
  if (typeof value !== 'object' || value === null) throw new Error('not an object');
  return value as Record<string, unknown>;
}

describe('POST /ca/cmp', () => {
  test('answers a request, and the lookup tells the same', async () => {
    const holder = await makeHolder(ca, clock.now());
    const transactionId = random(16);
    const request = await makeRequest(holder, await makeCsr(holder), { transactionId });

    const response = await post(request);
    const body = new Uint8Array(await response.arrayBuffer());
    const lookup = await json(await fetch(url(`/api/enrolments/${toHex(transactionId)}`)));

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/pkixcmp');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(parseCertificate(issuedCertificate(parseMessage(body))).subject).toEqual(holder.certificate.subject);
    expect(lookup['status']).toBe('issued');
    expect(fromBase64(String(lookup['message']))).toEqual(body);
  });

  test('tells the authority’s time', async () => {
    const response = await fetch(url('/api/policy'));
    expect(response.headers.get('date')).toBe('Sun, 22 Nov 2026 02:00:00 GMT');
  });

  test.each([
    ['bytes that are no PKIMessage', () => post(random(20)), 400],
    ['nothing', () => post(new Uint8Array()), 400],
    ['another content type', () => post(random(20), { 'Content-Type': 'application/octet-stream' }), 415],
    ['more than 64 KiB', () => post(new Uint8Array(65_537)), 413],
    [
      'more than 64 KiB in chunks',
      () =>
        fetch(url('/ca/cmp'), {
          method: 'POST',
          headers: { 'Content-Type': 'application/pkixcmp' },
          body: new Blob([random(40_000), random(40_000)]).stream(),
          duplex: 'half',
        } as RequestInit),
      413,
    ],
    ['GET', () => fetch(url('/ca/cmp')), 405],
    ['a preflight of another origin', () => fetch(url('/ca/cmp'), { method: 'OPTIONS' }), 405],
  ])('%s is refused', async (_what, send, status) => {
    const response = await send();
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await json(response)).toMatchObject({ type: 'about:blank', status });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('GET /api', () => {
  test('policy', async () => {
    expect(await json(await fetch(url('/api/policy')))).toEqual({
      windowDays: 60,
      upgradeCutoff: '2018-09-18T00:00:00+08:00',
      maxExpiredDays: null,
      acceptsExpiredSigner: true,
      enrolment: 'open',
      retransmission: 'idempotent',
      upgradePlan: { newKey: true, algorithm: 'sm2' },
      renewalAlgorithm: 'sameAsOld',
      minSecurityBits: 112,
      maxLifeDays: 1830,
      encryptionCertificate: 'ifOldHas',
    });
  });

  test('an enrolment nobody knows', async () => {
    expect(await json(await fetch(url(`/api/enrolments/${toHex(random(16))}`)))).toEqual({ status: 'unknown' });
  });

  test.each([
    '/api/enrolments/xyz',
    `/api/enrolments/${'AB'.repeat(16)}`,
    '/api/nothing',
    '/api',
    '/ca',
    '/demo/nothing',
  ])('%s is not there, not even as a page', async (pathname) => {
    const response = await fetch(url(pathname), { headers: { Accept: 'text/html' } });
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  });
});

describe('GET /config.json', () => {
  test('pins the roots of the authority behind it', async () => {
    const config = await json(await fetch(url('/config.json')));
    const { sm2, p256, rsa, oldRsa } = ca.hierarchy;
    const bytes = (field: string): Uint8Array[] => (config[field] as string[]).map(fromBase64);
    expect(config).toMatchObject({
      version: 1,
      ca: { protocol: 'cmp', url: '/ca/cmp', enrolments: '/api/enrolments' },
      api: '/api',
      holder: { taxpayerNumber: ['1.2.156.10260.4.1.5', '1.2.86.11.7.5'] },
      models: [],
      demo: true,
    });
    expect(bytes('anchors')).toEqual([sm2.root, p256.root, rsa.root, oldRsa.root]);
    expect(bytes('intermediates')).toEqual([sm2, p256, rsa, oldRsa].map(({ issuing }) => issuing.certificate));
    expect(bytes('oldIssuers')).toEqual([oldRsa.root]);
  });

  test.each([
    ['rest', { protocol: 'rest-enrolment', url: '/ca/rest' }],
    ['rest-cfca', { protocol: 'rest-enrolment', url: '/ca/rest', csr: 'cfca' }],
  ] as const)('names rest-enrolment where it was started with --authority %s', async (authority, expected) => {
    const site = await listen(() => createDemoServer(ca, staticFiles(directory), { demo: true, authority }), {
      port: 0,
      strictPort: true,
      host: '127.0.0.1',
    });
    const config = await json(await fetch(new URL('/config.json', site.url)));
    await site.close();
    expect(config['ca']).toEqual(expected);
  });

  test('of the production build says that it is no demo', async () => {
    expect(await json(await fetch(new URL('/config.json', production.url)))).toMatchObject({ demo: false });
  });
});

describe('GET /demo/keys', () => {
  test('gives a new key', async () => {
    const response = await fetch(url('/demo/keys?scenario=due-30-days&attachment=longmai-hid'));
    expect(response.status).toBe(200);
    expect(await json(response)).toMatchObject({
      scenario: 'due-30-days',
      attachment: 'longmai-hid',
      applications: [{ name: 'TJTAX', userPassword: '12345678' }],
    });
  });

  test.each([
    '',
    '?scenario=due-30-days',
    '?scenario=nothing&attachment=longmai-hid',
    '?scenario=empty&attachment=usb',
  ])('%j is refused', async (query) => {
    expect((await fetch(url(`/demo/keys${query}`))).status).toBe(400);
  });

  test('is not there in front of the production build', async () => {
    const response = await fetch(new URL('/demo/keys?scenario=empty&attachment=longmai-hid', production.url));
    expect(response.status).toBe(404);
  });
});

test('everything else is the site', async () => {
  const response = await fetch(url('/'));
  expect(response.status).toBe(200);
  expect(response.headers.get('x-everywhere')).toBe('yes');
});

describe('the command line', () => {
  test.each([
    [[], {}, { build: true, port: 4173, strictPort: false, host: undefined, productionPort: undefined }],
    [[], { PORT: '8080' }, { port: 8080 }],
    [[], { PORT: '' }, { port: 4173 }],
    [['--port', '5000'], { PORT: '8080' }, { port: 5000 }],
    [['--no-build', '--strict-port', '--host', '0.0.0.0'], {}, { build: false, strictPort: true, host: '0.0.0.0' }],
    [['--production-port', '4374'], {}, { productionPort: 4374, authority: 'cmp' }],
    [['--authority', 'rest-cfca'], {}, { authority: 'rest-cfca' }],
  ] as const)('%j with %j', (args, environment, expected) => {
    expect(readOptions(args, environment, 4173)).toMatchObject(expected);
  });

  test.each([
    ['--authority', 'est'],
    ['--port', 'x'],
    ['--port', '70000'],
    ['--port', '-1'],
    ['--prot', '1'],
    ['surplus'],
  ])('%s %s cannot be meant', (...args) => {
    expect(() => readOptions(args.filter(Boolean), {}, 4173)).toThrow();
  });
});
