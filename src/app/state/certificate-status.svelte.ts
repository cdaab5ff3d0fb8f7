import { untrack } from 'svelte';
import type { CertificateStatus, StatusUnknown } from '../../ca/status.ts';
import { toHex } from '../../pki/bytes.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { verifyChain } from '../../pki/chain.ts';
import { clock } from '../../service/clock.ts';
import type { Reading } from './key-reading.ts';

/** What is known of a certificate at its authority. */
export type KnownStatus =
  | Exclude<CertificateStatus, { status: 'unknown' }>
  | {
      readonly status: 'unknown';
      /** `noIssuer`: no path to a pinned anchor that holds today, so nobody's word would count. */
      readonly because: StatusUnknown | 'noIssuer';
    };

/** For each of two questions. Nobody waits for the answer. */
const timeoutMs = 15_000;
/** A good answer is asked for again with a reading after this time. */
const goodForMs = 10 * 60_000;

interface Entry {
  readonly known: KnownStatus;
  readonly askedAt: number;
}

/** What the authority has said about certificates since this page was opened. */
class CertificateStatuses {
  /** By the certificate's DER in hexadecimal. */
  #entries = $state.raw<ReadonlyMap<string, Entry>>(new Map());
  readonly #asking = new Set<string>();

  /** Undefined until there is an answer, or no prospect of one. */
  of(certificate: Certificate): KnownStatus | undefined {
    return this.#entries.get(toHex(certificate.der))?.known;
  }

  isRevoked(certificate: Certificate): boolean {
    return this.of(certificate)?.status === 'revoked';
  }

  /**
   * Asks about a certificate unless the answer is known. Never rejects.
   * @returns whether it has become known by this that the certificate is revoked
   */
  async ask(certificate: Certificate, reading: Pick<Reading, 'config' | 'trust'>): Promise<boolean> {
    const name = toHex(certificate.der);
    // Called from an effect, which must not run again because of the answer.
    if (this.#asking.has(name) || untrack(() => this.#isFresh(name))) return false;
    this.#asking.add(name);
    const known = await statusOf(certificate, reading);
    this.#asking.delete(name);
    this.#entries = new Map([...this.#entries, [name, { known, askedAt: performance.now() }]]);
    return known.status === 'revoked';
  }

  #isFresh(name: string): boolean {
    const entry = this.#entries.get(name);
    if (!entry || entry.known.status === 'unknown') return false;
    return entry.known.status === 'revoked' || performance.now() - entry.askedAt < goodForMs;
  }
}

async function statusOf(
  certificate: Certificate,
  { config, trust }: Pick<Reading, 'config' | 'trust'>,
): Promise<KnownStatus> {
  const { anchors, intermediates } = trust;
  const chain = await verifyChain({
    leaf: certificate.der,
    intermediates,
    anchors,
    at: clock.now(),
    allowExpiredLeaf: true,
  });
  const issuer = chain.ok ? chain.path[1] : undefined;
  if (!issuer) return { status: 'unknown', because: 'noIssuer' };
  // Not needed for anything else: it comes once a key has been read. Without a network it may not come.
  const module = await import('../../ca/status.ts').catch(() => undefined);
  if (!module) return { status: 'unknown', because: 'unreachable' };
  const now = (): Date => clock.now();
  return module.certificateStatus(certificate, issuer, { api: config.api, fetch: clock.fetch, now, timeoutMs });
}

export const certificateStatuses = new CertificateStatuses();
