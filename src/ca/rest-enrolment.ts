import { readSpki } from '../pki/algorithms.ts';
import { bytesEqual, concat, toBase64, toHex, type Bytes } from '../pki/bytes.ts';
import { CertificateError, parseCertificate, type Certificate } from '../pki/certificate.ts';
import { verifyChain } from '../pki/chain.ts';
import { createCsr } from '../pki/csr.ts';
import { decodeEnvelopedKey, EnvelopedKeyError, type EnvelopedKey } from '../pki/enveloped-key.ts';
import { signatureOidFor, verifySignature } from '../pki/signature.ts';
import { sm2GenerateKeyPair } from '../pki/sm2.ts';
import {
  CaError,
  type CertificateAuthority,
  type CertifiedKey,
  type Credential,
  type EncryptionDelivery,
  type EnrolmentAnswer,
  type EnrolmentState,
  type NewKey,
} from './authority.ts';
import { CfcaEscrowError, rewrapEscrowedKey } from './cfca-escrow.ts';
import { createCfcaRequest } from './cfca-request.ts';
import { boundedWait, certHash } from './cmp-answers.ts';
import { exchange, throwForStatus, type Fetch } from './http.ts';
import { meaningOf } from './refusal.ts';
import {
  maxDocumentBytes,
  readAnswerDocument,
  readRequest,
  readSignedAnswer,
  signRequest,
  type AnswerDocument,
  type RequestDocument,
} from './rest-enrolment-documents.ts';

export interface RestAuthorityOptions {
  /** Where `/enrolments` is. */
  readonly url: string;
  /** The form of the certification request; PKCS #10 unless given. */
  readonly csr?: 'pkcs10' | 'cfca';
  /** DER certificates to which the authority's signing certificate must chain. */
  readonly anchors: readonly Uint8Array[];
  /** DER certificates for the way there, where the authority's answers do not bring them; not trusted. */
  readonly intermediates?: readonly Uint8Array[];
  readonly fetch: Fetch;
  /** Server time, or the best there is. */
  readonly now: () => Date;
  /** Whether `now` is a server's time; unless it is, requests carry none. Default: it is. */
  readonly timeIsKnown?: () => boolean;
  /** Milliseconds for a whole exchange. */
  readonly timeoutMs: number;
  /** Whose signature counts: see `CmpAuthorityOptions`. */
  readonly signerRule?: 'caOnly' | 'anyUnderAnchor';
}

/** What an answer has to be an answer to. */
type Question =
  | Pick<AnswerDocument, 'to' | 'transactionId' | 'nonce'>
  | { readonly to: 'key'; readonly key: string; readonly nonce: string };
type Issued = Extract<AnswerDocument, { readonly status: 'issued' }>;

/** A delivery that only this page can open, before and after. */
type Awaited = { readonly temporaryPrivateKey: Bytes; readonly recipient: Bytes } | EncryptionDelivery;

const contentType = 'application/json';
const cmcCa = '1.3.6.1.5.5.7.3.27';
const identifierBytes = 16;
const keyDigestBytes = 32;
/** More than one is awaited only where several pages of one object renew at once. */
const maxAwaited = 4;

/**
 * A certification authority behind a plain JSON API in which the old key signs each request and the authority each
 * answer. Nothing an answer says is looked at before its signature has been verified under a pinned anchor.
 *
 * With CFCA's request form, encryption key pairs are delivered for a temporary key that lives in this object's memory
 * alone. Once it is gone such an answer is `issued` without `encryption`, and a new request for the encryption
 * certificate brings the same key pair for another temporary key.
 */
export class RestAuthority implements CertificateAuthority {
  readonly protocol = 'rest-enrolment';
  readonly confirmsEncryption = false;
  readonly #options: RestAuthorityOptions;
  /** By transactionID in hexadecimal. */
  readonly #awaited = new Map<string, Awaited>();

  constructor(options: RestAuthorityOptions) {
    this.#options = options;
  }

  /**
   * @throws RangeError for a transactionID of another length, CsrError for a key or subject the form does not take,
   *   CertificateError for the credential's certificate; what either key's `sign` throws comes through
   */
  async prepareRequest(
    transactionId: Uint8Array,
    { publicKey: spki, sign }: NewKey,
    credential: Credential,
  ): Promise<Bytes> {
    const { csr: form = 'pkcs10' } = this.#options;
    const head = this.#head(transactionId);
    const { subject } = parseCertificate(credential.certificate);
    const content = { subject: subject.der, spki, sign };
    const csr = toBase64(await (form === 'cfca' ? cfcaCsr(content) : createCsr(content)));
    return signRequest({ ...head, type: 'enrolment', form, csr }, credential);
  }

