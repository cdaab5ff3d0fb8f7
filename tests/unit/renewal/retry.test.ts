import { expect, test } from 'vitest';
import { CaError } from '../../../src/ca/authority.ts';
import { wait, withRetry } from '../../../src/renewal/retry.ts';

/** A clock that only notes how long it was asked to wait. */
function recorder(): { waited: number[]; wait: (ms: number) => Promise<void> } {
  const waited: number[] = [];
  return {
    waited,
    wait: (milliseconds) => {
      waited.push(milliseconds);
      return Promise.resolve();
    },
  };
}
const failing = (errors: readonly Error[]): { calls: number; exchange: () => Promise<string> } => {
  const state = {
    calls: 0,
    exchange: () => {
      const error = errors[state.calls++];
      return error === undefined ? Promise.resolve('answer') : Promise.reject(error);
    },
  };
  return state;
};

test('an authority that comes back within four tries is asked with growing, jittered pauses', async () => {
  const { waited, wait: note } = recorder();
  const away = new CaError('unreachable', '');
  const attempts = failing([away, new CaError('timeout', ''), new CaError('unavailable', '')]);
  const got = await withRetry(attempts.exchange, { wait: note, random: () => 0.5, signal: undefined });
  expect(got).toBe('answer');
  expect(waited).toEqual([500, 1_000, 2_000]);
});

test('the fifth try is not made', async () => {
  const { wait: note } = recorder();
  const attempts = failing(Array.from({ length: 9 }, () => new CaError('unreachable', '')));
  await expect(withRetry(attempts.exchange, { wait: note, random: () => 0, signal: undefined })).rejects.toMatchObject({
    code: 'unreachable',
  });
  expect(attempts.calls).toBe(4);
});

test('Retry-After is honoured, and one too long to sit through ends the run at once', async () => {
  const short = recorder();
  const soon = failing([new CaError('unavailable', '', { retryAfterSeconds: 7 })]);
  await withRetry(soon.exchange, { wait: short.wait, random: () => 0.25, signal: undefined });
  expect(short.waited).toEqual([7_250]);

  const late = failing([new CaError('unavailable', '', { retryAfterSeconds: 600 })]);
  await expect(
    withRetry(late.exchange, { wait: short.wait, random: () => 0, signal: undefined }),
  ).rejects.toMatchObject({ retryAfterSeconds: 600 });
  expect(late.calls).toBe(1);
});

test('an authority that is busy is queued at for as long as it takes, by whoever can say so', async () => {
  const { waited, wait: note } = recorder();
  const told: number[] = [];
  const busy = failing(Array.from({ length: 30 }, () => new CaError('unavailable', '')));
  const options = { wait: note, random: () => 0.5, signal: undefined, onWait: (ms: number) => void told.push(ms) };
  expect(await withRetry(busy.exchange, options)).toBe('answer');
  expect(waited.slice(0, 8)).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 64_000, 64_000]);
  expect(told).toEqual(waited);
});

test('queueing ends: after sixty tries, and at once when the authority asks for more than five minutes', async () => {
  const { wait: note } = recorder();
  const options = { wait: note, random: () => 0, signal: undefined, onWait: () => undefined };
  const forever = failing(Array.from({ length: 99 }, () => new CaError('unavailable', '')));
  await expect(withRetry(forever.exchange, options)).rejects.toMatchObject({ code: 'unavailable' });
  expect(forever.calls).toBe(60);

  const long = failing([new CaError('unavailable', '', { retryAfterSeconds: 301 })]);
  await expect(withRetry(long.exchange, options)).rejects.toMatchObject({ retryAfterSeconds: 301 });
  expect(long.calls).toBe(1);
});

test('a network that fails now and then does not cost a place in the queue, one that is down ends it', async () => {
  const { wait: note } = recorder();
  const options = { wait: note, random: () => 0, signal: undefined, onWait: () => undefined };
  const [away, busy] = [new CaError('unreachable', ''), new CaError('unavailable', '')];
  const flickering = failing(Array.from({ length: 10 }, () => [busy, away, away, away]).flat());
  expect(await withRetry(flickering.exchange, options)).toBe('answer');

  const down = failing([busy, busy, away, away, away, away]);
  await expect(withRetry(down.exchange, options)).rejects.toMatchObject({ code: 'unreachable' });
  expect(down.calls).toBe(6);
});

test.each(['rejected', 'malformed', 'notTrusted', 'mismatch', 'cancelled'] as const)('%s is final', async (code) => {
  const { wait: note } = recorder();
  const attempts = failing([new CaError(code, '')]);
  await expect(withRetry(attempts.exchange, { wait: note, random: () => 0, signal: undefined })).rejects.toMatchObject({
    code,
  });
  expect(attempts.calls).toBe(1);
});

test('waiting ends when it is cancelled', async () => {
  const controller = new AbortController();
  const waiting = wait(3_600_000, controller.signal);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'CaError', code: 'cancelled' });
  await expect(wait(3_600_000, controller.signal)).rejects.toMatchObject({ code: 'cancelled' });
});
