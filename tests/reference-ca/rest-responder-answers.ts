import type { Bytes } from '../../src/pki/bytes.ts';
import { issuedIn } from './answers.ts';
import type { Authority } from './hierarchy.ts';
import type { Granted, Issuance } from './issuance.ts';
import { fingerprint, type Exchange, type RestTransaction } from './ledger.ts';
import {
  readContent,
  signAnswer,
  type ContentOf,
  type Question,
  type SignedRequest,
  type Standing,
} from './rest-documents.ts';
import type { Received } from './rest-responder-request.ts';

export interface RestAnswer {
  /** Of HTTP. */
  readonly status: number;
  readonly body: Bytes;
}

/** What is issued, before it is in the ledger. */
export interface Made {
  readonly certificate: Bytes;
  readonly spki: Bytes;
  readonly encryptedKey?: Bytes;
  readonly escrowedPrivateKey?: Bytes;
}

/** What an answer to a request repeats of it. */
export const question = ({ head: { type, transactionId, nonce } }: SignedRequest): Question => ({
  to: type,
  transactionId,
  nonce,
});

const httpStatus = ({ status }: Standing, isState: boolean): number => {
  if (status === 'waiting') return 202;
  return status === 'refused' && !isState ? 403 : 200;
};

/** How a transaction stands, in words that are signed. */
export class RestAnswers {
  readonly #issuance: Issuance;

  constructor(issuance: Issuance) {
    this.#issuance = issuance;
  }

  standingOf(transaction: RestTransaction): Standing {
    const { status, refusal } = transaction;
    switch (status) {
      case 'waiting':
        return { status, checkAfterSeconds: this.#issuance.policy.checkAfterSeconds };
      case 'issued':
        return this.issuedAgain(transaction);
      case 'confirmed':
        return { ...this.issuedAgain({ ...transaction, confirmBy: undefined }), status };
      case 'withdrawn':
        return { status };
      case 'refused':
        return refused(refusal ?? { failInfo: [], text: '' });
    }
  }

  issuedAgain(transaction: RestTransaction): Standing & { readonly status: 'issued' } {
    const { request, encryptedKey, confirmBy, status } = transaction;
    const certificate = issuedIn(transaction);
    const authority = this.#issuance.ledger.certificate(certificate)?.authority;
    return this.#issued(
      { certificate, ...(encryptedKey && { encryptedKey }) },
      { csr: request, authority: this.#issuance.answering(authority) },
      status === 'confirmed' ? undefined : confirmBy,
    );
  }

  issuedStanding(made: Made, csr: Bytes, { grant }: Granted, confirmBy: number | undefined): Standing {
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

  async answer(
    { request, authority }: Received,
    standing: Standing,
  ): Promise<RestAnswer & { readonly exchange: Exchange }> {
    const answer = await this.say(authority, question(request), standing);
    const { nonce: senderNonce } = request.head;
    return { ...answer, exchange: { request: fingerprint(request.body), senderNonce, reply: answer.body } };
  }

  async say(authority: Authority, asked: Question, standing: Standing): Promise<RestAnswer> {
    const body = await signAnswer(authority, asked, standing, this.#issuance.now());
    return { status: httpStatus(standing, asked.to === 'state' || asked.to === 'key'), body };
  }
}

export const refused = ({ failInfo, text }: NonNullable<RestTransaction['refusal']>): Standing => ({
  status: 'refused',
  failInfo,
  text: [text],
});

const delivered = (
  encryptedKey: Bytes,
  { temporaryPublicKey }: ContentOf<'encryption'>,
): { readonly envelopedKey: Bytes } | { readonly escrowedKey: string } =>
  temporaryPublicKey ? { escrowedKey: new TextDecoder().decode(encryptedKey) } : { envelopedKey: encryptedKey };

/** The content of a document that was taken for one before. */
export function encryptionContent(document: Uint8Array): ContentOf<'encryption'> {
  const content = readContent(document);
  if (content.type !== 'encryption') throw new Error('no request for an encryption certificate');
  return content;
}
