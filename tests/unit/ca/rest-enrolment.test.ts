import { createHash, createPublicKey, verify } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import * as oracle from 'sm-crypto-v2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CaError, type CaErrorCode, type Credential } from '../../../src/ca/authority.ts';
import { verifyCfcaRequest } from '../../../src/ca/cfca-request.ts';
import { RestAuthority, type RestAuthorityOptions } from '../../../src/ca/rest-enrolment.ts';
import { concat, fromBase64, toBase64, toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCsr, verifyCsr } from '../../../src/pki/csr.ts';
import { encode, integer, octetString, sequence } from '../../../src/pki/der.ts';
import { encodeEnvelopedKey, type EnvelopedKey } from '../../../src/pki/enveloped-key.ts';
import { sm2Encrypt, sm2GenerateKeyPair, type Sm2KeyPair } from '../../../src/pki/sm2.ts';
import { sm2Spki } from '../../../src/pki/algorithms.ts';
import { sm4EcbEncrypt } from '../../../src/pki/sm4.ts';
import { changed, issueCertificate, makeKey, makeName, type TestKey } from '../pki/hierarchy.ts';
import { StubServer, type Handler, type ReceivedRequest } from './stub-server.ts';

/** Every SM2 key pair made, by the very object: the only way to see whether a temporary key was overwritten. */
const made: Sm2KeyPair[] = [];
vi.mock('../../../src/pki/sm2.ts', async (importOriginal) => {
  const sm2 = await importOriginal<typeof import('../../../src/pki/sm2.ts')>();
  return {
    ...sm2,
    sm2GenerateKeyPair: () => {
      const pair = sm2.sm2GenerateKeyPair();
      made.push(pair);
      return pair;
    },
  };
});
beforeEach(() => {
  made.length = 0;
});
const temporaryKeys = (): readonly string[] => made.map(({ privateKey }) => toHex(privateKey));
const overwritten = '00'.repeat(32);

const now = new Date('2026-06-01T08:00:00Z');
const names = { root: makeName('Root'), issuing: makeName('Issuing'), holder: makeName('纳税人') };
const transactionId = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
const tid = toHex(transactionId);
const second = transactionId.slice().reverse();

interface Holder {
  readonly key: TestKey;
  readonly certificate: Bytes;
}
const rootKey = await makeKey('sm2');
const issuingKey = await makeKey('sm2');
const oldKey = await makeKey('p256');
const strangerKey = await makeKey('sm2');
const root = await issueCertificate({
  subject: names.root,
  issuer: names.root,
  key: rootKey,
  issuerKey: rootKey,
  isCa: true,
  keyUsage: [5],
});
const issue = (key: Pick<TestKey, 'spki'>, subject: Uint8Array, ca: boolean, keyUsage: readonly number[]) =>
  issueCertificate({
    subject,
    issuer: ca ? names.root : names.issuing,
    key,
    issuerKey: ca ? rootKey : issuingKey,
    ...(ca && { isCa: true }),
    keyUsage,
  });
const issuing: Holder = { key: issuingKey, certificate: await issue(issuingKey, names.issuing, true, [0, 5]) };
const old: Holder = { key: oldKey, certificate: await issue(oldKey, names.holder, false, [0]) };
const withoutSigning: Holder = { key: issuingKey, certificate: await issue(issuingKey, names.issuing, true, [5]) };
const stranger: Holder = {
  key: strangerKey,
  certificate: await issueCertificate({
    subject: names.root,
    issuer: names.root,
    key: strangerKey,
    issuerKey: strangerKey,
    isCa: true,
    keyUsage: [0, 5],
  }),
};
/** With everything that chains it to the anchor: only the rule about signers is against it. */
const byTaxpayer: Answer = { by: old, certificates: [old.certificate, issuing.certificate] };
const signing = sm2GenerateKeyPair();
const signingSpki = sm2Spki(signing.publicKey);
const newKey = await makeKey('sm2');
const newCertificate = await issue(newKey, names.holder, false, [0]);
const delivered = sm2GenerateKeyPair();
const encryptionCertificate = await issue({ spki: sm2Spki(delivered.publicKey) }, names.holder, false, [2, 3]);

const credential: Credential = { certificate: old.certificate, sign: oldKey.sign };
const asked = { publicKey: newKey.spki, sign: newKey.sign };
const of = { transactionId, publicKey: signingSpki, signingCertificate: newCertificate };

