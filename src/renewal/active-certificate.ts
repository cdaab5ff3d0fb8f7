import type { Certificate } from '../pki/certificate.ts';
import type { ContainerRef } from '../usbkey/usbkey.ts';
import { chooseActive, type CertificateOnKey } from './key-contents.ts';

/** The certificate that counts, and whether the authority is known to have taken it back. */
export interface ActiveCertificate {
  readonly active: CertificateOnKey | undefined;
  readonly isRevoked: boolean;
}

/**
 * Chooses the active certificate among those that are not known to be revoked: what a page shows, and what a run replaces.
 * Where all are, the one that would count is named all the same: its holder has to hear of it.
 * @param except containers that hold what does not count for other reasons
 */
export function activeUnlessRevoked(
  certificates: readonly CertificateOnKey[],
  now: Date,
  except: readonly ContainerRef[],
  isRevoked: (certificate: Certificate) => boolean,
): ActiveCertificate {
  const revoked = certificates
    .filter(({ certificate }) => isRevoked(certificate))
    .map(({ container }) => container.ref);
  const active = chooseActive(certificates, now, [...except, ...revoked]);
  if (active) return { active, isRevoked: false };
  const instead = chooseActive(certificates, now, except);
  return { active: instead, isRevoked: instead !== undefined };
}
