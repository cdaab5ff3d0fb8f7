import { beijingDay } from '../guidance/beijing.ts';

/** Where things stand on the bar, as shares of its length from 0 to 1. */
export interface Timeline {
  readonly windowStart: number;
  readonly expiry: number;
  readonly today: number;
}

/** Days of room on the bar after today or the expiry, so that neither mark sits on the very edge. */
const roomDays = 14;
/** The window is the part people act on: it never gets narrower than this share. */
const leastWindow = 0.18;

/**
 * A certificate's life as positions on a bar that begins at notBefore. A life of years would squeeze the renewal window
 * to a hair, so the bar has two scales: one before the window, one from the window on.
 */
export function timeline(notBefore: Date, notAfter: Date, now: Date, windowDays: number): Timeline {
  const begin = beijingDay(notBefore);
  const expiry = Math.max(beijingDay(notAfter), begin + 1);
  const window = Math.max(begin, expiry - windowDays);
  const today = beijingDay(now);
  const end = Math.max(expiry, today) + roomDays;
  const split = Math.min(1 - leastWindow, (window - begin) / (end - begin));
  const at = (day: number): number => {
    if (day <= begin) return 0;
    if (day < window) return (split * (day - begin)) / (window - begin);
    return split + ((1 - split) * (day - window)) / (end - window);
  };
  return { windowStart: at(window), expiry: at(expiry), today: at(today) };
}
