import { readSpki, securityBits } from './algorithms.ts';
import { bytesEqual, copyBytes, fromHex, toHex, type Bytes } from './bytes.ts';
import { CertificateError, extensionOids, parseCertificate, readAlgorithm, type Certificate } from './certificate.ts';
import type { StatusQuestion } from './crl.ts';
import {
  contextTag,
  DerError,
  encode,
  explicit,
  integerOfContent,
  isContext,
  isNull,
  nullValue,
  octetString,
  oid,
  parseDer,
  readBitString,
  readExplicit,
  readImplicit,
  readEnumerated,
  readInteger,
  readIntegerContent,
  readOctetString,
  readOid,
  readSequence,
  readTime,
  sequence,
  sourceBytes,
  type DerBlock,
} from './der.ts';
import { hasUnknownCritical, readExtensions, type Extensions } from './extensions.ts';
import { namesMatch, readName, type DistinguishedName } from './name.ts';
import { revocationReason, timeDoubt, type Revocation, type StatusDoubt, type StatusVerdict } from './revocation.ts';
import { isAcceptedSignatureAlgorithm, verifySignature } from './signature.ts';

/** The longest answer that is read, in bytes. */
export const maxOcspBytes = 64 * 1024;

const ocspOids = {
  basicResponse: '1.3.6.1.5.5.7.48.1.1',
  nonce: '1.3.6.1.5.5.7.48.1.2',
  noCheck: '1.3.6.1.5.5.7.48.1.5',
  signing: '1.3.6.1.5.5.7.3.9',
  sha1: '1.3.14.3.2.26',
} as const;

/** Bytes that are not an OCSPResponse of RFC 6960 §4.2. */
export class OcspError extends Error {
  override readonly name = 'OcspError';
}

/** A question to a status service, and what its answer must repeat. */
export interface OcspRequest {
  /** DER OCSPRequest (RFC 6960 §4.1), unsigned. */
  readonly der: Bytes;
  readonly certId: CertId;
  readonly nonce: Bytes;
}

/** Which certificate is meant (RFC 6960 §4.1.1). */
export interface CertId {
  /** OID. */
  readonly hashAlgorithm: string;
  /** Of the issuer's name, DER. */
  readonly issuerNameHash: Bytes;
  readonly issuerKeyHash: Bytes;
  /** As `Certificate.serialNumber`. */
  readonly serialNumber: string;
}

const isSameCertId = (a: CertId, b: CertId): boolean =>
  a.hashAlgorithm === b.hashAlgorithm &&
  bytesEqual(a.issuerNameHash, b.issuerNameHash) &&
  bytesEqual(a.issuerKeyHash, b.issuerKeyHash) &&
  a.serialNumber === b.serialNumber;

const sha1 = async (bytes: Uint8Array): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest('SHA-1', copyBytes(bytes)));

/** SHA-1 of the contents of the BIT STRING: KeyHash, issuerKeyHash. */
const keyHash = ({ spki }: Certificate): Promise<Bytes> => sha1(readSpki(spki).publicKey);

/**
 * Asks about one certificate. The CertID is made with SHA-1: RFC 5019 §2.1.1 has clients do so and many services look up
 * by nothing else. It only names the issuer, whose key has to sign the answer; nothing rests on its strength.
 * @param nonce 32 bytes, fresh (RFC 9654 §2.1)
 */
export async function ocspRequest(
  { certificate, issuer }: Pick<StatusQuestion, 'certificate' | 'issuer'>,
  nonce: Uint8Array = crypto.getRandomValues(new Uint8Array(32)),
): Promise<OcspRequest> {
  const { serialNumber } = certificate;
  const issuerNameHash = await sha1(certificate.issuer.der);
  const issuerKeyHash = await keyHash(issuer);
  const certId = sequence(
    sequence(oid(ocspOids.sha1), nullValue()),
    octetString(issuerNameHash),
    octetString(issuerKeyHash),
    integerOfContent(fromHex(serialNumber)),
  );
  const extension = sequence(oid(ocspOids.nonce), octetString(encode(octetString(nonce))));
  return {
    der: encode(sequence(sequence(sequence(sequence(certId)), explicit(2, sequence(extension))))),
    certId: { hashAlgorithm: ocspOids.sha1, issuerNameHash, issuerKeyHash, serialNumber },
    nonce: copyBytes(nonce),
  };
}

