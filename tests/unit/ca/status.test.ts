import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { certificateStatus, type CertificateStatus, type StatusService } from '../../../src/ca/status.ts';
import { concat, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate, type Certificate } from '../../../src/pki/certificate.ts';
import {
  parseDer,
  readExplicit,
  readOctetString,
  readSequence,
  sourceBytes,
  type DerBlock,
} from '../../../src/pki/der.ts';
import { changed, issueCertificate, makeKey, makeName, type TestKey } from '../pki/hierarchy.ts';
import { answerOcsp, issueCrl, ocspError, type SingleResponseContent } from '../pki/revocation-answers.ts';
import { StubServer, type Handler } from './stub-server.ts';

const now = new Date('2026-06-01T00:00:00Z');
const before = new Date('2026-05-31T00:00:00Z');
const after = new Date('2026-06-02T00:00:00Z');
const revokedAt = new Date('2026-05-01T12:00:00Z');
const names = { ca: makeName('CA'), holder: makeName('Holder') };

const server = new StubServer();
let key: TestKey;
let issuer: Certificate;
let holder: Certificate;
let service: StatusService;

beforeAll(async () => {
  await server.listen();
  key = await makeKey('p256');
  const common = { issuer: names.ca, key, issuerKey: key };
  issuer = parseCertificate(await issueCertificate({ ...common, subject: names.ca, isCa: true, keyUsage: [5, 6] }));
  holder = parseCertificate(await issueCertificate({ ...common, subject: names.holder, serialNumber: 0x8234 }));
  service = { api: `${server.origin}/api`, fetch, now: () => now, timeoutMs: 10_000 };
});
afterAll(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.handler = (_request, response) => void response.writeHead(404).end();
});

/** What a service reads from a question: the CertID and the nonce. */
function asked(body: Uint8Array): { readonly certId: Bytes; readonly nonce: Bytes } {
  const present = (block: DerBlock | undefined): DerBlock => {
    if (!block) throw new Error('a part of the question is missing');
    return block;
  };
  const [tbs] = readSequence(parseDer(body), 1, 1);
  const [list, extensions] = readSequence(tbs, 2, 2);
  const [request] = readSequence(list, 1, 1);
  const [certId] = readSequence(request, 1, 1);
  const [extension] = readSequence(readExplicit(present(extensions), 2), 1, 1);
  const [, value] = readSequence(extension, 2, 2);
  return { certId: sourceBytes(present(certId)), nonce: readOctetString(parseDer(readOctetString(value))) };
}

async function ocsp(body: Uint8Array, status: SingleResponseContent['status']): Promise<Bytes> {
  const { certId, nonce } = asked(body);
  return answerOcsp({
    responder: { name: names.ca },
    responderKey: key,
    producedAt: now,
    responses: [{ certId, status, thisUpdate: before }],
    nonce,
  });
}
const crl = (isRevoked: boolean): Promise<Bytes> =>
  issueCrl({
    issuer: names.ca,
    issuerKey: key,
    thisUpdate: before,
    nextUpdate: after,
    entries: isRevoked ? [{ serialNumber: '008234', at: revokedAt, reason: 1 }] : [],
    extensions: null,
  });

interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly body?: Uint8Array;
}
type Answering = (body: Uint8Array) => Answer | Promise<Answer>;
const ocspType = 'application/ocsp-response';
const crlType = 'application/pkix-crl';
const notThere: Answering = () => ({ status: 404 });

/** A service with OCSP and lists. */
const offering =
  (byOcsp: Answering, byCrl: Answering): Handler =>
  async ({ path, body: question }, response) => {
    const isOcsp = path === '/api/ocsp';
    const {
      status = 200,
      type = isOcsp ? ocspType : crlType,
      body = new Uint8Array(),
    } = await (isOcsp ? byOcsp : byCrl)(question);
    response.writeHead(status, { 'Content-Type': type }).end(body);
  };
const ask = (): Promise<CertificateStatus> => certificateStatus(holder, issuer, service);
const ocspSays =
  (status: SingleResponseContent['status']): Answering =>
  async (body) => ({ body: await ocsp(body, status) });
const crlSays =
  (isRevoked: boolean): Answering =>
  async () => ({ body: await crl(isRevoked) });

