import { buildMessage, CmpFormatError, parseMessage } from '../../src/ca/cmp-messages.ts';
import { oids } from '../../src/pki/algorithms.ts';
import type { Bytes } from '../../src/pki/bytes.ts';
import {
  bitString,
  encode,
  explicit,
  isContext,
  parseDer,
  raw,
  readSequence,
  sequence,
  sourceBytes,
} from '../../src/pki/der.ts';
import type { Incoming } from './faults.ts';
import { generateKey, type KeyType } from './keys.ts';

/** A PKIMessage that came in. */
export const incomingCmp = (message: Uint8Array, answer: Incoming['answer']): Incoming => ({
  answer,
  unprotectedError: () => unprotectedError(message),
  protectedAnew,
});

function isMessage(bytes: Uint8Array): boolean {
  try {
    parseMessage(bytes);
    return true;
  } catch (error) {
    if (error instanceof CmpFormatError) return false;
    throw error;
  }
}

/** An error in the name of the authority that the message is addressed to, without protection. */
async function unprotectedError(message: Uint8Array): Promise<Bytes | undefined> {
  if (!isMessage(message)) return undefined;
  const { header } = parseMessage(message);
  return buildMessage({
    sender: header.recipient?.der ?? header.sender.der,
    recipient: header.sender.der,
    transactionId: header.transactionId,
    senderNonce: crypto.getRandomValues(new Uint8Array(16)),
    recipNonce: header.senderNonce,
    body: { type: 'error', status: { status: 'rejection', failInfo: ['certRevoked'] } },
  });
}

const keyTypes: ReadonlyMap<string | undefined, KeyType> = new Map<string | undefined, KeyType>([
  [oids.sm2WithSm3, 'sm2'],
  [oids.ecdsaWithSha256, 'p256'],
  [oids.sha256WithRsa, 'rsa'],
]);

/** The same message, protected by a key made for this alone. */
async function protectedAnew(message: Bytes): Promise<Bytes> {
  const { header, protectedPart } = parseMessage(message);
  const key = await generateKey(keyTypes.get(header.protectionAlgorithm) ?? 'sm2');
  const protection = explicit(0, bitString(await key.sign(protectedPart)));
  const parts = readSequence(parseDer(message));
  return encode(sequence(...parts.map((part) => (isContext(part, 0) ? protection : raw(sourceBytes(part))))));
}