/** OCSPResponseStatus but for successful. */
export type OcspRefusal = 'malformedRequest' | 'internalError' | 'tryLater' | 'sigRequired' | 'unauthorized';
const refusals: ReadonlyMap<number, OcspRefusal> = new Map([
  [1, 'malformedRequest'],
  [2, 'internalError'],
  [3, 'tryLater'],
  [5, 'sigRequired'],
  [6, 'unauthorized'],
]);

/** What is said about one certificate. */
export interface SingleResponse {
  readonly certId: CertId;
  readonly status: 'good' | 'unknown' | Revocation;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  readonly extensions: Extensions;
}

/** A BasicOCSPResponse, read but not verified. */
export interface OcspAnswer {
  /** ResponseData: what is signed. */
  readonly tbs: Bytes;
  /** OID. */
  readonly signatureAlgorithm: string;
  readonly signature: Bytes;
  readonly responder: { readonly name: DistinguishedName } | { readonly keyHash: Bytes };
  readonly producedAt: Date;
  readonly responses: readonly SingleResponse[];
  readonly extensions: Extensions;
  /** DER, as sent along; what cannot be read is passed over later. */
  readonly certificates: readonly Bytes[];
}

/**
 * Reads a DER OCSPResponse. Its signature is not verified.
 * @param der at most 64 KiB
 * @throws OcspError
 */
export function parseOcspResponse(der: Uint8Array): OcspAnswer | OcspRefusal {
  try {
    return readResponse(der);
  } catch (cause) {
    if (cause instanceof DerError) throw new OcspError(cause.message, { cause });
    throw cause;
  }
}

function readResponse(der: Uint8Array): OcspAnswer | OcspRefusal {
  const [status, responseBytes] = readSequence(parseDer(der, { maxBytes: maxOcspBytes }), 1, 2);
  const number = readEnumerated(status);
  if (number !== 0) {
    const refusal = refusals.get(number);
    // Nothing may follow: an answer is either given or refused.
    if (!refusal || responseBytes) throw new DerError('no such status of a response');
    return refusal;
  }
  if (!responseBytes) throw new DerError('a response without contents');
  const [type, response] = readSequence(readExplicit(responseBytes, 0), 2, 2);
  if (readOid(type) !== ocspOids.basicResponse) throw new DerError('a response of an unknown type');
  const [tbs, algorithm, signature, certificates] = readSequence(parseDer(readOctetString(response)), 3, 4);
  if (!tbs || !algorithm) throw new DerError('a response without its parts');
  return {
    tbs: sourceBytes(tbs),
    signatureAlgorithm: readAlgorithm(algorithm),
    signature: readBitString(signature),
    ...readResponseData(tbs),
    certificates: certificates ? readSequence(readExplicit(certificates, 0)).map(sourceBytes) : [],
  };
}

function readResponseData(tbs: DerBlock): Pick<OcspAnswer, 'responder' | 'producedAt' | 'responses' | 'extensions'> {
  const parts = [...readSequence(tbs, 3, 5)];
  const [first] = parts;
  if (first && isContext(first, 0)) {
    // v1 is the DEFAULT; services that write it all the same are not told off for it.
    if (readInteger(readExplicit(first, 0)) !== 0) throw new DerError('no such version of responses');
    parts.shift();
  }
  const [responder, producedAt, responses, extensions, ...beyond] = parts;
  if (!responder || beyond.length > 0) throw new DerError('a response without its parts');
  return {
    responder: readResponder(responder),
    producedAt: readTime(producedAt),
    responses: readSequence(responses).map(readSingleResponse),
    extensions: extensions ? readExtensions(readExplicit(extensions, 1)) : new Map(),
  };
}

function readResponder(block: DerBlock): OcspAnswer['responder'] {
  return isContext(block, 1)
    ? { name: readName(readExplicit(block, 1)) }
    : { keyHash: readOctetString(readExplicit(block, 2)) };
}

