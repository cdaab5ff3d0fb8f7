import { createHash } from 'node:crypto';
import { mkdir, open, readFile, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { failInfoNames, type FailInfo } from '../../src/ca/authority.ts';
import { fromBase64, toBase64, type Bytes } from '../../src/pki/bytes.ts';
import { authorityNames, type AuthorityName } from './hierarchy.ts';
import { requestKinds, type RequestKind } from './request.ts';

/** How a certificate is asked for in rest-enrolment. */
export const restKinds = ['pkcs10', 'cfca', 'encryption'] as const;
export type RestKind = (typeof restKinds)[number];
export type TransactionKind = RequestKind | RestKind;

/** SHA-256 as 64 lower-case hex digits: how the ledger names certificates, public keys and messages. */
export const fingerprint = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What the authority's staff decided about a holder. */
export interface HolderFlags {
  /** Requests are refused. */
  readonly refuses: boolean;
  /** Requests wait for a decision before they are granted. */
  readonly waits: boolean;
}

const bytes = v.pipe(
  v.string(),
  v.base64(),
  v.transform((text): Bytes => fromBase64(text)),
);
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u));
const hex = v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{2})+$/u));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** A message of a transaction and what was answered to it. */
const exchange = v.object({
  /** Fingerprint of the whole message. */
  request: digest,
  /** Its nonce, and ours where the protocol has one. */
  senderNonce: hex,
  nonce: v.optional(hex),
  reply: bytes,
});

/** Why a certificate is taken back, as revocation lists name it (RFC 5280 §5.3.1). */
export const revocationReasons = ['unspecified', 'keyCompromise', 'superseded', 'cessationOfOperation'] as const;
export type RevocationReason = (typeof revocationReasons)[number];

const at = { at: v.pipe(v.string(), v.isoTimestamp()) };
const transactionId = { transactionId: hex };
/** With this the old certificate is revoked: the new one has taken its place. */
const supersedesOld = v.optional(v.boolean());
/** What is asked for, and by whom. */
const request = {
  oldCertificate: digest,
  /** Absent: a p10cr. */
  kind: v.optional(v.picklist([...requestKinds, ...restKinds])),
  /** PKCS #10 or CFCA's request, CertReqMessages of kur and cr, the document that asks for an encryption certificate. */
  csr: bytes,
  /** Of the SubjectPublicKeyInfo; absent where the key pair is made here and not made yet. */
  publicKey: v.optional(digest),
  /** Of one for an encryption certificate: the transaction that certified the holder's signing key. */
  signingTransaction: v.optional(hex),
};
const entrySchema = v.variant('type', [
  /** A certificate that reached its holder on a personalised key. */
  v.object({
    ...at,
    type: v.literal('registered'),
    certificate: bytes,
    usage: v.picklist(['signing', 'encryption']),
    authority: v.picklist(authorityNames),
    refuses: v.boolean(),
    waits: v.boolean(),
  }),
  /** A request was taken; a decision is pending. */
  v.object({
    ...at,
    ...transactionId,
    type: v.literal('waiting'),
    ...request,
    exchange,
  }),
  /** Without an exchange: asked by somebody who did not sign, as rest-enrolment has it. */
  v.object({ ...at, ...transactionId, type: v.literal('polled'), exchange: v.optional(exchange) }),
  v.object({
    ...at,
    ...transactionId,
    type: v.literal('issued'),
    ...request,
    certificate: bytes,
    /** The private key of a key pair made here, for the holder alone: DER EncryptedKey, DER SM2EnvelopedKey or CFCA's text. */
    encryptedKey: v.optional(bytes),
    /** d of that key pair, where it may have to be delivered again: the authority keeps it, as CFCA does. */
    escrowedPrivateKey: v.optional(bytes),
    authority: v.picklist(authorityNames),
    /** Milliseconds since 1970; absent where the transaction it belongs to is confirmed already. */
    confirmBy: v.optional(count),
    supersedesOld,
    /** Absent: it had waited, and somebody who did not sign asked for it. */
    exchange: v.optional(exchange),
  }),
  /** The request was answered again: the same certificate in a new message. */
  v.object({ ...at, ...transactionId, type: v.literal('repeated'), exchange }),
  v.object({ ...at, ...transactionId, type: v.literal('confirmed'), supersedesOld, exchange }),
  v.object({
    ...at,
    ...transactionId,
    type: v.literal('withdrawn'),
    /** `deliveryRefused`: the key pair is not wanted as it was delivered, and its certificate stands. */
    reason: v.picklist(['notConfirmed', 'rejectedByHolder', 'signingCertificateWithdrawn', 'deliveryRefused']),
    exchange: v.optional(exchange),
  }),
  v.object({
    ...at,
    type: v.literal('refused'),
    transactionId: v.optional(hex),
    failInfo: v.array(v.picklist(failInfoNames)),
    text: v.string(),
    /** Present: an authentic request was refused for good, and this transaction has ended. */
    ended: v.optional(v.object({ ...request, exchange: v.optional(exchange) })),
  }),
  v.object({
    ...at,
    type: v.literal('revoked'),
    certificate: digest,
    /** The transaction that replaced it: there it may still sign. */
    supersededBy: v.optional(hex),
    /** Absent: superseded where another replaced it, otherwise not said. */
    reason: v.optional(v.picklist(revocationReasons)),
  }),
]);
export type LedgerEntry = v.InferOutput<typeof entrySchema>;
export type Exchange = v.InferOutput<typeof exchange>;
type Without<Entry, Key extends PropertyKey> = Entry extends unknown ? Omit<Entry, Key> : never;

