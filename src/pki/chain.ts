import { securityBits } from './algorithms.ts';
import { bytesEqual } from './bytes.ts';
import { CertificateError, extensionOids, parseCertificate, type Certificate } from './certificate.ts';
import { namesEqual, namesMatch } from './name.ts';
import { isAcceptedSignatureAlgorithm, type Sha1Exception } from './signature.ts';
import { VerifiedSignatures } from './verified-signatures.ts';

/** Why no path was found; of several attempts, the one that came furthest. */
export type ChainFailure =
  /** The leaf is not a certificate that can be read. */
  | 'malformed'
  /** Nobody in reach has the issuer's name (and key identifier). */
  | 'noPath'
  /** Signed with an algorithm that is not accepted, such as SHA-1. */
  | 'unsupportedAlgorithm'
  /** An issuer's key verifies no signature. */
  | 'badSignature'
  /** An issuer's key is weaker than 112 bits. */
  | 'weakKey'
  /** An issuer is not a CA (basicConstraints). */
  | 'notCa'
  /** An issuer may not sign certificates (keyUsage). */
  | 'notCertSigner'
  /** More CAs below an issuer than it allows. */
  | 'pathTooLong'
  /** A critical extension that is not understood here. */
  | 'unknownCriticalExtension'
  | 'notYetValid'
  | 'expired';

export type ChainResult =
  | {
      readonly ok: true;
      /** The leaf first, the anchor last. */
      readonly path: readonly Certificate[];
    }
  | { readonly ok: false; readonly reason: ChainFailure };

/** With `acceptSha1For`, the answer only says where a certificate comes from; nothing may be trusted for it. */
export interface ChainRequest extends Sha1Exception {
  /** DER of the certificate to be trusted. */
  readonly leaf: Uint8Array;
  /** DER certificates from anywhere; not trusted, and what cannot be read is passed over. */
  readonly intermediates: readonly Uint8Array[];
  /** DER certificates that are pinned. The leaf itself may be one. */
  readonly anchors: readonly Uint8Array[];
  /** The instant at which every certificate must be valid. */
  readonly at: Date;
  /** The leaf's notAfter is not looked at: an expired certificate may still ask for its renewal. */
  readonly allowExpiredLeaf?: boolean;
}

/** From the leaf to the anchor, both counted. Chinese business CAs have three. */
const maxPathLength = 8;
/** Signatures verified before giving up: a crafted pool of certificates must not keep us busy. */
const maxVerifications = 32;
const minimumSecurityBits = 112;

/** Extensions that are understood, or that, as policies and revocation points, change nothing in what is checked here. */
const understood: ReadonlySet<string> = new Set(Object.values(extensionOids));

/** The furthest-going failure explains most; the order is that of the checks. */
const failureOrder: readonly ChainFailure[] = [
  'malformed',
  'noPath',
  'unsupportedAlgorithm',
  'badSignature',
  'weakKey',
  'notCa',
  'notCertSigner',
  'pathTooLong',
  'unknownCriticalExtension',
  'notYetValid',
  'expired',
];

/**
 * Looks for a path from a certificate through CAs to a pinned anchor (RFC 5280 §6.1, without policies, name constraints
 * and revocation). Every signature on it is verified; a pinned anchor's own is not.
 * @returns never throws for what is in the certificates
 */
export async function verifyChain(request: ChainRequest): Promise<ChainResult> {
  const leaf = readable(request.leaf);
  if (!leaf) return { ok: false, reason: 'malformed' };
  const search = new PathSearch(request);
  const path = await search.pathFrom(leaf, []);
  return path ? { ok: true, path } : { ok: false, reason: search.reason };
}

/** Certificates read before, by the very array they were read from: the configuration's are asked for again and again. */
const readBefore = new WeakMap<Uint8Array, Certificate>();
const verifiedBefore = new VerifiedSignatures();

