import '../../src/app/tokens.css';
import '../../src/app/base.css';
import { createRawSnippet } from 'svelte';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import Button from '../../src/app/components/Button.svelte';
import ErrorCard from '../../src/app/components/ErrorCard.svelte';
import Header from '../../src/app/components/Header.svelte';
import { setLocale } from '../../src/app/i18n.svelte.ts';
import { preferences } from '../../src/app/state/preferences.svelte.ts';

const words = (text: string): ReturnType<typeof createRawSnippet> =>
  createRawSnippet(() => ({ render: () => `<span>${text}</span>` }));
const style = (): CSSStyleDeclaration => getComputedStyle(document.body);

beforeEach(async () => {
  await page.viewport(1093, 490);
  setLocale('zh-CN');
});
afterEach(() => {
  preferences.largeType = false;
  preferences.theme = 'system';
  setLocale('zh-CN');
});

describe('large type', () => {
  test('makes text 21 px and targets 60 px, and is remembered', async () => {
    const screen = await render(Header);
    const button = await render(Button, { children: words('更新证书') });
    expect(style().fontSize).toBe('17px');

    await screen.getByRole('button', { name: '大字版' }).click();

    expect(style().fontSize).toBe('21px');
    expect(button.container.querySelector('button')?.getBoundingClientRect().height).toBeGreaterThanOrEqual(60);
    expect(localStorage.getItem('casupport.type')).toBe('large');
  });

  test('goes back to normal', async () => {
    preferences.largeType = true;
    const screen = await render(Header);

    await screen.getByRole('button', { name: '大字版', pressed: true }).click();

    expect(style().fontSize).toBe('17px');
    expect(localStorage.getItem('casupport.type')).toBeNull();
  });
});

test('the person’s wish for dark goes before the system’s', () => {
  preferences.theme = 'dark';
  expect(style().backgroundColor).toBe('rgb(21, 24, 29)');

  preferences.theme = 'light';
  expect(style().backgroundColor).toBe('rgb(255, 255, 255)');
});

test('the language is changed in place, for words, document and the next visit', async () => {
  const screen = await render(Header);
  await expect.element(screen.getByRole('link', { name: '证书管理' })).toBeInTheDocument();

  await screen.getByRole('button', { name: 'Switch to English' }).click();

  await expect.element(screen.getByRole('link', { name: 'Certificates', exact: true })).toBeInTheDocument();
  expect(document.documentElement.lang).toBe('en');
  expect(localStorage.getItem('casupport.locale')).toBe('en');
});

test('a failure says what happened, the certificate’s state and the next step, then hot-line and code', async () => {
  const screen = await render(ErrorCard, {
    happened: 'USBKEY 断开了。',
    certificate: '原来的证书仍在。',
    next: '请重新插入同一个 USBKEY。',
    code: 'K13',
  });

  const alert = screen.getByRole('alert');
  const text = alert.element().textContent.replace(/\s+/g, ' ');
  const places = ['USBKEY 断开了。', '原来的证书仍在。', '请重新插入同一个 USBKEY。', '400-880-9888', 'K13'].map(
    (part) => text.indexOf(part),
  );
  expect(places.every((place) => place >= 0)).toBe(true);
  expect(places).toEqual([...places].sort((a, b) => a - b));
  await expect.element(alert.getByRole('link', { name: '附近网点' })).toHaveAttribute('href', '/centres');
});
