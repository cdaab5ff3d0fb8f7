import * as v from 'valibot';
import { clock } from './clock.ts';
import { ServiceError } from './errors.ts';
import { readProblem, readRetryAfter } from './problem.ts';

const defaultTimeoutMs = 8_000;
const defaultMaxBytes = 1024 * 1024;

export interface ServiceRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  /** The longest answer that is read to its end. */
  readonly maxBytes?: number;
}

export interface ServiceAnswer {
  /** 2xx, or 304 for a request with If-None-Match. */
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Asks the operator's service.
 * @param url a path on this origin
 * @throws ServiceError for a network that fails and for every answer that is neither 2xx nor 304;
 *   the caller's own `signal.reason` when that ended it
 */
export async function askService(url: string, request: ServiceRequest = {}): Promise<ServiceAnswer> {
  const { method = 'GET', timeoutMs = defaultTimeoutMs, maxBytes = defaultMaxBytes, signal } = request;
  // Chrome 109 has no AbortSignal.any.
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  const follow = (): void => abort.abort();
  signal?.addEventListener('abort', follow);
  if (signal?.aborted === true) follow();
  try {
    const response = await clock.fetch(url, {
      method,
      cache: 'no-store',
      headers: {
        ...(request.json === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...request.headers,
      },
      ...(request.json === undefined ? {} : { body: JSON.stringify(request.json) }),
      signal: abort.signal,
    });
    const { status, headers } = response;
    const body = await readBounded(response, maxBytes, url);
    if (response.ok || status === 304) return { status, headers, body };
    throw refusal(url, { status, headers, body });
  } catch (cause) {
    if (signal?.aborted === true) throw signal.reason;
    if (cause instanceof ServiceError) throw cause;
    throw new ServiceError('unreachable', `${url} could not be fetched`, undefined, { cause });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', follow);
  }
}

/** JSON from the operator's service, checked. @throws ServiceError, as `askService` and for what is not as it should be */
export async function askForJson<Schema extends v.GenericSchema>(
  url: string,
  schema: Schema,
  request?: ServiceRequest,
): Promise<v.InferOutput<Schema>> {
  const { body } = await askService(url, request);
  return checkJson(url, schema, textOf(url, body));
}

/** UTF-8 as text. @throws ServiceError `malformed` */
export function textOf(url: string, body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new ServiceError('malformed', `${url} is not UTF-8`, undefined, { cause });
  }
}

/** Text as JSON that fits the schema. @throws ServiceError `malformed`, with the path of what does not fit */
export function checkJson<Schema extends v.GenericSchema>(
  url: string,
  schema: Schema,
  text: string,
): v.InferOutput<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ServiceError('malformed', `${url} is not JSON`, undefined, { cause });
  }
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue) ?? 'document';
  throw new ServiceError('malformed', `${url}: ${path}: ${issue.message}`);
}

async function readBounded(response: Response, maxBytes: number, url: string): Promise<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    length += part.value.length;
    if (length > maxBytes) {
      await reader?.cancel();
      throw new ServiceError('malformed', `${url} has more than ${maxBytes} bytes`);
    }
    parts.push(part.value);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}

/** An error answer as an error: a problem where the body is one. */
function refusal(url: string, { status, headers, body }: ServiceAnswer): ServiceError {
  const message = `${url} answered ${status}`;
  const retryAfterSeconds = readRetryAfter(headers.get('Retry-After'), clock.now().getTime());
  if ((headers.get('Content-Type') ?? '').toLowerCase().startsWith('application/problem+json')) {
    try {
      const json: unknown = JSON.parse(new TextDecoder().decode(body));
      const problem = readProblem(status, json, retryAfterSeconds);
      if (problem) return new ServiceError('problem', `${message}: ${problem.type}`, status, { problem });
    } catch {
      // Not JSON after all: the status says what there is to say.
    }
  }
  return new ServiceError('status', message, status, { retryAfterSeconds });
}
