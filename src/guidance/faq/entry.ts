import type { AssumptionId, FlowSlug, RuleId } from '../rule-ids.ts';
import type { Language, Text } from '../text.ts';

export const faqTopics = ['renew', 'upgrade', 'unlock', 'replace', 'new', 'computer', 'service'] as const;
/** A flow, or one of the two chapters about the computer and about the service. */
export type FaqTopic = (typeof faqTopics)[number];
export const flowOfTopic = (topic: FaqTopic): FlowSlug | undefined =>
  topic === 'computer' || topic === 'service' ? undefined : topic;

/** A paragraph, a list, or steps in order. */
export type Block = string | { readonly list: readonly string[] } | { readonly steps: readonly string[] };

export interface FaqEntry {
  /** The slug in `/faq/:id`. */
  readonly id: string;
  readonly topic: FaqTopic;
  readonly question: Text;
  readonly answer: Readonly<Record<Language, readonly Block[]>>;
  /** Words people use that the question does not have. */
  readonly keywords: readonly string[];
  readonly rules: readonly RuleId[];
  /** Not empty: the guide does not settle this, and the page says so. */
  readonly assumptions: readonly AssumptionId[];
  /** Pages to go on to, best first. */
  readonly pages: readonly string[];
}

/** The plain text of an answer, for the search. */
export const plainAnswer = (blocks: readonly Block[]): string =>
  blocks
    .flatMap((block) => (typeof block === 'string' ? [block] : 'list' in block ? block.list : block.steps))
    .join('\n');
