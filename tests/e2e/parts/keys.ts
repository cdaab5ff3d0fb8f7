import type { Locator, Page } from '@playwright/test';
import { expect } from '../fixtures.ts';

/** The element that has the focus, into shadow trees, and how it shows. */
interface Focused {
  readonly name: string;
  /** Width of the ring in pixels; 0 for none, or for one that cannot be seen. */
  readonly ring: number;
  /** Some of it can be seen: no bar or panel lies over all of it. */
  readonly inSight: boolean;
}

const focused = (page: Page): Promise<Focused> =>
  page.evaluate(() => {
    let element = document.activeElement ?? document.body;
    while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
    const clear = /^(transparent|rgba\(.*, 0\))$/.test(outlineColor);
    const box = element.getBoundingClientRect();
    const tree = element.getRootNode() as Document | ShadowRoot;
    const points = [0.05, 0.5, 0.95].flatMap((x) =>
      [0.05, 0.5, 0.95].map((y) => [box.left + x * box.width, box.top + y * box.height] as const),
    );
    const inSight = points.some(([x, y]) => {
      const top = tree.elementFromPoint(x, y);
      return top !== null && (element.contains(top) || top.contains(element));
    });
    return {
      name: `<${element.localName}> ${(element.getAttribute('aria-label') ?? element.textContent).trim().slice(0, 30)}`,
      ring: outlineStyle === 'none' || clear ? 0 : parseFloat(outlineWidth),
      inSight,
    };
  });

const hasFocus = (target: Locator): Promise<boolean> =>
  target.evaluate((element) => {
    const tree = element.getRootNode() as Document | ShadowRoot;
    return tree.activeElement === element;
  });

/** One press of Tab, after which a person must see where the focus is. */
export async function tab(page: Page, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<Focused> {
  await page.keyboard.press(key);
  const now = await focused(page);
  if (now.name.startsWith('<body>')) return now;
  expect(now.ring, `ring around ${now.name}`).toBeGreaterThanOrEqual(2);
  expect(now.inSight, `${now.name} is in sight`).toBe(true);
  return now;
}

/** Tabs until the target has the focus. More steps than a page has stops mean that there is no way. */
export async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await expect(target).toBeVisible();
  for (let step = 0; step < 120; step += 1) {
    if (await hasFocus(target)) return;
    await tab(page, key);
  }
  throw new Error(`no way by ${key} to ${target.toString()}`);
}

/** Tabs there and presses Enter. */
export async function follow(page: Page, target: Locator): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press('Enter');
}

/** Once round the page: all its stops, in order, until the focus is back where it began. */
export async function tour(page: Page): Promise<string[]> {
  const stops: string[] = [];
  for (let step = 0; step < 150; step += 1) {
    const { name } = await tab(page);
    if (name.startsWith('<body>')) return stops;
    stops.push(name);
  }
  throw new Error(`the focus does not get out: … ${stops.slice(-4).join(', ')}`);
}
