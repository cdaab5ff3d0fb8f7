import { bytesEqual } from '../pki/bytes.ts';
import { CertificateError, parseCertificate } from '../pki/certificate.ts';
import { DerError } from '../pki/der.ts';
import type { JournalRecord } from '../renewal/journal.ts';
import { sameContainer, type KeyContents } from '../renewal/key-contents.ts';
import type { Container, ContainerRef } from '../usbkey/usbkey.ts';

/** A certificate that is missing beside its key pair and known from elsewhere. */
export interface Restorable {
  readonly container: ContainerRef;
  /** DER. */
  readonly certificate: Uint8Array;
  readonly source: 'journal' | 'authority';
}

/** Whether bytes are a certificate. What a key holds may be torn. */
export function readsAsCertificate(der: Uint8Array): boolean {
  return publicKeyIn(der) !== undefined;
}

/** DER SubjectPublicKeyInfo of a certificate; undefined for what is none. */
function publicKeyIn(der: Uint8Array): Uint8Array | undefined {
  try {
    return parseCertificate(der).spki;
  } catch (error) {
    if (error instanceof CertificateError || error instanceof DerError) return undefined;
    throw error;
  }
}

/** A signing key pair that has no certificate beside it, or a torn one. */
export const lacksCertificate = ({ signing }: Container): boolean =>
  signing !== undefined && (signing.certificate === undefined || !readsAsCertificate(signing.certificate));

/** Whether a certificate is of the very key pair that lacks one. */
export function fitsInto(container: Container, certificate: Uint8Array): boolean {
  const spki = publicKeyIn(certificate);
  return (
    lacksCertificate(container) &&
    spki !== undefined &&
    container.signing !== undefined &&
    bytesEqual(container.signing.publicKey, spki)
  );
}

/**
 * What the journal can put back. A record that is not finished is left to the procedure, which goes on with it; and a PIV
 * key's slot has forgotten its name with the certificate.
 */
export function restorableFromJournal(
  { containers, commandSet }: Pick<KeyContents, 'containers' | 'commandSet'>,
  records: readonly JournalRecord[],
): readonly Restorable[] {
  if (commandSet === 'piv') return [];
  const known = records
    .filter(({ stage }) => stage === 'done' || stage === 'ended')
    .flatMap(({ stage, oldContainer, oldCertificate, newContainer, newCertificate, retirement }) => [
      ...(stage === 'done' && newCertificate ? [{ container: newContainer, certificate: newCertificate }] : []),
      ...(retirement === undefined ? [{ container: oldContainer, certificate: oldCertificate }] : []),
    ]);
  return containers.flatMap((container) => {
    const match = known.find(
      (one) => sameContainer(one.container, container.ref) && fitsInto(container, one.certificate),
    );
    return match ? [{ ...match, source: 'journal' } as const] : [];
  });
}
