import * as v from 'valibot';
import { askForJson, askService } from './request.ts';
import { momentSchema, slotIdSchema, slotSchema, type Slot } from './slot.ts';

const businessSchema = v.picklist(['upgrade', 'new', 'renew', 'replace', 'unlock']);
export type Business = v.InferOutput<typeof businessSchema>;

const centreId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/));

/** What is asked of a person who wants to come: no more than the counter needs. */
export const bookingRequestSchema = v.strictObject({
  business: businessSchema,
  centre: centreId,
  slot: slotIdSchema,
  surname: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(20)),
  /** Mobile phone of mainland China: 11 digits. */
  phone: v.pipe(v.string(), v.regex(/^1[3-9]\d{9}$/)),
});
export type BookingRequest = v.InferOutput<typeof bookingRequestSchema>;

export const appointmentSchema = v.object({
  /** What the person says at the counter. */
  number: v.pipe(v.string(), v.regex(/^[A-Z0-9][A-Z0-9-]{3,23}$/)),
  status: v.picklist(['requested', 'confirmed', 'cancelled']),
  business: businessSchema,
  centre: centreId,
  slot: v.object({ id: slotIdSchema, start: momentSchema, end: momentSchema }),
});
export type Appointment = v.InferOutput<typeof appointmentSchema>;

export const bookedSchema = v.object({
  ...appointmentSchema.entries,
  /** By which the appointment can be read and cancelled. */
  token: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22,128}$/)),
});
export type Booked = v.InferOutput<typeof bookedSchema>;

const slotsSchema = v.object({ slots: v.pipe(v.array(slotSchema), v.maxLength(2000)) });

export interface SlotQuery {
  readonly centre: string;
  readonly business: Business;
  /** First and last day, both included, Beijing: `2026-11-23`; at most 31 days. */
  readonly from: string;
  readonly to: string;
}

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/** When a centre can be visited. @throws ServiceError */
export async function getSlots(api: string, query: SlotQuery, options: Options = {}): Promise<readonly Slot[]> {
  const { centre, business, from, to } = query;
  const asked = new URLSearchParams({ centre, business, from, to });
  return (await askForJson(`${api}/appointments/slots?${asked.toString()}`, slotsSchema, options)).slots;
}

/**
 * Books a visit, once however often the same is sent under the same key.
 * @param idempotencyKey a UUID made for this booking
 * @throws ServiceError; after `unreachable` the visit may be booked or not: send the same again
 */
export async function bookAppointment(
  api: string,
  request: BookingRequest,
  idempotencyKey: string,
  options: Options = {},
): Promise<Booked> {
  return askForJson(`${api}/appointments`, bookedSchema, {
    ...options,
    method: 'POST',
    headers: { 'Idempotency-Key': idempotencyKey },
    json: request,
  });
}

const withToken = (token: string): { headers: Readonly<Record<string, string>> } => ({
  headers: { Authorization: `Bearer ${token}` },
});

/** What became of an appointment. @throws ServiceError; `not-found` for a wrong token too */
export async function readAppointment(
  api: string,
  number: string,
  token: string,
  options: Options = {},
): Promise<Appointment> {
  return askForJson(`${api}/appointments/${encodeURIComponent(number)}`, appointmentSchema, {
    ...options,
    ...withToken(token),
  });
}

/** Cancels an appointment; doing it again is no error. @throws ServiceError */
export async function cancelAppointment(
  api: string,
  number: string,
  token: string,
  options: Options = {},
): Promise<void> {
  await askService(`${api}/appointments/${encodeURIComponent(number)}`, {
    ...options,
    ...withToken(token),
    method: 'DELETE',
  });
}
