import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CaError, type Credential, type EnrolmentAnswer } from '../../../src/ca/authority.ts';
import { RestAuthority, type RestAuthorityOptions } from '../../../src/ca/rest-enrolment.ts';
import { readSpki } from '../../../src/pki/algorithms.ts';
import { toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { sm2Decrypt, sm2PublicKey } from '../../../src/pki/sm2.ts';
import { sm4EcbDecrypt } from '../../../src/pki/sm4.ts';
import type { Fault } from '../../reference-ca/faults.ts';
import { generateKey, type SoftwareKey } from '../../reference-ca/keys.ts';
import { openReferenceCa } from '../../reference-ca/reference-ca.ts';
import { CaProcess } from './ca-process.ts';
import { makeHolder, newKeyType, random, TestClock, type Holder, type HolderParameters } from './holder.ts';
import { RestOffice } from './rest-holder.ts';

/* The site's own client against the authority, over HTTP: what each was proven to do alone, they do together. */

const clock = new TestClock();
let office: RestOffice;
beforeAll(async () => {
  const ca = await openReferenceCa({ now: clock.now, policy: { encryptionCertificate: 'always' } });
  office = await RestOffice.open(ca, clock.now);
});
afterAll(() => office.close());

const forms = ['pkcs10', 'cfca'] as const;
type Form = (typeof forms)[number];

function clientOf(form: Form, options: Partial<RestAuthorityOptions> = {}): RestAuthority {
  const { sm2, p256, rsa } = office.ca.hierarchy;
  return new RestAuthority({
    url: office.url,
    csr: form,
    anchors: [sm2.root, p256.root, rsa.root],
    fetch,
    now: clock.now,
    timeoutMs: 10_000,
    ...options,
  });
}

interface Prepared {
  readonly holder: Holder;
  readonly credential: Credential;
  readonly key: SoftwareKey;
  readonly transactionId: Bytes;
  readonly request: Uint8Array;
}

async function prepare(client: RestAuthority, parameters?: HolderParameters): Promise<Prepared> {
  return prepareFor(client, await makeHolder(office.ca, clock.now(), parameters));
}

async function prepareFor(client: RestAuthority, holder: Holder): Promise<Prepared> {
  const credential = { certificate: holder.certificate.der, sign: holder.key.sign };
  const key = await generateKey(newKeyType(holder));
  const transactionId = random(16);
  const newKey = { publicKey: key.spki, sign: key.sign };
  const request = await client.prepareRequest(transactionId, newKey, credential);
  return { holder, credential, key, transactionId, request };
}

type Issued = Extract<EnrolmentAnswer, { kind: 'issued' }>;
function issued(answer: { readonly kind: string }): Issued {
  if (answer.kind !== 'issued') throw new Error(`${answer.kind} where issued was expected`);
  return answer as Issued;
}

/** The error a call ends with. */
async function errorOf(call: Promise<unknown>): Promise<CaError> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof CaError)) throw new Error('no CaError', { cause: outcome });
  return outcome;
}

test.each([
  ['sm2', 'pkcs10'],
  ['sm2', 'cfca'],
  ['p256', 'pkcs10'],
  ['rsa', 'pkcs10'],
  ['oldRsa', 'pkcs10'],
  ['oldRsa', 'cfca'],
] as const)(
  'a holder under %s, asking by %s, is issued a certificate and confirms it twice',
  async (authority, form) => {
    const client = clientOf(form);
    const { credential, key, transactionId, request } = await prepare(client, { authority });
    const before = await client.lookUp(transactionId);

    const answer = issued(await client.submit(request));
    const between = await client.lookUp(transactionId);
    const confirmation = await client.prepareConfirmation(answer.reply, true, credential);
    await client.confirm(confirmation);
    await client.confirm(confirmation);
    const after = await client.lookUp(transactionId);

    expect([before.kind, between.kind, after.kind]).toEqual(['unknown', 'issued', 'confirmed']);
    expect(answer.confirmBy).toEqual(new Date(clock.now().getTime() + 3_600_000));
    expect(parseCertificate(answer.certificate).spki).toEqual(key.spki);
    expect(office.ca.ledger.certificate(answer.certificate)?.status).toBe('valid');
  },
);

