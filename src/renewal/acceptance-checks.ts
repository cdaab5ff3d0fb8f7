import type { Policy } from '../service/config.ts';
import { securityBits } from '../pki/algorithms.ts';
import { bytesEqual } from '../pki/bytes.ts';
import { CertificateError, extensionOids, parseCertificate, type Certificate } from '../pki/certificate.ts';
import { verifyChain } from '../pki/chain.ts';
import { assertDer, DerError, isNull, parseDer, readOid, readSequence } from '../pki/der.ts';
import { hasUnknownCritical } from '../pki/extensions.ts';
import { isAcceptedSignatureAlgorithm } from '../pki/signature.ts';
import { taxpayerNumber, taxpayerNumbers, type Trust } from './trust.ts';

/* What every certificate from an authority has to pass, whatever it is for; the lists of checks put them together. */

/** Without which no check can be made. */
export type UnreadableFailure =
  /** Not one value of DER, longer than 64 KiB, or nested deeper than 32. */
  | 'notDer'
  /** Its signature algorithm has parameters, where none or NULL are allowed. */
  | 'algorithmParameters'
  /** Not what RFC 5280 §4 allows, or for a kind of key that is not known here. */
  | 'notACertificate';

/** What checks of either list know. */
export interface CheckContext {
  /** The certificate being replaced. */
  readonly oldCertificate: Certificate;
  /** Further certificates the authority sent: untrusted, for path building only. */
  readonly chain: readonly Uint8Array[];
  readonly trust: Trust;
  readonly policy: Policy;
  /** Server time. */
  readonly now: Date;
}

/** Whether a certificate passes. */
export type Check<Context> = (certificate: Certificate, context: Context) => boolean | Promise<boolean>;

/** Clocks of client, server and authority may differ this much. */
const skewMs = 5 * 60_000;
const dayMs = 86_400_000;
/** RFC 5280 §4.1.2.2: at most 20 octets. */
const maxSerialNumberBytes = 20;

/** Codes of the checks a certificate does not pass, in the order of the list. */
export async function failuresOf<Code extends string, Context>(
  der: Uint8Array,
  checks: Readonly<Record<Code, Check<Context>>>,
  context: Context,
): Promise<(Code | UnreadableFailure)[]> {
  const certificate = readable(der);
  if (typeof certificate === 'string') return [certificate];
  const failures: Code[] = [];
  for (const code of Object.keys(checks) as Code[]) {
    if (!(await checks[code](certificate, context))) failures.push(code);
  }
  return failures;
}

function readable(der: Uint8Array): Certificate | UnreadableFailure {
  try {
    assertDer(der);
  } catch (error) {
    if (error instanceof DerError) return 'notDer';
    throw error;
  }
  try {
    return hasAlgorithmParameters(der) ? 'algorithmParameters' : parseCertificate(der);
  } catch (error) {
    if (error instanceof CertificateError || error instanceof DerError) return 'notACertificate';
    throw error;
  }
}

/** Whether a signature algorithm that is accepted here has parameters other than NULL. @throws DerError */
function hasAlgorithmParameters(der: Uint8Array): boolean {
  const [, algorithm] = readSequence(parseDer(der), 3, 3);
  const [name, parameters] = readSequence(algorithm, 1, 2);
  return parameters !== undefined && !isNull(parameters) && isAcceptedSignatureAlgorithm(readOid(name));
}

/** The holder's number, wherever a subject says it, is the one that the old certificate says; there may be no other. */
export const hasTaxpayerNumberOf = (certificate: Certificate, before: Certificate, trust: Trust): boolean => {
  const expected = taxpayerNumbers(before, trust);
  if (expected.size === 0) return true;
  const named = taxpayerNumbers(certificate, trust);
  return (
    taxpayerNumber(certificate, trust) === taxpayerNumber(before, trust) && [...named].every((it) => expected.has(it))
  );
};

/** RSA of 2048 bits is 112, P-256 and SM2 are 128: at least the policy's floor and, up to 128, the old certificate's. */
export const isStrongEnough: Check<CheckContext> = ({ spki }, { oldCertificate, policy }) => {
  const bits = securityBits(spki);
  return bits >= policy.minSecurityBits && bits >= Math.min(securityBits(oldCertificate.spki), 128);
};

/** No MD5, no SHA-1, nothing unknown. */
export const isSignedWell: Check<unknown> = ({ signatureAlgorithm }) =>
  isAcceptedSignatureAlgorithm(signatureAlgorithm);

/** Positive and of 20 octets at most (RFC 5280 §4.1.2.2). */
export const hasSaneSerialNumber: Check<unknown> = ({ serialNumber }) =>
  serialNumber.length <= 2 * maxSerialNumberBytes &&
  parseInt(serialNumber.slice(0, 2), 16) < 0x80 &&
  /[^0]/.test(serialNumber);

/** What one authority has numbered is one certificate (RFC 5280 §4.1.2.2). */
export const isAnotherThan = (certificate: Certificate, { issuer, serialNumber }: Certificate): boolean =>
  certificate.serialNumber !== serialNumber || !bytesEqual(certificate.issuer.der, issuer.der);

export const endsLater: Check<CheckContext> = ({ notAfter }, { now }) => notAfter > now;

export const hasBegun: Check<CheckContext> = ({ notBefore }, { now }) => notBefore.getTime() <= now.getTime() + skewMs;

export const livesAsAllowed: Check<CheckContext> = ({ notBefore, notAfter }, { policy }) => {
  const life = notAfter.getTime() - notBefore.getTime();
  return life > 0 && life <= policy.maxLifeDays * dayMs;
};

/** Neither by BasicConstraints nor by what its key may sign. */
export const isHolders: Check<unknown> = ({ isCa, pathLength, keyUsage }) =>
  !isCa && pathLength === undefined && !keyUsage?.has('keyCertSign') && !keyUsage?.has('cRLSign');

const understoodExtensions: ReadonlySet<string> = new Set(Object.values(extensionOids));

export const isUnderstood: Check<unknown> = ({ extensions }) => !hasUnknownCritical(extensions, understoodExtensions);

/** A path to a pinned anchor. */
export const isChained: Check<CheckContext> = (certificate, context) =>
  hasPathTo(context.trust.anchors, certificate, context);

/** A path to an authority whose certificates are to be upgraded. */
export const isFromOldIssuer: Check<CheckContext> = (certificate, context) =>
  hasPathTo(context.trust.oldIssuers, certificate, context);

/**
 * Looks for a path at a moment of the certificate's own life, which has checks of its own: one from a clock a little
 * ahead is not without a path.
 */
async function hasPathTo(
  anchors: readonly Uint8Array[],
  { der, notBefore, notAfter }: Certificate,
  { chain, trust, now }: CheckContext,
): Promise<boolean> {
  if (anchors.length === 0) return false;
  const at = new Date(Math.min(Math.max(now.getTime(), notBefore.getTime()), notAfter.getTime()));
  return (await verifyChain({ leaf: der, intermediates: [...trust.intermediates, ...chain], anchors, at })).ok;
}
