import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FailInfo } from '../../../src/ca/authority.ts';
import { parseMessage } from '../../../src/ca/cmp-messages.ts';
import { createCertReqMessages, type CertRequestContent } from '../../../src/ca/crmf.ts';
import { toHex } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { encode, integer, parseDer, raw, readSequence, sequence, sourceBytes } from '../../../src/pki/der.ts';
import { openHierarchy, type Hierarchy } from '../../reference-ca/hierarchy.ts';
import { generateKey } from '../../reference-ca/keys.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';
import { sampleTaxpayer, taxpayerSubject } from '../../reference-ca/subject.ts';
import {
  exchange,
  issuedCertificate,
  makeConfirmation,
  makeCsr,
  makeHolder,
  makeKeyUpdate,
  makeMessage,
  makePoll,
  makeRequest,
  random,
  refusalIn,
  TestClock,
  type Holder,
} from './holder.ts';

let hierarchy: Hierarchy;
let clock: TestClock;
let ca: ReferenceCa;
beforeAll(async () => {
  hierarchy = await openHierarchy(undefined);
});
beforeEach(async () => {
  clock = new TestClock();
  ca = await openReferenceCa({ now: clock.now, hierarchy });
});
afterEach(() => ca.close());

const serialOf = ({ certificate }: Holder): Uint8Array => Buffer.from(certificate.serialNumber, 'hex');

test.each([
  ['sm2', 'sm2'],
  ['p256', 'p256'],
  ['rsa', 'rsa'],
  ['oldRsa', 'sm2'],
] as const)('a holder under %s updates the key to one of %s, and confirms', async (authority, type) => {
  const holder = await makeHolder(ca, clock.now(), { authority });
  const key = await generateKey(type);

  const answer = await exchange(ca, await makeKeyUpdate(holder, key));
  const confirmed = await exchange(ca, await makeConfirmation(holder, answer));

  expect(answer.body).toMatchObject({ type: 'kup', responses: [{ certReqId: 0 }] });
  const issued = issuedCertificate(answer);
  expect(parseCertificate(issued)).toMatchObject({ spki: key.spki, subject: holder.certificate.subject });
  expect(confirmed.body.type).toBe('pkiConf');
  expect(ca.ledger.certificate(issued)?.status).toBe('valid');
});

test('oldCertId may be left out', async () => {
  const holder = await makeHolder(ca, clock.now());
  const request = await makeKeyUpdate(holder, await generateKey('sm2'), {}, { oldCertId: undefined });
  expect(issuedCertificate(await exchange(ca, request))).toBeDefined();
});

test('one that has to wait is polled for with certReqId 0', async () => {
  const holder = await makeHolder(ca, clock.now(), { waits: true });
  const waiting = await exchange(ca, await makeKeyUpdate(holder, await generateKey('sm2')));
  const asP10cr = await makePoll(holder, waiting, { body: { type: 'pollReq', certReqIds: [-1] } });
  const refused = await exchange(ca, asP10cr);
  let answer = waiting;
  for (let i = 0; i < 3; i++) answer = await exchange(ca, await makePoll(holder, answer));

  expect(waiting.body).toMatchObject({ type: 'kup', responses: [{ certReqId: 0, status: { status: 'waiting' } }] });
  expect(refusalIn(refused)).toEqual({ in: 'error', failInfo: ['badRequest'] });
  expect(answer.body.type).toBe('kup');
  issuedCertificate(answer);
});

test('again, byte for byte and signed anew, it gets the same certificate', async () => {
  const holder = await makeHolder(ca, clock.now());
  const request = await makeKeyUpdate(holder, await generateKey('sm2'), { transactionId: random(16) });
  const first = await exchange(ca, request);
  const again = await exchange(ca, request);
  const { header, body } = parseMessage(request);
  if (body.type !== 'kur') throw new Error(body.type);
  const anew = await exchange(ca, await makeMessage(holder, body, { transactionId: header.transactionId }));
  expect(again.der).toEqual(first.der);
  expect(anew.body.type).toBe('kup');
  expect(issuedCertificate(anew)).toEqual(issuedCertificate(first));
});

test('a transaction begun with a key update is not gone on with by a p10cr', async () => {
  const holder = await makeHolder(ca, clock.now());
  const key = await generateKey('sm2');
  const transactionId = random(16);
  await exchange(ca, await makeKeyUpdate(holder, key, { transactionId }));
  const p10cr = await exchange(ca, await makeRequest(holder, await makeCsr(holder, { key }), { transactionId }));
  expect(refusalIn(p10cr)).toEqual({ in: 'error', failInfo: ['transactionIdInUse'] });
});

