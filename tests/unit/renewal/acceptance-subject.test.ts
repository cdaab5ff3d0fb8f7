import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDer } from '../../../src/pki/der.ts';
import { readName, type DistinguishedName } from '../../../src/pki/name.ts';
import { mayBecome } from '../../../src/renewal/acceptance-subject.ts';
import type { SubjectRules } from '../../../src/renewal/trust.ts';
import { encodeName, type NamePart } from '../../reference-ca/subject.ts';

const types = ['2.5.4.3', '2.5.4.7', '2.5.4.10', '2.5.4.11', '2.5.4.42'] as const;
const nameOf = (parts: readonly NamePart[]): DistinguishedName => readName(parseDer(encodeName(parts)));

const value = fc.constantFrom('甲', '乙', '丙');
const part = fc.tuple(fc.constantFrom(...types), value);
const parts = fc.array(part, { maxLength: 5 });
const typeLists = fc.subarray([...types]);
const rules: fc.Arbitrary<SubjectRules> = fc.record({
  mayChange: typeLists,
  mayBeAdded: typeLists,
  mayBeRemoved: typeLists,
});

/** Tries every way, one relative name at a time. */
function canBecome(from: readonly NamePart[], to: readonly NamePart[], allowed: SubjectRules): boolean {
  const [first, ...rest] = from;
  const [next, ...others] = to;
  if (!first && !next) return true;
  const isKept =
    first && next && first[0] === next[0] && (first[1] === next[1] || allowed.mayChange.includes(first[0]));
  return (
    (isKept === true && canBecome(rest, others, allowed)) ||
    (first !== undefined && allowed.mayBeRemoved.includes(first[0]) && canBecome(rest, to, allowed)) ||
    (next !== undefined && allowed.mayBeAdded.includes(next[0]) && canBecome(from, others, allowed))
  );
}

test('a subject may become just what some way of changing, adding and removing by the rules makes of it', () => {
  fc.assert(
    fc.property(parts, parts, rules, (from, to, allowed) => {
      expect(mayBecome(nameOf(from), nameOf(to), allowed)).toBe(canBecome(from, to, allowed));
    }),
    { numRuns: 300 },
  );
});

test('without rules a subject stays what it is', () => {
  const none = { mayChange: [], mayBeAdded: [], mayBeRemoved: [] };
  fc.assert(
    fc.property(parts, parts, (from, to) => {
      expect(mayBecome(nameOf(from), nameOf(to), none)).toBe(JSON.stringify(from) === JSON.stringify(to));
      expect(mayBecome(nameOf(from), nameOf(from), none)).toBe(true);
    }),
  );
});

test('a subject of more relative names than any has is another, however much the rules allow', () => {
  const all = { mayChange: types, mayBeAdded: types, mayBeRemoved: types };
  const many = Array.from({ length: 65 }, (): NamePart => ['2.5.4.11', '甲']);

  expect(mayBecome(nameOf(many.slice(1)), nameOf(many.slice(2)), all)).toBe(true);
  expect(mayBecome(nameOf(many.slice(1)), nameOf(many), all)).toBe(false);
});
