import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import { pause, stopIfOver, type Turn, Turns } from '../../../src/device/turns.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = () => new Promise<never>(() => undefined);
function fresh() {
  const device = new AbortController();
  return { unplug: () => device.abort(), turns: new Turns(device.signal) };
}
/** Follows a promise without waiting for it. */
function watched(promise: Promise<unknown>): { outcome: unknown } {
  const seen: { outcome: unknown } = { outcome: 'pending' };
  promise.then(
    (value) => (seen.outcome = value),
    (error: unknown) => (seen.outcome = error instanceof TransportError ? error.code : error),
  );
  return seen;
}

describe('a turn', () => {
  it('gives what its work gives', async () => {
    const { turns } = fresh();

    await expect(turns.take({ timeoutMs: 10 }, () => Promise.resolve(7))).resolves.toBe(7);
  });

  it('ends in silence at its time and not before, however many came before it', async () => {
    const { turns } = fresh();
    for (let count = 0; count < 5; count++) {
      const earlier = turns.take({ timeoutMs: 1000 }, (turn) => pause(300, turn));
      await vi.advanceTimersByTimeAsync(300);
      await earlier;
    }
    const seen = watched(turns.take({ timeoutMs: 1000 }, never));

    await vi.advanceTimersByTimeAsync(999);
    expect(seen.outcome).toBe('pending');
    await vi.advanceTimersByTimeAsync(1);

    expect(seen.outcome).toBe('timeout');
  });

  it('that is shorter than the one before ends at its own time', async () => {
    const { turns } = fresh();
    await turns.take({ timeoutMs: 60_000 }, () => Promise.resolve());
    const seen = watched(turns.take({ timeoutMs: 50 }, never));

    await vi.advanceTimersByTimeAsync(50);

    expect(seen.outcome).toBe('timeout');
  });

  it('starts its silence anew when asked to, once with another length', async () => {
    const { turns } = fresh();
    let turn: Turn | undefined;
    const seen = watched(
      turns.take({ timeoutMs: 100 }, (mine) => {
        turn = mine;
        return never();
      }),
    );
    await vi.advanceTimersByTimeAsync(90);
    turn?.restart(500);
    await vi.advanceTimersByTimeAsync(490);
    turn?.restart();
    await vi.advanceTimersByTimeAsync(90);
    expect(seen.outcome).toBe('pending');

    await vi.advanceTimersByTimeAsync(10);

    expect(seen.outcome).toBe('timeout');
    expect(turn?.over).toBe(true);
  });

  it.each<[string, (stage: { unplug: () => void; abort: () => void; turns: Turns }) => void, string]>([
    ['the device goes', ({ unplug }) => unplug(), 'disconnected'],
    ['the caller aborts', ({ abort }) => abort(), 'cancelled'],
    [
      'the caller aborts because the device goes',
      ({ unplug, abort }) => {
        unplug();
        abort();
      },
      'disconnected',
    ],
    ['the channel is closed', ({ turns }) => turns.stop(), 'cancelled'],
  ])('ends when %s, and its work is told to stop', async (_, end, code) => {
    const { unplug, turns } = fresh();
    const caller = new AbortController();
    let turn: Turn | undefined;
    const taken = turns.take({ timeoutMs: 1000, signal: caller.signal }, (mine) => {
      turn = mine;
      return never();
    });
    const seen = watched(taken);

    end({ unplug, abort: () => caller.abort(), turns });
    await vi.advanceTimersByTimeAsync(0);

    expect(seen.outcome).toBe(code);
    expect(() => turn && stopIfOver(turn)).toThrow(TransportError);
  });

  it('is not ended by the signal of an earlier one', async () => {
    const { turns } = fresh();
    const [earlier, mine] = [new AbortController(), new AbortController()];
    await turns.take({ timeoutMs: 10, signal: earlier.signal }, () => Promise.resolve());
    const without = watched(turns.take({ timeoutMs: 100 }, never));
    earlier.abort();
    await vi.advanceTimersByTimeAsync(100);
    const other = watched(turns.take({ timeoutMs: 100, signal: mine.signal }, never));

    mine.abort();
    await vi.advanceTimersByTimeAsync(0);

    expect(without.outcome).toBe('timeout');
    expect(other.outcome).toBe('cancelled');
  });

  it("listens to a caller's signal once, and not any more once it has another or the channel is closed", async () => {
    const { turns } = fresh();
    const callers = [new AbortController().signal, new AbortController().signal] as const;
    const added = callers.map((signal) => vi.spyOn(signal, 'addEventListener'));
    const removed = callers.map((signal) => vi.spyOn(signal, 'removeEventListener'));
    for (const signal of [callers[0], callers[0], callers[1], callers[1]]) {
      await turns.take({ timeoutMs: 10, signal }, () => Promise.resolve());
    }

    turns.stop();

    expect(added.map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    expect(removed.map(({ mock }) => mock.calls)).toEqual(added.map(({ mock }) => mock.calls));
  });

  it('is one at a time, and free again after any end', async () => {
    const { turns } = fresh();
    const caller = new AbortController();
    const first = watched(turns.take({ timeoutMs: 1000, signal: caller.signal }, never));

    await expect(turns.take({ timeoutMs: 10 }, never)).rejects.toMatchObject({ code: 'busy' });
    caller.abort();
    await vi.advanceTimersByTimeAsync(0);

    expect(first.outcome).toBe('cancelled');
    await expect(turns.take({ timeoutMs: 10 }, () => Promise.resolve(1))).resolves.toBe(1);
  });

  it.each<[string, (stage: ReturnType<typeof fresh>) => AbortSignal | undefined, string]>([
    [
      'a device that is gone',
      ({ unplug }) => {
        unplug();
        return undefined;
      },
      'disconnected',
    ],
    ['a caller who has given up', () => AbortSignal.abort(), 'cancelled'],
  ])('does not begin for %s', async (_, prepare, code) => {
    const stage = fresh();
    const signal = prepare(stage);
    const work = vi.fn(never);

    await expect(stage.turns.take({ timeoutMs: 10, signal }, work)).rejects.toMatchObject({ code });

    expect(work).not.toHaveBeenCalled();
  });
});

describe('a part of a turn', () => {
  it('has its own, shorter time, which does not count as silence of the whole', async () => {
    const { turns } = fresh();
    const seen = watched(
      turns.take({ timeoutMs: 1000 }, async (turn) => {
        const part = await turn.part(800, never).catch((error: unknown) => (error as TransportError).code);
        await pause(900, turn);
        return `${part}, then went on`;
      }),
    );

    await vi.advanceTimersByTimeAsync(1700);

    expect(seen.outcome).toBe('timeout, then went on');
  });

  it('is over for its work once its time is, and once the whole is', async () => {
    const { turns, unplug } = fresh();
    const parts: Turn[] = [];
    const keep = (part: Turn) => {
      parts.push(part);
      return never();
    };
    const seen = watched(
      turns.take({ timeoutMs: 1000 }, async (turn) => {
        await turn.part(100, keep).catch(() => undefined);
        await turn.part(100, keep);
      }),
    );
    await vi.advanceTimersByTimeAsync(150);
    expect(parts.map(({ over }) => over)).toEqual([true, false]);

    unplug();
    await vi.advanceTimersByTimeAsync(0);

    expect(parts.map(({ over }) => over)).toEqual([true, true]);
    expect(seen.outcome).toBe('disconnected');
  });

  it('waits no longer than the whole would', async () => {
    const { turns } = fresh();
    const seen = watched(turns.take({ timeoutMs: 100 }, (turn) => turn.part(5000, never)));

    await vi.advanceTimersByTimeAsync(100);

    expect(seen.outcome).toBe('timeout');
  });
});
