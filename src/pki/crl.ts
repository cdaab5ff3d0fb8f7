import { bytesEqual, copyBytes, fromHex, type Bytes } from './bytes.ts';
import { extensionOids, readAlgorithm, type Certificate } from './certificate.ts';
import {
  assertDer,
  children,
  contentBytes,
  contextTag,
  DerError,
  derContentStart,
  derEnd,
  isContext,
  parseDer,
  readBitString,
  readExplicit,
  readEnumerated,
  readInteger,
  readSequence,
  readTime,
  sourceBytes,
  type DerBlock,
} from './der.ts';
import { hasUnknownCritical, readExtensions, readKeyIdentifier, type Extensions } from './extensions.ts';
import { namesMatch, readName, type DistinguishedName } from './name.ts';
import { revocationReason, timeDoubt, type Revocation, type StatusDoubt, type StatusVerdict } from './revocation.ts';
import { isAcceptedSignatureAlgorithm, verifySignature } from './signature.ts';

/** The longest list that is read, in bytes. */
export const maxCrlBytes = 8 * 1024 * 1024;
/** The most certificates a list may name. */
export const maxCrlEntries = 250_000;

/** Why bytes are not a revocation list this project can work with. */
export type CrlErrorCode =
  /** Not DER, cut short, or not what RFC 5280 §5 allows. */
  | 'malformed'
  /** Longer than `maxCrlBytes`, or with more than `maxCrlEntries`. */
  | 'tooLarge'
  /** A delta list, or one with a critical extension that is not understood here, in an entry or on the whole. */
  | 'unsupported';

