import type { FaqEntry, FaqTopic } from './entry.ts';

/** The questions of one topic, fetched when asked for. */
export const faqByTopic: Readonly<Record<FaqTopic, () => Promise<readonly FaqEntry[]>>> = {
  renew: async () => (await import('./renew.ts')).renewFaq,
  upgrade: async () => (await import('./upgrade.ts')).upgradeFaq,
  unlock: async () => (await import('./unlock.ts')).unlockFaq,
  replace: async () => (await import('./replace.ts')).replaceFaq,
  new: async () => (await import('./new.ts')).newFaq,
  computer: async () => (await import('./computer.ts')).computerFaq,
  service: async () => (await import('./service.ts')).serviceFaq,
};
