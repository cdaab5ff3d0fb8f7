import { beforeEach, describe, expect, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import PasswordBox from '../../src/app/components/PasswordBox.svelte';
import { setLocale } from '../../src/app/i18n.svelte.ts';
import { forgetWrongPasswords, wrongPasswordsOf, type WrongPasswords } from '../../src/app/wrong-passwords.ts';

interface Seen {
  /** What the key would have got. */
  readonly received: string[];
  /** The arrays themselves, to look at afterwards. */
  readonly arrays: Uint8Array[];
}

const decode = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

function listener(outcome: 'accept' | 'fail' = 'accept'): Seen & { use: (password: Uint8Array) => Promise<void> } {
  const seen: Seen = { received: [], arrays: [] };
  const use = (password: Uint8Array): Promise<void> => {
    seen.received.push(decode(password));
    seen.arrays.push(password);
    return outcome === 'accept' ? Promise.resolve() : Promise.reject(new Error('the key went away'));
  };
  return { ...seen, use };
}

const props = { tries: { remaining: 6, maximum: 6 }, onforgotten: vi.fn(), oncancel: vi.fn() };
const field = (): HTMLInputElement => {
  const input = document.querySelector('input');
  if (!input) throw new Error('no field');
  return input;
};

async function type(screen: Awaited<ReturnType<typeof render>>, password: string): Promise<void> {
  await userEvent.fill(field(), password);
  await screen.getByRole('button', { name: '验证密码' }).click();
}

beforeEach(() => setLocale('zh-CN'));

describe('the password box', () => {
  test.each([
    ['spaces at both ends', ' 1234 '],
    ['every printable ASCII sign', String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i))],
    ['sixteen characters', 'aB3$efgh12345678'],
  ])('hands on exactly what was typed: %s', async (_name, typed) => {
    const { use, received } = listener();
    const screen = await render(PasswordBox, { ...props, use });

    await userEvent.fill(screen.getByLabelText('USBKEY 密码', { exact: true }), typed);
    await screen.getByRole('button', { name: '验证密码' }).click();

    await expect.poll(() => received).toEqual([typed]);
  });

  test('empties the field before the key has answered, and clears the bytes after', async () => {
    let release: () => void = () => undefined;
    const arrays: Uint8Array[] = [];
    const use = (password: Uint8Array): Promise<void> => {
      arrays.push(password);
      return new Promise((resolve) => (release = resolve));
    };
    const screen = await render(PasswordBox, { ...props, use });

    await userEvent.fill(field(), '12345678');
    await userEvent.keyboard('{Enter}');
    expect(field().value).toBe('');
    await expect.poll(() => arrays.map(decode)).toEqual(['12345678']);
    release();

    await expect.element(screen.getByRole('button', { name: '验证密码' })).toBeEnabled();
    expect(arrays.map((bytes) => Array.from(bytes))).toEqual([[0, 0, 0, 0, 0, 0, 0, 0]]);
  });

  test('clears the bytes when the key goes away', async () => {
    const { use, arrays } = listener('fail');
    const screen = await render(PasswordBox, { ...props, use });

    await userEvent.fill(field(), '87654321');
    await screen.getByRole('button', { name: '验证密码' }).click();

    await expect.poll(() => arrays.length).toBe(1);
    await expect.element(screen.getByRole('button', { name: '验证密码' })).toBeEnabled();
    expect(arrays.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });

  test.each([
    ['full-width digits of a Chinese input method', '１２３４'],
    ['Chinese characters', '密码1234'],
  ])('refuses %s without a try', async (_name, typed) => {
    const { use, received } = listener();
    const screen = await render(PasswordBox, { ...props, use });

    await userEvent.fill(field(), typed);
    await screen.getByRole('button', { name: '验证密码' }).click();

    await expect.element(screen.getByText('请切换到英文输入法再输入', { exact: false })).toBeVisible();
    expect(received).toEqual([]);
  });

  test('refuses an empty password without a try', async () => {
    const { use, received } = listener();
    const screen = await render(PasswordBox, { ...props, use });

    await screen.getByRole('button', { name: '验证密码' }).click();

    await expect.element(screen.getByText('请先输入密码。')).toBeVisible();
    expect(received).toEqual([]);
  });

  test('stands in no form and is no login to a password manager', async () => {
    await render(PasswordBox, { ...props, use: listener().use });

    expect(field().form).toBeNull();
    expect(field().type).toBe('password');
    expect(field().autocomplete).toBe('one-time-code');
    expect(field().name).toBe('');
  });

  test('says that Caps Lock is on, and stops saying so', async () => {
    const screen = await render(PasswordBox, { ...props, use: listener().use });
    const press = (modifierCapsLock: boolean): boolean =>
      field().dispatchEvent(new KeyboardEvent('keydown', { key: 'A', modifierCapsLock, bubbles: true }));

    press(true);
    await expect.element(screen.getByText('大写锁定开着', { exact: false })).toBeVisible();
    press(false);
    await expect.element(screen.getByText('大写锁定开着', { exact: false })).not.toBeInTheDocument();
  });

  test('shows and hides what is typed', async () => {
    const screen = await render(PasswordBox, { ...props, use: listener().use });

    await screen.getByRole('button', { name: '显示' }).click();
    expect(field().type).toBe('text');
    await screen.getByRole('button', { name: '隐藏' }).click();
    expect(field().type).toBe('password');
  });

  test('has no field on a locked key, only the way to a centre', async () => {
    const screen = await render(PasswordBox, {
      ...props,
      tries: { remaining: 0, maximum: 6 },
      wrongBefore: true,
      use: listener().use,
    });

    expect(document.querySelector('input')).toBeNull();
    await expect.element(screen.getByRole('link', { name: '看要带什么' })).toHaveAttribute('href', '/guide/unlock');
  });

  test('asks for a plain “I am sure” before the last try', async () => {
    const screen = await render(PasswordBox, {
      ...props,
      tries: { remaining: 1, maximum: 6 },
      lastTry: true,
      use: listener().use,
    });

    expect(document.querySelector('input')).toBeNull();
    await screen.getByRole('button', { name: '我确定密码，再试一次' }).click();

    await expect.element(screen.getByLabelText('USBKEY 密码', { exact: true })).toBeVisible();
  });

  test.each([
    [{ remaining: 3, maximum: 6 }, '密码不对，还可以试 3 次。证书没有变化。'],
    [{ remaining: undefined, maximum: undefined }, '密码不对。证书没有变化。次数有限，不确定请先停下。'],
  ])('after a wrong password says what is left: %o', async (tries, words) => {
    const screen = await render(PasswordBox, { ...props, tries, wrongBefore: true, use: listener().use });

    await expect.element(screen.getByText(words)).toBeVisible();
  });

  test('does not send the password that was just wrong a second time, until the key has been out', async () => {
    const key = {};
    const { use, received } = listener();
    const again = (): typeof props & { use: typeof use; wrongPasswords: WrongPasswords } => ({
      ...{ ...props, use },
      wrongPasswords: wrongPasswordsOf(key),
    });
    const first = await render(PasswordBox, again());
    await type(first, 'wrong-one');
    await expect.poll(() => received).toEqual(['wrong-one']);
    await first.unmount();

    const second = await render(PasswordBox, { ...again(), wrongBefore: true });
    await type(second, 'wrong-one');
    await expect.element(second.getByText('这个密码刚才试过，不对', { exact: false })).toBeVisible();
    expect(received).toEqual(['wrong-one']);
    await type(second, 'another-1');
    await expect.poll(() => received).toEqual(['wrong-one', 'another-1']);
    await second.unmount();

    forgetWrongPasswords(key);
    const third = await render(PasswordBox, again());
    await type(third, 'wrong-one');
    await expect.poll(() => received).toEqual(['wrong-one', 'another-1', 'wrong-one']);
  });

  test('what was wrong for one key is sent to another', async () => {
    const [one, other] = [wrongPasswordsOf({}), wrongPasswordsOf({})];
    const { use, received } = listener();
    const first = await render(PasswordBox, { ...props, use, wrongPasswords: one });
    await type(first, 'wrong-one');
    await expect.poll(() => received).toEqual(['wrong-one']);
    await first.unmount();
    const told = await render(PasswordBox, { ...props, use, wrongPasswords: one, wrongBefore: true });
    await told.unmount();

    const second = await render(PasswordBox, { ...props, use, wrongPasswords: other });
    await type(second, 'wrong-one');

    await expect.poll(() => received).toEqual(['wrong-one', 'wrong-one']);
  });
});
