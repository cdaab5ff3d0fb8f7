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
  /** The name it had, where the container goes by another since its certificate, and the name with it, is gone. */
  readonly name?: string;
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
 * Whether a certificate may be put into a container: it is of the key pair there; or nothing is told of that, and it will
 * have to prove it before anything is written.
 */
export const mayHold = (container: Container, certificate: Uint8Array): boolean =>
  container.untold ? readsAsCertificate(certificate) : fitsInto(container, certificate);

interface Known {
  readonly container: ContainerRef;
  readonly certificate: Uint8Array;
}

/**
 * What the journal can put back. A record that is not finished is left to the procedure, which goes on with it, as is one
 * whose key pairs are changing places. A PIV key's slot has forgotten its name with the certificate, so that its key pair
 * alone says which one was there; only where nothing is told of it the place does, and the key pair proves it before
 * anything is written.
 */
export function restorableFromJournal(
  { containers, commandSet }: Pick<KeyContents, 'containers' | 'commandSet'>,
  records: readonly JournalRecord[],
): readonly Restorable[] {
  const known = records
    .filter(({ stage, promotion }) => (stage === 'done' || stage === 'ended') && promotion !== 'chosen')
    .flatMap(({ stage, oldContainer, oldCertificate, newContainer, newCertificate, retirement }): Known[] => [
      ...(stage === 'done' && newCertificate ? [{ container: newContainer, certificate: newCertificate }] : []),
      ...(retirement === undefined ? [{ container: oldContainer, certificate: oldCertificate }] : []),
    ]);
  const isOf = (container: Container, { container: ref, certificate }: Known): boolean =>
    mayHold(container, certificate) &&
    (sameContainer(ref, container.ref) || (commandSet === 'piv' && container.untold !== true));
  return containers.flatMap((container) => {
    const match = known.find((one) => isOf(container, one));
    if (!match) return [];
    const { container: recorded, certificate } = match;
    return [{ container: container.ref, certificate, source: 'journal', name: recorded.container } as const];
  });
}