const server = new StubServer();
beforeAll(() => server.listen());
afterAll(() => server.close());
afterEach(() => {
  server.requests.length = 0;
});

const authority = (options: Partial<RestAuthorityOptions> = {}): RestAuthority =>
  new RestAuthority({
    url: `${server.origin}/ca/`,
    anchors: [root],
    fetch: (url, init) => fetch(url, init),
    now: () => now,
    timeoutMs: 20_000,
    ...options,
  });

type Json = Readonly<Record<string, unknown>>;
const utf8 = (text: string): Bytes => new TextEncoder().encode(text);
const parsed = (bytes: Uint8Array): Json => JSON.parse(new TextDecoder().decode(bytes)) as Json;
const member = (json: Json, name: string): Bytes => fromBase64(String(json[name]));
const documentOf = (body: Uint8Array): Json => parsed(member(parsed(body), 'document'));

/** How an answer differs from one that is right. */
interface Answer {
  readonly by?: Holder;
  readonly prefix?: string;
  readonly document?: Json;
  readonly certificates?: readonly Uint8Array[];
  readonly body?: (body: Json) => unknown;
  readonly httpStatus?: number;
}

/** What an authority answers by the published form, written without the code under test. */
async function bodyOf(request: ReceivedRequest, members: Json, answer: Answer = {}): Promise<Bytes> {
  const { by = issuing, prefix = 'rest-enrolment/1 answer\n', certificates = [by.certificate] } = answer;
  const { pathname, searchParams } = new URL(request.path, 'http://authority');
  const question =
    request.method === 'GET'
      ? { type: 'state', transactionId: pathname.split('/').at(-1), nonce: searchParams.get('nonce') }
      : documentOf(request.body);
  const document = utf8(
    JSON.stringify({
      version: 1,
      to: question['type'],
      transactionId: question['transactionId'],
      nonce: question['nonce'],
      time: now.toISOString(),
      ...members,
      ...answer.document,
    }),
  );
  const body = {
    document: toBase64(document),
    signature: toBase64(await by.key.sign(concat(utf8(prefix), document))),
    certificates: certificates.map(toBase64),
  };
  return utf8(JSON.stringify(answer.body ? answer.body(body) : body));
}

const answering =
  (members: Json, answer: Answer = {}): Handler =>
  async (request, response) => {
    send(response, await bodyOf(request, members, answer), answer.httpStatus);
  };
