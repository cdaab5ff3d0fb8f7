import type { Appointment, Delivery, Receipt, Stage } from './model.ts';
import { backoffMs, longestWaitMs } from './retry.ts';
import { endOf, startOf, type Slot } from './slots.ts';

/*
 * How an appointment goes from one state to the next: functions of what is stored and what was answered. `now` is in
 * milliseconds since 1970, `random` from 0 up to, but not, 1.
 */

/** What the operator made of a wish. */
export type BookingAnswer =
  | { readonly kind: 'taken'; readonly receipt: Receipt; readonly slot: Slot }
  | { readonly kind: 'slotTaken'; readonly otherSlots: readonly Slot[] }
  | { readonly kind: 'refused'; readonly because: 'request' | 'closed' }
  | Postponed;
/** What the operator made of a cancellation. */
export type CancelAnswer = { readonly kind: 'gone' } | { readonly kind: 'tooLate' } | Postponed;
type Postponed =
  /** Not done, and to be asked again. */
  | { readonly kind: 'later'; readonly retryAfterMs: number | undefined }
  /** Nobody knows whether it was done, and to be asked again too. */
  | { readonly kind: 'lost'; readonly retryAfterMs: number | undefined };

const fresh = (now: number): Delivery => ({
  attempts: 0,
  unanswered: false,
  notBefore: now,
  busy: false,
  sendingSince: undefined,
});

/** A wish for the outbox. @param id @param key fresh UUIDs */
export const newAppointment = (
  wish: Pick<Appointment, 'business' | 'place' | 'slot' | 'visitor'>,
  { id, key, now }: { readonly id: string; readonly key: string; readonly now: number },
): Appointment => ({
  ...wish,
  id,
  key,
  createdAt: now,
  state: { stage: 'waiting', delivery: fresh(now), toCancel: false },
});

/** Where an appointment stands for a person. `over`: it was booked, and its time has passed. */
export type Status = Exclude<Stage, 'waiting'> | 'waiting' | 'sending' | 'expired' | 'over';

/** Time alone makes some of it, so nothing of that is stored: a wrong clock does no harm that outlasts it. */
export function statusOf({ state, slot }: Appointment, now: number): Status {
  const passed = startOf(slot) <= now;
  if (state.stage === 'waiting') {
    if (state.toCancel) return passed ? 'cancelled' : 'cancelling';
    if (state.delivery.sendingSince !== undefined) return 'sending';
    return passed ? 'expired' : 'waiting';
  }
  if (state.stage === 'booked' || state.stage === 'cancelling') return endOf(slot) <= now ? 'over' : state.stage;
  return state.stage;
}

const deliveryOf = ({ state }: Appointment): Delivery | undefined => ('delivery' in state ? state.delivery : undefined);

/** What is to be sent, whenever it may be; undefined when nothing is. */
export function toSend(appointment: Appointment, now: number): 'book' | 'cancel' | undefined {
  const { state, slot } = appointment;
  if (state.stage === 'cancelling') return endOf(slot) > now ? 'cancel' : undefined;
  return state.stage === 'waiting' && startOf(slot) > now ? 'book' : undefined;
}

/**
 * The moment from which it may be sent; undefined when nothing is to be sent.
 * @param hurry somebody asks for it, or the network has come back: only the operator's own word is still waited for
 */
export function dueAt(appointment: Appointment, now: number, hurry = false): number | undefined {
  const delivery = deliveryOf(appointment);
  if (!delivery || toSend(appointment, now) === undefined) return undefined;
  // A wait longer than any we set comes from a clock that has been put right since.
  if (delivery.notBefore - now > longestWaitMs + 3_600_000) return now;
  return hurry && !delivery.busy ? Math.min(delivery.notBefore, now) : delivery.notBefore;
}

const withDelivery = (appointment: Appointment, change: Partial<Delivery>): Appointment => {
  const { state } = appointment;
  return 'delivery' in state
    ? { ...appointment, state: { ...state, delivery: { ...state.delivery, ...change } } }
    : appointment;
};

/** It is about to leave. If it was already on its way, whoever sent it is gone, and nobody knows what became of it. */
export function beginSending(appointment: Appointment, now: number): Appointment {
  const delivery = deliveryOf(appointment);
  if (!delivery) return appointment;
  const unanswered = delivery.unanswered || delivery.sendingSince !== undefined;
  return withDelivery(appointment, { sendingSince: now, unanswered });
}