export interface RegisteredCertificate {
  readonly certificate: Bytes;
  readonly usage: 'signing' | 'encryption';
  readonly authority: AuthorityName;
  readonly holder: HolderFlags;
  /** The transaction that issued it. */
  readonly transactionId: string | undefined;
  readonly status: 'valid' | 'unconfirmed' | 'revoked';
  /** The transaction that replaced a revoked one. */
  readonly supersededBy?: string | undefined;
  /** Of revoked ones. */
  readonly revocation?: { readonly at: Date; readonly reason: RevocationReason };
}

export type TransactionStatus = 'waiting' | 'issued' | 'confirmed' | 'withdrawn' | 'refused';

/** An answer given, and how the transaction stood after it. */
export interface Reply {
  readonly message: Bytes;
  readonly status: TransactionStatus;
}

export interface Transaction {
  readonly transactionId: string;
  readonly kind: TransactionKind;
  /** Fingerprints of the certificate the request was protected with and of the SubjectPublicKeyInfo to be certified. */
  readonly oldCertificate: string;
  /** Undefined where the key pair is made here and not made yet. */
  readonly publicKey: string | undefined;
  /** Of one for an encryption certificate: the transaction that certified the holder's signing key. */
  readonly signingTransaction: string | undefined;
  /** As in the ledger's entry: `csr`. */
  readonly request: Bytes;
  readonly status: TransactionStatus;
  /** Why it was refused. */
  readonly refusal: { readonly failInfo: readonly FailInfo[]; readonly text: string } | undefined;
  /** Polls answered with "waiting". */
  readonly polls: number;
  readonly certificate: Bytes | undefined;
  /** The wrapped private key that goes with it. */
  readonly encryptedKey: Bytes | undefined;
  /** d of the key pair made here. */
  readonly escrowedPrivateKey: Bytes | undefined;
  /** Milliseconds since 1970; only of issued ones. */
  readonly confirmBy: number | undefined;
  /** The last message that answered the request itself: waiting, issued or refused. */
  readonly answer: Bytes;
  /** Every answer given, by the fingerprint of the message it answered. */
  readonly replies: ReadonlyMap<string, Reply>;
  /** Hex of the nonces we sent in this transaction. */
  readonly nonces: ReadonlySet<string>;
}

/** A transaction that was begun in CMP. */
export type CmpTransaction = Transaction & { readonly kind: RequestKind };
export const isOfCmp = (transaction: Transaction): transaction is CmpTransaction =>
  requestKinds.some((kind) => kind === transaction.kind);

/** A transaction that was begun in rest-enrolment. */
export type RestTransaction = Transaction & { readonly kind: RestKind };
export const isOfRest = (transaction: Transaction): transaction is RestTransaction => !isOfCmp(transaction);

