import { retireOld, type Kept } from '../../renewal/retirement.ts';
import type { Stopped } from '../../renewal/outcome.ts';
import { afterRenewal } from './after-renewal.ts';
import type { OpenQuestion } from './ask-password.ts';
import { holdPage } from './hold-page.ts';
import { troubleOf, type KeyTrouble, type Reading } from './usbkey.svelte.ts';

export type RetirementView =
  | { readonly at: 'offered' }
  | { readonly at: 'password'; readonly question: OpenQuestion }
  | { readonly at: 'working' }
  | { readonly at: 'retired' }
  | { readonly at: 'kept'; readonly because: Kept }
  | { readonly at: 'stopped'; readonly outcome: Stopped }
  | { readonly at: 'trouble'; readonly trouble: KeyTrouble };

/** Deleting the old container after a renewal, because the person wants it. */
export class RetirementState {
  view = $state.raw<RetirementView>({ at: 'offered' });
  readonly #left = new AbortController();

  /** The component that shows this is gone: no question can be answered any more, and the key is let go of. */
  leave(): void {
    this.#left.abort();
  }

  async start(reading: Reading, transactionId: string): Promise<void> {
    this.#show({ at: 'working' });
    try {
      const retirement = await afterRenewal(
        reading,
        {
          show: (question) => this.#show({ at: 'password', question }),
          answered: () => this.#show({ at: 'working' }),
          left: this.#left.signal,
        },
        (ports, askPassword) => retireOld(ports, { transactionId, askPassword }),
      );
      if (retirement.kind === 'retired') this.#show({ at: 'retired' });
      else if (retirement.kind === 'kept') this.#show({ at: 'kept', because: retirement.because });
      else if (retirement.reason === 'cancelled') this.#show({ at: 'offered' });
      else this.#show({ at: 'stopped', outcome: retirement });
    } catch (error) {
      this.#show({ at: 'trouble', trouble: troubleOf(error) });
    }
  }

  #show(view: RetirementView): void {
    this.view = view;
    holdPage(view.at === 'working');
  }
}