  /**
   * @throws RangeError for a transactionID of another length or a key that is not an SM2 key; what the credential's
   *   `sign` throws comes through
   */
  async prepareEncryptionRequest(transactionId: Uint8Array, of: CertifiedKey, credential: Credential): Promise<Bytes> {
    const head = this.#head(transactionId);
    const key = readSpki(of.publicKey);
    if (key.algorithm !== 'sm2') throw new RangeError('an encryption key pair is delivered for an SM2 key only');
    const document = {
      ...head,
      type: 'encryption',
      of: toHex(of.transactionId),
      publicKey: toBase64(of.publicKey),
    } as const;
    if (this.#options.csr !== 'cfca') return signRequest(document, credential);
    const { privateKey, publicKey } = sm2GenerateKeyPair();
    try {
      const request = await signRequest({ ...document, temporaryPublicKey: toBase64(publicKey) }, credential);
      this.#await(head.transactionId, { temporaryPrivateKey: privateKey, recipient: key.publicKey });
      return request;
    } catch (error) {
      privateKey.fill(0);
      throw error;
    }
  }

  async submit(request: Uint8Array, signal?: AbortSignal): Promise<EnrolmentAnswer> {
    const document = readRequest(request);
    if (document.type === 'confirmation') throw new CaError('malformed', 'a confirmation is no request');
    const path = document.type === 'enrolment' ? '' : `/${document.of}/encryption`;
    const { answer, reply } = await this.#post(path, document, request, signal);
    switch (answer.status) {
      case 'waiting':
        return { kind: 'waiting', checkAfterSeconds: boundedWait(answer.checkAfterSeconds), reply };
      case 'issued':
        return this.#issued(answer, reply);
      default:
        throw new CaError('malformed', `${answer.status} in answer to a request`);
    }
  }

  /** Asks like `lookUp`: no signature of the credential is needed. */
  async poll(lastReply: Uint8Array, _credential: Credential, signal?: AbortSignal): Promise<EnrolmentAnswer> {
    const { transactionId } = ownReply(lastReply);
    const { answer, reply } = await this.#state(transactionId, signal);
    const state = this.#stateOf(answer, reply);
    switch (state.kind) {
      case 'waiting':
      case 'issued':
        return state;
      case 'confirmed':
        return { ...state, kind: 'issued', chain: ('chain' in answer && answer.chain) || [] };
      case 'withdrawn':
        throw answer.status === 'refused' ? refusal(answer) : new CaError('rejected', 'withdrawn while waiting');
      case 'unknown':
        throw new CaError('mismatch', 'a request that was waiting is unknown');
    }
  }

  /**
   * @throws CaError `malformed` if the reply issues nothing, or a certificate that nobody can accept; what the
   *   credential's `sign` throws comes through
   */
  async prepareConfirmation(reply: Uint8Array, accepted: boolean, credential: Credential): Promise<Bytes> {
    const answer = ownReply(reply);
    const certificate = 'certificate' in answer ? answer.certificate : undefined;
    if (!certificate) throw new CaError('malformed', 'the reply issues no certificate');
    const hash = toHex(await certHash(certificate, accepted));
    const head = { ...this.#commonHead(), transactionId: answer.transactionId };
    return signRequest({ ...head, type: 'confirmation', accepted, certHash: hash }, credential);
  }

  async confirm(confirmation: Uint8Array, signal?: AbortSignal): Promise<void> {
    const document = readRequest(confirmation);
    if (document.type !== 'confirmation') throw new CaError('malformed', 'not a confirmation');
    const { accepted, transactionId } = document;
    try {
      const { answer } = await this.#post(`/${transactionId}/confirmation`, document, confirmation, signal);
      if (answer.status === (accepted ? 'confirmed' : 'withdrawn')) return;
      throw new CaError('malformed', `${answer.status} in answer to a confirmation`);
    } catch (error) {
      // An earlier confirmation arrived and its acknowledgement was lost.
      if (accepted && error instanceof CaError && error.failInfo.includes('certConfirmed')) return;
      throw error;
    }
  }

  /** @throws RangeError for an id of another length */
  async lookUp(id: Uint8Array, signal?: AbortSignal): Promise<EnrolmentState> {
    if (id.length !== identifierBytes && id.length !== keyDigestBytes) {
      throw new RangeError('a transactionID has 16 bytes, the digest of a key 32');
    }
    const isKey = id.length === keyDigestBytes;
    const { answer, reply } = await (isKey ? this.#ofKey(toHex(id), signal) : this.#state(toHex(id), signal));
    if (isKey && 'certificate' in answer && answer.certificate) await assertOfKey(answer.certificate, id);
    return this.#stateOf(answer, reply);
  }

  #stateOf(answer: AnswerDocument, reply: Bytes): EnrolmentState {
    switch (answer.status) {
      case 'waiting':
        return { kind: 'waiting', checkAfterSeconds: boundedWait(answer.checkAfterSeconds), reply };
      case 'issued':
        return this.#issued(answer, reply);
      case 'confirmed': {
        const { certificate } = answer;
        if (!certificate) throw new CaError('malformed', 'a confirmed certificate that is not there');
        const encryption = this.#delivery({ ...answer, certificate });
        return { kind: 'confirmed', certificate, reply, ...(encryption && { encryption }) };
      }
      case 'refused':
        // It cannot say now: that ends nothing.
        if (meaningOf(answer.failInfo) === 'later') throw refusal(answer);
        return { kind: 'withdrawn' };
      case 'withdrawn':
      case 'unknown':
        return { kind: answer.status };
    }
  }

  #issued(answer: Issued, reply: Bytes): EnrolmentAnswer {
    const { certificate, chain, confirmBy } = answer;
    const encryption = this.#delivery(answer);
    return {
      kind: 'issued',
      certificate,
      chain,
      reply,
      ...(confirmBy && { confirmBy }),
      ...(encryption && { encryption }),
    };
  }

  /** The key pair that came with a certificate; undefined where there is none, or none that could be imported. */
  #delivery({
    transactionId,
    certificate,
    envelopedKey,
    escrowedKey,
  }: Pick<Issued, 'transactionId' | 'certificate' | 'envelopedKey' | 'escrowedKey'>): EncryptionDelivery | undefined {
    const publicKey = sm2KeyOf(certificate);
    if (!publicKey) return undefined;
    if (envelopedKey) {
      const envelope = readEnvelope(envelopedKey);
      return envelope && bytesEqual(envelope.publicKey, publicKey) ? { certificate, envelope } : undefined;
    }
    const awaited = this.#awaited.get(transactionId);
    if (escrowedKey === undefined || !awaited) return undefined;
    if ('envelope' in awaited) return bytesEqual(awaited.certificate, certificate) ? awaited : undefined;
    this.#awaited.delete(transactionId);
    try {
      const envelope = rewrapEscrowedKey({ ...awaited, blob: escrowedKey, certifiedPublicKey: publicKey });
      const delivery = { certificate, envelope };
      this.#await(transactionId, delivery);
      return delivery;
    } catch (error) {
      if (error instanceof CfcaEscrowError) return undefined;
      throw error;
    }
  }

  #await(transactionId: string, awaited: Awaited): void {
    this.#forget(transactionId);
    this.#awaited.set(transactionId, awaited);
    const [oldest] = this.#awaited.keys();
    if (oldest !== undefined && this.#awaited.size > maxAwaited) this.#forget(oldest);
  }

  #forget(transactionId: string): void {
    const awaited = this.#awaited.get(transactionId);
    if (awaited && 'temporaryPrivateKey' in awaited) awaited.temporaryPrivateKey.fill(0);
    this.#awaited.delete(transactionId);
  }

  #head(transactionId: Uint8Array): Pick<RequestDocument, 'version' | 'transactionId' | 'nonce' | 'time'> {
    if (transactionId.length !== identifierBytes) throw new RangeError('a transactionID has 16 bytes');
    return { ...this.#commonHead(), transactionId: toHex(transactionId) };
  }

  #commonHead(): Pick<RequestDocument, 'version' | 'nonce' | 'time'> {
    const { now, timeIsKnown = () => true } = this.#options;
    return { version: 1, nonce: freshNonce(), ...(timeIsKnown() && { time: now().toISOString() }) };
  }

  /** Sends a signed document; returns an authentic answer to just that, refusals as errors. */
  async #post(
    path: string,
    { type: to, transactionId, nonce }: RequestDocument,
    body: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly answer: Exclude<AnswerDocument, { status: 'refused' }>; readonly reply: Bytes }> {
    const headers = { 'content-type': contentType, accept: contentType, 'idempotency-key': transactionId };
    const { answer, reply } = await this.#ask(
      { method: 'POST', path: `/enrolments${path}`, headers, body, signal },
      { to, transactionId, nonce },
    );
    if (answer.status === 'refused') throw refusal(answer);
    return { answer, reply };
  }

  #state(
    transactionId: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly answer: AnswerDocument; readonly reply: Bytes }> {
    const nonce = freshNonce();
    const path = `/enrolments/${transactionId}?nonce=${nonce}`;
    const headers = { accept: contentType };
    return this.#ask({ method: 'GET', path, headers, signal }, { to: 'state', transactionId, nonce });
  }

  #ofKey(
    key: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly answer: AnswerDocument; readonly reply: Bytes }> {
    const nonce = freshNonce();
    const headers = { accept: contentType };
    return this.#ask(
      { method: 'GET', path: `/keys/${key}?nonce=${nonce}`, headers, signal },
      { to: 'key', key, nonce },
    );
  }

  async #ask(
    request: {
      readonly method: 'GET' | 'POST';
      readonly path: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: Uint8Array;
      readonly signal: AbortSignal | undefined;
    },
    question: Question,
  ): Promise<{ readonly answer: AnswerDocument; readonly reply: Bytes }> {
    const { fetch, timeoutMs, url } = this.#options;
    const { path, ...rest } = request;
    const received = await exchange(
      { fetch, timeoutMs },
      { ...rest, url: `${url.replace(/\/$/u, '')}${path}`, maxBytes: maxDocumentBytes },
    );
    const reply = received.body;
    const answer = await this.#authentic(reply).catch((error: unknown) => {
      // A signed answer counts whatever the status code; without one the code may say more than "unreadable".
      if (error instanceof CaError && error.code !== 'mismatch') throwForStatus(received);
      throw error;
    });
    const isAbout = 'key' in question ? answer.key === question.key : answer.transactionId === question.transactionId;
    if (answer.to !== question.to || answer.nonce !== question.nonce || !isAbout) {
      throw new CaError('mismatch', 'an answer to another request');
    }
    return { answer, reply };
  }

  /** @throws CaError `notTrusted` unless the authority, under a pinned anchor, has signed the answer */
  async #authentic(body: Bytes): Promise<AnswerDocument> {
    const { anchors, intermediates = [], now, signerRule = 'caOnly' } = this.#options;
    const { signedBytes: message, document, signature, certificates } = readSignedAnswer(body);
    const [leaf, ...others] = certificates;
    const signer = leaf && readable(leaf);
    if (!signer) throw new CaError('notTrusted', 'an answer without the certificate of who signed it');
    const { spki, keyAlgorithm, keyUsage } = signer;
    const algorithm = signatureOidFor(keyAlgorithm);
    if (keyUsage && !keyUsage.has('digitalSignature')) throw new CaError('notTrusted', 'the signer may not sign');
    if (!(await verifySignature({ spki, algorithm, message, signature }))) {
      throw new CaError('notTrusted', 'the signature does not verify');
    }
    if (signerRule === 'caOnly' && !signer.isCa && !signer.extendedKeyUsage?.has(cmcCa)) {
      throw new CaError('notTrusted', 'signed by a certificate that may not speak for the authority');
    }
    const pool = [...others, ...intermediates];
    const chain = await verifyChain({ leaf: signer.der, intermediates: pool, anchors, at: now() });
    if (!chain.ok) throw new CaError('notTrusted', `the signing certificate is not trusted: ${chain.reason}`);
    return readAnswerDocument(document);
  }
}

