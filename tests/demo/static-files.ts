import { createHash } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { allowMethods, HttpProblem, requestUrl, type RequestHandler } from '../reference-ca/http.ts';

const mediaTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.xml': 'application/xml; charset=utf-8',
};

export interface HeaderRule {
  /** A path, or a path that ends in `*` for everything below it. */
  readonly pattern: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/**
 * Reads a `_headers` file: a path at the line's start, below it indented `Name: value`; `#` begins a comment.
 * @throws SyntaxError
 */
export function parseHeadersFile(text: string): readonly HeaderRule[] {
  const rules: { pattern: string; headers: (readonly [string, string])[] }[] = [];
  for (const [index, line] of text.split(/\r?\n/u).entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    if (!/^\s/u.test(line)) {
      rules.push({ pattern: line.trim(), headers: [] });
      continue;
    }
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):\s*(.*)$/u.exec(line.trim()) ?? [];
    const rule = rules.at(-1);
    if (name === undefined || value === undefined || !rule) throw new SyntaxError(`_headers: line ${index + 1}`);
    rule.headers.push([name, value]);
  }
  return rules;
}

/** The headers of all rules that match, later rules before earlier ones. */
export function headersFor(rules: readonly HeaderRule[], pathname: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const { pattern, headers: ruleHeaders } of rules) {
    const matches = pattern.endsWith('*') ? pathname.startsWith(pattern.slice(0, -1)) : pathname === pattern;
    if (matches) for (const [name, value] of ruleHeaders) headers.set(name, value);
  }
  return headers;
}

/**
 * The path's segments, decoded. Whatever could mean another place to a file system (dot names, separators, drive and
 * stream colons, NUL) names no file of the site.
 * @throws HttpProblem 400 for a broken percent encoding, 404
 */
function segmentsOf(pathname: string): readonly string[] {
  return pathname
    .slice(1)
    .split('/')
    .map((encoded) => {
      let segment: string;
      try {
        segment = decodeURIComponent(encoded);
      } catch {
        throw new HttpProblem(400, 'The path is not UTF-8 in percent encoding.');
      }
      if (segment.startsWith('.') || /[/\\:]|\p{Cc}/u.test(segment))
        throw new HttpProblem(404, 'There is nothing here.');
      return segment;
    });
}

/** Whether a person is going to this address, as opposed to a page fetching a file it needs. */
function isNavigation(request: IncomingMessage): boolean {
  const mode = request.headers['sec-fetch-mode'];
  return mode === undefined ? (request.headers.accept ?? '').includes('text/html') : mode === 'navigate';
}

async function isFile(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/**
 * Serves a built site: files with their types and the headers its `_headers` asks for, ETags, and index.html for the
 * addresses the application makes up. What stands under /assets never changes; everything else is asked for again.
 * @param directory read at each request, so that a new build shows at once
 */
export function staticFiles(directory: string): RequestHandler {
  const indexFile = path.join(directory, 'index.html');

  /** The file, if it is there and inside the site, even through links. */
  async function fileAt(segments: readonly string[]): Promise<string | undefined> {
    if (segments.at(-1) === '_headers' && segments.length === 1) return undefined;
    const file = path.join(directory, ...segments);
    if (!(await isFile(file))) return undefined;
    const inside = path.relative(await realpath(directory), await realpath(file));
    return inside.startsWith('..') || path.isAbsolute(inside) ? undefined : file;
  }

  async function find(request: IncomingMessage, pathname: string): Promise<string> {
    const segments = segmentsOf(pathname);
    const file = pathname === '/' ? indexFile : await fileAt(segments);
    if (file !== undefined) return file;
    // `/guide/1.3` is a page, `/logo.png` is not.
    const namesFile = segments[0] === 'assets' || /\.[a-z][a-z\d]*$/iu.test(segments.at(-1) ?? '');
    if (!namesFile && isNavigation(request)) return indexFile;
    throw new HttpProblem(404, 'There is no such file.');
  }

  return async (request, response) => {
    allowMethods(request, 'GET', 'HEAD');
    const { pathname } = requestUrl(request);
    const file = await find(request, pathname);
    let content: Buffer;
    let rules: readonly HeaderRule[];
    try {
      content = await readFile(file);
      const headersFile = path.join(directory, '_headers');
      rules = (await isFile(headersFile)) ? parseHeadersFile(await readFile(headersFile, 'utf8')) : [];
    } catch (error) {
      if (error instanceof SyntaxError) throw error;
      throw new HttpProblem(404, 'There is no such file.');
    }
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
    response.setHeader('Cache-Control', 'no-cache');
    for (const [name, value] of headersFor(rules, pathname)) response.setHeader(name, value);
    response.setHeader('ETag', etag);
    const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//u, ''));
    if (known?.includes(etag) === true) {
      response.writeHead(304).end();
      return true;
    }
    response.writeHead(200, {
      'Content-Type': mediaTypes[path.extname(file).toLowerCase()] ?? 'application/octet-stream',
      'Content-Length': content.length,
    });
    response.end(request.method === 'HEAD' ? undefined : content);
    return true;
  };
}
