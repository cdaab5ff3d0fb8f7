import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CmpFormatError, parseMessage, type PkiMessage } from '../../../src/ca/cmp-messages.ts';
import { concat, toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { verifySignature } from '../../../src/pki/signature.ts';
import { listen, type Listening } from '../../demo/listen.ts';
import { incomingCmp } from '../../reference-ca/cmp-faults.ts';
import { Faults } from '../../reference-ca/faults.ts';
import { answerWith } from '../../reference-ca/http.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';
import { issuedCertificate, makeCsr, makeHolder, makeRequest, random, TestClock } from './holder.ts';

const clock = new TestClock();
let ca: ReferenceCa;
let server: Listening;
beforeAll(async () => {
  ca = await openReferenceCa({ now: clock.now });
  server = await listen(() => createServer(answerWith(ca.handler)), { port: 0, strictPort: true, host: '127.0.0.1' });
});
afterAll(async () => {
  await server.close();
  await ca.close();
});

let transactionId: Bytes;
let request: Bytes;
beforeEach(async () => {
  const holder = await makeHolder(ca, clock.now());
  transactionId = random(16);
  request = await makeRequest(holder, await makeCsr(holder), { transactionId });
});

const post = (): Promise<Response> =>
  fetch(`${server.url}ca/cmp`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/pkixcmp' },
    body: concat(request),
  });
const bytesOf = async (response: Response): Promise<Bytes> => new Uint8Array(await response.arrayBuffer());
const isProtected = ({ header, protectedPart, protection }: PkiMessage): Promise<boolean> =>
  verifySignature({
    spki: ca.hierarchy.sm2.issuing.key.spki,
    algorithm: header.protectionAlgorithm ?? '',
    message: protectedPart,
    signature: protection ?? new Uint8Array(),
  });
const status = (): string | undefined => ca.ledger.transaction(toHex(transactionId))?.status;

/** Whatever went wrong: the same bytes again are answered, and with the one certificate there is. */
async function goesWellAgain(): Promise<void> {
  const answer = parseMessage(await bytesOf(await post()));
  expect(await isProtected(answer)).toBe(true);
  expect(issuedCertificate(answer)).toEqual(ca.ledger.transaction(toHex(transactionId))?.certificate);
}

describe('nothing is done', () => {
  test('dropRequest: no answer', async () => {
    ca.faults.next('dropRequest');
    await expect(post()).rejects.toBeInstanceOf(TypeError);
    expect(status()).toBeUndefined();
    await goesWellAgain();
  });

  test('serverError: 500', async () => {
    ca.faults.next('serverError');
    expect((await post()).status).toBe(500);
    expect(status()).toBeUndefined();
    await goesWellAgain();
  });

  test('unprotectedError: an answer to the message that nobody signed', async () => {
    ca.faults.next('unprotectedError');
    const { header, body, protection } = parseMessage(await bytesOf(await post()));
    expect(body).toMatchObject({ type: 'error', status: { status: 'rejection', failInfo: ['certRevoked'] } });
    expect([header.transactionId, header.recipNonce]).toEqual([
      transactionId,
      parseMessage(request).header.senderNonce,
    ]);
    expect([header.protectionAlgorithm, protection]).toEqual([undefined, undefined]);
    expect(status()).toBeUndefined();
    await goesWellAgain();
  });
});

describe('the certificate is issued', () => {
  test('dropAnswer: no answer', async () => {
    ca.faults.next('dropAnswer');
    await expect(post()).rejects.toBeInstanceOf(TypeError);
    expect(status()).toBe('issued');
    await goesWellAgain();
  });

  test('garbage: bytes that are no message', async () => {
    ca.faults.next('garbage');
    const response = await post();
    const bytes = await bytesOf(response);
    expect(response.headers.get('content-type')).toBe('application/pkixcmp');
    expect(() => parseMessage(bytes)).toThrow(CmpFormatError);
    expect(status()).toBe('issued');
    await goesWellAgain();
  });

  test('wrongKey: the right message, wrongly protected', async () => {
    ca.faults.next('wrongKey');
    const answer = parseMessage(await bytesOf(await post()));
    expect(issuedCertificate(answer)).toEqual(ca.ledger.transaction(toHex(transactionId))?.certificate);
    expect(await isProtected(answer)).toBe(false);
    await goesWellAgain();
  });

  test('replay: the answer to the message before', async () => {
    const other = await makeHolder(ca, clock.now());
    const mine = request;
    request = await makeRequest(other, await makeCsr(other));
    const before = await bytesOf(await post());
    request = mine;
    ca.faults.next('replay');
    expect(await bytesOf(await post())).toEqual(before);
    expect(status()).toBe('issued');
    await goesWellAgain();
  });

  test('slow: the answer comes when it is let go', async () => {
    ca.faults.next('slow');
    const answer = post();
    await expect.poll(() => ca.faults.held).toBe(1);
    expect(status()).toBe('issued');
    ca.faults.release();
    issuedCertificate(parseMessage(await bytesOf(await answer)));
    expect(ca.faults.held).toBe(0);
  });
});

test('faults come in order, one to a message, and then no more', async () => {
  const faults = new Faults(['dropAnswer']);
  faults.next('dropRequest');
  let done = 0;
  const answer = (): Promise<Bytes> => {
    done += 1;
    return Promise.resolve(Uint8Array.of(5, 0));
  };
  const outcomes = [
    await faults.apply('cmp', incomingCmp(request, answer)),
    await faults.apply('cmp', incomingCmp(request, answer)),
    await faults.apply('cmp', incomingCmp(request, answer)),
  ];
  expect(outcomes).toEqual(['drop', 'drop', Uint8Array.of(5, 0)]);
  expect(done).toBe(2);
});
