import { officeAt } from '../../src/appointments/office.ts';
import { inBeijing, startOf, type Slot } from '../../src/appointments/slots.ts';
import type { Appointment } from '../../src/appointments/model.ts';
import { concat, type Bytes } from '../../src/pki/bytes.ts';
import { bookAppointment, getSlots, readAppointment } from '../../src/service/appointments.ts';
import { clock } from '../../src/service/clock.ts';
import { ServiceError } from '../../src/service/errors.ts';
import { getHotlineMessages } from '../../src/service/hotline-messages.ts';
import { serverTime } from '../../src/service/time.ts';
import { documentsLike, type Json } from './json-mutate.ts';
import { mutateBytes } from './mutate.ts';
import type { Random } from './random.ts';
import { readersOf, type Target } from './target.ts';

const statuses = [
  200, 200, 200, 200, 201, 204, 304, 400, 404, 405, 408, 409, 409, 410, 429, 500, 501, 503, 503, 299, 599,
];
const contentTypes = [
  'application/json',
  'application/problem+json',
  'Application/Problem+JSON; charset=x',
  'text/html',
  '',
];
const times = [
  '',
  '30',
  '0',
  '-1',
  '1e9',
  '999999999',
  '1.5',
  'Sun, 22 Nov 2026 09:00:00 GMT',
  'Mon, 01 Jan 0001 00:00:00 GMT',
  'Sat, 13 Sep 275760 00:00:00 GMT',
  'Mon, 99 Jan 2026 00:00:00 GMT',
  'GMT',
  '\u00ff',
];
const dates = times.filter((time) => /GMT|^$/u.test(time));
/** Statuses whose answers have no body (Fetch, “null body status”). */
const bodyless = [204, 205, 304];

/** An HTTP answer as one input: status in two bytes, a line each for type, Retry-After and Date, then the body. */
function joinAnswer(random: Random, body: Uint8Array): Bytes {
  const status = random.pick(statuses);
  const lines = `${random.pick(contentTypes)}\n${random.pick(times)}\n${random.once(4) ? random.pick(dates) : ''}\n`;
  return concat(Uint8Array.of(status >> 8, status & 0xff), new TextEncoder().encode(lines), body);
}

/** What the browser would make of such an answer; one that it would not let through is a network that fails. */
function answerOf(input: Bytes): Response {
  let at = 2;
  const line = (): string => {
    const end = input.indexOf(0x0a, at);
    const text = new TextDecoder().decode(input.subarray(at, end < 0 ? input.length : end));
    at = end < 0 ? input.length : end + 1;
    return text;
  };
  const status = ((input[0] ?? 0) << 8) | (input[1] ?? 0);
  const headers: Record<string, string> = {};
  for (const name of ['Content-Type', 'Retry-After', 'Date']) {
    const value = line();
    if (value !== '') headers[name] = value;
  }
  return new Response(bodyless.includes(status) ? null : input.slice(at), { status, headers });
}

const api = '/api';
const noon = new Date('2026-11-22T04:00:00Z');
const slot: Slot = { id: 's', start: '2026-11-23T09:00:00+08:00', end: '2026-11-23T09:30:00+08:00' };
const wish: Appointment = {
  id: '11111111-2222-4333-8444-555555555555',
  key: '11111111-2222-4333-8444-666666666666',
  createdAt: 0,
  business: 'renew',
  place: { id: 'heping', name: '', address: '', phone: '', sample: false },
  slot,
  visitor: { surname: '王', phone: '13800000000' },
  state: {
    stage: 'cancelling',
    delivery: { attempts: 0, unanswered: false, notBefore: 0, busy: false, sendingSince: undefined },
    receipt: { number: 'TJ-1', token: 'a'.repeat(43), confirmed: false },
  },
};

function assertShowable(slots: readonly Slot[]): void {
  for (const one of slots) if (Number.isNaN(startOf(inBeijing(one)))) throw new RangeError('a slot at no time');
}

/** The clients of the operator's service that read what it answers with. */
const clients: readonly (() => Promise<unknown>)[] = [
  async () =>
    assertShowable(await getSlots(api, { centre: 'a', business: 'renew', from: '2026-11-22', to: '2026-12-05' })),
  () => readAppointment(api, 'TJ-1', 'token'),
  () => bookAppointment(api, { business: 'renew', centre: 'a', slot: 's', surname: '王', phone: '' }, wish.key),
  () => getHotlineMessages(api, noon),
];

/** Whatever the service answers, it is an answer: nothing is thrown. */
async function sendBoth(): Promise<void> {
  const office = officeAt(api);
  const [booking, cancelling] = [await office.book(wish), await office.cancel(wish)];
  if (booking.kind === 'slotTaken') assertShowable(booking.otherSlots);
  if (booking.kind === 'taken') assertShowable([booking.slot]);
  for (const answer of [booking, cancelling]) {
    if ('retryAfterMs' in answer && answer.retryAfterMs !== undefined && !(answer.retryAfterMs >= 0)) {
      throw new RangeError(`to be asked again after ${answer.retryAfterMs} ms`);
    }
  }
}

/** Answers of the operator's service over HTTP: appointments, slots, hot-line messages, the time, and problems. */
export function serviceTarget(bodies: readonly Json[]): Target {
  const like = documentsLike(bodies);
  return {
    name: 'service',
    mutate: (random) => {
      const input = joinAnswer(random, like(random));
      return random.once(12) ? concat(input.subarray(0, 2), mutateBytes(random, input.subarray(2))) : input;
    },
    run: async (input) => {
      const own = globalThis.fetch;
      // The clock is the page's only one: what an answer before this one said does not count.
      clock.observe(new Response(null, { headers: { Date: noon.toUTCString() } }), performance.now());
      globalThis.fetch = () => {
        try {
          return Promise.resolve(answerOf(input));
        } catch (cause) {
          return Promise.reject(new TypeError('Failed to fetch', { cause }));
        }
      };
      try {
        await sendBoth();
        (await serverTime(api)).toISOString();
        return await readersOf([ServiceError], clients)(input);
      } finally {
        globalThis.fetch = own;
      }
    },
  };
}
