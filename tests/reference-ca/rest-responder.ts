import { CsrError, parseCsr, verifyCsr, type Csr } from '../../src/pki/csr.ts';
import { parseCfcaRequest, verifyCfcaRequest } from '../../src/ca/cfca-request.ts';
import { readSpki } from '../../src/pki/algorithms.ts';
import { bytesEqual, copyBytes, toHex, type Bytes } from '../../src/pki/bytes.ts';
import { CertificateError, parseCertificate, type Certificate } from '../../src/pki/certificate.ts';
import { DerError } from '../../src/pki/der.ts';
import { encodeEnvelopedKey } from '../../src/pki/enveloped-key.ts';
import { namesEqual } from '../../src/pki/name.ts';
import { signatureOidFor, verifySignature } from '../../src/pki/signature.ts';
import { sm2IsPublicKey } from '../../src/pki/sm2.ts';
import { checkContent, checkMayHaveEncryption, proveRequest } from './admission.ts';
import { issuedIn } from './answers.ts';
import { admitSigner, type Sender } from './authentication.ts';
import { certHashOf } from './cert-hash.ts';
import { escrowBlob } from './cfca-escrow.ts';
import { envelopeFor, makeEncryptionKeyPair, type EncryptionKeyPair } from './encryption-key.ts';
import type { Authority } from './hierarchy.ts';
import type { Granted, Issuance } from './issuance.ts';
import {
  fingerprint,
  isOfRest,
  type Exchange,
  type RestKind,
  type RestTransaction,
  type Transaction,
} from './ledger.ts';
import { Refusal } from './refusal.ts';
import {
  noTransaction,
  readContent,
  readSignedRequest,
  signAnswer,
  type ContentOf,
  type Question,
  type RequestType,
  type SignedRequest,
  type Standing,
} from './rest-documents.ts';

/** Where a request was sent. */
export interface Route {
  readonly type: RequestType;
  /** The transaction in the path. */
  readonly transactionId?: string;
}

export interface RestAnswer {
  /** Of HTTP. */
  readonly status: number;
  readonly body: Bytes;
}

/** A request whose form and sender are proven. */
interface Received {
  readonly request: SignedRequest;
  readonly sender: Sender;
  /** The one that answers this sender. */
  readonly authority: Authority;
  /** The transaction it belongs to, if that has begun. */
  readonly transaction: RestTransaction | undefined;
  /** The very same bytes were answered before. */
  readonly isRepeat: boolean;
}

interface Wanted {
  readonly kind: RestKind;
  /** As the ledger keeps it. */
  readonly csr: Bytes;
  /** DER SubjectPublicKeyInfo to be certified; undefined where the key pair is made here. */
  readonly spki: Bytes | undefined;
}

/** What is issued, before it is in the ledger. */
interface Made {
  readonly certificate: Bytes;
  readonly spki: Bytes;
  readonly encryptedKey?: Bytes;
  readonly escrowedPrivateKey?: Bytes;
}

const question = ({ head: { type, transactionId, nonce } }: SignedRequest): Question => ({
  to: type,
  transactionId,
  nonce,
});

const httpStatus = ({ status }: Standing, isState: boolean): number => {
  if (status === 'waiting') return 202;
  return status === 'refused' && !isState ? 403 : 200;
};

/**
 * The authority's side of rest-enrolment: a certificate is asked for by a document that the old key signs, and every
 * answer is signed here. Decisions, ledger and certificates are those of CMP.
 */
export class RestResponder {
  readonly #issuance: Issuance;

  constructor(issuance: Issuance) {
    this.#issuance = issuance;
  }

