import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const afterLoad = vi.fn<() => Promise<void>>();
const messageSW = vi.fn<(worker: object, message: object) => Promise<void>>();
const longMs = 60_000;

/** A service worker's registration, as the browser gives it: one worker of a new build that waits. */
class Waiting extends EventTarget {
  readonly state = 'installed';
}
let waiting: Waiting;

async function registered(): Promise<{ take(): void }> {
  const { registerServiceWorker } = await import('../../src/app/pwa.ts');
  const { update } = await import('../../src/app/state/update.svelte.ts');
  await registerServiceWorker();
  return update;
}

beforeEach(() => {
  vi.resetModules();
  vi.doMock('../../src/app/after-load.ts', () => ({ afterLoad }));
  vi.doMock('workbox-window', () => ({ messageSW }));
  afterLoad.mockReset().mockResolvedValue();
  messageSW.mockReset().mockResolvedValue();
  waiting = new Waiting();
  const registration = Object.assign(new EventTarget(), { waiting, installing: null, update: () => Promise.resolve() });
  const container = Object.assign(new EventTarget(), {
    controller: {},
    ready: Promise.resolve(registration),
    register: () => Promise.resolve(registration),
  });
  Object.defineProperty(navigator, 'serviceWorker', { configurable: true, value: container });
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.doUnmock('../../src/app/after-load.ts');
  vi.doUnmock('workbox-window');
  Reflect.deleteProperty(navigator, 'serviceWorker');
});

describe('what is fetched for later', () => {
  test('is fetched some time after the first screen, though a new build waits', async () => {
    await registered();
    expect(afterLoad).not.toHaveBeenCalled();

    await vi.advanceTimersByTimeAsync(longMs);

    await vi.waitFor(() => expect(afterLoad).toHaveBeenCalledOnce());
    expect(messageSW).not.toHaveBeenCalled();
  });

  test('is left alone once the new build was taken', async () => {
    const update = await registered();

    update.take();
    await vi.advanceTimersByTimeAsync(longMs);

    await vi.waitFor(() => expect(messageSW).toHaveBeenCalledExactlyOnceWith(waiting, { type: 'SKIP_WAITING' }));
    expect(afterLoad).not.toHaveBeenCalled();
  });
});
