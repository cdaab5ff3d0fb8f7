import { namesEqual, type DistinguishedName, type NameAttribute } from '../pki/name.ts';
import type { SubjectRules } from './trust.ts';

/** More relative names than any subject has; a crafted one must not keep us busy. */
const maxRelativeNames = 64;

type RelativeName = readonly NameAttribute[];

/**
 * Whether a subject is what the one before may become: the same decoded values in the same order, but for relative names
 * all of whose attributes the rules let change, come or go. The string types do not matter.
 */
export function mayBecome(before: DistinguishedName, after: DistinguishedName, rules: SubjectRules): boolean {
  if (namesEqual(before, after)) return true;
  const [from, to] = [relativeNamesOf(before), relativeNamesOf(after)];
  if (Math.max(from.length, to.length) > maxRelativeNames) return false;
  // How much of `to` the names of `from` looked at so far may have become: one flag for each length.
  let reached = afterAdditions(
    Array.from({ length: to.length + 1 }, (_, length) => length === 0),
    to,
    rules,
  );
  for (const name of from) {
    const isGone = name.every(({ type }) => rules.mayBeRemoved.includes(type));
    const next = reached.map((isReached, length) => {
      const last = to[length - 1];
      const isKept = last !== undefined && reached[length - 1] === true && staysOrChanges(name, last, rules);
      return isKept || (isReached && isGone);
    });
    reached = afterAdditions(next, to, rules);
  }
  return reached.at(-1) === true;
}

function afterAdditions(
  reached: readonly boolean[],
  to: readonly RelativeName[],
  { mayBeAdded }: SubjectRules,
): boolean[] {
  const further = [...reached];
  for (const [index, name] of to.entries()) {
    if (further[index] && name.every(({ type }) => mayBeAdded.includes(type))) further[index + 1] = true;
  }
  return further;
}

function staysOrChanges(before: RelativeName, after: RelativeName, { mayChange }: SubjectRules): boolean {
  return (
    before.length === after.length &&
    before.every(({ type, value }, index) => {
      const now = after[index];
      return now?.type === type && (now.value === value || mayChange.includes(type));
    })
  );
}

function relativeNamesOf({ attributes, relativeNames }: DistinguishedName): readonly RelativeName[] {
  let start = 0;
  return relativeNames.map((size) => attributes.slice(start, (start += size)));
}