describe('certificateStatus', () => {
  it('asks by OCSP at the API’s own origin, and by nothing else where that says', async () => {
    server.handler = offering(ocspSays('good'), notThere);
    await expect(ask()).resolves.toEqual({ status: 'good', source: 'ocsp', thisUpdate: before });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      path: '/api/ocsp',
      headers: { 'content-type': 'application/ocsp-request', accept: ocspType },
    });

    server.handler = offering(ocspSays({ revokedAt, reason: 1 }), notThere);
    await expect(ask()).resolves.toEqual({
      status: 'revoked',
      source: 'ocsp',
      thisUpdate: before,
      at: revokedAt,
      reason: 'keyCompromise',
    });
  });

  it('asks for the list of the issuer’s key where there is no OCSP', async () => {
    server.handler = offering(notThere, crlSays(false));
    await expect(ask()).resolves.toEqual({ status: 'good', source: 'crl', thisUpdate: before });
    const fingerprint = createHash('sha256').update(issuer.spki).digest('hex');
    expect(server.requests[1]).toMatchObject({ method: 'GET', path: `/api/crl/${fingerprint}?serial=008234` });

    server.handler = offering(notThere, crlSays(true));
    await expect(ask()).resolves.toEqual({
      status: 'revoked',
      source: 'crl',
      thisUpdate: before,
      at: revokedAt,
      reason: 'keyCompromise',
    });
  });

  it('believes a list that revokes what the service does not know, and none that says nothing', async () => {
    server.handler = offering(ocspSays('unknown'), crlSays(true));
    await expect(ask()).resolves.toMatchObject({ status: 'revoked', source: 'crl' });
    server.handler = offering(ocspSays('unknown'), crlSays(false));
    await expect(ask()).resolves.toEqual({ status: 'unknown', because: 'notKnownThere' });
  });

  it.each<[string, Answering, CertificateStatus]>([
    ['is busy', () => ({ status: 503 }), { status: 'unknown', because: 'unavailable' }],
    ['has no OCSP', notThere, { status: 'unknown', because: 'notOffered' }],
    ['refuses', () => ({ body: ocspError(6) }), { status: 'unknown', because: 'refused' }],
    ['answers with a page', () => ({ type: 'text/html' }), { status: 'unknown', because: 'malformed' }],
    ['answers without end', () => ({ body: new Uint8Array(65_537) }), { status: 'unknown', because: 'tooLarge' }],
    [
      'answers with a changed byte',
      async (body) => ({ body: changed(await ocsp(body, 'good'), -1) }),
      { status: 'unknown', because: 'badSignature' },
    ],
  ])('a service that %s: the list, else unknown and why', async (_name, answering, otherwise) => {
    server.handler = offering(answering, crlSays(false));
    await expect(ask()).resolves.toMatchObject({ status: 'good', source: 'crl' });
    server.handler = offering(answering, notThere);
    await expect(ask()).resolves.toEqual(otherwise);
  });

  it('does not take an answer to another question', async () => {
    let first: Bytes | undefined;
    const replay: Answering = async (body) => ({ body: (first ??= await ocsp(body, 'good')) });
    server.handler = offering(replay, notThere);
    await expect(ask()).resolves.toMatchObject({ status: 'good' });
    await expect(ask()).resolves.toEqual({ status: 'unknown', because: 'mismatch' });
  });

  it('says unknown where nobody answers, or not in time', async () => {
    server.handler = () => undefined;
    await expect(certificateStatus(holder, issuer, { ...service, timeoutMs: 1 })).resolves.toEqual({
      status: 'unknown',
      because: 'unreachable',
    });
    const nobody = { ...service, fetch: () => Promise.reject(new TypeError('Failed to fetch')) };
    await expect(certificateStatus(holder, issuer, nobody)).resolves.toEqual({
      status: 'unknown',
      because: 'unreachable',
    });
  });

  it('takes the time after the answer, which may have brought it', async () => {
    let time = new Date('2020-01-01T00:00:00Z');
    server.handler = offering(notThere, async () => {
      time = now;
      return { body: await crl(false) };
    });
    await expect(certificateStatus(holder, issuer, { ...service, now: () => time })).resolves.toMatchObject({
      status: 'good',
    });
  });

  it('never throws, and never says good, whatever comes', async () => {
    const statuses = fc.constantFrom(200, 204, 301, 400, 404, 429, 500, 503);
    const types = fc.constantFrom(ocspType, crlType, 'application/json', 'nonsense');
    const revoking = await crl(true);
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(revoking.length - 1).map((at) => changed(revoking, at)),
      fc.constant(revoking),
    );
    await fc.assert(
      fc.asyncProperty(statuses, types, body, async (status, type, content) => {
        const headers = { 'Content-Type': type };
        const answering = (): Promise<Response> =>
          Promise.resolve(new Response(status === 204 ? null : concat(content), { status, headers }));
        const result = await certificateStatus(holder, issuer, { ...service, fetch: answering });
        expect(result.status).not.toBe('good');
      }),
      { numRuns: 300 },
    );
  });
});
