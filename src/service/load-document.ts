import type * as v from 'valibot';
import { keepDocument, recallDocument } from '../storage/documents.ts';
import { clock } from './clock.ts';
import { ServiceError } from './errors.ts';
import { askService, checkJson, textOf } from './request.ts';

/** Ten thousand centres fit in. */
const maxBytes = 16 * 1024 * 1024;

/**
 * A JSON document from the operator: network first, checked at the border, the last good copy when the network or the
 * document fails. What has not changed since that copy is not sent again (ETag).
 * @throws ServiceError when neither a good answer nor a good copy is there
 */
export async function loadDocument<Schema extends v.GenericSchema>(
  url: string,
  schema: Schema,
): Promise<{ readonly value: v.InferOutput<Schema>; readonly storedAt: number }> {
  const copy = await recallDocument(url);
  const kept = copy && good(url, schema, copy.text);
  try {
    const etag = kept && copy.etag;
    const answer = await askService(url, { maxBytes, headers: etag === undefined ? {} : { 'If-None-Match': etag } });
    const storedAt = clock.now().getTime();
    if (answer.status === 304) {
      if (!kept) throw new ServiceError('status', `${url} answered 304 to a plain question`, 304);
      await keepDocument(url, { ...copy, storedAt });
      return { value: kept.value, storedAt };
    }
    const text = textOf(url, answer.body);
    const value = checkJson(url, schema, text);
    const newTag = answer.headers.get('ETag');
    await keepDocument(url, { text, storedAt, ...(newTag !== null && { etag: newTag }) });
    return { value, storedAt };
  } catch (cause) {
    if (kept) return { value: kept.value, storedAt: copy.storedAt };
    throw cause;
  }
}

/** The last good copy of a document, without asking; undefined where there is none. */
export async function recallGood<Schema extends v.GenericSchema>(
  url: string,
  schema: Schema,
): Promise<v.InferOutput<Schema> | undefined> {
  const copy = await recallDocument(url);
  return copy && good(url, schema, copy.text)?.value;
}

/** A copy from another version of the schema is no help. */
function good<Schema extends v.GenericSchema>(
  url: string,
  schema: Schema,
  text: string,
): { readonly value: v.InferOutput<Schema> } | undefined {
  try {
    return { value: checkJson(url, schema, text) };
  } catch {
    return undefined;
  }
}