function postponed(appointment: Appointment, answer: Postponed, now: number, random: number): Appointment {
  const delivery = deliveryOf(appointment);
  if (!delivery) return appointment;
  const attempts = delivery.attempts + 1;
  const asked = answer.retryAfterMs;
  return withDelivery(appointment, {
    attempts,
    sendingSince: undefined,
    unanswered: delivery.unanswered || answer.kind === 'lost',
    notBefore: now + (asked ?? 0) + backoffMs(attempts, random),
    busy: asked !== undefined,
  });
}

/** Nobody needs the number any more. */
const withoutPhone = (appointment: Appointment): Appointment => ({
  ...appointment,
  visitor: { ...appointment.visitor, phone: '' },
});

/** The wish was answered, or its answer did not come. */
export function afterBooking(
  appointment: Appointment,
  answer: BookingAnswer,
  now: number,
  random: number,
): Appointment {
  const { state } = appointment;
  if (state.stage !== 'waiting') return appointment;
  if (answer.kind === 'later' || answer.kind === 'lost') return postponed(appointment, answer, now, random);
  if (answer.kind === 'taken') {
    const { receipt, slot } = answer;
    const next = state.toCancel
      ? ({ stage: 'cancelling', delivery: fresh(now), receipt } as const)
      : ({ stage: 'booked', receipt, tooLateToCancel: false } as const);
    return withoutPhone({ ...appointment, slot, state: next });
  }
  if (state.toCancel) return withoutPhone({ ...appointment, state: { stage: 'cancelled', by: 'visitor' } });
  return answer.kind === 'slotTaken'
    ? { ...appointment, state: { stage: 'conflict', otherSlots: answer.otherSlots } }
    : { ...appointment, state: { stage: 'refused', because: answer.because } };
}

/** The cancellation was answered, or its answer did not come. */
export function afterCancelling(
  appointment: Appointment,
  answer: CancelAnswer,
  now: number,
  random: number,
): Appointment {
  const { state } = appointment;
  if (state.stage !== 'cancelling') return appointment;
  if (answer.kind === 'later' || answer.kind === 'lost') return postponed(appointment, answer, now, random);
  return answer.kind === 'gone'
    ? { ...appointment, state: { stage: 'cancelled', by: 'visitor' } }
    : { ...appointment, state: { stage: 'booked', receipt: state.receipt, tooLateToCancel: true } };
}

/** The person has changed their mind. What never left is cancelled at once; what did is taken back where it went. */
export function cancel(appointment: Appointment, now: number): Appointment {
  const { state } = appointment;
  if (state.stage === 'cancelled' || state.stage === 'cancelling') return appointment;
  if (state.stage === 'booked')
    return { ...appointment, state: { stage: 'cancelling', delivery: fresh(now), receipt: state.receipt } };
  if (state.stage === 'waiting' && (state.delivery.unanswered || state.delivery.sendingSince !== undefined))
    return { ...appointment, state: { ...state, toCancel: true } };
  return withoutPhone({ ...appointment, state: { stage: 'cancelled', by: 'visitor' } });
}

/** Another slot after a conflict: another request, hence another key. Anything but a conflict stays as it is. */
export const chooseOther = (appointment: Appointment, slot: Slot, key: string, now: number): Appointment =>
  appointment.state.stage === 'conflict'
    ? { ...appointment, key, slot, state: { stage: 'waiting', delivery: fresh(now), toCancel: false } }
    : appointment;

/** What the operator says of a booking when asked. */
export const afterLook = (appointment: Appointment, look: 'requested' | 'confirmed' | 'cancelled'): Appointment => {
  const { state } = appointment;
  if (state.stage !== 'booked') return appointment;
  return look === 'cancelled'
    ? { ...appointment, state: { stage: 'cancelled', by: 'centre' } }
    : { ...appointment, state: { ...state, receipt: { ...state.receipt, confirmed: look === 'confirmed' } } };
};

/** Long enough to look up where one has been; then it goes by itself. */
const keptDays = 30;
export const isStale = ({ slot }: Appointment, now: number): boolean => endOf(slot) + keptDays * 86_400_000 < now;
