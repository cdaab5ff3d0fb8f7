import { describe, expect, test } from 'vitest';
import { booked, notBooked, notCancelled } from '../../../src/appointments/answers.ts';
import { ServiceError } from '../../../src/service/errors.ts';
import { readProblem } from '../../../src/service/problem.ts';

/** An error as the service's client throws it for a problem document. */
function problem(status: number, type: string, members: object = {}, retryAfter?: number): ServiceError {
  const read = readProblem(status, { type: `urn:problem-type:casupport:${type}`, ...members }, retryAfter);
  return new ServiceError('problem', '', status, read ? { problem: read } : {});
}
const plain = (status: number): ServiceError => new ServiceError('status', '', status);
const otherSlot = { id: 'b', start: '2026-11-25T01:00:00Z', end: '2026-11-25T01:30:00Z', remaining: 2 };

test('a booking: its number and token, its time in Beijing’s', () => {
  const answer = booked({
    ...{ number: 'A-0001', token: 't'.repeat(22), status: 'confirmed', business: 'renew', centre: 'hexi' },
    slot: { id: 'a', start: '2026-11-24T01:00:00Z', end: '2026-11-24T01:30:00Z' },
  });
  expect(answer).toEqual({
    kind: 'taken',
    receipt: { number: 'A-0001', token: 't'.repeat(22), confirmed: true },
    slot: { id: 'a', start: '2026-11-24T09:00:00+08:00', end: '2026-11-24T09:30:00+08:00' },
  });
});

describe('no booking', () => {
  test.each<[string, unknown, object]>([
    ['no network', new ServiceError('unreachable', ''), { kind: 'lost' }],
    ['an answer nobody understands', new ServiceError('malformed', ''), { kind: 'lost' }],
    ['a gateway’s 502', plain(502), { kind: 'lost' }],
    ['a gateway’s 503', plain(503), { kind: 'lost' }],
    ['the service’s 500', problem(500, 'other'), { kind: 'lost' }],
    [
      'busy, 503 in so many words',
      problem(503, 'unavailable', { retryAfterSeconds: 7 }),
      { kind: 'later', retryAfterMs: 7_000 },
    ],
    ['busy, 503 by its header', problem(503, 'unavailable', {}, 9), { kind: 'later', retryAfterMs: 9_000 }],
    ['too many, 429', plain(429), { kind: 'later' }],
    [
      'a gateway that asks to wait',
      new ServiceError('status', '', 503, { retryAfterSeconds: 3 }),
      { kind: 'lost', retryAfterMs: 3_000 },
    ],
    [
      'being worked on',
      problem(409, 'in-progress', { conflict: 'inProgress' }, 1),
      { kind: 'lost', retryAfterMs: 1_000 },
    ],
    ['a 409 without a word', plain(409), { kind: 'lost' }],
    ['slot taken', problem(409, 'slot-taken', { conflict: 'slot' }), { kind: 'slotTaken', otherSlots: [] }],
    ['key used for something else', problem(422, 'idempotency-key-reused'), { kind: 'refused', because: 'request' }],
    ['a body the service does not take', problem(400, 'invalid-request'), { kind: 'refused', because: 'request' }],
    ['no such centre', problem(404, 'not-found'), { kind: 'refused', because: 'request' }],
    ['no such service', plain(404), { kind: 'refused', because: 'closed' }],
    ['not by POST', plain(405), { kind: 'refused', because: 'closed' }],
    ['forbidden', plain(403), { kind: 'refused', because: 'request' }],
  ])('%s', (_, error, answer) => {
    expect(notBooked(error)).toMatchObject(answer);
  });

  test('the other slots come in Beijing’s time', () => {
    expect(notBooked(problem(409, 'slot-taken', { otherSlots: [otherSlot] }))).toMatchObject({
      otherSlots: [{ id: 'b', start: '2026-11-25T09:00:00+08:00' }],
    });
  });
});

test.each<[string, unknown, string]>([
  ['no network', new ServiceError('unreachable', ''), 'lost'],
  ['busy', problem(503, 'unavailable'), 'later'],
  ['begun', problem(409, 'not-cancellable', { conflict: 'state' }), 'tooLate'],
  ['unknown there', problem(404, 'not-found'), 'gone'],
  ['forbidden', plain(403), 'tooLate'],
])('no cancellation: %s', (_, error, kind) => {
  expect(notCancelled(error).kind).toBe(kind);
});

test('what is no answer of the service is nobody’s to explain away', () => {
  const ours = new TypeError('ours');
  expect(() => notBooked(ours)).toThrow(ours);
  expect(() => notCancelled(ours)).toThrow(ours);
});
