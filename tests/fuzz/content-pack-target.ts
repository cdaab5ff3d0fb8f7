import { createHash, createPrivateKey, createPublicKey, sign as signWith, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { estimateReplacementFee } from '../../src/guidance/fee.ts';
import { allFaq } from '../../src/guidance/faq/all.ts';
import { searchDocuments } from '../../src/guidance/faq/documents.ts';
import { filledEntry, merge } from '../../src/guidance/faq/in-use.ts';
import { faqPinyin } from '../../src/guidance/faq/pinyin.ts';
import { createSearch } from '../../src/guidance/faq/search.ts';
import { changedNumbers, publishNumbers } from '../../src/guidance/numbers.ts';
import type { FaqContent } from '../../src/guidance/packs/faq-content.ts';
import type { GuidanceContent } from '../../src/guidance/packs/guidance-content.ts';
import { ContentError, readFaq, readGuidance } from '../../src/guidance/packs/read.ts';
import { assumptionIds, ruleIds } from '../../src/guidance/rule-ids.ts';
import { publishRules, rule } from '../../src/guidance/rules.ts';
import { sm2Spki } from '../../src/pki/algorithms.ts';
import { bytesEqual, concat, fromHex, toBase64, type Bytes } from '../../src/pki/bytes.ts';
import { ecdsaSignatureToDer } from '../../src/pki/der.ts';
import { sm2Digest, sm2PublicKey, sm2SignDigestWithNonce } from '../../src/pki/sm2.ts';
import type { ContentKey } from '../../src/service/content-key.ts';
import { keyForNewer, manifestSchema, PackError, verifyPack } from '../../src/service/content-pack.ts';
import { ServiceError } from '../../src/service/errors.ts';
import { checkJson, textOf } from '../../src/service/request.ts';
import type { PackKind } from '../../src/storage/database.ts';
import { jsonBytes, mutateJson, partsOf, type Json } from './json-mutate.ts';
import { mutateBytes } from './mutate.ts';
import type { Random } from './random.ts';
import type { Outcome, Target } from './target.ts';

const sha256 = (bytes: Uint8Array): Bytes => new Uint8Array(createHash('sha256').update(bytes).digest());

type Algorithm = ContentKey['algorithm'];
const algorithms: readonly Algorithm[] = ['ed25519', 'sm2'];
const kinds: readonly PackKind[] = ['guidance', 'faq'];

interface Signer {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes;
  /** The same signature for the same bytes: a mutant can be made again. */
  readonly sign: (bytes: Uint8Array) => Bytes;
}

/** Known to everybody: it signs for nobody but this target. */
const seedOf = (name: string): Bytes => sha256(new TextEncoder().encode(`fuzzed content, ${name}`));

function ed25519Signer(): Signer {
  const der = concat(fromHex('302e020100300506032b657004220420'), seedOf('ed25519'));
  const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  return {
    spki: new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' })),
    sign: (bytes) => new Uint8Array(signWith(null, bytes, key)),
  };
}

function sm2Signer(): Signer {
  const privateKey = seedOf('sm2');
  const publicKey = sm2PublicKey(privateKey);
  return {
    spki: sm2Spki(publicKey),
    sign: (bytes) => {
      const e = sm2Digest(bytes, publicKey);
      const signature = sm2SignDigestWithNonce(e, privateKey, sha256(concat(privateKey, e)));
      if (!signature) throw new RangeError('another k is needed');
      return ecdsaSignatureToDer(signature);
    },
  };
}

/** All that is read: what is in use here, the pinned key, the manifest and the pack it names. */
export interface Offer {
  readonly kind: PackKind;
  readonly algorithm: Algorithm;
  /** Version in use. */
  readonly current: number;
  /** DER SubjectPublicKeyInfo of the pinned key. */
  readonly spki: Uint8Array;
  readonly manifest: Uint8Array;
  readonly pack: Uint8Array;
}

const int32 = (value: number): Bytes => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
};

/** An offer as one input: kind 1, algorithm 1, version 4, then key and manifest behind their lengths of 4, then the pack. */
export function joinOffer({ kind, algorithm, current, spki, manifest, pack }: Offer): Bytes {
  const head = concat(Uint8Array.of(kinds.indexOf(kind), algorithms.indexOf(algorithm)), int32(current));
  return concat(head, int32(spki.length), spki, int32(manifest.length), manifest, pack);
}

