import type { Appointment } from './model.ts';
import {
  afterBooking,
  afterCancelling,
  beginSending,
  dueAt,
  toSend,
  type BookingAnswer,
  type CancelAnswer,
} from './stages.ts';

/** Where appointments are kept. Every change is one transaction on what is there at that moment. */
export interface AppointmentStore {
  all(): Promise<readonly Appointment[]>;
  add(appointment: Appointment): Promise<void>;
  /** Resolves with what is there afterwards; undefined, and nothing is written, where it has been removed. */
  change(id: string, change: (appointment: Appointment) => Appointment): Promise<Appointment | undefined>;
  remove(id: string): Promise<void>;
}

/** The operator's service, as far as something is asked of it here. */
export interface Office {
  book(appointment: Appointment): Promise<BookingAnswer>;
  cancel(appointment: Appointment): Promise<CancelAnswer>;
}

export interface OutboxPorts {
  readonly store: AppointmentStore;
  /** @throws where it cannot even be asked whether there is one: nothing has left */
  readonly office: () => Promise<Office>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** 0 up to, but not, 1. */
  readonly random: () => number;
  /** Runs one task of all tabs after the other. */
  readonly alone: (task: () => Promise<void>) => Promise<void>;
}

/**
 * Sends what is due, one after another. A second tab waits for the first and then finds nothing to send; what was on its way
 * when a page went is sent again under its key, which books nothing more.
 * @param hurry somebody asks for it, or the network has come back
 * @returns the moment of the next attempt, milliseconds since 1970; undefined when nothing waits
 * @throws StorageError
 */
export async function sendOutbox(ports: OutboxPorts, hurry = false): Promise<number | undefined> {
  const { store, now } = ports;
  const due = (appointment: Appointment): boolean => (dueAt(appointment, now(), hurry) ?? Infinity) <= now();
  if ((await store.all()).some(due))
    await ports.alone(async () => {
      const waiting = (await store.all()).filter(due);
      if (waiting.length === 0) return;
      const office = await ports.office();
      for (const { id } of waiting) await sendOne(ports, office, id, hurry);
    });
  return nextAttempt(await store.all(), now());
}

/** The earliest moment at which something is to be sent; undefined when nothing waits. */
export function nextAttempt(appointments: readonly Appointment[], now: number): number | undefined {
  const moments = appointments.map((one) => dueAt(one, now)).filter((at) => at !== undefined);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

/** A wish, and where it was cancelled meanwhile, the cancellation right after it. */
async function sendOne({ store, now, random }: OutboxPorts, office: Office, id: string, hurry: boolean): Promise<void> {
  for (let hurried = hurry; ; hurried = false) {
    let what: 'book' | 'cancel' | undefined;
    const sent = await store.change(id, (one) => {
      const at = dueAt(one, now(), hurried);
      what = at !== undefined && at <= now() ? toSend(one, now()) : undefined;
      return what === undefined ? one : beginSending(one, now());
    });
    if (!sent || what === undefined) return;
    const { key } = sent;
    const settle = (change: (one: Appointment) => Appointment): Promise<unknown> =>
      store.change(id, (one) => (one.key === key ? change(one) : one));
    if (what === 'book') {
      const answer = await office.book(sent);
      await settle((one) => afterBooking(one, answer, now(), random()));
    } else {
      const answer = await office.cancel(sent);
      await settle((one) => afterCancelling(one, answer, now(), random()));
    }
  }
}
