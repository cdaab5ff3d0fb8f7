import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import type { Appointment, Delivery, State } from '../../../src/appointments/model.ts';
import { readAppointment } from '../../../src/appointments/model.ts';
import { backoffMs, longestWaitMs } from '../../../src/appointments/retry.ts';
import {
  afterBooking,
  afterCancelling,
  afterLook,
  beginSending,
  cancel,
  chooseOther,
  dueAt,
  isStale,
  statusOf,
  toSend,
  type BookingAnswer,
  type Status,
} from '../../../src/appointments/stages.ts';
import { hour, idle, inState, now, receipt, slot, tomorrow, wish } from './fixtures.ts';

const waiting = (delivery: Partial<Delivery> = {}, toCancel = false): State => ({
  stage: 'waiting',
  delivery: { ...idle, ...delivery },
  toCancel,
});
const booked: State = { stage: 'booked', receipt, tooLateToCancel: false };
const cancelling: State = { stage: 'cancelling', delivery: idle, receipt };
const conflict: State = { stage: 'conflict', otherSlots: [slot('2026-11-25T09:00')] };
const refused: State = { stage: 'refused', because: 'request' };
const cancelled: State = { stage: 'cancelled', by: 'visitor' };

const before = Date.parse(tomorrow.start) - 1;
const during = Date.parse(tomorrow.start);
const after = Date.parse(tomorrow.end);

test.each<[string, State, Status, Status, Status]>([
  ['in the outbox', waiting(), 'waiting', 'expired', 'expired'],
  ['on its way', waiting({ sendingSince: now }), 'sending', 'sending', 'sending'],
  ['never answered', waiting({ unanswered: true }), 'waiting', 'expired', 'expired'],
  ['to be taken back', waiting({ unanswered: true }, true), 'cancelling', 'cancelled', 'cancelled'],
  ['booked', booked, 'booked', 'booked', 'over'],
  ['being cancelled', cancelling, 'cancelling', 'cancelling', 'over'],
  ['in conflict', conflict, 'conflict', 'conflict', 'conflict'],
  ['refused', refused, 'refused', 'refused', 'refused'],
  ['cancelled', cancelled, 'cancelled', 'cancelled', 'cancelled'],
])('%s: before its time %3$s, as it begins and once it is over', (_, state, early, begun, over) => {
  const appointment = inState(state);
  expect([before, during, after].map((at) => statusOf(appointment, at))).toEqual([early, begun, over]);
});

test.each<[string, State, 'book' | 'cancel' | undefined, 'book' | 'cancel' | undefined]>([
  ['in the outbox', waiting(), 'book', undefined],
  ['to be taken back', waiting({ unanswered: true }, true), 'book', undefined],
  ['being cancelled', cancelling, 'cancel', 'cancel'],
  ['booked', booked, undefined, undefined],
  ['in conflict', conflict, undefined, undefined],
  ['refused', refused, undefined, undefined],
  ['cancelled', cancelled, undefined, undefined],
])('%s: what is sent before its time, and when it has begun', (_, state, early, late) => {
  expect([toSend(inState(state), before), toSend(inState(state), during)]).toEqual([early, late]);
});

describe('the moment to send', () => {
  test.each([
    ['at once', {}, false, now],
    ['after a pause', { notBefore: now + 9_000 }, false, now + 9_000],
    ['at once when somebody asks', { notBefore: now + 9_000 }, true, now],
    ['after what the operator asked for, whoever asks', { notBefore: now + 9_000, busy: true }, true, now + 9_000],
    ['at once where the clock has been put right since', { notBefore: now + 4_000 * hour, busy: true }, false, now],
  ])('is %s', (_, delivery, hurry, moment) => {
    expect(dueAt(inState(waiting(delivery)), now, hurry)).toBe(moment);
  });

  test('never comes for what has had its answer, or whose time has passed', () => {
    for (const state of [booked, conflict, refused, cancelled])
      expect(dueAt(inState(state), now, true)).toBeUndefined();
    expect(dueAt(inState(waiting()), during, true)).toBeUndefined();
  });
});

