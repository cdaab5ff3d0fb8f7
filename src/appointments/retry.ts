const baseMs = 2_000;
const capMs = 15 * 60_000;
/** No operator keeps anybody waiting longer than this, whatever it says. */
export const longestWaitMs = 24 * 3_600_000;

/**
 * How long to wait before the next attempt: exponential with full jitter, so that all who lost the network together do not
 * come back together.
 * @param attempts that came to nothing, 1 or more
 * @param random 0 up to, but not, 1
 * @returns milliseconds, at most a quarter of an hour
 */
export const backoffMs = (attempts: number, random: number): number =>
  Math.floor(random * Math.min(capMs, baseMs * 2 ** Math.min(Math.max(attempts, 1) - 1, 30)));
