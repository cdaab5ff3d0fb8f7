import 'fake-indexeddb/auto';
import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sampleCentres } from '../../../src/guidance/centres/sample.ts';
import {
  bookAppointment,
  cancelAppointment,
  getSlots,
  readAppointment,
  type BookingRequest,
} from '../../../src/service/appointments.ts';
import { loadConfig, loadPolicy } from '../../../src/service/config.ts';
import { getHotlineMessages } from '../../../src/service/hotline-messages.ts';
import { askService } from '../../../src/service/request.ts';
import { serverTime } from '../../../src/service/time.ts';
import { backHandlers } from '../../demo/server.ts';
import { ContentShelf } from '../../operator-api/content.ts';
import { Contract, documentFile } from '../../operator-api/contract.ts';
import { openOperator } from '../../operator-api/operator.ts';
import { answerWith } from '../../reference-ca/http.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';

const api = '/api';
const counterToken = 'the-counter-of-the-tests';
/** A Monday morning in Beijing. */
const now = new Date('2026-11-23T00:30:00Z');
const message = {
  id: 'line-down',
  text: { 'zh-CN': '今天下午 95105345 检修。', en: '95105345 is being repaired this afternoon.' },
  from: '2026-11-22T00:00:00+08:00',
  until: '2026-11-24T00:00:00+08:00',
};

let contract: Contract;
let server: Server;
let ca: ReferenceCa;
let origin: string;
const content = new ContentShelf();
let busySeconds: number | undefined;
const realFetch = fetch;

/** Fetch as the page has it, with every request and every answer held to the document. */
const strict = (async (input: string, init: RequestInit = {}) => {
  const url = new URL(input, origin);
  const method = init.method ?? 'GET';
  const ofTheApi = url.pathname.startsWith('/api/');
  if (ofTheApi) {
    contract.checkRequest(
      method,
      url,
      new Headers(init.headers),
      typeof init.body === 'string' ? init.body : undefined,
    );
  }
  return lenient(input, init);
}) as typeof fetch;

/** For requests that are wrong on purpose: only the answer is held to the document. */
const lenient = async (input: string, init: RequestInit = {}): Promise<Response> => {
  const url = new URL(input, origin);
  const response = await realFetch(url, init);
  if (url.pathname.startsWith('/api/')) await contract.checkResponse(init.method ?? 'GET', url.pathname, response);
  return response;
};

