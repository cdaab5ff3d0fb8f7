import { bytesEqual, fromBase64, toHex, type Bytes } from '../pki/bytes.ts';
import { CaError } from './authority.ts';
import { maxMessageBytes, type PkiBody, type PkiMessage } from './cmp-messages.ts';
import { throwForStatus, type HttpAnswer, type HttpRequest } from './http.ts';

/*
 * What became of a transaction, asked without signing anything: GET {enrolments}/{id}?nonce={nonce}, id and nonce in
 * hexadecimal. The JSON that comes is not protected. That a request is pending, or a certificate issued, the protected
 * PKIMessage in it shows by itself; every other status ends something here, and so comes with a proof: a PKIMessage
 * made for this question. Its transactionID is the id asked and its recipNonce the nonce, which is of another length
 * than those of messages, so that a proof never passes for the answer to a message, whoever asks for it; its body is an
 * error whose text no other error has, so that no answer to a message passes for a proof.
 */

export type EnrolmentStatus = 'unknown' | 'pending' | 'issued' | 'confirmed' | 'withdrawn';

export interface Enrolment {
  readonly status: EnrolmentStatus;
  /** The PKIMessage that answered the request: waiting or issuing. */
  readonly message: Bytes | undefined;
  /** The PKIMessage that proves the status. */
  readonly proof: Bytes | undefined;
  readonly checkAfterSeconds: number | undefined;
}

const statuses: readonly EnrolmentStatus[] = ['unknown', 'pending', 'issued', 'confirmed', 'withdrawn'];
/** Two base64 PKIMessages with a little JSON around them. */
const maxBytes = 3 * maxMessageBytes;

/** The nonce of a question, bytes. */
export const proofNonceBytes = 32;

/**
 * The question.
 * @param url under which enrolments are
 * @param id transactionID, 16 bytes, or SHA-256 of a DER SubjectPublicKeyInfo, 32 bytes
 * @param nonce 32 fresh random bytes
 */
export function enrolmentRequest(
  url: string,
  id: Uint8Array,
  nonce: Uint8Array,
  signal: AbortSignal | undefined,
): HttpRequest {
  return {
    url: `${url.replace(/\/$/u, '')}/${toHex(id)}?nonce=${toHex(nonce)}`,
    method: 'GET',
    headers: { accept: 'application/json' },
    maxBytes,
    signal,
  };
}

/**
 * The authority's JSON about a transaction, checked at the border.
 * @throws CaError
 */
export function readEnrolment(answer: HttpAnswer): Enrolment {
  throwForStatus(answer);
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(answer.body));
    if (typeof json !== 'object' || json === null) throw new SyntaxError('not an object');
    const { status, message, proof, checkAfterSeconds } = json as Readonly<Record<keyof Enrolment, unknown>>;
    const known = statuses.find((name) => name === status);
    if (!known) throw new SyntaxError('no such status');
    if (checkAfterSeconds !== undefined && (typeof checkAfterSeconds !== 'number' || Number.isNaN(checkAfterSeconds))) {
      throw new SyntaxError('checkAfterSeconds is not a number');
    }
    return { status: known, message: readBase64(message), proof: readBase64(proof), checkAfterSeconds };
  } catch (cause) {
    throw new CaError('malformed', 'not an enrolment', {}, { cause });
  }
}

function readBase64(value: unknown): Bytes | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw new SyntaxError('base64 expected');
  return fromBase64(value);
}

/**
 * Checks that an authentic message proves a status, for just this question.
 * @throws CaError `mismatch`
 */
export function assertProves(
  { header, body }: PkiMessage,
  status: EnrolmentStatus,
  { id, nonce }: { readonly id: Uint8Array; readonly nonce: Uint8Array },
): void {
  const { transactionId, recipNonce } = header;
  const answersThis =
    transactionId !== undefined &&
    recipNonce !== undefined &&
    bytesEqual(transactionId, id) &&
    bytesEqual(recipNonce, nonce);
  if (!answersThis) throw new CaError('mismatch', 'the proof of a status is about something else');
  if (provenStatus(body) !== status) throw new CaError('mismatch', `no proof of the status ${status}`);
}

/** The status is in PKIFreeText: no PKIFailureInfo is an authority's answer to this question alone. */
function provenStatus(body: PkiBody): EnrolmentStatus | undefined {
  if (body.type !== 'error' || body.status.status !== 'rejection') return undefined;
  const [text, ...others] = [...(body.status.text ?? []), ...(body.details ?? [])];
  if (others.length > 0 || (body.status.failInfo ?? []).length > 0) return undefined;
  return statuses.find((status) => text === proofText(status));
}

/** What the one text of a proof says. */
export const proofText = (status: EnrolmentStatus): string => `enrolment: ${status}`;
