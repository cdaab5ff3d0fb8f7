import { beforeEach, describe, expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import { setLocale } from '../../../src/app/i18n.svelte.ts';
import Letter from '../../../src/app/pages/Letter.svelte';
import { router } from '../../../src/app/router.svelte.ts';
import { userDatabase } from '../../../src/storage/database.ts';
import { forgetLetter, loadLetter, saveLetter } from '../../../src/storage/letter.ts';

const identityNumber = '11010519491231002X';
const open = (address = '/letter'): ReturnType<typeof render<typeof Letter>> => {
  history.replaceState({ entry: 0 }, '', address);
  router.path = location.pathname;
  router.query = new URLSearchParams(location.search);
  return render(Letter, {});
};
type Screen = Awaited<ReturnType<typeof open>>;
const keep = (screen: Screen): ReturnType<Screen['getByRole']> =>
  screen.getByRole('checkbox', { name: '记在本机（加密）' });
const kept = async (): Promise<number> => (await userDatabase()).count('letter');

/** Every byte and every word of everything in the user's database, as far as a script can take it out. */
async function everythingStored(): Promise<string> {
  const database = await userDatabase();
  const found: string[] = [];
  const look = (value: unknown): void => {
    if (value instanceof CryptoKey) return;
    if (value instanceof Uint8Array)
      found.push(new TextDecoder('utf-8').decode(value), new TextDecoder('utf-16le').decode(value));
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(look);
    else found.push(String(value));
  };
  for (const name of Array.from(database.objectStoreNames)) look(await database.getAll(name));
  return found.join('\n') + JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]);
}

beforeEach(async () => {
  setLocale('zh-CN');
  await forgetLetter();
});

describe('the letter on this device', () => {
  test('is not there unless asked for', async () => {
    const screen = await open();
    await screen.getByLabelText('身份证号').fill(identityNumber);
    await expect.element(keep(screen)).not.toBeChecked();
    await screen.unmount();

    expect(await kept()).toBe(0);
    const again = await open();
    await expect.element(again.getByLabelText('身份证号')).toHaveValue('');
  });

  test('is there again on the next visit, and nothing of it can be read in the database', async () => {
    const screen = await open();
    await screen.getByLabelText('公司名称').fill('天津示例商贸有限公司');
    await screen.getByLabelText('身份证号').fill(identityNumber);
    await keep(screen).click();
    await screen.getByLabelText('姓名').fill('张三');
    await expect.poll(async () => (await loadLetter())?.includes('张三')).toBe(true);
    await screen.unmount();

    const stored = await everythingStored();
    for (const words of ['天津示例', '张三', identityNumber, identityNumber.slice(0, 17)])
      expect(stored).not.toContain(words);
    const again = await open('/letter?for=unlock');
    await expect.element(again.getByLabelText('姓名')).toHaveValue('张三');
    await expect.element(again.getByLabelText('身份证号')).toHaveValue(identityNumber);
    await expect.element(again.getByRole('checkbox', { name: 'USBKEY解锁' })).toBeChecked();
    await expect.element(keep(again)).toBeChecked();
  });

  test.each([
    ['清空', async (screen: Screen) => screen.getByRole('button', { name: '清空' }).click()],
    ['taking the tick away', async (screen: Screen) => keep(screen).click()],
  ])('goes at once with %s', async (_what, press) => {
    const screen = await open();
    await screen.getByLabelText('姓名').fill('张三');
    await keep(screen).click();
    await expect.poll(kept).toBe(1);

    await press(screen);

    await expect.poll(kept).toBe(0);
    await expect.element(keep(screen)).not.toBeChecked();
    // A write that was about to happen does not bring it back.
    await screen.unmount();
    const again = await open();
    await expect.element(again.getByLabelText('姓名')).toHaveValue('');
    expect(await kept()).toBe(0);
  });

  test('that does not open any more leaves the page blank', async () => {
    await saveLetter('{"company":"甲"}');
    const screen = await open();

    await expect.element(screen.getByLabelText('公司名称')).toHaveValue('');
    await expect.element(keep(screen)).not.toBeChecked();
  });
});

describe('the key of the kept letter', () => {
  test('cannot be taken out', async () => {
    await saveLetter('{}');
    const { key } = (await (await userDatabase()).get('letter', 'letter')) ?? {};

    expect(key?.extractable).toBe(false);
    expect(key?.algorithm).toEqual({ name: 'AES-GCM', length: 256 });
    await expect(crypto.subtle.exportKey('raw', key as CryptoKey)).rejects.toThrow();
  });

  test('never meets the same nonce twice', async () => {
    const nonces = new Set<string>();
    for (let i = 0; i < 5; i += 1) {
      await saveLetter('same words');
      nonces.add(((await (await userDatabase()).get('letter', 'letter'))?.iv ?? []).toString());
    }
    expect(nonces.size).toBe(5);
  });

  test('opens nothing that was changed', async () => {
    await saveLetter('{"company":"甲"}');
    const database = await userDatabase();
    const record = await database.get('letter', 'letter');
    if (!record) throw new Error('nothing was kept');
    record.sealed[0] = (record.sealed[0] ?? 0) ^ 1;
    await database.put('letter', record);

    await expect(loadLetter()).rejects.toMatchObject({ name: 'StorageError', code: 'damaged' });
  });
});
