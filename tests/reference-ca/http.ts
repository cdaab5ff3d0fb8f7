import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';

/** Answers a request if its path is one of the handler's own. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/** A request that cannot be answered as asked; becomes RFC 9457 problem details. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Members of the problem document beside those that every one has; a `type` of its own among them. */
  readonly members: Readonly<Record<string, unknown>>;
  constructor(
    status: number,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
    members: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
    this.status = status;
    this.headers = headers;
    this.members = members;
  }
}

/** Answers are for now and for this asker. */
const fixedHeaders = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };

export function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: Uint8Array | string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    ...fixedHeaders,
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

export function sendJson(response: ServerResponse, value: unknown): void {
  send(response, 200, 'application/json; charset=utf-8', JSON.stringify(value));
}

/** RFC 9457 problem details; of unexpected errors nothing but that they happened. */
export function sendProblem(response: ServerResponse, error: unknown): void {
  const problem = error instanceof HttpProblem ? error : new HttpProblem(500, 'The request could not be processed.');
  const body = {
    type: 'about:blank',
    title: STATUS_CODES[problem.status] ?? 'Error',
    status: problem.status,
    detail: problem.message,
    ...problem.members,
  };
  send(response, problem.status, 'application/problem+json', JSON.stringify(body), problem.headers);
}

/** The path and query of a request. @throws HttpProblem 400 */
export function requestUrl(request: IncomingMessage): URL {
  const target = request.url ?? '';
  // Only origin-form (RFC 9112 §3.2.1); and `//host/…` is a path to us, not another host.
  if (!target.startsWith('/')) throw new HttpProblem(400, 'The request target must be a path.');
  try {
    return new URL(`http://localhost${target}`);
  } catch {
    throw new HttpProblem(400, 'The request target is not a path.');
  }
}

/** @throws HttpProblem 405 */
export function allowMethods(request: IncomingMessage, ...methods: readonly string[]): void {
  if (!methods.includes(request.method ?? '')) {
    throw new HttpProblem(405, `Only ${methods.join(', ')} here.`, { Allow: methods.join(', ') });
  }
}

/** The media type without its parameters, in lower case. */
export const mediaType = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';

/** @throws HttpProblem 413 as soon as more than `maxBytes` are announced or have come, 400 when the sender breaks off */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  // Closing the connection keeps a sender from pushing the rest at us.
  const tooLarge = (): HttpProblem => new HttpProblem(413, `At most ${maxBytes} bytes.`, { Connection: 'close' });
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const parts: Buffer[] = [];
  let length = 0;
  try {
    // Not destroyed when left early: the answer goes out on the same connection.
    for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > maxBytes) throw tooLarge();
      parts.push(part);
    }
  } catch (error) {
    throw error instanceof HttpProblem ? error : new HttpProblem(400, 'The request ended before its end.');
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** Runs handlers one after another until one answers; errors become problem details, and nothing found a 404. */
export function answerWith(...handlers: readonly RequestHandler[]): (q: IncomingMessage, s: ServerResponse) => void {
  const run = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      for (const handler of handlers) if (await handler(request, response)) return;
      throw new HttpProblem(404, 'There is nothing here.');
    } catch (error) {
      if (!(error instanceof HttpProblem)) console.error(error);
      if (response.headersSent) response.destroy();
      else sendProblem(response, error);
    }
  };
  return (request, response) => void run(request, response);
}
