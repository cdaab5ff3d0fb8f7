import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { watchIdle } from '../../src/app/state/idle.ts';

const warnAfterMs = 100_000;
let stop: () => void = () => undefined;
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

function watch(busy: () => boolean = () => false): { onWarn: ReturnType<typeof vi.fn<() => void>>; again: () => void } {
  const onWarn = vi.fn<() => void>();
  const watching = watchIdle({ warnAfterMs, busy, onWarn });
  stop = watching.stop;
  return { onWarn, again: watching.again };
}
const touch = (sign = 'keydown'): boolean => document.body.dispatchEvent(new Event(sign, { bubbles: true }));

describe('the watch for nobody being there', () => {
  test('leaves a page alone that nobody has touched', () => {
    const { onWarn } = watch();

    vi.advanceTimersByTime(10 * warnAfterMs);

    expect(onWarn).not.toHaveBeenCalled();
  });

  test.each(['pointerdown', 'keydown', 'input', 'wheel', 'touchstart', 'scroll'])('%s begins the time anew', (sign) => {
    const { onWarn } = watch();
    touch();
    vi.advanceTimersByTime(warnAfterMs - 1);

    touch(sign);
    vi.advanceTimersByTime(warnAfterMs - 1);
    expect(onWarn).not.toHaveBeenCalled();

    vi.advanceTimersByTime(1);
    expect(onWarn).toHaveBeenCalledTimes(1);
  });

  test('warns once, and again only after an answer', () => {
    const { onWarn, again } = watch();
    touch();
    vi.advanceTimersByTime(3 * warnAfterMs);
    touch();
    vi.advanceTimersByTime(3 * warnAfterMs);
    expect(onWarn).toHaveBeenCalledTimes(1);

    again();
    vi.advanceTimersByTime(warnAfterMs);

    expect(onWarn).toHaveBeenCalledTimes(2);
  });

  test('waits for the end of what is under way, and then for the whole time', () => {
    let busy = true;
    const { onWarn } = watch(() => busy);
    touch();
    vi.advanceTimersByTime(5 * warnAfterMs);
    expect(onWarn).not.toHaveBeenCalled();

    busy = false;
    vi.advanceTimersByTime(warnAfterMs);

    expect(onWarn).toHaveBeenCalledTimes(1);
  });
});