function readable(der: Uint8Array): Certificate | undefined {
  const known = readBefore.get(der);
  // An array may have been written to since.
  if (known && bytesEqual(known.der, der)) return known;
  try {
    const certificate = parseCertificate(der);
    readBefore.set(der, certificate);
    return certificate;
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

const readAll = (ders: readonly Uint8Array[]): readonly Certificate[] => ders.flatMap((der) => readable(der) ?? []);

class PathSearch {
  reason: ChainFailure = 'noPath';
  readonly #anchors: readonly Certificate[];
  readonly #pool: readonly Certificate[];
  readonly #at: Date;
  readonly #allowExpiredLeaf: boolean;
  readonly #exception: Sha1Exception;
  #verifications = 0;

  constructor({ anchors, intermediates, at, allowExpiredLeaf, acceptSha1For }: ChainRequest) {
    this.#anchors = readAll(anchors);
    // Anchors first: the shortest path to a pinned certificate is the best one.
    this.#pool = [...this.#anchors, ...readAll(intermediates)];
    this.#at = at;
    this.#allowExpiredLeaf = allowExpiredLeaf ?? false;
    this.#exception = { acceptSha1For };
  }

  /** Depth first. `below` holds the certificates from the leaf up to, but without, `certificate`. */
  async pathFrom(certificate: Certificate, below: readonly Certificate[]): Promise<readonly Certificate[] | undefined> {
    const failure = this.#failureOf(certificate, below);
    if (failure) {
      this.#note(failure);
      return undefined;
    }
    const path = [...below, certificate];
    if (this.#anchors.some(({ der }) => bytesEqual(der, certificate.der))) return path;
    if (path.length >= maxPathLength) return undefined;
    for (const issuer of this.#pool) {
      if (!mayHaveIssued(issuer, certificate) || path.some(({ der }) => bytesEqual(der, issuer.der))) continue;
      if (++this.#verifications > maxVerifications) return undefined;
      if (!(await this.#isSignedBy(certificate, issuer))) {
        const isAccepted = isAcceptedSignatureAlgorithm(certificate.signatureAlgorithm, this.#exception);
        this.#note(isAccepted ? 'badSignature' : 'unsupportedAlgorithm');
        continue;
      }
      const found = await this.pathFrom(issuer, path);
      if (found) return found;
    }
    return undefined;
  }

  /** What speaks against a certificate in its place on the path, its signature aside. */
  #failureOf(certificate: Certificate, below: readonly Certificate[]): ChainFailure | undefined {
    if (below.length > 0) {
      const failure = issuerFailure(certificate, below);
      if (failure) return failure;
    }
    for (const [name, { critical }] of certificate.extensions) {
      if (critical && !understood.has(name)) return 'unknownCriticalExtension';
    }
    if (certificate.notBefore > this.#at) return 'notYetValid';
    const expiryCounts = below.length > 0 || !this.#allowExpiredLeaf;
    return expiryCounts && certificate.notAfter < this.#at ? 'expired' : undefined;
  }

  #isSignedBy({ tbs, signature, signatureAlgorithm }: Certificate, { spki }: Certificate): Promise<boolean> {
    const claim = { spki, algorithm: signatureAlgorithm, message: tbs, signature };
    return verifiedBefore.verify({ ...claim, ...this.#exception });
  }

  #note(reason: ChainFailure): void {
    if (failureOrder.indexOf(reason) > failureOrder.indexOf(this.reason)) this.reason = reason;
  }
}

function issuerFailure(issuer: Certificate, below: readonly Certificate[]): ChainFailure | undefined {
  if (securityBits(issuer.spki) < minimumSecurityBits) return 'weakKey';
  if (!issuer.isCa) return 'notCa';
  if (issuer.keyUsage && !issuer.keyUsage.has('keyCertSign')) return 'notCertSigner';
  // The leaf does not count, nor does a CA that only carries its own name on (RFC 5280 §4.2.1.9).
  const casBelow = below.slice(1).filter(({ subject, issuer: name }) => !namesEqual(subject, name)).length;
  return issuer.pathLength !== undefined && casBelow > issuer.pathLength ? 'pathTooLong' : undefined;
}

/** Name chaining and, where both sides have them, key identifiers (RFC 5280 §4.2.1.1). */
function mayHaveIssued(issuer: Certificate, { issuer: name, authorityKeyIdentifier }: Certificate): boolean {
  const { subject, subjectKeyIdentifier } = issuer;
  if (!namesMatch(subject, name)) return false;
  return !authorityKeyIdentifier || !subjectKeyIdentifier || bytesEqual(authorityKeyIdentifier, subjectKeyIdentifier);
}
