import {
  buildMessage,
  CmpFormatError,
  parseMessage,
  type CertStatus,
  type MessageContent,
  type PkiMessage,
} from '../../src/ca/cmp-messages.ts';
import { signatureAlgorithmFor } from '../../src/pki/algorithms.ts';
import { bytesEqual, fromHex, toHex, type Bytes } from '../../src/pki/bytes.ts';
import { CertificateError, parseCertificate } from '../../src/pki/certificate.ts';
import { namesEqual, type DistinguishedName } from '../../src/pki/name.ts';
import { checkContent, checkEncryptionRequest, checkUpdate, proveRequest } from './admission.ts';
import { errorBody, issuedAgain, issuedBody, refusalBody, waitingBody, type Body } from './answers.ts';
import { authenticate, checkFreshness, checkHeader, type CheckedHeader, type Sender } from './authentication.ts';
import { certHashOf } from './cert-hash.ts';
import { makeEncryptionKey } from './encryption-key.ts';
import type { Authority } from './hierarchy.ts';
import type { Granted, Issuance } from './issuance.ts';
import { fingerprint, isOfCmp, type CmpTransaction, type Exchange } from './ledger.ts';
import { Refusal } from './refusal.ts';
import {
  readRequest,
  requestId,
  type CertificateRequest,
  type EncryptionRequest,
  type RequestBody,
} from './request.ts';

/** What holders' software is told about a transaction without asking in CMP. */
export interface EnrolmentInfo {
  /** `withdrawn`: also ended by a refusal. `otherProtocol`: begun in another one, and to be asked for there. */
  readonly status: 'unknown' | 'pending' | 'issued' | 'confirmed' | 'withdrawn' | 'otherProtocol';
  /** The last protected PKIMessage that answered the request itself: waiting, issuing or refusing. */
  readonly message?: Bytes;
  readonly checkAfterSeconds?: number;
  /** A protected PKIMessage that says so, where `message` does not and a nonce was given. */
  readonly proof?: Bytes;
}

/** A message whose form, sender and freshness are proven. */
interface Received {
  readonly message: PkiMessage;
  readonly header: CheckedHeader;
  readonly sender: Sender;
  /** The authority that answers this sender. */
  readonly authority: Authority;
  /** The transaction it belongs to, if that has begun. */
  readonly transaction: CmpTransaction | undefined;
  /** The very same bytes were answered before. */
  readonly isRepeat: boolean;
}

interface Answer {
  readonly message: Bytes;
  readonly exchange: Exchange;
}

/**
 * How it is proven what became of a transaction, where no message in it proves that: an error with a text that no other
 * error here has. What holders send cannot bring about such a text, whatever nonce and transactionID they choose.
 */
const proofBody = (status: EnrolmentInfo['status']): Body | undefined =>
  status === 'pending' || status === 'issued' || status === 'otherProtocol'
    ? undefined
    : { type: 'error', status: { status: 'rejection', text: [`enrolment: ${status}`] } };

/** NULL-DN (RFC 9483 §3.1): nobody by name. */
const emptyName = Uint8Array.of(0x30, 0);

/** The header fields that make a message the answer to another. */
const answering = ({ header }: PkiMessage): Pick<MessageContent, 'recipient' | 'transactionId' | 'recipNonce'> => ({
  recipient: header.sender.der,
  transactionId: header.transactionId,
  recipNonce: header.senderNonce,
});

/** The authority's side of CMP (RFC 9810, profile RFC 9483): p10cr, kur and cr, and what follows them. */
export class CmpResponder {
  readonly #issuance: Issuance;

  constructor(issuance: Issuance) {
    this.#issuance = issuance;
  }

