import * as v from 'valibot';
import type { FailInfo } from '../../src/ca/authority.ts';
import { concat, fromBase64, toBase64, type Bytes } from '../../src/pki/bytes.ts';
import type { Authority } from './hierarchy.ts';
import { Refusal } from './refusal.ts';

/*
 * rest-enrolment on the wire, as an authority reads and writes it. Written from the published form alone: the holder's
 * side has code of its own, and neither can agree with the other about what the form does not say.
 */

/** The longest request taken, in bytes. */
export const maxRequestBytes = 131_072;

const requestTypes = ['enrolment', 'encryption', 'confirmation'] as const;
export type RequestType = (typeof requestTypes)[number];

const base64 = v.pipe(
  v.string(),
  v.base64(),
  v.transform((text): Bytes => fromBase64(text)),
);
/** A transactionID or a nonce: 16 bytes in lower-case hexadecimal. */
export const identifier = /^[0-9a-f]{32}$/u;
const identifierText = v.pipe(v.string(), v.regex(identifier));

const envelopeSchema = v.object({ document: base64, signature: base64, certificate: base64 });
/** Without these nothing can be said in answer. */
const headSchema = v.object({
  type: v.picklist(requestTypes),
  transactionId: identifierText,
  nonce: identifierText,
});
const versionSchema = v.object({ version: v.literal(1) });
/** As `toISOString` writes the time that a text says; undefined where it says none. */
const isoOf = (text: string): string | undefined =>
  Number.isNaN(Date.parse(text)) ? undefined : new Date(text).toISOString();
const time = v.pipe(
  v.string(),
  v.check((text) => isoOf(text) === text, 'must be a time'),
  v.transform((text) => new Date(text)),
);
const pointBytes = 65;
/** Left out by a holder's software that no server has told the time. */
const optionalTime = v.optional(time);
const contentSchema = v.variant('type', [
  v.object({ type: v.literal('enrolment'), time: optionalTime, form: v.picklist(['pkcs10', 'cfca']), csr: base64 }),
  v.object({
    type: v.literal('encryption'),
    time: optionalTime,
    of: identifierText,
    publicKey: base64,
    temporaryPublicKey: v.optional(v.pipe(base64, v.length(pointBytes))),
  }),
  v.object({
    type: v.literal('confirmation'),
    time: optionalTime,
    accepted: v.boolean(),
    certHash: v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{2}){20,64}$/u)),
  }),
]);
export type RequestContent = v.InferOutput<typeof contentSchema>;
export type ContentOf<Type extends RequestType> = Extract<RequestContent, { readonly type: Type }>;

/** What every request says of itself. */
export interface RequestHead {
  readonly type: RequestType;
  /** 32 hex digits. */
  readonly transactionId: string;
  readonly nonce: string;
}

/** A request whose signature and content have still to be looked at. */
export interface SignedRequest {
  readonly head: RequestHead;
  /** The whole body. */
  readonly body: Bytes;
  readonly document: Bytes;
  /** What the signature is about. */
  readonly signedBytes: Bytes;
  readonly signature: Bytes;
  /** DER. */
  readonly certificate: Bytes;
}

const utf8 = new TextEncoder();
/** Signed bytes begin with these, so that no signature of one kind passes for one of the other, or of anything else. */
const requestLine = utf8.encode('rest-enrolment/1 request\n');
const answerLine = utf8.encode('rest-enrolment/1 answer\n');

/** @returns undefined for what cannot be answered: no JSON, or not even the names that an answer repeats */
export function readSignedRequest(body: Uint8Array): SignedRequest | undefined {
  const envelope = v.safeParse(envelopeSchema, jsonOf(body));
  if (!envelope.success) return undefined;
  const { document, signature, certificate } = envelope.output;
  const head = v.safeParse(headSchema, jsonOf(document));
  if (!head.success) return undefined;
  const signedBytes = concat(requestLine, document);
  return { head: head.output, body: concat(body), document, signedBytes, signature, certificate };
}

/** @throws Refusal `unsupportedVersion`, `badDataFormat` */
export function readContent(document: Uint8Array): RequestContent {
  const json = jsonOf(document);
  if (!v.is(versionSchema, json)) throw new Refusal('unsupportedVersion', 'only version 1 here');
  const content = v.safeParse(contentSchema, json);
  if (!content.success) {
    const where = v.getDotPath(content.issues[0]) ?? 'document';
    throw new Refusal('badDataFormat', `${where} is missing or malformed`);
  }
  return content.output;
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

/** What an answer is an answer to. */
export interface Question {
  readonly to: RequestType | 'state' | 'key';
  readonly transactionId: string;
  readonly nonce: string;
  /** The SHA-256 that was asked about. */
  readonly key?: string;
}

/** Where no transaction is there to be named. */
export const noTransaction = '0'.repeat(32);
/** SHA-256 of a SubjectPublicKeyInfo in lower-case hexadecimal. */
export const keyDigest = /^[0-9a-f]{64}$/u;

/** What a certificate comes with. */
export interface Delivery {
  /** DER. */
  readonly certificate: Bytes;
  /** DER, without the root. */
  readonly chain: readonly Bytes[];
  /** DER SM2EnvelopedKey. */
  readonly envelopedKey?: Bytes;
  /** CFCA's text. */
  readonly escrowedKey?: string;
}

export type Standing =
  | { readonly status: 'waiting'; readonly checkAfterSeconds: number }
  | ({ readonly status: 'issued'; readonly confirmBy?: Date } & Delivery)
  | ({ readonly status: 'confirmed' } & Partial<Delivery>)
  | { readonly status: 'withdrawn' | 'unknown' }
  | { readonly status: 'refused'; readonly failInfo: readonly FailInfo[]; readonly text: readonly string[] };

/** The body of an answer, signed by an issuing authority. */
export async function signAnswer(
  { issuing }: Authority,
  question: Question,
  standing: Standing,
  now: Date,
): Promise<Bytes> {
  const document = utf8.encode(
    JSON.stringify({ version: 1, ...question, time: now.toISOString(), ...standing }, (_name, value: unknown) =>
      value instanceof Uint8Array ? toBase64(value) : value,
    ),
  );
  const signature = await issuing.key.sign(concat(answerLine, document));
  return signedBody(document, signature, [issuing.certificate]);
}

/** @param certificates DER, the signer's first */
export const signedBody = (document: Uint8Array, signature: Uint8Array, certificates: readonly Uint8Array[]): Bytes =>
  utf8.encode(
    JSON.stringify({
      document: toBase64(document),
      signature: toBase64(signature),
      certificates: certificates.map(toBase64),
    }),
  );

/** Of an answer written by `signAnswer`. */
export function readSignedAnswer(body: Uint8Array): {
  readonly document: Bytes;
  readonly signedBytes: Bytes;
  readonly certificates: readonly Bytes[];
} {
  const schema = v.object({ document: base64, certificates: v.array(base64) });
  const { document, certificates } = v.parse(schema, jsonOf(body));
  return { document, signedBytes: concat(answerLine, document), certificates };
}