describe.each(forms)('both certificates, by %s', (form) => {
  /** d as the USBKEY that holds the signing key unwraps it. */
  function imported({ encryption }: Issued, { privateKey }: SoftwareKey): Bytes {
    if (!encryption) throw new Error('no key pair came');
    const { wrappedKey, encryptedPrivateKey } = encryption.envelope;
    return sm4EcbDecrypt(sm2Decrypt(wrappedKey, privateKey), encryptedPrivateKey).slice(-32);
  }
  async function askedFor(client: RestAuthority, { transactionId, key, credential }: Prepared, signing: Issued) {
    const id = random(16);
    const of = { transactionId, publicKey: key.spki, signingCertificate: signing.certificate };
    return { id, request: await client.prepareEncryptionRequest(id, of, credential) };
  }

  test('the key pair can be imported under the new signing key, and one confirmation is for both', async () => {
    const client = clientOf(form);
    const prepared = await prepare(client);
    const signing = issued(await client.submit(prepared.request));
    const { id, request } = await askedFor(client, prepared, signing);

    const answer = issued(await client.submit(request));
    await client.confirm(await client.prepareConfirmation(signing.reply, true, prepared.credential));
    const after = await client.lookUp(id);

    const { publicKey } = readSpki(parseCertificate(answer.certificate).spki);
    expect(sm2PublicKey(imported(answer, prepared.key))).toEqual(publicKey);
    expect(after).toMatchObject({ kind: 'confirmed', encryption: { certificate: answer.certificate } });
    expect(office.ca.ledger.certificate(answer.certificate)?.status).toBe('valid');
  });

  test('after a crash the key pair is had again: from asking, or in CFCA’s form by a new request', async () => {
    const first = clientOf(form);
    const prepared = await prepare(first);
    const signing = issued(await first.submit(prepared.request));
    const { id, request } = await askedFor(first, prepared, signing);
    const before = issued(await first.submit(request));

    const reloaded = clientOf(form);
    const found = issued(await reloaded.lookUp(id));
    const again = found.encryption
      ? found
      : issued(await reloaded.submit((await askedFor(reloaded, prepared, signing)).request));

    expect(found.encryption === undefined).toBe(form === 'cfca');
    expect(again.certificate).toEqual(before.certificate);
    expect(imported(again, prepared.key)).toEqual(imported(before, prepared.key));
  });

  test('are waited for, one after the other', async () => {
    const client = clientOf(form);
    const prepared = await prepare(client, { waits: true });
    const end = async (first: EnrolmentAnswer): Promise<Issued> => {
      let answer = first;
      while (answer.kind === 'waiting') answer = await client.poll(answer.reply, prepared.credential);
      return answer;
    };
    const signing = await end(await client.submit(prepared.request));
    const { request } = await askedFor(client, prepared, signing);
    const answer = await end(await client.submit(request));
    expect(imported(answer, prepared.key)).toHaveLength(32);
  });

  test('a delivery that is refused can be asked for again', async () => {
    const client = clientOf(form);
    const prepared = await prepare(client);
    const signing = issued(await client.submit(prepared.request));
    const first = await askedFor(client, prepared, signing);
    const { reply } = issued(await client.submit(first.request));
    await client.confirm(await client.prepareConfirmation(reply, false, prepared.credential));
    const answer = issued(await client.submit((await askedFor(client, prepared, signing)).request));
    expect(await client.lookUp(first.id)).toEqual({ kind: 'withdrawn' });
    expect(imported(answer, prepared.key)).toHaveLength(32);
  });
});