beforeAll(async () => {
  contract = await Contract.read();
  ca = await openReferenceCa({});
  const operator = openOperator(
    true,
    {
      now: () => now,
      centres: () => sampleCentres,
      messages: () => [message],
      content,
      appointments: { centres: () => sampleCentres, capacity: 1, counterToken, busy: () => busySeconds },
    },
    { hotlineMessages: true },
  );
  server = createServer(answerWith(...backHandlers(ca, { demo: true, operator })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubGlobal('fetch', strict);
}, 60_000);
afterAll(async () => {
  vi.unstubAllGlobals();
  server.close();
  await ca.close();
});

test('the document is OpenAPI 3.1 by the official schema', async () => {
  const validator = new Validator();
  const result = await validator.validate(await readFile(documentFile, 'utf8'));
  expect(result.errors).toBeUndefined();
  expect(validator.version).toBe('3.1');
});

const centre = 'sample-1';
const days = { from: '2026-11-24', to: '2026-11-27' };
const request = (slot: string): BookingRequest => ({
  business: 'renew',
  centre,
  slot,
  surname: '王',
  phone: '13800000000',
});
async function freeSlot(): Promise<string> {
  const [slot] = await getSlots(api, { centre, business: 'renew', ...days });
  if (!slot) throw new Error('no slot is free');
  return slot.id;
}

describe('what the client asks and what the server answers are in the document', () => {
  test('policy, time, messages, centres', async () => {
    const policy = await loadPolicy(await loadConfig());
    expect(policy.windowDays).toBe(60);
    expect((await serverTime(api)).getTime()).toBeGreaterThan(0);
    expect((await (await fetch(`${api}/time`)).json()) as unknown).toEqual({ now: now.toISOString() });
    expect(await getHotlineMessages(api, now)).toEqual([message]);
    const centres = await askService(`${api}/centres`);
    expect(JSON.parse(new TextDecoder().decode(centres.body))).toHaveLength(sampleCentres.length);
  });

  test('a visit is booked once, read and cancelled', async () => {
    const key = randomUUID();
    const wanted = request(await freeSlot());
    const booked = await bookAppointment(api, wanted, key);
    expect(await bookAppointment(api, wanted, key)).toEqual(booked);
    const { token, ...appointment } = booked;
    expect(await readAppointment(api, booked.number, token)).toEqual(appointment);
    await cancelAppointment(api, booked.number, token);
    await cancelAppointment(api, booked.number, token);
    expect((await readAppointment(api, booked.number, token)).status).toBe('cancelled');
  });

  test.each(['application/json', 'text/csv'])('the counter’s list as %s', async (accept) => {
    await bookAppointment(api, request(await freeSlot()), randomUUID());
    const list = await fetch(`${api}/appointments?centre=${centre}&date=${days.from}`, {
      headers: { Accept: accept, Authorization: `Bearer ${counterToken}` },
    });
    expect(list.status).toBe(200);
    expect(await list.text()).toContain('13800000000');
  });

  test('refusals of a booking are problems with their names', async () => {
    const slot = await freeSlot();
    const key = randomUUID();
    const booked = await bookAppointment(api, request(slot), key);
    const refused = { name: 'ServiceError', code: 'problem' };
    await expect(bookAppointment(api, request(slot), randomUUID())).rejects.toMatchObject({
      ...refused,
      problem: { status: 409, type: 'slot-taken', conflict: 'slot' },
    });
    await expect(bookAppointment(api, { ...request(slot), surname: '李' }, key)).rejects.toMatchObject({
      ...refused,
      problem: { status: 422, type: 'idempotency-key-reused', conflict: 'idempotencyKey' },
    });
    await expect(bookAppointment(api, { ...request(slot), centre: 'nowhere' }, randomUUID())).rejects.toMatchObject({
      ...refused,
      problem: { status: 404, type: 'not-found' },
    });
    busySeconds = 5;
    try {
      await expect(bookAppointment(api, request(slot), randomUUID())).rejects.toMatchObject({
        ...refused,
        problem: { status: 503, type: 'unavailable', retryAfterSeconds: 5 },
      });
      await expect(cancelAppointment(api, booked.number, booked.token)).rejects.toMatchObject({ status: 503 });
    } finally {
      busySeconds = undefined;
    }
    await expect(readAppointment(api, 'NONE-1', 'x'.repeat(22))).rejects.toMatchObject({ status: 404 });
    await expect(cancelAppointment(api, 'NONE-1', 'x'.repeat(22))).rejects.toMatchObject({ status: 404 });
    await expect(getSlots(api, { centre: 'nowhere', business: 'renew', ...days })).rejects.toMatchObject({
      status: 404,
    });
  });

  test('content packs come with their ETag, and not again', async () => {
    const bytes = new TextEncoder().encode(
      JSON.stringify({
        kind: 'guidance',
        version: 3,
        publishedAt: '2026-11-22T00:00:00Z',
        content: { numbers: { replacementFeeFen: 3000 } },
      }),
    );
    const manifest = {
      kind: 'guidance',
      version: 3,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      size: bytes.length,
      url: `${api}/content/guidance/3`,
      signature: 'AAAA',
      keyId: 'test',
    };
    await expect(askService(`${api}/content/guidance`)).rejects.toMatchObject({ status: 404 });
    content.publish('guidance', JSON.stringify(manifest), bytes);
    for (const url of [`${api}/content/guidance`, manifest.url]) {
      const first = await askService(url);
      const etag = first.headers.get('ETag') ?? '';
      expect((await askService(url, { headers: { 'If-None-Match': etag } })).status).toBe(304);
    }
    await expect(askService(`${api}/content/guidance/2`)).rejects.toMatchObject({ problem: { type: 'not-found' } });
  });

  test('what the authority answers over the API', async () => {
    const enrolment = await fetch(`${api}/enrolments/${'0'.repeat(32)}?nonce=${'1'.repeat(64)}`);
    expect(enrolment.status).toBe(200);
    const issuer = new X509Certificate(ca.hierarchy.p256.issuing.certificate);
    const spki = issuer.publicKey.export({ type: 'spki', format: 'der' });
    const crl = await fetch(`${api}/crl/${createHash('sha256').update(spki).digest('hex')}?serial=01`);
    expect(crl.status).toBe(200);
    const ocsp = await fetch(`${api}/ocsp`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/ocsp-request' },
      body: Uint8Array.of(0x30, 0),
    });
    expect(ocsp.status).toBe(200);
  });
});

describe('what is asked wrongly is answered as the document says', () => {
  const json = { 'Content-Type': 'application/json' };
  test.each<[string, string, RequestInit, number]>([
    ['a booking without a key', '/appointments', { method: 'POST', headers: json, body: '{}' }, 400],
    [
      'a booking that is no booking',
      '/appointments',
      { method: 'POST', headers: { ...json, 'Idempotency-Key': randomUUID() }, body: '{"phone":"110"}' },
      400,
    ],
    [
      'a booking that is no JSON',
      '/appointments',
      { method: 'POST', headers: { ...json, 'Idempotency-Key': randomUUID() }, body: '{' },
      400,
    ],
    ['slots of no day', '/appointments/slots?centre=sample-1&business=renew&from=today&to=2026-11-24', {}, 400],
    ['slots of no business', '/appointments/slots?centre=sample-1&business=tea&from=2026-11-24&to=2026-11-24', {}, 400],
    ['the list without the counter’s word', '/appointments?centre=sample-1&date=2026-11-24', {}, 401],
    [
      'the list of no day',
      '/appointments?centre=sample-1&date=never',
      { headers: { Authorization: `Bearer ${counterToken}` } },
      400,
    ],
    [
      'the list of no centre',
      '/appointments?centre=nowhere&date=2026-11-24',
      { headers: { Authorization: `Bearer ${counterToken}` } },
      404,
    ],
    ['a transaction that cannot be', '/enrolments/xyz', {}, 404],
    ['a nonce that cannot be', `/enrolments/${'0'.repeat(32)}?nonce=1`, {}, 400],
    ['the list of an unknown authority', `/crl/${'0'.repeat(64)}`, {}, 404],
    ['an OCSP request of another type', '/ocsp', { method: 'POST', body: 'x' }, 415],
  ])('%s', async (_what, path, init, status) => {
    expect((await lenient(api + path, init)).status).toBe(status);
  });
});

test('every status the document names was seen, but for those the sample operator has no reason for', () => {
  expect(contract.documented.filter((one) => !contract.seen.has(one)).sort()).toEqual([
    'bookAppointment 429',
    'cancelAppointment 409',
    'cancelAppointment 429',
    'getAppointment 503',
    'getSlots 503',
  ]);
});

describe('the contract itself notices', () => {
  const respond = (body: unknown, init: ResponseInit = {}): Response =>
    new Response(typeof body === 'string' ? body : JSON.stringify(body), {
      headers: { 'Content-Type': 'application/json', Date: now.toUTCString() },
      ...init,
    });
  test.each<[string, string, Response]>([
    ['a missing member', '/api/policy', respond({ windowDays: 60 })],
    ['a member nobody named', '/api/time', respond({ now: now.toISOString(), zone: 'Beijing' })],
    [
      'a missing header',
      '/api/time',
      respond({ now: now.toISOString() }, { headers: { 'Content-Type': 'application/json' } }),
    ],
    ['another media type', '/api/centres', respond('[]', { headers: { 'Content-Type': 'text/html' } })],
    ['an error that is no problem', '/api/centres', respond({ error: 'x' }, { status: 500 })],
  ])('%s', async (_what, path, response) => {
    await expect(contract.checkResponse('GET', path, response)).rejects.toThrow();
  });

  test.each<[string, string, string, Record<string, string>, string | undefined]>([
    ['an unknown path', 'GET', '/api/secrets', {}, undefined],
    ['an unknown query', 'GET', '/api/centres?near=me', {}, undefined],
    ['a missing header', 'POST', '/api/appointments', { 'Content-Type': 'application/json' }, '{}'],
    [
      'a body with more than is asked for',
      'POST',
      '/api/appointments',
      { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() },
      JSON.stringify({ ...request('a'), identityNumber: '1' }),
    ],
  ])('%s', (_what, method, path, headers, body) => {
    expect(() => contract.checkRequest(method, new URL(path, origin), new Headers(headers), body)).toThrow();
  });
});
