import { signatureAlgorithmFor } from '../pki/algorithms.ts';
import { bytesEqual, copyBytes, fromHex, type Bytes } from '../pki/bytes.ts';
import { CertificateError, parseCertificate, type Certificate } from '../pki/certificate.ts';
import { verifyChain } from '../pki/chain.ts';
import { createCsr } from '../pki/csr.ts';
import {
  CaError,
  type CertificateAuthority,
  type CertifiedKey,
  type Credential,
  type EnrolmentAnswer,
  type EnrolmentState,
  type NewKey,
} from './authority.ts';
import { anyAnswer, boundedWait, certHash, entryOf, readAnswer, refusal, type Expected } from './cmp-answers.ts';
import { assertProves, enrolmentRequest, proofNonceBytes, readEnrolment, type Enrolment } from './cmp-enrolments.ts';
import {
  answers,
  buildMessage,
  CmpFormatError,
  crmfRequestId,
  maxMessageBytes,
  p10crRequestId,
  parseMessage,
  type MessageContent,
  type PkiHeader,
  type PkiMessage,
  type PkiStatusInfo,
} from './cmp-messages.ts';
import { findProtector } from './cmp-protection.ts';
import { createCertReqMessages } from './crmf.ts';
import { exchange, throwForStatus, type Fetch, type HttpAnswer, type HttpRequest } from './http.ts';

export interface CmpAuthorityOptions {
  /** Where PKIMessages are posted. */
  readonly url: string;
  /** Where the authority says what became of a transaction (see cmp-enrolments.ts). */
  readonly enrolmentsUrl: string;
  /** DER certificates to which the authority's protecting certificate must chain. */
  readonly anchors: readonly Uint8Array[];
  /** DER certificates for the way there, where the authority's answers do not bring them; not trusted. */
  readonly intermediates?: readonly Uint8Array[];
  readonly fetch: Fetch;
  /** Server time, or the best there is. */
  readonly now: () => Date;
  /** Whether `now` is a server's time; unless it is, messages carry none. Default: it is. */
  readonly timeIsKnown?: () => boolean;
  /** DER Name of the authority; the issuer of the old certificate unless given. */
  readonly recipient?: Uint8Array;
  /** Milliseconds for a whole exchange. */
  readonly timeoutMs: number;
  /**
   * Whose protection counts. `caOnly`: a CA certificate, or one with id-kp-cmcCA (RFC 6402 §2.10), so that no holder of
   * an ordinary certificate of the same authority can speak for it. `anyUnderAnchor`: any certificate below an anchor.
   */
  readonly signerRule?: 'caOnly' | 'anyUnderAnchor';
  /** What a certificate is asked for with: a PKCS #10 (default), or a key update of CRMF. */
  readonly request?: 'p10cr' | 'kur';
  /** Some authorities answer a p10cr with certReqId 0 instead of −1: to be taken as well. */
  readonly p10crAnsweredWithZero?: boolean;
}

const contentType = 'application/pkixcmp';
const cmcCa = '1.3.6.1.5.5.7.3.27';
const transactionIdBytes = 16;
const nonceBytes = 16;
const keyDigestBytes = 32;
const maxKnownProtectors = 8;

/**
 * A certification authority that speaks CMP over HTTP (RFC 9810, RFC 9811, RFC 9483 §4.1.4 and §4.4). Nothing an answer
 * says is looked at before its protection has been verified under a pinned anchor.
 */
export class CmpAuthority implements CertificateAuthority {
  readonly protocol = 'cmp';
  readonly confirmsEncryption = true;
  readonly #options: CmpAuthorityOptions;
  /** Certificates that have protected an answer: only an authority's first message must carry its own (RFC 9483 §3.3). */
  readonly #knownProtectors: Bytes[] = [];

  constructor(options: CmpAuthorityOptions) {
    this.#options = options;
  }

  /**
   * p10cr or kur (RFC 9483 §4.1.4, §4.1.3).
   * @throws RangeError for a transactionID of another length, CsrError or CrmfError for a malformed public key,
   *   CertificateError for the credential's certificate; what either key's `sign` throws comes through
   */
  async prepareRequest(transactionId: Uint8Array, newKey: NewKey, credential: Credential): Promise<Bytes> {
    const certificate = parseCertificate(credential.certificate);
    const { recipient = certificate.issuer.der, request = 'p10cr' } = this.#options;
    assertTransactionId(transactionId);
    const body = request === 'kur' ? await keyUpdate(certificate, newKey) : await pkcs10(certificate, newKey);
    return this.#build(certificate, credential, { recipient, transactionId, body });
  }

