import { concat, type Bytes } from '../../src/pki/bytes.ts';
import { copyTree, nodesOf, readTree, writeTree, type DerNode } from './der-tree.ts';
import type { Random } from './random.ts';

/** Contents octets at which INTEGERs and what is read like them turn. */
const edges: readonly (readonly number[])[] = [
  [],
  [0],
  [1],
  [0x7f],
  [0x80],
  [0xff],
  [0, 0x80],
  [0, 0xff],
  [0x7f, 0xff],
  [0, 0],
  [0xff, 0xff],
  [0x7f, 0xff, 0xff, 0xff],
  [0x80, 0, 0, 0],
  [0, 0xff, 0xff, 0xff, 0xff],
  [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x80, 0, 0, 0, 0, 0],
  [1, 0, 0, 0, 0, 0, 0],
  [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  Array.from({ length: 40 }, () => 0x7f),
];
const identifiers = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1c, 0x1e, 0x30, 0x31, 0x80, 0x81,
  0x82, 0x83, 0x84, 0x86, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa6, 0xb3, 0xb7, 0xb9, 0xba,
];
const lengthFields: readonly (readonly number[])[] = [
  [0x80],
  [0x81, 0],
  [0x81, 0x7f],
  [0x82, 0, 0x80],
  [0x84, 0x7f, 0xff, 0xff, 0xff],
  [0x84, 0xff, 0xff, 0xff, 0xff],
  [0x88, 0, 0, 0, 1, 0, 0, 0, 0],
  [0xff],
];
const texts = [
  '991231235959Z',
  '500101000000Z',
  '260230000000Z',
  '99991231235959Z',
  '00000101000000Z',
  '20261122090000.5Z',
  '\u0000',
  '\ud83d\ude00',
  'x'.repeat(300),
];

/** Changes some bytes, as a bad wire or a careless attacker would. */
export function mutateBytes(random: Random, source: Uint8Array): Bytes {
  let bytes = concat(source);
  for (let round = random.below(3); round >= 0; round--) {
    const at = random.below(bytes.length + 1);
    switch (random.below(8)) {
      case 0:
        bytes = bytes.slice(0, at);
        break;
      case 1:
        bytes = concat(bytes.subarray(0, at), random.bytes(1 + random.below(8)), bytes.subarray(at));
        break;
      case 2:
        bytes = concat(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(16)));
        break;
      case 3:
        bytes = concat(bytes, bytes.subarray(at, at + 1 + random.below(256)));
        break;
      case 4:
        bytes.set(Uint8Array.from(random.pick(edges)).subarray(0, bytes.length - at), at);
        break;
      default:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    }
  }
  return bytes;
}

/**
 * Changes one value inside a tree, or several that belong together.
 * @param donors values to put in
 */
export function mutateTree(random: Random, root: DerNode, donors: readonly DerNode[]): void {
  const nodes = nodesOf(root);
  const node = random.pick(nodes);
  let parent = random.pick(nodes);
  for (let tries = 0; tries < 8 && (parent.parts?.length ?? 0) === 0; tries++) parent = random.pick(nodes);
  if ((parent.parts?.length ?? 0) === 0) parent = root;
  const parts = parent.parts ?? [];
  const at = random.below(parts.length);
  const donor = (): DerNode => copyTree(random.pick(donors));
  switch (random.below(16)) {
    case 0: {
      const other = random.below(parts.length);
      const [first, second] = [parts[at], parts[other]];
      if (first && second) [parts[at], parts[other]] = [second, first];
      return;
    }
    case 1:
      if (parts[at]) parts.splice(at, 0, copyTree(parts[at]));
      return;
    case 2:
      parts.splice(at, 1);
      return;
    case 3:
      node.identifier = random.once(2) ? random.pick(identifiers) : node.identifier ^ (1 << random.below(8));
      return;
    case 4:
      setContent(node, Uint8Array.from(random.pick(edges)));
      return;
    case 5:
      setContent(node, new TextEncoder().encode(random.pick(texts)));
      return;
    case 6:
      node.lengthField = Uint8Array.from(random.pick(lengthFields));
      return;
    case 7:
      parts.splice(at, 1, donor());
      return;
    case 8:
      parts.splice(at, 0, donor());
      return;
    case 9: {
      let inner = copyTree(node);
      for (let depth = random.pick([1, 2, 30, 40, 200]); depth > 0; depth--) {
        inner = { identifier: random.once(3) ? 0xa0 : 0x30, content: new Uint8Array(), parts: [inner] };
      }
      Object.assign(node, inner);
      return;
    }
    case 10: {
      const repeated = parts[at];
      const times = random.pick([2, 9, 17, 33, 300]);
      if (repeated && nodesOf(repeated).length < 40) {
        parts.splice(at, 0, ...Array.from({ length: times }, () => copyTree(repeated)));
      }
      return;
    }
    default: {
      // The most frequent: only a value with nothing inside it is another one afterwards.
      let leaf = node;
      for (let tries = 0; tries < 16 && leaf.parts; tries++) leaf = random.pick(nodes);
      if (leaf.parts) return;
      if (leaf.content.length > 0 && !random.once(4)) {
        const byte = random.below(leaf.content.length);
        leaf.content = concat(leaf.content);
        leaf.content[byte] = (leaf.content[byte] ?? 0) ^ (1 << random.below(8));
      } else leaf.content = mutateBytes(random, leaf.content);
    }
  }
}

function setContent(node: DerNode, content: Bytes): void {
  node.parts = undefined;
  node.content = content;
  // Contents that are looked at belong to a primitive value.
  if (node.identifier === 0x30 || node.identifier === 0x31) node.identifier = 0x02;
}

/** Makes mutants of DER values: mostly by their structure, some byte by byte. */
export class DerMutator {
  readonly #sources: readonly Uint8Array[];
  readonly #trees: readonly DerNode[];
  readonly #donors: readonly DerNode[];

  /** @param donors DER values of other kinds, to put into those of `sources` */
  constructor(sources: readonly Uint8Array[], donors: readonly Uint8Array[]) {
    this.#sources = sources;
    this.#trees = sources.map(readTree);
    this.#donors = [...sources, ...donors].map(readTree).flatMap(nodesOf);
  }

  mutate(random: Random): Bytes {
    const which = random.below(this.#sources.length);
    const [source, tree] = [this.#sources[which], this.#trees[which]];
    if (!source || !tree) throw new RangeError('no source');
    if (random.once(8)) return mutateBytes(random, source);
    const mutant = copyTree(tree);
    for (let round = random.pick([0, 0, 0, 1, 2]); round >= 0; round--) mutateTree(random, mutant, this.#donors);
    const der = writeTree(mutant);
    return random.once(12) ? mutateBytes(random, der) : der;
  }
}