test('an answer that was lost is had again by sending the same bytes, or by asking', async () => {
  const client = clientOf('pkcs10');
  const { transactionId, request } = await prepare(client);
  const first = issued(await client.submit(request));
  const again = issued(await client.submit(request));
  const asked = await client.lookUp(transactionId);
  expect(again.certificate).toEqual(first.certificate);
  expect(asked).toMatchObject({ kind: 'issued', certificate: first.certificate });
});

test('a certificate found by asking is confirmed like one that was answered', async () => {
  const client = clientOf('pkcs10');
  const { credential, transactionId, request } = await prepare(client);
  await client.submit(request);
  const { reply } = issued(await client.lookUp(transactionId));
  await client.confirm(await client.prepareConfirmation(reply, true, credential));
  expect((await client.lookUp(transactionId)).kind).toBe('confirmed');
});

test('asked by the new key, the authority tells the same as by the transaction', async () => {
  const client = clientOf('cfca');
  const { credential, key, request } = await prepare(client, { waits: true });
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', key.spki));
  const kinds = [(await client.lookUp(digest)).kind];
  const answer = await client.submit(request);
  let state = await client.lookUp(digest);
  kinds.push(answer.kind, state.kind);
  for (let i = 0; i < 3 && state.kind === 'waiting'; i++) state = await client.poll(state.reply, credential);
  await client.confirm(await client.prepareConfirmation(issued(state).reply, true, credential));
  const after = await client.lookUp(digest);
  expect(kinds).toEqual(['unknown', 'waiting', 'waiting']);
  expect(after).toMatchObject({ kind: 'confirmed', certificate: issued(state).certificate });
});

test('a certificate that is not accepted is withdrawn', async () => {
  const client = clientOf('pkcs10');
  const { credential, transactionId, request } = await prepare(client);
  const { reply } = issued(await client.submit(request));
  await client.confirm(await client.prepareConfirmation(reply, false, credential));
  expect(await client.lookUp(transactionId)).toEqual({ kind: 'withdrawn' });
});

test('a refusal arrives with its reason and the authority’s words', async () => {
  const client = clientOf('pkcs10');
  const { request } = await prepare(client, { refuses: true });
  const error = await errorOf(client.submit(request));
  expect(error).toMatchObject({ code: 'rejected', failInfo: ['notAuthorized'] });
  expect(error.text).toEqual([expect.stringContaining('USBKEY')]);
});

test('a client that pins another root trusts no answer', async () => {
  const stranger = clientOf('pkcs10', { anchors: [office.ca.hierarchy.foreign.root] });
  const { request, transactionId } = await prepare(stranger);
  expect(await errorOf(stranger.submit(request))).toMatchObject({ code: 'notTrusted' });
  expect(await errorOf(stranger.lookUp(transactionId))).toMatchObject({ code: 'notTrusted' });
});

describe('whatever goes wrong with a request, the same bytes then get the one certificate', () => {
  const done = { done: true };
  const notDone = { done: false };
  test.each<[Fault, CaError['code'], { readonly done: boolean }]>([
    ['dropRequest', 'unreachable', notDone],
    ['serverError', 'unavailable', notDone],
    ['unprotectedError', 'notTrusted', notDone],
    ['dropAnswer', 'unreachable', done],
    ['garbage', 'malformed', done],
    ['wrongKey', 'notTrusted', done],
    ['replay', 'mismatch', done],
  ])('%s: %s', async (fault, code, { done: isDone }) => {
    const client = clientOf('pkcs10');
    await client.submit((await prepare(client)).request);
    const { transactionId, request } = await prepare(client);
    office.ca.faults.next(fault);

    const error = await errorOf(client.submit(request));
    const state = await client.lookUp(transactionId);
    const answer = issued(await client.submit(request));

    expect(error.code).toBe(code);
    expect(state.kind).toBe(isDone ? 'issued' : 'unknown');
    expect(answer.certificate).toEqual(office.ca.ledger.transaction(toHex(transactionId))?.certificate);
    if (state.kind === 'issued') expect(answer.certificate).toEqual(state.certificate);
  });

  test('slow: given up, and found by asking', async () => {
    const client = clientOf('pkcs10');
    const { transactionId, request } = await prepare(client);
    office.ca.faults.next('slow');
    const abort = new AbortController();
    const slow = errorOf(client.submit(request, abort.signal));
    await expect.poll(() => office.ca.faults.held).toBe(1);
    abort.abort();
    expect(await slow).toMatchObject({ code: 'cancelled' });
    expect((await client.lookUp(transactionId)).kind).toBe('issued');
    office.ca.faults.release();
  });
});