  /**
   * Answers a request.
   * @param idempotencyKey the header of that name
   * @returns undefined for a body that no answer could name
   */
  async answer(route: Route, idempotencyKey: string | undefined, body: Uint8Array): Promise<RestAnswer | undefined> {
    const request = readSignedRequest(body);
    if (!request) return undefined;
    return this.#issuance.inTurn(async () => {
      try {
        return await this.#handle(request, route, idempotencyKey);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const refusal = { failInfo: [error.failInfo], text: error.message };
        await this.#issuance.ledger.append({
          type: 'refused',
          transactionId: request.head.transactionId,
          ...refusal,
        });
        return this.#say(this.#authorityFor(request), question(request), refused(refusal));
      }
    });
  }

  /** What became of a transaction: changes nothing but how often was asked. */
  async state(transactionId: string, nonce: string): Promise<RestAnswer | 'otherProtocol'> {
    return this.#issuance.inTurn(() =>
      this.#stateOf(this.#issuance.ledger.transaction(transactionId), { to: 'state', transactionId, nonce }),
    );
  }

  /** The same of the transaction of a new key. @param key SHA-256 of its SubjectPublicKeyInfo in 64 hex digits */
  async stateOfKey(key: string, nonce: string): Promise<RestAnswer | 'otherProtocol'> {
    return this.#issuance.inTurn(() => {
      const known = this.#issuance.ledger.transactionOfPublicKey(key);
      return this.#stateOf(known, { to: 'key', key, transactionId: known?.transactionId ?? noTransaction, nonce });
    });
  }

  async #stateOf(known: Transaction | undefined, asked: Question): Promise<RestAnswer | 'otherProtocol'> {
    if (known && !isOfRest(known)) return 'otherProtocol';
    const { ledger } = this.#issuance;
    const old = known && ledger.certificateByFingerprint(known.oldCertificate);
    if (known?.status === 'waiting') await this.#decideWaiting(known);
    const transaction = known && ledger.transaction(known.transactionId);
    const standing: Standing =
      transaction && isOfRest(transaction) ? this.#standingOf(transaction) : { status: 'unknown' };
    return this.#say(this.#issuance.answering(old?.authority), asked, standing);
  }

  async #handle(request: SignedRequest, route: Route, idempotencyKey: string | undefined): Promise<RestAnswer> {
    const { head, document } = request;
    const content = readContent(document);
    const named = content.type === 'encryption' ? content.of : head.transactionId;
    if (content.type !== route.type || (route.transactionId ?? named) !== named) {
      throw new Refusal('badRequest', 'the document belongs to another address');
    }
    if (idempotencyKey !== head.transactionId) {
      throw new Refusal('badRequest', 'the Idempotency-Key must be the transactionId');
    }
    const received = await this.#authenticate(request, named);
    const { transaction, isRepeat } = received;
    const { policy } = this.#issuance;
    const { time = this.#issuance.now() } = content;
    const isLate = Math.abs(time.getTime() - this.#issuance.now().getTime()) > policy.maxSkewSeconds * 1000;
    // However late, the holder of what was withdrawn is told so.
    if (isLate && !isRepeat && transaction?.status !== 'withdrawn') {
      throw new Refusal('badTime', 'the time is too far from the time here');
    }
    if (content.type === 'confirmation') return this.#takeConfirmation(received, content);
    if (transaction) return this.#repeat(received, transaction);
    return content.type === 'enrolment'
      ? this.#takeEnrolment(received, content)
      : this.#takeEncryption(received, content);
  }

  /**
   * Proves who sent a request.
   * @param named the transaction it is about, which may be that of the signing certificate
   * @throws Refusal `badMessageCheck`, `signerNotTrusted`, `badCertId`, `certRevoked`, `transactionIdInUse`
   */
  async #authenticate(request: SignedRequest, named: string): Promise<Received> {
    const { hierarchy, ledger, policy } = this.#issuance;
    const known = ledger.transaction(request.head.transactionId);
    const certificate = readCertificate(request.certificate);
    const { spki, keyAlgorithm } = certificate;
    const { signedBytes: message, signature } = request;
    if (!(await verifySignature({ spki, algorithm: signatureOidFor(keyAlgorithm), message, signature }))) {
      throw new Refusal('badMessageCheck', 'the signature does not verify');
    }
    const transactions = [request.head.transactionId, named, known?.signingTransaction];
    const now = this.#issuance.now();
    const sender = await admitSigner(certificate, transactions, { hierarchy, ledger, policy, now });
    if (known && !isOfRest(known)) {
      throw new Refusal('transactionIdInUse', 'the transaction was begun in another protocol');
    }
    return {
      request,
      sender,
      authority: this.#issuance.answering(sender.registered.authority),
      transaction: known,
      isRepeat: known?.replies.has(fingerprint(request.body)) === true,
    };
  }

  /* Requests */

  async #takeEnrolment(received: Received, { form, csr }: ContentOf<'enrolment'>): Promise<RestAnswer> {
    const { certificate, registered } = received.sender;
    const { policy, ledger } = this.#issuance;
    const read = readCsr(form, csr);
    const wanted = { kind: form, csr: read.der, spki: read.spki };
    return this.#judged(received, wanted, async () => {
      const isProven = (): Promise<boolean> => (form === 'cfca' ? verifyCfcaRequest(read.der) : verifyCsr(read.der));
      await proveRequest({ proofAlgorithm: read.signatureAlgorithm, isProven });
      checkContent(read, certificate, registered.authority, policy);
      // One certificate for a key, whatever became of it: the holder is told which transaction to look at.
      if (ledger.transactionOfPublicKey(fingerprint(read.spki))) {
        throw new Refusal('duplicateCertReq', 'the new key was asked a certificate for before');
      }
      return this.#issuance.grantSigning(received.sender);
    });
  }

  async #takeEncryption(received: Received, content: ContentOf<'encryption'>): Promise<RestAnswer> {
    const wanted = { kind: 'encryption', csr: received.request.document, spki: undefined } as const;
    return this.#judged(received, wanted, () => Promise.resolve(this.#grantEncryption(received.sender, content)));
  }

  /** @throws Refusal `badCertId`, `badCertTemplate`, `badAlg`, `badDataFormat`, `notAuthorized` */
  #grantEncryption(
    sender: Pick<Sender, 'certificate' | 'registered' | 'fingerprint'>,
    { of, publicKey, temporaryPublicKey }: ContentOf<'encryption'>,
  ): Granted {
    const { ledger } = this.#issuance;
    const signing = ledger.transaction(of);
    const isCertified = signing?.status === 'issued' || signing?.status === 'confirmed';
    const isSigning = signing?.kind === 'pkcs10' || signing?.kind === 'cfca';
    if (!isCertified || !isSigning || signing.oldCertificate !== sender.fingerprint) {
      throw new Refusal('badCertId', 'no signing certificate was issued to this holder in that transaction');
    }
    if (!bytesEqual(publicKey, parseCertificate(issuedIn(signing)).spki)) {
      throw new Refusal('badCertTemplate', 'the key is not the one certified in that transaction');
    }
    if (readSpki(copyBytes(publicKey)).algorithm !== 'sm2') throw new Refusal('badAlg', 'only an SM2 key can unwrap');
    if (temporaryPublicKey && !sm2IsPublicKey(temporaryPublicKey)) {
      throw new Refusal('badDataFormat', 'the temporary key is no point of the curve');
    }
    checkMayHaveEncryption(sender, this.#issuance);
    return this.#issuance.grantEncryption(signing);
  }

  /** Refuses for good, lets wait, or issues. */
  async #judged(received: Received, wanted: Wanted, judge: () => Promise<Granted>): Promise<RestAnswer> {
    const { sender, request } = received;
    const { ledger, policy } = this.#issuance;
    const { transactionId } = request.head;
    let granted: Granted;
    try {
      granted = await judge();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // An authentic request that is refused ends its transaction: sent again, it is refused again.
      const refusal = { failInfo: [error.failInfo], text: error.message };
      const answer = await this.#answer(received, refused(refusal));
      const ended = { ...described(wanted, sender), exchange: answer.exchange };
      await ledger.append({ type: 'refused', transactionId, ...refusal, ended });
      return answer;
    }
    const { signingTransaction } = granted;
    const description = {
      ...described(wanted, sender),
      ...(signingTransaction !== undefined && { signingTransaction }),
    };
    if (sender.registered.holder.waits) {
      const { checkAfterSeconds } = policy;
      const answer = await this.#answer(received, { status: 'waiting', checkAfterSeconds });
      await ledger.append({ type: 'waiting', transactionId, ...description, exchange: answer.exchange });
      return answer;
    }
    const made = await this.#make(wanted, granted, sender.certificate);
    const confirmBy = this.#confirmBy(granted);
    const answer = await this.#answer(received, this.#issuedStanding(made, wanted.csr, granted, confirmBy));
    await this.#enter(transactionId, description, { made, granted, confirmBy, exchange: answer.exchange });
    return answer;
  }

  async #enter(
    transactionId: string,
    description: ReturnType<typeof described> & { readonly signingTransaction?: string },
    {
      made,
      granted,
      confirmBy,
      exchange,
    }: {
      readonly made: Made;
      readonly granted: Granted;
      readonly confirmBy: number | undefined;
      readonly exchange: Exchange | undefined;
    },
  ): Promise<void> {
    const { spki, ...issued } = made;
    await this.#issuance.ledger.append({
      type: 'issued',
      transactionId,
      ...description,
      publicKey: fingerprint(spki),
      ...issued,
      authority: granted.grant.authority,
      ...(confirmBy !== undefined && { confirmBy }),
      ...(granted.signingTransaction === undefined && this.#issuance.supersedes('onIssue', description.oldCertificate)),
      ...(exchange && { exchange }),
    });
  }

  /** An encryption certificate is confirmed with the signing certificate. */
  #confirmBy({ signingTransaction }: Granted): number | undefined {
    const signing =
      signingTransaction === undefined ? undefined : this.#issuance.ledger.transaction(signingTransaction);
    if (!signing) return this.#issuance.confirmBy();
    return signing.status === 'confirmed' ? undefined : signing.confirmBy;
  }

  async #make(wanted: Wanted, granted: Granted, old: Certificate): Promise<Made> {
    if (wanted.spki) {
      // CFCA certifies the name as its request writes it.
      const subject = wanted.kind === 'cfca' ? parseCfcaRequest(wanted.csr).subject : old.subject;
      const certificate = await this.#issuance.certify(granted, { subject: subject.der, spki: wanted.spki });
      return { certificate, spki: wanted.spki };
    }
    const { publicKey, temporaryPublicKey } = encryptionContent(wanted.csr);
    const { certificate, pair } = await this.#encryptionKey(granted);
    return {
      certificate,
      spki: pair.spki,
      escrowedPrivateKey: pair.privateKey,
      encryptedKey: temporaryPublicKey
        ? new TextEncoder().encode(escrowBlob(pair, temporaryPublicKey))
        : encodeEnvelopedKey(envelopeFor(pair, publicKey)),
    };
  }

  /** The encryption key pair and certificate that belong to a signing certificate: made once, delivered ever again. */
  async #encryptionKey(granted: Granted): Promise<{ readonly certificate: Bytes; readonly pair: EncryptionKeyPair }> {
    const { ledger } = this.#issuance;
    const signing = ledger.transaction(granted.signingTransaction ?? '');
    if (!signing) throw new Error('no signing transaction');
    for (const { certificate, escrowedPrivateKey } of ledger.encryptionTransactions(signing.transactionId)) {
      if (!certificate || !escrowedPrivateKey) continue;
      const { spki } = parseCertificate(certificate);
      return { certificate, pair: { privateKey: escrowedPrivateKey, spki: copyBytes(spki) } };
    }
    const pair = await makeEncryptionKeyPair();
    const { subject } = parseCertificate(issuedIn(signing));
    return { certificate: await this.#issuance.certify(granted, { subject: subject.der, spki: pair.spki }), pair };
  }

  /** A transaction that has begun: the same bytes again get how it stands, others nothing. */
  async #repeat(received: Received, transaction: RestTransaction): Promise<RestAnswer> {
    const { isRepeat } = received;
    if (!isRepeat || transaction.status === 'withdrawn' || this.#issuance.policy.onRepeat === 'transactionIdInUse') {
      throw new Refusal('transactionIdInUse', 'the transactionId is in use');
    }
    const standing = this.#standingOf(transaction);
    // Issued it was, to the request; that it is confirmed since is another question's answer.
    return this.#answer(received, standing.status === 'confirmed' ? this.#issuedAgain(transaction) : standing);
  }

  /* Waiting */

  /** A stand-in for the staff's decision: it falls once it has been asked for so often. */
  async #decideWaiting(transaction: RestTransaction): Promise<void> {
    const { ledger, policy } = this.#issuance;
    const { transactionId, kind, request, oldCertificate, signingTransaction } = transaction;
    if (transaction.polls < policy.waitingPolls) {
      await ledger.append({ type: 'polled', transactionId });
      return;
    }
    const registered = ledger.certificateByFingerprint(oldCertificate);
    if (!registered) throw new Error(`a transaction of nobody: ${transactionId}`);
    const certificate = parseCertificate(registered.certificate);
    const sender = { certificate, registered, fingerprint: oldCertificate };
    const spki = kind === 'encryption' ? undefined : copyBytes(readCsr(kind, request).spki);
    const wanted: Wanted = { kind, csr: request, spki };
    const description = {
      ...described(wanted, sender),
      ...(signingTransaction !== undefined && { signingTransaction }),
    };
    try {
      // It signed in time, which was proven then; but a certificate taken back since is not renewed.
      const { status, supersededBy } = registered;
      const mayFinish = supersededBy !== undefined && supersededBy === signingTransaction;
      if (status === 'revoked' && !mayFinish) {
        throw new Refusal('certRevoked', 'the old certificate was revoked');
      }
      const granted =
        kind === 'encryption'
          ? this.#grantEncryption(sender, encryptionContent(request))
          : this.#issuance.grantSigning(sender);
      const made = await this.#make(wanted, granted, certificate);
      const confirmBy = this.#confirmBy(granted);
      await this.#enter(transactionId, description, { made, granted, confirmBy, exchange: undefined });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { failInfo, message: text } = error;
      await ledger.append({ type: 'refused', transactionId, failInfo: [failInfo], text, ended: description });
    }
  }

  /* Confirmations */

  async #takeConfirmation(received: Received, { accepted, certHash }: ContentOf<'confirmation'>): Promise<RestAnswer> {
    const { sender, transaction } = received;
    if (!transaction) throw new Refusal('badRequest', 'there is no such transaction');
    const { transactionId, status, certificate, kind } = transaction;
    if (sender.fingerprint !== transaction.oldCertificate) {
      throw new Refusal('notAuthorized', 'the transaction is of another holder');
    }
    if (status === 'waiting' || status === 'refused') {
      throw new Refusal('badRequest', 'no certificate was issued in this transaction');
    }
    // Withdrawn while it waited: there is nothing that could be confirmed or refused.
    if (!certificate) throw new Refusal('certRevoked', 'no certificate came of this transaction');
    if (certHash !== toHex(await certHashOf(certificate))) {
      throw new Refusal('incorrectData', 'the certHash is not that of the certificate issued');
    }
    if (status === 'withdrawn') {
      if (accepted) throw new Refusal('certRevoked', 'the certificate of this transaction was withdrawn');
      return this.#answer(received, { status: 'withdrawn' });
    }
    if (status === 'confirmed') {
      if (!accepted) throw new Refusal('certConfirmed', 'the certificate of this transaction was confirmed');
      return this.#answer(received, { status: 'confirmed' });
    }
    const { ledger } = this.#issuance;
    if (accepted) {
      if (kind === 'encryption') {
        throw new Refusal('badRequest', 'an encryption certificate is confirmed with its signing certificate');
      }
      const answer = await this.#answer(received, { status: 'confirmed' });
      const superseding = this.#issuance.supersedes('onConfirm', transaction.oldCertificate);
      await ledger.append({ type: 'confirmed', transactionId, ...superseding, exchange: answer.exchange });
      return answer;
    }
    const reason = kind === 'encryption' ? 'deliveryRefused' : 'rejectedByHolder';
    const answer = await this.#answer(received, { status: 'withdrawn' });
    await ledger.append({ type: 'withdrawn', transactionId, reason, exchange: answer.exchange });
    await this.#issuance.withdrawOrphans();
    return answer;
  }

  /* Answers */

  #standingOf(transaction: RestTransaction): Standing {
    const { status, refusal } = transaction;
    switch (status) {
      case 'waiting':
        return { status, checkAfterSeconds: this.#issuance.policy.checkAfterSeconds };
      case 'issued':
        return this.#issuedAgain(transaction);
      case 'confirmed':
        return { ...this.#issuedAgain({ ...transaction, confirmBy: undefined }), status };
      case 'withdrawn':
        return { status };
      case 'refused':
        return refused(refusal ?? { failInfo: [], text: '' });
    }
  }

  #issuedAgain(transaction: RestTransaction): Standing & { readonly status: 'issued' } {
    const { request, encryptedKey, confirmBy, status } = transaction;
    const certificate = issuedIn(transaction);
    const authority = this.#issuance.ledger.certificate(certificate)?.authority;
    return this.#issued(
      { certificate, ...(encryptedKey && { encryptedKey }) },
      { csr: request, authority: this.#issuance.answering(authority) },
      status === 'confirmed' ? undefined : confirmBy,
    );
  }

  #issuedStanding(made: Made, csr: Bytes, { grant }: Granted, confirmBy: number | undefined): Standing {
    return this.#issued(made, { csr, authority: this.#issuance.hierarchy[grant.authority] }, confirmBy);
  }

  #issued(
    { certificate, encryptedKey }: Pick<Made, 'certificate' | 'encryptedKey'>,
    { csr, authority }: { readonly csr: Bytes; readonly authority: Authority },
    confirmBy: number | undefined,
  ): Standing & { readonly status: 'issued' } {
    return {
      status: 'issued',
      certificate,
      chain: [authority.issuing.certificate],
      ...(confirmBy !== undefined && { confirmBy: new Date(confirmBy) }),
      ...(encryptedKey && delivered(encryptedKey, encryptionContent(csr))),
    };
  }

  /** Who answers a request whose sender is not proven: one whose signature such a sender can probably check. */
  #authorityFor({ certificate }: SignedRequest): Authority {
    const { sm2, p256, rsa } = this.#issuance.hierarchy;
    const issuer = issuerName(certificate);
    return [p256, rsa].find(({ read }) => issuer && namesEqual(read.issuing.subject, issuer)) ?? sm2;
  }

  async #answer(
    { request, authority }: Received,
    standing: Standing,
  ): Promise<RestAnswer & { readonly exchange: Exchange }> {
    const answer = await this.#say(authority, question(request), standing);
    const { nonce: senderNonce } = request.head;
    return { ...answer, exchange: { request: fingerprint(request.body), senderNonce, reply: answer.body } };
  }

  async #say(authority: Authority, asked: Question, standing: Standing): Promise<RestAnswer> {
    const body = await signAnswer(authority, asked, standing, this.#issuance.now());
    return { status: httpStatus(standing, asked.to === 'state' || asked.to === 'key'), body };
  }
}