function splitOffer(input: Bytes): Offer {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let at = 6;
  const part = (): Bytes => {
    const length = view.getUint32(at);
    at += 4 + length;
    return input.slice(at - length, at);
  };
  const [kind, algorithm] = [kinds[input[0] ?? 0], algorithms[input[1] ?? 0]];
  if (!kind || !algorithm) throw new RangeError('no offer');
  const [spki, manifest] = [part(), part()];
  return { kind, algorithm, current: view.getUint32(2), spki, manifest, pack: input.slice(at) };
}

/** How an offer was made, and whether its signature is right. */
interface Made {
  readonly how: string;
  /** Undefined: it may be either. */
  readonly isSigned: boolean | undefined;
}

/** A manifest cannot say less than two bytes: what is shorter stops there, signed or not. */
const isAnnounceable = ({ length }: Uint8Array): true | undefined => length >= 2 || undefined;

const version = 3;
const publishedAt = '2026-11-22T08:00:00+08:00';
const keyId = 'k1';

const wordings = [
  '在 {renewalWindowDays} 天内',
  '{replacementFeeYuan} yuan',
  '{centreCount}{centreCount}',
  '{',
  '}',
  '{}',
  '{renewalWindowDays',
  '{toString}',
  '<b>',
  '&lt;script&gt;',
  '$&$1$`',
  '\u202e',
  '\u0000',
  '\ud800',
  '😀',
  '密'.repeat(900),
  'a '.repeat(999),
  '{centreCount}'.repeat(120),
  `${'{centreCount}'.repeat(120)}{`,
];

/** The same document with other words in one of its texts: likely still good, or bad for what the words are. */
function reworded(random: Random, value: Json): Json {
  if (typeof value === 'string') {
    const words = random.pick(wordings);
    return random.once(2) ? words : value + words;
  }
  if (value === null || typeof value !== 'object') return value;
  const names = Object.keys(value);
  if (names.length === 0) return value;
  const name = random.pick(names);
  if (Array.isArray(value)) {
    return (value as readonly Json[]).map((part, index) => (String(index) === name ? reworded(random, part) : part));
  }
  const parts = value as Readonly<Record<string, Json>>;
  return { ...parts, [name]: reworded(random, parts[name] ?? null) };
}

const idsNobodyExpects = ['constructor', 'valueof', 'tostring', 'a', '0', '00', 'null', 'a'.repeat(80)];

/** Many questions under ids of their own. */
function manyEntries(random: Random, content: Json): Json {
  const { entries = [] } = content as { readonly entries?: readonly Readonly<Record<string, Json>>[] };
  const [entry] = entries;
  if (!entry) return content;
  const count = random.pick([2, 2, 2, 30, 30, 300, random.once(40) ? 10_000 : 3]);
  return {
    entries: Array.from({ length: count }, (_, index) => ({
      ...entry,
      id: index === 0 ? random.pick(idsNobodyExpects) : `q-${index}`,
    })),
    withdrawn: [random.pick([...idsNobodyExpects, 'q-1', allFaq[0]?.id ?? 'a'])],
  };
}

/**
 * What an operator's server could send: content, envelope, manifest, signature or key changed; most of it hashed and
 * signed anew, so that it is the readers behind the signature that see it.
 */
