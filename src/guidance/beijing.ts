const dayMs = 86_400_000;
/** Asia/Shanghai has been UTC+8 without summer time since 1992; no certificate of this service is older. */
const offsetMs = 8 * 3_600_000;

/** A natural day in Beijing, counted from 1970-01-01 (day 0). Adding 1 is the next day, leap years included. */
export type BeijingDay = number;

/**
 * The natural day in Beijing at an instant.
 * @throws RangeError when the date is invalid
 */
export function beijingDay(at: Date): BeijingDay {
  const ms = at.getTime();
  if (Number.isNaN(ms)) throw new RangeError('invalid date');
  return Math.floor((ms + offsetMs) / dayMs);
}

/** The instant at which a natural day begins in Beijing. */
export const startOfBeijingDay = (day: BeijingDay): Date => new Date(day * dayMs - offsetMs);

/** `2025-03-02`: the day as ISO 8601 writes it. */
export const isoDay = (day: BeijingDay): string => new Date(day * dayMs).toISOString().slice(0, 10);

/**
 * Reads `2025-03-02`.
 * @returns undefined when the text is not a day of the calendar
 */
export function parseIsoDay(iso: string): BeijingDay | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(iso)) return undefined;
  const ms = Date.parse(`${iso}T00:00:00Z`);
  if (Number.isNaN(ms)) return undefined;
  const day = ms / dayMs;
  // Date.parse lets 2025-02-30 roll over in some engines: only a day that reads back the same is one.
  return isoDay(day) === iso ? day : undefined;
}

/** How a certificate's end stands to a moment, in natural days of Beijing. */
export interface Validity {
  /** date(notAfter) − date(now): 0 on the last day, negative afterwards. */
  readonly daysLeft: number;
  /** now > notAfter, to the millisecond. */
  readonly expired: boolean;
  /** Natural days since the last day of validity; 0 while valid, and on the last day itself. */
  readonly expiredDays: number;
}

export function validityAt(notAfter: Date, now: Date): Validity {
  const daysLeft = beijingDay(notAfter) - beijingDay(now);
  const expired = now.getTime() > notAfter.getTime();
  return { daysLeft, expired, expiredDays: expired ? Math.max(0, -daysLeft) : 0 };
}

/** The first natural day on which a certificate may be renewed: the day of notAfter less the window. */
export const renewableFrom = (notAfter: Date, windowDays: number): BeijingDay => beijingDay(notAfter) - windowDays;
