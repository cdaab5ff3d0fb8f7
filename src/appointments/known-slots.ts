import * as v from 'valibot';
import { getSlots } from '../service/appointments.ts';
import { ServiceError } from '../service/errors.ts';
import { slotSchema } from '../service/slot.ts';
import { keepDocument, recallDocument } from '../storage/documents.ts';
import type { Business } from '../service/appointments.ts';
import { inBeijing, period, startOf, usualSlots, type FreeSlot, type Slot } from './slots.ts';

/** What is known of a centre's slots, and how. */
export type KnownSlots =
  /** As the operator has them now. */
  | { readonly source: 'fresh'; readonly slots: readonly FreeSlot[] }
  /** As it had them when they were last asked for; milliseconds since 1970. */
  | { readonly source: 'copy'; readonly slots: readonly FreeSlot[]; readonly storedAt: number }
  /** Nobody knows: times to wish for. */
  | { readonly source: 'usual'; readonly slots: readonly Slot[] }
  /** The operator says that this centre does not do this, or that nothing can be booked at all. */
  | { readonly source: 'none' };

const keptSchema = v.pipe(v.string(), v.parseJson(), v.array(slotSchema));

/** The slots of the coming days: the network's word first, then the last copy with something still to come in it. */
export async function knownSlots(
  api: string,
  centre: string,
  business: Business,
  now: () => number,
): Promise<KnownSlots> {
  const name = `${api}/appointments/slots ${centre} ${business}`;
  try {
    const slots = await getSlots(api, { centre, business, ...period(now()) });
    await keepDocument(name, { text: JSON.stringify(slots), storedAt: now() });
    return { source: 'fresh', slots: slots.map(inBeijing) };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    if (error.status === 404) return { source: 'none' };
  }
  const copy = await recallDocument(name);
  const kept = v.safeParse(keptSchema, copy?.text);
  const slots = kept.success ? kept.output.map(inBeijing).filter((slot) => startOf(slot) > now()) : [];
  return copy && slots.length > 0
    ? { source: 'copy', slots, storedAt: copy.storedAt }
    : { source: 'usual', slots: usualSlots(now()) };
}
