import fc from 'fast-check';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { readProblem, readRetryAfter } from '../../../src/service/problem.ts';
import { askForJson, askService } from '../../../src/service/request.ts';
import { aServer, type Answer, type AServer } from './a-server.ts';

let server: AServer;
beforeAll(async () => {
  server = await aServer();
});
afterAll(() => {
  vi.unstubAllGlobals();
  server.close();
});
beforeEach(() => {
  server.asked.length = 0;
});

const problem = (members: Record<string, unknown>, headers: Record<string, string> = {}): Answer => ({
  status: 409,
  headers: { 'Content-Type': 'application/problem+json; charset=utf-8', ...headers },
  body: JSON.stringify({ type: 'about:blank', title: 'Conflict', status: 409, ...members }),
});
const slot = { id: 'a', start: '2026-11-24T09:00:00+08:00', end: '2026-11-24T09:30:00+08:00', remaining: 2 };

test('JSON is sent as JSON, and what comes is checked', async () => {
  server.answer = () => ({ status: 201, body: '{"number":"A1"}' });
  const answer = await askForJson('/x', v.object({ number: v.string() }), {
    method: 'POST',
    json: { a: 1 },
    headers: { 'Idempotency-Key': 'k' },
  });
  expect(answer).toEqual({ number: 'A1' });
  expect(server.asked).toMatchObject([
    { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json', 'idempotency-key': 'k' } },
  ]);
});

test.each<[string, Answer, Record<string, unknown>]>([
  ['a broken connection', { status: 200, body: '{"number":1}', cutAfter: 3 }, { code: 'unreachable' }],
  ['no JSON', { status: 200, body: '<html>' }, { code: 'malformed' }],
  ['no UTF-8', { status: 200, body: Uint8Array.of(0x22, 0xff, 0x22) }, { code: 'malformed' }],
  ['another form', { status: 200, body: '{"number":1}' }, { code: 'malformed' }],
  ['an answer without end', { status: 200, body: ' '.repeat(101) }, { code: 'malformed' }],
  ['an error page', { status: 502, body: '<html>' }, { code: 'status', status: 502, problem: undefined }],
  [
    'a busy proxy',
    { status: 503, headers: { 'Retry-After': '7' } },
    { code: 'status', status: 503, retryAfterSeconds: 7 },
  ],
  [
    'a problem that is not JSON',
    { status: 500, headers: { 'Content-Type': 'application/problem+json' }, body: '<' },
    { code: 'status', status: 500 },
  ],
])('%s is a typed error', async (_what, answer, expected) => {
  server.answer = () => answer;
  await expect(askForJson('/x', v.object({ number: v.string() }), { maxBytes: 100 })).rejects.toMatchObject({
    name: 'ServiceError',
    ...expected,
  });
});

test('a problem is told by its name, with what it says', async () => {
  const type = 'urn:problem-type:casupport:slot-taken';
  server.answer = () => problem({ type, conflict: 'slot', otherSlots: [slot] }, { 'Retry-After': '30' });
  await expect(askService('/x')).rejects.toMatchObject({
    code: 'problem',
    status: 409,
    retryAfterSeconds: 30,
    problem: { type: 'slot-taken', conflict: 'slot', otherSlots: [slot], retryAfterSeconds: 30 },
  });
});

test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
  ['an unknown type', { type: 'https://example.org/odd' }, { type: 'other' }],
  ['a type that is no text', { type: 7 }, { type: 'other' }],
  ['members of another form', { conflict: 'war', otherSlots: [{}], retryAfterSeconds: -1 }, { conflict: undefined }],
])('%s leaves the rest of the problem readable', async (_what, members, expected) => {
  server.answer = () => problem({ detail: 'why', ...members });
  await expect(askService('/x')).rejects.toMatchObject({ problem: { detail: 'why', status: 409, ...expected } });
});

test('whoever asks may stop waiting, and gets the reason given', async () => {
  server.answer = () => ({ status: 200, body: 'never read', cutAfter: 0 });
  const controller = new AbortController();
  const reason = new Error('left the page');
  const waiting = askService('/x', { signal: controller.signal });
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(askService('/x', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

const noon = Date.parse('2026-11-22T04:00:00Z');
test.each([
  [null, undefined],
  ['120', 120],
  [' 0 ', 0],
  ['999999', 86_400],
  ['Sun, 22 Nov 2026 04:00:30 GMT', 30],
  ['Sun, 22 Nov 2026 03:00:00 GMT', 0],
  ['soon', undefined],
  ['-5', undefined],
])('Retry-After: %s is %s seconds', (header, seconds) => {
  expect(readRetryAfter(header, noon)).toBe(seconds);
});

test('whatever is sent as a problem is read or passed over, never thrown at the page', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      const read = readProblem(400, json);
      expect(read === undefined || read.status === 400).toBe(true);
    }),
  );
});
