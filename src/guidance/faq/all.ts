import { computerFaq } from './computer.ts';
import type { FaqEntry } from './entry.ts';
import { newFaq } from './new.ts';
import { renewFaq } from './renew.ts';
import { replaceFaq } from './replace.ts';
import { serviceFaq } from './service.ts';
import { unlockFaq } from './unlock.ts';
import { upgradeFaq } from './upgrade.ts';

/** Every question, by topic, the most asked first. Load lazily: a page that needs one topic imports that one. */
export const allFaq: readonly FaqEntry[] = [
  ...renewFaq,
  ...upgradeFaq,
  ...unlockFaq,
  ...replaceFaq,
  ...newFaq,
  ...computerFaq,
  ...serviceFaq,
];
