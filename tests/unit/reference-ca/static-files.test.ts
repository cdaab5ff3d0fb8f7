import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen, type Listening } from '../../demo/listen.ts';
import { headersFor, parseHeadersFile, staticFiles } from '../../demo/static-files.ts';
import { answerWith } from '../../reference-ca/http.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let directory: string;
let server: Listening;

/** The path goes out as it is: fetch and URL would tidy it first. */
function get(pathname: string, headers: OutgoingHttpHeaders = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: server.port, path: pathname, method, headers },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(parts).toString('utf8'),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end();
  });
}

const navigation = { 'Sec-Fetch-Mode': 'navigate', Accept: 'text/html' };

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), '站点 site-'));
  const site = path.join(directory, 'site');
  await mkdir(path.join(site, 'assets'), { recursive: true });
  await mkdir(path.join(site, 'icons'));
  const files: Record<string, string> = {
    'index.html': '<!doctype html><title>index</title>',
    _headers:
      '/*\n  X-Everywhere: yes\n/assets/*\n  Cache-Control: public, max-age=31536000, immutable\n/sw.js\n  X-Everywhere: no\n',
    'sw.js': '// worker',
    'manifest.webmanifest': '{}',
    'icons/icon.svg': '<svg/>',
    'assets/main-abc.js': 'export {};',
    'assets/main-abc.css': 'p{}',
    '.hidden': 'hidden',
    '说明.txt': '说明',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(site, name), content);
  await writeFile(path.join(directory, 'secret.txt'), 'secret');
  await writeFile(path.join(directory, 'site-secret.txt'), 'secret');
  await symlink(path.join(directory, 'secret.txt'), path.join(site, 'link.txt'));
  server = await listen(() => createServer(answerWith(staticFiles(site))), {
    port: 0,
    strictPort: true,
    host: '127.0.0.1',
  });
});

afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

describe('files', () => {
  test.each([
    ['/', 'text/html; charset=utf-8'],
    ['/index.html', 'text/html; charset=utf-8'],
    ['/sw.js', 'text/javascript; charset=utf-8'],
    ['/manifest.webmanifest', 'application/manifest+json; charset=utf-8'],
    ['/icons/icon.svg', 'image/svg+xml; charset=utf-8'],
    ['/assets/main-abc.css', 'text/css; charset=utf-8'],
    [encodeURI('/说明.txt'), 'text/plain; charset=utf-8'],
  ])('%s is served as %s', async (pathname, type) => {
    const answer = await get(pathname);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe(type);
  });

  test('assets are immutable, everything else is asked for again', async () => {
    expect((await get('/assets/main-abc.js')).headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect((await get('/')).headers['cache-control']).toBe('no-cache');
  });

  test('headers of a later rule replace those of an earlier one', async () => {
    expect((await get('/')).headers['x-everywhere']).toBe('yes');
    expect((await get('/sw.js')).headers['x-everywhere']).toBe('no');
  });

  test('an unchanged file is not sent again', async () => {
    const { headers } = await get('/sw.js');
    const again = await get('/sw.js', { 'If-None-Match': `"other", W/${headers.etag ?? ''}` });
    expect(again).toMatchObject({ status: 304, body: '' });
    expect(again.headers['x-everywhere']).toBe('no');
    expect((await get('/sw.js', { 'If-None-Match': '"other"' })).status).toBe(200);
  });

  test('HEAD tells the length and sends nothing', async () => {
    const answer = await get('/sw.js', {}, 'HEAD');
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(answer.headers['content-length']).toBe('9');
  });

  test.each(['POST', 'PUT', 'DELETE'])('%s is not allowed', async (method) => {
    const answer = await get('/', {}, method);
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('GET, HEAD');
  });
});

describe('addresses of the application', () => {
  test.each(['/renew', '/guide/1.3', '/renew?step=2'])('navigating to %s gives index.html', async (pathname) => {
    const answer = await get(pathname, navigation);
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('<title>index</title>');
    expect(answer.headers['cache-control']).toBe('no-cache');
  });

  test('a browser without fetch metadata navigates too', async () => {
    expect((await get('/renew', { Accept: 'text/html,*/*;q=0.8' })).status).toBe(200);
  });

  test.each([
    ['a missing script', '/assets/gone-123.js', navigation],
    ['a missing asset without a dot', '/assets/gone', navigation],
    ['a missing file', '/gone.png', navigation],
    ['data that a page asks for', '/renew', { 'Sec-Fetch-Mode': 'cors', Accept: 'text/html' }],
    ['a request that takes anything', '/renew', { Accept: '*/*' }],
  ])('%s is 404', async (_what, pathname, headers) => {
    const answer = await get(pathname, headers);
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toBe('application/problem+json');
  });
});

describe('nothing outside the site is served', () => {
  test.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e%2fsecret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/assets/%2e%2e/%2e%2e/secret.txt',
    '/..%5csecret.txt',
    '/..\\secret.txt',
    '/../site-secret.txt',
    '//etc/passwd',
    '/%2fetc/passwd',
    '/link.txt',
    '/.hidden',
    '/_headers',
    '/sw.js%00.txt',
    '/sw.js::$DATA',
    '/c:%5cwindows%5cwin.ini',
    '/assets',
    '/assets/',
  ])('%s', async (pathname) => {
    const answer = await get(pathname);
    expect(answer.status).toBe(404);
    expect(answer.body).not.toContain('secret');
  });

  test.each(['/%ff', '/%', '/%c0%ae%c0%ae/secret.txt'])('%s is no path at all', async (pathname) => {
    expect((await get(pathname)).status).toBe(400);
  });

  test('nor is a proxy asked', async () => {
    expect((await get('http://example.com/')).status).toBe(400);
  });
});

describe('_headers', () => {
  test('is read with comments and blank lines', () => {
    const rules = parseHeadersFile('# all\n/*\n  A: 1\n\n  B: x: y\r\n/b\n\tA: 2\n');
    expect(Object.fromEntries(headersFor(rules, '/b'))).toEqual({ A: '2', B: 'x: y' });
    expect(Object.fromEntries(headersFor(rules, '/bc'))).toEqual({ A: '1', B: 'x: y' });
  });

  test.each(['  A: 1\n', '/*\n  no colon\n', '/*\n  sp ace: 1\n'])('%j is refused', (text) => {
    expect(() => parseHeadersFile(text)).toThrow(SyntaxError);
  });
});

describe('listening', () => {
  const make = (): ReturnType<typeof createServer> => createServer((_request, response) => response.end('ok'));

  test('takes the next free port, or fails when it must not', async () => {
    const first = await listen(make, { port: 0, strictPort: true, host: '127.0.0.1' });
    const second = await listen(make, { port: first.port, strictPort: false, host: '127.0.0.1' });
    try {
      expect(second.port).toBeGreaterThan(first.port);
      await expect(listen(make, { port: first.port, strictPort: true, host: '127.0.0.1' })).rejects.toMatchObject({
        code: 'EADDRINUSE',
      });
    } finally {
      await first.close();
      await second.close();
    }
  });

  test('by default answers at 127.0.0.1 and says localhost', async () => {
    const listening = await listen(make, { port: 0, strictPort: false, host: undefined });
    try {
      expect(listening.url).toBe(`http://localhost:${listening.port}/`);
      expect(await (await fetch(`http://127.0.0.1:${listening.port}/`)).text()).toBe('ok');
    } finally {
      await listening.close();
    }
  });
});
