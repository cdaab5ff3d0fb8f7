import type { Page } from '@playwright/test';

/** The pages that state rules. The questions at /faq/… rest on rules too, but only repeat them. */
export const rulePages = [
  '/',
  '/guide',
  '/guide/upgrade',
  '/guide/new',
  '/guide/renew',
  '/guide/replace',
  '/guide/unlock',
  '/centres',
  '/letter',
  '/about',
] as const;

export interface Citation {
  readonly rule: string;
  readonly path: string;
  /** The element's own visible words. */
  readonly words: string;
}

/** Every rule that a person can read on the page as it stands, nothing unfolded, with the words beside it. */
export async function visibleRules(page: Page, path: string): Promise<Citation[]> {
  const found = await page.locator('[data-rule]').evaluateAll((elements) =>
    elements.flatMap((element) => {
      const box = element.getBoundingClientRect();
      const visible = element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
      if (!visible || box.width < 2 || box.height < 2 || element.closest('.visually-hidden')) return [];
      const words = (element instanceof HTMLElement ? element.innerText : '').trim();
      const rules = (element.getAttribute('data-rule') ?? '').split(/\s+/).filter((id) => id !== '');
      return words === '' ? [] : rules.map((rule) => ({ rule, words }));
    }),
  );
  return found.map((citation) => ({ ...citation, path }));
}