test.each<[Fault, CaError['code']]>([
  ['dropRequest', 'unreachable'],
  ['dropAnswer', 'unreachable'],
  ['serverError', 'unavailable'],
  ['unprotectedError', 'notTrusted'],
  ['garbage', 'malformed'],
  ['wrongKey', 'notTrusted'],
  ['replay', 'mismatch'],
])('asking fails by %s with %s, and nothing is taken for an end', async (fault, code) => {
  const client = clientOf('pkcs10');
  const { transactionId, request } = await prepare(client);
  await client.submit(request);
  office.ca.faults.next(fault);
  expect((await errorOf(client.lookUp(transactionId))).code).toBe(code);
  expect((await client.lookUp(transactionId)).kind).toBe('issued');
});

describe('as a process of its own', () => {
  let directory: string | undefined;
  let running: CaProcess | undefined;
  afterEach(async () => {
    await running?.kill();
    if (directory !== undefined) await rm(directory, { recursive: true });
  });

  test(
    'killed in the middle of a polled renewal, it issues one certificate, not two',
    { timeout: 120_000 },
    async () => {
      directory = await mkdtemp(path.join(os.tmpdir(), 'rest-restart-'));
      const ledger = path.join(directory, 'ledger.jsonl');
      const before = await openReferenceCa({ directory });
      const holder = await makeHolder(before, new Date(), { waits: true });
      const { sm2 } = before.hierarchy;
      await before.close();
      const start = async (): Promise<RestAuthority> => {
        running = await CaProcess.start(directory ?? '');
        const url = `${running.url}ca/rest`;
        return clientOf('cfca', { url, anchors: [sm2.root], now: () => new Date() });
      };
      let client = await start();
      const { transactionId, request, credential } = await prepareFor(client, holder);
      let answer = await client.submit(request);
      for (let i = 0; i < 2 && answer.kind === 'waiting'; i++) answer = await client.poll(answer.reply, credential);
      const waiting = answer;

      // Killed while the question that is granted is under way: whether it was entered or not, nobody here knows.
      const lost = client.poll(waiting.reply, credential).catch(() => undefined);
      await running?.kill();
      await lost;
      await appendFile(ledger, '{"at":"2026-11-22T02:00:00.000Z","type":"issu');
      client = await start();

      const polled = issued(await client.poll(waiting.reply, credential));
      const repeated = issued(await client.submit(request));
      const asked = issued(await client.lookUp(transactionId));
      const confirmation = await client.prepareConfirmation(polled.reply, true, credential);
      await client.confirm(confirmation);
      await running?.kill();
      client = await start();
      await client.confirm(confirmation);

      const kinds = (await readFile(ledger, 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { type: string }).type);
      expect(waiting.kind).toBe('waiting');
      expect(new Set([polled, repeated, asked].map(({ certificate }) => toHex(certificate))).size).toBe(1);
      expect(kinds.filter((kind) => kind === 'issued')).toHaveLength(1);
      expect(kinds.filter((kind) => kind === 'confirmed')).toHaveLength(1);
      expect((await client.lookUp(transactionId)).kind).toBe('confirmed');
    },
  );
});