function send(response: ServerResponse, body: Uint8Array, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

const issued = { status: 'issued', certificate: toBase64(newCertificate), chain: [toBase64(issuing.certificate)] };
const waiting = { status: 'waiting', checkAfterSeconds: 7 };
const refused = (...failInfo: readonly string[]): Json => ({ status: 'refused', failInfo, text: ['名称不符'] });

async function errorOf(promise: Promise<unknown>): Promise<CaError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof CaError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const request = await authorityWithoutServer().prepareRequest(transactionId, asked, credential);
function authorityWithoutServer(options: Partial<RestAuthorityOptions> = {}): RestAuthority {
  const fetch = () => Promise.reject(new TypeError('offline'));
  return new RestAuthority({ url: '/ca', anchors: [root], fetch, now: () => now, timeoutMs: 1000, ...options });
}

describe('what the old key signs', () => {
  const bodies = async (): Promise<readonly Bytes[]> => {
    server.handler = answering(issued);
    const { reply } = await authority().submit(request);
    return [
      request,
      await authority().prepareEncryptionRequest(second, of, credential),
      await authority().prepareConfirmation(reply, true, credential),
    ];
  };

  it('is the line of a request and the document’s exact bytes, by node’s own ECDSA', async () => {
    const key = createPublicKey({ key: Buffer.from(oldKey.spki), format: 'der', type: 'spki' });
    for (const body of await bodies()) {
      const json = parsed(body);
      const message = concat(utf8('rest-enrolment/1 request\n'), member(json, 'document'));
      expect(verify('sha256', message, key, member(json, 'signature'))).toBe(true);
      expect(member(json, 'certificate')).toEqual(old.certificate);
    }
  });

  it('says no time as long as no server has told it', async () => {
    const unsure = authority({ timeIsKnown: () => false });
    expect(documentOf(await unsure.prepareRequest(transactionId, asked, credential))).not.toHaveProperty('time');
  });

  it('names the transaction, a nonce of its own, the time and what is asked', async () => {
    const [enrolment, encryption, confirmation] = (await bodies()).map(documentOf);
    const head = { version: 1, time: '2026-06-01T08:00:00.000Z' };
    expect(enrolment).toMatchObject({ ...head, type: 'enrolment', transactionId: tid, form: 'pkcs10' });
    expect(encryption).toMatchObject({
      ...head,
      type: 'encryption',
      transactionId: toHex(second),
      of: tid,
      publicKey: toBase64(signingSpki),
    });
    expect(confirmation).toMatchObject({ ...head, type: 'confirmation', transactionId: tid, accepted: true });
    const nonces = new Set([enrolment, encryption, confirmation].map((document) => document?.['nonce']));
    expect(nonces.size).toBe(3);
    for (const nonce of nonces) expect(nonce).toMatch(/^[0-9a-f]{32}$/u);
  });

  it('carries a PKCS #10 request of the new key under the old subject', async () => {
    const csr = member(documentOf(request), 'csr');
    await expect(verifyCsr(csr)).resolves.toBe(true);
    expect(parseCsr(csr)).toMatchObject({ spki: newKey.spki, subject: { der: names.holder } });
  });

  it('carries CFCA’s request where the form is CFCA’s, and nobody keeps that temporary key', async () => {
    const body = await authority({ csr: 'cfca' }).prepareRequest(transactionId, asked, credential);
    const document = documentOf(body);
    expect(document['form']).toBe('cfca');
    await expect(verifyCfcaRequest(member(document, 'csr'))).resolves.toBe(true);
    expect(temporaryKeys()).toEqual([overwritten]);
  });

  it.each([15, 17])('is nothing for a transactionID of %d bytes', async (length) => {
    const id = new Uint8Array(length);
    await expect(authority().prepareRequest(id, asked, credential)).rejects.toThrow(RangeError);
    await expect(authority().prepareEncryptionRequest(id, of, credential)).rejects.toThrow(RangeError);
  });

  it('lets the key’s own error through', async () => {
    const unplugged = new Error('unplugged');
    const broken = { ...credential, sign: () => Promise.reject(unplugged) };
    await expect(authority().prepareRequest(transactionId, asked, broken)).rejects.toBe(unplugged);
    const cfca = authority({ csr: 'cfca' }).prepareEncryptionRequest(second, of, broken);
    await expect(cfca).rejects.toBe(unplugged);
    expect(temporaryKeys()).toEqual([overwritten]);
  });
});

describe('submit', () => {
  it('posts the bytes as they are, with the transaction as Idempotency-Key', async () => {
    server.handler = answering(issued);
    await authority().submit(request);
    await authority().submit(request);
    for (const received of server.requests) {
      expect(received).toMatchObject({ method: 'POST', path: '/ca/enrolments', body: request });
      expect(received.headers).toMatchObject({ 'idempotency-key': tid, 'content-type': 'application/json' });
    }
    expect(server.requests).toHaveLength(2);
  });

  it('gives an issued certificate with its chain and its time to confirm', async () => {
    const body = { ...issued, confirmBy: '2026-06-02T08:00:00.000Z' };
    server.handler = answering(body);
    await expect(authority().submit(request)).resolves.toMatchObject({
      kind: 'issued',
      certificate: newCertificate,
      chain: [issuing.certificate],
      confirmBy: new Date('2026-06-02T08:00:00Z'),
    });
  });

  it.each([
    [7, 7],
    [0, 1],
    [1e12, 86_400],
  ])('waits %d s as %d s', async (checkAfterSeconds, expected) => {
    server.handler = answering({ ...waiting, checkAfterSeconds }, { httpStatus: 202 });
    await expect(authority().submit(request)).resolves.toMatchObject({
      kind: 'waiting',
      checkAfterSeconds: expected,
    });
  });

  it('gives the authority’s own reasons for a refusal, whatever the status code', async () => {
    server.handler = answering(refused('badPOP', 'of a later version'), { httpStatus: 409 });
    expect(await errorOf(authority().submit(request))).toMatchObject({
      code: 'rejected',
      failInfo: ['badPOP'],
      text: ['名称不符'],
    });
  });

  it('takes a refusal that passes as busy', async () => {
    server.handler = answering({ ...refused('systemUnavail'), retryAfterSeconds: 9 }, { httpStatus: 503 });
    expect(await errorOf(authority().submit(request))).toMatchObject({ code: 'unavailable', retryAfterSeconds: 9 });
  });

  const nobody = { by: { key: strangerKey, certificate: issuing.certificate } };
  it.each<[string, CaErrorCode, Json, Answer]>([
    ['another transactionId', 'mismatch', issued, { document: { transactionId: toHex(second) } }],
    ['another nonce', 'mismatch', issued, { document: { nonce: '0'.repeat(32) } }],
    ['the answer to something else', 'mismatch', issued, { document: { to: 'state' } }],
    ['an unsigned answer', 'notTrusted', issued, { body: ({ document }) => ({ document }) }],
    ['an unsigned refusal', 'notTrusted', {}, { body: () => refused('badPOP') }],
    ['a stranger’s signature', 'notTrusted', issued, { by: stranger }],
    ['a stranger’s refusal', 'notTrusted', refused('badPOP'), { by: stranger }],
    ['a stranger under the authority’s certificate', 'notTrusted', issued, nobody],
    ['a taxpayer’s signature', 'notTrusted', issued, byTaxpayer],
    ['a CA that may not sign this', 'notTrusted', issued, { by: withoutSigning }],
    ['no certificates', 'notTrusted', issued, { certificates: [] }],
    ['a certificate that is none', 'notTrusted', issued, { certificates: [Uint8Array.of(1)] }],
    ['the line of a request', 'notTrusted', issued, { prefix: 'rest-enrolment/1 request\n' }],
    ['a signature over the document alone', 'notTrusted', issued, { prefix: '' }],
    ['no certificate although issued', 'malformed', { status: 'issued', chain: [] }, {}],
    ['a certificate that is not base64', 'malformed', { ...issued, certificate: '*' }, {}],
    ['a status nobody knows', 'malformed', { status: 'granted' }, {}],
    ['another version', 'malformed', issued, { document: { version: 2 } }],
    ['no time', 'malformed', issued, { document: { time: 'now' } }],
    ['a wait that is none', 'malformed', { ...waiting, checkAfterSeconds: -1 }, {}],
    ['unknown', 'malformed', { status: 'unknown' }, {}],
    ['withdrawn', 'malformed', { status: 'withdrawn' }, {}],
    ['confirmed', 'malformed', { ...issued, status: 'confirmed' }, {}],
    ['a chain of 17 certificates', 'malformed', { ...issued, chain: Array.from({ length: 17 }, () => '') }, {}],
    ['a list', 'malformed', issued, { body: () => [] }],
    ['null', 'malformed', issued, { body: () => null }],
    ['an answer without end', 'malformed', issued, { body: () => 'x'.repeat(140_000) }],
    ['nothing signed with HTTP status 500', 'unavailable', issued, { body: () => ({}), httpStatus: 500 }],
    ['nothing signed with HTTP status 404', 'malformed', issued, { body: () => ({}), httpStatus: 404 }],
  ])('refuses %s', async (_what, code, members, answer) => {
    server.handler = answering(members, answer);
    expect((await errorOf(authority().submit(request))).code).toBe(code);
  });

  it('takes any signer below the anchor only where it is told to', async () => {
    server.handler = answering(issued, byTaxpayer);
    const tolerant = authority({ signerRule: 'anyUnderAnchor' });
    await expect(tolerant.submit(request)).resolves.toMatchObject({ kind: 'issued' });
  });

  it('takes a signer that the authority has named as its own', async () => {
    const certificate = await issueCertificate({
      subject: makeName('Responder'),
      issuer: names.issuing,
      key: oldKey,
      issuerKey: issuingKey,
      keyUsage: [0],
      extendedKeyUsage: ['1.3.6.1.5.5.7.3.27'],
    });
    const certificates = [certificate, issuing.certificate];
    server.handler = answering(issued, { by: { key: oldKey, certificate }, certificates });
    await expect(authority().submit(request)).resolves.toMatchObject({ kind: 'issued' });
  });

  it('reads or refuses with a CaError whatever stands in a signed document', async () => {
    let members: Json = {};
    server.handler = (received, response) => answering(members)(received, response);
    const names = [
      'status',
      'certificate',
      'chain',
      'checkAfterSeconds',
      'failInfo',
      'text',
      'envelopedKey',
      'version',
    ];
    const odd = fc.dictionary(fc.constantFrom(...names), fc.jsonValue(), { minKeys: 1, maxKeys: 3 });
    const base = fc.constantFrom<Json>(issued, waiting, refused('badPOP'));
    await fc.assert(
      fc.asyncProperty(base, odd, async (right, wrong) => {
        members = { ...right, ...wrong };
        const kind = await authority()
          .submit(request)
          .then(
            (answer) => answer.kind,
            (error: unknown) => error,
          );
        if (!(kind instanceof CaError)) expect(['issued', 'waiting']).toContain(kind);
      }),
      { numRuns: 60 },
    );
  });

  it('never shows what an unsigned refusal says', async () => {
    server.handler = answering({}, { body: () => refused('badPOP') });
    expect(await errorOf(authority().submit(request))).toMatchObject({ failInfo: [], text: [] });
  });

  it('refuses an answer signed by an expired certificate, by the given clock', async () => {
    server.handler = answering(issued);
    const late = authority({ now: () => new Date('2027-06-01T00:00:00Z') });
    expect((await errorOf(late.submit(request))).code).toBe('notTrusted');
  });

  it('refuses an answer with any byte of document or signature changed', async () => {
    let at = 0;
    let part: 'document' | 'signature' = 'document';
    server.handler = answering(issued, {
      body: (body) => ({ ...body, [part]: toBase64(changed(member(body, part), at)) }),
    });
    const codes = new Set<CaErrorCode>();
    for (part of ['document', 'signature'] as const) {
      for (at = 0; at < 64; at += 7) codes.add((await errorOf(authority().submit(request))).code);
    }
    expect([...codes]).toEqual(['notTrusted']);
  });

  it('passes a busy server’s Retry-After on, and nobody’s silence', async () => {
    server.handler = (_request, response) => {
      response.writeHead(429, { 'retry-after': '11' }).end();
    };
    expect(await errorOf(authority().submit(request))).toMatchObject({ code: 'unavailable', retryAfterSeconds: 11 });
    expect((await errorOf(authorityWithoutServer().submit(request))).code).toBe('unreachable');
    const gone = AbortSignal.abort();
    expect((await errorOf(authority().submit(request, gone))).code).toBe('cancelled');
  });

  it('sends nothing that is not a request', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect((await errorOf(authority().submit(bytes))).code).toMatch(/malformed/u);
      }),
      { numRuns: 50 },
    );
    expect(server.requests).toHaveLength(0);
  });
});

