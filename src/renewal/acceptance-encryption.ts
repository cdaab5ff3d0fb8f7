import type { EncryptionDelivery } from '../ca/authority.ts';
import { sm2Spki } from '../pki/algorithms.ts';
import { bytesEqual } from '../pki/bytes.ts';
import type { Certificate } from '../pki/certificate.ts';
import { namesEqual } from '../pki/name.ts';
import type { AcceptanceFailure } from './acceptance.ts';
import {
  endsLater,
  failuresOf,
  hasBegun,
  hasSaneSerialNumber,
  hasTaxpayerNumberOf,
  isAnotherThan,
  isChained,
  isHolders,
  isSignedWell,
  isStrongEnough,
  isUnderstood,
  livesAsAllowed,
  type Check,
  type CheckContext,
  type UnreadableFailure,
} from './acceptance-checks.ts';

/** What a delivered encryption certificate must pass before its key pair is imported; one code a check. */
export type EncryptionAcceptanceFailure =
  | UnreadableFailure
  /** Not for the key pair in the envelope. */
  | 'otherPublicKey'
  /** For the new signing key or the old one: a key pair that somebody else keeps must never sign. */
  | 'sameAsSigningKey'
  | 'otherSubject'
  | 'otherTaxpayerNumber'
  | 'weakerKey'
  | 'weakSignature'
  /** The number of the new signing certificate, or of the old certificate. */
  | 'sameCertificate'
  | 'badSerialNumber'
  | 'alreadyExpired'
  | 'notYetValid'
  | 'livesTooLong'
  | 'cannotEncrypt'
  | 'canSign'
  | 'isAuthority'
  | 'unknownExtension'
  | 'notChained';

/** Why a certificate of either kind is not put on a key. */
export type AnyAcceptanceFailure = AcceptanceFailure | EncryptionAcceptanceFailure;

export interface EncryptionAcceptanceContext extends CheckContext {
  /** The new one, already accepted. */
  readonly signingCertificate: Certificate;
}

/**
 * Every reason why a delivered encryption certificate and its key pair must not be put on a key; empty means acceptable.
 * Nothing here can tell whether the private key in the envelope is the right one: the import and the comparison of the
 * public keys on the USBKEY do.
 */
export async function encryptionAcceptanceFailures(
  { certificate, envelope }: EncryptionDelivery,
  context: EncryptionAcceptanceContext,
): Promise<EncryptionAcceptanceFailure[]> {
  return failuresOf(certificate, checks, { ...context, deliveredKey: sm2Spki(envelope.publicKey) });
}

interface Context extends EncryptionAcceptanceContext {
  /** DER SubjectPublicKeyInfo. */
  readonly deliveredKey: Uint8Array;
}

const checks: Readonly<Record<Exclude<EncryptionAcceptanceFailure, UnreadableFailure>, Check<Context>>> = {
  otherPublicKey: ({ spki }, { deliveredKey }) => bytesEqual(spki, deliveredKey),

  sameAsSigningKey: ({ spki }, { signingCertificate, oldCertificate }) =>
    !bytesEqual(spki, signingCertificate.spki) && !bytesEqual(spki, oldCertificate.spki),

  otherSubject: ({ subject }, { signingCertificate }) => namesEqual(subject, signingCertificate.subject),

  otherTaxpayerNumber: (certificate, { signingCertificate, oldCertificate, trust }) =>
    hasTaxpayerNumberOf(certificate, signingCertificate, trust) &&
    hasTaxpayerNumberOf(certificate, oldCertificate, trust),

  weakerKey: isStrongEnough,

  weakSignature: isSignedWell,

  sameCertificate: (certificate, { signingCertificate, oldCertificate }) =>
    isAnotherThan(certificate, signingCertificate) && isAnotherThan(certificate, oldCertificate),

  badSerialNumber: hasSaneSerialNumber,

  alreadyExpired: endsLater,

  notYetValid: hasBegun,

  livesTooLong: livesAsAllowed,

  cannotEncrypt: ({ keyUsage }) =>
    ['keyEncipherment', 'dataEncipherment', 'keyAgreement'].some((usage) => keyUsage?.has(usage)),

  // Without the extension a key may do everything.
  canSign: ({ keyUsage }) =>
    keyUsage !== undefined && !keyUsage.has('digitalSignature') && !keyUsage.has('nonRepudiation'),

  isAuthority: isHolders,

  unknownExtension: isUnderstood,

  notChained: isChained,
};
