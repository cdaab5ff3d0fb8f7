import { contentInUse } from '../../service/content-update.ts';
import { filled } from '../numbers.ts';
import { readFaq } from '../packs/read.ts';
import type { Text } from '../text.ts';
import type { Block, FaqEntry, FaqTopic } from './entry.ts';

/** The questions that hold now, and how they are typed as pinyin, by id. */
export interface Faq {
  readonly entries: readonly FaqEntry[];
  readonly pinyin: Readonly<Record<string, readonly string[]>>;
}

const filledText = (text: Text): Text => ({ 'zh-CN': filled(text['zh-CN']), en: filled(text.en) });
const filledBlock = (block: Block): Block =>
  typeof block === 'string'
    ? filled(block)
    : 'list' in block
      ? { list: block.list.map(filled) }
      : { steps: block.steps.map(filled) };

/** An entry with the numbers that hold. */
export const filledEntry = (entry: FaqEntry): FaqEntry => ({
  ...entry,
  question: filledText(entry.question),
  answer: { 'zh-CN': entry.answer['zh-CN'].map(filledBlock), en: entry.answer.en.map(filledBlock) },
});

/**
 * The questions of the site with those of a pack: one of the same id takes the place of the site's own, new ones come
 * after those of their topic, withdrawn ones go.
 */
export function merge(own: Faq, published: Faq & { readonly withdrawn: readonly string[] }): Faq {
  const replaced = new Map(published.entries.map((entry) => [entry.id, entry]));
  const withdrawn = new Set(published.withdrawn);
  const known = new Set(own.entries.map(({ id }) => id));
  const entries = [
    ...own.entries.map((entry) => replaced.get(entry.id) ?? entry),
    ...published.entries.filter(({ id }) => !known.has(id)),
  ].filter(({ id }) => !withdrawn.has(id));
  return { entries, pinyin: { ...own.pinyin, ...published.pinyin } };
}

let loading: Promise<Faq> | undefined;
let atHand: Faq | undefined;

async function load(): Promise<Faq> {
  const [{ allFaq }, { faqPinyin }, inUse] = await Promise.all([
    import('./all.ts'),
    import('./pinyin.ts'),
    contentInUse('faq', readFaq),
  ]);
  const own: Faq = { entries: allFaq, pinyin: faqPinyin };
  const all = inUse
    ? merge(own, {
        entries: inUse.content.entries,
        pinyin: Object.fromEntries(inUse.content.entries.map(({ id, pinyin }) => [id, pinyin])),
        withdrawn: inUse.content.withdrawn,
      })
    : own;
  atHand = { ...all, entries: all.entries.map(filledEntry) };
  return atHand;
}

/** All questions that hold now; read once a visit. Rejects when they could not be fetched. */
export function loadFaq(): Promise<Faq> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

/** What `loadFaq` gave, once it has. */
export const faqAtHand = (): Faq | undefined => atHand;

/** The questions of one topic. */
export async function loadTopic(topic: FaqTopic): Promise<readonly FaqEntry[]> {
  return (await loadFaq()).entries.filter((entry) => entry.topic === topic);
}