test('sent again while nobody knows what became of the first, it stays unanswered', () => {
  const once = beginSending(wish(), now);
  expect(statusOf(once, now)).toBe('sending');
  expect(once.state).toMatchObject({ delivery: { unanswered: false, sendingSince: now } });
  const twice = beginSending(once, now + hour);
  expect(twice.state).toMatchObject({ delivery: { unanswered: true, sendingSince: now + hour } });
});

describe('the answer to a wish', () => {
  const taken: BookingAnswer = { kind: 'taken', receipt, slot: tomorrow };
  const sent = beginSending(wish(), now);

  test('taken: booked, and the telephone number is no longer kept', () => {
    const next = afterBooking(sent, taken, now, 0);
    expect(next.state).toEqual(booked);
    expect(next.visitor).toEqual({ surname: '张', phone: '' });
  });

  test('taken at another time than asked for: the operator’s time stands', () => {
    const moved = slot('2026-11-24T09:15');
    expect(afterBooking(sent, { ...taken, slot: moved }, now, 0).slot).toEqual(moved);
  });

  test('the slot is gone: nothing is lost of what was asked, and the other slots are there', () => {
    const next = afterBooking(sent, { kind: 'slotTaken', otherSlots: [slot('2026-11-25T09:00')] }, now, 0);
    expect(next).toEqual({ ...sent, state: conflict });
  });

  test('refused: it is not sent again', () => {
    const next = afterBooking(sent, { kind: 'refused', because: 'closed' }, now, 0);
    expect(statusOf(next, now)).toBe('refused');
    expect(dueAt(next, now, true)).toBeUndefined();
  });

  test('later, as the operator asked: not before that, and a little scattered', () => {
    const [first, last] = [0, 0.999].map((random) =>
      afterBooking(sent, { kind: 'later', retryAfterMs: 30_000 }, now, random),
    );
    expect(first && dueAt(first, now, true)).toBe(now + 30_000);
    expect(last && dueAt(last, now, true)).toBe(now + 30_000 + 1_998);
    expect(first?.state).toMatchObject({ delivery: { unanswered: false, busy: true, attempts: 1 } });
  });

  test('lost: it may have been taken, and the next attempt comes after a pause that a person may cut short', () => {
    const next = afterBooking(sent, { kind: 'lost', retryAfterMs: undefined }, now, 0.5);
    expect(next.state).toMatchObject({ delivery: { unanswered: true, busy: false, sendingSince: undefined } });
    expect(dueAt(next, now)).toBe(now + 1_000);
    expect(dueAt(next, now, true)).toBe(now);
  });

  test('“later” after one that was lost does not make the lost one answered', () => {
    const lost = afterBooking(sent, { kind: 'lost', retryAfterMs: undefined }, now, 0);
    const next = afterBooking(beginSending(lost, now), { kind: 'later', retryAfterMs: undefined }, now, 0);
    expect(next.state).toMatchObject({ delivery: { unanswered: true, attempts: 2 } });
  });

  test('to one cancelled meanwhile: taken is taken back, and what was not taken is over', () => {
    const unwanted = cancel(sent, now);
    expect(afterBooking(unwanted, taken, now, 0).state).toEqual(cancelling);
    for (const answer of [
      { kind: 'slotTaken', otherSlots: [] },
      { kind: 'refused', because: 'request' },
    ] as const)
      expect(afterBooking(unwanted, answer, now, 0).state).toEqual(cancelled);
  });

  test('that comes twice changes nothing the second time', () => {
    const next = afterBooking(sent, taken, now, 0);
    expect(afterBooking(next, { kind: 'refused', because: 'request' }, now, 0)).toBe(next);
  });
});

