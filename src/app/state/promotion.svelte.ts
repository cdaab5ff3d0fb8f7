import type { Stopped } from '../../renewal/outcome.ts';
import { promoteNew, type Stays } from '../../renewal/promotion.ts';
import { afterRenewal } from './after-renewal.ts';
import type { OpenQuestion } from './ask-password.ts';
import { holdPage } from './hold-page.ts';
import { troubleOf, type KeyTrouble, type Reading } from './usbkey.svelte.ts';

export type PromotionView =
  | { readonly at: 'offered' }
  | { readonly at: 'question'; readonly question: OpenQuestion }
  | { readonly at: 'working' }
  | { readonly at: 'promoted' }
  | { readonly at: 'stays'; readonly because: Stays }
  | { readonly at: 'stopped'; readonly outcome: Stopped }
  | { readonly at: 'trouble'; readonly trouble: KeyTrouble };

/** Moving the new certificate to where other programs look, after a renewal, because the person wants it. */
export class PromotionState {
  view = $state.raw<PromotionView>({ at: 'offered' });
  readonly #left = new AbortController();

  /** The component that shows this is gone: no question can be answered any more, and the key is let go of. */
  leave(): void {
    this.#left.abort();
  }

  async start(reading: Reading, transactionId: string): Promise<void> {
    this.#show({ at: 'working' });
    try {
      const promotion = await afterRenewal(
        reading,
        {
          show: (question) => this.#show({ at: 'question', question }),
          answered: () => this.#show({ at: 'working' }),
          left: this.#left.signal,
        },
        (ports, askPassword) => promoteNew(ports, { transactionId, askPassword }),
      );
      if (promotion.kind === 'promoted') this.#show({ at: 'promoted' });
      else if (promotion.kind === 'stays') this.#show({ at: 'stays', because: promotion.because });
      else if (promotion.reason === 'cancelled') this.#show({ at: 'offered' });
      else this.#show({ at: 'stopped', outcome: promotion });
    } catch (error) {
      this.#show({ at: 'trouble', trouble: troubleOf(error) });
    }
  }

  #show(view: PromotionView): void {
    this.view = view;
    holdPage(view.at === 'working');
  }
}
