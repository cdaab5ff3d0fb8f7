import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { openDB } from 'idb';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { ListedKey } from '../../../src/storage/key-list.ts';

/** The modules as a page loads them: they keep their connection open. */
async function fresh(): Promise<{
  list: typeof import('../../../src/storage/key-list.ts');
  transactions: typeof import('../../../src/storage/transactions.ts');
  readings: typeof import('../../../src/storage/last-reading.ts');
  inventory: typeof import('../../../src/storage/inventory.ts');
}> {
  vi.resetModules();
  return {
    list: await import('../../../src/storage/key-list.ts'),
    transactions: await import('../../../src/storage/transactions.ts'),
    readings: await import('../../../src/storage/last-reading.ts'),
    inventory: await import('../../../src/storage/inventory.ts'),
  };
}
beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory());
});

const key = (id: string, change: Partial<ListedKey> = {}): ListedKey => ({
  ...{ id, tail: '1A2B', holder: '某某科***', notAfter: 2_000, readAt: 1_000, windowDays: 60, status: 'none' },
  ...change,
});

test('a key stands on the list once, as it was read last', async () => {
  const { list } = await fresh();

  await list.putListedKey(key('a'));
  await list.putListedKey(key('b'));
  await list.putListedKey(key('a', { notAfter: 9_000 }));

  expect(await (await fresh()).list.listedKeys()).toEqual([key('a', { notAfter: 9_000 }), key('b')]);
});

test('one key is removed, then all', async () => {
  const { list } = await fresh();
  for (const id of ['a', 'b', 'c']) await list.putListedKey(key(id));

  await list.removeListedKey('b');
  expect((await list.listedKeys()).map(({ id }) => id)).toEqual(['a', 'c']);

  await list.clearKeyList();
  expect(await list.listedKeys()).toEqual([]);
});

test('a row of another form is passed over', async () => {
  const { list } = await fresh();
  await list.putListedKey(key('a'));
  const damaged = [
    { ...key('b'), notAfter: 'soon' },
    { ...key('c'), readAt: Infinity },
    { ...key('d'), holder: undefined },
  ];
  for (const row of damaged) await list.putListedKey(row as unknown as ListedKey);

  expect((await list.listedKeys()).map(({ id }) => id)).toEqual(['a']);
});

describe('the first version of the database', () => {
  test('is migrated without losing a transaction or a reading', async () => {
    const record = { transactionId: '1', keySerialNumber: 'A', updatedAt: 1, stage: 'request' };
    const reading = { keySerialNumber: 'A', readAt: 1, certificate: Uint8Array.of(0x30, 0), keyName: 'GM3000' };
    const old = await openDB('casupport-user', 1, {
      upgrade(database) {
        database
          .createObjectStore('transactions', { keyPath: 'transactionId' })
          .createIndex('byKey', 'keySerialNumber');
        database.createObjectStore('readings', { keyPath: 'keySerialNumber' }).createIndex('byTime', 'readAt');
      },
    });
    await old.put('transactions', record);
    await old.put('readings', reading);
    old.close();

    const { list, transactions, readings } = await fresh();

    expect(await list.listedKeys()).toEqual([]);
    expect(await transactions.allTransactions()).toEqual([record]);
    expect(await readings.loadLastReading()).toEqual(reading);
  });
});

test('a browser without storage is said as a typed error', async () => {
  vi.stubGlobal('indexedDB', {
    open: () => {
      throw new DOMException('denied', 'SecurityError');
    },
  });
  const { list } = await fresh();

  await expect(list.putListedKey(key('a'))).rejects.toMatchObject({ name: 'StorageError', code: 'unavailable' });
  await expect(list.listedKeys()).rejects.toMatchObject({ name: 'StorageError' });
});

test('everything but the transactions is cleared at once', async () => {
  const { list, transactions, readings, inventory } = await fresh();
  await list.putListedKey(key('a'));
  await transactions.putTransaction({ transactionId: '1', keySerialNumber: 'A', updatedAt: 1 });
  await readings.saveLastReading({
    ...{ keySerialNumber: 'A', readAt: 1, certificate: Uint8Array.of(0x30, 0), keyName: 'GM3000' },
  });

  await inventory.clearAllButTransactions();

  const counts = await inventory.countRows();
  expect(counts.get('transactions')).toBe(1);
  expect([...counts].filter(([name, rows]) => name !== 'transactions' && rows > 0)).toEqual([]);
  expect(counts.size).toBeGreaterThanOrEqual(3);
});
