import type { Policy } from '../service/config.ts';
import { securityBits } from '../pki/algorithms.ts';
import { bytesEqual } from '../pki/bytes.ts';
import { CertificateError, parseCertificate, type Certificate } from '../pki/certificate.ts';
import { verifyChain } from '../pki/chain.ts';
import { DerError } from '../pki/der.ts';
import { namesEqual } from '../pki/name.ts';
import type { Purpose } from './journal.ts';
import { taxpayerNumber, type Trust } from './trust.ts';

/** What an authority's certificate must pass before it is written to a key; one code a check. */
export type AcceptanceFailure =
  | 'notACertificate'
  | 'otherPublicKey'
  | 'otherSubject'
  | 'otherTaxpayerNumber'
  | 'weakerKey'
  | 'notLonger'
  | 'alreadyExpired'
  | 'notYetValid'
  | 'livesTooLong'
  | 'cannotSign'
  | 'isAuthority'
  | 'notChained';

export interface AcceptanceContext {
  readonly purpose: Purpose;
  /** The certificate being replaced. */
  readonly oldCertificate: Certificate;
  /** DER SubjectPublicKeyInfo of the key pair on the USBKEY. */
  readonly newPublicKey: Uint8Array;
  /** Further certificates the authority sent: untrusted, for path building only. */
  readonly chain: readonly Uint8Array[];
  readonly trust: Trust;
  readonly policy: Policy;
  /** Server time. */
  readonly now: Date;
}

/** Clocks of client, server and authority may differ this much. */
const skewMs = 5 * 60_000;
const dayMs = 86_400_000;

/**
 * Every reason why a certificate must not be written; empty means acceptable. Protection, transactionID and nonces of
 * the message it came in are checked before, by the authority's client.
 */
export async function acceptanceFailures(der: Uint8Array, context: AcceptanceContext): Promise<AcceptanceFailure[]> {
  let certificate: Certificate;
  try {
    certificate = parseCertificate(der);
  } catch (error) {
    if (error instanceof CertificateError || error instanceof DerError) return ['notACertificate'];
    throw error;
  }
  const failures: AcceptanceFailure[] = [];
  for (const [code, passes] of Object.entries(checks) as [AcceptanceFailure, Check][])
    if (!(await passes(certificate, context))) failures.push(code);
  return failures;
}

type Check = (certificate: Certificate, context: AcceptanceContext) => boolean | Promise<boolean>;

const checks: Record<Exclude<AcceptanceFailure, 'notACertificate'>, Check> = {
  otherPublicKey: (certificate, { newPublicKey }) => bytesEqual(certificate.spki, newPublicKey),

  // The string type may change (BMPString, UTF8String …); values and their order may not.
  otherSubject: (certificate, { oldCertificate }) => namesEqual(certificate.subject, oldCertificate.subject),

  otherTaxpayerNumber: (certificate, { oldCertificate, trust }) =>
    taxpayerNumber(certificate, trust) === taxpayerNumber(oldCertificate, trust),

  weakerKey: (certificate, { oldCertificate, policy }) => {
    const bits = securityBits(certificate.spki);
    return bits >= policy.minSecurityBits && bits >= Math.min(securityBits(oldCertificate.spki), 128);
  },

  notLonger: (certificate, { purpose, oldCertificate }) =>
    purpose === 'renewal'
      ? certificate.notAfter > oldCertificate.notAfter
      : certificate.notAfter >= oldCertificate.notAfter,

  alreadyExpired: (certificate, { now }) => certificate.notAfter > now,

  notYetValid: (certificate, { now }) => certificate.notBefore.getTime() <= now.getTime() + skewMs,

  livesTooLong: (certificate, { policy }) =>
    certificate.notAfter.getTime() - certificate.notBefore.getTime() <= policy.maxLifeDays * dayMs,

  cannotSign: (certificate) => certificate.keyUsage?.has('digitalSignature') ?? false,

  isAuthority: (certificate) => !certificate.isCa,

  notChained: async (certificate, { chain, trust, now }) => {
    const intermediates = [...trust.intermediates, ...chain];
    return (await verifyChain({ leaf: certificate.der, intermediates, anchors: trust.anchors, at: now })).ok;
  },
};
