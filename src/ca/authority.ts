import type { EnvelopedKey } from '../pki/enveloped-key.ts';

/** PKIFailureInfo bits by name, in bit order (RFC 9810 §5.2.3). */
export const failInfoNames = [
  'badAlg',
  'badMessageCheck',
  'badRequest',
  'badTime',
  'badCertId',
  'badDataFormat',
  'wrongAuthority',
  'incorrectData',
  'missingTimeStamp',
  'badPOP',
  'certRevoked',
  'certConfirmed',
  'wrongIntegrity',
  'badRecipientNonce',
  'timeNotAvailable',
  'unacceptedPolicy',
  'unacceptedExtension',
  'addInfoNotAvailable',
  'badSenderNonce',
  'badCertTemplate',
  'signerNotTrusted',
  'transactionIdInUse',
  'unsupportedVersion',
  'notAuthorized',
  'systemUnavail',
  'systemFailure',
  'duplicateCertReq',
] as const;
export type FailInfo = (typeof failInfoNames)[number];

/** What went wrong between us and the authority. */
export type CaErrorCode =
  /** No answer came: offline, DNS, connection cut. The request may or may not have arrived. */
  | 'unreachable'
  /** No answer in the time we allow. The request may have arrived. */
  | 'timeout'
  /** The server is busy or broken: HTTP says so (5xx, 429), or the authority, authentically. The request may have been taken. */
  | 'unavailable'
  /** An answer that is not what the protocol allows. Never trusted. */
  | 'malformed'
  /** An answer without protection, or whose protection does not verify or does not chain to a pinned anchor. */
  | 'notTrusted'
  /** An authentic answer to something else: transactionID, nonce or request id differ. */
  | 'mismatch'
  /** The authority, authentically, said no; see `meaningOf` in refusal.ts. */
  | 'rejected'
  /** The caller's signal was aborted. */
  | 'cancelled';

/** The authority's answer, or its absence, as a typed error. `text` is the authority's own and is never shown as ours. */
export class CaError extends Error {
  override readonly name = 'CaError';
  readonly code: CaErrorCode;
  readonly failInfo: readonly FailInfo[];
  readonly text: readonly string[];
  /** Seconds the server asked us to wait, from Retry-After. */
  readonly retryAfterSeconds: number | undefined;
  constructor(
    code: CaErrorCode,
    message: string,
    details: {
      readonly failInfo?: readonly FailInfo[];
      readonly text?: readonly string[];
      readonly retryAfterSeconds?: number | undefined;
    } = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.failInfo = details.failInfo ?? [];
    this.text = details.text ?? [];
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** The old certificate with the means to sign under it: what a request is protected with. */
export interface Credential {
  /** DER. */
  readonly certificate: Uint8Array;
  /** Signs a message; the signature as a certificate carries it (see `UsbKey.sign`). */
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
}

/** The new signing key, as far as a request needs it. */
export interface NewKey {
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** Signs a message with it; the signature as a certificate carries it (see `UsbKey.sign`). */
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
}

/** What a request for the encryption certificate is about: the new signing key, which the authority certified before. */
export interface CertifiedKey {
  /** Of the transaction that certified it, 16 bytes. */
  readonly transactionId: Uint8Array;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** DER. */
  readonly signingCertificate: Uint8Array;
}

/** An encryption key pair made by the authority, with its certificate. Neither is accepted yet. */
export interface EncryptionDelivery {
  /** DER. */
  readonly certificate: Uint8Array;
  /** Wrapped for the new signing key. */
  readonly envelope: EnvelopedKey;
}

/** An authentic answer. `reply` is the authority's whole message: it goes into the journal and back into later calls. */
export type EnrolmentAnswer =
  | {
      readonly kind: 'issued';
      /** DER, not yet accepted: `renewal/acceptance.ts` decides. */
      readonly certificate: Uint8Array;
      /** Further certificates the authority sent, in its order, untrusted. */
      readonly chain: readonly Uint8Array[];
      readonly reply: Uint8Array;
      /** Unconfirmed until then, the authority takes it back. */
      readonly confirmBy?: Date;
      /**
       * In answer to a request for the encryption certificate, which then is `certificate`. Absent there, the authority sent
       * no key pair, or none that could be imported: its certificate is to be refused.
       */
      readonly encryption?: EncryptionDelivery;
    }
  | { readonly kind: 'waiting'; readonly checkAfterSeconds: number; readonly reply: Uint8Array };

/** What the authority knows of a transaction. */
export type EnrolmentState =
  | EnrolmentAnswer
  /** It never got the request: the same bytes may be sent (again). */
  | { readonly kind: 'unknown' }
  /** Issued and confirmed: `reply` is the message that issued it. */
  | {
      readonly kind: 'confirmed';
      readonly certificate: Uint8Array;
      readonly reply: Uint8Array;
      readonly encryption?: EncryptionDelivery;
    }
  /** Issued, never confirmed, taken back; or ended by a rejection. A new transaction is needed. */
  | { readonly kind: 'withdrawn' };

/**
 * The port to a certification authority. It keeps no state of its own: everything needed to go on after a crash is in
 * the bytes of the request and of the last reply (transactionID and nonces included), which the journal keeps. All methods throw `CaError`.
 */
export interface CertificateAuthority {
  readonly protocol: 'cmp' | 'rest-enrolment';
  /** Whether the encryption certificate is confirmed by a message of its own; otherwise with the signing certificate. */
  readonly confirmsEncryption: boolean;
  /**
   * The request for a certificate, complete and signed, under the old certificate's subject; to be journaled before it is
   * first sent. The new key signs before the old one.
   * @param transactionId 16 bytes
   */
  prepareRequest(transactionId: Uint8Array, newKey: NewKey, credential: Credential): Promise<Uint8Array>;
  /**
   * The request for an encryption certificate and its key pair, made by the authority and wrapped for the new signing
   * key; to be journaled before it is first sent. It is sent, polled for and looked up like any request.
   * @param transactionId its own, 16 bytes
   */
  prepareEncryptionRequest(transactionId: Uint8Array, of: CertifiedKey, credential: Credential): Promise<Uint8Array>;
  /** Sends the request's bytes and checks the answer's authenticity. */
  submit(request: Uint8Array, signal?: AbortSignal): Promise<EnrolmentAnswer>;
  /** Asks again after `waiting`. Signs with the credential. */
  poll(lastReply: Uint8Array, credential: Credential, signal?: AbortSignal): Promise<EnrolmentAnswer>;
  /**
   * The confirmation (or refusal) of an issued certificate, complete and signed; to be journaled before it is sent.
   * @param reply the message that issued the certificate
   */
  prepareConfirmation(reply: Uint8Array, accepted: boolean, credential: Credential): Promise<Uint8Array>;
  /** Sends the confirmation's bytes; returns once the authority has, authentically, acknowledged. Repeating it is harmless. */
  confirm(confirmation: Uint8Array, signal?: AbortSignal): Promise<void>;
  /**
   * What became of a transaction whose answer was lost, authentically. Changes nothing at the authority.
   * @param id the transactionId, 16 bytes; where that is not known, SHA-256 of the new key's DER SubjectPublicKeyInfo, 32 bytes
   */
  lookUp(id: Uint8Array, signal?: AbortSignal): Promise<EnrolmentState>;
}
