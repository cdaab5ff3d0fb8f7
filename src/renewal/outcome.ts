import { TransportError, type TransportErrorCode } from '../apdu/channel.ts';
import { CaError, type FailInfo } from '../ca/authority.ts';
import { StorageError } from '../storage/errors.ts';
import { KeyError, PasswordError, type KeyErrorCode, type ManagementKeyOrigin } from '../usbkey/usbkey.ts';
import type { AnyAcceptanceFailure } from './acceptance-encryption.ts';
import type { Purpose } from './journal.ts';

/** The named steps a person sees, in order. */
export const steps = ['password', 'newKey', 'request', 'write', 'check', 'encryption', 'finish'] as const;
export type Step = (typeof steps)[number];

/** Why what the authority sent does not get, or stay, on the key. */
export type Unacceptable =
  | AnyAcceptanceFailure
  /** It sent no encryption key pair with the encryption certificate, or none that could be imported. */
  | 'noKeyPair'
  /** The key does not open the envelope around the encryption key pair. */
  | 'notOpened'
  /** What the key then holds is another encryption key pair than the certificate's. */
  | 'otherKeyPair';

/** Why a procedure stopped before its end; the words for each live in `app/messages`. */
export type StopReason =
  /** The person gave up at the password. */
  | 'cancelled'
  /** The person has left it for later while the authority takes its time; see `comeBackAt`. */
  | 'paused'
  /** The password is locked: only a centre can unlock it. */
  | 'locked'
  /** A password was sent and neither its outcome nor the counter could be read. */
  | 'passwordUnknown'
  /** The key was unplugged. */
  | 'unplugged'
  /** The key did not answer as its protocol says; see `transport`. */
  | 'deviceTrouble'
  /** The key refused a command; see `keyError`. */
  | 'keyRefused'
  /** No free container on the key. */
  | 'noRoom'
  /** The key cannot make the kind of key pair the policy asks for. */
  | 'unsupportedAlgorithm'
  /** There is no certificate to renew on the key. */
  | 'noCertificate'
  /** The authority takes no requests today. */
  | 'closed'
  /** Online service is being introduced, and this key is not among the first. */
  | 'notRolledOut'
  /** The authority is known to have taken back the only certificate there is to renew. */
  | 'certificateRevoked'
  /** The operator lets nothing be written to keys of this model, or with this firmware, for now. */
  | 'modelStopped'
  /** The key writes only after its management key, which was not given, or not the right one. */
  | 'managementKeyNeeded'
  /** The certificate has expired for longer than the policy allows. */
  | 'expiredTooLong'
  /** The authority could not be reached, or is busy. */
  | 'caUnreachable'
  /** An answer came that cannot be trusted. */
  | 'caUntrusted'
  /** The authority said no; see `failInfo`. */
  | 'caRejected'
  /** The authority still wants time, more than anybody should sit and wait; see `comeBackAt`. */
  | 'caWaits'
  /** The key cannot take the encryption key pair that every holder is to have. */
  | 'encryptionUnsupported'
  /** The encryption certificate has been asked for too often in one transaction. */
  | 'encryptionGivenUp'
  /** The authority's certificate is not acceptable; see `acceptance`. */
  | 'notAcceptable'
  /** The authority has taken its certificate back; starting again makes a new one. */
  | 'withdrawn'
  /** What the journal speaks of is not on the key any more. */
  | 'goneFromKey'
  /** The key reads back something else than was written, or the new key's signature does not verify. */
  | 'checkFailed'
  /** The browser cannot keep the journal, so nothing is begun. */
  | 'storageFailed'
  /** A defect of this software. */
  | 'unexpected';

export interface Success {
  readonly kind: 'success';
  readonly purpose: Purpose;
  readonly transactionId: string;
  /** DER. */
  readonly oldCertificate: Uint8Array;
  /** DER. */
  readonly newCertificate: Uint8Array;
  /** DER of the encryption certificate beside it. No key tells whether it decrypts; its public key has been compared. */
  readonly encryptionCertificate?: Uint8Array;
  /** The management key that this run's writing was allowed by, on a key that has one. */
  readonly managementKey?: ManagementKeyOrigin;
}

export interface Stopped {
  readonly kind: 'stopped';
  readonly reason: StopReason;
  /** The step that was under way. */
  readonly step: Step;
  /** A transaction is in the journal, or named by the key, and running again goes on with it. */
  readonly resumable: boolean;
  readonly transactionId: string | undefined;
  /** Tries left, where the password was the reason. */
  readonly remaining?: number | undefined;
  readonly transport?: TransportErrorCode;
  readonly keyError?: KeyErrorCode;
  readonly statusWord?: number | undefined;
  readonly failInfo?: readonly FailInfo[];
  /** Of the encryption certificate, where that is the step. */
  readonly acceptance?: readonly Unacceptable[];
  readonly retryAfterSeconds?: number | undefined;
  /** When the authority is to be asked again; milliseconds since 1970. */
  readonly comeBackAt?: number;
  /** A certificate is issued and not confirmed: by then it has to be, or the authority takes it back. */
  readonly confirmBy?: number;
  /** For the console of a developer; never shown. */
  readonly cause?: unknown;
}

export type Outcome = Success | Stopped;

/** What `explain` adds to a reason. */
export type Explanation = Omit<Stopped, 'kind' | 'step' | 'resumable' | 'transactionId' | 'confirmBy'>;

/** Ends a run from inside with a reason. */
export class Stop extends Error {
  override readonly name = 'Stop';
  readonly explanation: Explanation;
  constructor(explanation: Explanation) {
    super(explanation.reason);
    this.explanation = explanation;
  }
}

/** Any error as a reason for a person. */
export function explain(error: unknown): Explanation {
  if (error instanceof Stop) return error.explanation;
  if (error instanceof TransportError) {
    if (error.code === 'disconnected') return { reason: 'unplugged', transport: error.code };
    if (error.code === 'cancelled') return { reason: 'cancelled', transport: error.code };
    return { reason: 'deviceTrouble', transport: error.code, cause: error };
  }
  if (error instanceof PasswordError) {
    const reason = error.code === 'locked' ? 'locked' : 'passwordUnknown';
    return { reason, remaining: error.remaining };
  }
  if (error instanceof KeyError) {
    const { code } = error;
    const reason = code === 'noRoom' || code === 'managementKeyNeeded' ? code : 'keyRefused';
    return { reason, keyError: error.code, statusWord: error.statusWord, cause: error };
  }
  if (error instanceof CaError) {
    const details = { failInfo: error.failInfo, retryAfterSeconds: error.retryAfterSeconds, cause: error };
    switch (error.code) {
      case 'unreachable':
      case 'timeout':
      case 'unavailable':
        return { reason: 'caUnreachable', ...details };
      case 'malformed':
      case 'notTrusted':
      case 'mismatch':
        return { reason: 'caUntrusted', ...details };
      case 'rejected':
        return { reason: 'caRejected', ...details };
      case 'cancelled':
        return { reason: 'cancelled' };
    }
  }
  if (error instanceof StorageError) return { reason: 'storageFailed', cause: error };
  return { reason: 'unexpected', cause: error };
}