test('a confirmation with the certReqId of a p10cr is refused', async () => {
  const holder = await makeHolder(ca, clock.now());
  const answer = await exchange(ca, await makeKeyUpdate(holder, await generateKey('sm2')));
  const { body } = parseMessage(await makeConfirmation(holder, answer));
  if (body.type !== 'certConf') throw new Error(body.type);
  const statuses = body.statuses.map((status) => ({ ...status, certReqId: -1 }));
  const wrong = await makeConfirmation(holder, answer, undefined, { body: { type: 'certConf', statuses } });
  expect(refusalIn(await exchange(ca, wrong))?.failInfo).toEqual(['badRequest']);
});

describe('is refused', () => {
  interface Case {
    readonly what: string;
    readonly content: (holder: Holder) => Partial<CertRequestContent>;
    readonly failInfo: FailInfo;
    readonly body?: 'error';
  }
  const cases: readonly Case[] = [
    {
      what: 'another subject',
      content: () => ({ subject: taxpayerSubject(sampleTaxpayer(), 'current') }),
      failInfo: 'badCertTemplate',
    },
    {
      what: 'another serial number in oldCertId',
      content: ({ certificate }) => ({
        oldCertId: { issuer: certificate.issuer.der, serialNumber: Uint8Array.of(0x70) },
      }),
      failInfo: 'badCertId',
    },
    {
      what: 'another issuer in oldCertId',
      content: (holder) => ({
        oldCertId: { issuer: ca.hierarchy.p256.issuing.subject, serialNumber: serialOf(holder) },
      }),
      failInfo: 'badCertId',
    },
    { what: 'certReqId 1', content: () => ({ certReqId: 1 }), failInfo: 'badRequest', body: 'error' },
    { what: 'the old key', content: ({ key }) => ({ publicKey: key.spki }), failInfo: 'badPOP' },
  ];
  test.each(cases)('$what: $failInfo', async ({ content, failInfo, body }) => {
    const holder = await makeHolder(ca, clock.now());
    const request = await makeKeyUpdate(holder, await generateKey('sm2'), {}, content(holder));
    expect(refusalIn(await exchange(ca, request))).toEqual({ in: body ?? 'kup', failInfo: [failInfo] });
  });

  test('a key of another kind: badAlg', async () => {
    const holder = await makeHolder(ca, clock.now());
    const request = await makeKeyUpdate(holder, await generateKey('p256'));
    expect(refusalIn(await exchange(ca, request))).toEqual({ in: 'kup', failInfo: ['badAlg'] });
  });

  test('a request signed by another key, or by none: badPOP', async () => {
    const holder = await makeHolder(ca, clock.now());
    const key = await generateKey('sm2');
    const content = { certReqId: 0, subject: holder.certificate.subject.der, publicKey: key.spki };
    const forged = await createCertReqMessages(content, (await generateKey('sm2')).sign);
    const unproven = await createCertReqMessages(content);
    const answers = [
      await exchange(ca, await makeMessage(holder, { type: 'kur', requests: forged }, {})),
      await exchange(ca, await makeMessage(holder, { type: 'kur', requests: unproven }, {})),
    ];
    expect(answers.map(refusalIn)).toEqual(Array(2).fill({ in: 'kup', failInfo: ['badPOP'] }));
  });

  test('two requests in one: badRequest', async () => {
    const holder = await makeHolder(ca, clock.now());
    const key = await generateKey('sm2');
    const content = { certReqId: 0, subject: holder.certificate.subject.der, publicKey: key.spki };
    const [one] = readSequence(parseDer(await createCertReqMessages(content, key.sign)));
    if (!one) throw new Error('no request');
    const requests = encode(sequence(raw(sourceBytes(one)), raw(sourceBytes(one))));
    const answer = await exchange(ca, await makeMessage(holder, { type: 'kur', requests }, {}));
    expect(refusalIn(answer)).toEqual({ in: 'error', failInfo: ['badRequest'] });
  });

  test('what is no CertReqMessages: badDataFormat, and the transaction is not begun', async () => {
    const holder = await makeHolder(ca, clock.now());
    const transactionId = random(16);
    const requests = encode(sequence(integer(7)));
    const answer = await exchange(ca, await makeMessage(holder, { type: 'kur', requests }, { transactionId }));
    expect(refusalIn(answer)).toEqual({ in: 'error', failInfo: ['badDataFormat'] });
    expect(ca.ledger.transaction(toHex(transactionId))).toBeUndefined();
  });
});