function offers(sources: Readonly<Record<PackKind, readonly Json[]>>): (random: Random) => Offer & Made {
  const signers = { ed25519: ed25519Signer(), sm2: sm2Signer() } as const;
  const donors = [...Object.values(sources).flat().flatMap(partsOf), ...ruleIds, ...assumptionIds];
  const manifestOf = (kind: PackKind, pack: Uint8Array, signature: Uint8Array): Json => ({
    kind,
    version,
    sha256: sha256(pack).reduce((text, byte) => text + byte.toString(16).padStart(2, '0'), ''),
    size: pack.length,
    url: `/api/content/${kind}/${version}`,
    signature: toBase64(signature),
    keyId,
  });
  const contentFor = (random: Random, kind: PackKind): { readonly how: string; readonly content: Json } => {
    const source = random.pick(sources[kind]);
    switch (random.below(kind === 'faq' ? 10 : 8)) {
      case 0:
      case 1:
      case 2:
        return { how: 'content reworded, signed', content: reworded(random, source) };
      case 3:
        return { how: 'content as it should be, signed', content: source };
      case 8:
      case 9:
        return { how: 'many questions, signed', content: manyEntries(random, source) };
      default:
        return { how: 'content changed, signed', content: mutateJson(random, source, donors) };
    }
  };
  return (random) => {
    // SM2 costs five times as much.
    const algorithm = random.once(6) ? 'sm2' : 'ed25519';
    const { spki, sign } = signers[algorithm];
    const kind = random.pick(kinds);
    const envelope = (content: Json): Json => ({ kind, version, publishedAt, content });
    const offer = (pack: Uint8Array, signature = sign(pack)): Offer => ({
      ...{ kind, algorithm, spki, pack, current: 0 },
      manifest: jsonBytes(manifestOf(kind, pack, signature)),
    });
    const good = envelope(random.pick(sources[kind]));
    const pack = jsonBytes(good);
    switch (random.below(20)) {
      case 0:
      case 1: {
        const changed = jsonBytes(mutateJson(random, good, donors));
        return { ...offer(changed), how: 'envelope changed, signed', isSigned: isAnnounceable(changed) };
      }
      case 2: {
        const changed = mutateBytes(random, pack);
        return { ...offer(changed), how: 'bytes changed, signed', isSigned: isAnnounceable(changed) };
      }
      case 3: {
        const changed = mutateBytes(random, pack);
        return { ...offer(changed, sign(pack)), how: 'bytes changed, not signed', isSigned: bytesEqual(changed, pack) };
      }
      case 4: {
        const signature = sign(pack);
        const changed = mutateBytes(random, signature);
        return { ...offer(pack, changed), how: 'signature changed', isSigned: bytesEqual(changed, signature) };
      }
      case 5: {
        const changed = mutateBytes(random, spki);
        return { ...offer(pack), spki: changed, how: 'key changed', isSigned: bytesEqual(changed, spki) };
      }
      case 6:
      case 7: {
        const manifest = mutateJson(random, manifestOf(kind, pack, sign(pack)), donors);
        const bytes = random.once(4) ? mutateBytes(random, jsonBytes(manifest)) : jsonBytes(manifest);
        return { ...offer(pack), manifest: bytes, how: 'manifest changed', isSigned: undefined };
      }
      case 8: {
        const current = random.pick([0, 1, version - 1, version, version + 1, 0x7fff_ffff]);
        return { ...offer(pack), current, how: 'another version in use', isSigned: current < version };
      }
      default: {
        const { how, content } = contentFor(random, kind);
        return { ...offer(jsonBytes(envelope(content))), how, isSigned: true };
      }
    }
  };
}

const isMarkup = (text: string): boolean => /[<>{}]/u.test(text);

/** What the pages do with guidance they have taken. */
function useGuidance({ numbers = {}, rules = {}, reviewedAt }: GuidanceContent): void {
  try {
    publishNumbers(numbers);
    publishRules(rules, reviewedAt);
    for (const id of [...ruleIds, ...assumptionIds]) {
      const { sentence, effectiveFrom } = rule(id);
      if (Object.values(sentence).some(isMarkup)) throw new Error(`${id} would show markup`);
      if (Number.isNaN(Date.parse(effectiveFrom))) throw new Error(`${id} holds from no day`);
    }
    const { fen } = estimateReplacementFee({ what: 'lost' });
    if (!Number.isSafeInteger(fen)) throw new Error('a fee that is no number');
    changedNumbers();
  } finally {
    publishNumbers({});
    publishRules({}, undefined);
  }
}

/** A search over more is as fast, and takes long to build. */
const mostSearched = 40;

