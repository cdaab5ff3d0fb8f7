import { openAcceptanceTarget } from './acceptance-target.ts';
import { contentPackTarget } from './content-pack-target.ts';
import { deviceTargets } from './device-targets.ts';
import { documentTargets } from './document-targets.ts';
import { lyingKeyTargets } from './lying-key-targets.ts';
import { parserTargets } from './parser-targets.ts';
import type { Target } from './target.ts';

/** Everything that reads bytes from outside. */
export const readingTargets = (): readonly Target[] => [
  ...parserTargets(),
  ...deviceTargets(),
  ...documentTargets(),
  contentPackTarget(),
  ...lyingKeyTargets(),
];

export const acceptanceName = 'acceptance';

/** @throws RangeError for a name that is none */
export async function openTarget(name: string): Promise<Target> {
  if (name === acceptanceName) return openAcceptanceTarget();
  const target = readingTargets().find((candidate) => candidate.name === name);
  if (!target) throw new RangeError(`no target ${name}`);
  return target;
}

/** `a,b,c` as names. */
const namesIn = (list: string | undefined): readonly string[] =>
  (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

/**
 * What is meant by lists of names on the command line: the readers unless others are named, without those excepted.
 * @returns also the names that are none
 */
export function chooseTargets(
  readers: readonly string[],
  { target, except }: { readonly target?: string | undefined; readonly except?: string | undefined },
): { readonly chosen: readonly string[]; readonly unknown: readonly string[] } {
  const known = [...readers, acceptanceName];
  const [named, excepted] = [namesIn(target), namesIn(except)];
  const wanted = named.length > 0 ? [...new Set(named)] : readers;
  return {
    chosen: wanted.filter((name) => known.includes(name) && !excepted.includes(name)),
    unknown: [...named, ...excepted].filter((name) => !known.includes(name)),
  };
}
