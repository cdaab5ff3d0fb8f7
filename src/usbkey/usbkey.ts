import type { EnvelopedKey } from '../pki/enveloped-key.ts';

/** The key pairs this site asks a key for. */
export type KeyPairAlgorithm = 'sm2' | 'p256' | 'rsa2048';

/** Which of a container's two key pairs (GM/T 0016 §5: a container holds a signing and an encryption key pair). */
export type KeyUsage = 'signing' | 'encryption';

/** A key as its maker describes it (GM/T 0017 GetDevInfo). */
export interface KeyInfo {
  readonly manufacturer: string;
  readonly issuer: string;
  readonly label: string;
  readonly serialNumber: string;
  readonly hardwareVersion: string;
  readonly firmwareVersion: string;
  /** What the key can generate and sign with. */
  readonly algorithms: readonly KeyPairAlgorithm[];
  /** Room for containers in the application with the certificates; undefined where the key does not say. */
  readonly maxContainers: number | undefined;
}

/**
 * Where a container is. Both names are the key's own and compare exactly. On a PIV key the application is `PIV` and every
 * slot is a container: its name is the one its certificate object carries in MSCUID, where that is a name of this site
 * (`R` and 32 hex digits), else the slot's key reference in upper-case hex: `9A`, `82`.
 */
export interface ContainerRef {
  readonly application: string;
  readonly container: string;
}

/** One of a container's key pairs, as far as it can be read. */
export interface StoredKeyPair {
  /** DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). */
  readonly publicKey: Uint8Array;
  /** DER certificate exactly as stored; undefined when none is there. May be torn: parse before trusting. */
  readonly certificate: Uint8Array | undefined;
  /** The key wants the password again before each signature of this key pair (SP 800-73-4 part 1, “PIN Always”: slot 9C). */
  readonly passwordForEverySignature?: boolean;
}

export interface Container {
  readonly ref: ContainerRef;
  readonly signing: StoredKeyPair | undefined;
  readonly encryption: StoredKeyPair | undefined;
  /** Of a PIV key: the slot's key reference in upper-case hex, whatever the container's name is. */
  readonly slot?: string;
  /** There may be a key pair, of which neither the key nor what is stored with it tells anything. */
  readonly untold?: true;
}

/** The password's counter. Undefined where the key does not tell. */
export interface PasswordTries {
  readonly remaining: number | undefined;
  readonly maximum: number | undefined;
}

/**
 * How a PIV key's management key came to be used: it was kept on the key behind the password, it was the one that keys
 * are delivered with (anybody can write to such a key: the person is warned), or the person gave it.
 */
export type ManagementKeyOrigin = 'protected' | 'default' | 'asked';

/**
 * A key as a person means it: what is on it, and what it can do. GM/T 0017 keys and PIV keys are two implementations;
 * the renewal procedure does not know which it holds. Every method may throw `TransportError` (nothing known of what
 * the key did) or `KeyError` (the key answered and refused).
 */