const isForEncryption = (kind: TransactionKind | undefined): boolean => kind === 'cr' || kind === 'encryption';

/** The ledger's file is damaged before its end: nothing may be issued on top of it. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
}

function serialize(entry: LedgerEntry): string {
  return JSON.stringify(entry, (_key, value: unknown) => (value instanceof Uint8Array ? toBase64(value) : value));
}

/**
 * Everything the authority did, in order, one JSON object to a line; what it knows is derived from that alone. An entry
 * is on the disk before anything it speaks of leaves the house.
 */
export class Ledger {
  /** Undefined: kept in memory only. */
  readonly file: string | undefined;
  /** Bytes of a last line without its line feed, which a crash left and opening cut off; 0 after an orderly end. */
  readonly cutOffBytes: number;
  readonly #handle: FileHandle | undefined;
  readonly #now: () => Date;
  readonly #certificates = new Map<string, RegisteredCertificate>();
  readonly #transactions = new Map<string, Transaction>();
  readonly #byPublicKey = new Map<string, Transaction>();
  readonly #senderNonces = new Set<string>();
  #entries = 0;

  private constructor(file: string | undefined, handle: FileHandle | undefined, now: () => Date, cutOffBytes = 0) {
    this.file = file;
    this.cutOffBytes = cutOffBytes;
    this.#handle = handle;
    this.#now = now;
  }

  static inMemory(now: () => Date = () => new Date()): Ledger {
    return new Ledger(undefined, undefined, now);
  }

