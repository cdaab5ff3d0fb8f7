import * as v from 'valibot';
import type { Business } from '../service/appointments.ts';
import { slotSchema, type Slot } from './slots.ts';

/** The five businesses a service centre does, by the slug in their address. */
export const businesses = ['upgrade', 'new', 'renew', 'replace', 'unlock'] as const satisfies readonly Business[];
export const isBusiness = (value: string): value is Business => (businesses as readonly string[]).includes(value);

/** Of what a centre does, what can be booked: all five at most, in their usual order. */
export const offeredBy = (centre: { readonly services: readonly string[] }): readonly Business[] =>
  businesses.filter((business) => centre.services.includes(business));

/** The centre as it was when the person chose it: enough to go there without a network. */
export interface Place {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  /** Empty when not published. */
  readonly phone: string;
  /** Made up to show the page; never shown without saying so. */
  readonly sample: boolean;
}

/** What is asked of a person, and no more. */
export interface Visitor {
  readonly surname: string;
  /** Digits only. Empty once nobody has to be sent it any more. */
  readonly phone: string;
}

/** How the sending of a request stands. Times: milliseconds since 1970. */
export interface Delivery {
  /** Attempts that came to nothing, for the pause before the next. */
  readonly attempts: number;
  /** A request has left whose answer never came: it may have been taken. */
  readonly unanswered: boolean;
  /** Not sent before this moment. */
  readonly notBefore: number;
  /** The operator asked to wait: not even a person's word or a new network shortens it. */
  readonly busy: boolean;
  /** On its way since this moment. */
  readonly sendingSince: number | undefined;
}

/** What the operator gave for a wish it took. */
export interface Receipt {
  readonly number: string;
  /** Whoever has it can cancel. */
  readonly token: string;
  /** The centre has said yes; until then it is a wish. */
  readonly confirmed: boolean;
}

export type State =
  /** In the outbox. `toCancel`: the person has changed their mind while nobody knew whether it had been taken. */
  | { readonly stage: 'waiting'; readonly delivery: Delivery; readonly toCancel: boolean }
  | { readonly stage: 'booked'; readonly receipt: Receipt; readonly tooLateToCancel: boolean }
  /** The slot is gone; nothing is booked. */
  | { readonly stage: 'conflict'; readonly otherSlots: readonly Slot[] }
  /** The operator does not take this at all; nothing is booked. */
  | { readonly stage: 'refused'; readonly because: 'request' | 'closed' }
  /** In the outbox once more. */
  | { readonly stage: 'cancelling'; readonly delivery: Delivery; readonly receipt: Receipt }
  | { readonly stage: 'cancelled'; readonly by: 'visitor' | 'centre' };
export type Stage = State['stage'];

export interface Appointment {
  /** Of this entry on this device; a UUID. */
  readonly id: string;
  /** The Idempotency-Key of what is asked for now; a UUID, and another one for another slot. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly business: Business;
  readonly place: Place;
  readonly slot: Slot;
  readonly visitor: Visitor;
  readonly state: State;
}

const text = v.pipe(v.string(), v.maxLength(300));
/** A date that JavaScript cannot express would throw wherever it is shown. */
const time = v.pipe(v.number(), v.minValue(-8.64e15), v.maxValue(8.64e15));
const delivery = v.object({
  attempts: v.pipe(v.number(), v.integer(), v.minValue(0)),
  unanswered: v.boolean(),
  notBefore: time,
  busy: v.boolean(),
  sendingSince: v.optional(time),
});
const receipt = v.object({ number: text, token: text, confirmed: v.boolean() });
const stateSchema = v.variant('stage', [
  v.object({ stage: v.literal('waiting'), delivery, toCancel: v.boolean() }),
  v.object({ stage: v.literal('booked'), receipt, tooLateToCancel: v.boolean() }),
  v.object({ stage: v.literal('conflict'), otherSlots: v.array(slotSchema) }),
  v.object({ stage: v.literal('refused'), because: v.picklist(['request', 'closed']) }),
  v.object({ stage: v.literal('cancelling'), delivery, receipt }),
  v.object({ stage: v.literal('cancelled'), by: v.picklist(['visitor', 'centre']) }),
]);
const appointmentSchema = v.object({
  id: text,
  key: text,
  createdAt: time,
  business: v.picklist(businesses),
  place: v.object({ id: text, name: text, address: text, phone: text, sample: v.boolean() }),
  slot: slotSchema,
  visitor: v.object({ surname: text, phone: text }),
  state: stateSchema,
});

/** What stands in the store, checked: undefined for what this version did not write. */
export function readAppointment(row: unknown): Appointment | undefined {
  const { success, output } = v.safeParse(appointmentSchema, row);
  if (!success) return undefined;
  return {
    ...output,
    state:
      'delivery' in output.state
        ? {
            ...output.state,
            delivery: { ...output.state.delivery, sendingSince: output.state.delivery.sendingSince },
          }
        : output.state,
  };
}
