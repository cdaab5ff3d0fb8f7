import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { indexedDbJournal, readRecord } from '../../../src/renewal/indexeddb-journal.ts';
import type { JournalRecord } from '../../../src/renewal/journal.ts';
import { putTransaction } from '../../../src/storage/transactions.ts';

const record: JournalRecord = {
  transactionId: '00112233445566778899aabbccddeeff',
  purpose: 'renewal',
  stage: 'request',
  keySerialNumber: 'S1',
  oldContainer: { application: 'A', container: 'old' },
  oldCertificate: Uint8Array.of(1),
  newContainer: { application: 'A', container: 'R00112233445566778899aabbccddeeff' },
  newPublicKey: Uint8Array.of(2),
  request: Uint8Array.of(3),
  startedAt: 1,
  updatedAt: 2,
};

test('a record comes back byte for byte', async () => {
  await indexedDbJournal.put(record);
  expect(await indexedDbJournal.get(record.transactionId)).toEqual(record);
  expect(await indexedDbJournal.ofKey('S1')).toEqual([record]);
  await indexedDbJournal.remove(record.transactionId);
  expect(await indexedDbJournal.ofKey('S1')).toEqual([]);
});

test.each([
  ['no certificate', { oldCertificate: undefined }],
  ['a certificate that is text', { oldCertificate: 'MII' }],
  ['an unknown stage', { stage: 'sending' }],
  ['an unknown purpose', { purpose: 'theft' }],
  ['a container without a name', { newContainer: { application: 'A' } }],
  ['a transaction id of another form', { transactionId: 'xyz' }],
  ['a request that is a number', { request: 7 }],
  ['a way to a slot where nobody looks', { promotion: 'chosen', promotionSlot: '9D' }],
  ['no times', { updatedAt: undefined }],
])('a record with %s is damaged, not believed', (_what, damage) => {
  const row = { ...record, ...damage } as unknown as JournalRecord;
  expect(() => readRecord(row)).toThrow(expect.objectContaining({ name: 'StorageError', code: 'damaged' }));
});

test('a damaged record is passed over among sound ones, and said when it is asked for', async () => {
  const damaged = { ...record, transactionId: 'ff'.repeat(16), stage: 'sending' };
  await indexedDbJournal.put(record);
  await putTransaction(damaged);
  expect(await indexedDbJournal.ofKey('S1')).toEqual([record]);
  await expect(indexedDbJournal.get(damaged.transactionId)).rejects.toMatchObject({ code: 'damaged' });
});
