import { createHash } from 'node:crypto';
import { parseMessage } from '../../src/ca/cmp-messages.ts';
import { readRequest } from '../../src/ca/rest-enrolment-documents.ts';
import { toHex } from '../../src/pki/bytes.ts';

/** What a message to the authority is, in either protocol. */
export interface Sent {
  readonly kind: 'signing' | 'encryption' | 'accepted' | 'refused' | 'other';
  /** 32 hex digits. */
  readonly transactionId: string;
  readonly asksForImplicitConfirmation: boolean;
}

const openingBrace = 0x7b;

export function readSent(body: Uint8Array): Sent {
  return body[0] === openingBrace ? readDocument(body) : readCmp(body);
}

function readDocument(body: Uint8Array): Sent {
  const document = readRequest(body);
  const { transactionId } = document;
  const asksForImplicitConfirmation = false;
  if (document.type === 'confirmation')
    return { kind: document.accepted ? 'accepted' : 'refused', transactionId, asksForImplicitConfirmation };
  return {
    kind: document.type === 'enrolment' ? 'signing' : 'encryption',
    transactionId,
    asksForImplicitConfirmation,
  };
}

function readCmp(body: Uint8Array): Sent {
  const { header, body: content } = parseMessage(body);
  const rest = {
    transactionId: toHex(header.transactionId ?? new Uint8Array()),
    asksForImplicitConfirmation: header.implicitConfirm,
  };
  switch (content.type) {
    case 'p10cr':
    case 'kur':
      return { kind: 'signing', ...rest };
    case 'cr':
      return { kind: 'encryption', ...rest };
    case 'certConf': {
      const isRefusal = content.statuses.some(({ status }) => status?.status === 'rejection');
      return { kind: isRefusal ? 'refused' : 'accepted', ...rest };
    }
    default:
      return { kind: 'other', ...rest };
  }
}

/** The transactionIDs under which the encryption certificate of a transaction may be asked for. */
export const encryptionIdsOf = (transactionId: string): readonly string[] =>
  Array.from({ length: 16 }, (_unused, attempt) =>
    createHash('sha256')
      .update('encryption')
      .update(Buffer.from(transactionId, 'hex'))
      .update(Uint8Array.of(attempt))
      .digest('hex')
      .slice(0, 32),
  );
