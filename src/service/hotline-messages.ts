import * as v from 'valibot';
import { ServiceError } from './errors.ts';
import { askForJson } from './request.ts';
import { momentSchema } from './slot.ts';

const messageSchema = v.object({
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,40}$/)),
  text: v.object({
    'zh-CN': v.pipe(v.string(), v.minLength(1), v.maxLength(1000)),
    en: v.pipe(v.string(), v.minLength(1), v.maxLength(2000)),
  }),
  from: momentSchema,
  until: momentSchema,
});
/** What everybody should hear before they call. */
export type HotlineMessage = v.InferOutput<typeof messageSchema>;

const most = 5;

/**
 * The messages that hold at a moment, the most important first, five at most; none where the operator has none.
 * @throws ServiceError
 */
export async function getHotlineMessages(api: string, now: Date): Promise<readonly HotlineMessage[]> {
  try {
    const all = await askForJson(`${api}/hotline-messages`, v.pipe(v.array(messageSchema), v.maxLength(20)));
    const at = now.getTime();
    return all.filter(({ from, until }) => Date.parse(from) <= at && at < Date.parse(until)).slice(0, most);
  } catch (error) {
    if (error instanceof ServiceError && error.status === 404) return [];
    throw error;
  }
}