  /**
   * cr with central key generation (RFC 9483 §4.1.6), the new signing key as protocolEncrKey.
   * @throws RangeError for a transactionID of another length, CertificateError for the credential's certificate; what
   *   the credential's `sign` throws comes through
   */
  async prepareEncryptionRequest(
    transactionId: Uint8Array,
    { publicKey: protocolEncrKey }: CertifiedKey,
    credential: Credential,
  ): Promise<Bytes> {
    const certificate = parseCertificate(credential.certificate);
    const { recipient = certificate.issuer.der } = this.#options;
    assertTransactionId(transactionId);
    const subject = certificate.subject.der;
    const requests = await createCertReqMessages({ certReqId: crmfRequestId, subject, protocolEncrKey });
    return this.#build(certificate, credential, { recipient, transactionId, body: { type: 'cr', requests } });
  }

  async submit(request: Uint8Array, signal?: AbortSignal): Promise<EnrolmentAnswer> {
    const message = ownMessage(request, ['p10cr', 'kur', 'cr']);
    return readAnswer(await this.#send(message, signal), this.#expectedFor(message));
  }

  async poll(lastReply: Uint8Array, credential: Credential, signal?: AbortSignal): Promise<EnrolmentAnswer> {
    const last = readableMessage(lastReply);
    const { certReqId } = entryOf(last.body);
    const body = { type: 'pollReq', certReqIds: [certReqId] } as const;
    const request = await this.#build(parseCertificate(credential.certificate), credential, followUp(last, body));
    const certReqIds = certReqId === crmfRequestId ? [crmfRequestId] : this.#idsForP10cr;
    return readAnswer(await this.#send(ownMessage(request, ['pollReq']), signal), { ...anyAnswer, certReqIds });
  }

  async prepareConfirmation(reply: Uint8Array, accepted: boolean, credential: Credential): Promise<Bytes> {
    const message = readableMessage(reply);
    const answer = readAnswer(message, anyAnswer);
    if (answer.kind !== 'issued') throw new CaError('malformed', 'the reply issues no certificate');
    const body = {
      type: 'certConf',
      statuses: [
        {
          certHash: await certHash(answer.certificate, accepted),
          certReqId: entryOf(message.body).certReqId,
          status: accepted ? undefined : unwanted,
        },
      ],
    } as const;
    return this.#build(parseCertificate(credential.certificate), credential, followUp(message, body));
  }

  async confirm(confirmation: Uint8Array, signal?: AbortSignal): Promise<void> {
    try {
      const { body } = await this.#send(ownMessage(confirmation, ['certConf']), signal);
      if (body.type !== 'pkiConf') throw new CaError('malformed', `${body.type} in answer to certConf`);
    } catch (error) {
      // An earlier confirmation arrived and its acknowledgement was lost.
      if (error instanceof CaError && error.code === 'rejected' && error.failInfo.includes('certConfirmed')) return;
      throw error;
    }
  }

  /** @throws RangeError for an id of another length; CaError */
  async lookUp(id: Uint8Array, signal?: AbortSignal): Promise<EnrolmentState> {
    if (id.length !== transactionIdBytes && id.length !== keyDigestBytes) {
      throw new RangeError('a transactionID has 16 bytes, a digest of a public key 32');
    }
    const nonce = crypto.getRandomValues(new Uint8Array(proofNonceBytes));
    const request = enrolmentRequest(this.#options.enrolmentsUrl, id, nonce, signal);
    const enrolment = readEnrolment(await this.#exchange(request));
    const { status } = enrolment;
    if (status !== 'pending' && status !== 'issued') await this.#assertProven(enrolment, id, nonce);
    if (status === 'unknown' || status === 'withdrawn') return { kind: status };
    const answer = await this.#readEnrolmentMessage(enrolment, id);
    if (status !== 'confirmed' || answer.kind === 'waiting') return answer;
    const { certificate, reply, encryption } = answer;
    return { kind: status, certificate, reply, ...(encryption && { encryption }) };
  }

  /** What the JSON alone says ends something here: it has to be proven. */
  async #assertProven({ status, proof }: Enrolment, id: Uint8Array, nonce: Uint8Array): Promise<void> {
    if (!proof) throw new CaError('notTrusted', `nothing proves the status ${status}`);
    const message = receivedMessage(proof);
    await this.#assertAuthentic(message);
    assertProves(message, status, { id, nonce });
  }

  /** The message that answered the request, which says by itself how things stand. */
  async #readEnrolmentMessage({ message, checkAfterSeconds }: Enrolment, id: Uint8Array): Promise<EnrolmentAnswer> {
    if (!message) throw new CaError('malformed', 'a known transaction without the message about it');
    const reply = receivedMessage(message);
    await this.#assertAuthentic(reply);
    if (reply.body.type === 'error') throw new CaError('mismatch', 'an error where a request is pending or granted');
    const answer = readAnswer(reply, anyAnswer);
    if (id.length === transactionIdBytes ? !isOf(reply, id) : !(await isFor(answer, id))) {
      throw new CaError('mismatch', 'a message about another transaction');
    }
    if (answer.kind === 'issued') return answer;
    return { ...answer, checkAfterSeconds: boundedWait(checkAfterSeconds ?? answer.checkAfterSeconds) };
  }

  get #idsForP10cr(): readonly number[] {
    return this.#options.p10crAnsweredWithZero === true ? [p10crRequestId, crmfRequestId] : [p10crRequestId];
  }

  #expectedFor({ body }: PkiMessage): Expected {
    if (body.type === 'p10cr') return { types: ['cp'], certReqIds: this.#idsForP10cr };
    return { types: [body.type === 'kur' ? 'kup' : 'cp'], certReqIds: [crmfRequestId] };
  }

  /** A message of ours, with a fresh nonce, protected under the credential. */
  #build(
    certificate: Certificate,
    credential: Credential,
    content: Pick<MessageContent, 'recipient' | 'transactionId' | 'recipNonce' | 'body'>,
  ): Promise<Bytes> {
    const { now, timeIsKnown = () => true } = this.#options;
    return buildMessage(
      {
        sender: certificate.subject.der,
        messageTime: timeIsKnown() ? now() : undefined,
        protectionAlgorithm: signatureAlgorithmFor(certificate.keyAlgorithm),
        senderKid: certificate.subjectKeyIdentifier,
        senderNonce: crypto.getRandomValues(new Uint8Array(nonceBytes)),
        extraCerts: [certificate.der],
        ...content,
      },
      credential.sign,
    );
  }

