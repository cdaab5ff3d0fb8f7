import { timingSafeEqual } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as v from 'valibot';
import { businesses } from '../../src/appointments/model.ts';
import { bookingRequestSchema } from '../../src/service/appointments.ts';
import {
  allowMethods,
  mediaType,
  readBody,
  requestUrl,
  send,
  sendJson,
  type RequestHandler,
} from '../reference-ca/http.ts';
import {
  AppointmentBook,
  beginningOf,
  entrySchema,
  type BookOptions,
  type CounterAppointment,
  type Entry,
} from './appointment-book.ts';
import { ApiProblem } from './problem.ts';

export interface AppointmentsOptions extends BookOptions {
  /** By which the centres' staff ask who comes; without one nobody is told. */
  readonly counterToken?: string | undefined;
  /** Where the book is kept, one entry a line; without one it ends with the process. */
  readonly file?: string | undefined;
  /** Seconds for which nothing is taken; undefined: open. */
  readonly busy?: (() => number | undefined) | undefined;
}

const base = '/api/appointments';
const maxBodyBytes = 4_096;
const maxDays = 31;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu;

const invalid = (path: string, reason: string): ApiProblem =>
  new ApiProblem(400, 'invalid-request', `${path}: ${reason}`, { errors: [{ path, reason }] });
const notFound = (): ApiProblem => new ApiProblem(404, 'not-found', 'There is no such appointment.');

function bearer(request: IncomingMessage): string {
  return /^Bearer ([\w.~+/=-]{1,512})$/iu.exec(request.headers.authorization ?? '')?.[1] ?? '';
}
function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function dayOf(searchParams: URLSearchParams, name: string): number {
  const day = beginningOf(searchParams.get(name) ?? '');
  if (day === undefined) throw invalid(name, 'must be a day');
  return day;
}

/** RFC 4180, with what spreadsheets need: a byte order mark, and no cell that they take for a formula. */
function csvOf(rows: readonly CounterAppointment[]): string {
  const cell = (text: string): string => {
    const safe = /^[=+\-@]/u.test(text) ? `'${text}` : text;
    return /[",\r\n]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const lines = rows.map(({ number, slot, business, surname, phone, status }) =>
    [number, slot.start, slot.end, business, surname, phone, status].map(cell).join(','),
  );
  return `\ufeff${['number,start,end,business,surname,phone,status', ...lines].join('\r\n')}\r\n`;
}

/** @throws Error for a file that this did not write */
function readEntries(file: string): readonly Entry[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => v.parse(entrySchema, JSON.parse(line)));
}

