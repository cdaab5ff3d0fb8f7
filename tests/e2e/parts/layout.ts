import type { Page } from '@playwright/test';

/** The screens the site is designed for; the first is a 1366×768 office screen at 125 %, inside the browser's frame. */
export const screens = [
  { width: 1093, height: 490 },
  { width: 390, height: 844 },
  { width: 320, height: 640 },
] as const;
export type Screen = (typeof screens)[number];

/**
 * What does not fit the width: the page itself, whatever reaches beyond an edge of the screen, and text that its own box
 * cuts off. A thing a person can scroll to, inside a box that scrolls, is no fault.
 */
export const misfits = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const found: string[] = [];
    const root = document.scrollingElement ?? document.documentElement;
    if (root.scrollWidth > root.clientWidth) found.push(`the page is ${root.scrollWidth} wide on ${root.clientWidth}`);

    const name = (element: Element): string =>
      `<${element.localName} class="${element.getAttribute('class') ?? ''}"> “${element.textContent.trim().slice(0, 24)}”`;
    const hides = (style: CSSStyleDeclaration): boolean => style.overflowX !== 'visible';
    for (const element of document.body.querySelectorAll<HTMLElement>('*')) {
      if (!element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
      // For ears only; ahead of the page until it has the focus; paper, shown smaller than it is.
      if (element.closest('.visually-hidden, .skip, .sheet, svg, [role=img]')) continue;
      const style = getComputedStyle(element);
      if (style.clipPath !== 'none') continue;
      const box = element.getBoundingClientRect();
      if (box.width === 0 || box.height === 0) continue;
      if (box.right > root.clientWidth + 1 || box.left < -1)
        found.push(`${name(element)} reaches from ${Math.round(box.left)} to ${Math.round(box.right)}`);
      if (hides(style) && style.overflowX !== 'auto' && style.overflowX !== 'scroll')
        if (element.scrollWidth > element.clientWidth + 1 && !element.matches('input, select, progress, .frame'))
          found.push(`${name(element)} cuts off ${element.scrollWidth - element.clientWidth} px`);
    }
    return found;
  });

/**
 * What a person does not see without scrolling, of the heading, the sentence that says how things stand, and the one filled
 * button. What a bar along the lower edge covers is not seen either. `primaryWithin`: how many screens down the button may
 * begin where it need not be seen whole.
 */
export const belowTheFold = (page: Page, primaryWithin?: number): Promise<string[]> =>
  page.evaluate((within) => {
    const seen = (element: Element | null): element is Element =>
      element?.checkVisibility({ checkVisibilityCSS: true }) ?? false;
    const bars = [...document.querySelectorAll('nav')].filter(
      (bar) => getComputedStyle(bar).position === 'fixed' && seen(bar),
    );
    const fold = Math.min(innerHeight, ...bars.map((bar) => bar.getBoundingClientRect().top));
    const found: string[] = [];
    const main = document.querySelector('main');
    if (scrollY !== 0) found.push(`the page is scrolled by ${scrollY}`);
    const heading = main?.querySelector('h1') ?? null;
    if (!seen(heading)) found.push('there is no heading');
    const sentence = main?.querySelector('.state, .happened, .sentence') ?? null;
    for (const [what, element] of Object.entries({ heading, sentence })) {
      const bottom = seen(element) ? Math.round(element.getBoundingClientRect().bottom) : 0;
      if (bottom > fold) found.push(`the ${what} ends at ${bottom}, the fold is at ${fold}`);
    }
    const primary = [...(main?.querySelectorAll('.button.primary') ?? [])].find(seen);
    if (!primary) return found;
    const { top, bottom } = primary.getBoundingClientRect();
    const below = within === undefined ? bottom > fold : top > within * innerHeight;
    if (below)
      found.push(
        `the button “${primary.textContent.trim()}” is at ${Math.round(top)}…${Math.round(bottom)}, the fold at ${fold}`,
      );
    return found;
  }, primaryWithin);
