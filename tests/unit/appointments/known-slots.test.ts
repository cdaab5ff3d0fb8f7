import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { createServer } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Centre } from '../../../src/guidance/centres/centre.ts';
import { appointmentsHandler } from '../../operator-api/appointments.ts';
import { listen, type Listening } from '../../demo/listen.ts';
import { answerWith } from '../../reference-ca/http.ts';
import { now as begin } from './fixtures.ts';

let now = begin;
let server: Listening;
let busy: number | undefined;
beforeEach(async () => {
  vi.stubGlobal('indexedDB', new IDBFactory());
  vi.resetModules();
  now = begin;
  busy = undefined;
  const centres: readonly Centre[] = [
    {
      ...{ id: 'hexi', name: '河西', district: '120103', address: '某路', phone: '', sample: false },
      ...{ hours: '工作日 9:00–10:00', services: ['renew'] },
    },
  ];
  const handler = appointmentsHandler({ now: () => new Date(now), centres: () => centres, busy: () => busy });
  const make = () =>
    createServer((request, response) => {
      if (busy === undefined) answerWith(handler)(request, response);
      else response.writeHead(502).end();
    });
  server = await listen(make, { port: 0, strictPort: true, host: '127.0.0.1' });
});
afterEach(() => server.close());

const ask = async (business: 'renew' | 'unlock' = 'renew') => {
  const { knownSlots } = await import('../../../src/appointments/known-slots.ts');
  return knownSlots(`${server.url}api`, 'hexi', business, () => now);
};
const ids = (known: Awaited<ReturnType<typeof ask>>): readonly string[] =>
  known.source === 'none' ? [] : known.slots.map(({ id }) => id);

test('the operator’s own slots of the coming fortnight', async () => {
  const known = await ask();
  expect([known.source, ids(known).at(0), ids(known).at(-1)]).toEqual([
    ...['fresh', '2026-11-24T09:00', '2026-12-04T09:30'],
  ]);
});

test('when it cannot be asked: the last copy, without what is over by now', async () => {
  await ask();
  busy = 1;
  now = Date.parse('2026-11-26T09:00:00+08:00');
  const known = await ask();
  expect([known.source, ids(known).at(0)]).toEqual(['copy', '2026-11-26T09:30']);
  expect(known.source === 'copy' && known.storedAt).toBe(begin);
});

test('without a copy, or with nothing to come in it: usual times to wish for', async () => {
  busy = 1;
  expect([(await ask()).source, ids(await ask()).at(0)]).toEqual(['usual', '2026-11-24T09:00']);
  busy = undefined;
  await ask();
  busy = 1;
  now = Date.parse('2026-12-07T10:00:00+08:00');
  const known = await ask();
  expect([known.source, ids(known).at(0)]).toEqual(['usual', '2026-12-08T09:00']);
});

test('what the centre does not do has no slots, whatever was kept', async () => {
  expect(await ask('unlock')).toEqual({ source: 'none' });
});
