import * as oracle from 'sm-crypto-v2';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCfcaRequest } from '../../../src/ca/cfca-request.ts';
import { readSpki } from '../../../src/pki/algorithms.ts';
import { fromBase64, toBase64, toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { decodeEnvelopedKey } from '../../../src/pki/enveloped-key.ts';
import { sm2Decrypt, sm2GenerateKeyPair, sm2PublicKey } from '../../../src/pki/sm2.ts';
import { sm4EcbDecrypt } from '../../../src/pki/sm4.ts';
import { openHierarchy, type Hierarchy } from '../../reference-ca/hierarchy.ts';
import { generateKey, type SoftwareKey } from '../../reference-ca/keys.ts';
import type { Policy } from '../../reference-ca/policy.ts';
import { openReferenceCa } from '../../reference-ca/reference-ca.ts';
import { sampleTaxpayer, taxpayerSubject } from '../../reference-ca/subject.ts';
import cfca from '../../vectors/cfca.json' with { type: 'json' };
import {
  dayMs,
  makeCsr,
  makeHolder,
  makeRequest,
  newKeyType,
  random,
  refusalIn,
  exchange,
  TestClock,
  type Holder,
  type HolderParameters,
} from './holder.ts';
import {
  freshId,
  makeSigned,
  refusalOf,
  RestOffice,
  spkiOf,
  statusOf,
  type RestChanges,
  type RestReply,
  type Sent,
} from './rest-holder.ts';

let hierarchy: Hierarchy;
let clock: TestClock;
let office: RestOffice;
beforeAll(async () => {
  hierarchy = await openHierarchy(undefined);
});
beforeEach(async () => {
  clock = new TestClock();
  await openWith({});
});
afterEach(() => office.close());

async function openWith(policy: Partial<Policy>): Promise<void> {
  const ca = await openReferenceCa({
    now: clock.now,
    hierarchy,
    policy: { encryptionCertificate: 'always', ...policy },
  });
  office = await RestOffice.open(ca, clock.now);
}
async function reopenWith(policy: Partial<Policy>): Promise<void> {
  await office.close();
  await openWith(policy);
}

const holderOf = (parameters?: HolderParameters): Promise<Holder> => makeHolder(office.ca, clock.now(), parameters);
const idOf = ({ document }: Sent): string => String(document['transactionId']);
const issuedEntries = (): number =>
  office.ca.ledger.certificatesOf('sm2').filter(({ transactionId }) => transactionId).length;

/** A holder whose new signing key was certified, not confirmed yet. */
async function signingCertified(
  parameters?: HolderParameters,
): Promise<{ readonly holder: Holder; readonly key: SoftwareKey; readonly sent: Sent; readonly signing: RestReply }> {
  const holder = await holderOf(parameters);
  const key = await generateKey('sm2');
  const sent = await office.enrolment(holder, { key });
  return { holder, key, sent, signing: await office.send(sent) };
}

describe.each(['sm2', 'p256', 'rsa', 'oldRsa'] as const)('a holder under %s', (authority) => {
  test('is issued a certificate, confirms it twice, and finds it by asking', async () => {
    const holder = await holderOf({ authority });
    const key = await generateKey(newKeyType(holder));
    const sent = await office.enrolment(holder, { key });
    const before = await office.state(idOf(sent));

    const answer = await office.send(sent);
    const between = await office.state(idOf(sent));
    const confirmation = await office.confirmation(holder, answer, true);
    const confirmed = await office.send(confirmation);
    const again = await office.send(confirmation);
    const after = await office.state(idOf(sent));

    expect([before, answer, between, confirmed, again, after].map(statusOf)).toEqual([
      ...['unknown', 'issued', 'issued', 'confirmed', 'confirmed', 'confirmed'],
    ]);
    expect([before, answer, confirmed, after].map(({ http }) => http)).toEqual([200, 200, 200, 200]);
    const issuing = office.ca.hierarchy[authority === 'oldRsa' ? 'sm2' : authority].issuing.certificate;
    expect(spkiOf(answer.der('certificate'))).toBe(toHex(key.spki));
    expect(answer.document['chain']).toEqual([toBase64(issuing)]);
    expect(answer.document['confirmBy']).toBe('2026-11-22T03:00:00.000Z');
    expect(after.der('certificate')).toEqual(answer.der('certificate'));
    expect(after.document).not.toHaveProperty('confirmBy');
    expect(office.ca.ledger.certificate(answer.der('certificate'))?.status).toBe('valid');
  });
});

test('CFCA’s request is certified under the name as it writes it, in BMPStrings', async () => {
  const holder = await holderOf();
  const key = await generateKey('sm2');
  const { der } = await createCfcaRequest({ subject: holder.certificate.subject.der, ...key });
  const answer = await office.send(await office.enrolment(holder, { csr: der, form: 'cfca' }));
  const { subject } = parseCertificate(answer.der('certificate'));
  const values = (name: typeof subject): unknown => name.attributes.map(({ type, value }) => [type, value]);
  expect(spkiOf(answer.der('certificate'))).toBe(toHex(key.spki));
  expect(values(subject)).toEqual(values(holder.certificate.subject));
  // An attribute's value 91120100MA…: each letter in two bytes.
  expect(toHex(subject.der)).toContain(toHex(Buffer.from('91120100MA', 'utf16le').swap16()));
  expect(subject.der).not.toEqual(holder.certificate.subject.der);
});

describe('the same bytes again', () => {
  test('get the same certificate, before and after it is confirmed', async () => {
    const { holder, sent, signing } = await signingCertified();
    const again = await office.send(sent);
    await office.send(await office.confirmation(holder, signing, true));
    clock.advance(2 * dayMs);
    const late = await office.send(sent);
    expect([again, late].map(statusOf)).toEqual(['issued', 'issued']);
    for (const answer of [again, late]) expect(answer.der('certificate')).toEqual(signing.der('certificate'));
    expect(issuedEntries()).toBe(1);
  });

  test('are not answered where the policy answers no repeats', async () => {
    await reopenWith({ onRepeat: 'transactionIdInUse' });
    const { sent } = await signingCertified();
    expect(refusalOf(await office.send(sent))).toEqual(['transactionIdInUse']);
    expect(statusOf(await office.state(idOf(sent)))).toBe('issued');
  });

  test('are refused as before, and asking says why', async () => {
    const sent = await office.enrolment(await holderOf({ refuses: true }));
    const answers = [await office.send(sent), await office.send(sent), await office.state(idOf(sent))];
    expect(answers.map(refusalOf)).toEqual([['notAuthorized'], ['notAuthorized'], ['notAuthorized']]);
    expect(answers.map(({ http }) => http)).toEqual([403, 403, 200]);
    expect(answers.map(({ document }) => document['text'])).toEqual(
      Array.from(answers, (): unknown => [expect.stringContaining('USBKEY')]),
    );
  });

  test('are in use once the certificate was withdrawn', async () => {
    const { holder, sent, signing } = await signingCertified();
    await office.send(await office.confirmation(holder, signing, false));
    expect(refusalOf(await office.send(sent))).toEqual(['transactionIdInUse']);
  });
});

test('a transactionId that is known takes no other request, and none of another protocol', async () => {
  const { holder, sent } = await signingCertified();
  const transactionId = idOf(sent);
  const other = await office.send(await office.enrolment(holder, {}, { document: { transactionId } }));
  const inCmp = await makeRequest(holder, await makeCsr(holder), { transactionId: Buffer.from(transactionId, 'hex') });
  const cmpHolder = await holderOf();
  const cmpId = random(16);
  await exchange(office.ca, await makeRequest(cmpHolder, await makeCsr(cmpHolder), { transactionId: cmpId }));
  const fromCmp = await office.enrolment(cmpHolder, {}, { document: { transactionId: toHex(cmpId) } });

  expect(refusalOf(other)).toEqual(['transactionIdInUse']);
  expect(refusalIn(await exchange(office.ca, inCmp))?.failInfo).toEqual(['transactionIdInUse']);
  expect(refusalOf(await office.send(fromCmp))).toEqual(['transactionIdInUse']);
  const asked = await fetch(`${office.url}/enrolments/${toHex(cmpId)}?nonce=${freshId()}`);
  const askedInCmp = await fetch(new URL(`/api/enrolments/${transactionId}`, office.url));
  expect([asked.status, askedInCmp.status]).toEqual([409, 409]);
});

test('a key gets one certificate, whichever the transaction and the protocol', async () => {
  const { holder, key } = await signingCertified();
  const again = await office.send(await office.enrolment(holder, { key }));
  const inCmp = await exchange(office.ca, await makeRequest(holder, await makeCsr(holder, { key })));
  expect(refusalOf(again)).toEqual(['duplicateCertReq']);
  expect(refusalIn(inCmp)?.failInfo).toEqual(['duplicateCertReq']);
});

describe('waiting', () => {
  test('ends after as many questions as the policy says, and asking makes no second certificate', async () => {
    const { holder, sent, signing } = await signingCertified({ waits: true });
    const asked: RestReply[] = [];
    for (let i = 0; i < 4; i++) asked.push(await office.state(idOf(sent)));
    const again = await office.send(sent);

    expect(signing).toMatchObject({ http: 202, document: { status: 'waiting', checkAfterSeconds: 1 } });
    expect(asked.map(statusOf)).toEqual(['waiting', 'waiting', 'issued', 'issued']);
    expect(asked[0]?.http).toBe(202);
    expect(statusOf(again)).toBe('issued');
    expect(issuedEntries()).toBe(1);
    expect(statusOf(await office.send(await office.confirmation(holder, again, true)))).toBe('confirmed');
  });

  test('is refused in the end when the old certificate was revoked meanwhile', async () => {
    const { holder, sent } = await signingCertified({ waits: true });
    await office.ca.revoke(holder.certificate.der, 'keyCompromise');
    const asked: RestReply[] = [];
    for (let i = 0; i < 3; i++) asked.push(await office.state(idOf(sent)));
    expect(asked.map(statusOf)).toEqual(['waiting', 'waiting', 'refused']);
    expect(asked.map(refusalOf)[2]).toEqual(['certRevoked']);
    expect(issuedEntries()).toBe(0);
  });

  test('cannot be confirmed', async () => {
    const { holder, sent } = await signingCertified({ waits: true });
    const document = { certificate: toBase64(holder.certificate.der), transactionId: idOf(sent) };
    const confirmation = await office.confirmation(holder, { http: 200, document, der: fromBase64 }, true);
    expect(refusalOf(await office.send(confirmation))).toEqual(['badRequest']);
  });
});

describe('confirmation', () => {
  test('that is not wanted withdraws the certificate, and stays so', async () => {
    const { holder, sent, signing } = await signingCertified();
    const refuses = await office.confirmation(holder, signing, false);
    const answers = [await office.send(refuses), await office.send(refuses), await office.state(idOf(sent))];
    const late = await office.send(await office.confirmation(holder, signing, true));
    expect(answers.map(statusOf)).toEqual(['withdrawn', 'withdrawn', 'withdrawn']);
    expect(refusalOf(late)).toEqual(['certRevoked']);
    expect(office.ca.ledger.certificate(signing.der('certificate'))?.status).toBe('revoked');
  });

  test('cannot be taken back', async () => {
    const { holder, signing } = await signingCertified();
    await office.send(await office.confirmation(holder, signing, true));
    expect(refusalOf(await office.send(await office.confirmation(holder, signing, false)))).toEqual(['certConfirmed']);
  });

  test('comes in time or not at all', async () => {
    const { holder, sent, signing } = await signingCertified();
    const confirmation = await office.confirmation(holder, signing, true);
    clock.advance(3_600_001);
    expect(statusOf(await office.state(idOf(sent)))).toBe('withdrawn');
    expect(refusalOf(await office.send(confirmation))).toEqual(['certRevoked']);
  });

  test.each([
    ['of another hash', { document: { certHash: '00'.repeat(32) } }, ['incorrectData']],
    ['of a hash that is none', { document: { certHash: 'xyz' } }, ['badDataFormat']],
    ['of nothing known', 'unknown', ['badRequest']],
    ['by somebody else', 'stranger', ['notAuthorized']],
  ] as const)('%s is refused, and the certificate still waits for it', async (_what, how, failInfo) => {
    const { holder, sent, signing } = await signingCertified();
    const by = how === 'stranger' ? await holderOf() : holder;
    const unknown = freshId();
    const changes: RestChanges =
      how === 'unknown'
        ? { document: { transactionId: unknown }, path: `/enrolments/${unknown}/confirmation` }
        : typeof how === 'string'
          ? {}
          : how;
    const answer = await office.send(await office.confirmation(by, signing, true, changes));
    expect(refusalOf(answer)).toEqual(failInfo);
    expect(statusOf(await office.state(idOf(sent)))).toBe('issued');
  });
});

describe('the old certificate', () => {
  test.each(['onIssue', 'onConfirm', 'never'] as const)(
    'is superseded %s, and ends what it began',
    async (revokeOld) => {
      await reopenWith({ revokeOld });
      const { holder, key, sent, signing } = await signingCertified();
      const status = (): unknown => office.ca.ledger.certificate(holder.certificate.der)?.status;
      const afterIssue = status();
      const encryption = await office.send(await office.encryption(holder, sent, key));
      const confirmed = await office.send(await office.confirmation(holder, signing, true));
      const afterConfirmation = status();
      const anew = await office.send(await office.enrolment(holder));

      expect([encryption, confirmed].map(statusOf)).toEqual(['issued', 'confirmed']);
      expect([afterIssue, afterConfirmation]).toEqual(
        {
          onIssue: ['revoked', 'revoked'],
          onConfirm: ['valid', 'revoked'],
          never: ['valid', 'valid'],
        }[revokeOld],
      );
      if (revokeOld !== 'never') expect(refusalOf(anew)).toEqual(['certRevoked']);
    },
  );

  test.each([
    ['has expired, and is accepted', {}, 'issued', undefined],
    ['has expired, and is refused', { acceptsExpiredSigner: false }, 'refused', ['signerNotTrusted']],
    ['has expired too long ago', { maxExpiredDays: 10 }, 'refused', ['signerNotTrusted']],
  ] as const)('%s', async (_what, policy, status, failInfo) => {
    await reopenWith(policy);
    const answer = await office.send(await office.enrolment(await holderOf({ endsInDays: -12 })));
    expect(statusOf(answer)).toBe(status);
    expect(refusalOf(answer)).toEqual(failInfo);
  });

  test.each([
    ['not of this authority', { authority: 'foreign', registered: false }, ['signerNotTrusted']],
    ['not in the ledger', { registered: false }, ['badCertId']],
    ['for encryption', { profile: 'encryption' }, ['signerNotTrusted']],
    ['not due', { endsInDays: 200 }, ['notAuthorized']],
  ] as const)('is %s: refused', async (_what, parameters, failInfo) => {
    const answer = await office.send(await office.enrolment(await holderOf(parameters)));
    expect(refusalOf(answer)).toEqual(failInfo);
  });
});

describe('what is signed', () => {
  const json = (body: Readonly<Record<string, unknown>>, change: Readonly<Record<string, unknown>>) => ({
    ...body,
    ...change,
  });
  test.each<[string, (holder: Holder) => Promise<RestChanges> | RestChanges, readonly string[]]>([
    ['by another key', async () => ({ key: await generateKey('sm2') }), ['badMessageCheck']],
    ['as an answer', () => ({ line: 'rest-enrolment/1 answer\n' }), ['badMessageCheck']],
    ['without its line', () => ({ line: '' }), ['badMessageCheck']],
    [
      'and then changed',
      () => ({ body: (body) => json(body, { document: reencoded(body['document']) }) }),
      ['badMessageCheck'],
    ],
    [
      'under a certificate that is none',
      () => ({ body: (body) => json(body, { certificate: 'MAA=' }) }),
      ['signerNotTrusted'],
    ],
    ['in another version', () => ({ document: { version: 2 } }), ['unsupportedVersion']],
    ['at a time of another form', () => ({ document: { time: '2026-11-22 02:00' } }), ['badDataFormat']],
    ['at a time that is none', () => ({ document: { time: '2026-02-30T00:00:00.000Z' } }), ['badDataFormat']],
    [
      'two days ago',
      () => ({ document: { time: new Date(clock.now().getTime() - 2 * dayMs).toISOString() } }),
      ['badTime'],
    ],
    ['for another form', () => ({ document: { form: 'crmf' } }), ['badDataFormat']],
    ['with no request', () => ({ document: { csr: 'MAA=' } }), ['badDataFormat']],
    ['without Idempotency-Key', () => ({ idempotencyKey: undefined }), ['badRequest']],
    ['with another Idempotency-Key', () => ({ idempotencyKey: freshId() }), ['badRequest']],
    ['for another address', () => ({ path: `/enrolments/${freshId()}/confirmation` }), ['badRequest']],
  ])('%s is refused, and nothing is issued', async (_what, change, failInfo) => {
    const holder = await holderOf();
    const answer = await office.send(await office.enrolment(holder, {}, await change(holder)));
    expect(refusalOf(answer)).toEqual(failInfo);
    expect(answer.http).toBe(403);
    expect(issuedEntries()).toBe(0);
  });

  test.each<[string, (holder: Holder) => Promise<Uint8Array>, 'pkcs10' | 'cfca', readonly string[]]>([
    [
      'under another name',
      (holder) => makeCsr(holder, { subject: taxpayerSubject(sampleTaxpayer(), 'current') }),
      'pkcs10',
      ['badCertTemplate'],
    ],
    ['for a key of another kind', (holder) => makeCsr(holder, { type: 'p256' }), 'pkcs10', ['badAlg']],
    ['for the old key', (holder) => makeCsr(holder, { key: holder.key }), 'pkcs10', ['badCertTemplate']],
    ['not signed by the new key', (holder) => withoutProof(holder), 'pkcs10', ['badPOP']],
    ['in CFCA’s form, not signed by the new key', (holder) => cfcaWithoutProof(holder), 'cfca', ['badPOP']],
    ['PKCS #10, called CFCA’s', (holder) => makeCsr(holder), 'cfca', ['badDataFormat']],
  ])('a request %s is refused', async (_what, make, form, failInfo) => {
    const holder = await holderOf();
    const sent = await office.enrolment(holder, { csr: await make(holder), form });
    expect(refusalOf(await office.send(sent))).toEqual(failInfo);
    expect(issuedEntries()).toBe(0);
  });

  async function withoutProof(holder: Holder): Promise<Bytes> {
    const [key, other] = [await generateKey('sm2'), await generateKey('sm2')];
    return makeCsr(holder, { key: { ...key, sign: other.sign } });
  }
  async function cfcaWithoutProof(holder: Holder): Promise<Bytes> {
    const [{ spki }, { sign }] = [await generateKey('sm2'), await generateKey('sm2')];
    return (await createCfcaRequest({ subject: holder.certificate.subject.der, spki, sign })).der;
  }
});

const reencoded = (document: unknown): string =>
  toBase64(new TextEncoder().encode(`${new TextDecoder().decode(fromBase64(String(document)))} `));

describe('an encryption certificate', () => {
  /** d as the holder's USBKEY would unwrap it from an envelope. */
  function unwrapped(answer: RestReply, { privateKey }: SoftwareKey): Bytes {
    const { wrappedKey, encryptedPrivateKey } = decodeEnvelopedKey(answer.der('envelopedKey'));
    return sm4EcbDecrypt(sm2Decrypt(wrappedKey, privateKey), encryptedPrivateKey).slice(-32);
  }
  const publicKeyIn = (answer: RestReply): string =>
    toHex(readSpki(parseCertificate(answer.der('certificate')).spki).publicKey);

  test.each(['sm2', 'oldRsa'] as const)(
    'comes with its key, wrapped for the new signing key, under %s',
    async (authority) => {
      const { holder, key, sent, signing } = await signingCertified({ authority });
      const request = await office.encryption(holder, sent, key);

      const answer = await office.send(request);
      const again = await office.send(request);
      const confirmed = await office.send(await office.confirmation(holder, signing, true));
      const after = await office.state(idOf(request));

      const [certificate, beside] = [answer, signing].map((reply) => parseCertificate(reply.der('certificate')));
      expect([...(certificate?.keyUsage ?? [])]).toEqual(['keyEncipherment', 'dataEncipherment']);
      expect(certificate?.subject.der).toEqual(beside?.subject.der);
      expect([certificate?.notBefore, certificate?.notAfter]).toEqual([beside?.notBefore, beside?.notAfter]);
      expect(toHex(sm2PublicKey(unwrapped(answer, key)))).toBe(publicKeyIn(answer));
      expect(again.document['envelopedKey']).toBe(answer.document['envelopedKey']);
      expect([answer, confirmed, after].map(statusOf)).toEqual(['issued', 'confirmed', 'confirmed']);
      expect(answer.document['confirmBy']).toBe(signing.document['confirmBy']);
      expect(after.document['envelopedKey']).toBe(answer.document['envelopedKey']);
      expect(office.ca.ledger.certificate(answer.der('certificate'))).toMatchObject({
        status: 'valid',
        usage: 'encryption',
      });
    },
  );

  test('comes in CFCA’s form for a temporary key, as another implementation opens it', async () => {
    const { holder, key, sent } = await signingCertified();
    const temporary = sm2GenerateKeyPair();
    const answer = await office.send(await office.encryption(holder, sent, key, temporary.publicKey));
    const blob = String(answer.document['escrowedKey']);
    const opened = openedByOracle(blob, toHex(temporary.privateKey));
    // The published sample, opened the same way, says the same of its own key.
    const sample = openedByOracle(cfca.escrow.blob, cfca.escrow.temporaryPrivateKey);

    expect(blob.length).toBe(cfca.escrow.blob.length);
    expect(blob.slice(0, 80)).toBe(cfca.escrow.blob.slice(0, 80));
    expect(sample.privateKey).toBe(cfca.escrow.privateKey);
    expect(`04${opened.publicKey}`).toBe(publicKeyIn(answer));
    expect(oracle.sm2.getPublicKeyFromPrivateKey(opened.privateKey)).toBe(publicKeyIn(answer));
    expect(answer.document).not.toHaveProperty('envelopedKey');
  });

  /** C1 ‖ C3 ‖ C2 behind 80 digits, in SEQUENCE { 1, OCTET STRING }. */
  function openedByOracle(
    blob: string,
    privateKey: string,
  ): { readonly publicKey: string; readonly privateKey: string } {
    const der = Buffer.from(blob.slice(80), 'base64').toString('hex');
    const cipher = der.slice(-2 * 192);
    expect(der.slice(0, -2 * 192)).toBe('3081c60201010481c0');
    const bytes = oracle.sm2.doDecrypt(cipher, privateKey, 1, { output: 'array' });
    const hex = toHex(Uint8Array.from(bytes));
    return { publicKey: hex.slice(0, 128), privateKey: hex.slice(128) };
  }

  test('is delivered again to another transaction: the same key pair, encrypted anew', async () => {
    const { holder, key, sent, signing } = await signingCertified();
    const [first, second] = [sm2GenerateKeyPair(), sm2GenerateKeyPair()];
    const answers = [
      await office.send(await office.encryption(holder, sent, key, first.publicKey)),
      await office.send(await office.encryption(holder, sent, key, second.publicKey)),
    ];
    await office.send(await office.confirmation(holder, signing, true));
    const after = await office.send(await office.encryption(holder, sent, key));

    for (const answer of [...answers, after]) expect(answer.der('certificate')).toEqual(answers[0]?.der('certificate'));
    const keys = answers.map((answer, i) =>
      openedByOracle(String(answer.document['escrowedKey']), toHex([first, second][i]?.privateKey ?? random(32))),
    );
    expect(keys[1]).toEqual(keys[0]);
    expect(toHex(unwrapped(after, key))).toBe(keys[0]?.privateKey);
    expect(answers[0]?.document['escrowedKey']).not.toBe(answers[1]?.document['escrowedKey']);
    expect(after.document).not.toHaveProperty('confirmBy');
    expect(office.ca.ledger.certificate(after.der('certificate'))?.status).toBe('valid');
    expect(office.ca.ledger.certificatesOf('sm2').filter(({ usage }) => usage === 'encryption')).toHaveLength(1);
  });

  test('whose delivery is not wanted is delivered again to the next', async () => {
    const { holder, key, sent, signing } = await signingCertified();
    const request = await office.encryption(holder, sent, key);
    const first = await office.send(request);
    const refused = await office.send(await office.confirmation(holder, first, false));
    const again = await office.send(request);
    const next = await office.send(await office.encryption(holder, sent, key));
    const confirmed = await office.send(await office.confirmation(holder, signing, true));

    expect([refused, next, confirmed].map(statusOf)).toEqual(['withdrawn', 'issued', 'confirmed']);
    expect(refusalOf(again)).toEqual(['transactionIdInUse']);
    expect(next.der('certificate')).toEqual(first.der('certificate'));
    expect(statusOf(await office.state(idOf(request)))).toBe('withdrawn');
    expect(office.ca.ledger.certificate(next.der('certificate'))?.status).toBe('valid');
  });

  test.each([
    ['is not wanted', false],
    ['is never confirmed', undefined],
  ] as const)('goes with the signing certificate that %s, delivered or not', async (_what, accepted) => {
    const { holder, key, sent, signing } = await signingCertified();
    const first = await office.send(await office.encryption(holder, sent, key));
    await office.send(await office.confirmation(holder, first, false));
    const request = await office.encryption(holder, sent, key);
    await office.send(request);
    if (accepted === undefined) clock.advance(3_600_001);
    else await office.send(await office.confirmation(holder, signing, accepted));
    expect(statusOf(await office.state(idOf(request)))).toBe('withdrawn');
    expect(office.ca.ledger.certificate(first.der('certificate'))?.status).toBe('revoked');
    expect(refusalOf(await office.send(await office.encryption(holder, sent, key)))).toEqual(['badCertId']);
  });

  test('is not confirmed by itself', async () => {
    const { holder, key, sent } = await signingCertified();
    const answer = await office.send(await office.encryption(holder, sent, key));
    expect(refusalOf(await office.send(await office.confirmation(holder, answer, true)))).toEqual(['badRequest']);
  });

  test('is waited for like the signing certificate', async () => {
    const { holder, key, sent } = await signingCertified({ waits: true });
    const early = await office.send(await office.encryption(holder, sent, key));
    for (let i = 0; i < 3; i++) await office.state(idOf(sent));
    const request = await office.encryption(holder, sent, key);
    const answers = [await office.send(request)];
    for (let i = 0; i < 3; i++) answers.push(await office.state(idOf(request)));
    const last = answers[3];
    if (!last) throw new Error('no answer');

    expect(refusalOf(early)).toEqual(['badCertId']);
    expect(answers.map(statusOf)).toEqual(['waiting', 'waiting', 'waiting', 'issued']);
    expect(toHex(sm2PublicKey(unwrapped(last, key)))).toBe(publicKeyIn(last));
  });

  test.each<
    [string, Partial<Policy>, (given: Awaited<ReturnType<typeof signingCertified>>) => Promise<Sent>, readonly string[]]
  >([
    ['by somebody else', {}, async ({ sent, key }) => office.encryption(await holderOf(), sent, key), ['badCertId']],
    [
      'for a transaction nobody knows',
      {},
      async ({ holder, sent, key }) => {
        const of = freshId();
        return office.encryption(holder, sent, key, undefined, {
          document: { of },
          path: `/enrolments/${of}/encryption`,
        });
      },
      ['badCertId'],
    ],
    [
      'for a transaction other than the address names',
      {},
      ({ holder, sent, key }) =>
        office.encryption(holder, sent, key, undefined, { path: `/enrolments/${freshId()}/encryption` }),
      ['badRequest'],
    ],
    [
      'for another key',
      {},
      async ({ holder, sent }) => office.encryption(holder, sent, await generateKey('sm2')),
      ['badCertTemplate'],
    ],
    [
      'for a temporary key off the curve',
      {},
      ({ holder, sent, key }) => office.encryption(holder, sent, key, Uint8Array.from([4, ...random(64)])),
      ['badDataFormat'],
    ],
    [
      'for a temporary key of another length',
      {},
      ({ holder, sent, key }) => office.encryption(holder, sent, key, random(64)),
      ['badDataFormat'],
    ],
    [
      'where the policy gives none',
      { encryptionCertificate: 'none' },
      ({ holder, sent, key }) => office.encryption(holder, sent, key),
      ['notAuthorized'],
    ],
    [
      'where the old key has none',
      { encryptionCertificate: 'ifOldHas' },
      ({ holder, sent, key }) => office.encryption(holder, sent, key),
      ['notAuthorized'],
    ],
  ])('is refused: %s', async (_what, policy, make, failInfo) => {
    await reopenWith(policy);
    const given = await signingCertified();
    const answer = await office.send(await make(given));
    expect(refusalOf(answer)).toEqual(failInfo);
    expect(statusOf(await office.state(idOf(given.sent)))).toBe('issued');
  });

  test('is not made for a P-256 key', async () => {
    const holder = await holderOf({ authority: 'p256' });
    const key = await generateKey('p256');
    const sent = await office.enrolment(holder, { key });
    await office.send(sent);
    expect(refusalOf(await office.send(await office.encryption(holder, sent, key)))).toEqual(['badAlg']);
  });
});

describe('over HTTP', () => {
  const post = (path: string, body: BodyInit, type = 'application/json'): Promise<Response> =>
    fetch(`${office.url}${path}`, { method: 'POST', headers: { 'Content-Type': type }, body });
  const id = freshId();
  test.each<[string, () => Promise<Response>, number]>([
    ['bytes that are no JSON', () => post('/enrolments', random(20)), 400],
    ['JSON that is no request', () => post('/enrolments', '{"document":"e30=","signature":"","certificate":""}'), 400],
    ['another content type', () => post('/enrolments', '{}', 'text/plain'), 415],
    ['more than 128 KiB', () => post('/enrolments', new Uint8Array(131_073)), 413],
    ['asking without a nonce', () => fetch(`${office.url}/enrolments/${id}`), 400],
    ['asking with half a nonce', () => fetch(`${office.url}/enrolments/${id}?nonce=00`), 400],
    ['asking for no transaction', () => fetch(`${office.url}/enrolments/${id.toUpperCase()}x?nonce=${id}`), 400],
    ['asking for half a key', () => fetch(`${office.url}/keys/${id}?nonce=${id}`), 400],
    ['asking for a key without a nonce', () => fetch(`${office.url}/keys/${id}${id}`), 400],
    ['asking for all', () => fetch(`${office.url}/enrolments`), 405],
    ['deleting', () => fetch(`${office.url}/enrolments/${id}?nonce=${id}`, { method: 'DELETE' }), 405],
    ['another step', () => post(`/enrolments/${id}/revocation`, '{}'), 404],
    ['a preflight of another origin', () => fetch(`${office.url}/enrolments`, { method: 'OPTIONS' }), 405],
  ])('%s is a problem, and nothing is signed', async (_what, ask, status) => {
    const response = await ask();
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).not.toHaveProperty('signature');
  });

  test('the time here is told with every answer', async () => {
    const response = await fetch(`${office.url}/enrolments/${id}?nonce=${id}`);
    expect(response.headers.get('date')).toBe(clock.now().toUTCString());
  });
});

test('whose software knows no time says none', async () => {
  const sent = await office.enrolment(await holderOf(), {}, { document: { time: undefined } });
  expect(statusOf(await office.send(sent))).toBe('issued');
});

test('what is unknown to this version is passed over', async () => {
  const holder = await holderOf();
  const sent = await makeSigned(
    holder,
    '/enrolments',
    {
      type: 'enrolment',
      form: 'pkcs10',
      csr: toBase64(await makeCsr(holder)),
      authorisation: { referenceNumber: '1' },
    },
    clock.now(),
    { body: (body) => ({ ...body, comment: 'of a later version' }) },
  );
  expect(statusOf(await office.send(sent))).toBe('issued');
});
