/** What the authority allows, and how it behaves where CMP leaves a choice. Tests turn the knobs; the demo runs on the defaults. */
export interface Policy {
  /** Renewal is open from this many days before the old certificate's end. */
  readonly windowDays: number;
  /** Certificates of the old authority from before this moment are upgraded. */
  readonly upgradeCutoff: string;
  readonly acceptsExpiredSigner: boolean;
  /** How long after its end a certificate may still sign a request; null: for ever. */
  readonly maxExpiredDays: number | null;
  /** Bits of security a new key must have (NIST SP 800-57 part 1, table 2): RSA-2048 112, P-256 and SM2 128. */
  readonly minSecurityBits: number;
  /** Longest life of a certificate in days. */
  readonly maxLifeDays: number;
  /** Issued, and not confirmed within this time: withdrawn. */
  readonly confirmWaitSeconds: number;
  /** A request sent again: the same answer, or a refusal with `transactionIdInUse`. */
  readonly onRepeat: 'sameAnswer' | 'transactionIdInUse';
  /** When the replaced certificate is revoked. */
  readonly revokeOld: 'never' | 'onConfirm' | 'onIssue';
  /** Whether encryption certificates are given: to nobody, to whom has one under the old subject, to all with SM2. */
  readonly encryptionCertificate: 'none' | 'ifOldHas' | 'always';
  /** A holder who has to wait is answered this many polls with "waiting", this many seconds apart. */
  readonly waitingPolls: number;
  readonly checkAfterSeconds: number;
  /** How far a message's time may lie from ours. */
  readonly maxSkewSeconds: number;
}

export const defaultPolicy: Policy = {
  windowDays: 60,
  upgradeCutoff: '2018-09-18T00:00:00+08:00',
  acceptsExpiredSigner: true,
  maxExpiredDays: null,
  minSecurityBits: 112,
  maxLifeDays: 1830,
  confirmWaitSeconds: 3600,
  onRepeat: 'sameAnswer',
  revokeOld: 'never',
  encryptionCertificate: 'ifOldHas',
  waitingPolls: 2,
  checkAfterSeconds: 1,
  maxSkewSeconds: 24 * 60 * 60,
};

/** The part of the policy that holders' software is told: `GET /api/policy`. */
export function publicPolicy(policy: Policy): Record<string, unknown> {
  return {
    windowDays: policy.windowDays,
    upgradeCutoff: policy.upgradeCutoff,
    maxExpiredDays: policy.maxExpiredDays,
    acceptsExpiredSigner: policy.acceptsExpiredSigner,
    enrolment: 'open',
    retransmission: policy.onRepeat === 'sameAnswer' ? 'idempotent' : 'never',
    upgradePlan: { newKey: true, algorithm: 'sm2' },
    renewalAlgorithm: 'sameAsOld',
    minSecurityBits: policy.minSecurityBits,
    maxLifeDays: policy.maxLifeDays,
    encryptionCertificate: policy.encryptionCertificate,
  };
}
