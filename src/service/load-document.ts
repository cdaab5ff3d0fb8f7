import * as v from 'valibot';
import { keepDocument, recallDocument } from '../storage/documents.ts';
import { clock } from './clock.ts';
import { ServiceError } from './errors.ts';

const timeoutMs = 8_000;

/**
 * A JSON document from the operator: network first, checked at the border, the last good copy when the network or the
 * document fails.
 * @throws ServiceError when neither a good answer nor a good copy is there
 */
export async function loadDocument<Schema extends v.GenericSchema>(
  url: string,
  schema: Schema,
): Promise<{ readonly value: v.InferOutput<Schema>; readonly storedAt: number }> {
  try {
    const text = await fetchText(url);
    const value = check(url, schema, text);
    const storedAt = clock.now().getTime();
    await keepDocument(url, text, storedAt);
    return { value, storedAt };
  } catch (cause) {
    const copy = await recallDocument(url);
    if (copy) {
      try {
        return { value: check(url, schema, copy.text), storedAt: copy.storedAt };
      } catch {
        // A copy from another version of the schema is no help: the first error tells more.
      }
    }
    throw cause;
  }
}

async function fetchText(url: string): Promise<string> {
  let response: Response;
  try {
    response = await clock.fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(timeoutMs) });
  } catch (cause) {
    throw new ServiceError('unreachable', `${url} could not be fetched`, undefined, { cause });
  }
  if (!response.ok) throw new ServiceError('status', `${url} answered ${response.status}`, response.status);
  try {
    return await response.text();
  } catch (cause) {
    throw new ServiceError('unreachable', `${url} was cut off`, undefined, { cause });
  }
}

function check<Schema extends v.GenericSchema>(url: string, schema: Schema, text: string): v.InferOutput<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ServiceError('malformed', `${url} is not JSON`, undefined, { cause });
  }
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue) ?? 'document';
  throw new ServiceError('malformed', `${url}: ${path}: ${issue.message}`);
}
