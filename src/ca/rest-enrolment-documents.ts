/**
 * rest-enrolment, version 1: a certification authority behind a plain JSON API. The old key signs each request and the
 * authority each answer, as in CMP; nothing is trusted for the way it came. This is the whole form.
 *
 * Everything is UTF-8 JSON of type `application/json`, at most 128 KiB. base64 is that of RFC 4648 §4, padded, without
 * line breaks; hex is in lower case; times are `YYYY-MM-DDTHH:MM:SS.sssZ`; certificates, requests and keys are DER.
 * Members that are not named here are passed over by both sides. Algorithms follow from the key that signs, never from
 * a member: SM2 with SM3 and the id 1234567812345678, P-256 with SHA-256, RSA with PKCS #1 v1.5 and SHA-256; a signature
 * is as certificates carry it.
 *
 * A request is `{document, signature, certificate}`, all base64. `document` is the bytes of a JSON object; signed is the
 * line `rest-enrolment/1 request`, a line feed (0A) and these bytes; `certificate` is the old one. The header
 * `Idempotency-Key` repeats the document's transactionId. Every document has `version` 1, `type`, `transactionId` (16
 * bytes in hex), `nonce` (16 fresh random bytes in hex) and `time` (left out where no server has told it), and by its type:
 *
 * - `enrolment`, POST `{url}/enrolments`: `form` ("pkcs10" or "cfca") and `csr` (base64), under the old subject.
 * - `encryption`, POST `{url}/enrolments/{T1}/encryption`: a certificate for encryption with a key pair of the
 *   authority's making. transactionId is one of its own, T2; `of` is T1, the transaction that certified the new signing
 *   key; `publicKey` is that key (base64 SubjectPublicKeyInfo); `temporaryPublicKey` (base64 of 04 ‖ X ‖ Y) asks for
 *   CFCA's delivery instead of an envelope.
 * - `confirmation`, POST `{url}/enrolments/{transactionId}/confirmation`: `accepted` (boolean) and `certHash` (hex of the
 *   certificate's hash, by the algorithm of its own signature). For T1: true confirms it with all that was delivered
 *   for it, false withdraws both. For T2 only false: the delivery is not wanted.
 *
 * GET `{url}/enrolments/{transactionId}?nonce={hex}` asks how a transaction stands: signed by nobody, and of no effect.
 *
 * GET `{url}/keys/{SHA-256 of a SubjectPublicKeyInfo, hex}?nonce={hex}` asks for the transaction of that new key.
 *
 * An answer is `{document, signature, certificates}`: signed is the line `rest-enrolment/1 answer`, a line feed and the
 * document's bytes, by a CA certificate (or one with id-kp-cmcCA) with digitalSignature, which comes first in
 * `certificates`, before what chains it to a pinned root. Every document has `version` 1, `to` (the request's type, or
 * "state"; "key" for a question about a key, which is repeated in `key`), the request's `transactionId` (or the one of the
 * key; zeros where there is none) and `nonce`, `time` and `status`, and by its status:
 *
 * - `waiting`: `checkAfterSeconds`.
 * - `issued`: `certificate`, `chain` (base64 each), `confirmBy` (a time; unconfirmed until then it is withdrawn), and for
 *   T2 either `envelopedKey` (base64 SM2EnvelopedKey of GM/T 0009 §7.4, for the new signing key) or `escrowedKey` (CFCA's
 *   text, for the temporary key).
 * - `confirmed`: to GET with the members of `issued`; to a confirmation without.
 * - `withdrawn`; and `unknown`, to GET only.
 * - `refused`: `failInfo` (names of PKIFailureInfo, RFC 9810 §5.2.3), `text` (for the person, an array), and
 *   `retryAfterSeconds` with a failInfo that only means "not now" (systemUnavail, systemFailure, timeNotAvailable).
 *
 * HTTP status: 200, 202 with `waiting`, 4xx with `refused`; a signed answer counts whatever the status. Without a
 * signature nothing is believed: 429 and 5xx, with Retry-After, mean later.
 *
 * What an authority owes: the same bytes under a known transactionId get how it stands (`issued` even once confirmed),
 * never a second certificate, however old they are; other bytes are refused with transactionIdInUse, and so is what was
 * withdrawn; a refused request is refused again. One certificate for a public key. A T2 for a T1 that is unknown, not
 * issued, withdrawn, or of another old certificate is refused with badCertId, one for another key with badCertTemplate.
 * Every T2 after the first delivers the same key pair and certificate, encrypted anew: a page that was closed has lost its
 * temporary key. A wrong certHash is incorrectData; accepted after withdrawal certRevoked; not accepted after
 * confirmation certConfirmed; a confirmation again gets `confirmed` again. Where the old certificate is revoked on
 * issue, it may still finish the transaction that replaced it.
 *
 * Reserved in `enrolment`: `authorisation` with `referenceNumber` and `authorisationCode` (参考号, 授权码).
 *
 * @module
 */

import * as v from 'valibot';
import { concat, fromBase64, toBase64, type Bytes } from '../pki/bytes.ts';
import { CaError, failInfoNames, type Credential } from './authority.ts';

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

const common = { version: v.literal(version), transactionId: identifier, nonce: identifier };
const commonOfRequests = { ...common, time: v.exactOptional(time) };

const requestSchema = v.variant('type', [
  v.object({
    ...commonOfRequests,
    type: v.literal('enrolment'),
    form: v.picklist(['pkcs10', 'cfca']),
    csr: v.string(),
  }),
  v.object({
    ...commonOfRequests,
    type: v.literal('encryption'),
    of: identifier,
    publicKey: v.string(),
    temporaryPublicKey: v.optional(v.string()),
  }),
  v.object({ ...commonOfRequests, type: v.literal('confirmation'), accepted: v.boolean(), certHash: v.string() }),
]);
/** What a request says, its byte strings in base64. */
export type RequestDocument = v.InferOutput<typeof requestSchema>;

const commonOfAnswers = {
  ...common,
  time,
  to: v.picklist(['enrolment', 'encryption', 'confirmation', 'state', 'key']),
  key: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u))),
};
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
