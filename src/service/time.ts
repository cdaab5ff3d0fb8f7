import * as v from 'valibot';
import { clock } from './clock.ts';
import { askForJson } from './request.ts';
import { momentSchema } from './slot.ts';

/**
 * The time by the server, asked for where no answer has told it yet.
 * @throws ServiceError when it does not say
 */
export async function serverTime(api: string): Promise<Date> {
  if (clock.known) return clock.now();
  const { now } = await askForJson(`${api}/time`, v.object({ now: momentSchema }));
  return new Date(now);
}
