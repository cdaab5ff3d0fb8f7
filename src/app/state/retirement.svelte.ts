import { indexedDbJournal } from '../../renewal/indexeddb-journal.ts';
import { retireOld, type Kept } from '../../renewal/retirement.ts';
import type { Stopped } from '../../renewal/outcome.ts';
import { clock } from '../../service/clock.ts';
import { askOnPage, type OpenQuestion } from './ask-password.ts';
import { holdPage } from './hold-page.ts';
import { troubleOf, usbkey, type KeyTrouble, type Reading } from './usbkey.svelte.ts';

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

  async start(reading: Reading, transactionId: string): Promise<void> {
    this.#show({ at: 'working' });
    try {
      const retirement = await usbkey.withKey(reading.attached, (key) =>
        retireOld(
          {
            key,
            journal: indexedDbJournal,
            now: () => clock.now(),
            randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
          },
          {
            transactionId,
            askPassword: askOnPage(key, {
              show: (question) => this.#show({ at: 'password', question }),
              answered: () => this.#show({ at: 'working' }),
            }),
          },
        ),
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
