import { crmfRequestId, p10crRequestId, type PkiBody } from '../../src/ca/cmp-messages.ts';
import { CrmfError, parseCertReqMessages, verifyProof, type CertReqMessage } from '../../src/ca/crmf.ts';
import { readSpki } from '../../src/pki/algorithms.ts';
import { copyBytes, type Bytes } from '../../src/pki/bytes.ts';
import { CsrError, parseCsr, verifyCsr, type Csr } from '../../src/pki/csr.ts';
import { DerError, parseDer } from '../../src/pki/der.ts';
import { readName, type DistinguishedName } from '../../src/pki/name.ts';
import { Refusal } from './refusal.ts';

export const requestKinds = ['p10cr', 'kur', 'cr'] as const;
/** How a certificate was asked for. */
export type RequestKind = (typeof requestKinds)[number];

/** The body that answers a request of this kind (RFC 9810 §5.3). */
export const answerTypes = { p10cr: 'cp', kur: 'kup', cr: 'cp' } as const;

/** certReqId in everything that is said about it. */
export const requestId = (kind: RequestKind): number => (kind === 'p10cr' ? p10crRequestId : crmfRequestId);

/** For a certificate for a key of the holder's own. */
export interface SigningRequest {
  readonly kind: 'p10cr' | 'kur';
  /** DER: PKCS #10, or CertReqMessages. */
  readonly der: Bytes;
  readonly subject: DistinguishedName;
  /** DER SubjectPublicKeyInfo of a known kind. */
  readonly spki: Bytes;
  /** OID of the proof of possession's signature; undefined: no proof by a signature. */
  readonly proofAlgorithm: string | undefined;
  readonly isProven: () => Promise<boolean>;
  /** Absent in a p10cr. */
  readonly message?: CertReqMessage;
}

/** For an encryption certificate, its key pair to be made here (RFC 9483 §4.1.6). */
export interface EncryptionRequest {
  readonly kind: 'cr';
  /** DER CertReqMessages. */
  readonly der: Bytes;
  readonly subject: DistinguishedName;
  readonly message: CertReqMessage;
}

export type CertificateRequest = SigningRequest | EncryptionRequest;
export type RequestBody = Extract<PkiBody, { type: RequestKind }>;

/**
 * Reads what a message asks for. Whether it may ask for that is `admission.ts`'s question.
 * @throws Refusal `badDataFormat`, `badRequest`, `badCertTemplate`
 */
export function readRequest(body: RequestBody): CertificateRequest {
  if (body.type === 'p10cr') return readPkcs10(body.csr);
  const message = readCrmf(body.requests);
  const request = { der: copyBytes(body.requests), subject: readName(parseDer(message.subject)), message };
  if (body.type === 'cr') return { kind: 'cr', ...request };
  const { publicKey, proof } = message;
  if (!publicKey) throw new Refusal('badCertTemplate', 'a key update is for a public key');
  try {
    readSpki(publicKey);
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    throw new Refusal('badDataFormat', 'the public key is malformed or of no known kind', { cause });
  }
  return {
    kind: 'kur',
    ...request,
    spki: copyBytes(publicKey),
    proofAlgorithm: proof?.type === 'signature' ? proof.algorithm : undefined,
    isProven: () => verifyProof(message),
  };
}

function readPkcs10(der: Uint8Array): SigningRequest {
  let csr: Csr;
  try {
    csr = parseCsr(der);
  } catch (cause) {
    if (cause instanceof CsrError) throw new Refusal('badDataFormat', 'the PKCS #10 request is malformed', { cause });
    throw cause;
  }
  return {
    kind: 'p10cr',
    der: csr.der,
    subject: csr.subject,
    spki: csr.spki,
    proofAlgorithm: csr.signatureAlgorithm,
    isProven: () => verifyCsr(csr.der),
  };
}

function readCrmf(der: Uint8Array): CertReqMessage {
  let messages: readonly CertReqMessage[];
  try {
    messages = parseCertReqMessages(der);
  } catch (cause) {
    if (cause instanceof CrmfError) throw new Refusal('badDataFormat', 'the CertReqMessages are malformed', { cause });
    throw cause;
  }
  const [message, ...others] = messages;
  if (!message || others.length > 0) throw new Refusal('badRequest', 'one certificate at a time');
  if (message.certReqId !== crmfRequestId) throw new Refusal('badRequest', `certReqId ${crmfRequestId} is needed`);
  return message;
}
