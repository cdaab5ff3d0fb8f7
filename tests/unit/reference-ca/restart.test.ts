import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseMessage, type PkiMessage } from '../../../src/ca/cmp-messages.ts';
import { concat, toHex } from '../../../src/pki/bytes.ts';
import { openReferenceCa } from '../../reference-ca/reference-ca.ts';
import { CaProcess } from './ca-process.ts';
import {
  issuedCertificate,
  makeConfirmation,
  makeCsr,
  makeHolder,
  makePoll,
  makeRequest,
  random,
  type Holder,
} from './holder.ts';

/* The authority as a process of its own, killed without warning and started again on the same directory. */

async function exchange(message: Uint8Array): Promise<PkiMessage> {
  const response = await fetch(`${ca.url}ca/cmp`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/pkixcmp' },
    body: concat(message),
  });
  return parseMessage(new Uint8Array(await response.arrayBuffer()));
}

let directory: string;
let ca: CaProcess;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'restart-'));
});
afterEach(async () => {
  await ca.kill();
  await rm(directory, { recursive: true });
});

/** A holder who has to wait, entered before the process begins. */
async function waitingHolder(): Promise<Holder> {
  const before = await openReferenceCa({ directory });
  const holder = await makeHolder(before, new Date(), { waits: true });
  await before.close();
  return holder;
}

const ledgerFile = (): string => path.join(directory, 'ledger.jsonl');
async function entriesOf(type: string): Promise<number> {
  const lines = (await readFile(ledgerFile(), 'utf8')).trimEnd().split('\n');
  return lines.filter((line) => (JSON.parse(line) as { type: string }).type === type).length;
}

test('killed in the middle of a polled renewal, it issues one certificate, not two', { timeout: 120_000 }, async () => {
  const holder = await waitingHolder();
  ca = await CaProcess.start(directory);
  const transactionId = random(16);
  const request = await makeRequest(holder, await makeCsr(holder), { transactionId });
  const waiting = await exchange(request);
  await exchange(await makePoll(holder, waiting));
  const last = await exchange(await makePoll(holder, waiting));

  // Killed while the poll that is granted is under way: whether it was entered or not, nobody here knows.
  const granting = await makePoll(holder, last);
  const lost = exchange(granting).catch(() => undefined);
  await ca.kill();
  await lost;
  await appendFile(ledgerFile(), '{"at":"2026-11-22T02:00:00.000Z","type":"issu');
  ca = await CaProcess.start(directory);

  const issued = await exchange(granting);
  const again = await exchange(await makePoll(holder, issued));
  const repeated = await exchange(request);
  const confirmation = await makeConfirmation(holder, issued);
  const confirmed = await exchange(confirmation);
  await ca.kill();
  const secondWords = ca.words;
  ca = await CaProcess.start(directory);
  const confirmedAgain = await exchange(confirmation);

  expect(secondWords).toMatch(/cut short by a crash: its \d+ bytes/u);
  expect(ca.words).not.toContain('crash');
  const certificates = [issued, again, repeated].map(issuedCertificate).map(toHex);
  expect(new Set(certificates).size).toBe(1);
  expect(await entriesOf('issued')).toBe(1);
  expect(confirmed.body.type).toBe('pkiConf');
  expect(confirmedAgain.der).toEqual(confirmed.der);
  expect(await entriesOf('confirmed')).toBe(1);
});
