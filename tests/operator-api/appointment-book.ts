import { randomBytes, randomInt } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import type { Centre } from '../../src/guidance/centres/centre.ts';
import {
  bookedSchema,
  bookingRequestSchema,
  type Appointment,
  type Booked,
  type BookingRequest,
  type Business,
} from '../../src/service/appointments.ts';
import { slotSchema, type Slot } from '../../src/service/slot.ts';
import { readOpeningHours } from './opening-hours.ts';

const minuteMs = 60_000;
const dayMs = 1_440 * minuteMs;
/** Beijing is eight hours ahead of UTC, all year. */
const beijingMs = 8 * 60 * minuteMs;
const slotMinutes = 30;

const beijing = (ms: number): string => new Date(ms + beijingMs).toISOString();
const moment = (ms: number): string => `${beijing(ms).slice(0, 19)}+08:00`;

/** A day of the calendar, `2026-11-24`, as the moment at which it begins in Beijing; undefined for anything else. */
export function beginningOf(day: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/u.test(day)) return undefined;
  const at = Date.parse(`${day}T00:00:00Z`) - beijingMs;
  return !Number.isNaN(at) && beijing(at).startsWith(day) ? at : undefined;
}

/** What is never forgotten under a key: a booking, or a refusal that is final. */
const outcomeSchema = v.variant('kind', [
  v.object({ kind: v.literal('booked'), booked: bookedSchema }),
  v.object({ kind: v.literal('slotTaken'), otherSlots: v.array(slotSchema) }),
  v.object({ kind: v.literal('unknownCentre') }),
]);
export type Outcome = v.InferOutput<typeof outcomeSchema>;

/** What happened, in order: from these the book can be written anew. */
export const entrySchema = v.variant('entry', [
  v.object({
    entry: v.literal('request'),
    at: v.number(),
    key: v.string(),
    request: bookingRequestSchema,
    outcome: outcomeSchema,
  }),
  v.object({ entry: v.literal('status'), number: v.string(), status: v.picklist(['confirmed', 'cancelled']) }),
]);
export type Entry = v.InferOutput<typeof entrySchema>;

/** An appointment with what only the counter is told. */
export interface CounterAppointment extends Appointment {
  readonly surname: string;
  readonly phone: string;
}
interface Row extends CounterAppointment {
  readonly token: string;
}

export interface BookOptions {
  readonly now: () => Date;
  readonly centres: () => readonly Centre[];
  /** How many can come at the same time. */
  readonly capacity?: number | undefined;
}

/** Neither 0 nor O, neither 1 nor I: numbers are said aloud. */
const letters = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
const keptMs = 40 * dayMs;

/** The operator's book of appointments. Every change is an `Entry`; whoever keeps those keeps the book. */
export class AppointmentBook {
  readonly #options: BookOptions;
  readonly #rows = new Map<string, Row>();
  readonly #answered = new Map<string, Extract<Entry, { entry: 'request' }>>();

  constructor(options: BookOptions, entries: readonly Entry[] = []) {
    this.#options = options;
    for (const entry of entries) this.#write(entry);
  }

