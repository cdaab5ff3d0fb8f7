import { createServer } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Centre } from '../../../src/guidance/centres/centre.ts';
import type { BookingRequest } from '../../../src/service/appointments.ts';
import { listen, type Listening } from '../../demo/listen.ts';
import { appointmentsHandler, type AppointmentsOptions } from '../../operator-api/appointments.ts';
import { answerWith } from '../../reference-ca/http.ts';

const centre = (id: string, services: Centre['services']): Centre => ({
  ...{ id, name: id, district: '120103', address: '某路 1 号', phone: '', sample: false, services },
  hours: '工作日 9:00–10:00，13:30–14:00',
});
const centres = [centre('hexi', ['renew', 'unlock']), centre('heping', ['renew'])];
const counterToken = 'counter';
const names = ['one', 'two', 'three', 'four'] as const;
/** A UUID for a name. */
const key = (name: (typeof names)[number]): string => `00000000-0000-4000-8000-00000000000${names.indexOf(name)}`;
const wish: BookingRequest = {
  ...{ business: 'renew', centre: 'hexi', slot: '2026-11-24T09:00', surname: '张', phone: '13800138000' },
};

let clock = 0;
let server: Listening | undefined;
async function open(options: Partial<AppointmentsOptions> = {}): Promise<void> {
  clock = Date.parse('2026-11-23T10:00:00+08:00');
  await server?.close();
  const handler = appointmentsHandler({
    ...{ now: () => new Date(clock), centres: () => centres, counterToken, capacity: 2, ...options },
  });
  server = await listen(() => createServer(answerWith(handler)), { port: 0, strictPort: true, host: '127.0.0.1' });
}
afterEach(async () => {
  await server?.close();
  server = undefined;
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}
async function ask(address: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(new URL(`/api/appointments${address}`, server?.url), init);
  const text = Buffer.from(await response.arrayBuffer()).toString('utf8');
  const isJson = (response.headers.get('Content-Type') ?? '').includes('json');
  const json = (isJson ? JSON.parse(text) : {}) as Readonly<Record<string, unknown>>;
  return { status: response.status, headers: response.headers, text, json };
}
const post = (name: string, body: unknown = wish, type = 'application/json'): Promise<Answer> =>
  ask('', { method: 'POST', headers: { 'Idempotency-Key': name, 'Content-Type': type }, body: JSON.stringify(body) });
const bearer = (token: unknown): { headers: Record<string, string> } => ({
  headers: { Authorization: `Bearer ${String(token)}` },
});
const problem = ({ status, json }: Answer): unknown => [
  status,
  String(json['type']).replace('urn:problem-type:casupport:', ''),
];
const slotsOf = async (query = 'centre=hexi&business=renew&from=2026-11-23&to=2026-11-24'): Promise<string[]> => {
  const { json } = await ask(`/slots?${query}`);
  return (json['slots'] as { id: string; remaining: number }[]).map(({ id, remaining }) => `${id} ${remaining}`);
};

describe('slots', () => {
  test('are the half hours of the opening hours still to come', async () => {
    await open();
    expect(await slotsOf()).toEqual([
      ...['2026-11-23T13:30 2', '2026-11-24T09:00 2', '2026-11-24T09:30 2', '2026-11-24T13:30 2'],
    ]);
    const { json } = await ask('/slots?centre=hexi&business=renew&from=2026-11-24&to=2026-11-24');
    expect((json['slots'] as unknown[])[0]).toEqual({
      ...{ id: '2026-11-24T09:00', remaining: 2 },
      ...{ start: '2026-11-24T09:00:00+08:00', end: '2026-11-24T09:30:00+08:00' },
    });
  });

  test.each([
    ['centre=hexi&business=party&from=2026-11-23&to=2026-11-24', [400, 'invalid-request']],
    ['centre=hexi&business=renew&from=2026-02-30&to=2026-03-01', [400, 'invalid-request']],
    ['centre=hexi&business=renew&from=2026-11-24&to=2026-11-23', [400, 'invalid-request']],
    ['centre=hexi&business=renew&from=2026-11-01&to=2026-12-02', [400, 'invalid-request']],
    ['centre=nowhere&business=renew&from=2026-11-23&to=2026-11-24', [404, 'not-found']],
    ['centre=heping&business=unlock&from=2026-11-23&to=2026-11-24', [404, 'not-found']],
  ])('%s: %o', async (query, expected) => {
    await open();
    expect(problem(await ask(`/slots?${query}`))).toEqual(expected);
  });
});

describe('booking', () => {
  test('takes a place, and tells number, token and address', async () => {
    await open();
    const { status, json, headers } = await post(key('one'));
    expect([status, json['status'], json['slot']]).toEqual([
      ...[201, 'requested'],
      { id: '2026-11-24T09:00', start: '2026-11-24T09:00:00+08:00', end: '2026-11-24T09:30:00+08:00' },
    ]);
    expect(headers.get('Location')).toBe(`/api/appointments/${String(json['number'])}`);
    expect(await slotsOf()).toContain('2026-11-24T09:00 1');
  });

  test('the same again gets the same again and takes no further place', async () => {
    await open();
    const answers = await Promise.all([post(key('one')), post(key('one')), post(key('one').toUpperCase())]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await slotsOf()).toContain('2026-11-24T09:00 1');
  });

  test('another body under the same key is refused, and nothing changes', async () => {
    await open();
    await post(key('one'));
    for (const change of [{ slot: '2026-11-24T09:30' }, { phone: '13900139000' }, { business: 'unlock' }])
      expect(problem(await post(key('one'), { ...wish, ...change }))).toEqual([422, 'idempotency-key-reused']);
    expect(await slotsOf()).toEqual([
      ...['2026-11-23T13:30 2', '2026-11-24T09:00 1', '2026-11-24T09:30 2', '2026-11-24T13:30 2'],
    ]);
  });

  test('a full slot: others, the nearest first, and the same answer once there is room again', async () => {
    await open({ capacity: 1 });
    const { json } = await post(key('one'));
    const refused = await post(key('two'));
    expect(problem(refused)).toEqual([409, 'slot-taken']);
    expect(refused.json['conflict']).toBe('slot');
    expect((refused.json['otherSlots'] as { id: string }[]).slice(0, 3).map(({ id }) => id)).toEqual([
      ...['2026-11-24T09:30', '2026-11-24T13:30', '2026-11-23T13:30'],
    ]);
    await ask(`/${String(json['number'])}`, { method: 'DELETE', ...bearer(json['token']) });
    expect((await post(key('two'))).text).toBe(refused.text);
    expect((await post(key('three'))).status).toBe(201);
  });

  test('a slot that was never there, or is over, is as good as full', async () => {
    await open();
    for (const [name, slot] of [
      ['one', '2026-11-24T11:00'],
      ['two', '2026-11-23T09:00'],
      ['three', 'whenever'],
    ] as const)
      expect(problem(await post(key(name), { ...wish, slot })), slot).toEqual([409, 'slot-taken']);
  });

  test.each([
    ['without a name', { ...wish, surname: ' ' }, 'surname'],
    ['with a land line', { ...wish, phone: '022-23456789' }, 'phone'],
    ['with more than is asked for', { ...wish, identityNumber: '1' }, 'identityNumber'],
    ['with half of it', { business: 'renew' }, 'centre'],
  ])('%s: 400 says where', async (_, body, where) => {
    await open();
    const answer = await post(key('one'), body);
    expect(problem(answer)).toEqual([400, 'invalid-request']);
    expect((answer.json['errors'] as { path: string }[])[0]?.path).toBe(where);
    expect((await post(key('one'))).status).toBe(201);
  });

  test('without a key, as another type, as no JSON or far too long it is refused', async () => {
    await open();
    expect(problem(await post('not-a-uuid'))).toEqual([400, 'invalid-request']);
    expect((await post(key('one'), wish, 'text/plain')).status).toBe(415);
    const headers = { 'Idempotency-Key': key('one'), 'Content-Type': 'application/json' };
    for (const body of ['{', new Uint8Array([0x22, 0xff, 0x22])])
      expect((await ask('', { method: 'POST', headers, body })).status).toBe(400);
    expect((await ask('', { method: 'POST', headers, body: `"${'x'.repeat(5_000)}"` })).status).toBe(413);
    expect((await ask('', { method: 'PUT' })).status).toBe(405);
  });

  test('while busy it is 503 with Retry-After, and the key is free for later', async () => {
    let busy: number | undefined = 7;
    await open({ busy: () => busy });
    const answer = await post(key('one'));
    expect(problem(answer)).toEqual([503, 'unavailable']);
    expect([answer.headers.get('Retry-After'), answer.json['retryAfterSeconds']]).toEqual(['7', 7]);
    busy = undefined;
    expect((await post(key('one'))).status).toBe(201);
  });

  test('an unknown centre, or one that does not do this, is 404', async () => {
    await open();
    expect(problem(await post(key('one'), { ...wish, centre: 'nowhere' }))).toEqual([404, 'not-found']);
    expect(problem(await post(key('two'), { ...wish, centre: 'heping', business: 'unlock' }))).toEqual([
      ...[404, 'not-found'],
    ]);
  });
});

describe('an appointment of one’s own', () => {
  test('is told to whoever has its token, and to nobody else', async () => {
    await open();
    const { json } = await post(key('one'));
    const { number, token } = json;
    const { json: shown } = await ask(`/${String(number)}`, bearer(token));
    expect({ ...shown, token }).toEqual(json);
    expect(shown['token']).toBeUndefined();
    const wrong = await ask(`/${String(number)}`, bearer('x'.repeat(32)));
    const none = await ask('/1124-AAAA', bearer(token));
    expect([problem(wrong), wrong.text]).toEqual([[404, 'not-found'], none.text]);
    expect((await ask(`/${String(number)}`)).status).toBe(404);
  });

  test('is cancelled, twice over, and its place is free again', async () => {
    await open();
    const { json } = await post(key('one'));
    const one = `/${String(json['number'])}`;
    const remove = { method: 'DELETE', ...bearer(json['token']) };
    expect((await ask(one, { method: 'DELETE', ...bearer('x') })).status).toBe(404);
    expect([(await ask(one, remove)).status, (await ask(one, remove)).status]).toEqual([204, 204]);
    expect((await ask(one, bearer(json['token']))).json['status']).toBe('cancelled');
    expect(await slotsOf()).toContain('2026-11-24T09:00 2');
    expect((await post(key('one'))).json['number']).toBe(json['number']);
    expect(await slotsOf()).toContain('2026-11-24T09:00 2');
  });

  test('cannot be cancelled once it has begun', async () => {
    await open();
    const { json } = await post(key('one'));
    clock = Date.parse('2026-11-24T09:00:00+08:00');
    const answer = await ask(`/${String(json['number'])}`, { method: 'DELETE', ...bearer(json['token']) });
    expect(problem(answer)).toEqual([409, 'not-cancellable']);
  });
});

describe('the counter', () => {
  const day = '?centre=hexi&date=2026-11-24';

  test('sees who comes on a day, in order of time, the cancelled among them', async () => {
    await open();
    await post(key('one'), { ...wish, slot: '2026-11-24T13:30', surname: '李' });
    const { json } = await post(key('two'));
    await post(key('three'), { ...wish, centre: 'heping' });
    await ask(`/${String(json['number'])}`, { method: 'DELETE', ...bearer(json['token']) });
    const answer = await ask(day, bearer(counterToken));
    const rows = answer.json['appointments'] as Record<string, unknown>[];
    expect(rows.map(({ surname, phone, status }) => [surname, phone, status])).toEqual([
      ['张', '13800138000', 'cancelled'],
      ['李', '13800138000', 'requested'],
    ]);
    expect(answer.text).not.toContain('token');
    const other = await ask('?centre=hexi&date=2026-11-25', bearer(counterToken));
    expect(other.json['appointments']).toEqual([]);
  });

  test('as CSV: byte order mark, CRLF, and no cell that a spreadsheet would compute', async () => {
    await open();
    const { json } = await post(key('one'), { ...wish, surname: '=1+1,"x"' });
    const answer = await ask(day, { headers: { ...bearer(counterToken).headers, Accept: 'text/csv' } });
    expect(answer.headers.get('Content-Type')).toBe('text/csv; charset=utf-8');
    expect(answer.text).toBe(
      '\ufeffnumber,start,end,business,surname,phone,status\r\n' +
        `${String(json['number'])},2026-11-24T09:00:00+08:00,2026-11-24T09:30:00+08:00,renew,"'=1+1,""x""",13800138000,requested\r\n`,
    );
  });

  test('is nobody without the operator’s token, and nobody at all where there is none', async () => {
    await open();
    for (const init of [{}, bearer('guess'), bearer('')])
      expect(problem(await ask(day, init))).toEqual([401, 'unauthorised']);
    expect((await ask('?centre=nowhere&date=2026-11-24', bearer(counterToken))).status).toBe(404);
    expect((await ask('?centre=hexi&date=today', bearer(counterToken))).status).toBe(400);
    await open({ counterToken: undefined });
    expect((await ask(day, bearer('undefined'))).status).toBe(401);
    expect((await ask(day, bearer(''))).status).toBe(401);
  });
});

test('kept in a file, the book is the same after a restart: bookings, cancellations and answers', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'book-'));
  const file = path.join(directory, 'appointments.jsonl');
  await open({ file, capacity: 1 });
  const first = await post(key('one'));
  const refused = await post(key('two'));
  const second = await post(key('three'), { ...wish, slot: '2026-11-24T09:30' });
  await ask(`/${String(second.json['number'])}`, { method: 'DELETE', ...bearer(second.json['token']) });

  await open({ file, capacity: 1 });

  expect((await post(key('one'))).text).toBe(first.text);
  expect((await post(key('two'))).text).toBe(refused.text);
  expect(await slotsOf()).toEqual(['2026-11-23T13:30 1', '2026-11-24T09:30 1', '2026-11-24T13:30 1']);
  expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(4);
  await writeFile(file, '{"entry":"something else"}\n');
  await expect(open({ file })).rejects.toThrow();
  await rm(directory, { recursive: true });
});
