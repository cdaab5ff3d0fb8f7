import * as v from 'valibot';
import { concat, fromBase64, toBase64, type Bytes } from '../pki/bytes.ts';
import { CaError, failInfoNames, type Credential } from './authority.ts';

/*
 * rest-enrolment's documents: JSON whose exact bytes, behind a line that no other signature starts with, are what is
 * signed. They travel in base64 inside a further JSON object, beside the signature, so that nobody writes them anew.
 */

/** The most bytes a request or an answer may have. */
export const maxDocumentBytes = 131_072;
const requestPrefix = new TextEncoder().encode('rest-enrolment/1 request\n');
const answerPrefix = new TextEncoder().encode('rest-enrolment/1 answer\n');
const version = 1;
const maxCertificates = 16;
const maxTexts = 16;

const isBase64 = (text: string): boolean => {
  try {
    fromBase64(text);
    return true;
  } catch {
    return false;
  }
};
const base64 = v.pipe(v.string(), v.check(isBase64), v.transform(fromBase64));
/** 16 bytes in lower-case hexadecimal. */
const identifier = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/u));
const certificates = v.pipe(v.array(base64), v.maxLength(maxCertificates));
const seconds = v.pipe(v.number(), v.minValue(0));
const time = v.pipe(v.string(), v.isoTimestamp());

const common = { version: v.literal(version), transactionId: identifier, nonce: identifier, time };

const requestSchema = v.variant('type', [
  v.object({ ...common, type: v.literal('enrolment'), form: v.picklist(['pkcs10', 'cfca']), csr: v.string() }),
  v.object({
    ...common,
    type: v.literal('encryption'),
    of: identifier,
    publicKey: v.string(),
    temporaryPublicKey: v.optional(v.string()),
  }),
  v.object({ ...common, type: v.literal('confirmation'), accepted: v.boolean(), certHash: v.string() }),
]);
/** What a request says, its byte strings in base64. */
export type RequestDocument = v.InferOutput<typeof requestSchema>;

const commonOfAnswers = { ...common, to: v.picklist(['enrolment', 'encryption', 'confirmation', 'state']) };
const issuedMembers = {
  certificate: base64,
  chain: certificates,
  envelopedKey: v.optional(base64),
  escrowedKey: v.optional(v.string()),
};
const answerSchema = v.variant('status', [
  v.object({ ...commonOfAnswers, status: v.literal('waiting'), checkAfterSeconds: seconds }),
  v.object({
    ...commonOfAnswers,
    ...issuedMembers,
    status: v.literal('issued'),
    confirmBy: v.optional(
      v.pipe(
        time,
        v.transform((text) => new Date(text)),
      ),
    ),
  }),
  v.object({ ...commonOfAnswers, ...v.partial(v.object(issuedMembers)).entries, status: v.literal('confirmed') }),
  v.object({ ...commonOfAnswers, status: v.literal('withdrawn') }),
  v.object({ ...commonOfAnswers, status: v.literal('unknown') }),
  v.object({
    ...commonOfAnswers,
    status: v.literal('refused'),
    // Names that a later version adds say nothing here.
    failInfo: v.pipe(
      v.array(v.string()),
      v.transform((names) => failInfoNames.filter((name) => names.includes(name))),
    ),
    text: v.pipe(v.array(v.string()), v.maxLength(maxTexts)),
    retryAfterSeconds: v.optional(seconds),
  }),
]);
export type AnswerDocument = v.InferOutput<typeof answerSchema>;

const signedRequestSchema = v.object({ document: base64, signature: base64, certificate: base64 });
const signedAnswerSchema = v.object({ document: base64, signature: base64, certificates });

/** An answer whose signature has still to be verified. */
export interface SignedAnswer {
  /** What the signature is about. */
  readonly signedBytes: Bytes;
  readonly document: Bytes;
  readonly signature: Bytes;
  /** DER, the signer's first. */
  readonly certificates: readonly Bytes[];
}

/** A request's body: the document, signed by the old key, and the old certificate. What `sign` throws comes through. */
export async function signRequest(document: RequestDocument, { certificate, sign }: Credential): Promise<Bytes> {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const signature = await sign(concat(requestPrefix, bytes));
  const body = {
    document: toBase64(bytes),
    signature: toBase64(signature),
    certificate: toBase64(certificate),
  };
  return new TextEncoder().encode(JSON.stringify(body));
}

/**
 * What a request of ours says, as it comes back from the journal.
 * @throws CaError `malformed`
 */
export function readRequest(body: Uint8Array): RequestDocument {
  return read(requestSchema, read(signedRequestSchema, body, 'no request').document, 'no document of a request');
}

/**
 * An answer's parts. Nothing of it is to be believed yet.
 * @throws CaError `notTrusted` for JSON without a signature, `malformed` for anything else
 */
export function readSignedAnswer(body: Uint8Array): SignedAnswer {
  const json = parseJson(body, 'no answer');
  if (typeof json === 'object' && json !== null && !Array.isArray(json) && !('signature' in json)) {
    throw new CaError('notTrusted', 'an answer without a signature');
  }
  const signed = check(signedAnswerSchema, json, 'no signed answer');
  return { ...signed, signedBytes: concat(answerPrefix, signed.document) };
}

/**
 * What an answer says.
 * @param document of a signed answer that has been verified
 * @throws CaError `malformed`
 */
export function readAnswerDocument(document: Uint8Array): AnswerDocument {
  return read(answerSchema, document, 'no document of an answer');
}

function read<Schema extends v.GenericSchema>(schema: Schema, bytes: Uint8Array, what: string): v.InferOutput<Schema> {
  return check(schema, parseJson(bytes, what), what);
}

function check<Schema extends v.GenericSchema>(schema: Schema, json: unknown, what: string): v.InferOutput<Schema> {
  const result = v.safeParse(schema, json);
  if (!result.success) throw new CaError('malformed', `${what}: ${v.getDotPath(result.issues[0]) ?? 'not an object'}`);
  return result.output;
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  if (bytes.length > maxDocumentBytes) throw new CaError('malformed', 'too long');
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return json;
  } catch (cause) {
    throw new CaError('malformed', what, {}, { cause });
  }
}
