import { parseCertificate } from '../../src/pki/certificate.ts';
import type { Bytes } from '../../src/pki/bytes.ts';
import { decide, type Grant } from './admission.ts';
import { issuedIn } from './answers.ts';
import type { Sender } from './authentication.ts';
import type { Faults } from './faults.ts';
import type { Authority, AuthorityName, Hierarchy } from './hierarchy.ts';
import { issueCertificate } from './issue.ts';
import { fingerprint, type Ledger, type RevocationReason, type Transaction } from './ledger.ts';
import type { Policy } from './policy.ts';

/** What is to be issued. */
export interface Granted {
  readonly grant: Grant;
  /** Of an encryption certificate. */
  readonly signingTransaction: string | undefined;
}

/**
 * What is the same whichever way a certificate is asked for. One message at a time, so that what one is decided on is
 * still true when its entry is in the ledger.
 */
export class Issuance {
  readonly hierarchy: Hierarchy;
  readonly ledger: Ledger;
  readonly policy: Policy;
  readonly now: () => Date;
  readonly #faults: Faults | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(parts: {
    readonly hierarchy: Hierarchy;
    readonly ledger: Ledger;
    readonly policy: Policy;
    readonly now: () => Date;
    /** What goes wrong with what is issued; nothing without. */
    readonly faults?: Faults;
  }) {
    this.hierarchy = parts.hierarchy;
    this.ledger = parts.ledger;
    this.policy = parts.policy;
    this.now = parts.now;
    this.#faults = parts.faults;
  }

  /** Does something after all that was begun before, once what was not confirmed in time is withdrawn. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#oneAtATime(async () => {
      await this.#withdrawOverdue();
      return work();
    });
  }

  /** Withdraws what was not confirmed in time: what is said about certificates after this is true now. */
  settle(): Promise<void> {
    return this.#oneAtATime(() => this.#withdrawOverdue());
  }

  /** Takes a certificate back. @throws RangeError for one that is not in the ledger */
  revoke(certificate: Uint8Array, reason: RevocationReason): Promise<void> {
    return this.#oneAtATime(async () => {
      const registered = this.ledger.certificate(certificate);
      if (!registered) throw new RangeError('no certificate of ours');
      // A revocation stands as it was first entered.
      if (registered.status === 'revoked') return;
      await this.ledger.append({ type: 'revoked', certificate: fingerprint(certificate), reason });
    });
  }

  /** Resolves once everything begun is in the ledger. */
  async idle(): Promise<void> {
    await this.#queue;
  }

  #oneAtATime<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #withdrawOverdue(): Promise<void> {
    for (const { transactionId } of this.ledger.overdue(this.now())) {
      await this.ledger.append({ type: 'withdrawn', transactionId, reason: 'notConfirmed' });
    }
    await this.withdrawOrphans();
  }

  /* The following are parts of what is done in turn. */

  /** An encryption certificate does not outlive the signing certificate it was given beside. */
  async withdrawOrphans(): Promise<void> {
    for (const { transactionId } of this.ledger.orphaned()) {
      await this.ledger.append({ type: 'withdrawn', transactionId, reason: 'signingCertificateWithdrawn' });
    }
  }

  /** @throws Refusal `notAuthorized` */
  grantSigning({ certificate, registered }: Pick<Sender, 'certificate' | 'registered'>): Granted {
    return { grant: decide(registered, certificate, this.policy, this.now()), signingTransaction: undefined };
  }

  /** An encryption certificate lives as long as the signing certificate beside it, and under the same authority. */
  grantEncryption(signing: Transaction): Granted {
    const { notBefore, notAfter } = parseCertificate(issuedIn(signing));
    return { grant: { authority: 'sm2', notBefore, notAfter }, signingTransaction: signing.transactionId };
  }

  /** @param subject DER Name; @param spki DER SubjectPublicKeyInfo; @returns DER */
  async certify(
    { grant, signingTransaction }: Granted,
    { subject, spki }: { readonly subject: Uint8Array; readonly spki: Uint8Array },
  ): Promise<Bytes> {
    const { issuing } = this.hierarchy[grant.authority];
    const profile = signingTransaction === undefined ? 'signing' : 'encryption';
    const certificate = await issueCertificate({
      profile,
      subject,
      spki,
      issuer: { name: issuing.subject, key: issuing.key },
      notBefore: grant.notBefore,
      notAfter: grant.notAfter,
    });
    return this.#faults ? this.#faults.issued(certificate, profile) : certificate;
  }

  /** Until when what is issued now is to be confirmed: milliseconds since 1970. */
  confirmBy(): number {
    return this.now().getTime() + this.policy.confirmWaitSeconds * 1000;
  }

  /**
   * Whether the old certificate goes with the entry that a signing certificate was issued, or confirmed. It is one entry
   * for both, so that no crash comes between them.
   * @param old its fingerprint
   */
  supersedes(when: 'onIssue' | 'onConfirm', old: string): { readonly supersedesOld?: true } {
    const goes = this.policy.revokeOld === when && this.ledger.certificateByFingerprint(old)?.status === 'valid';
    return goes ? { supersedesOld: true } : {};
  }

  /** Which authority answers the holder of a certificate of this one. */
  answering(name: AuthorityName | undefined): Authority {
    return this.hierarchy[name === 'p256' || name === 'rsa' ? name : 'sm2'];
  }
}
