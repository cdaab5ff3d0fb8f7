import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { vi } from 'vitest';

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Breaks the connection off after this many bytes of the body. */
  readonly cutAfter?: number;
}
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface AServer {
  /** What came, in order. */
  readonly asked: Asked[];
  answer: (asked: Asked) => Answer;
  readonly close: () => void;
}

/** A real HTTP server that becomes the page's own origin: `fetch('/x')` asks it. */
export async function aServer(): Promise<AServer> {
  const asked: Asked[] = [];
  const result: AServer = { asked, answer: () => ({ status: 404 }), close: () => void server.close() };
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(parts).toString(),
      };
      asked.push(one);
      const { status, headers = {}, body = '', cutAfter } = result.answer(one);
      const bytes = Buffer.from(body);
      response.writeHead(status, { ...(status !== 304 && { 'Content-Length': bytes.length }), ...headers });
      if (cutAfter === undefined) response.end(bytes);
      else response.write(bytes.subarray(0, cutAfter), () => request.socket.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const real = fetch;
  // A page resolves paths against its own origin; Node has none.
  vi.stubGlobal('fetch', (input: string, init?: RequestInit) => real(`${origin}${input}`, init));
  return result;
}
