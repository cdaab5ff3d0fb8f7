import { concat, type Bytes } from '../pki/bytes.ts';
import { CaError } from './authority.ts';

/** `fetch` as far as it is used here. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface HttpPort {
  readonly fetch: Fetch;
  /** Milliseconds for a whole exchange, answer included. */
  readonly timeoutMs: number;
}

export interface HttpRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** The most bytes an answer may have. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower case, without parameters. */
  readonly contentType: string;
  readonly body: Bytes;
  /** From Retry-After, at most a day. */
  readonly retryAfterSeconds: number | undefined;
}

/**
 * One exchange over HTTP, within its time and size. Redirects are not followed.
 * @throws CaError `cancelled`, `timeout`, `unreachable`, or `malformed` for an answer that is too long
 */
export async function exchange({ fetch, timeoutMs }: HttpPort, request: HttpRequest): Promise<HttpAnswer> {
  const { signal } = request;
  if (signal?.aborted) throw cancelled(signal);
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onAbort: (() => void) | undefined;
  // Not every fetch lets go of a body once aborted: the end of the time must not depend on it.
  const ended = new Promise<never>((_resolve, reject) => {
    const end = (reason: CaError): void => {
      reject(reason);
      abort.abort(reason);
    };
    timer = setTimeout(() => {
      end(new CaError('timeout', `no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    onAbort = (): void => {
      if (signal) end(cancelled(signal));
    };
    signal?.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([ended, receive(fetch, request, abort.signal)]);
  } catch (cause) {
    if (cause instanceof CaError) throw cause;
    throw new CaError('unreachable', 'no answer from the authority', {}, { cause });
  } finally {
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener('abort', onAbort);
  }
}

/**
 * Refuses an answer whose status code says that it is none.
 * @throws CaError `unavailable` for a server that is busy or broken, `malformed` for what the server does not take
 */
export function throwForStatus({ status, retryAfterSeconds }: HttpAnswer): void {
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    throw new CaError('unavailable', `HTTP status ${status}`, { retryAfterSeconds });
  }
  if (status < 200 || status >= 300) throw new CaError('malformed', `HTTP status ${status}`);
}

async function receive(fetch: Fetch, request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  const { url, method, headers, body, maxBytes } = request;
  const response = await fetch(url, {
    method,
    headers,
    body: body ? concat(body) : null,
    signal,
    cache: 'no-store',
    redirect: 'error',
  });
  return {
    status: response.status,
    contentType: (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '',
    body: await readBody(response, maxBytes),
    retryAfterSeconds: readRetryAfter(response.headers),
  };
}

const cancelled = (signal: AbortSignal): CaError => new CaError('cancelled', 'given up', {}, { cause: signal.reason });

async function readBody({ body }: Response, maxBytes: number): Promise<Bytes> {
  if (!body) return new Uint8Array();
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(...chunks);
    length += value.length;
    if (length > maxBytes) {
      // The rest is not wanted; whether the connection ends cleanly does not matter.
      void reader.cancel().catch(() => undefined);
      throw new CaError('malformed', `an answer of more than ${maxBytes} bytes`);
    }
    chunks.push(value);
  }
}

/** Seconds or a date (RFC 9110 §10.2.3); a date is taken against the server's own clock. */
function readRetryAfter(headers: Headers): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (!value) return undefined;
  const seconds = /^\d+$/u.test(value)
    ? Number(value)
    : (Date.parse(value) - Date.parse(headers.get('date') ?? '')) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(Math.ceil(seconds), 0), 86_400);
}