  /**
   * Opens a data directory's ledger and reads all of it.
   * A last line without its line feed was never acted upon, and is cut off.
   * @throws LedgerError
   */
  static async open(directory: string, now: () => Date = () => new Date()): Promise<Ledger> {
    await mkdir(directory, { recursive: true });
    const file = path.join(directory, 'ledger.jsonl');
    const handle = await open(file, 'a+', 0o600);
    try {
      const stored = await readFile(file);
      const end = stored.lastIndexOf(0x0a) + 1;
      if (end < stored.length) await handle.truncate(end);
      const ledger = new Ledger(file, handle, now, stored.length - end);
      const lines = stored.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
      for (const [index, line] of lines.entries()) ledger.#apply(readLine(line, `${file}:${index + 1}`));
      return ledger;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Number of entries. */
  get length(): number {
    return this.#entries;
  }

  /** Writes an entry; it counts once this resolves. */
  async append(entry: Without<LedgerEntry, 'at'>): Promise<void> {
    const dated: LedgerEntry = { ...entry, at: this.#now().toISOString() };
    if (this.#handle) {
      await this.#handle.appendFile(`${serialize(dated)}\n`);
      await this.#handle.datasync();
    }
    this.#apply(dated);
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }

  certificate(der: Uint8Array): RegisteredCertificate | undefined {
    return this.#certificates.get(fingerprint(der));
  }

  /** All of an authority's, in the order of their entries. */
  certificatesOf(authority: AuthorityName): readonly RegisteredCertificate[] {
    return [...this.#certificates.values()].filter((registered) => registered.authority === authority);
  }

  /** @param certificate its fingerprint */
  certificateByFingerprint(certificate: string): RegisteredCertificate | undefined {
    return this.#certificates.get(certificate);
  }

  transaction(transactionIdHex: string): Transaction | undefined {
    return this.#transactions.get(transactionIdHex);
  }

  /** The transaction that certified a public key, or is about to. @param publicKey fingerprint of the SubjectPublicKeyInfo */
  transactionOfPublicKey(publicKey: string): Transaction | undefined {
    return this.#byPublicKey.get(publicKey);
  }

  /** Those for encryption certificates whose signing certificate was withdrawn, and that still stand. */
  orphaned(): readonly Transaction[] {
    return [...this.#transactions.values()].filter(
      ({ signingTransaction, status }) =>
        signingTransaction !== undefined &&
        this.#transactions.get(signingTransaction)?.status === 'withdrawn' &&
        status !== 'withdrawn' &&
        status !== 'refused',
    );
  }

  /** Those for encryption certificates that belong to a signing transaction. */
  encryptionTransactions(signingTransaction: string): readonly Transaction[] {
    return [...this.#transactions.values()].filter((one) => one.signingTransaction === signingTransaction);
  }

  /** Whether an authentic message with this senderNonce was answered before. */
  knowsSenderNonce(nonceHex: string): boolean {
    return this.#senderNonces.has(nonceHex);
  }

  /** Transactions issued and not yet confirmed whose time ran out at `now`. */
  overdue(now: Date): readonly Transaction[] {
    return [...this.#transactions.values()].filter(
      ({ status, confirmBy }) => status === 'issued' && confirmBy !== undefined && confirmBy < now.getTime(),
    );
  }

  #apply(entry: LedgerEntry): void {
    this.#entries++;
    switch (entry.type) {
      case 'registered':
        this.#certificates.set(fingerprint(entry.certificate), {
          certificate: entry.certificate,
          usage: entry.usage,
          authority: entry.authority,
          holder: { refuses: entry.refuses, waits: entry.waits },
          transactionId: undefined,
          status: 'valid',
        });
        return;
      case 'revoked':
        this.#changeCertificate(entry.certificate, {
          status: 'revoked',
          supersededBy: entry.supersededBy,
          revocation: {
            at: new Date(entry.at),
            reason: entry.reason ?? (entry.supersededBy === undefined ? 'unspecified' : 'superseded'),
          },
        });
        return;
      case 'waiting':
        this.#begin(entry.transactionId, 'waiting', entry);
        return;
      case 'issued': {
        const old = this.#certificates.get(entry.oldCertificate);
        const isConfirmed = entry.confirmBy === undefined;
        // An encryption certificate delivered again is what it was.
        if (!this.#certificates.has(fingerprint(entry.certificate))) {
          this.#certificates.set(fingerprint(entry.certificate), {
            certificate: entry.certificate,
            usage: isForEncryption(entry.kind) ? 'encryption' : 'signing',
            authority: entry.authority,
            holder: old?.holder ?? { refuses: false, waits: false },
            transactionId: entry.transactionId,
            status: 'unconfirmed',
          });
        }
        if (isConfirmed) this.#changeCertificate(fingerprint(entry.certificate), { status: 'valid' });
        this.#begin(entry.transactionId, isConfirmed ? 'confirmed' : 'issued', entry);
        if (entry.supersedesOld === true) this.#supersede(entry.oldCertificate, entry);
        return;
      }
      case 'refused':
        if (entry.ended && entry.transactionId !== undefined) {
          this.#begin(entry.transactionId, 'refused', entry.ended, { failInfo: entry.failInfo, text: entry.text });
        }
        return;
      case 'polled':
        this.#change(entry.transactionId, entry.exchange, (old) => ({ polls: old.polls + 1 }));
        return;
      case 'repeated':
        this.#change(entry.transactionId, entry.exchange, () => ({ answer: entry.exchange.reply }));
        return;
      case 'confirmed': {
        const changed = this.#change(entry.transactionId, entry.exchange, () => ({ status: 'confirmed' }));
        this.#confirmCertificate(changed);
        if (entry.supersedesOld === true) this.#supersede(changed.oldCertificate, entry);
        // In rest-enrolment one confirmation is for all that belongs to the transaction.
        for (const { transactionId: id, kind, status } of this.encryptionTransactions(entry.transactionId)) {
          if (kind !== 'encryption' || status !== 'issued') continue;
          this.#confirmCertificate(this.#change(id, undefined, () => ({ status: 'confirmed' })));
        }
        return;
      }
      case 'withdrawn': {
        const changed = this.#change(entry.transactionId, entry.exchange, () => ({ status: 'withdrawn' }));
        if (entry.reason === 'deliveryRefused') return;
        this.#revokeCertificate(changed, entry.at);
        for (const one of this.encryptionTransactions(entry.transactionId)) {
          if (one.kind === 'encryption') this.#revokeCertificate(one, entry.at);
        }
        return;
      }
    }
  }

  /** @param certificate its fingerprint */
  #supersede(certificate: string, by: { readonly transactionId: string; readonly at: string }): void {
    this.#changeCertificate(certificate, {
      status: 'revoked',
      supersededBy: by.transactionId,
      revocation: { at: new Date(by.at), reason: 'superseded' },
    });
  }

  #revokeCertificate({ certificate }: Transaction, at: string): void {
    if (!certificate) return;
    this.#changeCertificate(fingerprint(certificate), {
      status: 'revoked',
      revocation: { at: new Date(at), reason: 'cessationOfOperation' },
    });
  }

  #confirmCertificate({ certificate }: Transaction): void {
    if (certificate) this.#changeCertificate(fingerprint(certificate), { status: 'valid' });
  }

  #changeCertificate(certificate: string, change: Partial<RegisteredCertificate>): void {
    const known = this.#certificates.get(certificate);
    if (known) this.#certificates.set(certificate, { ...known, ...change });
  }

  /** A transaction's first entry, or the one that turns waiting into issued or refused. */
  #begin(
    id: string,
    status: 'waiting' | 'issued' | 'confirmed' | 'refused',
    entry: {
      readonly oldCertificate: string;
      readonly kind?: TransactionKind | undefined;
      readonly publicKey?: string | undefined;
      readonly signingTransaction?: string | undefined;
      readonly csr: Bytes;
      readonly certificate?: Bytes;
      readonly encryptedKey?: Bytes | undefined;
      readonly escrowedPrivateKey?: Bytes | undefined;
      readonly confirmBy?: number | undefined;
      readonly exchange?: Exchange | undefined;
    },
    refusal?: Transaction['refusal'],
  ): void {
    const before = this.#transactions.get(id);
    const { exchange: answered } = entry;
    if (answered) this.#senderNonces.add(answered.senderNonce);
    const transaction: Transaction = {
      transactionId: id,
      kind: entry.kind ?? 'p10cr',
      oldCertificate: entry.oldCertificate,
      publicKey: entry.publicKey,
      signingTransaction: entry.signingTransaction,
      request: entry.csr,
      status,
      refusal,
      polls: before?.polls ?? 0,
      certificate: entry.certificate,
      encryptedKey: entry.encryptedKey,
      escrowedPrivateKey: entry.escrowedPrivateKey,
      confirmBy: entry.confirmBy,
      answer: answered?.reply ?? before?.answer ?? new Uint8Array(),
      replies: withReply(before?.replies, answered, status),
      nonces: withNonce(before?.nonces, answered),
    };
    this.#store(transaction);
  }

  #change(id: string, answered: Exchange | undefined, change: (old: Transaction) => Partial<Transaction>): Transaction {
    const old = this.#transactions.get(id);
    if (!old) throw new LedgerError(`the ledger goes on with a transaction it never began: ${id}`);
    if (answered) this.#senderNonces.add(answered.senderNonce);
    const changed = { ...old, ...change(old) };
    const transaction: Transaction = {
      ...changed,
      replies: withReply(old.replies, answered, changed.status),
      nonces: withNonce(old.nonces, answered),
    };
    this.#store(transaction);
    return transaction;
  }

  #store(transaction: Transaction): void {
    this.#transactions.set(transaction.transactionId, transaction);
    // A refused request certified nothing: its key may be asked for again.
    const { publicKey, status } = transaction;
    if (publicKey !== undefined && status !== 'refused') this.#byPublicKey.set(publicKey, transaction);
  }
}

const withReply = (
  replies: Transaction['replies'] = new Map(),
  answered: Exchange | undefined,
  status: TransactionStatus,
): Transaction['replies'] =>
  answered ? new Map([...replies, [answered.request, { message: answered.reply, status }]]) : replies;

const withNonce = (nonces: Transaction['nonces'] = new Set(), answered: Exchange | undefined): Transaction['nonces'] =>
  answered?.nonce === undefined ? nonces : new Set([...nonces, answered.nonce]);

function readLine(line: string, where: string): LedgerEntry {
  try {
    return v.parse(entrySchema, JSON.parse(line));
  } catch (cause) {
    throw new LedgerError(`the ledger is damaged at ${where}`, { cause });
  }
}
