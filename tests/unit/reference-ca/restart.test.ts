import { spawn, type ChildProcess } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseMessage, type PkiMessage } from '../../../src/ca/cmp-messages.ts';
import { concat, toHex } from '../../../src/pki/bytes.ts';
import { openReferenceCa } from '../../reference-ca/reference-ca.ts';
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

const main = fileURLToPath(new URL('../../reference-ca/main.ts', import.meta.url));

class Process {
  readonly url: string;
  /** What it said while starting. */
  readonly words: string;
  readonly #child: ChildProcess;
  private constructor(child: ChildProcess, url: string, words: string) {
    this.#child = child;
    this.url = url;
    this.words = words;
  }

  static start(directory: string): Promise<Process> {
    const args = ['--import', 'tsx', main, '--data', directory, '--port', '0', '--host', '127.0.0.1'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    return new Promise((resolve, reject) => {
      let words = '';
      const hear = (chunk: Buffer): void => {
        words += chunk.toString();
        const url = /^(http:\S+)$/mu.exec(words)?.[1];
        if (url !== undefined) resolve(new Process(child, url, words));
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', () => {
        reject(new Error(`it ended: ${words}`));
      });
    });
  }

  async exchange(message: Uint8Array): Promise<PkiMessage> {
    const response = await fetch(`${this.url}ca/cmp`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/pkixcmp' },
      body: concat(message),
    });
    return parseMessage(new Uint8Array(await response.arrayBuffer()));
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}

let directory: string;
let ca: Process;
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
  ca = await Process.start(directory);
  const transactionId = random(16);
  const request = await makeRequest(holder, await makeCsr(holder), { transactionId });
  const waiting = await ca.exchange(request);
  await ca.exchange(await makePoll(holder, waiting));
  const last = await ca.exchange(await makePoll(holder, waiting));

  // Killed while the poll that is granted is under way: whether it was entered or not, nobody here knows.
  const granting = await makePoll(holder, last);
  const lost = ca.exchange(granting).catch(() => undefined);
  await ca.kill();
  await lost;
  await appendFile(ledgerFile(), '{"at":"2026-11-22T02:00:00.000Z","type":"issu');
  ca = await Process.start(directory);

  const issued = await ca.exchange(granting);
  const again = await ca.exchange(await makePoll(holder, issued));
  const repeated = await ca.exchange(request);
  const confirmation = await makeConfirmation(holder, issued);
  const confirmed = await ca.exchange(confirmation);
  await ca.kill();
  const secondWords = ca.words;
  ca = await Process.start(directory);
  const confirmedAgain = await ca.exchange(confirmation);

  expect(secondWords).toMatch(/cut short by a crash: its \d+ bytes/u);
  expect(ca.words).not.toContain('crash');
  const certificates = [issued, again, repeated].map(issuedCertificate).map(toHex);
  expect(new Set(certificates).size).toBe(1);
  expect(await entriesOf('issued')).toBe(1);
  expect(confirmed.body.type).toBe('pkiConf');
  expect(confirmedAgain.der).toEqual(confirmed.der);
  expect(await entriesOf('confirmed')).toBe(1);
});
