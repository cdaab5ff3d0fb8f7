import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import TimelineBar from '../../src/app/components/TimelineBar.svelte';
import { setLocale } from '../../src/app/i18n.svelte.ts';
import { timeline } from '../../src/app/timeline.ts';

const beijing = (text: string): Date => new Date(`${text}+08:00`);
const life = { notBefore: beijing('2020-03-01T00:00:00'), notAfter: beijing('2025-04-30T23:59:59'), windowDays: 60 };
const style = (selector: string): CSSStyleDeclaration => {
  const element = document.querySelector<HTMLElement>(selector);
  if (!element) throw new Error(`no ${selector}`);
  return element.style;
};

beforeEach(() => setLocale('zh-CN'));

describe('the bar of a certificate’s life', () => {
  test.each([
    ['2025-03-01T12:00:00', '还有 60 天到期'],
    ['2025-04-30T12:00:00', '今天到期'],
    ['2025-05-01T00:00:00', '已过期 1 天'],
  ])('at %s says %s', async (now, words) => {
    const screen = await render(TimelineBar, { ...life, now: beijing(now) });

    await expect.element(screen.getByText(words, { exact: true })).toBeVisible();
  });

  test('marks today on the opening of the window on its first day', async () => {
    await render(TimelineBar, { ...life, now: beijing('2025-03-01T00:00:00') });

    expect(style('.today').left).toBe(style('.window').left);
  });

  test('tells a screen reader the three dates', async () => {
    const screen = await render(TimelineBar, { ...life, now: beijing('2025-01-02T08:00:00') });

    await expect
      .element(screen.getByRole('img'))
      .toHaveAccessibleName('时间轴：今天 2025年1月2日；2025年3月1日 起可以更新；2025年4月30日 到期。');
  });
});

test('the marks stay on the bar and in the order of their days', () => {
  const date = fc.date({
    min: beijing('2000-01-01T00:00:00'),
    max: beijing('2060-01-01T00:00:00'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(date, date, date, fc.integer({ min: 0, max: 366 }), (notBefore, notAfter, now, windowDays) => {
      fc.pre(notBefore < notAfter);
      const { windowStart, expiry, today } = timeline(notBefore, notAfter, now, windowDays);

      for (const share of [windowStart, expiry, today]) {
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
      }
      expect(windowStart).toBeLessThanOrEqual(expiry);
      if (now.getTime() > notAfter.getTime() + 86_400_000) expect(today).toBeGreaterThan(expiry);
      if (now.getTime() < notAfter.getTime() - 86_400_000 && notBefore <= now) expect(today).toBeLessThan(expiry);
    }),
  );
});
