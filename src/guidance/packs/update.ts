import type { Config } from '../../service/config.ts';
import { updatePack, type PackOutcome } from '../../service/content-update.ts';
import type { PackKind } from '../../storage/database.ts';
import { readContent } from './read.ts';

export const packKinds: readonly PackKind[] = ['guidance', 'faq'];

/**
 * Looks for newer content packs, where the operator has pinned keys for them. What is taken shows from the next start of
 * the page.
 * @throws StorageError when nothing can be kept here
 */
export async function updatePacks({ api, contentKeys }: Config): Promise<ReadonlyMap<PackKind, PackOutcome>> {
  const outcomes = new Map<PackKind, PackOutcome>();
  for (const kind of packKinds) {
    const check = (content: unknown): void => void readContent[kind](content);
    outcomes.set(kind, await updatePack(api, kind, contentKeys, check));
  }
  return outcomes;
}
