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
