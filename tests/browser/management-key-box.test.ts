import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import ManagementKeyBox from '../../src/app/components/ManagementKeyBox.svelte';
import PasswordBox from '../../src/app/components/PasswordBox.svelte';
import { setLocale } from '../../src/app/i18n.svelte.ts';
import { hexBytes } from '../../src/app/password-bytes.ts';

const field = (): HTMLInputElement => {
  const input = document.querySelector('input');
  if (!input) throw new Error('no field');
  return input;
};
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

beforeEach(() => setLocale('zh-CN'));

describe('hexadecimal digits as typed', () => {
  const anyKey = fc.constantFrom(16, 24, 32).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));

  test('are the key they spell, in either case, with spaces anywhere', () => {
    fc.assert(
      fc.property(anyKey, fc.boolean(), fc.infiniteStream(fc.boolean()), (key, upper, spaces) => {
        const digits = upper ? hex(key).toUpperCase() : hex(key);
        const typed = digits.replace(/./g, (digit) => (spaces.next().value ? `${digit} ` : digit));
        expect(hexBytes(ascii(typed))).toEqual({ key: Uint8Array.from(key), digits: digits.length });
      }),
    );
  });

  test('of any other number are no key, and their number is told', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-fA-F]{0,80}$/), (digits) => {
        fc.pre(![32, 48, 64].includes(digits.length));
        expect(hexBytes(ascii(digits))).toEqual({ key: undefined, digits: digits.length });
      }),
    );
  });

  test('with anything else among them are none', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\x21-\x7e]{1,70}$/), (text) => {
        fc.pre(/[^0-9a-fA-F]/.test(text));
        expect(hexBytes(ascii(text))).toEqual({ key: undefined, digits: undefined });
      }),
    );
  });
});

describe('the management key box', () => {
  const typed = '01 02 03 04 05 06 07 08 01 02 03 04 05 06 07 08 01 02 03 04 05 06 07 08';

  test('hands on the bytes, empties the field before the key has answered, and clears the bytes after', async () => {
    const received: string[] = [];
    const arrays: Uint8Array[] = [];
    let release: () => void = () => undefined;
    const use = (key: Uint8Array): Promise<void> => {
      received.push(hex(key));
      arrays.push(key);
      return new Promise((resolve) => (release = resolve));
    };
    const screen = await render(ManagementKeyBox, { use, oncancel: vi.fn() });

    await userEvent.fill(screen.getByLabelText('管理密钥', { exact: true }), typed);
    await userEvent.keyboard('{Enter}');

    await expect.poll(() => received).toEqual([typed.replaceAll(' ', '')]);
    expect(field().value).toBe('');
    release();
    await expect.element(screen.getByRole('button', { name: '核对管理密钥' })).toBeEnabled();
    expect(arrays.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });

  test('clears the bytes when the key goes away', async () => {
    const arrays: Uint8Array[] = [];
    const use = (key: Uint8Array): Promise<void> => {
      arrays.push(key);
      return Promise.reject(new Error('the key went away'));
    };
    const screen = await render(ManagementKeyBox, { use, oncancel: vi.fn() });

    await userEvent.fill(field(), typed);
    await screen.getByRole('button', { name: '核对管理密钥' }).click();

    await expect.poll(() => arrays.length).toBe(1);
    await expect.element(screen.getByRole('button', { name: '核对管理密钥' })).toBeEnabled();
    expect(arrays.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });

  test.each([
    ['nothing', '', '请先输入管理密钥'],
    ['too little', '0011', '刚才输入了 4 个'],
    ['other characters', 'g'.repeat(48), '管理密钥里只有数字'],
    ['full-width digits', '０'.repeat(48), '管理密钥里只有数字'],
  ])('refuses %s without asking the key', async (_name, text, words) => {
    const use = vi.fn(() => Promise.resolve());
    const screen = await render(ManagementKeyBox, { use, oncancel: vi.fn() });

    if (text !== '') await userEvent.fill(field(), text);
    await screen.getByRole('button', { name: '核对管理密钥' }).click();

    await expect.element(screen.getByText(words, { exact: false })).toBeVisible();
    expect(use).not.toHaveBeenCalled();
  });

  test('is masked, stands in no form and is no login to a password manager', async () => {
    await render(ManagementKeyBox, { use: () => Promise.resolve(), oncancel: vi.fn() });

    expect(field().type).toBe('password');
    expect(field().form).toBeNull();
    expect(field().autocomplete).toBe('one-time-code');
    expect(field().name).toBe('');
  });

  test('says that the one before was wrong, and lets go of it', async () => {
    const oncancel = vi.fn();
    const screen = await render(ManagementKeyBox, { use: () => Promise.resolve(), oncancel, wrongBefore: true });

    await expect.element(screen.getByText('管理密钥不对。证书没有变化。')).toBeVisible();
    await screen.getByRole('button', { name: '不知道，先不办了' }).click();

    expect(oncancel).toHaveBeenCalledOnce();
  });
});

describe('the password box of a key that asks again', () => {
  const props = {
    tries: { remaining: 3, maximum: 3 },
    use: (): Promise<void> => Promise.resolve(),
    onforgotten: vi.fn(),
    oncancel: vi.fn(),
  };

  test.each([
    ['request', '用原来的证书签署申请'],
    ['poll', '用原来的证书向证书机构查询结果'],
    ['confirmation', '用原来的证书答复证书机构'],
    ['loggedOut', 'USBKEY 要求再验证一次密码'],
  ] as const)('says what for: %s', async (reason, words) => {
    const screen = await render(PasswordBox, { ...props, reason });

    await expect.element(screen.getByText(words, { exact: false })).toBeVisible();
  });

  test('says nothing of the kind at the login', async () => {
    const screen = await render(PasswordBox, { ...props, reason: 'login' });

    await expect.element(screen.getByText('每次签名', { exact: false })).not.toBeInTheDocument();
  });
});
