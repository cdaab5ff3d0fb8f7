import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseMessage, type PkiMessage } from '../../../src/ca/cmp-messages.ts';
import { readSpki } from '../../../src/pki/algorithms.ts';
import { toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { namesEqual } from '../../../src/pki/name.ts';
import { verifySignature } from '../../../src/pki/signature.ts';
import { openHierarchy, type Hierarchy } from '../../reference-ca/hierarchy.ts';
import { generateKey } from '../../reference-ca/keys.ts';
import { fingerprint } from '../../reference-ca/ledger.ts';
import type { Policy } from '../../reference-ca/policy.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';
import {
  dayMs,
  exchange,
  issuedCertificate,
  makeConfirmation,
  makeCsr,
  makeHolder,
  makePoll,
  makeRequest,
  random,
  refusalIn,
  TestClock,
  type Holder,
  type HolderParameters,
} from './holder.ts';

let hierarchy: Hierarchy;
let clock: TestClock;
let ca: ReferenceCa;
beforeAll(async () => {
  hierarchy = await openHierarchy(undefined);
});
beforeEach(async () => {
  clock = new TestClock();
  await openWith({});
});
afterEach(() => ca.close());

const holder = (parameters?: HolderParameters): Promise<Holder> => makeHolder(ca, clock.now(), parameters);

interface Begun {
  readonly sender: Holder;
  readonly csr: Bytes;
  readonly transactionId: Bytes;
  readonly request: Bytes;
  readonly answer: PkiMessage;
}

/** A holder's request and what came of it. */
async function begin(parameters?: HolderParameters): Promise<Begun> {
  const sender = await holder(parameters);
  const csr = await makeCsr(sender);
  const transactionId = random(16);
  const request = await makeRequest(sender, csr, { transactionId });
  return { sender, csr, transactionId, request, answer: await exchange(ca, request) };
}

const statusOf = async ({ transactionId }: Begun): Promise<string> =>
  (await ca.responder.enrolment(toHex(transactionId))).status;

async function openWith(policy: Partial<Policy>): Promise<void> {
  ca = await openReferenceCa({ now: clock.now, policy, hierarchy });
}

describe.each([
  ['sm2', 'sm2'],
  ['p256', 'p256'],
  ['rsa', 'rsa'],
  ['oldRsa', 'sm2'],
] as const)('a holder under %s', (authority, newAuthority) => {
  test(`gets a certificate under ${newAuthority} for the new key, and confirms it`, async () => {
    const begun = await begin({ authority });

    const der = issuedCertificate(begun.answer);
    const confirmed = await exchange(ca, await makeConfirmation(begun.sender, begun.answer));

    const certificate = parseCertificate(der);
    const issuing = parseCertificate(ca.hierarchy[newAuthority].issuing.certificate);
    const { signatureAlgorithm, tbs, signature } = certificate;
    expect(await verifySignature({ spki: issuing.spki, algorithm: signatureAlgorithm, message: tbs, signature })).toBe(
      true,
    );
    expect(certificate.issuer.der).toEqual(issuing.subject.der);
    expect(namesEqual(certificate.subject, begun.sender.certificate.subject)).toBe(true);
    expect(readSpki(certificate.spki).algorithm).toBe(newAuthority);
    expect(certificate.keyUsage?.has('digitalSignature')).toBe(true);
    expect(certificate.isCa).toBe(false);
    expect(confirmed.body.type).toBe('pkiConf');
    expect(ca.ledger.certificate(der)?.status).toBe('valid');
    expect(await statusOf(begun)).toBe('confirmed');
  });
});

describe('validity', () => {
  test.each([
    ['a renewal goes on from the old end', 'sm2', 30, 30 + 365],
    ['a renewal after the end goes on from now', 'sm2', -12, 365],
    ['an upgrade keeps an end far ahead', 'oldRsa', 800, 800],
    ['an upgrade gives a year at least', 'oldRsa', 30, 365],
    ['an upgrade of an expired certificate too', 'oldRsa', -700, 365],
  ] as const)('%s', async (_what, authority, endsInDays, expectedDays) => {
    const { answer } = await begin({ authority, endsInDays, livesDays: 1500 });

    const { notBefore, notAfter } = parseCertificate(issuedCertificate(answer));

    expect(notBefore.getTime()).toBe(clock.now().getTime() - 300_000);
    expect(notAfter.getTime()).toBe(clock.now().getTime() + expectedDays * dayMs);
  });
});

describe('the same request again', () => {
  test('byte for byte gets the same bytes', async () => {
    const begun = await begin();
    const again = await exchange(ca, begun.request);
    expect(again.der).toEqual(begun.answer.der);
  });

  test('signed anew gets the same certificate in a new message', async () => {
    const { sender, csr, transactionId, answer } = await begin();
    const again = await exchange(ca, await makeRequest(sender, csr, { transactionId }));
    expect(again.der).not.toEqual(answer.der);
    expect(issuedCertificate(again)).toEqual(issuedCertificate(answer));
  });

  test('still gets it after the confirmation', async () => {
    const begun = await begin();
    await exchange(ca, await makeConfirmation(begun.sender, begun.answer));
    expect(issuedCertificate(await exchange(ca, begun.request))).toEqual(issuedCertificate(begun.answer));
  });

  test('byte for byte is answered however late', async () => {
    const sender = await holder();
    const csr = await makeCsr(sender);
    const request = await makeRequest(sender, csr, { messageTime: clock.now() });
    const answer = await exchange(ca, request);
    await exchange(ca, await makeConfirmation(sender, answer));
    clock.advance(10 * dayMs);
    expect(issuedCertificate(await exchange(ca, request))).toEqual(issuedCertificate(answer));
  });

  test('at the same moment issues one certificate', async () => {
    const sender = await holder();
    const request = await makeRequest(sender, await makeCsr(sender));
    const answers = await Promise.all([exchange(ca, request), exchange(ca, request), exchange(ca, request)]);
    expect(new Set(answers.map(({ der }) => toHex(der))).size).toBe(1);
  });

  test('is refused again if it was refused', async () => {
    const begun = await begin({ refuses: true });
    const signedAnew = await makeRequest(begun.sender, begun.csr, { transactionId: begun.transactionId });
    expect((await exchange(ca, begun.request)).der).toEqual(begun.answer.der);
    expect(refusalIn(await exchange(ca, signedAnew))).toEqual(refusalIn(begun.answer));
  });

  test('is refused where the policy answers no repeats', async () => {
    await openWith({ onRepeat: 'transactionIdInUse' });
    const begun = await begin();
    expect(refusalIn(await exchange(ca, begun.request))).toEqual({ in: 'error', failInfo: ['transactionIdInUse'] });
    expect(await statusOf(begun)).toBe('issued');
  });

  test('is refused once the certificate was withdrawn', async () => {
    const begun = await begin();
    await exchange(ca, await makeConfirmation(begun.sender, begun.answer, { status: 'rejection' }));
    expect(refusalIn(await exchange(ca, begun.request))).toEqual({ in: 'error', failInfo: ['certRevoked'] });
  });
});

describe('confirmation', () => {
  test('again, byte for byte or signed anew, is acknowledged again', async () => {
    const { sender, answer } = await begin();
    const confirmation = await makeConfirmation(sender, answer);
    const first = await exchange(ca, confirmation);
    expect((await exchange(ca, confirmation)).der).toEqual(first.der);
    expect((await exchange(ca, await makeConfirmation(sender, answer))).body.type).toBe('pkiConf');
  });

  test('may echo the nonce of any answer of the transaction', async () => {
    const { sender, csr, transactionId, answer } = await begin();
    await exchange(ca, await makeRequest(sender, csr, { transactionId }));
    expect((await exchange(ca, await makeConfirmation(sender, answer))).body.type).toBe('pkiConf');
  });

  test('needs no certificate of the signer again', async () => {
    const { sender, answer } = await begin();
    const confirmation = await makeConfirmation(sender, answer, undefined, { extraCerts: [] });
    expect((await exchange(ca, confirmation)).body.type).toBe('pkiConf');
  });

  test('with status rejection withdraws, and may be repeated', async () => {
    const begun = await begin();
    const rejection = { status: 'rejection', failInfo: ['badCertTemplate'] } as const;
    const first = await exchange(ca, await makeConfirmation(begun.sender, begun.answer, rejection));
    const second = await exchange(ca, await makeConfirmation(begun.sender, begun.answer, rejection));
    expect([first.body.type, second.body.type]).toEqual(['pkiConf', 'pkiConf']);
    expect(await statusOf(begun)).toBe('withdrawn');
    expect(ca.ledger.certificate(issuedCertificate(begun.answer))?.status).toBe('revoked');
  });

  test('is told until when, and comes too late after that', async () => {
    const begun = await begin();
    const until = begun.answer.header.confirmWaitTime;
    expect(until?.getTime()).toBe(clock.now().getTime() + 3_600_000);

    clock.advance(3_600_001);

    expect(await statusOf(begun)).toBe('withdrawn');
    const late = await exchange(ca, await makeConfirmation(begun.sender, begun.answer));
    expect(refusalIn(late)).toEqual({ in: 'error', failInfo: ['certRevoked'] });
    expect(ca.ledger.certificate(begun.sender.certificate.der)?.status).toBe('valid');
  });

  test('days too late is told that, not that its time is wrong', async () => {
    const begun = await begin();
    const messageTime = clock.now();
    clock.advance(3 * dayMs);
    const late = await exchange(ca, await makeConfirmation(begun.sender, begun.answer, undefined, { messageTime }));
    expect(refusalIn(late)?.failInfo).toEqual(['certRevoked']);
  });

  test('counts up to the last moment', async () => {
    const begun = await begin();
    clock.advance(3_600_000);
    expect((await exchange(ca, await makeConfirmation(begun.sender, begun.answer))).body.type).toBe('pkiConf');
    clock.advance(dayMs);
    expect(await statusOf(begun)).toBe('confirmed');
  });

  test('with a new transaction and key goes well after a withdrawal', async () => {
    const { sender } = await begin();
    clock.advance(dayMs);
    const answer = await exchange(ca, await makeRequest(sender, await makeCsr(sender)));
    expect((await exchange(ca, await makeConfirmation(sender, answer))).body.type).toBe('pkiConf');
  });

  test('makes the new certificate one to renew with', async () => {
    const sender = await holder();
    const key = await generateKey('sm2');
    const answer = await exchange(ca, await makeRequest(sender, await makeCsr(sender, { key })));
    await exchange(ca, await makeConfirmation(sender, answer));
    clock.advance(340 * dayMs);

    const renewed = { certificate: parseCertificate(issuedCertificate(answer)), key };
    const next = await exchange(ca, await makeRequest(renewed, await makeCsr(renewed)));

    expect(parseCertificate(issuedCertificate(next)).notAfter.getTime()).toBe(
      renewed.certificate.notAfter.getTime() + 365 * dayMs,
    );
  });
});

test('a holder who asks for implicit confirmation has to confirm all the same', async () => {
  const sender = await holder();
  const answer = await exchange(ca, await makeRequest(sender, await makeCsr(sender), { implicitConfirm: true }));
  expect(answer.header.implicitConfirm).toBe(false);
  expect(ca.ledger.certificate(issuedCertificate(answer))?.status).toBe('unconfirmed');
});

describe('waiting', () => {
  const checkAfter = ({ body }: PkiMessage): number | undefined =>
    body.type === 'pollRep' ? body.replies[0]?.checkAfterSeconds : undefined;
  const isWaiting = ({ body }: PkiMessage): boolean =>
    body.type === 'cp' && body.responses[0]?.status.status === 'waiting';

  test('is polled twice before it is granted', async () => {
    const begun = await begin({ waits: true });
    expect(isWaiting(begun.answer)).toBe(true);
    expect(await ca.responder.enrolment(toHex(begun.transactionId))).toEqual({
      status: 'pending',
      message: begun.answer.der,
      checkAfterSeconds: 1,
    });

    const first = await exchange(ca, await makePoll(begun.sender, begun.answer));
    const second = await exchange(ca, await makePoll(begun.sender, first));
    const third = await exchange(ca, await makePoll(begun.sender, second));
    const confirmed = await exchange(ca, await makeConfirmation(begun.sender, third));

    expect([checkAfter(first), checkAfter(second)]).toEqual([1, 1]);
    expect(parseCertificate(issuedCertificate(third)).keyAlgorithm).toBe('sm2');
    expect(confirmed.body.type).toBe('pkiConf');
  });

  test('goes on when an answer to a poll is lost', async () => {
    const begun = await begin({ waits: true });
    const poll = await makePoll(begun.sender, begun.answer);
    const first = await exchange(ca, poll);
    expect((await exchange(ca, poll)).der).toEqual(first.der);

    await exchange(ca, await makePoll(begun.sender, begun.answer));
    const lost = await exchange(ca, await makePoll(begun.sender, begun.answer));
    const issued = await exchange(ca, await makePoll(begun.sender, begun.answer));

    expect(issuedCertificate(issued)).toEqual(issuedCertificate(lost));
    expect(issued.der).not.toEqual(lost.der);
  });

  test('with the request again is still waiting, and granted later all the same', async () => {
    const begun = await begin({ waits: true });
    expect((await exchange(ca, begun.request)).der).toEqual(begun.answer.der);
    let answer = begun.answer;
    for (let i = 0; i < 3; i++) answer = await exchange(ca, await makePoll(begun.sender, answer));
    expect(issuedCertificate(await exchange(ca, begun.request))).toEqual(issuedCertificate(answer));
  });

  test('does not count as taken: no certificate to confirm, none in the ledger', async () => {
    const begun = await begin({ waits: true });
    clock.advance(10 * dayMs);
    expect(await statusOf(begun)).toBe('pending');
  });

  test('may be set to another number of polls', async () => {
    await openWith({ waitingPolls: 0, checkAfterSeconds: 30 });
    const begun = await begin({ waits: true });
    issuedCertificate(await exchange(ca, await makePoll(begun.sender, begun.answer)));
    expect(await statusOf(begun)).toBe('issued');
  });
});

describe('lookup', () => {
  test('of a transaction never begun says unknown', async () => {
    expect(await ca.responder.enrolment(toHex(random(16)))).toEqual({ status: 'unknown' });
  });

  test('gives the issuing message, by transactionID and by public key', async () => {
    const begun = await begin();
    const { spki } = parseCertificate(issuedCertificate(begun.answer));
    const expected = { status: 'issued', message: begun.answer.der };
    expect(await ca.responder.enrolment(toHex(begun.transactionId))).toEqual(expected);
    expect(await ca.responder.enrolment(fingerprint(spki))).toEqual(expected);
  });

  test('gives the issuing message of a confirmed certificate', async () => {
    const begun = await begin();
    await exchange(ca, await makeConfirmation(begun.sender, begun.answer));
    const { status, message } = await ca.responder.enrolment(toHex(begun.transactionId));
    expect(status).toBe('confirmed');
    expect(issuedCertificate(parseMessage(message ?? random(1)))).toEqual(issuedCertificate(begun.answer));
  });

  test('gives the refusal of a request that was refused', async () => {
    const begun = await begin({ refuses: true });
    expect(await ca.responder.enrolment(toHex(begun.transactionId))).toEqual({
      status: 'withdrawn',
      message: begun.answer.der,
    });
  });

  test('knows nothing of a message that was not authentic', async () => {
    const sender = await holder();
    const transactionId = random(16);
    await exchange(
      ca,
      await makeRequest(sender, await makeCsr(sender), { transactionId, key: await generateKey('sm2') }),
    );
    expect(await ca.responder.enrolment(toHex(transactionId))).toEqual({ status: 'unknown' });
    const good = await makeRequest(sender, await makeCsr(sender), { transactionId });
    issuedCertificate(await exchange(ca, good));
  });
});

describe('a refusal', () => {
  test('is authentic and says why, for a person too', async () => {
    const { answer } = await begin({ refuses: true });
    expect(refusalIn(answer)).toEqual({ in: 'cp', failInfo: ['notAuthorized'] });
    const text = answer.body.type === 'cp' ? answer.body.responses[0]?.status.text : undefined;
    expect(text).toEqual([expect.stringContaining('USBKEY')]);
  });

  test('of a message ends no transaction: corrected, it is taken', async () => {
    const sender = await holder();
    const csr = await makeCsr(sender);
    const transactionId = random(16);
    const old = new Date(clock.now().getTime() - 2 * dayMs);
    const refused = await exchange(ca, await makeRequest(sender, csr, { transactionId, messageTime: old }));
    expect(refusalIn(refused)?.failInfo).toEqual(['badTime']);
    issuedCertificate(await exchange(ca, await makeRequest(sender, csr, { transactionId, messageTime: clock.now() })));
  });
});

describe('the old certificate', () => {
  test.each([
    ['never', ['valid', 'valid']],
    ['onConfirm', ['valid', 'revoked']],
    ['onIssue', ['revoked', 'revoked']],
  ] as const)('is revoked: %s', async (revokeOld, expected) => {
    await openWith({ revokeOld });
    const begun = await begin();
    const afterIssue = ca.ledger.certificate(begun.sender.certificate.der)?.status;

    const confirmed = await exchange(ca, await makeConfirmation(begun.sender, begun.answer));

    expect(confirmed.body.type).toBe('pkiConf');
    expect([afterIssue, ca.ledger.certificate(begun.sender.certificate.der)?.status]).toEqual(expected);
  });

  test('once replaced signs nothing but the transaction that replaced it', async () => {
    await openWith({ revokeOld: 'onIssue' });
    const begun = await begin();
    issuedCertificate(await exchange(ca, begun.request));
    const another = await makeRequest(begun.sender, await makeCsr(begun.sender));
    expect(refusalIn(await exchange(ca, another))).toEqual({ in: 'error', failInfo: ['certRevoked'] });
  });
});

describe('addressing', () => {
  test.each([
    ['the empty name', (): Uint8Array => Uint8Array.of(0x30, 0)],
    ['a root', (): Uint8Array => parseCertificate(ca.hierarchy.sm2.root).subject.der],
    ['another of our authorities', (): Uint8Array => ca.hierarchy.p256.issuing.subject],
  ])('%s reaches us', async (_what, recipient) => {
    const sender = await holder();
    issuedCertificate(await exchange(ca, await makeRequest(sender, await makeCsr(sender), { recipient: recipient() })));
  });
});

describe('on the disk', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'reference-ca-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const restart = async (): Promise<void> => {
    await ca.close();
    ca = await openReferenceCa({ now: clock.now, directory });
  };

  test('nothing is lost by a restart at any point', async () => {
    ca = await openReferenceCa({ now: clock.now, directory });
    const roots = ca.hierarchy.sm2.root;
    const begun = await begin({ waits: true });
    await restart();
    expect(ca.hierarchy.sm2.root).toEqual(roots);
    expect((await exchange(ca, begun.request)).der).toEqual(begun.answer.der);

    let answer = begun.answer;
    for (let i = 0; i < 3; i++) {
      answer = await exchange(ca, await makePoll(begun.sender, answer));
      await restart();
    }
    const certificate = issuedCertificate(answer);
    expect((await ca.responder.enrolment(toHex(begun.transactionId))).message).toEqual(answer.der);

    const confirmation = await makeConfirmation(begun.sender, answer);
    const confirmed = await exchange(ca, confirmation);
    await restart();
    expect((await exchange(ca, confirmation)).der).toEqual(confirmed.der);
    expect(ca.ledger.certificate(certificate)?.status).toBe('valid');
    expect(await statusOf(begun)).toBe('confirmed');
  });

  test('a nonce seen before the restart is known after it, and so is a time that ran out meanwhile', async () => {
    ca = await openReferenceCa({ now: clock.now, directory });
    const begun = await begin();
    await restart();
    clock.advance(dayMs);
    expect(await statusOf(begun)).toBe('withdrawn');
    const { senderNonce } = parseMessage(begun.request).header;
    const other = await holder();
    const reused = await exchange(ca, await makeRequest(other, await makeCsr(other), { senderNonce }));
    expect(refusalIn(reused)?.failInfo).toEqual(['badSenderNonce']);
  });
});
