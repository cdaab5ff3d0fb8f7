import { oids, readSpki } from '../pki/algorithms.ts';
import { copyBytes, type Bytes } from '../pki/bytes.ts';
import { CertificateError, parseCertificate } from '../pki/certificate.ts';
import { DerError } from '../pki/der.ts';
import { digestForSignatureAlgorithm, isAcceptedSignatureAlgorithm } from '../pki/signature.ts';
import { CaError, type EncryptionDelivery, type EnrolmentAnswer } from './authority.ts';
import {
  crmfRequestId,
  p10crRequestId,
  type CertResponse,
  type PkiBody,
  type PkiMessage,
  type PkiStatus,
  type PkiStatusInfo,
  type PollReply,
} from './cmp-messages.ts';
import { decodeEncryptedValue } from './encrypted-value.ts';
import { meaningOf } from './refusal.ts';

/*
 * What authentic messages of a certification authority say. Nothing here verifies a protection.
 */

/** cp with status waiting names no time: the first poll learns it (RFC 9483 §4.4). */
const firstPollAfterSeconds = 1;
const shortestWaitSeconds = 1;
const longestWaitSeconds = 86_400;

/** What an answer may look like, by its request. */
export interface Expected {
  readonly types: readonly ('cp' | 'kup')[];
  readonly certReqIds: readonly number[];
}

/** Where the request is not at hand. */
export const anyAnswer: Expected = { types: ['cp', 'kup'], certReqIds: [p10crRequestId, crmfRequestId] };

/**
 * What an answer to a request or a pollReq says.
 * @throws CaError `rejected` or `unavailable` where it says no, `malformed` or `mismatch` where it is no answer to that
 */
export function readAnswer(message: PkiMessage, { types, certReqIds }: Expected): EnrolmentAnswer {
  const { body, der: reply } = message;
  if (body.type === 'error') throw refusal(body.status, body.details);
  const entry = entryOf(body);
  if (!certReqIds.includes(entry.certReqId)) throw new CaError('mismatch', `an answer to request ${entry.certReqId}`);
  if ('checkAfterSeconds' in entry) {
    return { kind: 'waiting', checkAfterSeconds: boundedWait(entry.checkAfterSeconds), reply };
  }
  if (!types.some((type) => type === body.type)) throw new CaError('malformed', `${body.type} in answer to a request`);
  return readResponse(message, entry);
}

/**
 * With these a certificate counts. One that is about to be revoked, or is already, does not: nobody has to be told that
 * it is not wanted.
 */
const granting: readonly PkiStatus[] = ['accepted', 'grantedWithMods', 'keyUpdateWarning'];

function readResponse({ header, body, extraCerts, der: reply }: PkiMessage, response: CertResponse): EnrolmentAnswer {
  const { status, certificate } = response;
  if (status.status === 'waiting') return { kind: 'waiting', checkAfterSeconds: firstPollAfterSeconds, reply };
  if (!granting.includes(status.status)) throw refusal(status);
  if (!certificate) throw new CaError('malformed', `${body.type} that grants without a certificate`);
  const caPubs = (body.type === 'cp' || body.type === 'kup' ? body.caPubs : undefined) ?? [];
  const { confirmWaitTime: confirmBy } = header;
  const encryption = readDelivery(response);
  return {
    kind: 'issued',
    certificate: copyBytes(certificate),
    chain: [...extraCerts, ...caPubs],
    reply,
    ...(confirmBy && { confirmBy }),
    ...(encryption && { encryption }),
  };
}

/**
 * The one entry there must be for our one request.
 * @throws CaError `malformed`
 */
export function entryOf(body: PkiBody): CertResponse | PollReply {
  const [entry, ...others]: readonly (CertResponse | PollReply)[] =
    body.type === 'cp' || body.type === 'kup' ? body.responses : body.type === 'pollRep' ? body.replies : [];
  if (!entry) throw new CaError('malformed', `${body.type} in answer to a request`);
  if (others.length > 0) throw new CaError('malformed', 'not exactly one answer for one request');
  return entry;
}

/** The key pair that came with a certificate; undefined where there is none, or none that could be imported. */
function readDelivery({ certificate, privateKey }: CertResponse): EncryptionDelivery | undefined {
  if (!certificate || !privateKey) return undefined;
  try {
    const key = readSpki(parseCertificate(certificate).spki);
    if (key.algorithm !== 'sm2') return undefined;
    return { certificate: copyBytes(certificate), envelope: decodeEncryptedValue(privateKey, key.publicKey) };
  } catch (error) {
    if (error instanceof DerError || error instanceof CertificateError) return undefined;
    throw error;
  }
}

/** Seconds, between one and a day. */
export function boundedWait(seconds: number): number {
  return Math.min(Math.max(Math.ceil(seconds), shortestWaitSeconds), longestWaitSeconds);
}

/** An authentic no as an error: a refusal, or that it cannot answer now. */
export function refusal(
  { status, failInfo = [], text = [] }: PkiStatusInfo,
  details: readonly string[] = [],
  retryAfterSeconds?: number,
): CaError {
  const said = { failInfo, text: [...text, ...details], retryAfterSeconds };
  const reasons = failInfo.join(', ') || 'no reason given';
  const message = `the authority answered ${status}: ${reasons}`;
  switch (status) {
    // It will answer this message later (RFC 9810 §5.3.22); what became of the request it says elsewhere.
    case 'waiting':
      return new CaError('unavailable', message, said);
    case 'rejection':
    case 'revocationWarning':
    case 'revocationNotification':
      return new CaError(meaningOf(failInfo) === 'later' ? 'unavailable' : 'rejected', message, said);
    default:
      return new CaError('malformed', `an error with status ${status}`);
  }
}

/** The hash of the certificate by the hash of its own signature algorithm (RFC 9810 §5.3.18). */
export async function certHash(certificate: Uint8Array, accepted: boolean): Promise<Bytes> {
  try {
    const { signatureAlgorithm } = parseCertificate(certificate);
    if (isAcceptedSignatureAlgorithm(signatureAlgorithm)) {
      return await digestForSignatureAlgorithm(signatureAlgorithm, certificate);
    }
  } catch (cause) {
    if (!(cause instanceof CertificateError)) throw cause;
  }
  if (accepted) throw new CaError('malformed', 'a certificate that cannot be accepted');
  // Refusing what has no hash known here: any hash will do, for nothing is confirmed either way.
  return digestForSignatureAlgorithm(oids.sha256WithRsa, certificate);
}
