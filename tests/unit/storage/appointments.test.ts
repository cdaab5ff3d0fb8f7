import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { openDB } from 'idb';
import { beforeEach, expect, test, vi } from 'vitest';
import { afterBooking, beginSending, cancel } from '../../../src/appointments/stages.ts';
import { now, receipt, tomorrow, wish } from '../appointments/fixtures.ts';

/** The modules as a page loads them: they keep their connection open. */
async function fresh(): Promise<{
  kept: typeof import('../../../src/appointments/kept-appointments.ts').keptAppointments;
  rows: typeof import('../../../src/storage/appointments.ts');
  list: typeof import('../../../src/storage/key-list.ts');
  letter: typeof import('../../../src/storage/letter.ts');
  transactions: typeof import('../../../src/storage/transactions.ts');
  readings: typeof import('../../../src/storage/last-reading.ts');
  inventory: typeof import('../../../src/storage/inventory.ts');
}> {
  vi.resetModules();
  return {
    kept: (await import('../../../src/appointments/kept-appointments.ts')).keptAppointments,
    rows: await import('../../../src/storage/appointments.ts'),
    list: await import('../../../src/storage/key-list.ts'),
    letter: await import('../../../src/storage/letter.ts'),
    transactions: await import('../../../src/storage/transactions.ts'),
    readings: await import('../../../src/storage/last-reading.ts'),
    inventory: await import('../../../src/storage/inventory.ts'),
  };
}
beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory());
});

test('an appointment outlives the page, the newest first, and goes when it is removed', async () => {
  const { kept } = await fresh();
  await kept.add(wish('one'));
  await kept.add(wish('two', { createdAt: now + 1 }));

  const later = (await fresh()).kept;
  expect(await later.all()).toEqual([wish('two', { createdAt: now + 1 }), wish('one')]);
  await later.remove('two');
  expect(await later.all()).toEqual([wish('one')]);
});

test('two tabs that change one at the same moment change it one after the other', async () => {
  const { kept } = await fresh();
  const other = (await fresh()).kept;
  await kept.add(wish());

  await Promise.all([
    kept.change('one', (one) => beginSending(one, now)),
    other.change('one', (one) => cancel(one, now)),
    kept.change('one', (one) => afterBooking(one, { kind: 'taken', receipt, slot: tomorrow }, now, 0)),
  ]);

  expect((await kept.all()).map(({ state }) => state.stage)).toEqual(['cancelling']);
});

test('a change of what has been removed writes nothing', async () => {
  const { kept } = await fresh();
  await kept.add(wish());
  await kept.remove('one');

  expect(await kept.change('one', (one) => one)).toBeUndefined();
  expect(await kept.all()).toEqual([]);
});

test('the same one is not added twice', async () => {
  const { kept } = await fresh();
  await kept.add(wish());

  await expect(kept.add(wish('one', { createdAt: 0 }))).rejects.toMatchObject({ name: 'StorageError' });
  expect(await kept.all()).toEqual([wish()]);
});

test('a row of another form is passed over, and not changed', async () => {
  const { kept, rows } = await fresh();
  const strange = { id: 'strange', state: 7 };
  await rows.addAppointment(strange);
  await kept.add(wish());

  expect(await kept.all()).toEqual([wish()]);
  expect(await kept.change('strange', () => wish('strange'))).toBeUndefined();
  expect((await rows.allAppointments()).find(({ id }) => id === 'strange')).toEqual(strange);
});

test('clearing everything but the transactions clears these too', async () => {
  const { kept, inventory } = await fresh();
  await kept.add(wish());
  expect((await inventory.countRows()).get('appointments')).toBe(1);

  await inventory.clearAllButTransactions();

  expect(await kept.all()).toEqual([]);
});

test('version 3 of the database is migrated without losing anything', async () => {
  const record = { transactionId: '1', keySerialNumber: 'A', updatedAt: 1, stage: 'request' };
  const reading = { keySerialNumber: 'A', readAt: 1, certificate: Uint8Array.of(0x30, 0), keyName: 'GM3000' };
  const key = { id: 'a', tail: '1A2B', holder: '某***', notAfter: 2, readAt: 1, windowDays: 60, status: 'none' };
  const old = await openDB('casupport-user', 3, {
    upgrade(database) {
      database.createObjectStore('transactions', { keyPath: 'transactionId' }).createIndex('byKey', 'keySerialNumber');
      database.createObjectStore('readings', { keyPath: 'keySerialNumber' }).createIndex('byTime', 'readAt');
      database.createObjectStore('keyList', { keyPath: 'id' });
      database.createObjectStore('letter', { keyPath: 'id' });
    },
  });
  await old.put('transactions', record);
  await old.put('readings', reading);
  await old.put('keyList', key);
  old.close();

  const { kept, list, transactions, readings, letter } = await fresh();

  expect(await kept.all()).toEqual([]);
  await kept.add(wish());
  expect(await kept.all()).toEqual([wish()]);
  expect(await transactions.allTransactions()).toEqual([record]);
  expect(await transactions.transactionsOfKey('A')).toEqual([record]);
  expect(await readings.loadLastReading()).toEqual(reading);
  expect(await list.listedKeys()).toEqual([key]);
  expect(await letter.loadLetter()).toBeUndefined();
});

test('a browser without storage is said as a typed error', async () => {
  vi.stubGlobal('indexedDB', {
    open: () => {
      throw new DOMException('denied', 'SecurityError');
    },
  });
  const { kept } = await fresh();

  await expect(kept.add(wish())).rejects.toMatchObject({ name: 'StorageError', code: 'unavailable' });
  await expect(kept.all()).rejects.toMatchObject({ name: 'StorageError' });
  await expect(kept.change('one', (one) => one)).rejects.toMatchObject({ name: 'StorageError' });
  await expect(kept.remove('one')).rejects.toMatchObject({ name: 'StorageError' });
});