describe('poll and lookUp', () => {
  const lastReply = async (): Promise<Uint8Array> => {
    server.handler = answering(waiting);
    return (await authority().submit(request)).reply;
  };
  const silent: Credential = { ...credential, sign: () => Promise.reject(new Error('nothing is to be signed')) };

  it('ask with a fresh nonce and without a signature', async () => {
    const reply = await lastReply();
    server.requests.length = 0;
    server.handler = answering(issued);
    await expect(authority().poll(reply, silent)).resolves.toMatchObject({ kind: 'issued' });
    await expect(authority().lookUp(transactionId)).resolves.toMatchObject({ kind: 'issued' });
    const paths = server.requests.map(({ method, path }) => `${method} ${path}`);
    for (const path of paths) expect(path).toMatch(new RegExp(`^GET /ca/enrolments/${tid}\\?nonce=[0-9a-f]{32}$`, 'u'));
    expect(new Set(paths).size).toBe(2);
  });

  it.each<[string, Json, object]>([
    ['unknown', { status: 'unknown' }, { kind: 'unknown' }],
    ['waiting', waiting, { kind: 'waiting', checkAfterSeconds: 7 }],
    ['issued', issued, { kind: 'issued', certificate: newCertificate }],
    ['confirmed', { ...issued, status: 'confirmed' }, { kind: 'confirmed', certificate: newCertificate }],
    ['withdrawn', { status: 'withdrawn' }, { kind: 'withdrawn' }],
    ['refused', refused('badPOP'), { kind: 'withdrawn' }],
  ])('looked up, a transaction is %s', async (_status, members, state) => {
    server.handler = answering(members);
    await expect(authority().lookUp(transactionId)).resolves.toMatchObject(state);
  });

  it.each<[string, CaErrorCode, Json, Answer]>([
    ['a refusal that passes', 'unavailable', refused('systemFailure'), {}],
    ['confirmed without its certificate', 'malformed', { status: 'confirmed' }, {}],
    ['another transaction', 'mismatch', { status: 'withdrawn' }, { document: { transactionId: toHex(second) } }],
    ['an older answer', 'mismatch', { status: 'withdrawn' }, { document: { nonce: '0'.repeat(32) } }],
    ['an unsigned state', 'notTrusted', {}, { body: () => ({ status: 'withdrawn' }) }],
    ['a taxpayer’s state', 'notTrusted', { status: 'unknown' }, byTaxpayer],
  ])('a look-up does not take %s', async (_what, code, members, answer) => {
    server.handler = answering(members, answer);
    expect((await errorOf(authority().lookUp(transactionId))).code).toBe(code);
  });

  describe('asked by the new key', () => {
    const digest = Uint8Array.from(createHash('sha256').update(newKey.spki).digest());
    const ofKey = (members: Json, document: Json = {}): Handler =>
      answering(members, { document: { to: 'key', key: toHex(digest), transactionId: tid, ...document } });

    it('asks for just that, and goes on with the transaction it finds', async () => {
      server.handler = ofKey(waiting);
      const found = await authority().lookUp(digest);
      expect(server.requests[0]).toMatchObject({
        method: 'GET',
        path: expect.stringMatching(new RegExp(`^/ca/keys/${toHex(digest)}\\?nonce=[0-9a-f]{32}$`, 'u')) as string,
      });
      if (found.kind !== 'waiting') throw new Error(found.kind);
      server.handler = answering(issued);
      await expect(authority().poll(found.reply, silent)).resolves.toMatchObject({ kind: 'issued' });
    });

    it.each<[string, Json, Json]>([
      ['about another key', { status: 'withdrawn' }, { key: '00'.repeat(32) }],
      ['about no key', { status: 'withdrawn' }, { key: undefined }],
      ['about a transaction', { status: 'unknown' }, { to: 'state' }],
      ['to another question', { status: 'unknown' }, { nonce: '0'.repeat(32) }],
      ['with another key’s certificate', { ...issued, certificate: toBase64(old.certificate) }, {}],
    ])('takes no answer %s', async (_what, members, document) => {
      server.handler = ofKey(members, document);
      expect((await errorOf(authority().lookUp(digest))).code).toBe('mismatch');
    });

    it.each([0, 15, 17, 31, 33])('has no question about an id of %d bytes', async (length) => {
      await expect(authority().lookUp(new Uint8Array(length))).rejects.toThrow(RangeError);
      expect(server.requests).toHaveLength(0);
    });
  });

  it.each<[string, CaErrorCode, Json]>([
    ['refused', 'rejected', refused('badPOP')],
    ['withdrawn', 'rejected', { status: 'withdrawn' }],
    ['unknown', 'mismatch', { status: 'unknown' }],
  ])('a poll that finds it %s says so', async (_status, code, members) => {
    const reply = await lastReply();
    server.handler = answering(members);
    expect((await errorOf(authority().poll(reply, silent))).code).toBe(code);
  });

  it('a poll that finds it confirmed has the certificate, and it can be confirmed again', async () => {
    const reply = await lastReply();
    server.handler = answering({ ...issued, status: 'confirmed' });
    const answer = await authority().poll(reply, silent);
    expect(answer).toMatchObject({ kind: 'issued', certificate: newCertificate, chain: [issuing.certificate] });
    const confirmation = await authority().prepareConfirmation(answer.reply, true, credential);
    await expect(authority().confirm(confirmation)).resolves.toBeUndefined();
  });
});

