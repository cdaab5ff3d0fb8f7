import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseMessage, type PkiMessage } from '../../../src/ca/cmp-messages.ts';
import { fromBase64, toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { verifySignature } from '../../../src/pki/signature.ts';
import { listen, type Listening } from '../../demo/listen.ts';
import { answerWith } from '../../reference-ca/http.ts';
import { fingerprint } from '../../reference-ca/ledger.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';
import {
  exchange,
  issuedCertificate,
  makeConfirmation,
  makeCsr,
  makeHolder,
  makeRequest,
  random,
  TestClock,
  type HolderParameters,
} from './holder.ts';

/* What became of a transaction, asked without CMP and all the same proven. */

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

interface Told {
  readonly status: string;
  readonly message?: string;
  readonly proof?: string;
}

async function lookUp(id: string, nonce?: string): Promise<Told> {
  const query = nonce === undefined ? '' : `?nonce=${nonce}`;
  const response = await fetch(`${server.url}api/enrolments/${id}${query}`);
  return (await response.json()) as Told;
}

/** The proof, once it is shown to be of one of our authorities, of this id and nonce. */
async function proofOf(told: Told, id: string, nonce: Bytes, authority: 'sm2' | 'p256' = 'sm2'): Promise<PkiMessage> {
  const message = parseMessage(fromBase64(told.proof ?? ''));
  const { header, protectedPart, protection } = message;
  const { issuing } = ca.hierarchy[authority];
  const verified = await verifySignature({
    spki: issuing.key.spki,
    algorithm: header.protectionAlgorithm ?? '',
    message: protectedPart,
    signature: protection ?? random(1),
  });
  expect(verified).toBe(true);
  expect(message.extraCerts).toEqual([issuing.certificate]);
  expect(header).toMatchObject({ messageTime: clock.now(), senderKid: issuing.keyIdentifier });
  expect([toHex(header.transactionId ?? random(0)), toHex(header.recipNonce ?? random(0))]).toEqual([id, toHex(nonce)]);
  return message;
}

const proving = (status: string): PkiMessage['body'] => ({
  type: 'error',
  status: { status: 'rejection', text: [`enrolment: ${status}`], failInfo: [] },
  details: [],
});

async function issued(parameters?: HolderParameters) {
  const holder = await makeHolder(ca, clock.now(), parameters);
  const transactionId = random(16);
  const answer = await exchange(ca, await makeRequest(holder, await makeCsr(holder), { transactionId }));
  return { holder, id: toHex(transactionId), answer };
}

describe('is proven, by transactionID and by public key', () => {
  test('unknown', async () => {
    for (const id of [toHex(random(16)), toHex(random(32))]) {
      const nonce = random(32);
      const told = await lookUp(id, toHex(nonce));
      const { body } = await proofOf(told, id, nonce);
      expect(told.status).toBe('unknown');
      expect(body).toEqual(proving('unknown'));
    }
  });

  test.each(['sm2', 'p256'] as const)('confirmed, under %s', async (authority) => {
    const { holder, id, answer } = await issued({ authority });
    await exchange(ca, await makeConfirmation(holder, answer));
    for (const one of [id, fingerprint(parseCertificate(issuedCertificate(answer)).spki)]) {
      const nonce = random(32);
      const told = await lookUp(one, toHex(nonce));
      const { body } = await proofOf(told, one, nonce, authority);
      expect(told.status).toBe('confirmed');
      expect(body).toEqual(proving('confirmed'));
    }
  });

  test.each([
    ['given back', { refuses: false }],
    ['refused', { refuses: true }],
  ] as const)('withdrawn: %s', async (_what, { refuses }) => {
    const { holder, id, answer } = await issued({ refuses });
    if (!refuses) await exchange(ca, await makeConfirmation(holder, answer, { status: 'rejection' }));
    const nonce = random(32);
    const told = await lookUp(id, toHex(nonce));
    const { body } = await proofOf(told, id, nonce);
    expect(told.status).toBe('withdrawn');
    expect(body).toEqual(proving('withdrawn'));
  });
});

test.each([
  ['issued', {}],
  ['pending', { waits: true }],
] as const)('%s comes without: its message proves it', async (status, parameters) => {
  const { id, answer } = await issued(parameters);
  const told = await lookUp(id, toHex(random(32)));
  expect(told).toMatchObject({ status });
  expect(told.proof).toBeUndefined();
  expect(fromBase64(told.message ?? '')).toEqual(answer.der);
});

test('without a nonce there is none', async () => {
  expect(await lookUp(toHex(random(16)))).toEqual({ status: 'unknown' });
});

test('asked again it is another message, and the ledger is as long as before', async () => {
  const id = toHex(random(16));
  const nonce = toHex(random(32));
  const before = ca.ledger.length;
  const [first, second] = [await lookUp(id, nonce), await lookUp(id, nonce)];
  expect(first.proof).not.toBe(second.proof);
  expect(ca.ledger.length).toBe(before);
});

test.each([
  ['16 bytes, as in messages', 'ab'.repeat(16)],
  ['33 bytes', 'ab'.repeat(33)],
  ['upper case', 'AB'.repeat(32)],
  ['nothing', ''],
])('a nonce of %s is refused', async (_what, nonce) => {
  const response = await fetch(`${server.url}api/enrolments/${toHex(random(16))}?nonce=${nonce}`);
  expect(response.status).toBe(400);
});
