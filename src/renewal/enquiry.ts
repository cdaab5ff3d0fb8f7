import { CaError, type EnrolmentAnswer, type EnrolmentState } from '../ca/authority.ts';
import { transactionIdBytes } from './container-name.ts';
import type { JournalRecord } from './journal.ts';
import { Stop, type Step } from './outcome.ts';
import type { Work } from './work.ts';

export type Issued = Extract<EnrolmentAnswer, { readonly kind: 'issued' }>;
/** The authority does not take these bytes, and knows of no others. */
export interface Rejected {
  readonly kind: 'rejected';
  readonly error: CaError;
}
/** What became of a request. What was confirmed counts as issued: confirming once more is harmless. */
export type Found = EnrolmentAnswer | Rejected | { readonly kind: 'unknown' | 'withdrawn' };

/** Longer than this altogether nobody should sit and wait: the run stops and says when to come back. */
const longestWaitSeconds = 600;

/** One request at the authority, by its transactionID, from the first sending until something is issued. */
export class Enquiry {
  readonly #work: Work;
  readonly #id: Uint8Array;
  readonly #step: Step;
  readonly #keep: (reply: Uint8Array) => Promise<unknown>;

  /**
   * @param transactionId 32 hex digits
   * @param keep journals the authority's last message, so that it can be asked again after an interruption
   */
  constructor(work: Work, transactionId: string, step: Step, keep: (reply: Uint8Array) => Promise<unknown>) {
    this.#work = work;
    this.#id = transactionIdBytes(transactionId);
    this.#step = step;
    this.#keep = keep;
  }

  /** Sends a request, which is in the journal, for the first time. @returns undefined when no answer came of it */
  async send(request: Uint8Array): Promise<EnrolmentAnswer | Rejected | undefined> {
    const { authority } = this.#work.ports;
    try {
      return await authority.submit(request, this.#work.options.signal);
    } catch (error) {
      if (!(error instanceof CaError) || error.code === 'cancelled') throw error;
      if (error.code !== 'rejected' || error.failInfo.includes('transactionIdInUse')) return undefined;
      return { kind: 'rejected', error };
    }
  }

  /** What became of it, as the authority says. */
  lookUp(): Promise<EnrolmentState> {
    const { ports, options } = this.#work;
    return this.#work.retrying(() => ports.authority.lookUp(this.#id, options.signal));
  }

  /**
   * What became of a request whose answer is not in the journal: the authority is asked, and only when it never arrived
   * the same bytes are sent again.
   * @param request the journaled bytes, where they are known here
   */
  find(request: Uint8Array | undefined): Promise<Found> {
    const { ports, options } = this.#work;
    return this.#work.retrying(async () => {
      const state = await ports.authority.lookUp(this.#id, options.signal);
      if (state.kind === 'confirmed') return asIssued(state);
      return state.kind === 'unknown' && request ? this.#resend(request) : state;
    });
  }

  async #resend(request: Uint8Array): Promise<EnrolmentAnswer | Rejected> {
    try {
      return await this.#work.ports.authority.submit(request, this.#work.options.signal);
    } catch (error) {
      if (!(error instanceof CaError) || error.code !== 'rejected') throw error;
      // transactionIdInUse here means that the first copy arrived after all: ask again (RFC 9810 §5.1.1).
      if (error.failInfo.includes('transactionIdInUse'))
        throw new CaError('unavailable', 'the request arrived late', {}, { cause: error });
      return { kind: 'rejected', error };
    }
  }

  /**
   * Waits where the authority wants time, within bounds.
   * @throws Stop `caWaits` when it wants more
   */
  async issued(record: JournalRecord, first: EnrolmentAnswer): Promise<Issued | { readonly kind: 'withdrawn' }> {
    let answer: EnrolmentAnswer | { readonly kind: 'withdrawn' } = first;
    let waited = 0;
    while (answer.kind === 'waiting') {
      const { reply, checkAfterSeconds } = answer;
      await this.#keep(reply);
      const milliseconds = checkAfterSeconds * 1_000;
      waited += checkAfterSeconds;
      if (waited > longestWaitSeconds) throw new Stop({ reason: 'caWaits', comeBackAt: Date.now() + milliseconds });
      this.#work.waitingAt(this.#step, milliseconds);
      await this.#work.waitWithKey(milliseconds);
      answer = await this.#poll(record, reply);
    }
    return answer;
  }

  async #poll(record: JournalRecord, reply: Uint8Array): Promise<EnrolmentAnswer | { readonly kind: 'withdrawn' }> {
    const { ports, options, asksAnew } = this.#work;
    try {
      return await this.#work.asOld(record, 'poll', (old) => {
        const poll = (): Promise<EnrolmentAnswer> => ports.authority.poll(reply, old, options.signal);
        // Each try is signed anew, and nobody wants to type a password because the network is slow.
        return asksAnew ? poll() : this.#work.retrying(poll);
      });
    } catch (error) {
      if (!(error instanceof CaError) || error.code !== 'rejected') throw error;
      // A poll that is refused does not end the transaction: what became of that, the authority says elsewhere.
      const state = await this.lookUp();
      switch (state.kind) {
        case 'withdrawn':
          return { kind: 'withdrawn' };
        case 'confirmed':
          return asIssued(state);
        case 'issued':
          return state;
        default:
          throw error;
      }
    }
  }

  /**
   * Tells the authority that a certificate it issued is not wanted, so that it does not stay without an owner.
   * @param reply the message that issued it
   */
  async refuse(record: JournalRecord, reply: Uint8Array): Promise<void> {
    const { ports, options } = this.#work;
    const refusal = await this.#work.asOld(record, 'confirmation', (old) =>
      ports.authority.prepareConfirmation(reply, false, old),
    );
    try {
      await this.#work.retrying(() => ports.authority.confirm(refusal, options.signal));
    } catch (error) {
      // It has withdrawn it by itself.
      if (!(error instanceof CaError) || error.code !== 'rejected') throw error;
    }
  }
}

const asIssued = (state: Extract<EnrolmentState, { readonly kind: 'confirmed' }>): Issued => ({
  ...state,
  kind: 'issued',
  chain: [],
});
