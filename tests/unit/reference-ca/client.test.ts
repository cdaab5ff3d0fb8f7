import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CaError, type Credential, type EnrolmentAnswer } from '../../../src/ca/authority.ts';
import { CmpAuthority } from '../../../src/ca/cmp-client.ts';
import type { Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { listen, type Listening } from '../../demo/listen.ts';
import { answerWith } from '../../reference-ca/http.ts';
import { generateKey } from '../../reference-ca/keys.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';
import { makeHolder, random, TestClock, type Holder, type HolderParameters } from './holder.ts';

/* The site's own client against the authority, over HTTP: what each was proven to do alone, they do together. */

const clock = new TestClock();
let ca: ReferenceCa;
let server: Listening;
let client: CmpAuthority;
beforeAll(async () => {
  ca = await openReferenceCa({ now: clock.now });
  server = await listen(() => createServer(answerWith(ca.handler)), { port: 0, strictPort: true, host: '127.0.0.1' });
  const { sm2, p256, oldRsa } = ca.hierarchy;
  client = new CmpAuthority({
    url: `${server.url}ca/cmp`,
    enrolmentsUrl: `${server.url}api/enrolments`,
    anchors: [sm2.root, p256.root, oldRsa.root],
    fetch,
    now: clock.now,
    timeoutMs: 10_000,
  });
});
afterAll(async () => {
  await server.close();
  await ca.close();
});

interface Prepared {
  readonly sender: Holder;
  readonly credential: Credential;
  readonly transactionId: Bytes;
  readonly request: Uint8Array;
}

async function prepare(parameters?: HolderParameters): Promise<Prepared> {
  const sender = await makeHolder(ca, clock.now(), parameters);
  const credential = { certificate: sender.certificate.der, sign: sender.key.sign };
  const transactionId = random(16);
  const { spki, sign } = await generateKey(sender.key.type === 'rsa' ? 'sm2' : sender.key.type);
  const request = await client.prepareRequest(transactionId, { publicKey: spki, sign }, credential);
  return { sender, credential, transactionId, request };
}

function issued(answer: EnrolmentAnswer): Extract<EnrolmentAnswer, { kind: 'issued' }> {
  if (answer.kind !== 'issued') throw new Error(`${answer.kind} where issued was expected`);
  return answer;
}

/** The error a call ends with. */
async function errorOf(call: Promise<unknown>): Promise<CaError> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof CaError)) throw new Error('no CaError');
  return outcome;
}

describe.each(['sm2', 'p256', 'oldRsa'] as const)('a holder under %s', (authority) => {
  test('is issued a certificate, and confirms it twice', async () => {
    const { credential, transactionId, request } = await prepare({ authority });
    const before = await client.lookUp(transactionId);

    const answer = issued(await client.submit(request));
    const between = await client.lookUp(transactionId);
    const confirmation = await client.prepareConfirmation(answer.reply, true, credential);
    await client.confirm(confirmation);
    await client.confirm(confirmation);
    const after = await client.lookUp(transactionId);

    expect([before.kind, between.kind, after.kind]).toEqual(['unknown', 'issued', 'confirmed']);
    expect(ca.ledger.certificate(answer.certificate)?.status).toBe('valid');
    expect(answer.chain).toContainEqual(ca.hierarchy[authority === 'p256' ? 'p256' : 'sm2'].issuing.certificate);
  });
});

test('an answer that was lost is had again by sending the same bytes, or by asking', async () => {
  const { transactionId, request } = await prepare();
  const first = issued(await client.submit(request));
  const again = issued(await client.submit(request));
  const asked = await client.lookUp(transactionId);
  expect(again.reply).toEqual(first.reply);
  expect(asked).toMatchObject({ kind: 'issued', certificate: first.certificate });
});

test('a certificate found by asking is confirmed like one that was answered', async () => {
  const { credential, transactionId, request } = await prepare();
  await client.submit(request);
  const asked = await client.lookUp(transactionId);
  if (asked.kind !== 'issued') throw new Error(asked.kind);
  await client.confirm(await client.prepareConfirmation(asked.reply, true, credential));
  expect((await client.lookUp(transactionId)).kind).toBe('confirmed');
});

test('a holder who has to wait polls until the certificate is there', async () => {
  const { credential, transactionId, request } = await prepare({ waits: true });
  let answer = await client.submit(request);
  const pending = await client.lookUp(transactionId);
  let polls = 0;
  while (answer.kind === 'waiting') {
    answer = await client.poll(answer.reply, credential);
    polls += 1;
  }
  await client.confirm(await client.prepareConfirmation(answer.reply, true, credential));
  expect(pending).toMatchObject({ kind: 'waiting', checkAfterSeconds: 1 });
  expect(polls).toBe(3);
  expect(parseCertificate(answer.certificate).keyAlgorithm).toBe('sm2');
});

test('waiting goes on after a crash, from what asking brings', async () => {
  const { credential, transactionId, request } = await prepare({ waits: true });
  await client.submit(request);
  let state = await client.lookUp(transactionId);
  for (let i = 0; i < 3 && state.kind === 'waiting'; i++) state = await client.poll(state.reply, credential);
  expect(state.kind).toBe('issued');
});

test('a certificate that is not accepted is withdrawn', async () => {
  const { credential, transactionId, request } = await prepare();
  const { reply } = issued(await client.submit(request));
  await client.confirm(await client.prepareConfirmation(reply, false, credential));
  expect(await client.lookUp(transactionId)).toEqual({ kind: 'withdrawn' });
});

test('a refusal arrives with its reason and the authority’s words', async () => {
  const { request } = await prepare({ refuses: true });
  const error = await errorOf(client.submit(request));
  expect(error).toMatchObject({ code: 'rejected', failInfo: ['notAuthorized'] });
  expect(error.text).toEqual([expect.stringContaining('USBKEY')]);
});

test('a confirmation that comes too late is refused, and asking says withdrawn', async () => {
  const { credential, transactionId, request } = await prepare();
  const confirmation = await client.prepareConfirmation(issued(await client.submit(request)).reply, true, credential);
  clock.advance(3_600_001);
  expect(await errorOf(client.confirm(confirmation))).toMatchObject({ code: 'rejected', failInfo: ['certRevoked'] });
  expect(await client.lookUp(transactionId)).toEqual({ kind: 'withdrawn' });
});

test('a client that pins another root trusts no answer', async () => {
  const { request } = await prepare();
  const stranger = new CmpAuthority({
    url: `${server.url}ca/cmp`,
    enrolmentsUrl: `${server.url}api/enrolments`,
    anchors: [ca.hierarchy.foreign.root],
    fetch,
    now: clock.now,
    timeoutMs: 10_000,
  });
  expect(await errorOf(stranger.submit(request))).toMatchObject({ code: 'notTrusted' });
});
