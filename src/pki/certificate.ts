import { oids, readSpki, type KeyAlgorithm } from './algorithms.ts';
import { bytesEqual, toHex, type Bytes } from './bytes.ts';
import {
  DerError,
  isBoolean,
  isContext,
  isNull,
  parseDer,
  readBitString,
  readBoolean,
  readExplicit,
  readInteger,
  readIntegerContent,
  readNamedBits,
  readOctetString,
  readOid,
  readSequence,
  readTime,
  sourceBytes,
  type DerBlock,
} from './der.ts';
import { readExtensions, readKeyIdentifier, type Extensions } from './extensions.ts';
import { readName, type DistinguishedName } from './name.ts';

export type { Extension } from './extensions.ts';
export type { DistinguishedName, NameAttribute } from './name.ts';

/** Why bytes are not a certificate this project can work with. */
export type CertificateErrorCode =
  /** Not DER, cut short, or not what RFC 5280 §4 allows. */
  | 'malformed'
  /** A certificate, for a kind of key that is not known here. */
  | 'unsupportedKey';

export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly code: CertificateErrorCode;
  constructor(code: CertificateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** KeyUsage by name, in bit order (RFC 5280 §4.2.1.3). */
export const keyUsageNames = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

/** An X.509 certificate, read but not verified. */
export interface Certificate {
  readonly der: Bytes;
  /** What is signed. */
  readonly tbs: Bytes;
  /** OID of the issuer's signature. */
  readonly signatureAlgorithm: string;
  readonly signature: Bytes;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** The INTEGER's contents in lower-case hexadecimal, a leading 00 included. */
  readonly serialNumber: string;
  /** Both inclusive (RFC 5280 §4.1.2.5). */
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes;
  readonly keyAlgorithm: KeyAlgorithm;
  readonly subjectKeyIdentifier: Bytes | undefined;
  readonly authorityKeyIdentifier: Bytes | undefined;
  /** Names of `keyUsageNames`; undefined where the extension is absent. */
  readonly keyUsage: ReadonlySet<string> | undefined;
  /** OIDs; undefined where the extension is absent. */
  readonly extendedKeyUsage: ReadonlySet<string> | undefined;
  /** BasicConstraints' cA. */
  readonly isCa: boolean;
  /** BasicConstraints' pathLenConstraint. */
  readonly pathLength: number | undefined;
  /** All extensions by OID. */
  readonly extensions: Extensions;
}

export const extensionOids = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

/**
 * Reads one DER certificate (RFC 5280 §4.1, GB/T 20518). Its signature is not verified.
 * @param der at most 64 KiB
 * @throws CertificateError
 */
export function parseCertificate(der: Uint8Array): Certificate {
  try {
    return readCertificate(der);
  } catch (cause) {
    if (cause instanceof DerError) throw new CertificateError('malformed', cause.message, { cause });
    throw cause;
  }
}

function readCertificate(der: Uint8Array): Certificate {
  const certificate = parseDer(der);
  const [tbs, algorithm, signature] = readSequence(certificate, 3, 3);
  if (!tbs || !algorithm) throw new DerError('a certificate has three parts');
  const parts = [...readSequence(tbs, 6, 10)];
  const version = isContext(parts[0], 0) ? readVersion(parts.shift()) : 1;
  const [serialNumber, innerAlgorithm, issuer, validity, subject, spki, ...optional] = parts;
  if (!innerAlgorithm || !issuer || !subject || !spki) throw new DerError('TBSCertificate without its parts');
  if (!bytesEqual(sourceBytes(innerAlgorithm), sourceBytes(algorithm))) {
    throw new DerError('the two signature algorithms differ');
  }
  const [notBefore, notAfter] = validity ? readSequence(validity, 2, 2) : [];
  const extensions = readOptionalParts(optional, version);
  const { isCa, pathLength } = readBasicConstraints(extensions);
  return {
    der: sourceBytes(certificate),
    tbs: sourceBytes(tbs),
    signatureAlgorithm: readAlgorithm(algorithm),
    signature: readBitString(signature),
    subject: readName(subject),
    issuer: readName(issuer),
    serialNumber: toHex(readIntegerContent(serialNumber)),
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    spki: sourceBytes(spki),
    keyAlgorithm: readKeyAlgorithm(spki),
    subjectKeyIdentifier: readExtension(extensions, extensionOids.subjectKeyIdentifier, readOctetString),
    authorityKeyIdentifier: readExtension(extensions, extensionOids.authorityKeyIdentifier, readKeyIdentifier),
    keyUsage: readExtension(extensions, extensionOids.keyUsage, readKeyUsage),
    extendedKeyUsage: readExtension(
      extensions,
      extensionOids.extendedKeyUsage,
      (block) => new Set(readSequence(block, 1).map((purpose) => readOid(purpose))),
    ),
    isCa,
    pathLength,
    extensions,
  };
}

function readVersion(block: DerBlock | undefined): number {
  const version = block ? readInteger(readExplicit(block, 0)) + 1 : 1;
  // Version 1 is the DEFAULT, which DER leaves out.
  if (version !== 2 && version !== 3) throw new DerError('no such version of certificates');
  return version;
}

/** Signature algorithms known here have no parameters or NULL; others are only named. @returns the OID @throws DerError */
export function readAlgorithm(block: DerBlock): string {
  const [algorithm, parameters] = readSequence(block, 1, 2);
  const name = readOid(algorithm);
  if (parameters && !isNull(parameters) && (Object.values(oids) as string[]).includes(name)) {
    throw new DerError('signature algorithm with parameters');
  }
  return name;
}

function readKeyAlgorithm(spki: DerBlock): KeyAlgorithm {
  try {
    return readSpki(sourceBytes(spki)).algorithm;
  } catch (cause) {
    if (cause instanceof DerError) throw new CertificateError('unsupportedKey', cause.message, { cause });
    throw cause;
  }
}

function readOptionalParts(optional: readonly DerBlock[], version: number): Extensions {
  let extensions: Extensions = new Map();
  let previous = 0;
  for (const block of optional) {
    // issuerUniqueID [1], subjectUniqueID [2], extensions [3], each at most once and in this order.
    const tag = [1, 2, 3].find((candidate) => isContext(block, candidate)) ?? 0;
    if (tag <= previous || (tag === 3 && version !== 3) || version === 1) throw new DerError('unexpected part');
    previous = tag;
    if (tag === 3) extensions = readExtensions(readExplicit(block, 3));
  }
  return extensions;
}

function readExtension<T>(extensions: Extensions, name: string, read: (block: DerBlock) => T): T | undefined {
  const extension = extensions.get(name);
  return extension && read(parseDer(extension.value));
}

function readKeyUsage(block: DerBlock): ReadonlySet<string> {
  return new Set(readNamedBits(block).map((bit) => keyUsageNames[bit] ?? `bit ${bit}`));
}

function readBasicConstraints(extensions: Extensions): {
  readonly isCa: boolean;
  readonly pathLength: number | undefined;
} {
  const parts = readExtension(extensions, extensionOids.basicConstraints, (block) => readSequence(block, 0, 2)) ?? [];
  const [first, second] = parts;
  const isCa = isBoolean(first) && first ? readBoolean(first) : false;
  const length = isBoolean(first) ? second : first;
  const pathLength = length && readInteger(length);
  if ((!isBoolean(first) && second) || (pathLength !== undefined && pathLength < 0)) {
    throw new DerError('not BasicConstraints');
  }
  return { isCa, pathLength };
}
