import { afterEach, expect, test, vi } from 'vitest';
import { keyLocks, lockOf, workElsewhere } from '../../src/app/state/key-lock.svelte.ts';
import { OtherTab } from '../../src/app/state/key-trouble.ts';
import type { AttachedKey } from '../../src/usbkey/connect.ts';

/* The other tab is played here, with the locks and the channel that it would use. */

const key = (productId: number, serialNumber = ''): AttachedKey =>
  ({ vendorId: 0x055c, productId, device: { serialNumber } }) as AttachedKey;
const [lock, otherLock] = [lockOf(key(0xe618)), lockOf(key(0xf603))];

const channel = new BroadcastChannel('casupport.key');
const releases: (() => void)[] = [];
afterEach(() => {
  channel.onmessage = null;
  releases.splice(0).forEach((release) => release());
});

/** Another tab has this key until it is released. */
async function hold(name: string): Promise<() => void> {
  let release = (): void => undefined;
  await new Promise<void>((held) => {
    void navigator.locks.request(name, () => {
      held();
      return new Promise<void>((end) => (release = end));
    });
  });
  releases.push(release);
  return release;
}

/** What this tab says on the channel. */
const said = (): Promise<unknown> =>
  new Promise((resolve) => (channel.onmessage = ({ data }: MessageEvent<unknown>) => resolve(data)));

test('locks are told apart by model and serial number', () => {
  expect(lock).toBe('casupport.key 055c:e618:');
  expect(new Set([lock, otherLock, lockOf(key(0xe618, 'A')), lockOf(key(0xe618, 'B'))]).size).toBe(4);
});

test('a key that no tab is at is used, and is free afterwards', async () => {
  const during = await keyLocks.run(lock, () => workElsewhere());

  expect(during).toBe(true);
  expect(await workElsewhere()).toBe(false);
});

test('a task that fails leaves the key free', async () => {
  await expect(keyLocks.run(lock, () => Promise.reject(new Error('pulled')))).rejects.toThrow('pulled');

  expect(await workElsewhere()).toBe(false);
});

test('a key another tab is at is not touched: this tab asks who has it, and hears what it does', async () => {
  await hold(lock);
  const task = vi.fn(() => Promise.resolve());
  const asked = said();

  await expect(keyLocks.run(lock, task)).rejects.toBeInstanceOf(OtherTab);

  expect(task).not.toHaveBeenCalled();
  expect(keyLocks.holder).toBeUndefined();
  expect(await asked).toEqual({ say: 'whose', lock });
  channel.postMessage({ say: 'mine', lock: otherLock, task: 'use', since: 1 });
  channel.postMessage({ say: 'mine', lock, task: 'work', since: 7 });
  await vi.waitFor(() => expect(keyLocks.holder).toMatchObject({ task: 'work', since: 7 }));
});

test('another key is free meanwhile', async () => {
  await hold(lock);

  expect(await keyLocks.run(otherLock, () => Promise.resolve('read'))).toBe('read');
});

test('a tab that waits is told once the key is free', async () => {
  const release = await hold(lock);
  await expect(keyLocks.run(lock, () => Promise.resolve())).rejects.toBeInstanceOf(OtherTab);
  let isFree = false;
  const waiting = keyLocks.whenFree().then(() => (isFree = true));
  await navigator.locks.query();
  expect(isFree).toBe(false);

  release();

  expect(await waiting).toBe(true);
});

test('a tab that has a key says so when it is asked, and when it begins to work', async () => {
  await keyLocks.run(lock, async () => {
    const answer = said();
    channel.postMessage({ say: 'whose', lock });
    expect(await answer).toMatchObject({ say: 'mine', lock, task: 'use' });

    const announced = said();
    keyLocks.announceWork();
    expect(await announced).toMatchObject({ say: 'mine', lock, task: 'work' });
  });
});

test('work that another tab begins is heard, and what no tab would say is not', async () => {
  const heard: string[] = [];
  keyLocks.onWork = (name) => heard.push(name);
  for (const noise of [null, 'work', {}, { say: 'mine', lock, task: 'play', since: 1 }, { say: 'mine', task: 'work' }])
    channel.postMessage(noise);
  channel.postMessage({ say: 'mine', lock: otherLock, task: 'use', since: 1 });
  channel.postMessage({ say: 'mine', lock, task: 'work', since: 1 });

  await vi.waitFor(() => expect(heard).toEqual([lock]));
});
