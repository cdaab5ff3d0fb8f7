import type { AfterwardsOptions, AfterwardsPorts } from '../../renewal/finished.ts';
import type { Stopped } from '../../renewal/outcome.ts';
import { promoteNew, type Stays } from '../../renewal/promotion.ts';
import { retireOld, type Kept } from '../../renewal/retirement.ts';
import { afterRenewal } from './after-renewal.ts';
import type { OpenQuestion } from './ask-password.ts';
import { holdPage } from './hold-page.ts';
import { troubleOf, type KeyTrouble, type Reading } from './usbkey.svelte.ts';

/** How far it is with something done after a renewal; `Because` is why it was left undone. */
export type TidyingView<Because> =
  | { readonly at: 'offered' }
  | { readonly at: 'question'; readonly question: OpenQuestion }
  | { readonly at: 'working' }
  | { readonly at: 'done' }
  | { readonly at: 'undone'; readonly because: Because }
  | { readonly at: 'stopped'; readonly outcome: Stopped }
  | { readonly at: 'trouble'; readonly trouble: KeyTrouble };

type Ended<Because> = Extract<TidyingView<Because>, { readonly at: 'done' | 'undone' | 'stopped' }>;

/** Something done to the key after a renewal, because the person wants it. */
export class Tidying<Because> {
  view = $state.raw<TidyingView<Because>>({ at: 'offered' });
  readonly #left = new AbortController();
  readonly #work: (ports: AfterwardsPorts, options: AfterwardsOptions) => Promise<Ended<Because>>;

  constructor(work: (ports: AfterwardsPorts, options: AfterwardsOptions) => Promise<Ended<Because>>) {
    this.#work = work;
  }

  /** The component that shows this is gone: no question can be answered any more, and the key is let go of. */
  leave(): void {
    this.#left.abort();
  }

  async start(reading: Reading, transactionId: string): Promise<void> {
    this.#show({ at: 'working' });
    try {
      const ended = await afterRenewal(
        reading,
        {
          show: (question) => this.#show({ at: 'question', question }),
          answered: () => this.#show({ at: 'working' }),
          left: this.#left.signal,
        },
        (ports, askPassword) => this.#work(ports, { transactionId, askPassword }),
      );
      const isGivenUp = ended.at === 'stopped' && ended.outcome.reason === 'cancelled';
      this.#show(isGivenUp ? { at: 'offered' } : ended);
    } catch (error) {
      this.#show({ at: 'trouble', trouble: troubleOf(error) });
    }
  }

  #show(view: TidyingView<Because>): void {
    this.view = view;
    holdPage(view.at === 'working');
  }
}

/** Deleting the old container. */
export const retirement = (): Tidying<Kept> =>
  new Tidying(async (ports, options) => {
    const ended = await retireOld(ports, options);
    if (ended.kind === 'stopped') return { at: 'stopped', outcome: ended };
    return ended.kind === 'kept' ? { at: 'undone', because: ended.because } : { at: 'done' };
  });

/** Moving the new certificate to where other programs look. */
export const promotion = (): Tidying<Stays> =>
  new Tidying(async (ports, options) => {
    const ended = await promoteNew(ports, options);
    if (ended.kind === 'stopped') return { at: 'stopped', outcome: ended };
    return ended.kind === 'stays' ? { at: 'undone', because: ended.because } : { at: 'done' };
  });
