import type { FailInfo } from '../../src/ca/authority.ts';
import type { MessageContent } from '../../src/ca/cmp-messages.ts';
import type { Bytes } from '../../src/pki/bytes.ts';
import type { CmpTransaction, Transaction } from './ledger.ts';
import type { Refusal } from './refusal.ts';
import { answerTypes, requestId, type RequestKind } from './request.ts';

/* The bodies that answer a request. */

export type Body = MessageContent['body'];

export const waitingBody = (kind: RequestKind): Body => ({
  type: answerTypes[kind],
  responses: [{ certReqId: requestId(kind), status: { status: 'waiting' } }],
});

/** @param encryptedKey DER EncryptedKey, with an encryption certificate */
export const issuedBody = (kind: RequestKind, certificate: Bytes, encryptedKey?: Bytes): Body => ({
  type: answerTypes[kind],
  responses: [{ certReqId: requestId(kind), status: { status: 'accepted' }, certificate, privateKey: encryptedKey }],
});

export const refusalBody = (kind: RequestKind, failInfo: readonly FailInfo[], text: string): Body => ({
  type: answerTypes[kind],
  responses: [{ certReqId: requestId(kind), status: { status: 'rejection', failInfo, text: [text] } }],
});

/** An error that ends nothing but the exchange. */
export const errorBody = ({ failInfo, message }: Refusal): Body => ({
  type: 'error',
  status: { status: 'rejection', failInfo: [failInfo], text: [message] },
});

export function issuedIn({ certificate, transactionId }: Transaction): Bytes {
  if (!certificate) throw new Error(`transaction ${transactionId} issued no certificate`);
  return certificate;
}

export const issuedAgain = (transaction: CmpTransaction): Body =>
  issuedBody(transaction.kind, issuedIn(transaction), transaction.encryptedKey);
