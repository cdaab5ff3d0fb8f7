import type { Cause } from '../diagnosis/causes.ts';
import type { Details } from '../diagnosis/check.ts';
import { say } from './i18n.svelte.ts';
import { causeWords, type CauseWords, type OwnCause } from './messages/causes.ts';
import { keyTrouble } from './messages/key-trouble.ts';
import type { KeyTrouble } from './state/key-trouble.ts';

export interface SaidCause {
  readonly found: string;
  readonly means: string;
  readonly todo: readonly string[];
}

/** What a cause is in words. Where a page says the same of a key, it is the same words. */
export function sayCause(cause: Cause, details: Details = {}): SaidCause {
  const own: Partial<Record<Cause, CauseWords>> = say(causeWords);
  const words = own[cause];
  if (words) {
    const { found, means, todo } = words;
    return { found: typeof found === 'string' ? found : found(details), means, todo };
  }
  const { happened, certificate, next } = say(keyTrouble)[cause as Exclude<Cause, OwnCause> & KeyTrouble];
  return { found: happened, means: certificate, todo: [next] };
}
