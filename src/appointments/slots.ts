import * as v from 'valibot';

/** A time at a centre, as instants written in Beijing's time: `2026-11-24T09:00:00+08:00` (RFC 3339 §5.6). */
export interface Slot {
  /** What the operator calls it. */
  readonly id: string;
  readonly start: string;
  readonly end: string;
}

/** A slot with how many can still come. */
export interface FreeSlot extends Slot {
  readonly remaining: number;
}

const minuteMs = 60_000;
const dayMs = 1_440 * minuteMs;
/** Asia/Shanghai: UTC+8, without summer time since 1992. */
const offsetMs = 8 * 60 * minuteMs;

/** An instant as Beijing writes it, to the second. @param ms milliseconds since 1970 */
export const beijingStamp = (ms: number): string => `${new Date(ms + offsetMs).toISOString().slice(0, 19)}+08:00`;

/** The day in Beijing, `2026-11-24`. @param ms milliseconds since 1970 */
export const beijingDate = (ms: number): string => beijingStamp(ms).slice(0, 10);

/** Milliseconds since 1970. */
export const startOf = (slot: Slot): number => Date.parse(slot.start);
export const endOf = (slot: Slot): number => Date.parse(slot.end);

const timestamp = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+08:00$/),
  v.check((text) => !Number.isNaN(Date.parse(text))),
);
/** As stored. */
export const slotSchema = v.object({ id: v.pipe(v.string(), v.maxLength(80)), start: timestamp, end: timestamp });

/** The operator's slot, whose instants may stand in any offset, in Beijing's time. */
export const inBeijing = <One extends Slot>(slot: One): One => ({
  ...slot,
  start: beijingStamp(startOf(slot)),
  end: beijingStamp(endOf(slot)),
});

/** The slots still to come with room in them, by day, both in order; each start once. */
export function byDay<One extends Slot & { readonly remaining?: number }>(
  slots: readonly One[],
  now: number,
): ReadonlyMap<string, readonly One[]> {
  const days = new Map<string, One[]>();
  const seen = new Set<string>();
  const coming = slots.filter((slot) => startOf(slot) > now && slot.remaining !== 0);
  for (const slot of coming.sort((a, b) => startOf(a) - startOf(b))) {
    if (seen.has(slot.start)) continue;
    seen.add(slot.start);
    const day = slot.start.slice(0, 10);
    const list = days.get(day);
    if (list) list.push(slot);
    else days.set(day, [slot]);
  }
  return days;
}

/** How many days ahead a visit can be asked for, today among them. */
export const daysAhead = 14;

/** The days asked about: today and the last one, both in. @param now milliseconds since 1970 */
export const period = (now: number): { readonly from: string; readonly to: string } => ({
  from: beijingDate(now),
  to: beijingDate(now + (daysAhead - 1) * dayMs),
});

const halfHours = (from: number, until: number): readonly number[] =>
  Array.from({ length: (until - from) * 2 }, (_, index) => from * 60 + index * 30);
/** Minutes after midnight: 9 to 12 and 13:30 to 17, as offices go. */
const usualMinutes: readonly number[] = [...halfHours(9, 12), ...halfHours(13.5, 17)];

/**
 * Times to wish for while the centre's own cannot be had: the half hours of Monday to Friday from tomorrow on. Whether the
 * centre is open then, it says when the wish arrives: a slot it does not know is as good as a full one.
 * @param now milliseconds since 1970
 */
export function usualSlots(now: number): readonly Slot[] {
  const midnight = Date.parse(`${beijingDate(now)}T00:00:00+08:00`);
  return Array.from({ length: daysAhead - 1 }, (_, index) => midnight + (index + 1) * dayMs)
    .filter((day) => ![0, 6].includes(new Date(day + offsetMs).getUTCDay()))
    .flatMap((day) => usualMinutes.map((minutes) => day + minutes * minuteMs))
    .map((start) => ({
      id: beijingStamp(start).slice(0, 16),
      start: beijingStamp(start),
      end: beijingStamp(start + 30 * minuteMs),
    }));
}
