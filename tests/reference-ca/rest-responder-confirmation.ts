import { toHex } from '../../src/pki/bytes.ts';
import { certHashOf } from './cert-hash.ts';
import type { Issuance } from './issuance.ts';
import { Refusal } from './refusal.ts';
import type { ContentOf } from './rest-documents.ts';
import type { RestAnswer, RestAnswers } from './rest-responder-answers.ts';
import type { Received } from './rest-responder-request.ts';

/** The holder keeps a certificate, or gives it back. @throws Refusal */
export async function takeConfirmation(
  received: Received,
  { accepted, certHash }: ContentOf<'confirmation'>,
  issuance: Issuance,
  answers: RestAnswers,
): Promise<RestAnswer> {
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
    return answers.answer(received, { status: 'withdrawn' });
  }
  if (status === 'confirmed') {
    if (!accepted) throw new Refusal('certConfirmed', 'the certificate of this transaction was confirmed');
    return answers.answer(received, { status: 'confirmed' });
  }
  const { ledger } = issuance;
  if (accepted) {
    if (kind === 'encryption') {
      throw new Refusal('badRequest', 'an encryption certificate is confirmed with its signing certificate');
    }
    const answer = await answers.answer(received, { status: 'confirmed' });
    const superseding = issuance.supersedes('onConfirm', transaction.oldCertificate);
    await ledger.append({ type: 'confirmed', transactionId, ...superseding, exchange: answer.exchange });
    return answer;
  }
  const reason = kind === 'encryption' ? 'deliveryRefused' : 'rejectedByHolder';
  const answer = await answers.answer(received, { status: 'withdrawn' });
  await ledger.append({ type: 'withdrawn', transactionId, reason, exchange: answer.exchange });
  await issuance.withdrawOrphans();
  return answer;
}