export interface UsbKey {
  readonly commandSet: 'gmt0017' | 'piv';
  /** Aborted once the device is gone. */
  readonly gone: AbortSignal;
  readInfo(): Promise<KeyInfo>;
  /** The applications there are, empty ones too; without it, those that hold containers are all that is known. */
  listApplications?(): Promise<readonly string[]>;
  /** All containers of all applications, in the key's order. */
  listContainers(): Promise<readonly ContainerRef[]>;
  /** Public keys and certificates of one container; needs no password. */
  readContainer(ref: ContainerRef): Promise<Container>;
  /** The counter of the user's password; costs no try. */
  readPasswordTries(application: string): Promise<PasswordTries>;
  /**
   * Logs in with the user's password. The bytes are neither kept nor changed: the caller clears them.
   * Sends VERIFY at most once; after a lost reply the outcome is read from the counter, never by sending again.
   * @throws PasswordError `wrong`, `locked`, or `unknown` when the outcome cannot be read
   */
  verifyPassword(application: string, password: Uint8Array): Promise<void>;
  /** Makes an empty container. @throws KeyError `containerExists`, `noRoom` */
  createContainer(ref: ContainerRef): Promise<void>;
  /**
   * Generates a signing key pair inside the container and returns its DER SubjectPublicKeyInfo.
   * Destroys a signing key that the container already holds: the caller only names new containers.
   */
  generateSigningKeyPair(ref: ContainerRef, algorithm: KeyPairAlgorithm): Promise<Uint8Array>;
  /**
   * Signs a message with the container's signing key: hash, and for SM2 Z with the default id, are taken here.
   * @returns the signature as a certificate carries it: DER ECDSA-Sig-Value / SM2 signature, or PKCS #1 v1.5
   */
  sign(ref: ContainerRef, message: Uint8Array): Promise<Uint8Array>;
  /**
   * Signs a message that the key itself hashes, for SM2 with the default id: only where the command set has that, and
   * only to try out whether the key does it right.
   * @returns as `sign`
   */
  signRaw?(ref: ContainerRef, message: Uint8Array): Promise<Uint8Array>;
  /** Writes a certificate. The key deletes an old certificate of the same usage first: the caller only names new containers. */
  importCertificate(ref: ContainerRef, usage: KeyUsage, certificate: Uint8Array): Promise<void>;
  /**
   * Puts an encryption key pair, wrapped for the container's signing key, into the container and reads its public key
   * back. One that the container already holds is destroyed: the caller only names new containers. Whether the private key
   * is intact no key tells: that the public key is the certificate's is for the caller to compare.
   * @returns DER SubjectPublicKeyInfo, as the key shows it afterwards
   * @throws KeyError `refused` for an envelope that the key does not open, `unsupported` for one it cannot be given
   */
  readonly importEncryptionKeyPair?: ((ref: ContainerRef, envelope: EnvelopedKey) => Promise<Uint8Array>) | undefined;
  /**
   * Writes a certificate back into a slot that has none, or a damaged one, and whose key pair it belongs to: the key pair
   * proves that first, by a signature, which needs the password. What else is stored with it stays. Only where slots forget
   * their names with their certificates; elsewhere `importCertificate` does it.
   * @param container a name of this site that the slot had, to be given to it again unless it still has one
   * @returns where the certificate is now
   * @throws KeyError `noKeyPair` for a slot with another key pair, or none; `refused` for one with a certificate
   */
  readonly restoreCertificate?: (
    ref: ContainerRef,
    certificate: Uint8Array,
    container: string | undefined,
  ) => Promise<ContainerRef>;
  /** Removes a container with all it holds. */
  deleteContainer(ref: ContainerRef): Promise<void>;
  /**
   * Gives the key its management key, which a PIV key wants before it writes; needed after `managementKeyNeeded`. The
   * bytes are neither kept nor changed: the caller clears them. It counts until `logOut` or `close`.
   * @param key 16, 24 or 32 bytes
   * @throws PasswordError `wrong`: no counter goes down, `remaining` is undefined
   */
  useManagementKey?(key: Uint8Array): Promise<void>;
  /** The management key the last writing was allowed by; undefined before, and where there is no such thing. */
  readonly managementKey?: ManagementKeyOrigin | undefined;
  /**
   * Puts a new key pair with its certificate where other programs look for it, and the former one into another free
   * container; nothing is deleted. Interrupted anywhere, both are on the key and listed, and the same call finishes it.
   * @param fresh the container of the new certificate, with a name of this site
   * @param former the container it replaces: a PIV key's 9A or 9C
   * @returns where the two are now
   * @throws KeyError `noRoom` when there is no second free container, and nothing was moved; `unsupported` on a key that
   *   cannot move keys
   */
  readonly promote?: ((fresh: ContainerRef, former: ContainerRef) => Promise<Promoted>) | undefined;
  /** Logs the user out of every application opened so far (GM/T 0017 ClearSecureState). */
  logOut(): Promise<void>;
  /** Logs out as far as possible and releases the device. Never throws. */
  close(): Promise<void>;
}

/** Where `promote` has put the two containers. */
export interface Promoted {
  readonly fresh: ContainerRef;
  readonly former: ContainerRef;
}

/** What a key's refusal means. The status word stays with it for the report. */
export type KeyErrorCode =
  | 'notLoggedIn'
  | 'noRoom'
  | 'containerExists'
  | 'notFound'
  | 'noKeyPair'
  | 'noCertificate'
  | 'writeFailed'
  | 'keyGenerationFailed'
  | 'signFailed'
  /** The key writes only after its management key, which is neither on it nor the one it was delivered with. */
  | 'managementKeyNeeded'
  | 'unsupported'
  /** The answer contradicts the command set: wrong length, impossible value. */
  | 'malformed'
  | 'refused';

/** The key answered, and refused or contradicted itself. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
  readonly code: KeyErrorCode;
  /** SW1 SW2 as one number, when a status word was the answer. */
  readonly statusWord: number | undefined;
  constructor(code: KeyErrorCode, message: string, statusWord?: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.statusWord = statusWord;
  }
}

/** The outcome of a password that did not log in. Carries no part of the password. */
export class PasswordError extends Error {
  override readonly name = 'PasswordError';
  readonly code: 'wrong' | 'locked' | 'unknown';
  /** Tries left, read from the key's counter; undefined when it could not be read. */
  readonly remaining: number | undefined;
  constructor(code: PasswordError['code'], remaining: number | undefined, options?: ErrorOptions) {
    super(`password ${code}`, options);
    this.code = code;
    this.remaining = remaining;
  }
}