function readSingleResponse(block: DerBlock): SingleResponse {
  const [certId, status, thisUpdate, ...optional] = readSequence(block, 3, 5);
  if (!certId || !status) throw new DerError('a response without its parts');
  const nextUpdate = isContext(optional[0], 0) ? optional.shift() : undefined;
  const extensions = optional.shift();
  if (optional.length > 0) throw new DerError('unexpected part');
  return {
    certId: readCertId(certId),
    status: readStatus(status),
    thisUpdate: readTime(thisUpdate),
    nextUpdate: nextUpdate && readTime(readExplicit(nextUpdate, 0)),
    extensions: extensions ? readExtensions(readExplicit(extensions, 1)) : new Map(),
  };
}

function readCertId(block: DerBlock): CertId {
  const [algorithm, issuerNameHash, issuerKeyHash, serialNumber] = readSequence(block, 4, 4);
  if (!algorithm) throw new DerError('a CertID without its parts');
  // Parameters are NULL or absent; the two mean the same.
  const [hashAlgorithm, parameters] = readSequence(algorithm, 1, 2);
  if (parameters && !isNull(parameters)) throw new DerError('a hash algorithm with parameters');
  return {
    hashAlgorithm: readOid(hashAlgorithm),
    issuerNameHash: readOctetString(issuerNameHash),
    issuerKeyHash: readOctetString(issuerKeyHash),
    serialNumber: toHex(readIntegerContent(serialNumber)),
  };
}

function readStatus(block: DerBlock): SingleResponse['status'] {
  switch (contextTag(block)) {
    case 0:
      readImplicit(block, 0, 'null');
      return 'good';
    case 1: {
      const [at, given] = readSequence(readImplicit(block, 1, 'sequence'), 1, 2);
      const reason = revocationReason(given ? readEnumerated(readExplicit(given, 0)) : 0);
      if (!reason) throw new DerError('no such reason');
      return { at: readTime(at), reason };
    }
    case 2:
      readImplicit(block, 2, 'null');
      return 'unknown';
    default:
      throw new DerError('no such status of a certificate');
  }
}

/**
 * What a status service says about a certificate (RFC 6960 §3.2, §4.2.2). The answer counts if the issuer signed it, or a
 * responder whom the issuer itself certified for that and nothing else has to be asked about (id-pkix-ocsp-nocheck).
 * It must be shown to be of now: by our nonce, or by a nextUpdate that has not passed.
 * @param der as received
 * @returns never throws for what is in the answer; whatever is wrong with it is `unknown`
 */
export async function statusByOcsp(
  der: Uint8Array,
  request: Pick<OcspRequest, 'certId' | 'nonce'>,
  question: StatusQuestion,
): Promise<StatusVerdict> {
  try {
    const answer = parseOcspResponse(der);
    if (typeof answer === 'string') return unknown('refused');
    const doubt = answerDoubt(answer, question) ?? (await signerDoubt(answer, question));
    return doubt ? unknown(doubt) : verdict(answer, request, question.now);
  } catch (error) {
    if (error instanceof OcspError) return unknown('malformed');
    throw error;
  }
}

const unknown = (because: StatusDoubt): StatusVerdict => ({ status: 'unknown', because });
const understood: ReadonlySet<string> = new Set([ocspOids.nonce]);
const none: ReadonlySet<string> = new Set();

function answerDoubt(
  { extensions, signatureAlgorithm }: OcspAnswer,
  { certificate, issuer }: StatusQuestion,
): StatusDoubt | undefined {
  if (!namesMatch(certificate.issuer, issuer.subject)) return 'otherIssuer';
  if (hasUnknownCritical(extensions, understood)) return 'unsupported';
  return isAcceptedSignatureAlgorithm(signatureAlgorithm) ? undefined : 'unsupportedAlgorithm';
}

/** More certificates than a service ever sends along: a crafted answer must not keep us busy. */
const maxCertificates = 8;

