import { bytesEqual } from '../pki/bytes.ts';
import { namesEqual } from '../pki/name.ts';
import {
  endsLater,
  failuresOf,
  hasBegun,
  hasSaneSerialNumber,
  hasTaxpayerNumberOf,
  isAnotherThan,
  isChained,
  isFromOldIssuer,
  isHolders,
  isSignedWell,
  isStrongEnough,
  isUnderstood,
  livesAsAllowed,
  type Check,
  type CheckContext,
  type UnreadableFailure,
} from './acceptance-checks.ts';
import { mayBecome } from './acceptance-subject.ts';
import type { Purpose } from './journal.ts';
import { generationOf } from './key-contents.ts';
import { defaultExtendedKeyUsage } from './trust.ts';

/** What an authority's certificate must pass before it is written to a key; one code a check. */
export type AcceptanceFailure =
  | UnreadableFailure
  /** Not for the key pair on the USBKEY, byte for byte. */
  | 'otherPublicKey'
  /** Another subject than before, beyond what `SubjectRules` allow. */
  | 'otherSubject'
  | 'otherTaxpayerNumber'
  /** Weaker than the old certificate's key, or than the policy's floor. */
  | 'weakerKey'
  /** Signed with MD5, SHA-1 or what is not known here. */
  | 'weakSignature'
  /** The number of the certificate it is to replace. */
  | 'sameCertificate'
  | 'badSerialNumber'
  /** A renewal not later than the old one; an upgrade earlier, where the policy's plan does not say so. */
  | 'notLonger'
  | 'alreadyExpired'
  | 'notYetValid'
  | 'livesTooLong'
  | 'cannotSign'
  /** For purposes named, and none of those the operator expects. */
  | 'otherPurpose'
  | 'isAuthority'
  /** A critical extension that is not understood here. */
  | 'unknownExtension'
  | 'notChained'
  /** From an authority whose certificates are to be upgraded. */
  | 'oldIssuer';

export interface AcceptanceContext extends CheckContext {
  readonly purpose: Purpose;
  /** DER SubjectPublicKeyInfo of the key pair on the USBKEY. */
  readonly newPublicKey: Uint8Array;
}

/**
 * Every reason why a certificate must not be written; empty means acceptable. Protection, transactionID and nonces of
 * the message it came in are checked before, by the authority's client.
 */
export function acceptanceFailures(der: Uint8Array, context: AcceptanceContext): Promise<AcceptanceFailure[]> {
  return failuresOf(der, checks, context);
}

const checks: Readonly<Record<Exclude<AcceptanceFailure, UnreadableFailure>, Check<AcceptanceContext>>> = {
  otherPublicKey: ({ spki }, { newPublicKey }) => bytesEqual(spki, newPublicKey),

  otherSubject: ({ subject }, { purpose, oldCertificate: { subject: before }, trust: { subjectRules } }) =>
    purpose === 'upgrade' && subjectRules ? mayBecome(before, subject, subjectRules) : namesEqual(before, subject),

  otherTaxpayerNumber: (certificate, { oldCertificate, trust }) =>
    hasTaxpayerNumberOf(certificate, oldCertificate, trust),

  weakerKey: isStrongEnough,

  weakSignature: isSignedWell,

  sameCertificate: (certificate, { oldCertificate }) => isAnotherThan(certificate, oldCertificate),

  badSerialNumber: hasSaneSerialNumber,

  notLonger: ({ notAfter }, { purpose, oldCertificate, policy }) =>
    purpose === 'renewal'
      ? notAfter > oldCertificate.notAfter
      : notAfter >= oldCertificate.notAfter || policy.upgradePlan.mayEndEarlier === true,

  alreadyExpired: endsLater,

  notYetValid: hasBegun,

  livesTooLong: livesAsAllowed,

  cannotSign: ({ keyUsage }) => keyUsage?.has('digitalSignature') ?? false,

  otherPurpose: ({ extendedKeyUsage }, { trust: { extendedKeyUsage: expected = defaultExtendedKeyUsage } }) =>
    !extendedKeyUsage || expected.some((purpose) => extendedKeyUsage.has(purpose)),

  isAuthority: isHolders,

  unknownExtension: isUnderstood,

  notChained: isChained,

  oldIssuer: async (certificate, context) =>
    !(await isFromOldIssuer(certificate, context)) ||
    (context.purpose === 'renewal' && (await generationOf(context.oldCertificate, context.trust)) === 'old'),
};
