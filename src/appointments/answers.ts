import type { Booked } from '../service/appointments.ts';
import { ServiceError } from '../service/errors.ts';
import { inBeijing } from './slots.ts';
import type { BookingAnswer, CancelAnswer } from './stages.ts';

/*
 * What an answer of the service means for an appointment. The status decides (RFC 9110 §15); the kind of problem tells
 * apart what shares one.
 */

/** Not a word that could be understood, or a gateway's word for somebody else's silence: it may have been done. */
const lost = { kind: 'lost', retryAfterMs: undefined } as const;

function postponed({
  status,
  problem,
  retryAfterSeconds: seconds,
}: ServiceError): Extract<BookingAnswer, { kind: 'later' | 'lost' }> {
  const retryAfterMs = seconds === undefined ? undefined : seconds * 1_000;
  const known = problem?.type === 'unavailable' || problem?.type === 'too-many-requests' || status === 429;
  return { kind: known ? 'later' : 'lost', retryAfterMs };
}

/** Worth asking again: timeouts, conflicts with oneself, limits, and whatever ails the server. */
const passes = (status: number): boolean => status >= 500 || [408, 409, 425, 429].includes(status);

export function booked({ number, token, status, slot }: Booked): BookingAnswer {
  return { kind: 'taken', receipt: { number, token, confirmed: status === 'confirmed' }, slot: inBeijing(slot) };
}

/** @throws what is not the service's doing */
export function notBooked(error: unknown): BookingAnswer {
  if (!(error instanceof ServiceError)) throw error;
  const { status, problem } = error;
  if (status === undefined) return lost;
  if (status === 409 && (problem?.type === 'slot-taken' || problem?.conflict === 'slot'))
    return { kind: 'slotTaken', otherSlots: (problem.otherSlots ?? []).map(inBeijing) };
  // What is there to book, this service does not have: `not-found` is the centre or the business, anything else the service.
  if ([404, 405, 410, 501].includes(status))
    return { kind: 'refused', because: problem?.type === 'not-found' ? 'request' : 'closed' };
  return passes(status) ? postponed(error) : { kind: 'refused', because: 'request' };
}

/** @throws what is not the service's doing */
export function notCancelled(error: unknown): CancelAnswer {
  if (!(error instanceof ServiceError)) throw error;
  const { status, problem } = error;
  if (status === undefined) return lost;
  if (status === 409 && (problem?.type === 'not-cancellable' || problem?.conflict === 'state'))
    return { kind: 'tooLate' };
  // Whoever does not know it has nobody coming.
  if (status === 404 || status === 410) return { kind: 'gone' };
  return passes(status) ? postponed(error) : { kind: 'tooLate' };
}