const refused = ({ failInfo, text }: NonNullable<RestTransaction['refusal']>): Standing => ({
  status: 'refused',
  failInfo,
  text: [text],
});

/** A request as the ledger keeps it. */
const described = ({ kind, csr, spki }: Wanted, sender: Pick<Sender, 'fingerprint'>) => ({
  oldCertificate: sender.fingerprint,
  kind,
  csr,
  ...(spki && { publicKey: fingerprint(spki) }),
});

const delivered = (
  encryptedKey: Bytes,
  { temporaryPublicKey }: ContentOf<'encryption'>,
): { readonly envelopedKey: Bytes } | { readonly escrowedKey: string } =>
  temporaryPublicKey ? { escrowedKey: new TextDecoder().decode(encryptedKey) } : { envelopedKey: encryptedKey };

/** The content of a document that was taken for one before. */
function encryptionContent(document: Uint8Array): ContentOf<'encryption'> {
  const content = readContent(document);
  if (content.type !== 'encryption') throw new Error('no request for an encryption certificate');
  return content;
}

/** @throws Refusal `signerNotTrusted` */
function readCertificate(der: Uint8Array): Certificate {
  try {
    return parseCertificate(der);
  } catch (cause) {
    if (!(cause instanceof CertificateError)) throw cause;
    throw new Refusal('signerNotTrusted', "the signer's certificate is malformed", { cause });
  }
}

function issuerName(der: Uint8Array): Certificate['issuer'] | undefined {
  try {
    return parseCertificate(der).issuer;
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

/** @throws Refusal `badDataFormat` */
function readCsr(form: 'pkcs10' | 'cfca', der: Uint8Array): Csr {
  try {
    const csr = form === 'cfca' ? parseCfcaRequest(der) : parseCsr(der);
    readSpki(csr.spki);
    return csr;
  } catch (cause) {
    if (!(cause instanceof CsrError || cause instanceof DerError)) throw cause;
    throw new Refusal('badDataFormat', 'the certification request is malformed', { cause });
  }
}
