import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** The rules of those that look at colours: all that other colours can break in a page that was read before. */
export const colourRules = ['color-contrast', 'link-in-text-block'] as const;

/** Violations of WCAG 2.2 A and AA that axe finds, or of some rules, one line for each kind, with the elements. */
export async function violations(page: Page, rules?: readonly string[]): Promise<string[]> {
  // The page has no frames: axe need not open a second page to put their results together.
  const axe = new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).setLegacyMode();
  const results = await (rules ? axe.withRules([...rules]) : axe.withTags(tags)).analyze();
  return results.violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.flat().join(' ')).join(', ')}`,
  );
}