describe('confirm', () => {
  const confirmation = async (accepted: boolean): Promise<Bytes> => {
    server.handler = answering(issued);
    const { reply } = await authority().submit(request);
    server.requests.length = 0;
    return authority().prepareConfirmation(reply, accepted, credential);
  };

  it.each([
    [true, 'confirmed'],
    [false, 'withdrawn'],
  ])('sends %s and takes %s for it', async (accepted, status) => {
    const body = await confirmation(accepted);
    server.handler = answering({ status });
    await expect(authority().confirm(body)).resolves.toBeUndefined();
    expect(server.requests).toMatchObject([{ method: 'POST', path: `/ca/enrolments/${tid}/confirmation`, body }]);
  });

  it('names the certificate by the hash of its own signature algorithm', async () => {
    const hash = createHash('sm3').update(newCertificate).digest('hex');
    expect(documentOf(await confirmation(true))['certHash']).toBe(hash);
  });

  it('takes “confirmed already” for an acknowledgement, of a confirmation alone', async () => {
    const [accepted, rejected] = [await confirmation(true), await confirmation(false)];
    server.handler = answering(refused('certConfirmed'));
    await expect(authority().confirm(accepted)).resolves.toBeUndefined();
    expect((await errorOf(authority().confirm(rejected))).code).toBe('rejected');
  });

  it.each<[string, CaErrorCode, Json, Answer]>([
    ['a refusal', 'rejected', refused('certRevoked'), {}],
    ['withdrawn', 'malformed', { status: 'withdrawn' }, {}],
    ['issued', 'malformed', issued, {}],
    ['a state', 'mismatch', { status: 'confirmed' }, { document: { to: 'state' } }],
    ['an unsigned acknowledgement', 'notTrusted', {}, { body: () => ({ status: 'confirmed' }) }],
    ['a stranger’s acknowledgement', 'notTrusted', { status: 'confirmed' }, { by: stranger }],
  ])('does not take %s for an acknowledgement', async (_what, code, members, answer) => {
    const body = await confirmation(true);
    server.handler = answering(members, answer);
    expect((await errorOf(authority().confirm(body))).code).toBe(code);
  });

  it('needs a reply that issues something, and sends nothing but confirmations', async () => {
    server.handler = answering(waiting);
    const { reply } = await authority().submit(request);
    expect((await errorOf(authority().prepareConfirmation(reply, true, credential))).code).toBe('malformed');
    expect((await errorOf(authority().confirm(request))).code).toBe('malformed');
    const body = await confirmation(true);
    expect((await errorOf(authority().submit(body))).code).toBe('malformed');
  });
});

