import { parseCfcaRequest, verifyCfcaRequest } from '../../src/ca/cfca-request.ts';
import { readSpki } from '../../src/pki/algorithms.ts';
import { bytesEqual, copyBytes, type Bytes } from '../../src/pki/bytes.ts';
import { parseCertificate, type Certificate } from '../../src/pki/certificate.ts';
import { CsrError, parseCsr, verifyCsr, type Csr } from '../../src/pki/csr.ts';
import { DerError } from '../../src/pki/der.ts';
import { encodeEnvelopedKey } from '../../src/pki/enveloped-key.ts';
import { sm2IsPublicKey } from '../../src/pki/sm2.ts';
import { checkContent, checkMayHaveEncryption, proveRequest } from './admission.ts';
import { issuedIn } from './answers.ts';
import type { Sender } from './authentication.ts';
import { escrowBlob } from './cfca-escrow.ts';
import { envelopeFor, makeEncryptionKeyPair, type EncryptionKeyPair } from './encryption-key.ts';
import type { Granted, Issuance } from './issuance.ts';
import { fingerprint, type Exchange, type RestKind, type RestTransaction } from './ledger.ts';
import { Refusal } from './refusal.ts';
import type { ContentOf } from './rest-documents.ts';
import { encryptionContent, refused, type Made, type RestAnswer, type RestAnswers } from './rest-responder-answers.ts';
import type { Received } from './rest-responder-request.ts';

interface Wanted {
  readonly kind: RestKind;
  /** As the ledger keeps it. */
  readonly csr: Bytes;
  /** DER SubjectPublicKeyInfo to be certified; undefined where the key pair is made here. */
  readonly spki: Bytes | undefined;
}

/** Requests for certificates: judged, kept waiting, or issued. */
export class RestIssuing {
  readonly #issuance: Issuance;
  readonly #answers: RestAnswers;

  constructor(issuance: Issuance, answers: RestAnswers) {
    this.#issuance = issuance;
    this.#answers = answers;
  }

  async takeEnrolment(received: Received, { form, csr }: ContentOf<'enrolment'>): Promise<RestAnswer> {
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

  async takeEncryption(received: Received, content: ContentOf<'encryption'>): Promise<RestAnswer> {
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
      const answer = await this.#answers.answer(received, refused(refusal));
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
      const answer = await this.#answers.answer(received, { status: 'waiting', checkAfterSeconds });
      await ledger.append({ type: 'waiting', transactionId, ...description, exchange: answer.exchange });
      return answer;
    }
    const made = await this.#make(wanted, granted, sender.certificate);
    const confirmBy = this.#confirmBy(granted);
    const answer = await this.#answers.answer(
      received,
      this.#answers.issuedStanding(made, wanted.csr, granted, confirmBy),
    );
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

  /** A stand-in for the staff's decision: it falls once it has been asked for so often. */
  async decideWaiting(transaction: RestTransaction): Promise<void> {
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
}

/** A request as the ledger keeps it. */
const described = ({ kind, csr, spki }: Wanted, sender: Pick<Sender, 'fingerprint'>) => ({
  oldCertificate: sender.fingerprint,
  kind,
  csr,
  ...(spki && { publicKey: fingerprint(spki) }),
});

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
