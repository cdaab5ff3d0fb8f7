import { expect, test, vi } from 'vitest';
import { askOnPage, type OpenQuestion } from '../../../src/app/state/ask-password.ts';
import type { AttachedKey } from '../../../src/usbkey/connect.ts';

const attached = {} as AttachedKey;
const question = { kind: 'managementKey', wrongBefore: false } as const;

function page() {
  const [gone, left] = [new AbortController(), new AbortController()];
  const shown: OpenQuestion[] = [];
  const use = vi.fn(() => Promise.resolve());
  const asking = {
    show: (open: OpenQuestion) => void shown.push(open),
    answered: () => undefined,
    left: left.signal,
  };
  const ask = askOnPage({ key: { gone: gone.signal }, attached }, asking);
  return { gone, left, shown, use, ask: () => ask(question, use) };
}

test.each(['gone', 'left'] as const)(
  'a question is answered with no once the key, or the place, is %s',
  async (end) => {
    const { shown, use, ask, [end]: ended } = page();
    const answer = ask();
    expect(shown).toHaveLength(1);

    ended.abort();

    expect(await answer).toBe(false);
    expect(await ask()).toBe(false);
    expect(shown).toHaveLength(1);
    expect(use).not.toHaveBeenCalled();
  },
);

test('an answer that is on its way to the key is not taken back by leaving', async () => {
  const { left, shown, use, ask } = page();
  const answer = ask();

  const used = shown[0]?.use(Uint8Array.of(1));
  left.abort();
  await used;

  expect(await answer).toBe(true);
  expect(use).toHaveBeenCalledOnce();
});
