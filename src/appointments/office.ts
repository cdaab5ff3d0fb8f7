import { bookAppointment, cancelAppointment } from '../service/appointments.ts';
import { booked, notBooked, notCancelled } from './answers.ts';
import type { Office } from './outbox.ts';

/** The operator's service at an address of this origin. */
export const officeAt = (api: string): Office => ({
  book: ({ key, business, place, slot, visitor }) => {
    const { surname, phone } = visitor;
    return bookAppointment(api, { business, centre: place.id, slot: slot.id, surname, phone }, key).then(
      booked,
      notBooked,
    );
  },
  cancel: ({ state }) =>
    state.stage === 'cancelling'
      ? cancelAppointment(api, state.receipt.number, state.receipt.token).then(() => ({ kind: 'gone' }), notCancelled)
      : Promise.reject(new Error(`cancelling what is ${state.stage}`)),
});
