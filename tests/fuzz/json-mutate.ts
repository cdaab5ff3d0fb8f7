import { mutateBytes } from './mutate.ts';
import type { Random } from './random.ts';
import type { Bytes } from '../../src/pki/bytes.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

const names = ['__proto__', 'constructor', 'toString', 'length', '', '0', 'version', 'ca', 'status', '\u0000'];
const strings = [
  '',
  ' ',
  '/',
  '//evil.example/x',
  '/\\evil.example',
  'https://evil.example/',
  'javascript:alert(1)',
  'AAAA',
  'A===',
  '00',
  'zz',
  '__proto__',
  '2026-02-30T25:61:61.000Z',
  '+275760-09-13T00:00:00.001Z',
  '=cmd|’ /C calc’!A0',
  '\ud800',
  '\u202e反',
  '\u0000',
  'a'.repeat(70_000),
  '0'.repeat(5_000),
];
const numbers = [0, -0, 1, -1, 0.5, 255, 256, 65_536, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, 5e-324];

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

function nested(depth: number): Json {
  let value: Json = [];
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

function anything(random: Random, donors: readonly Json[]): Json {
  switch (random.below(8)) {
    case 0:
      return random.pick(numbers);
    case 1:
    case 2:
      return random.pick(strings);
    case 3:
      return random.pick([null, true, false]);
    case 4:
      return random.pick<Json>([[], {}]);
    case 5:
      return nested(random.pick([3, 50, 2000]));
    default:
      return random.pick(donors);
  }
}

/** The same value with something changed somewhere in it. */
function changed(random: Random, value: Json, donors: readonly Json[]): Json {
  if (value === null || typeof value !== 'object' || random.once(6)) {
    if (typeof value === 'string' && value !== '' && !random.once(3)) {
      const at = random.below(value.length);
      return (
        value.slice(0, at) + random.pick(['', '/', '=', '\u0000', '反', value]) + value.slice(at + random.below(3))
      );
    }
    if (typeof value === 'number' && random.once(2)) return -value + random.pick(numbers);
    return anything(random, donors);
  }
  const parts: [string, Json][] = isList(value)
    ? value.map((part, index) => [String(index), part])
    : Object.entries(value);
  const at = random.below(parts.length);
  const [name, part] = parts[at] ?? ['', null];
  switch (random.below(8)) {
    case 0:
      parts.splice(at, 1);
      break;
    case 1: {
      // More megabytes than any transport lets through would say nothing of a reader.
      const own = JSON.stringify(part).length;
      const length = random.pick(own > 50_000 ? [1] : own > 2000 ? [1, 30] : [1, 30, 700]);
      parts.splice(at, 0, ...Array.from({ length }, (): [string, Json] => [name, part]));
      break;
    }
    case 2:
      parts.push([random.pick(names), anything(random, donors)]);
      break;
    default:
      parts[at] = [name, changed(random, part, donors)];
  }
  if (isList(value)) return parts.map(([, one]) => one);
  const object: Record<string, Json> = {};
  // What JSON.parse would make of such a member, too: one of its own.
  for (const [key, one] of parts)
    Object.defineProperty(object, key, { value: one, enumerable: true, configurable: true, writable: true });
  return object;
}

/** A value and all inside it: what is put in the place of others. */
export function partsOf(value: Json): readonly Json[] {
  if (value === null || typeof value !== 'object') return [value];
  return [value, ...Object.values(value).flatMap(partsOf)];
}

/**
 * The same value with one to three things changed in it.
 * @param donors values to put in
 */
export function mutateJson(random: Random, source: Json, donors: readonly Json[]): Json {
  let value = source;
  for (let round = random.below(3); round >= 0; round--) value = changed(random, value, donors);
  return value;
}

export const jsonBytes = (value: Json): Bytes => new TextEncoder().encode(JSON.stringify(value));

/** Mutants of documents: mostly still JSON, sometimes with bytes that are no text. */
export function documentsLike(sources: readonly Json[]): (random: Random) => Bytes {
  const donors = sources.flatMap(partsOf);
  return (random) => {
    const bytes = jsonBytes(mutateJson(random, random.pick(sources), donors));
    return random.once(8) ? mutateBytes(random, bytes) : bytes;
  };
}
