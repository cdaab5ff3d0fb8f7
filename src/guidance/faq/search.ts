import MiniSearch, { type Query, type SearchOptions } from 'minisearch';
import { expand } from './synonyms.ts';

/** What can be found: a question in the language of the page, and all that helps to find it. */
export interface SearchDocument {
  readonly id: string;
  readonly title: string;
  /** The title in the other language. */
  readonly otherTitle: string;
  readonly keywords: readonly string[];
  readonly body: string;
  /** Runs of Chinese from title and keywords, as syllables without tones: `mi ma suo le`. */
  readonly pinyin: readonly string[];
}

export interface SearchHit {
  readonly id: string;
  readonly score: number;
}

export type Search = (query: string, limit?: number) => readonly SearchHit[];

const runs = /\p{Script=Han}+|[\p{L}\p{N}]+/gu;
const han = /^\p{Script=Han}/u;
const normalise = (text: string) => text.normalize('NFKC').toLowerCase();

/** Words of a text: Latin words and numbers as they are, Chinese as its runs. */
function wordsOf(text: string): readonly string[] {
  // A Latin run ends where Chinese begins: both are letters to Unicode.
  return (
    normalise(text)
      .replace(/(\p{Script=Han}+)/gu, ' $1 ')
      .match(runs) ?? []
  );
}

/** Two neighbouring characters are what stands closest to a word of Chinese without a dictionary. */
function bigrams(run: string): readonly string[] {
  const characters = Array.from(run);
  if (characters.length === 1) return characters;
  return characters.slice(1).map((character, at) => `${characters[at] ?? ''}${character}`);
}

const tokens = (text: string, ofHan: (run: string) => readonly string[]): string[] =>
  wordsOf(text).flatMap((word) => (han.test(word) ? ofHan(word) : [word]));

const queryTokens = (text: string) => tokens(text, bigrams);
const characterTokens = (text: string) => tokens(text, (run) => Array.from(run));
const indexTokens = (text: string) => tokens(text, (run) => [...new Set([...bigrams(run), ...Array.from(run)])]);

/** How much of a sentence can be typed in one go as pinyin. */
const longestPinyin = 8;

/**
 * From every syllable on: the next two, the rest, and the rest's initials. With a search by prefix, `mimasuo` and `mms` find
 * 密码锁 wherever in the title it stands; the pairs are there for typing mistakes.
 */
function pinyinTokens(text: string): string[] {
  const found = new Set<string>();
  for (const run of text.split('\n')) {
    const syllables = run.split(' ').filter((syllable) => syllable !== '');
    for (let from = 0; from < syllables.length; from += 1) {
      const rest = syllables.slice(from, from + longestPinyin);
      found.add(rest.join(''));
      found.add(rest.slice(0, 2).join(''));
      found.add(rest.map((syllable) => syllable.charAt(0)).join(''));
    }
  }
  return [...found];
}

const fields = ['title', 'otherTitle', 'keywords', 'body', 'pinyin'] as const;

/** A letter amiss in a short word makes another word; in a longer one it is a slip. Two swapped letters count as two. */
const slips = (term: string) => (han.test(term) || term.length < 5 ? false : term.length < 6 ? 1 : 2);

const byTokens: SearchOptions = {
  tokenize: queryTokens,
  processTerm: (term) => term,
  prefix: (term) => !han.test(term),
  boost: { title: 5, keywords: 3, pinyin: 2, otherTitle: 2, body: 1 },
  weights: { prefix: 0.7, fuzzy: 0.3 },
};
const longestQuery = 100;

type Index = MiniSearch<Record<(typeof fields)[number] | 'id', string>>;

const emptyIndex = (): Index =>
  new MiniSearch({
    fields: [...fields],
    tokenize: (text, field) => (field === 'pinyin' ? pinyinTokens(text) : indexTokens(text)),
    processTerm: (term) => term,
  });

const add = (index: Index, documents: readonly SearchDocument[]): void =>
  index.addAll(
    documents.map(({ keywords, pinyin, ...rest }) => ({
      ...rest,
      keywords: keywords.join(' '),
      pinyin: pinyin.join('\n'),
    })),
  );

/** Builds the index (a few milliseconds for a hundred entries) and answers queries, best hit first. */
export function createSearch(documents: readonly SearchDocument[]): Search {
  const index = emptyIndex();
  add(index, documents);
  return searchIn(index);
}

/** How many entries are indexed at a time: less than what a person notices. */
const slice = 10;

/**
 * Builds the index of many entries bit by bit. Answers are left out of it: with that many, question and keywords tell
 * enough, and they are a tenth of the words.
 * @param pause lets the page do what it has to between the slices; what it throws ends the building
 */
export async function createSearchOfMany(
  documents: readonly SearchDocument[],
  pause: () => Promise<void>,
): Promise<Search> {
  const index = emptyIndex();
  for (let at = 0; at < documents.length; at += slice) {
    const some = documents.slice(at, at + slice);
    add(
      index,
      some.map((document) => ({ ...document, body: '' })),
    );
    await pause();
  }
  return searchIn(index);
}

function searchIn(index: Index): Search {
  return (query, limit = 20) => {
    const asked = query.slice(0, longestQuery);
    const written = queryTokens(asked);
    if (written.length === 0) return [];
    const queries: Query[] = [asked];
    // “mi ma suo” typed with blanks is one word to the index.
    if (written.length > 1 && written.every((word) => /^[a-z]+$/.test(word))) queries.push(written.join(''));
    for (const meant of expand(normalise(asked)))
      queries.push({ queries: [meant], combineWith: 'OR', boost: { title: 3, keywords: 2, body: 0.6 } });
    const find = (what: Query, options: SearchOptions) => index.search(what, options);
    const asWritten: Query = { combineWith: 'OR', queries };
    // Each try is more forgiving than the one before; the first that finds something answers.
    let found = find(asWritten, byTokens);
    if (found.length === 0) found = find(asWritten, { ...byTokens, fuzzy: slips });
    if (found.length === 0) found = find(asked, { ...byTokens, tokenize: characterTokens });
    return found.slice(0, limit).map((hit) => ({ id: String(hit.id), score: hit.score }));
  };
}