async function signerDoubt(answer: OcspAnswer, { issuer, now }: StatusQuestion): Promise<StatusDoubt | undefined> {
  let doubt: StatusDoubt = 'otherIssuer';
  for (const signer of [issuer, ...readAll(answer.certificates.slice(0, maxCertificates))]) {
    if (!(await isResponder(answer.responder, signer))) continue;
    const delegateDoubt = signer === issuer ? undefined : await delegationDoubt(signer, issuer, now);
    if (delegateDoubt) doubt = delegateDoubt;
    else if (await isSignedWith(answer, signer)) return undefined;
    else doubt = 'badSignature';
  }
  return doubt;
}

function readAll(certificates: readonly Bytes[]): readonly Certificate[] {
  return certificates.flatMap((der) => {
    try {
      return parseCertificate(der);
    } catch (error) {
      if (error instanceof CertificateError) return [];
      throw error;
    }
  });
}

async function isResponder(responder: OcspAnswer['responder'], signer: Certificate): Promise<boolean> {
  return 'name' in responder
    ? namesMatch(responder.name, signer.subject)
    : bytesEqual(responder.keyHash, await keyHash(signer));
}

/** Whether the issuer itself let this responder answer for it (RFC 6960 §4.2.2.2). */
async function delegationDoubt(
  responder: Certificate,
  issuer: Certificate,
  now: Date,
): Promise<StatusDoubt | undefined> {
  const { keyUsage, extendedKeyUsage, extensions, notBefore, notAfter } = responder;
  if (!namesMatch(responder.issuer, issuer.subject)) return 'otherIssuer';
  const mayAnswer =
    extendedKeyUsage?.has(ocspOids.signing) === true &&
    (!keyUsage || keyUsage.has('digitalSignature')) &&
    // Without it we would have to ask about the responder too.
    extensions.has(ocspOids.noCheck) &&
    securityBits(responder.spki) >= 112;
  if (!mayAnswer) return 'notAllowed';
  if (hasUnknownCritical(extensions, knownInResponders)) return 'unsupported';
  if (notBefore > now) return 'notYetValid';
  if (notAfter < now) return 'stale';
  if (!isAcceptedSignatureAlgorithm(responder.signatureAlgorithm)) return 'unsupportedAlgorithm';
  return (await isSignedWith(responder, issuer)) ? undefined : 'badSignature';
}

const knownInResponders: ReadonlySet<string> = new Set([...Object.values(extensionOids), ocspOids.noCheck]);

function isSignedWith(
  { tbs, signature, signatureAlgorithm: algorithm }: Pick<Certificate, 'tbs' | 'signature' | 'signatureAlgorithm'>,
  { spki }: Certificate,
): Promise<boolean> {
  return verifySignature({ spki, algorithm, message: tbs, signature });
}

/** Of an authentic answer. Where it speaks of the certificate several times, the worst counts. */
function verdict(
  { responses, extensions, producedAt }: OcspAnswer,
  { certId, nonce }: Pick<OcspRequest, 'certId' | 'nonce'>,
  now: Date,
): StatusVerdict {
  const echoed = extensions.get(ocspOids.nonce);
  if (echoed && !bytesEqual(echoed.value, encode(octetString(nonce)))) return unknown('mismatch');
  const about = responses.filter((response) => isSameCertId(response.certId, certId));
  const found =
    about.find(({ status }) => typeof status === 'object') ??
    about.find(({ status }) => status === 'unknown') ??
    about[0];
  if (!found) return unknown('mismatch');
  if (hasUnknownCritical(found.extensions, none)) return unknown('unsupported');
  const { status, thisUpdate, nextUpdate } = found;
  const doubt = timeDoubt({ thisUpdate: producedAt, nextUpdate: undefined }, now) ?? timeDoubt(found, now);
  if (doubt) return unknown(doubt);
  // Without either, an answer from before the certificate was revoked could be shown to us again.
  if (!echoed && !nextUpdate) return unknown('stale');
  if (status === 'unknown') return unknown('notKnownThere');
  return status === 'good'
    ? { status, thisUpdate, nextUpdate }
    : { status: 'revoked', revocation: status, thisUpdate, nextUpdate };
}
