import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, expect, test, vi } from 'vitest';

/** A fresh module with a fresh browser storage: the modules keep their connection open. */
async function fresh(): Promise<{
  readings: typeof import('../../../src/storage/last-reading.ts');
  transactions: typeof import('../../../src/storage/transactions.ts');
  documents: typeof import('../../../src/storage/documents.ts');
}> {
  vi.resetModules();
  return {
    readings: await import('../../../src/storage/last-reading.ts'),
    transactions: await import('../../../src/storage/transactions.ts'),
    documents: await import('../../../src/storage/documents.ts'),
  };
}
beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory());
});

const reading = (
  keySerialNumber: string,
  readAt: number,
): import('../../../src/storage/last-reading.ts').LastReading => ({
  keySerialNumber,
  readAt,
  certificate: Uint8Array.of(0x30, 0),
  keyName: 'GM3000',
});

test('the newest reading of any key is the one shown', async () => {
  const { readings } = await fresh();
  await readings.saveLastReading(reading('A', 20));
  await readings.saveLastReading(reading('B', 10));
  expect((await readings.loadLastReading())?.keySerialNumber).toBe('A');
  await readings.clearLastReadings();
  expect(await readings.loadLastReading()).toBeUndefined();
});

test('transactions of one key come newest first and outlive the page', async () => {
  const { transactions } = await fresh();
  await transactions.putTransaction({ transactionId: '1', keySerialNumber: 'A', updatedAt: 1 });
  await transactions.putTransaction({ transactionId: '2', keySerialNumber: 'A', updatedAt: 3 });
  await transactions.putTransaction({ transactionId: '3', keySerialNumber: 'B', updatedAt: 2 });
  const later = await fresh();
  const rows = await later.transactions.transactionsOfKey('A');
  expect(rows.map((row) => row.transactionId)).toEqual(['2', '1']);
});

test('a browser without storage is said as a typed error, and the cache just forgets', async () => {
  vi.stubGlobal('indexedDB', {
    open: () => {
      throw new DOMException('denied', 'SecurityError');
    },
  });
  const { transactions, documents } = await fresh();
  await expect(
    transactions.putTransaction({ transactionId: '1', keySerialNumber: 'A', updatedAt: 1 }),
  ).rejects.toMatchObject({ name: 'StorageError', code: 'unavailable' });
  await documents.keepDocument('/x', { text: '{}', storedAt: 1 });
  expect(await documents.recallDocument('/x')).toBeUndefined();
});

test('a newer version in another tab may migrate while this one is open', async () => {
  const { transactions } = await fresh();
  await transactions.putTransaction({ transactionId: '1', keySerialNumber: 'A', updatedAt: 1 });
  const opened = await new Promise<string>((resolve, reject) => {
    const open = indexedDB.open('casupport-user', 99);
    open.onblocked = () => resolve('blocked');
    open.onerror = () => reject(open.error ?? new Error('open failed'));
    open.onsuccess = () => resolve(`version ${open.result.version}`);
  });
  expect(opened).toBe('version 99');
});
