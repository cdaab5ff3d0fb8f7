import type { Issuance } from './issuance.ts';
import { isOfRest, type RestTransaction, type Transaction } from './ledger.ts';
import { Refusal } from './refusal.ts';
import {
  noTransaction,
  readSignedRequest,
  type Question,
  type SignedRequest,
  type Standing,
} from './rest-documents.ts';
import { question, refused, RestAnswers, type RestAnswer } from './rest-responder-answers.ts';
import { takeConfirmation } from './rest-responder-confirmation.ts';
import { RestIssuing } from './rest-responder-issuing.ts';
import { authorityFor, receive, type Received, type Route } from './rest-responder-request.ts';

export type { RestAnswer } from './rest-responder-answers.ts';
export type { Route } from './rest-responder-request.ts';

/**
 * The authority's side of rest-enrolment: a certificate is asked for by a document that the old key signs, and every
 * answer is signed here. Decisions, ledger and certificates are those of CMP.
 */
export class RestResponder {
  readonly #issuance: Issuance;
  readonly #answers: RestAnswers;
  readonly #issuing: RestIssuing;

  constructor(issuance: Issuance) {
    this.#issuance = issuance;
    this.#answers = new RestAnswers(issuance);
    this.#issuing = new RestIssuing(issuance, this.#answers);
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
        return this.#answers.say(authorityFor(request, this.#issuance), question(request), refused(refusal));
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
    if (known?.status === 'waiting') await this.#issuing.decideWaiting(known);
    const transaction = known && ledger.transaction(known.transactionId);
    const standing: Standing =
      transaction && isOfRest(transaction) ? this.#answers.standingOf(transaction) : { status: 'unknown' };
    return this.#answers.say(this.#issuance.answering(old?.authority), asked, standing);
  }

  async #handle(request: SignedRequest, route: Route, idempotencyKey: string | undefined): Promise<RestAnswer> {
    const { received, content } = await receive(request, route, idempotencyKey, this.#issuance);
    const { transaction } = received;
    if (content.type === 'confirmation') return takeConfirmation(received, content, this.#issuance, this.#answers);
    if (transaction) return this.#repeat(received, transaction);
    return content.type === 'enrolment'
      ? this.#issuing.takeEnrolment(received, content)
      : this.#issuing.takeEncryption(received, content);
  }

  /** A transaction that has begun: the same bytes again get how it stands, others nothing. */
  async #repeat(received: Received, transaction: RestTransaction): Promise<RestAnswer> {
    const { isRepeat } = received;
    if (!isRepeat || transaction.status === 'withdrawn' || this.#issuance.policy.onRepeat === 'transactionIdInUse') {
      throw new Refusal('transactionIdInUse', 'the transactionId is in use');
    }
    const standing = this.#answers.standingOf(transaction);
    // Issued it was, to the request; that it is confirmed since is another question's answer.
    return this.#answers.answer(
      received,
      standing.status === 'confirmed' ? this.#answers.issuedAgain(transaction) : standing,
    );
  }
}
