import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { match, Router, type Page, type Route } from '../../src/app/router.svelte.ts';
import ErrorCard from '../../src/app/components/ErrorCard.svelte';

describe('matching an address', () => {
  test.each([
    ['/', '/', {}],
    ['/guide/:flow', '/guide/renew', { flow: 'renew' }],
    ['/guide/:flow', '/guide/renew/', { flow: 'renew' }],
    ['/faq/:id', '/faq/%E5%AF%86%E7%A0%81', { id: '密码' }],
    ['/guide/:flow', '/guide', undefined],
    ['/guide', '/guide/renew', undefined],
    ['/guide/:flow', '/faq/renew', undefined],
    ['/faq/:id', '/faq/%E5%AF', undefined],
  ])('%s with %s gives %o', (pattern, path, expected) => {
    expect(match(pattern, path)).toEqual(expected);
  });

  test('gives back any segment that was encoded', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (value) => {
        const segment = encodeURIComponent(value);
        expect(match('/code/:code', `/code/${segment}`)).toEqual({ code: value });
      }),
    );
  });
});

describe('going from page to page', () => {
  const somePage = ErrorCard as unknown as Page;
  const gone: Route = { path: '/gone', load: () => Promise.reject(new Error('no such file')) };
  const missing: Route = { path: '/missing', load: () => Promise.resolve({ default: somePage }) };
  const table: readonly Route[] = [
    { path: '/one', load: () => Promise.resolve({ default: somePage }) },
    { path: '/two/:id', load: () => Promise.resolve({ default: somePage }) },
    gone,
  ];
  let stop: () => void = () => undefined;
  let home = '';

  async function begin(path: string): Promise<Router> {
    home = location.href;
    history.replaceState(null, '', path);
    document.body.innerHTML =
      '<main><h1 tabindex="-1">…</h1><div class="tall"></div><a href="/two/7?q=x">on</a></main>';
    document.querySelector<HTMLElement>('.tall')?.style.setProperty('height', '5000px');
    const router = new Router(table, missing);
    stop = router.start();
    await expect.poll(() => router.path).toBe(path);
    return router;
  }
  beforeEach(() => sessionStorage.clear());
  afterEach(() => {
    stop();
    history.replaceState(null, '', home);
    document.body.innerHTML = '';
  });

  test('a link becomes a navigation that leaves the focus on the heading', async () => {
    const router = await begin('/one');

    document.querySelector('a')?.click();

    await expect.poll(() => router.path).toBe('/two/7');
    expect(router.params).toEqual({ id: '7' });
    expect(router.query.get('q')).toBe('x');
    await expect.poll(() => document.activeElement?.tagName).toBe('H1');
  });

  test('the back button returns to the same place of the page', async () => {
    const router = await begin('/one');
    scrollTo(0, 1200);
    await router.go('/two/7');
    expect(scrollY).toBe(0);

    history.back();

    await expect.poll(() => router.path).toBe('/one');
    await expect.poll(() => scrollY).toBe(1200);
  });

  test('a change of the query keeps the page and the focus', async () => {
    const router = await begin('/one');
    document.querySelector('a')?.focus();

    await router.go('/one?q=%E9%94%81', { replace: true });

    expect(router.query.get('q')).toBe('锁');
    expect(document.activeElement?.tagName).toBe('A');
  });

  test('an unknown address shows the not-found page', async () => {
    const router = await begin('/one');

    await router.go('/nowhere/at/all');

    expect(router.failed).toBe(false);
    expect(router.Page).toBe(somePage);
    expect(router.path).toBe('/nowhere/at/all');
  });

  test('a page whose file is gone is said to have failed once a reload did not help', async () => {
    const router = await begin('/one');
    sessionStorage.setItem('casupport.reloaded', new URL('/gone', location.href).href);

    await router.go('/gone');

    expect(router.failed).toBe(true);
    expect(router.Page).toBeUndefined();
  });
});
