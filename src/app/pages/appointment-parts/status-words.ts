import type { Appointment } from '../../../appointments/model.ts';
import { dueAt, statusOf } from '../../../appointments/stages.ts';
import { formatClock } from '../../slot-words.ts';
import type { myAppointments } from '../../messages/my-appointments.ts';
import type { StateSentence } from '../../state-sentence.ts';

type Words = (typeof myAppointments)['en'];

/** A number is read out: it stays on one line. */
const unbroken = (number: string): string => number.replaceAll('-', '\u2060-\u2060');

/** A few words for the list. @param now milliseconds since 1970 */
export function statusName(appointment: Appointment, now: number, t: Words): StateSentence {
  const status = statusOf(appointment, now);
  const { state } = appointment;
  const confirmed = state.stage === 'booked' && state.receipt.confirmed;
  const mood = status === 'booked' ? 'ok' : status === 'refused' || status === 'expired' ? 'bad' : 'warn';
  return { mood, text: status === 'booked' && confirmed ? t.name.confirmed : t.name[status] };
}

/** The first line of an appointment's page: how it stands, in a sentence. */
export function statusSentence(appointment: Appointment, now: number, online: boolean, t: Words): StateSentence {
  const { state } = appointment;
  const { mood } = statusName(appointment, now, t);
  const say = (text: string): StateSentence => ({ mood, text });
  switch (statusOf(appointment, now)) {
    case 'waiting':
      return say(waiting(appointment, now, online, t));
    case 'sending':
      return say(t.state.sending);
    case 'booked':
      if (state.stage !== 'booked') return say(t.name.booked);
      return say((state.receipt.confirmed ? t.state.confirmed : t.state.booked)(unbroken(state.receipt.number)));
    case 'conflict':
      return say(state.stage === 'conflict' && state.otherSlots.length > 0 ? t.state.conflict : t.state.conflictNone);
    case 'refused':
      return say(state.stage === 'refused' && state.because === 'closed' ? t.state.closed : t.state.refused);
    case 'cancelling':
      return say(online ? t.state.cancellingOnline : t.state.cancelling);
    case 'cancelled':
      return say(state.stage === 'cancelled' && state.by === 'centre' ? t.state.cancelledByCentre : t.state.cancelled);
    case 'expired':
      return say(state.stage === 'waiting' && state.delivery.unanswered ? t.state.expiredUnanswered : t.state.expired);
    case 'over':
      return say(t.state.over);
  }
}

function waiting(appointment: Appointment, now: number, online: boolean, t: Words): string {
  const { state } = appointment;
  const at = dueAt(appointment, now);
  if (state.stage !== 'waiting' || at === undefined) return t.state.waiting;
  if (state.delivery.unanswered) return t.state.unanswered;
  if (state.delivery.busy && at > now) return t.state.busy(formatClock(at));
  return online && at > now ? t.state.waitingOnline(formatClock(at)) : t.state.waiting;
}
