import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { indexedDbJournal, readRecord } from '../../../src/renewal/indexeddb-journal.ts';
import type { JournalRecord } from '../../../src/renewal/journal.ts';
import { putTransaction } from '../../../src/storage/transactions.ts';

const fresh = (byte: number): Uint8Array => Uint8Array.of(byte);

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

const encryption = { stage: 'import', attempt: 1, reply: fresh(1), certificate: fresh(2), envelope: fresh(3) } as const;

test.each<[string, Partial<JournalRecord>]>([
  ['as it was before there were encryption certificates', {}],
  ['with a time by which to confirm', { stage: 'write', confirmBy: 1_700_000_000_000 }],
  ['whose encryption certificate is asked for', { stage: 'encryption', encryption: { stage: 'request', attempt: 0 } }],
  ['whose encryption certificate is on its way', { stage: 'encryption', encryption }],
])('a record %s is read', (_what, change) => {
  expect(readRecord({ ...record, ...change })).toEqual({ ...record, ...change });
});

test.each([
  ['an encryption part that is none', { encryption: 'soon' }],
  ['an encryption part of an unknown stage', { encryption: { ...encryption, stage: 'sent' } }],
  ['an encryption part without a number', { encryption: { ...encryption, attempt: '1' } }],
  ['more attempts than there are', { encryption: { ...encryption, attempt: 16 } }],
  ['a delivery that is not there', { encryption: { stage: 'import', attempt: 0 } }],
  ['an envelope that is text', { encryption: { ...encryption, envelope: 'MII' } }],
  ['a time that is text', { confirmBy: 'soon' }],
  ['no certificate', { oldCertificate: undefined }],
  ['a certificate that is text', { oldCertificate: 'MII' }],
  ['an unknown stage', { stage: 'sending' }],
  ['an unknown purpose', { purpose: 'theft' }],
  ['a container without a name', { newContainer: { application: 'A' } }],
  ['a transaction id of another form', { transactionId: 'xyz' }],
  ['a transaction id that is a list', { transactionId: [record.transactionId] }],
  ['a transaction id that is nothing in words', { transactionId: { toString: 0 } }],
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