describe('an encryption key pair', () => {
  const sm4Key = crypto.getRandomValues(new Uint8Array(16));
  const envelopeFor = (recipient: Uint8Array, pair: Sm2KeyPair = delivered): EnvelopedKey => ({
    symmetricAlgorithm: 'sm4-ecb',
    wrappedKey: sm2Encrypt(sm4Key, recipient),
    publicKey: pair.publicKey,
    encryptedPrivateKey: sm4EcbEncrypt(sm4Key, pair.privateKey),
  });
  const certified = { status: 'issued', certificate: toBase64(encryptionCertificate), chain: [] };
  /** CFCA's blob for the temporary key of the request. */
  const escrowed =
    (pair: Sm2KeyPair = delivered): Handler =>
    async (received, response) => {
      const { x, y, hash, cipher } = sm2Encrypt(
        concat(pair.publicKey.subarray(1), pair.privateKey),
        temporaryKeyOf(received),
      );
      const base64 = toBase64(encode(sequence(integer(1), octetString(concat(x, y, hash, cipher)))));
      lastBlob = '0'.repeat(64) + String(base64.length).padStart(16, '0') + base64;
      send(response, await bodyOf(received, { ...certified, escrowedKey: lastBlob }));
    };
  let lastBlob = '';
  const temporaryKeyOf = ({ body }: ReceivedRequest): Bytes => member(documentOf(body), 'temporaryPublicKey');

  function opened({ wrappedKey: { x, y, hash, cipher }, encryptedPrivateKey }: EnvelopedKey): string {
    const c1c3c2 = toHex(concat(x, y, hash, cipher));
    const key = oracle.sm2.doDecrypt(c1c3c2, toHex(signing.privateKey), 1, { output: 'array' });
    const plain = oracle.sm4.decrypt(encryptedPrivateKey, key, { padding: 'none', output: 'array' });
    return toHex(Uint8Array.from(plain)).slice(-64);
  }

  it('comes enveloped for the new signing key with PKCS #10', async () => {
    const envelope = envelopeFor(signing.publicKey);
    server.handler = answering({ ...certified, envelopedKey: toBase64(encodeEnvelopedKey(envelope)) });
    const body = await authority().prepareEncryptionRequest(second, of, credential);
    expect(documentOf(body)).not.toHaveProperty('temporaryPublicKey');
    await expect(authority().submit(body)).resolves.toMatchObject({
      kind: 'issued',
      certificate: encryptionCertificate,
      encryption: { certificate: encryptionCertificate, envelope },
    });
    expect(server.requests.at(-1)).toMatchObject({ path: `/ca/enrolments/${tid}/encryption` });
    expect(server.requests.at(-1)?.headers).toMatchObject({ 'idempotency-key': toHex(second) });
    await expect(authority().lookUp(second)).resolves.toMatchObject({ encryption: { envelope } });
  });

  it('comes for a temporary key with CFCA’s form, and leaves wrapped for the new signing key', async () => {
    const cfca = authority({ csr: 'cfca' });
    server.handler = escrowed();
    const body = await cfca.prepareEncryptionRequest(second, of, credential);
    const answer = await cfca.submit(body);
    if (answer.kind !== 'issued' || !answer.encryption) throw new Error('no key pair came');
    expect(opened(answer.encryption.envelope)).toBe(toHex(delivered.privateKey));
    expect(temporaryKeys()).toEqual([overwritten]);
    server.handler = answering({ ...certified, escrowedKey: lastBlob });
    await expect(cfca.lookUp(second)).resolves.toMatchObject({ encryption: answer.encryption });
  });

  it('that waited is opened when it is polled for', async () => {
    const cfca = authority({ csr: 'cfca' });
    const body = await cfca.prepareEncryptionRequest(second, of, credential);
    let first: ReceivedRequest | undefined;
    server.handler = async (received, response) => {
      first = received;
      await answering(waiting)(received, response);
    };
    const { reply } = await cfca.submit(body);
    const deliver = escrowed();
    server.handler = async (received, response) => {
      if (first) await deliver({ ...received, body: first.body, method: 'GET' }, response);
    };
    await expect(cfca.poll(reply, credential)).resolves.toMatchObject({
      encryption: { certificate: encryptionCertificate },
    });
  });

  it('whose temporary key is gone is not there, and is delivered again for another one', async () => {
    server.handler = escrowed();
    const lost = await authority({ csr: 'cfca' }).prepareEncryptionRequest(second, of, credential);
    const later = authority({ csr: 'cfca' });
    await expect(later.submit(lost)).resolves.not.toHaveProperty('encryption');
    const third = new Uint8Array(16).fill(3);
    const again = await later.prepareEncryptionRequest(third, of, credential);
    await expect(later.submit(again)).resolves.toHaveProperty('encryption');
  });

  it.each<[string, () => Json]>([
    ['nothing beside the certificate', () => ({})],
    ['an envelope of another key', () => ({ envelopedKey: envelopeOf(signing) })],
    ['an envelope that is none', () => ({ envelopedKey: toBase64(Uint8Array.of(0x30, 0)) })],
    ['a delivery that is none', () => ({ escrowedKey: '0' })],
    ['a certificate of an elliptic key of another kind', () => ({ certificate: toBase64(old.certificate) })],
    ['a certificate that is none', () => ({ certificate: toBase64(Uint8Array.of(1)), escrowedKey: '0' })],
  ])('is not there when what came is %s, and can be refused', async (_what, members) => {
    const cfca = authority({ csr: 'cfca' });
    const body = await cfca.prepareEncryptionRequest(second, of, credential);
    server.handler = answering({ ...certified, ...members() });
    const answer = await cfca.submit(body);
    expect(answer).toMatchObject({ kind: 'issued' });
    expect(answer).not.toHaveProperty('encryption');
    const refusal = await cfca.prepareConfirmation(answer.reply, false, credential);
    expect(documentOf(refusal)).toMatchObject({ accepted: false, transactionId: toHex(second) });
  });
  const envelopeOf = (pair: Sm2KeyPair): string => toBase64(encodeEnvelopedKey(envelopeFor(signing.publicKey, pair)));

  it('that is not the certificate’s is not there, and its temporary key is overwritten', async () => {
    const cfca = authority({ csr: 'cfca' });
    server.handler = escrowed(signing);
    const body = await cfca.prepareEncryptionRequest(second, of, credential);
    await expect(cfca.submit(body)).resolves.not.toHaveProperty('encryption');
    expect(temporaryKeys()).toEqual([overwritten]);
  });

  it('is awaited at most four times at once: the oldest temporary key is overwritten', async () => {
    const cfca = authority({ csr: 'cfca' });
    for (let n = 0; n < 5; n++) await cfca.prepareEncryptionRequest(new Uint8Array(16).fill(n), of, credential);
    expect(temporaryKeys().map((key) => key === overwritten)).toEqual([true, false, false, false, false]);
  });

  it('is for SM2 keys only', async () => {
    const wrong = authority().prepareEncryptionRequest(second, { ...of, publicKey: oldKey.spki }, credential);
    await expect(wrong).rejects.toThrow(RangeError);
  });
});
