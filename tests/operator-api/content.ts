import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { allowMethods, requestUrl, send, type RequestHandler } from '../reference-ca/http.ts';
import { ApiProblem } from './problem.ts';

export type ContentKind = 'guidance' | 'faq';

interface Published {
  readonly manifest: string;
  readonly bytes: Uint8Array;
  readonly version: number;
}

const tagOf = (content: Uint8Array | string): string =>
  `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;

function sendTagged(request: IncomingMessage, response: ServerResponse, content: Uint8Array | string): void {
  const etag = tagOf(content);
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//u, ''));
  if (known?.includes(etag) === true) response.writeHead(304, { ETag: etag, 'Cache-Control': 'no-cache' }).end();
  else send(response, 200, 'application/json', content, { ETag: etag, 'Cache-Control': 'no-cache' });
}

/** The content packs an operator publishes: whatever is put in, served byte for byte. */
export class ContentShelf {
  readonly #packs = new Map<ContentKind, Published>();

  /** @param manifest as `sign-content` has written it; not looked at but for its version */
  publish(kind: ContentKind, manifest: string, bytes: Uint8Array): void {
    const { version } = JSON.parse(manifest) as { readonly version: number };
    this.#packs.set(kind, { manifest, bytes, version });
  }

  withdraw(kind: ContentKind): void {
    this.#packs.delete(kind);
  }

  /** `GET /api/content/{kind}` and `/api/content/{kind}/{version}`. */
  readonly handler: RequestHandler = (request, response) => {
    const { pathname } = requestUrl(request);
    const [, kind, version] = /^\/api\/content\/(guidance|faq)(?:\/(\d{1,10}))?$/u.exec(pathname) ?? [];
    if (kind !== 'guidance' && kind !== 'faq') return Promise.resolve(false);
    allowMethods(request, 'GET', 'HEAD');
    const published = this.#packs.get(kind);
    if (!published || (version !== undefined && Number(version) !== published.version))
      throw new ApiProblem(404, 'not-found', 'There is no such content pack.');
    sendTagged(request, response, version === undefined ? published.manifest : published.bytes);
    return Promise.resolve(true);
  };
}
