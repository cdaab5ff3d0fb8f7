import type { Business } from '../../../service/appointments.ts';

/** What has been chosen so far; it stands in the address, so that the browser's own way back works. Nothing personal. */
export interface Choice {
  readonly service?: Business | undefined;
  readonly centre?: string | undefined;
  readonly slot?: string | undefined;
}

/** The address of the question that is open after these choices. */
export function bookingAddress({ service, centre, slot }: Choice): string {
  const query = new URLSearchParams();
  if (service !== undefined) query.set('service', service);
  if (centre !== undefined) query.set('centre', centre);
  if (slot !== undefined) query.set('slot', slot);
  if (query.size === 0) query.set('new', '1');
  return `/appointments?${query.toString()}`;
}

export const appointmentAddress = (id: string): string => `/appointments?id=${encodeURIComponent(id)}`;