  /**
   * Answers a PKIMessage with a protected PKIMessage.
   * @returns undefined when the bytes are no PKIMessage
   */
  answer(der: Uint8Array): Promise<Bytes | undefined> {
    return this.#issuance.inTurn(async () => {
      let message: PkiMessage;
      try {
        message = parseMessage(der);
      } catch (error) {
        if (error instanceof CmpFormatError) return undefined;
        throw error;
      }
      try {
        return await this.#handle(message);
      } catch (error) {
        if (error instanceof Refusal) return this.#refuse(message, error);
        throw error;
      }
    });
  }

  /**
   * What became of a transaction, or of the request for a public key.
   * @param id transactionID in 32, or SHA-256 of the DER SubjectPublicKeyInfo in 64 lower-case hex digits
   * @param nonce 32 bytes that a proof is to repeat: longer than those of messages, so that no proof answers one
   */
  enrolment(id: string, nonce?: Uint8Array): Promise<EnrolmentInfo> {
    return this.#issuance.inTurn(async () => {
      const { ledger } = this.#issuance;
      const transaction = id.length === 64 ? ledger.transactionOfPublicKey(id) : ledger.transaction(id);
      if (transaction && !isOfCmp(transaction)) return { status: 'otherProtocol' };
      const info = this.#info(transaction);
      const body = proofBody(info.status);
      return nonce && body ? { ...info, proof: await this.#prove(id, nonce, transaction, body) } : info;
    });
  }

  #info(transaction: CmpTransaction | undefined): EnrolmentInfo {
    switch (transaction?.status) {
      case undefined:
        return { status: 'unknown' };
      case 'waiting':
        return {
          status: 'pending',
          message: transaction.answer,
          checkAfterSeconds: this.#issuance.policy.checkAfterSeconds,
        };
      case 'issued':
      case 'confirmed':
        return { status: transaction.status, message: transaction.answer };
      case 'refused':
        return { status: 'withdrawn', message: transaction.answer };
      case 'withdrawn':
        return { status: 'withdrawn' };
    }
  }

  /** A message of its own, in no transaction's ledger: whoever asks with another nonce gets another. */
  async #prove(id: string, nonce: Uint8Array, transaction: CmpTransaction | undefined, body: Body): Promise<Bytes> {
    const old = transaction && this.#issuance.ledger.certificateByFingerprint(transaction.oldCertificate);
    const { der } = await this.#build(this.#issuance.answering(old?.authority), body, {
      recipient: emptyName,
      transactionId: fromHex(id),
      recipNonce: nonce,
    });
    return der;
  }

  async #handle(message: PkiMessage): Promise<Bytes> {
    const { hierarchy, ledger, policy } = this.#issuance;
    const header = checkHeader(message, hierarchy);
    const known = ledger.transaction(header.transactionId);
    const transaction = known && isOfCmp(known) ? known : undefined;
    const context = { hierarchy, ledger, policy, now: this.#issuance.now(), transaction };
    const sender = await authenticate(message, context);
    if (known && !transaction) throw new Refusal('transactionIdInUse', 'the transaction was begun in another protocol');
    const isRepeat = transaction?.replies.has(fingerprint(message.der)) === true;
    // A withdrawn transaction can have no effect any more: however late, its holder is told what became of it.
    if (!isRepeat && transaction?.status !== 'withdrawn') checkFreshness(message, header.senderNonce, context);
    const authority = this.#issuance.answering(sender.registered.authority);
    const received: Received = { message, header, sender, authority, transaction, isRepeat };
    const { body } = message;
    switch (body.type) {
      case 'p10cr':
      case 'kur':
      case 'cr':
        return this.#takeRequest(received, body);
      case 'pollReq':
        return this.#takePoll(received, body.certReqIds);
      case 'certConf':
        return this.#takeConfirmation(received, body.statuses);
      default:
        throw new Refusal('badRequest', 'only p10cr, kur, cr, pollReq and certConf are taken here');
    }
  }

  /* Requests */

  async #takeRequest(received: Received, body: RequestBody): Promise<Bytes> {
    const { header, sender } = received;
    if (received.message.header.recipNonce) throw new Refusal('badRecipientNonce', 'a first message answers no other');
    if (received.transaction) return this.#repeatRequest(received, received.transaction, body);
    const request = readRequest(body);
    let granted: Granted;
    try {
      granted = await this.#judge(request, sender);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // An authentic request that is refused ends its transaction: sent again, it is refused again.
      const refusal = { failInfo: [error.failInfo], text: error.message };
      const answer = await this.#answer(received, refusalBody(request.kind, refusal.failInfo, refusal.text));
      const ended = { ...described(request, sender, undefined), exchange: answer.exchange };
      await this.#issuance.ledger.append({ type: 'refused', transactionId: header.transactionId, ...refusal, ended });
      return answer.message;
    }
    if (sender.registered.holder.waits) {
      const { message, exchange } = await this.#answer(received, waitingBody(request.kind));
      const { signingTransaction } = granted;
      const description = described(request, sender, signingTransaction);
      await this.#issuance.ledger.append({
        type: 'waiting',
        transactionId: header.transactionId,
        ...description,
        exchange,
      });
      return message;
    }
    return this.#issue(received, request, granted);
  }

  /** @throws Refusal with what is wrong with the request itself */
  async #judge(request: CertificateRequest, sender: Sender): Promise<Granted> {
    const { certificate, registered } = sender;
    if (request.kind === 'cr') {
      const signing = checkEncryptionRequest(request, sender, this.#issuance);
      return this.#issuance.grantEncryption(signing);
    }
    await proveRequest(request);
    checkUpdate(request, certificate);
    checkContent(request, certificate, registered.authority, this.#issuance.policy);
    // One certificate for a key, whatever became of it: the holder is told which transaction to look at.
    if (this.#issuance.ledger.transactionOfPublicKey(fingerprint(request.spki))) {
      throw new Refusal('duplicateCertReq', 'the new key was asked a certificate for before');
    }
    return this.#issuance.grantSigning(sender);
  }

  async #issue(received: Received, request: CertificateRequest, granted: Granted): Promise<Bytes> {
    const { sender, header } = received;
    const { spki, encryptedKey } =
      request.kind === 'cr'
        ? await makeEncryptionKey(wrappingKey(request))
        : { spki: request.spki, encryptedKey: undefined };
    const certificate = await this.#issuance.certify(granted, { subject: sender.certificate.subject.der, spki });
    const confirmBy = this.#issuance.confirmBy();
    const answer = await this.#answer(received, issuedBody(request.kind, certificate, encryptedKey), confirmBy);
    await this.#issuance.ledger.append({
      type: 'issued',
      transactionId: header.transactionId,
      ...described(request, sender, granted.signingTransaction),
      publicKey: fingerprint(spki),
      certificate,
      ...(encryptedKey && { encryptedKey }),
      authority: granted.grant.authority,
      confirmBy,
      ...(request.kind !== 'cr' && this.#issuance.supersedes('onIssue', sender.fingerprint)),
      exchange: answer.exchange,
    });
    return answer.message;
  }

  /** A request of a transaction that has begun: the same one again gets what the first got, anything else nothing. */
  async #repeatRequest(received: Received, transaction: CmpTransaction, body: RequestBody): Promise<Bytes> {
    const { kind } = transaction;
    const der = body.type === 'p10cr' ? body.csr : body.requests;
    const isSame =
      body.type === kind &&
      bytesEqual(der, transaction.request) &&
      received.sender.fingerprint === transaction.oldCertificate;
    if (!isSame || this.#issuance.policy.onRepeat === 'transactionIdInUse') {
      throw new Refusal('transactionIdInUse', 'the transactionID is in use');
    }
    switch (transaction.status) {
      case 'withdrawn':
        throw new Refusal('certRevoked', 'the certificate of this transaction was withdrawn');
      case 'refused': {
        const { failInfo = [], text = '' } = transaction.refusal ?? {};
        return this.#again(received, transaction, refusalBody(kind, failInfo, text));
      }
      case 'waiting':
        return this.#again(received, transaction, waitingBody(kind));
      case 'issued':
      case 'confirmed':
        return this.#again(received, transaction, issuedAgain(transaction));
    }
  }

  /** The answer given before, if it still says how things stand; otherwise a new message around the same content. */
  async #again(received: Received, transaction: CmpTransaction, body: Body): Promise<Bytes> {
    const before = transaction.replies.get(fingerprint(received.message.der));
    if (before?.status === transaction.status) return before.message;
    const { transactionId } = transaction;
    const { message, exchange } = await this.#answer(received, body, transaction.confirmBy);
    await this.#issuance.ledger.append({ type: 'repeated', transactionId, exchange });
    return message;
  }

  /* Polls */

  async #takePoll(received: Received, certReqIds: readonly number[]): Promise<Bytes> {
    const transaction = this.#ownTransaction(received);
    const certReqId = requestId(transaction.kind);
    if (certReqIds.length !== 1 || certReqIds[0] !== certReqId) {
      throw new Refusal('badRequest', `a ${transaction.kind} is polled for with certReqId ${certReqId}`);
    }
    switch (transaction.status) {
      case 'issued':
        return this.#again(received, transaction, issuedAgain(transaction));
      case 'confirmed':
      case 'refused':
        throw new Refusal('badRequest', 'nothing is waiting in this transaction');
      case 'withdrawn':
        throw new Refusal('certRevoked', 'the certificate of this transaction was withdrawn');
      case 'waiting':
    }
    const before = transaction.replies.get(fingerprint(received.message.der));
    if (before) return before.message;
    if (transaction.polls >= this.#issuance.policy.waitingPolls) {
      return this.#issue(received, requestOf(transaction), this.#grantWaiting(received.sender, transaction));
    }
    const checkAfterSeconds = this.#issuance.policy.checkAfterSeconds;
    const replies = [{ certReqId, checkAfterSeconds }];
    const { message, exchange } = await this.#answer(received, { type: 'pollRep', replies });
    await this.#issuance.ledger.append({ type: 'polled', transactionId: transaction.transactionId, exchange });
    return message;
  }

  /** What was granted when the request was taken; the dates are those of now. */
  #grantWaiting(sender: Sender, { signingTransaction }: CmpTransaction): Granted {
    const signing =
      signingTransaction === undefined ? undefined : this.#issuance.ledger.transaction(signingTransaction);
    return signing ? this.#issuance.grantEncryption(signing) : this.#issuance.grantSigning(sender);
  }

  /* Confirmations */

  async #takeConfirmation(received: Received, statuses: readonly CertStatus[]): Promise<Bytes> {
    const transaction = this.#ownTransaction(received);
    const { transactionId, status } = transaction;
    if (status === 'waiting' || status === 'refused') {
      throw new Refusal('badRequest', 'no certificate was issued in this transaction');
    }
    const [confirmation, ...others] = statuses;
    const certReqId = requestId(transaction.kind);
    if (!confirmation || others.length > 0 || confirmation.certReqId !== certReqId) {
      throw new Refusal('badRequest', `one certificate is to be confirmed, with certReqId ${certReqId}`);
    }
    // Withdrawn while it waited: there is nothing that could be confirmed or refused.
    if (!transaction.certificate) throw new Refusal('certRevoked', 'no certificate came of this transaction');
    const { certificate } = transaction;
    if (!bytesEqual(confirmation.certHash, await certHashOf(certificate))) {
      throw new Refusal('badCertId', 'the certHash is not that of the certificate issued');
    }
    const isAccepted = accepts(confirmation);
    if (status === 'withdrawn' && isAccepted) {
      throw new Refusal('certRevoked', 'the certificate of this transaction was withdrawn');
    }
    if (status === 'confirmed' && !isAccepted) {
      throw new Refusal('certConfirmed', 'the certificate of this transaction was confirmed');
    }
    const before = transaction.replies.get(fingerprint(received.message.der));
    if (before) return before.message;
    const { message, exchange } = await this.#answer(received, { type: 'pkiConf' });
    if (isAccepted) {
      const { kind, oldCertificate } = transaction;
      const superseding = kind === 'cr' ? {} : this.#issuance.supersedes('onConfirm', oldCertificate);
      await this.#issuance.ledger.append({ type: 'confirmed', transactionId, ...superseding, exchange });
    } else {
      await this.#issuance.ledger.append({ type: 'withdrawn', transactionId, reason: 'rejectedByHolder', exchange });
      await this.#issuance.withdrawOrphans();
    }
    return message;
  }

  /**
   * The transaction a message goes on with.
   * @throws Refusal `badRequest`, `notAuthorized`, `badRecipientNonce`
   */
  #ownTransaction({ message, sender, transaction, isRepeat }: Received): CmpTransaction {
    if (!transaction) throw new Refusal('badRequest', 'there is no such transaction');
    if (sender.fingerprint !== transaction.oldCertificate) {
      throw new Refusal('notAuthorized', 'the transaction is of another holder');
    }
    // Any of our nonces: the answer that carried the last one may have been lost.
    const { recipNonce } = message.header;
    if (!isRepeat && (!recipNonce || !transaction.nonces.has(toHex(recipNonce)))) {
      throw new Refusal('badRecipientNonce', 'the recipNonce is none that was sent in this transaction');
    }
    return transaction;
  }

  /* Answers */

  async #refuse(message: PkiMessage, refusal: Refusal): Promise<Bytes> {
    const { transactionId } = message.header;
    await this.#issuance.ledger.append({
      type: 'refused',
      ...(transactionId && transactionId.length > 0 && { transactionId: toHex(transactionId) }),
      failInfo: [refusal.failInfo],
      text: refusal.message,
    });
    return (await this.#build(this.#authorityFor(message), errorBody(refusal), answering(message))).der;
  }

  /** Who answers a message whose sender is not proven: one whose signature such a sender can probably check. */
  #authorityFor({ header, extraCerts }: PkiMessage): Authority {
    const { sm2, p256, rsa } = this.#issuance.hierarchy;
    const issuer = extraCerts[0] && issuerName(extraCerts[0]);
    const named = [p256, rsa].find(({ read }) => issuer && namesEqual(read.issuing.subject, issuer));
    const isEcdsa = header.protectionAlgorithm?.startsWith('1.2.840.10045.4.') === true;
    return named ?? (isEcdsa ? p256 : sm2);
  }

  async #answer({ message, header, authority }: Received, body: Body, confirmBy?: number): Promise<Answer> {
    const { der, nonce } = await this.#build(authority, body, answering(message), confirmBy);
    const request = fingerprint(message.der);
    return { message: der, exchange: { request, senderNonce: header.senderNonce, nonce: toHex(nonce), reply: der } };
  }

  async #build(
    { issuing }: Authority,
    body: Body,
    to: Pick<MessageContent, 'recipient' | 'transactionId' | 'recipNonce'>,
    confirmBy?: number,
  ): Promise<{ readonly der: Bytes; readonly nonce: Bytes }> {
    const nonce = crypto.getRandomValues(new Uint8Array(16));
    const der = await buildMessage(
      {
        ...to,
        sender: issuing.subject,
        messageTime: this.#issuance.now(),
        protectionAlgorithm: signatureAlgorithmFor(issuing.key.type),
        senderKid: issuing.keyIdentifier,
        senderNonce: nonce,
        confirmWaitTime: confirmBy === undefined ? undefined : new Date(confirmBy),
        body,
        extraCerts: [issuing.certificate],
      },
      issuing.key.sign,
    );
    return { der, nonce };
  }
}

/** Without a status a certificate is accepted (RFC 9810 §5.3.18). */
const accepts = ({ status }: CertStatus): boolean =>
  status === undefined || status.status === 'accepted' || status.status === 'grantedWithMods';

/** Undefined for bytes that are no certificate. */
function issuerName(der: Uint8Array): DistinguishedName | undefined {
  try {
    return parseCertificate(der).issuer;
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

/** A request as the ledger keeps it. */
function described(request: CertificateRequest, sender: Sender, signingTransaction: string | undefined) {
  return {
    oldCertificate: sender.fingerprint,
    kind: request.kind,
    csr: request.der,
    ...(request.kind !== 'cr' && { publicKey: fingerprint(request.spki) }),
    ...(signingTransaction !== undefined && { signingTransaction }),
  };
}

/** The request that began a transaction. */
function requestOf({ kind, request }: CmpTransaction): CertificateRequest {
  return readRequest(kind === 'p10cr' ? { type: kind, csr: request } : { type: kind, requests: request });
}

/** `checkEncryptionRequest` has seen that there is one. */
function wrappingKey({ message }: EncryptionRequest): Uint8Array {
  if (!message.protocolEncrKey) throw new Error('nothing to wrap for');
  return message.protocolEncrKey;
}