describe('a change of mind', () => {
  test.each<[string, State, State]>([
    ['never sent', waiting(), cancelled],
    ['put off by the operator', waiting({ attempts: 2, busy: true }), cancelled],
    ['on its way', waiting({ sendingSince: now }), waiting({ sendingSince: now }, true)],
    ['sent without an answer', waiting({ unanswered: true }), waiting({ unanswered: true }, true)],
    ['booked', booked, cancelling],
    ['in conflict', conflict, cancelled],
    ['refused', refused, cancelled],
    ['cancelled', cancelled, cancelled],
    ['being cancelled', cancelling, cancelling],
  ])('%s', (_, state, expected) => {
    expect(cancel(inState(state), now).state).toEqual(expected);
  });

  test.each([
    [{ kind: 'gone' }, 'cancelled'],
    [{ kind: 'tooLate' }, 'booked'],
    [{ kind: 'later', retryAfterMs: 1_000 }, 'cancelling'],
    [{ kind: 'lost', retryAfterMs: undefined }, 'cancelling'],
  ] as const)('answered %o is %s', (answer, status) => {
    const next = afterCancelling(inState(cancelling), answer, now, 0);
    expect(statusOf(next, now)).toBe(status);
    expect(toSend(next, now)).toBe(status === 'cancelling' ? 'cancel' : undefined);
    if (answer.kind === 'tooLate') expect(next.state).toMatchObject({ tooLateToCancel: true });
  });
});

test('another slot after a conflict is another request under another key, at once', () => {
  const other = slot('2026-11-25T09:00');
  const next = chooseOther(inState(conflict), other, 'key-two', now + 5);
  expect(next).toMatchObject({ id: 'one', key: 'key-two', slot: other, visitor: { phone: '13800138000' } });
  expect(dueAt(next, now + 5)).toBe(now + 5);
  for (const state of [waiting(), booked, cancelled])
    expect(chooseOther(inState(state), other, 'key-two', now).key).toBe('key-one');
});

test('what the centre says of a booking: confirmed, or cancelled from its side', () => {
  expect(afterLook(inState(booked), 'confirmed').state).toMatchObject({
    stage: 'booked',
    receipt: { confirmed: true },
  });
  expect(afterLook(inState(booked), 'cancelled').state).toEqual({ stage: 'cancelled', by: 'centre' });
  expect(afterLook(inState(cancelling), 'cancelled').state).toEqual(cancelling);
});

test('a month after its time it is stale, not before', () => {
  const month = 30 * 24 * hour;
  expect([isStale(wish(), after + month), isStale(wish(), after + month + 1)]).toEqual([false, true]);
});

test('the pause grows to a quarter of an hour and not beyond, and is never the same for all', () => {
  expect([1, 2, 3, 4, 9, 10, 11, 400].map((attempts) => backoffMs(attempts, 0.999_999))).toEqual([
    1_999, 3_999, 7_999, 15_999, 511_999, 899_999, 899_999, 899_999,
  ]);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (n, random) => {
        const pause = backoffMs(n, random);
        expect(pause).toBeGreaterThanOrEqual(0);
        expect(pause).toBeLessThan(Math.min(900_000, longestWaitMs));
        expect(backoffMs(n, 0)).toBe(0);
      },
    ),
  );
});

describe('a row of the store', () => {
  const states: readonly State[] = [
    waiting(),
    waiting({ sendingSince: now }, true),
    booked,
    cancelling,
    conflict,
    refused,
    cancelled,
  ];

  test.each(states)('$stage comes back as it was, through a copy as IndexedDB makes it', (state) => {
    expect(readAppointment(structuredClone(inState(state)))).toEqual(inState(state));
  });

  test('of another form is none', () => {
    const sound: Appointment = wish();
    for (const row of [
      ...[undefined, null, 7, 'row', [], {}],
      { ...sound, state: { stage: 'dreaming' } },
      { ...sound, business: 'party' },
      { ...sound, slot: { ...tomorrow, start: 'tomorrow' } },
      { ...sound, state: waiting({ notBefore: Infinity }) },
      { ...sound, visitor: { surname: '张' } },
    ])
      expect(readAppointment(row)).toBeUndefined();
    fc.assert(fc.property(fc.anything(), (row) => void readAppointment(row)));
  });
});