  /** The slots of some days, the full and the past ones left out; undefined where the centre does not do that. */
  slots(centre: string, business: Business, from: number, to: number): readonly Slot[] | undefined {
    const found = this.#centre(centre, business);
    if (!found) return undefined;
    const openings = readOpeningHours(found.hours);
    const days = Array.from({ length: Math.round((to - from) / dayMs) + 1 }, (_, index) => from + index * dayMs);
    return days
      .flatMap((day) =>
        openings
          .filter(({ weekdays }) => weekdays.includes(new Date(day + beijingMs).getUTCDay()))
          .flatMap((opening) => {
            const count = Math.floor((opening.until - opening.from) / slotMinutes);
            return Array.from({ length: count }, (_, index) => day + (opening.from + index * slotMinutes) * minuteMs);
          }),
      )
      .filter((start) => start > this.#now())
      .map((start) => this.#slotAt(centre, start))
      .filter(({ remaining }) => remaining > 0)
      .sort((a, b) => a.id.localeCompare(b.id));
  }

  /** What was made of a key before: its outcome, or that it stood for something else. */
  answered(key: string, request: BookingRequest): Outcome | 'otherRequest' | undefined {
    const before = this.#answered.get(key);
    if (!before) return undefined;
    return isDeepStrictEqual(before.request, request) ? before.outcome : 'otherRequest';
  }

  /** A wish under a key that has not been answered yet. To be written with `enter` before anybody is told. */
  decide(key: string, request: BookingRequest): Entry {
    return { entry: 'request', at: this.#now(), key, request, outcome: this.#outcome(request) };
  }

  /** Cancelled by its holder, or confirmed or cancelled by the centre. */
  statusEntry = (number: string, status: 'confirmed' | 'cancelled'): Entry => ({ entry: 'status', number, status });

  enter(entry: Entry): void {
    this.#write(entry);
    const oldest = this.#now() - keptMs;
    for (const [key, { at }] of this.#answered) if (at < oldest) this.#answered.delete(key);
  }

  /** The row of a number with its token. */
  find(number: string): { readonly appointment: Appointment; readonly token: string } | undefined {
    const row = this.#rows.get(number);
    return row && { appointment: shown(row), token: row.token };
  }

  /** Whether the visit has begun. */
  hasBegun = ({ slot }: Appointment): boolean => Date.parse(slot.start) <= this.#now();

  /** Who comes to a centre on a day, in order of time, the cancelled among them. */
  ofDay(centre: string, day: number): readonly CounterAppointment[] {
    const within = ({ slot }: Row): boolean => Date.parse(slot.start) >= day && Date.parse(slot.start) < day + dayMs;
    return [...this.#rows.values()]
      .filter((row) => row.centre === centre && within(row))
      .sort((a, b) => a.slot.start.localeCompare(b.slot.start) || a.number.localeCompare(b.number))
      .map(({ surname, phone, ...row }) => ({ ...shown(row), surname, phone }));
  }

  /** How many appointments stand, over all centres and days. */
  get standing(): number {
    return [...this.#rows.values()].filter(({ status }) => status !== 'cancelled').length;
  }

  #now(): number {
    return this.#options.now().getTime();
  }

  #centre(id: string, business: Business): Centre | undefined {
    return this.#options.centres().find((one) => one.id === id && one.services.includes(business));
  }

  #slotAt(centre: string, start: number): Slot {
    const at = moment(start);
    const there = [...this.#rows.values()].filter(
      (row) => row.centre === centre && row.status !== 'cancelled' && row.slot.start === at,
    );
    const remaining = Math.max(0, (this.#options.capacity ?? 2) - there.length);
    return { id: at.slice(0, 16), start: at, end: moment(start + slotMinutes * minuteMs), remaining };
  }

  #outcome(request: BookingRequest): Outcome {
    const { centre, business, slot: wanted } = request;
    const today = Math.floor((this.#now() + beijingMs) / dayMs) * dayMs - beijingMs;
    const free = this.slots(centre, business, today, today + 30 * dayMs);
    if (!free) return { kind: 'unknownCentre' };
    const slot = free.find(({ id }) => id === wanted);
    if (slot) {
      const { id, start, end } = slot;
      const booked: Booked = {
        number: this.#newNumber(start),
        status: 'requested',
        ...{ business, centre, slot: { id, start, end } },
        token: randomBytes(24).toString('base64url'),
      };
      return { kind: 'booked', booked };
    }
    // The nearest in time to what was wished for; whoever wished for no time at all gets the first.
    const wish = Date.parse(`${wanted}:00+08:00`);
    const distance = ({ start }: Slot): number => (Number.isNaN(wish) ? 0 : Math.abs(Date.parse(start) - wish));
    return { kind: 'slotTaken', otherSlots: free.toSorted((a, b) => distance(a) - distance(b)).slice(0, 12) };
  }

  #newNumber(start: string): string {
    for (;;) {
      const tail = Array.from({ length: 4 }, () => letters.charAt(randomInt(letters.length))).join('');
      const number = `${start.slice(5, 7)}${start.slice(8, 10)}-${tail}`;
      if (!this.#rows.has(number)) return number;
    }
  }

  #write(entry: Entry): void {
    if (entry.entry === 'status') {
      const row = this.#rows.get(entry.number);
      if (row) this.#rows.set(entry.number, { ...row, status: entry.status });
      return;
    }
    const { key, request, outcome } = entry;
    this.#answered.set(key, entry);
    if (outcome.kind !== 'booked') return;
    const { surname, phone } = request;
    this.#rows.set(outcome.booked.number, { ...outcome.booked, surname, phone });
  }
}

const shown = ({ number, status, business, centre, slot }: Appointment): Appointment => ({
  ...{ number, status, business, centre, slot },
});
