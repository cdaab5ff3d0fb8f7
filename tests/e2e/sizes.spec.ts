import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { colourRules, violations } from './parts/accessibility.ts';
import { bookingViews } from './parts/booking-views.ts';
import { belowTheFold, misfits, screens, type Screen } from './parts/layout.ts';
import { pivViews } from './parts/piv-views.ts';
import { keyViews, pages, type View } from './parts/views.ts';

test.use({ deviceScaleFactor: 1.25, viewport: screens[0], reducedMotion: 'reduce' });

const [office, phone, smallest] = screens;

async function show(page: Page, screen: Screen, type: 'normal' | 'large'): Promise<void> {
  await page.setViewportSize(screen);
  const large = page.getByRole('button', { name: /^(大字版|Large type)$/ });
  if (((await large.getAttribute('aria-pressed')) === 'true') !== (type === 'large')) await large.click();
  await page.evaluate(() => scrollTo(0, 0));
}

async function speakEnglish(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Switch to English' }).click();
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeAttached();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
}

/**
 * The looks at which axe reads the page too. The elements are the same at every size; what axe measures, targets and the
 * size of type, is at its least and at its most here, and the other words are read where most are cut short.
 */
const axeReads = (language: string, screen: Screen, type: string): boolean =>
  language === 'zh-CN'
    ? (screen === office && type === 'normal') || (screen === smallest && type === 'large')
    : screen === phone && type === 'normal';

async function lookAt(page: Page, language: 'zh-CN' | 'en'): Promise<string[]> {
  const faults: string[] = [];
  for (const type of ['normal', 'large'] as const)
    for (const screen of screens) {
      await show(page, screen, type);
      const found = [
        ...(await misfits(page)),
        ...(await belowTheFold(page, screen === smallest && type === 'large' ? 1.3 : undefined)),
        ...(axeReads(language, screen, type) ? await violations(page) : []),
      ];
      faults.push(...found.map((fault) => `${screen.width}×${screen.height} ${type} ${language}: ${fault}`));
    }
  return faults;
}

async function open(page: Page, view: View): Promise<void> {
  await page.goto(view.path);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.locator('main')).toHaveAttribute('aria-busy', 'false');
  await view.reach?.(page);
}

for (const view of [...pages, ...bookingViews, ...keyViews, ...pivViews])
  test(`${view.name}: fits, says how things stand above the fold, and axe finds nothing`, async ({ page, desk }) => {
    await desk(view.key ?? { scenario: 'not-due', plugged: false, granted: false });
    await open(page, view);

    const faults = await lookAt(page, 'zh-CN');
    await show(page, office, 'normal');
    await page.emulateMedia({ colorScheme: 'dark' });
    faults.push(...(await violations(page, colourRules)).map((fault) => `dark: ${fault}`));
    await page.emulateMedia({ colorScheme: 'light' });
    await speakEnglish(page);
    faults.push(...(await lookAt(page, 'en')));

    expect(faults).toEqual([]);
  });
