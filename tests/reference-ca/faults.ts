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
import { HttpProblem } from './http.ts';
import { generateKey, type KeyType } from './keys.ts';

/** What may go wrong with one message, on demand. */
export type Fault =
  /** The connection ends before anything is done. */
  | 'dropRequest'
  /** Everything is done, and the connection ends without an answer. */
  | 'dropAnswer'
  /** 500, nothing done. */
  | 'serverError'
  /** Everything is done; the answer comes once `release` is called. */
  | 'slow'
  /** Everything is done; random bytes of the right media type come. */
  | 'garbage'
  /** Everything is done; the answer is protected by a key that is not the authority's. */
  | 'wrongKey'
  /** Everything is done; the answer is the one that was given before. */
  | 'replay'
  /** Nothing is done; an error comes that anybody could have written. */
  | 'unprotectedError';

type Answer = () => Promise<Bytes | undefined>;

/** Faults for the messages to come, in order, one each; after them all goes well. */
export class Faults {
  readonly #coming: Fault[];
  #last: Bytes | undefined;
  #held: (() => void)[] = [];

  constructor(coming: readonly Fault[] = []) {
    this.#coming = [...coming];
  }

  next(...faults: readonly Fault[]): void {
    this.#coming.push(...faults);
  }

  /** How many answers are held back. */
  get held(): number {
    return this.#held.length;
  }

  /** Lets the answers go that are held back. */
  release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  /**
   * Answers a message, well or not.
   * @returns undefined where the message is no PKIMessage; `'drop'` where the connection is to end
   * @throws HttpProblem
   */
  async apply(message: Uint8Array, answer: Answer): Promise<Bytes | 'drop' | undefined> {
    const before = this.#last;
    const fault = this.#coming.shift();
    switch (fault) {
      case 'dropRequest':
        return 'drop';
      case 'serverError':
        throw new HttpProblem(500, 'The request could not be processed.');
      case 'unprotectedError':
        // What is no message is answered as ever.
        return isMessage(message) ? unprotectedError(message) : answer();
      default:
    }
    const given = await answer();
    this.#last = given;
    if (!given || !fault) return given;
    switch (fault) {
      case 'dropAnswer':
        return 'drop';
      case 'slow':
        await new Promise<void>((resolve) => this.#held.push(resolve));
        return given;
      case 'garbage':
        return crypto.getRandomValues(new Uint8Array(200));
      case 'wrongKey':
        return protectedAnew(given);
      case 'replay':
        return before ?? given;
    }
  }
}

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
function unprotectedError(message: Uint8Array): Promise<Bytes> {
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
