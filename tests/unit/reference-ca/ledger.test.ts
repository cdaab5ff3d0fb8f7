import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fingerprint, Ledger, LedgerError, type Exchange } from '../../reference-ca/ledger.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'ledger-'));
});
afterEach(() => rm(directory, { recursive: true }));

const ledgerFile = (): string => path.join(directory, 'ledger.jsonl');
const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values);
const oldCertificate = bytes(1, 1);
const newCertificate = bytes(2, 2);
const transactionId = '0a'.repeat(16);

const exchange = (n: number): Exchange => ({
  request: fingerprint(bytes(n)),
  senderNonce: `aa${n.toString(16).padStart(2, '0')}`,
  nonce: `bb${n.toString(16).padStart(2, '0')}`,
  reply: bytes(n, n, n),
});

async function register(ledger: Ledger): Promise<void> {
  await ledger.append({
    type: 'registered',
    certificate: oldCertificate,
    usage: 'signing',
    authority: 'sm2',
    refuses: false,
    waits: true,
  });
}

async function issue(ledger: Ledger, more: { readonly supersedesOld?: true } = {}): Promise<void> {
  await ledger.append({
    type: 'issued',
    transactionId,
    oldCertificate: fingerprint(oldCertificate),
    csr: bytes(3),
    publicKey: fingerprint(bytes(4)),
    certificate: newCertificate,
    authority: 'sm2',
    confirmBy: 1000,
    exchange: exchange(1),
    ...more,
  });
}

test('what was written is there after opening again', async () => {
  const ledger = await Ledger.open(directory);
  await register(ledger);
  await issue(ledger);
  await ledger.append({ type: 'repeated', transactionId, exchange: exchange(2) });
  await ledger.append({ type: 'confirmed', transactionId, exchange: exchange(3) });
  await ledger.close();

  const again = await Ledger.open(directory);
  try {
    expect(again.length).toBe(4);
    expect(again.transaction(transactionId)).toEqual(ledger.transaction(transactionId));
    expect(again.transaction(transactionId)).toMatchObject({ status: 'confirmed', certificate: newCertificate });
    expect(again.transaction(transactionId)?.replies.get(fingerprint(bytes(3)))).toEqual({
      message: bytes(3, 3, 3),
      status: 'confirmed',
    });
    expect(again.transactionOfPublicKey(fingerprint(bytes(4)))?.transactionId).toBe(transactionId);
    expect(again.knowsSenderNonce('aa02')).toBe(true);
    expect(again.knowsSenderNonce('aa09')).toBe(false);
  } finally {
    await again.close();
  }
});

test('an issued certificate counts once it is confirmed, and takes over what was decided about its holder', async () => {
  const ledger = Ledger.inMemory();
  await register(ledger);
  await issue(ledger);
  const before = ledger.certificate(newCertificate)?.status;

  await ledger.append({ type: 'confirmed', transactionId, exchange: exchange(3) });

  expect(before).toBe('unconfirmed');
  expect(ledger.certificate(newCertificate)).toMatchObject({
    status: 'valid',
    holder: { refuses: false, waits: true },
    transactionId,
  });
});

test('a withdrawn certificate is revoked, and its holder keeps the old one', async () => {
  const ledger = Ledger.inMemory();
  await register(ledger);
  await issue(ledger);

  await ledger.append({ type: 'withdrawn', transactionId, reason: 'notConfirmed' });

  expect(ledger.transaction(transactionId)?.status).toBe('withdrawn');
  expect(ledger.certificate(newCertificate)?.status).toBe('revoked');
  expect(ledger.certificate(oldCertificate)?.status).toBe('valid');
});

test.each(['issued', 'confirmed'] as const)(
  'a certificate that is replaced goes in the very entry: %s',
  async (type) => {
    const ledger = await Ledger.open(directory);
    await register(ledger);
    await issue(ledger, type === 'issued' ? { supersedesOld: true } : {});
    const confirmed = { type: 'confirmed', transactionId, exchange: exchange(3) } as const;
    if (type === 'confirmed') await ledger.append({ ...confirmed, supersedesOld: true });
    await ledger.close();

    // Whatever line was the last that a crash left: both, or neither.
    const lines = (await readFile(ledgerFile(), 'utf8')).trimEnd().split('\n');
    const states: unknown[] = [];
    for (let left = 1; left <= lines.length; left++) {
      await writeFile(ledgerFile(), `${lines.slice(0, left).join('\n')}\n`);
      const again = await Ledger.open(directory);
      const { status, supersededBy, revocation } = again.certificate(oldCertificate) ?? {};
      states.push([again.transaction(transactionId)?.status, status, supersededBy, revocation?.reason]);
      await again.close();
    }
    const gone = ['revoked', transactionId, 'superseded'];
    expect(states).toEqual([
      [undefined, 'valid', undefined, undefined],
      ...(type === 'issued'
        ? [['issued', ...gone]]
        : [
            ['issued', 'valid', undefined, undefined],
            ['confirmed', ...gone],
          ]),
    ]);
  },
);

test('overdue are the issued ones whose time to confirm has passed', async () => {
  const ledger = Ledger.inMemory();
  await register(ledger);
  await issue(ledger);
  expect(ledger.overdue(new Date(1000))).toEqual([]);
  expect(ledger.overdue(new Date(1001)).map((one) => one.transactionId)).toEqual([transactionId]);
  await ledger.append({ type: 'confirmed', transactionId, exchange: exchange(3) });
  expect(ledger.overdue(new Date(1001))).toEqual([]);
});

test('a last line cut short by a crash is dropped, and writing goes on behind it', async () => {
  const ledger = await Ledger.open(directory);
  await register(ledger);
  await ledger.close();
  await appendFile(ledgerFile(), '{"type":"revoked","certi');

  const again = await Ledger.open(directory);
  await again.append({ type: 'revoked', certificate: fingerprint(oldCertificate) });
  await again.close();

  const third = await Ledger.open(directory);
  await third.close();
  expect([ledger.cutOffBytes, again.cutOffBytes, third.cutOffBytes]).toEqual([0, 24, 0]);
  expect(third.length).toBe(2);
  expect(third.certificate(oldCertificate)?.status).toBe('revoked');
});

test.each([
  ['is not JSON', () => '{'],
  ['is of no known type', () => '{"type":"forgotten","at":"2026-01-01T00:00:00.000Z"}'],
  ['goes on with an unknown transaction', (line: string) => line.replaceAll(transactionId, '0b'.repeat(16))],
])('a ledger with a line that %s is not opened', async (_what, change) => {
  const ledger = await Ledger.open(directory);
  await register(ledger);
  await issue(ledger);
  await ledger.append({ type: 'confirmed', transactionId, exchange: exchange(3) });
  await ledger.close();
  const lines = (await readFile(ledgerFile(), 'utf8')).split('\n');
  lines[2] = change(lines[2] ?? '');
  await writeFile(ledgerFile(), lines.join('\n'));

  await expect(Ledger.open(directory)).rejects.toBeInstanceOf(LedgerError);
});

test('two appends at once are two whole lines', async () => {
  const ledger = await Ledger.open(directory);
  await Promise.all([register(ledger), register(ledger), register(ledger)]);
  await ledger.close();
  const lines = (await readFile(ledgerFile(), 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(Array(3).fill('registered'));
});
