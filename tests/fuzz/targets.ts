import { openAcceptanceTarget } from './acceptance-target.ts';
import { deviceTargets } from './device-targets.ts';
import { documentTargets } from './document-targets.ts';
import { parserTargets } from './parser-targets.ts';
import type { Target } from './target.ts';

/** Everything that reads bytes from outside. */
export const readingTargets = (): readonly Target[] => [...parserTargets(), ...deviceTargets(), ...documentTargets()];

export const acceptanceName = 'acceptance';

/** @throws RangeError for a name that is none */
export async function openTarget(name: string): Promise<Target> {
  if (name === acceptanceName) return openAcceptanceTarget();
  const target = readingTargets().find((candidate) => candidate.name === name);
  if (!target) throw new RangeError(`no target ${name}`);
  return target;
}