  /** Sends a message; returns an authentic answer to just that message. */
  async #send(request: PkiMessage, signal: AbortSignal | undefined): Promise<PkiMessage> {
    const answer = await this.#exchange({
      url: this.#options.url,
      method: 'POST',
      headers: { 'content-type': contentType, accept: contentType },
      body: request.der,
      maxBytes: maxMessageBytes,
      signal,
    });
    // A CMP message counts whatever the status code: errors come with 4xx and 5xx too (RFC 9811 §3.2).
    if (answer.contentType !== contentType) {
      throwForStatus(answer);
      throw new CaError('malformed', `an answer of type "${answer.contentType}"`);
    }
    const message = receivedMessage(answer.body);
    await this.#assertAuthentic(message);
    if (!answers(message.header, request.header)) {
      throw new CaError('mismatch', 'an answer to another message: transactionID or nonce differ');
    }
    const { body } = message;
    if (body.type === 'error') throw refusal(body.status, body.details, answer.retryAfterSeconds);
    return message;
  }

  #exchange(request: HttpRequest): Promise<HttpAnswer> {
    const { fetch, timeoutMs } = this.#options;
    return exchange({ fetch, timeoutMs }, request);
  }

  /** @throws CaError `notTrusted` unless the authority, under a pinned anchor, protects the message by a signature */
  async #assertAuthentic(message: PkiMessage): Promise<void> {
    const { anchors, intermediates = [], now, signerRule = 'caOnly' } = this.#options;
    if (!message.protection) throw new CaError('notTrusted', 'an answer without protection');
    const protector = await findProtector(message, [...this.#knownProtectors, ...anchors, ...intermediates]);
    if (!protector) throw new CaError('notTrusted', 'no certificate verifies the protection');
    if (signerRule === 'caOnly' && !protector.isCa && !protector.extendedKeyUsage?.has(cmcCa)) {
      throw new CaError('notTrusted', 'protected by a certificate that may not speak for the authority');
    }
    const pool = [...message.extraCerts, ...this.#knownProtectors, ...intermediates];
    const chain = await verifyChain({ leaf: protector.der, intermediates: pool, anchors, at: now() });
    if (!chain.ok) throw new CaError('notTrusted', `the protecting certificate is not trusted: ${chain.reason}`);
    if (this.#knownProtectors.some((known) => bytesEqual(known, protector.der))) return;
    this.#knownProtectors.push(protector.der);
    if (this.#knownProtectors.length > maxKnownProtectors) this.#knownProtectors.shift();
  }
}

/** What goes with every message after the first of a transaction. */
function followUp(
  { header }: PkiMessage,
  body: MessageContent['body'],
): Pick<MessageContent, 'recipient' | 'transactionId' | 'recipNonce' | 'body'> {
  const { sender, transactionId, senderNonce } = requireIds(header);
  return { recipient: sender.der, transactionId, recipNonce: senderNonce, body };
}

function requireIds(header: PkiHeader): PkiHeader & { readonly transactionId: Bytes; readonly senderNonce: Bytes } {
  const { transactionId, senderNonce } = header;
  if (!transactionId || !senderNonce) throw new CaError('malformed', 'a message without transactionID or senderNonce');
  return { ...header, transactionId, senderNonce };
}

function assertTransactionId(transactionId: Uint8Array): void {
  if (transactionId.length !== transactionIdBytes) throw new RangeError('a transactionID has 16 bytes');
}

async function pkcs10({ subject }: Certificate, { publicKey, sign }: NewKey): Promise<MessageContent['body']> {
  return { type: 'p10cr', csr: await createCsr({ subject: subject.der, spki: publicKey, sign }) };
}

async function keyUpdate(old: Certificate, { publicKey, sign }: NewKey): Promise<MessageContent['body']> {
  const oldCertId = { issuer: old.issuer.der, serialNumber: fromHex(old.serialNumber) };
  const content = { certReqId: crmfRequestId, subject: old.subject.der, publicKey, oldCertId };
  return { type: 'kur', requests: await createCertReqMessages(content, sign) };
}

/** A message of ours as it comes back from the journal. */
function ownMessage(der: Uint8Array, types: readonly PkiMessage['body']['type'][]): PkiMessage {
  const message = readableMessage(der);
  if (!types.includes(message.body.type)) throw new CaError('malformed', `${message.body.type} is not sent here`);
  requireIds(message.header);
  return message;
}

function receivedMessage(der: Uint8Array): PkiMessage {
  const message = readableMessage(der);
  const { pvno } = message.header;
  if (pvno !== 2 && pvno !== 3) throw new CaError('malformed', `protocol version ${pvno}`);
  return message;
}

function readableMessage(der: Uint8Array): PkiMessage {
  try {
    return parseMessage(der);
  } catch (cause) {
    if (cause instanceof CmpFormatError) throw new CaError('malformed', cause.message, {}, { cause });
    throw cause;
  }
}

const isOf = ({ header }: PkiMessage, transactionId: Uint8Array): boolean =>
  header.transactionId !== undefined && bytesEqual(header.transactionId, transactionId);

/** While nothing is issued, nothing shows which key a request is for: its next answer will. */
async function isFor(answer: EnrolmentAnswer, keyDigest: Uint8Array): Promise<boolean> {
  if (answer.kind === 'waiting') return true;
  try {
    const { spki } = parseCertificate(answer.certificate);
    return bytesEqual(new Uint8Array(await crypto.subtle.digest('SHA-256', copyBytes(spki))), keyDigest);
  } catch (error) {
    if (error instanceof CertificateError) return false;
    throw error;
  }
}

/** The certificate came, but is not what was asked for. */
const unwanted: PkiStatusInfo = { status: 'rejection', failInfo: ['incorrectData'] };