/** What the pages do with questions they have taken. */
function useFaq({ entries: published, withdrawn }: FaqContent): void {
  const pinyin = Object.fromEntries(published.map((entry) => [entry.id, entry.pinyin]));
  const all = merge({ entries: allFaq, pinyin: faqPinyin }, { entries: published, pinyin, withdrawn });
  const entries = all.entries.map(filledEntry);
  if (new Set(entries.map(({ id }) => id)).size < entries.length) throw new Error('two questions with one id');
  if (entries.some(({ id }) => withdrawn.includes(id))) throw new Error('a withdrawn question is still there');
  const ids = new Set(published.map(({ id }) => id));
  const own = entries.filter(({ id }) => ids.has(id)).slice(0, mostSearched);
  for (const { id, question, answer, pages } of own) {
    const said = [question['zh-CN'], question.en, ...Object.values(answer).flat()].flatMap((block) =>
      typeof block === 'string' ? [block] : 'list' in block ? block.list : block.steps,
    );
    if (said.some(isMarkup)) throw new Error(`${id} would show markup`);
    if (pages.some((page) => new URL(page, 'https://here.example').origin !== 'https://here.example')) {
      throw new Error(`${id} leads to another site`);
    }
  }
  const search = createSearch(searchDocuments(own, all.pinyin, 'zh-CN'));
  for (const query of ['密码锁了怎么办', 'mimasuo', 'locked', own[0]?.question['zh-CN'] ?? '']) {
    for (const { id } of search(query)) if (!ids.has(id)) throw new Error(`finds ${id}, which is not there`);
  }
}

const readAndUse: Readonly<Record<PackKind, (content: unknown) => void>> = {
  guidance: (content) => useGuidance(readGuidance(content)),
  faq: (content) => useFaq(readFaq(content)),
};

const behindSignature = ['envelope', 'content', 'taken'] as const;
type Fate = 'manifest' | 'current' | 'content' | 'taken' | PackError['reason'];

/** What comes of an offer, as `updatePack` would read it. */
async function fateOf({ kind, algorithm, current, spki, manifest, pack }: Offer): Promise<Fate> {
  const url = '/api/content';
  try {
    const announced = checkJson(url, manifestSchema, textOf(url, manifest));
    const key = keyForNewer(announced, kind, current, [{ keyId, algorithm, publicKey: concat(spki) }]);
    if (!key) return 'current';
    const { content } = await verifyPack(announced, concat(pack), key);
    readAndUse[kind](content);
    return 'taken';
  } catch (error) {
    if (error instanceof ServiceError) return 'manifest';
    if (error instanceof PackError) return error.reason;
    if (error instanceof ContentError) return 'content';
    throw error;
  }
}

/** Somebody else's verification of what got past ours. */
function isSignedBy({ algorithm, spki, manifest, pack }: Offer): boolean {
  const { signature } = JSON.parse(new TextDecoder().decode(manifest)) as { readonly signature: string };
  // OpenSSL is not told SM2's default identity this way.
  if (algorithm === 'sm2') return true;
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return verify(null, pack, key, Buffer.from(signature, 'base64'));
}

/** Packs of content as an operator's server sends them, through everything that reads them and uses what they say. */
export function contentPackTarget(): Target {
  const { guidanceContent, faqContent } = JSON.parse(
    readFileSync(new URL('./corpus/documents.json', import.meta.url), 'utf8'),
  ) as { readonly guidanceContent: readonly Json[]; readonly faqContent: readonly Json[] };
  const offer = offers({ guidance: guidanceContent, faq: faqContent });
  const made = new WeakMap<Bytes, Made>();
  const fates = new WeakMap<Bytes, Fate>();
  return {
    name: 'content-pack',
    // Without the signature anew a smaller input says something else.
    isWhole: true,
    gate: {
      name: 'signature',
      passes: (input) => (behindSignature as readonly (string | undefined)[]).includes(fates.get(input)),
    },
    mutate: (random) => {
      const { how, isSigned, ...content } = offer(random);
      const input = joinOffer(content);
      made.set(input, { how, isSigned });
      return input;
    },
    run: async (input): Promise<Outcome> => {
      const { how, isSigned } = made.get(input) ?? { how: 'given', isSigned: undefined };
      const read = splitOffer(input);
      const fate = await fateOf(read).catch((error: unknown) => {
        throw error instanceof Error ? new Error(`${how}: ${error.message}`, { cause: error }) : error;
      });
      fates.set(input, fate);
      const isPast = (behindSignature as readonly string[]).includes(fate);
      if (isSigned !== undefined && isPast !== isSigned) throw new Error(`${how}: came to ${fate}`);
      if (isPast && !isSignedBy(read)) throw new Error(`${how}: taken, but node:crypto does not verify it`);
      return fate === 'taken' ? 'accepted' : 'rejected';
    },
    fate: (input) => {
      const fate = fates.get(input);
      return fate && `${made.get(input)?.how ?? 'given'}\t${fate}`;
    },
  };
}