export class CrlError extends Error {
  override readonly name = 'CrlError';
  readonly code: CrlErrorCode;
  constructor(code: CrlErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Which certificates a list is about, where it is not all of its issuer's (RFC 5280 §5.2.5). */
interface Scope {
  /** DER GeneralNames of the point it is published at; undefined for every point. */
  readonly points: readonly Bytes[] | undefined;
  readonly only: 'userCertificates' | 'caCertificates' | undefined;
}

/** A certificate revocation list, read but not verified. */
export interface CertificateRevocationList {
  /** What is signed. */
  readonly tbs: Bytes;
  /** OID. */
  readonly signatureAlgorithm: string;
  readonly signature: Bytes;
  readonly issuer: DistinguishedName;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly authorityKeyIdentifier: Bytes | undefined;
  readonly scope: Scope;
  /** How many certificates it names. */
  readonly count: number;
  /** The contents of revokedCertificates: entries one after another, checked. `revocationIn` reads them. */
  readonly entries: Bytes;
}

const crlOids = {
  issuerAltName: '2.5.29.18',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  invalidityDate: '2.5.29.24',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
} as const;
const understood: ReadonlySet<string> = new Set([
  extensionOids.authorityKeyIdentifier,
  crlOids.issuerAltName,
  crlOids.crlNumber,
  crlOids.issuingDistributionPoint,
]);
/** Contents octets of the entry extensions that are understood: id-ce-cRLReasons and id-ce-invalidityDate. */
const understoodInEntries: readonly Bytes[] = [fromHex('551d15'), fromHex('551d18')];

/** Identifier octets. */
const tags = { boolean: 0x01, integer: 0x02, oid: 0x06, utcTime: 0x17, generalizedTime: 0x18, sequence: 0x30 } as const;
const isTime = (identifier: number | undefined): boolean =>
  identifier === tags.utcTime || identifier === tags.generalizedTime;

/**
 * Reads one DER CertificateList (RFC 5280 §5.1, GB/T 20518), version 1 or 2, with its nextUpdate. Its signature is not
 * verified.
 * @throws CrlError
 */
export function parseCrl(der: Uint8Array): CertificateRevocationList {
  if (der.length > maxCrlBytes) throw new CrlError('tooLarge', `a list of ${der.length} bytes`);
  try {
    assertDer(der, { maxBytes: maxCrlBytes });
    return readCrl(copyBytes(der));
  } catch (cause) {
    if (cause instanceof DerError) throw new CrlError('malformed', cause.message, { cause });
    throw cause;
  }
}

function readCrl(der: Bytes): CertificateRevocationList {
  const [tbs, algorithm, signature, ...beyond] = partsOf(der);
  if (!tbs || !algorithm || !signature || beyond.length > 0) throw new DerError('a revocation list has three parts');
  const parts = partsOf(tbs);
  const next = (isExpected: (identifier: number | undefined) => boolean): Bytes | undefined =>
    isExpected(parts[0]?.[0]) ? parts.shift() : undefined;
  const required = (part: Bytes | undefined): DerBlock => {
    if (!part) throw new DerError('a part is missing');
    return parseDer(part);
  };

  const version = next((identifier) => identifier === tags.integer);
  if (version && readInteger(parseDer(version)) !== 1) throw new DerError('no such version of revocation lists');
  const isSequence = (identifier: number | undefined): boolean => identifier === tags.sequence;
  const innerAlgorithm = next(isSequence);
  if (!innerAlgorithm || !bytesEqual(innerAlgorithm, algorithm)) {
    throw new DerError('the two signature algorithms differ');
  }
  const issuer = required(next(isSequence));
  const thisUpdate = required(next(isTime));
  const nextUpdate = required(next(isTime));
  const revoked = next(isSequence);
  const extensions = parts.shift();
  if (parts.length > 0 || (extensions && !version)) throw new DerError('unexpected part');

  const read = extensions ? readExtensions(readExplicit(parseDer(extensions), 0)) : new Map<string, never>();
  if (read.has(crlOids.deltaCrlIndicator)) throw new CrlError('unsupported', 'a delta list');
  if (hasUnknownCritical(read, understood)) throw new CrlError('unsupported', 'an unknown critical extension');
  const entries = revoked ? revoked.subarray(derContentStart(revoked, 0)) : new Uint8Array();
  return {
    tbs,
    signatureAlgorithm: readAlgorithm(parseDer(algorithm)),
    signature: readBitString(parseDer(signature)),
    issuer: readName(issuer),
    thisUpdate: readTime(thisUpdate),
    nextUpdate: readTime(nextUpdate),
    authorityKeyIdentifier: readKeyIdentifierOf(read),
    scope: readScope(read),
    count: checkEntries(entries, version !== undefined),
    entries,
  };
}

/** The parts of a SEQUENCE, sharing its memory. */
function partsOf(der: Bytes): Bytes[] {
  if (der[0] !== tags.sequence) throw new DerError('SEQUENCE expected');
  const parts: Bytes[] = [];
  let start = derContentStart(der, 0);
  while (start < der.length) {
    const end = derEnd(der, start);
    parts.push(der.subarray(start, end));
    start = end;
  }
  return parts;
}

function readKeyIdentifierOf(extensions: Extensions): Bytes | undefined {
  const extension = extensions.get(extensionOids.authorityKeyIdentifier);
  return extension && readKeyIdentifier(parseDer(extension.value));
}

/** @throws CrlError `unsupported` for an indirect list, or one about some reasons or attribute certificates alone */
function readScope(extensions: Extensions): Scope {
  const extension = extensions.get(crlOids.issuingDistributionPoint);
  const parts = extension ? readSequence(parseDer(extension.value)) : [];
  let points: readonly Bytes[] | undefined;
  let only: Scope['only'];
  let previous = -1;
  for (const part of parts) {
    const tag = contextTag(part) ?? -1;
    if (tag <= previous) throw new DerError('not an IssuingDistributionPoint');
    previous = tag;
    if (tag === 0) points = readPointName(part);
    else if (tag === 1 || tag === 2) {
      if (only || !isTrue(part)) throw new DerError('not an IssuingDistributionPoint');
      only = tag === 1 ? 'userCertificates' : 'caCertificates';
    } else throw new CrlError('unsupported', 'an indirect list, or one that is not about all reasons');
  }
  return { points, only };
}

/** BOOLEAN under an implicit tag: FALSE is the DEFAULT, which DER leaves out. */
const isTrue = (block: DerBlock): boolean =>
  !block.idBlock.isConstructed && bytesEqual(contentBytes(block), Uint8Array.of(0xff));

/** DistributionPointName in [0] EXPLICIT: fullName's GeneralNames. A name relative to the issuer is not compared here. */
function readPointName(block: DerBlock): readonly Bytes[] {
  const name = readExplicit(block, 0);
  return isContext(name, 0) ? children(name).map(sourceBytes) : [];
}

/** Every entry is looked at, since an unknown critical extension in any makes the whole list unusable (§5.3). @returns how many */
function checkEntries(entries: Bytes, mayHaveExtensions: boolean): number {
  let count = 0;
  for (let start = 0, end; start < entries.length; start = end) {
    if (++count > maxCrlEntries) throw new CrlError('tooLarge', `more than ${maxCrlEntries} entries`);
    end = derEnd(entries, start);
    const serialNumber = derContentStart(entries, start);
    const date = derEnd(entries, serialNumber);
    const extensions = derEnd(entries, date);
    const isEntry =
      entries[start] === tags.sequence &&
      entries[serialNumber] === tags.integer &&
      date < end &&
      isTime(entries[date]) &&
      (extensions === end || (mayHaveExtensions && isLastSequence(entries, extensions, end)));
    if (!isEntry) throw new DerError('not an entry of a revocation list');
    if (extensions < end) checkEntryExtensions(entries, extensions, end);
  }
  return count;
}

const isLastSequence = (bytes: Uint8Array, start: number, end: number): boolean =>
  bytes[start] === tags.sequence && derEnd(bytes, start) === end;

function checkEntryExtensions(bytes: Bytes, list: number, end: number): void {
  for (let start = derContentStart(bytes, list), next; start < end; start = next) {
    next = derEnd(bytes, start);
    const type = derContentStart(bytes, start);
    const second = derEnd(bytes, type);
    if (bytes[start] !== tags.sequence || bytes[type] !== tags.oid || second >= next) {
      throw new DerError('not an extension');
    }
    const isCritical = bytes[second] === tags.boolean && bytes[second + 2] !== 0;
    const name = isCritical && bytes.subarray(derContentStart(bytes, type), second);
    if (name && !understoodInEntries.some((known) => bytesEqual(known, name))) {
      throw new CrlError('unsupported', 'an unknown critical extension in an entry');
    }
  }
}

/**
 * What the list says about a serial number.
 * @param serialNumber as `Certificate.serialNumber`
 * @throws CrlError for an entry of this number that is not what RFC 5280 §5.3 allows
 */
export function revocationIn(
  { entries }: Pick<CertificateRevocationList, 'entries'>,
  serialNumber: string,
): Revocation | undefined {
  const wanted = fromHex(serialNumber);
  for (let start = 0, end; start < entries.length; start = end) {
    end = derEnd(entries, start);
    const number = derContentStart(entries, start);
    const content = derContentStart(entries, number);
    if (derEnd(entries, number) - content !== wanted.length || entries[content] !== wanted[0]) continue;
    if (bytesEqual(entries.subarray(content, content + wanted.length), wanted)) {
      return readEntry(entries.subarray(start, end));
    }
  }
  return undefined;
}

function readEntry(der: Uint8Array): Revocation {
  try {
    const [, date, extensionList] = readSequence(parseDer(der), 2, 3);
    const extension = extensionList && readExtensions(extensionList).get(crlOids.reasonCode);
    // An ENUMERATED; readInteger takes it for the number it is.
    const reason = revocationReason(extension ? readEnumerated(parseDer(extension.value)) : 0);
    if (!reason) throw new DerError('no such reason');
    return { at: readTime(date), reason };
  } catch (cause) {
    if (cause instanceof DerError) throw new CrlError('malformed', cause.message, { cause });
    throw cause;
  }
}

export interface StatusQuestion {
  readonly certificate: Certificate;
  /** Who issued it: the next on a path that was verified. */
  readonly issuer: Certificate;
  /** Server time. */
  readonly now: Date;
}

/**
 * What a complete list of the certificate's issuer says about it (RFC 5280 §6.3, without deltas, indirect lists and
 * lists by reason).
 * @param der as received
 * @returns never throws for what is in the list; whatever is wrong with it is `unknown`
 */
export async function statusByCrl(der: Uint8Array, question: StatusQuestion): Promise<StatusVerdict> {
  try {
    const crl = parseCrl(der);
    const doubt = doubtOf(crl, question) ?? (await signatureDoubt(crl, question.issuer));
    if (doubt) return { status: 'unknown', because: doubt };
    const { thisUpdate, nextUpdate } = crl;
    const revocation = revocationIn(crl, question.certificate.serialNumber);
    return revocation
      ? { status: 'revoked', revocation, thisUpdate, nextUpdate }
      : { status: 'good', thisUpdate, nextUpdate };
  } catch (error) {
    if (error instanceof CrlError) return { status: 'unknown', because: error.code };
    throw error;
  }
}

function doubtOf(
  crl: CertificateRevocationList,
  { certificate, issuer, now }: StatusQuestion,
): StatusDoubt | undefined {
  const { subject, subjectKeyIdentifier, keyUsage } = issuer;
  const { authorityKeyIdentifier } = crl;
  if (!namesMatch(certificate.issuer, subject) || !namesMatch(crl.issuer, subject)) return 'otherIssuer';
  if (authorityKeyIdentifier && subjectKeyIdentifier && !bytesEqual(authorityKeyIdentifier, subjectKeyIdentifier)) {
    return 'otherIssuer';
  }
  if (keyUsage && !keyUsage.has('cRLSign')) return 'notAllowed';
  return timeDoubt(crl, now) ?? (isInScope(crl.scope, certificate) ? undefined : 'outOfScope');
}

async function signatureDoubt(
  { tbs, signature, signatureAlgorithm: algorithm }: CertificateRevocationList,
  { spki }: Certificate,
): Promise<StatusDoubt | undefined> {
  if (!isAcceptedSignatureAlgorithm(algorithm)) return 'unsupportedAlgorithm';
  return (await verifySignature({ spki, algorithm, message: tbs, signature })) ? undefined : 'badSignature';
}

/** RFC 5280 §6.3.3 (b)(2). */
function isInScope({ points, only }: Scope, certificate: Certificate): boolean {
  if (only && (only === 'caCertificates') !== certificate.isCa) return false;
  if (!points) return true;
  const own = distributionPoints(certificate);
  return points.some((point) => own.some((name) => bytesEqual(name, point)));
}

/** GeneralNames of the points at which the certificate's issuer itself publishes lists about all reasons (§4.2.1.13). */
function distributionPoints({ extensions }: Certificate): readonly Bytes[] {
  const extension = extensions.get(extensionOids.crlDistributionPoints);
  if (!extension) return [];
  try {
    return readSequence(parseDer(extension.value)).flatMap((point) => {
      const [name, ...restrictions] = readSequence(point);
      return name && isContext(name, 0) && restrictions.length === 0 ? readPointName(name) : [];
    });
  } catch (error) {
    // The certificate is not the list's fault; it names no point that can be compared.
    if (error instanceof DerError) return [];
    throw error;
  }
}
