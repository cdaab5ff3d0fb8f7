import { contentInUse } from '../../service/content-update.ts';
import { publishNumbers } from '../numbers.ts';
import { publishRules } from '../rules.ts';
import { readGuidance } from './read.ts';

/**
 * Puts the numbers and sentences of the guidance pack in use, if there is one, in the place of the site's own. Once at the
 * start of a page: what somebody is reading does not change under their eyes.
 * @returns the pack's version; 0 for the site's own content
 */
export async function useGuidance(): Promise<number> {
  const inUse = await contentInUse('guidance', readGuidance);
  if (!inUse) return 0;
  const { numbers = {}, rules = {}, reviewedAt } = inUse.content;
  publishNumbers(numbers);
  publishRules(rules, reviewedAt);
  return inUse.pack.version;
}