/** Nothing is delivered for the temporary key of this form: see `prepareEncryptionRequest`. */
async function cfcaCsr(content: Parameters<typeof createCfcaRequest>[0]): Promise<Bytes> {
  const { der, temporaryKey } = await createCfcaRequest(content);
  temporaryKey.privateKey.fill(0);
  return der;
}

const freshNonce = (): string => toHex(crypto.getRandomValues(new Uint8Array(identifierBytes)));

/** What an answer said that was verified when it came. */
const ownReply = (reply: Uint8Array): AnswerDocument => readAnswerDocument(readSignedAnswer(reply).document);

function refusal({ failInfo, text, retryAfterSeconds }: Extract<AnswerDocument, { status: 'refused' }>): CaError {
  const code = meaningOf(failInfo) === 'later' ? 'unavailable' : 'rejected';
  const reasons = failInfo.join(', ') || 'no reason given';
  return new CaError(code, `the authority refused: ${reasons}`, {
    failInfo,
    text,
    retryAfterSeconds: retryAfterSeconds === undefined ? undefined : boundedWait(retryAfterSeconds),
  });
}

function readable(der: Uint8Array): Certificate | undefined {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

/** @throws CaError `mismatch` for a certificate of another key than the one with this SHA-256 */
async function assertOfKey(certificate: Uint8Array, digest: Uint8Array): Promise<void> {
  const spki = readable(certificate)?.spki;
  const found = spki && new Uint8Array(await crypto.subtle.digest('SHA-256', concat(spki)));
  if (!found || !bytesEqual(found, digest)) throw new CaError('mismatch', 'a certificate of another key');
}

/** 04 ‖ X ‖ Y of a certificate for an SM2 key. */
function sm2KeyOf(certificate: Uint8Array): Bytes | undefined {
  const spki = readable(certificate)?.spki;
  const key = spki && readSpki(spki);
  return key?.algorithm === 'sm2' ? concat(key.publicKey) : undefined;
}

function readEnvelope(der: Uint8Array): EnvelopedKey | undefined {
  try {
    return decodeEnvelopedKey(der);
  } catch (error) {
    if (error instanceof EnvelopedKeyError) return undefined;
    throw error;
  }
}