/** `/api/appointments…` of the operator's API: slots, bookings, cancellations, and the counter's list. */
export function appointmentsHandler(options: AppointmentsOptions): RequestHandler {
  const { counterToken, file } = options;
  const book = new AppointmentBook(options, file === undefined ? [] : readEntries(file));
  /** On disk before anybody is told of it. */
  const write = (entry: Entry): void => {
    if (file !== undefined) appendFileSync(file, `${JSON.stringify(entry)}\n`);
    book.enter(entry);
  };

  function notBusy(): void {
    const seconds = options.busy?.();
    if (seconds === undefined) return;
    throw new ApiProblem(
      503,
      'unavailable',
      'Nothing is taken at the moment.',
      { retryAfterSeconds: seconds },
      { 'Retry-After': String(seconds) },
    );
  }

  function slots(response: ServerResponse, searchParams: URLSearchParams): void {
    const business = businesses.find((one) => one === searchParams.get('business'));
    if (!business) throw invalid('business', 'is none of the five');
    const [from, to] = [dayOf(searchParams, 'from'), dayOf(searchParams, 'to')];
    if (to < from || to - from >= maxDays * 86_400_000) throw invalid('to', `must be at most ${maxDays} days on`);
    const found = book.slots(searchParams.get('centre') ?? '', business, from, to);
    if (!found) throw new ApiProblem(404, 'not-found', 'There is no such centre, or it does not do this.');
    sendJson(response, { slots: found });
  }

  async function bookVisit(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = String(request.headers['idempotency-key'] ?? '').toLowerCase();
    if (!uuid.test(key)) throw invalid('Idempotency-Key', 'must be a UUID');
    if (mediaType(request) !== 'application/json')
      throw new ApiProblem(415, 'invalid-request', 'Only application/json.');
    let json: unknown;
    try {
      json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await readBody(request, maxBodyBytes)));
    } catch (error) {
      throw error instanceof SyntaxError || error instanceof TypeError ? invalid('', 'must be JSON') : error;
    }
    const parsed = v.safeParse(bookingRequestSchema, json);
    if (!parsed.success) {
      const errors = parsed.issues.map((issue) => ({ path: v.getDotPath(issue) ?? '', reason: issue.message }));
      throw new ApiProblem(400, 'invalid-request', 'The request is not as the document says.', { errors });
    }
    // From here on nothing is waited for: one request is decided and written before the next is looked at.
    const wish = parsed.output;
    let outcome = book.answered(key, wish);
    if (outcome === undefined) {
      notBusy();
      const entry = book.decide(key, wish);
      write(entry);
      outcome = book.answered(key, wish);
    }
    if (outcome === undefined || outcome === 'otherRequest')
      throw new ApiProblem(422, 'idempotency-key-reused', 'This key stands for another booking.', {
        conflict: 'idempotencyKey',
      });
    if (outcome.kind === 'unknownCentre')
      throw new ApiProblem(404, 'not-found', 'There is no such centre, or it does not do this.');
    if (outcome.kind === 'slotTaken') {
      const { otherSlots } = outcome;
      throw new ApiProblem(409, 'slot-taken', 'The slot is not free any more.', { conflict: 'slot', otherSlots });
    }
    send(response, 201, 'application/json; charset=utf-8', JSON.stringify(outcome.booked), {
      Location: `${base}/${outcome.booked.number}`,
    });
  }

  function ofCounter(request: IncomingMessage, response: ServerResponse, searchParams: URLSearchParams): void {
    if (counterToken === undefined || !isSame(bearer(request), counterToken))
      throw new ApiProblem(401, 'unauthorised', 'For the staff of the centres.', {}, { 'WWW-Authenticate': 'Bearer' });
    const centre = searchParams.get('centre') ?? '';
    if (!options.centres().some(({ id }) => id === centre))
      throw new ApiProblem(404, 'not-found', 'There is no such centre.');
    const rows = book.ofDay(centre, dayOf(searchParams, 'date'));
    if ((request.headers.accept ?? '').includes('text/csv'))
      send(response, 200, 'text/csv; charset=utf-8', csvOf(rows), {
        'Content-Disposition': `attachment; filename="appointments-${centre}.csv"`,
      });
    else sendJson(response, { appointments: rows });
  }

  function one(request: IncomingMessage, response: ServerResponse, number: string): void {
    const found = book.find(number);
    // A wrong token and a wrong number look alike: nobody learns which numbers there are.
    if (!found || !isSame(bearer(request), found.token)) throw notFound();
    const { appointment } = found;
    if (request.method !== 'DELETE') {
      sendJson(response, appointment);
      return;
    }
    if (appointment.status !== 'cancelled') {
      notBusy();
      if (book.hasBegun(appointment))
        throw new ApiProblem(409, 'not-cancellable', 'The visit has begun or is over.', { conflict: 'state' });
      write(book.statusEntry(number, 'cancelled'));
    }
    response.writeHead(204, { 'Cache-Control': 'no-store' }).end();
  }

  return async (request, response) => {
    const { pathname, searchParams } = requestUrl(request);
    if (pathname === `${base}/slots`) {
      allowMethods(request, 'GET', 'HEAD');
      slots(response, searchParams);
    } else if (pathname === base) {
      allowMethods(request, 'GET', 'HEAD', 'POST');
      if (request.method === 'POST') await bookVisit(request, response);
      else ofCounter(request, response, searchParams);
    } else if (pathname.startsWith(`${base}/`)) {
      allowMethods(request, 'GET', 'HEAD', 'DELETE');
      one(request, response, pathname.slice(base.length + 1));
    } else return false;
    return true;
  };
}
