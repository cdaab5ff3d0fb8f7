import { updatePacks } from '../guidance/packs/update.ts';
import { clock } from '../service/clock.ts';
import { loadConfig } from '../service/config.ts';
import { getHotlineMessages } from '../service/hotline-messages.ts';
import { loadCentres } from './pages/guide-parts/load-centres.ts';
import { applyConfig, operatorWords } from './state/operator-words.ts';
import { hotlineMessages } from './state/hotline-messages.svelte.ts';
import { watchOutbox } from './state/outbox.ts';
import { site } from './state/site.svelte.ts';

/**
 * Once the first screen stands: bookings that wait for a network are sent from any page, the list of centres is fetched
 * for a later day without one; the operator's words as kept here, then as they are now, then newer content packs.
 */
export async function afterLoad(): Promise<void> {
  watchOutbox();
  void loadCentres(() => clock.now()).catch(() => undefined);
  await operatorWords();
  try {
    const config = await loadConfig();
    applyConfig(config);
    if (config.hotlineMessages) {
      hotlineMessages.list = await getHotlineMessages(config.api, clock.now()).catch(() => []);
      site.Messages = (await import('./components/HotlineMessages.svelte')).default;
    }
    await updatePacks(config);
  } catch {
    // Out of reach, or nothing can be kept here: everything stays as it is until the next visit.
  }
}
