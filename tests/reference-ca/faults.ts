import type { Bytes } from '../../src/pki/bytes.ts';
import { HttpProblem } from './http.ts';

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

/** A message that came in, and how the protocol it is of would answer it, well or not. */
export interface Incoming {
  /** Acts upon it and answers; undefined where it is no message. */
  readonly answer: () => Promise<Bytes | undefined>;
  /** An error in the authority's name that anybody could have written; undefined where it is no message. */
  readonly unprotectedError: () => Promise<Bytes | undefined>;
  /** An answer, protected by a key made for this alone. */
  readonly protectedAnew: (answer: Bytes) => Promise<Bytes>;
}

/** Makes of a certificate that is right what is issued in its place. */
export type CertificateChange = (perfect: Bytes, usage: 'signing' | 'encryption') => Promise<Bytes>;

/** Faults for the messages to come, in order, one each; after them all goes well. */
export class Faults {
  readonly #coming: Fault[];
  /** The last answer given in each protocol. */
  readonly #last = new Map<string, Bytes | undefined>();
  #held: (() => void)[] = [];
  readonly #changes: CertificateChange[] = [];

  constructor(coming: readonly Fault[] = []) {
    this.#coming = [...coming];
  }

  next(...faults: readonly Fault[]): void {
    this.#coming.push(...faults);
  }

  /** What becomes of the certificates to come, in order, one each; after them they are as they should be. */
  certify(...changes: readonly CertificateChange[]): void {
    this.#changes.push(...changes);
  }

  /** A certificate as it is issued. */
  async issued(perfect: Bytes, usage: 'signing' | 'encryption'): Promise<Bytes> {
    return (await this.#changes.shift()?.(perfect, usage)) ?? perfect;
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
   * @returns undefined where it is no message; `'drop'` where the connection is to end
   * @throws HttpProblem
   */
  async apply(protocol: 'cmp' | 'rest', incoming: Incoming): Promise<Bytes | 'drop' | undefined> {
    const before = this.#last.get(protocol);
    const fault = this.#coming.shift();
    switch (fault) {
      case 'dropRequest':
        return 'drop';
      case 'serverError':
        throw new HttpProblem(500, 'The request could not be processed.');
      case 'unprotectedError':
        // What is no message is answered as ever.
        return (await incoming.unprotectedError()) ?? incoming.answer();
      default:
    }
    const given = await incoming.answer();
    this.#last.set(protocol, given);
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
        return incoming.protectedAnew(given);
      case 'replay':
        return before ?? given;
    }
  }
}
