import { bytesEqual } from '../pki/bytes.ts';
import { CertificateError, parseCertificate, type Certificate } from '../pki/certificate.ts';
import { verifyChain } from '../pki/chain.ts';
import { DerError } from '../pki/der.ts';
import type { Container, ContainerRef, KeyInfo, PasswordTries, UsbKey } from '../usbkey/usbkey.ts';
import type { Trust } from './trust.ts';

/** Which authority a certificate comes from. */
export type IssuerGeneration =
  /** A pinned authority whose certificates are to be upgraded. */
  | 'old'
  /** A pinned authority of today. */
  | 'new'
  /** A pinned authority, and the configuration does not say which is old: the date decides. */
  | 'unknown'
  /** No pinned authority: not a key of this service. */
  | 'foreign';

/** A container with a readable signing certificate. */
export interface CertificateOnKey {
  readonly container: Container;
  readonly certificate: Certificate;
  readonly encryptionCertificate: Certificate | undefined;
  readonly generation: IssuerGeneration;
  /** The certificate's public key is the container's. */
  readonly keyMatches: boolean;
}

export interface KeyContents {
  readonly commandSet: UsbKey['commandSet'];
  /** The key can put a new key pair where other programs look for it. */
  readonly canPromote: boolean;
  readonly info: KeyInfo;
  readonly containers: readonly Container[];
  readonly certificates: readonly CertificateOnKey[];
  /** The certificate that counts; see `chooseActive`. */
  readonly active: CertificateOnKey | undefined;
  /** The application that holds the active certificate, else the first; undefined on a key without any. */
  readonly application: string | undefined;
  /** Password tries of that application. */
  readonly tries: PasswordTries | undefined;
}

/**
 * Reads everything on a key that can be read without the password.
 * @throws TransportError, KeyError
 */
export async function readKeyContents(key: UsbKey, trust: Trust, now: Date): Promise<KeyContents> {
  const info = await key.readInfo();
  const refs = await key.listContainers();
  const containers: Container[] = [];
  for (const ref of refs) containers.push(await key.readContainer(ref));
  const certificates = await certificatesOf(containers, trust);
  const active = chooseActive(certificates, now);
  const application = active?.container.ref.application ?? refs[0]?.application;
  const tries = application === undefined ? undefined : await key.readPasswordTries(application);
  const canPromote = key.promote !== undefined;
  const { commandSet } = key;
  return { commandSet, canPromote, info, containers, certificates, active, application, tries };
}

async function certificatesOf(containers: readonly Container[], trust: Trust): Promise<CertificateOnKey[]> {
  const found: CertificateOnKey[] = [];
  for (const container of containers) {
    const certificate = parseIfSound(container.signing?.certificate);
    if (!container.signing || !certificate) continue;
    found.push({
      container,
      certificate,
      encryptionCertificate: parseIfSound(container.encryption?.certificate),
      generation: await generationOf(certificate, trust),
      keyMatches: bytesEqual(certificate.spki, container.signing.publicKey),
    });
  }
  return found;
}

/** A certificate from a key, or undefined where the key holds none or a torn one. */
function parseIfSound(der: Uint8Array | undefined): Certificate | undefined {
  if (!der) return undefined;
  try {
    return parseCertificate(der);
  } catch (error) {
    if (error instanceof CertificateError || error instanceof DerError) return undefined;
    throw error;
  }
}

/**
 * From which authority: judged at the time of issue, since an old authority may have ended meanwhile. Old certificates
 * may be signed with SHA-1; that says whose they are, so that they can be upgraded, and nothing is trusted for it.
 */
export async function generationOf(certificate: Certificate, trust: Trust): Promise<IssuerGeneration> {
  const request = { leaf: certificate.der, intermediates: trust.intermediates, at: certificate.notBefore };
  const isOld = (): ReturnType<typeof verifyChain> =>
    verifyChain({ ...request, anchors: trust.oldIssuers, acceptSha1For: 'identification' });
  if (trust.oldIssuers.length > 0 && (await isOld()).ok) return 'old';
  if (!(await verifyChain({ ...request, anchors: trust.anchors })).ok) return 'foreign';
  return trust.oldIssuers.length > 0 ? 'new' : 'unknown';
}

/**
 * The active certificate is computed, never stored: among those of a pinned authority whose key matches, the newest
 * notBefore that has not expired; when all have, the newest. `except` names containers known to hold a certificate
 * that does not count (withdrawn, or not confirmed yet).
 */
export function chooseActive(
  certificates: readonly CertificateOnKey[],
  now: Date,
  except: readonly ContainerRef[] = [],
): CertificateOnKey | undefined {
  const candidates = certificates.filter(
    ({ generation, keyMatches, container }) =>
      generation !== 'foreign' && keyMatches && !except.some((ref) => sameContainer(ref, container.ref)),
  );
  const newest = (list: readonly CertificateOnKey[]): CertificateOnKey | undefined =>
    list.reduce<CertificateOnKey | undefined>(
      (best, next) => (!best || next.certificate.notBefore > best.certificate.notBefore ? next : best),
      undefined,
    );
  return newest(candidates.filter(({ certificate }) => certificate.notAfter >= now)) ?? newest(candidates);
}

export const sameContainer = (a: ContainerRef, b: ContainerRef): boolean =>
  a.application === b.application && a.container === b.container;
