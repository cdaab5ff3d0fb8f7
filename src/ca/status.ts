import { copyBytes, toHex } from '../pki/bytes.ts';
import type { Certificate } from '../pki/certificate.ts';
import { maxCrlBytes, statusByCrl, type StatusQuestion } from '../pki/crl.ts';
import { maxOcspBytes, ocspRequest, statusByOcsp } from '../pki/ocsp.ts';
import type { RevocationReason, StatusDoubt, StatusVerdict } from '../pki/revocation.ts';
import { CaError } from './authority.ts';
import { exchange, type Fetch, type HttpRequest } from './http.ts';

/** Why it is not known whether a certificate still counts. */
export type StatusUnknown =
  | StatusDoubt
  /** The operator's service has neither OCSP nor a list for this issuer. */
  | 'notOffered'
  /** No answer, or none in time. */
  | 'unreachable'
  /** The server answered that it cannot. */
  | 'unavailable';

/** Whether the authority has taken a certificate back. Nothing but an authentic, timely answer is `good` or `revoked`. */
export type CertificateStatus =
  | { readonly status: 'good'; readonly source: 'ocsp' | 'crl'; readonly thisUpdate: Date }
  | {
      readonly status: 'revoked';
      readonly source: 'ocsp' | 'crl';
      readonly thisUpdate: Date;
      /** When it was taken back. */
      readonly at: Date;
      readonly reason: RevocationReason;
    }
  | { readonly status: 'unknown'; readonly because: StatusUnknown };

export interface StatusService {
  /** Path of the operator's API on this origin; responders elsewhere cannot be asked from a page. */
  readonly api: string;
  readonly fetch: Fetch;
  /** Server time. Asked after each answer, which may have brought it. */
  readonly now: () => Date;
  /** Milliseconds for each of the two questions. */
  readonly timeoutMs: number;
}

/**
 * Asks whether a certificate still counts: `POST {api}/ocsp` (RFC 6960 §A.1), and where that does not say,
 * `GET {api}/crl/{SHA-256 of the issuer's SubjectPublicKeyInfo, hex}?serial={hex}`. The certificate's own addresses are
 * not followed.
 * @param issuer whose signature on the certificate was verified, itself on a path to a pinned anchor that holds now
 * @returns never throws for what comes, or does not come, from outside
 */
export async function certificateStatus(
  certificate: Certificate,
  issuer: Certificate,
  service: StatusService,
): Promise<CertificateStatus> {
  const ids = { certificate, issuer };
  const byOcsp = await askOcsp(ids, service);
  if (byOcsp.status !== 'unknown') return byOcsp;
  const byCrl = await askCrl(ids, service);
  if (byCrl.status === 'unknown') return byOcsp.because === 'notOffered' ? byCrl : byOcsp;
  // A list names what was taken back. It cannot vouch for a certificate that the authority itself says it does not know.
  return byCrl.status === 'good' && byOcsp.because === 'notKnownThere' ? byOcsp : byCrl;
}

type Ids = Pick<StatusQuestion, 'certificate' | 'issuer'>;

async function askOcsp(ids: Ids, { api, now, ...port }: StatusService): Promise<CertificateStatus> {
  const request = await ocspRequest(ids);
  const answer = await fetchAnswer(port, 'application/ocsp-response', {
    url: `${api}/ocsp`,
    method: 'POST',
    headers: { 'Content-Type': 'application/ocsp-request', Accept: 'application/ocsp-response' },
    body: request.der,
    maxBytes: maxOcspBytes,
  });
  return typeof answer === 'string'
    ? { status: 'unknown', because: answer }
    : fromVerdict(await statusByOcsp(answer, request, { ...ids, now: now() }), 'ocsp');
}

async function askCrl(ids: Ids, { api, now, ...port }: StatusService): Promise<CertificateStatus> {
  const issuer = toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', copyBytes(ids.issuer.spki))));
  const answer = await fetchAnswer(port, 'application/pkix-crl', {
    // The serial number lets an operator choose the part of a list that was cut up.
    url: `${api}/crl/${issuer}?serial=${ids.certificate.serialNumber}`,
    method: 'GET',
    headers: { Accept: 'application/pkix-crl' },
    maxBytes: maxCrlBytes,
  });
  return typeof answer === 'string'
    ? { status: 'unknown', because: answer }
    : fromVerdict(await statusByCrl(answer, { ...ids, now: now() }), 'crl');
}

function fromVerdict(verdict: StatusVerdict, source: 'ocsp' | 'crl'): CertificateStatus {
  if (verdict.status === 'unknown') return verdict;
  const { status, thisUpdate } = verdict;
  return status === 'good' ? { status, source, thisUpdate } : { status, source, thisUpdate, ...verdict.revocation };
}

async function fetchAnswer(
  port: Pick<StatusService, 'fetch' | 'timeoutMs'>,
  contentType: string,
  request: HttpRequest,
): Promise<Uint8Array | StatusUnknown> {
  try {
    const answer = await exchange(port, request);
    if (answer.status === 404 || answer.status === 405 || answer.status === 501) return 'notOffered';
    if (answer.status !== 200) return 'unavailable';
    return answer.contentType === contentType ? answer.body : 'malformed';
  } catch (error) {
    if (error instanceof CaError) return error.code === 'malformed' ? 'tooLarge' : 'unreachable';
    throw error;
  }
}
