import type { ContainerRef, ManagementKeyOrigin } from '../usbkey/usbkey.ts';
import type { UsualSlot } from './usual-slot.ts';

/** The two procedures that write to a key. */
export type Purpose = 'renewal' | 'upgrade';

/**
 * How far a transaction has come. A stage is written *before* the step it names has an effect that matters, so that what
 * stands in the journal is never behind what the key or the authority may have done.
 */
export type Stage =
  /** About to make the new container and its key pair. */
  | 'generate'
  /** The request's bytes are in the journal; they may or may not have been sent. */
  | 'request'
  /** An authentic certificate is in the journal and passed acceptance; it may or may not be on the key. */
  | 'write'
  /** Written, read back, and the new key has signed; the encryption certificate is on its way, see `encryption`. */
  | 'encryption'
  /** All is on the key and has been looked at; the confirmation's bytes are in the journal. */
  | 'confirm'
  /** The authority refused for good or the certificate was not acceptable: kept for the hot-line, not resumed. */
  | 'ended'
  /** Confirmed by the authority. */
  | 'done';

export type EndReason =
  /** The authority refused, authentically. */
  | 'rejected'
  /** The authority's certificate did not pass acceptance and was refused by us. */
  | 'notAcceptable'
  /** The authority took its certificate back. */
  | 'withdrawn'
  /** What the record speaks of is no longer on the key. */
  | 'goneFromKey';

/** How far the encryption certificate of a transaction has come. Written, as `Stage`, before what it names has an effect. */
export type EncryptionStage =
  /** The request's bytes are in the journal, or were in another one; they may or may not have been sent. */
  | 'request'
  /** An authentic certificate passed acceptance; its key pair and itself may or may not be on the key. */
  | 'import'
  /** On the key, and the public keys are the same; the confirmation's bytes are in the journal. */
  | 'confirm'
  /** Refused by the authority or by us, or withdrawn: it is asked for again, under the next transactionID. */
  | 'ended'
  /** Confirmed, where the authority wants that apart from the signing certificate. */
  | 'done';

export interface EncryptionRecord {
  readonly stage: EncryptionStage;
  /** Which of the transactionIDs for it: 0 is the first (`encryptionTransactionId`). */
  readonly attempt: number;
  /** The signed request, byte for byte as first sent. */
  readonly request?: Uint8Array;
  /** The authority's last message about it. */
  readonly reply?: Uint8Array;
  /** DER of the accepted certificate. */
  readonly certificate?: Uint8Array;
  /** DER SM2EnvelopedKey: its key pair, for the new signing key alone. */
  readonly envelope?: Uint8Array;
  /** The signed confirmation, byte for byte. */
  readonly confirmation?: Uint8Array;
}

export interface JournalRecord {
  /** 32 lower-case hex digits: CMP's transactionID, also in the new container's name. */
  readonly transactionId: string;
  readonly purpose: Purpose;
  readonly stage: Stage;
  /** The key's serial number: a record is only ever worked on with that key. */
  readonly keySerialNumber: string;
  readonly oldContainer: ContainerRef;
  /** DER of the certificate being replaced. */
  readonly oldCertificate: Uint8Array;
  readonly newContainer: ContainerRef;
  /** DER SubjectPublicKeyInfo of the new key, once generated. */
  readonly newPublicKey?: Uint8Array;
  /** The signed request, byte for byte as first sent. */
  readonly request?: Uint8Array;
  /** The authority's last message. */
  readonly reply?: Uint8Array;
  /** DER of the accepted certificate. */
  readonly newCertificate?: Uint8Array;
  /** Unconfirmed until then, the authority takes it back; milliseconds since 1970. */
  readonly confirmBy?: number;
  /** The encryption certificate beside it, where there is to be one. */
  readonly encryption?: EncryptionRecord;
  /** The signed confirmation, byte for byte. */
  readonly confirmation?: Uint8Array;
  /** Why the transaction ended without a new certificate. */
  readonly endedBecause?: EndReason;
  /** The person gave up the old container: chosen, and perhaps deleted already; or found deleted. */
  readonly retirement?: 'chosen' | 'done';
  /**
   * The person wants the new key pair where other programs look for it, and the former one elsewhere: chosen, and
   * perhaps begun; or done, and the two containers are named as they are now.
   */
  readonly promotion?: 'chosen' | 'done';
  /** The slot the new key pair is on its way to: half-way, the old container's name stands for another one already. */
  readonly promotionSlot?: UsualSlot;
  /** The management key that the writing was allowed by, on a key that has one. */
  readonly managementKey?: ManagementKeyOrigin;
  /** Milliseconds since 1970, by the clock of the procedure. */
  readonly startedAt: number;
  readonly updatedAt: number;
}

/** The port to what outlives a crash. `put` returns only once the record is durable. */
export interface Journal {
  put(record: JournalRecord): Promise<void>;
  get(transactionId: string): Promise<JournalRecord | undefined>;
  /** All records of one key, newest first. */
  ofKey(keySerialNumber: string): Promise<readonly JournalRecord[]>;
  remove(transactionId: string): Promise<void>;
}
