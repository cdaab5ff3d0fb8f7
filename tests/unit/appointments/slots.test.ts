import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { slotIdSchema } from '../../../src/service/slot.ts';
import * as v from 'valibot';
import {
  beijingDate,
  byDay,
  daysAhead,
  inBeijing,
  period,
  slotSchema,
  startOf,
  usualSlots,
} from '../../../src/appointments/slots.ts';
import { hour, now, slot } from './fixtures.ts';

const instants = fc.integer({ min: Date.UTC(1995, 0, 1), max: Date.UTC(2090, 0, 1) });

test.each([
  ['2026-11-24T01:00:00Z', '2026-11-24T09:00:00+08:00'],
  ['2026-11-23T20:00:00-05:00', '2026-11-24T09:00:00+08:00'],
  ['2026-11-24T09:00+08:00', '2026-11-24T09:00:00+08:00'],
  ['2026-11-24T16:30:00.5Z', '2026-11-25T00:30:00+08:00'],
])('%s is %s in Beijing', (outside, beijing) => {
  expect(inBeijing({ id: 'a', start: outside, end: outside }).start).toBe(beijing);
});

test('an instant written for Beijing is the same instant, to the second, and may be stored', () => {
  fc.assert(
    fc.property(instants, (ms) => {
      const start = new Date(ms).toISOString();
      const written = inBeijing({ id: 'a', start, end: start });
      expect(startOf(written)).toBe(Math.floor(ms / 1_000) * 1_000);
      expect(v.parse(slotSchema, written)).toEqual(written);
    }),
  );
});

test('the period begins today in Beijing and has as many days as can be asked for', () => {
  const lateInLondon = Date.parse('2026-11-23T23:00:00Z');
  expect(period(lateInLondon)).toEqual({ from: '2026-11-24', to: '2026-12-07' });
  fc.assert(
    fc.property(instants, (ms) => {
      const { from, to } = period(ms);
      expect((Date.parse(to) - Date.parse(from)) / (24 * hour)).toBe(daysAhead - 1);
      expect(from).toBe(beijingDate(ms));
    }),
  );
});

describe('by day', () => {
  test('what has begun, what is full and what was told twice is left out; days and times are in order', () => {
    const slots = [
      { ...slot('2026-11-25T09:00'), remaining: 1 },
      { ...slot('2026-11-24T10:00'), remaining: 2 },
      { ...slot('2026-11-24T09:00'), remaining: 2 },
      { ...slot('2026-11-24T09:00'), remaining: 9 },
      { ...slot('2026-11-24T11:00'), remaining: 0 },
      { ...slot('2026-11-23T10:00'), remaining: 5 },
    ];
    const days = byDay(slots, now);
    expect([...days].map(([day, of]) => [day, of.map(({ id, remaining }) => `${id} ${remaining}`)])).toEqual([
      ['2026-11-24', ['2026-11-24T09:00 2', '2026-11-24T10:00 2']],
      ['2026-11-25', ['2026-11-25T09:00 1']],
    ]);
  });

  test('the list that came in stays as it was', () => {
    const slots = [slot('2026-11-25T09:00'), slot('2026-11-24T09:00')];
    const before = structuredClone(slots);
    byDay(slots, now);
    expect(slots).toEqual(before);
  });
});

describe('the usual times', () => {
  test('are the half hours of office days, from tomorrow on', () => {
    const days = byDay(usualSlots(now), now);
    expect([...days.keys()]).toEqual([
      ...['2026-11-24', '2026-11-25', '2026-11-26', '2026-11-27'],
      ...['2026-11-30', '2026-12-01', '2026-12-02', '2026-12-03', '2026-12-04'],
    ]);
    expect(days.get('2026-11-24')?.map(({ id }) => id.slice(11))).toEqual([
      ...['09:00', '09:30', '10:00', '10:30', '11:00', '11:30'],
      ...['13:30', '14:00', '14:30', '15:00', '15:30', '16:00', '16:30'],
    ]);
  });

  test('never begin before tomorrow, never on a weekend, and have names the service takes, whatever the day', () => {
    fc.assert(
      fc.property(instants, (ms) => {
        const slots = usualSlots(ms);
        expect(slots.length).toBeGreaterThanOrEqual(9 * 13);
        for (const one of slots) {
          expect(one.start.slice(0, 10) > beijingDate(ms)).toBe(true);
          expect([0, 6]).not.toContain(new Date(`${one.start.slice(0, 10)}T00:00:00Z`).getUTCDay());
          expect(v.is(slotIdSchema, one.id)).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });
});
