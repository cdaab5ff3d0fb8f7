import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CaError, type CaErrorCode, type Credential } from '../../../src/ca/authority.ts';
import { CmpAuthority, type CmpAuthorityOptions } from '../../../src/ca/cmp-client.ts';
import { buildMessage, parseMessage, type MessageContent, type PkiMessage } from '../../../src/ca/cmp-messages.ts';
import { findProtector } from '../../../src/ca/cmp-protection.ts';
import { signatureAlgorithmFor } from '../../../src/pki/algorithms.ts';
import { toBase64, toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { encode, nullValue, octetString } from '../../../src/pki/der.ts';
import { CsrError, parseCsr, verifyCsr } from '../../../src/pki/csr.ts';
import { sm3 } from '../../../src/pki/sm3.ts';
import { changed, issueCertificate, makeKey, makeName, type TestKey } from '../pki/hierarchy.ts';
import { StubServer, type Handler } from './stub-server.ts';

const now = new Date('2026-06-01T08:00:00Z');
const names = {
  root: makeName('Root'),
  issuing: makeName('Issuing'),
  responder: makeName('CMP'),
  holder: makeName('纳税人'),
};
const ids = {
  issuing: Uint8Array.of(1),
  responder: Uint8Array.of(2),
  old: Uint8Array.of(3),
  stranger: Uint8Array.of(4),
};
const transactionId = Uint8Array.from({ length: 16 }, (_, index) => index + 1);

/** A certificate with its key, as protector of messages. */
interface Holder {
  readonly key: TestKey;
  readonly certificate: Bytes;
}

const rootKey = await makeKey('sm2');
const issuingKey = await makeKey('sm2');
const newKey = await makeKey('sm2');
const root = await issueCertificate({
  subject: names.root,
  issuer: names.root,
  key: rootKey,
  issuerKey: rootKey,
  isCa: true,
  keyUsage: [5],
});
const issuing: Holder = {
  key: issuingKey,
  certificate: await issueCertificate({
    subject: names.issuing,
    issuer: names.root,
    key: issuingKey,
    issuerKey: rootKey,
    isCa: true,
    keyUsage: [0, 5],
    subjectKeyIdentifier: ids.issuing,
  }),
};
const holderOf = async (
  subject: Uint8Array,
  subjectKeyIdentifier: Uint8Array,
  extendedKeyUsage?: readonly string[],
): Promise<Holder> => {
  const key = await makeKey('sm2');
  const purposes = extendedKeyUsage ? { extendedKeyUsage } : {};
  return {
    key,
    certificate: await issueCertificate({
      subject,
      issuer: names.issuing,
      key,
      issuerKey: issuingKey,
      keyUsage: [0],
      subjectKeyIdentifier,
      ...purposes,
    }),
  };
};
const responder = await holderOf(names.responder, ids.responder, ['1.3.6.1.5.5.7.3.27']);
const old = await holderOf(names.holder, ids.old);
const strangerKey = await makeKey('sm2');
const stranger: Holder = {
  key: strangerKey,
  certificate: await issueCertificate({
    subject: names.root,
    issuer: names.root,
    key: strangerKey,
    issuerKey: strangerKey,
    isCa: true,
    keyUsage: [0, 5],
    subjectKeyIdentifier: ids.stranger,
  }),
};
const newCertificate = await issueCertificate({
  subject: names.holder,
  issuer: names.issuing,
  key: newKey,
  issuerKey: issuingKey,
  keyUsage: [0],
});
const credential: Credential = { certificate: old.certificate, sign: old.key.sign };
const asked = { publicKey: newKey.spki, sign: newKey.sign };

type Body = MessageContent['body'];
const granted = {
  type: 'cp',
  responses: [{ certReqId: -1, status: { status: 'accepted' }, certificate: newCertificate }],
} satisfies Body;
const waiting: Body = { type: 'cp', responses: [{ certReqId: -1, status: { status: 'waiting' } }] };

/** How an answer differs from the one that is right. */
interface Answer extends Partial<MessageContent> {
  readonly by?: Holder;
  readonly unprotected?: boolean;
}

async function answerTo(
  request: PkiMessage,
  body: Body,
  { by = issuing, unprotected = false, ...changes }: Answer = {},
): Promise<Bytes> {
  const { subject, subjectKeyIdentifier } = parseCertificate(by.certificate);
  return buildMessage(
    {
      sender: subject.der,
      recipient: request.header.sender.der,
      messageTime: now,
      senderKid: subjectKeyIdentifier,
      transactionId: request.header.transactionId,
      senderNonce: crypto.getRandomValues(new Uint8Array(16)),
      recipNonce: request.header.senderNonce,
      protectionAlgorithm: unprotected ? undefined : signatureAlgorithmFor(by.key.algorithm),
      extraCerts: [by.certificate, issuing.certificate],
      ...changes,
      body,
    },
    unprotected ? undefined : by.key.sign,
  );
}

function send(response: ServerResponse, message: Uint8Array, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/pkixcmp' }).end(message);
}

/** A server that answers every message with this body. */
const answering =
  (body: Body, answer?: Answer, status?: number): Handler =>
  async (request, response) => {
    send(response, await answerTo(parseMessage(request.body), body, answer), status);
  };

const server = new StubServer();
beforeAll(() => server.listen());
afterAll(() => server.close());
afterEach(() => {
  server.requests.length = 0;
});

function authority(options: Partial<CmpAuthorityOptions> = {}): CmpAuthority {
  return new CmpAuthority({
    url: `${server.origin}/ca/cmp`,
    enrolmentsUrl: `${server.origin}/api/enrolments`,
    anchors: [root],
    fetch: (url, init) => fetch(url, init),
    now: () => now,
    timeoutMs: 5000,
    ...options,
  });
}

const request = await new CmpAuthority({
  url: '',
  enrolmentsUrl: '',
  anchors: [],
  fetch,
  now: () => now,
  timeoutMs: 1,
}).prepareRequest(transactionId, asked, credential);

const errorOf = async (promise: Promise<unknown>): Promise<CaError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CaError) return error;
  throw new Error('CaError expected', { cause: error });
};

describe('prepareRequest', () => {
  it('makes a p10cr protected by the old certificate', async () => {
    const message = parseMessage(request);
    if (message.body.type !== 'p10cr') throw new Error('not a p10cr');
    const csr = parseCsr(message.body.csr);
    expect([csr.subject.der, csr.spki]).toEqual([names.holder, newKey.spki]);
    await expect(verifyCsr(csr.der)).resolves.toBe(true);
    expect(message.header).toMatchObject({
      pvno: 2,
      sender: { der: names.holder },
      recipient: { der: names.issuing },
      messageTime: now,
      protectionAlgorithm: '1.2.156.10197.1.501',
      senderKid: ids.old,
      transactionId,
      recipNonce: undefined,
      implicitConfirm: false,
    });
    expect(message.header.senderNonce).toHaveLength(16);
    expect(message.extraCerts[0]).toEqual(old.certificate);
    expect((await findProtector(message))?.der).toEqual(old.certificate);
  });

  it('takes a fresh nonce each time, and the recipient it is given', async () => {
    const first = await authority().prepareRequest(transactionId, asked, credential);
    const second = await authority({ recipient: names.root }).prepareRequest(transactionId, asked, credential);
    expect(parseMessage(first).header.senderNonce).not.toEqual(parseMessage(second).header.senderNonce);
    expect(parseMessage(second).header.recipient?.der).toEqual(names.root);
  });

  it('refuses a transactionID of another length and bytes that are no public key', async () => {
    await expect(authority().prepareRequest(new Uint8Array(8), asked, credential)).rejects.toThrow(RangeError);
    const broken = { ...asked, publicKey: asked.publicKey.subarray(1) };
    await expect(authority().prepareRequest(transactionId, broken, credential)).rejects.toThrow(CsrError);
  });

  it('lets the key’s own error through', async () => {
    const unplugged = new Error('unplugged');
    const gone = { ...credential, sign: () => Promise.reject(unplugged) };
    await expect(authority().prepareRequest(transactionId, asked, gone)).rejects.toBe(unplugged);
    const goneToo = { ...asked, sign: () => Promise.reject(unplugged) };
    await expect(authority().prepareRequest(transactionId, goneToo, credential)).rejects.toBe(unplugged);
  });
});

describe('submit', () => {
  it('sends the request’s bytes unchanged and returns the certificate with what came along', async () => {
    server.handler = answering(granted);
    const answer = await authority().submit(request);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({ method: 'POST', path: '/ca/cmp', body: request });
    expect(server.requests[0]?.headers['content-type']).toBe('application/pkixcmp');
    expect(answer).toMatchObject({
      kind: 'issued',
      certificate: newCertificate,
      chain: [issuing.certificate, issuing.certificate],
    });
  });

  it.each([
    ['a CA certificate', { by: issuing }],
    ['a certificate with cmcCA', { by: responder }],
  ])('believes an answer protected by %s under the anchor', async (_name, answer) => {
    server.handler = answering(granted, answer);
    await expect(authority().submit(request)).resolves.toMatchObject({ kind: 'issued' });
  });

  it('believes an answer under an anchor whose way there the operator gave', async () => {
    server.handler = answering(granted, { by: responder, extraCerts: [responder.certificate] });
    expect((await errorOf(authority().submit(request))).code).toBe('notTrusted');
    const knowing = authority({ intermediates: [issuing.certificate] });
    await expect(knowing.submit(request)).resolves.toMatchObject({ kind: 'issued' });
  });

  it('believes any certificate under the anchor only where it is told to', async () => {
    server.handler = answering(granted, { by: old });
    expect((await errorOf(authority().submit(request))).code).toBe('notTrusted');
    await expect(authority({ signerRule: 'anyUnderAnchor' }).submit(request)).resolves.toMatchObject({
      kind: 'issued',
    });
  });

  it('believes an authentic answer with an HTTP error status', async () => {
    const refusal: Body = { type: 'error', status: { status: 'rejection', failInfo: ['systemFailure'] } };
    server.handler = answering(refusal, {}, 500);
    expect(await errorOf(authority().submit(request))).toMatchObject({ code: 'rejected', failInfo: ['systemFailure'] });
  });

  it('waits a little after cp with status waiting', async () => {
    server.handler = answering(waiting);
    await expect(authority().submit(request)).resolves.toMatchObject({ kind: 'waiting', checkAfterSeconds: 1 });
  });

  const cp = (certReqId: number, part: object): Body => ({
    type: 'cp',
    responses: [{ certReqId, status: { status: 'accepted' }, ...part }],
  });
  const rejection = { status: 'rejection', text: ['名称不符'], failInfo: ['badPOP', 'badCertTemplate'] } as const;

  it.each<[string, Body]>([
    ['cp', { type: 'cp', responses: [{ certReqId: -1, status: rejection }] }],
    ['error', { type: 'error', status: rejection }],
  ])('gives the authority’s own reasons for a rejection by %s', async (_name, body) => {
    server.handler = answering(body);
    expect(await errorOf(authority().submit(request))).toMatchObject({
      code: 'rejected',
      failInfo: ['badPOP', 'badCertTemplate'],
      text: ['名称不符'],
    });
  });

  it.each<[string, CaErrorCode, Body, Answer]>([
    ['another transactionID', 'mismatch', granted, { transactionId: new Uint8Array(16) }],
    ['no transactionID', 'mismatch', granted, { transactionId: undefined }],
    ['another recipNonce', 'mismatch', granted, { recipNonce: new Uint8Array(16) }],
    ['no recipNonce', 'mismatch', granted, { recipNonce: undefined }],
    ['certReqId 0', 'mismatch', cp(0, { certificate: newCertificate }), {}],
    ['an unprotected cp', 'notTrusted', granted, { unprotected: true }],
    ['an unprotected error', 'notTrusted', { type: 'error', status: rejection }, { unprotected: true }],
    [
      'an unprotected cp that names an algorithm',
      'notTrusted',
      granted,
      { unprotected: true, protectionAlgorithm: signatureAlgorithmFor('sm2') },
    ],
    ['protection without its algorithm', 'notTrusted', granted, { protectionAlgorithm: undefined }],
    ['another algorithm than the key’s', 'notTrusted', granted, { protectionAlgorithm: signatureAlgorithmFor('rsa') }],
    ['a stranger’s protection', 'notTrusted', granted, { by: stranger }],
    ['a stranger’s error', 'notTrusted', { type: 'error', status: rejection }, { by: stranger }],
    ['a taxpayer’s protection', 'notTrusted', granted, { by: old }],
    [
      'a stranger under the authority’s name',
      'notTrusted',
      granted,
      { by: { key: stranger.key, certificate: issuing.certificate } },
    ],
    ['a sender that is not the protector', 'notTrusted', granted, { sender: names.root }],
    ['an answer without certificates', 'notTrusted', granted, { extraCerts: [] }],
    ['no certificate although granted', 'malformed', cp(-1, {}), {}],
    [
      'two answers for one request',
      'malformed',
      {
        type: 'cp',
        responses: [...granted.responses, { certReqId: -1, status: { status: 'waiting' } }],
      },
      {},
    ],
    ['no answer at all in cp', 'malformed', { type: 'cp', responses: [] }, {}],
    [
      'a status without meaning here',
      'malformed',
      { type: 'cp', responses: [{ certReqId: -1, status: { status: 'revocationWarning' } }] },
      {},
    ],
    ['a body that answers nothing', 'malformed', { type: 'pkiConf' }, {}],
    ['its own kind of message back', 'malformed', { type: 'p10cr', csr: encode(nullValue()) }, {}],
  ])('refuses %s', async (_name, code, body, answer) => {
    server.handler = answering(body, answer);
    expect((await errorOf(authority().submit(request))).code).toBe(code);
  });

  it('refuses an answer protected by an expired certificate, by the given clock', async () => {
    server.handler = answering(granted);
    expect((await errorOf(authority({ now: () => new Date('2027-06-01T00:00:00Z') }).submit(request))).code).toBe(
      'notTrusted',
    );
  });

  it('refuses an answer with any byte of header, body or protection changed', async () => {
    const good = await answerTo(parseMessage(request), granted);
    const end = good.length - issuing.certificate.length * 2 - 12;
    const codes = new Set<CaErrorCode>();
    for (let index = 0; index < end; index += 41) {
      server.handler = (_request, response) => {
        send(response, changed(good, index));
      };
      codes.add((await errorOf(authority().submit(request))).code);
    }
    expect([...codes].sort()).toEqual(['malformed', 'notTrusted']);
    server.handler = (_request, response) => {
      send(response, good);
    };
    await expect(authority().submit(request)).resolves.toMatchObject({ kind: 'issued' });
  });

  it.each([1, 4])('refuses protocol version %d', async (pvno) => {
    const message = await answerTo(parseMessage(request), granted);
    const version = message.findIndex((_, index) => toHex(message.subarray(index, index + 3)) === '020102');
    message[version + 2] = pvno;
    server.handler = (_request, response) => {
      send(response, message);
    };
    expect((await errorOf(authority().submit(request))).code).toBe('malformed');
  });

  it('never shows what an unprotected error says', async () => {
    server.handler = answering({ type: 'error', status: rejection }, { unprotected: true });
    expect(await errorOf(authority().submit(request))).toMatchObject({ code: 'notTrusted', text: [], failInfo: [] });
  });

  it.each<[string, CaErrorCode, Handler]>([
    [
      'garbage',
      'malformed',
      (_request, response) => {
        send(response, Uint8Array.of(1, 2, 3));
      },
    ],
    [
      'nothing',
      'malformed',
      (_request, response) => {
        send(response, new Uint8Array());
      },
    ],
    [
      'HTML, as from a captive portal',
      'malformed',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>');
      },
    ],
    [
      '404',
      'malformed',
      (_request, response) => {
        response.writeHead(404).end();
      },
    ],
    [
      'a redirect',
      'unreachable',
      (_request, response) => {
        response.writeHead(307, { location: '/elsewhere' }).end();
      },
    ],
    [
      '500',
      'unavailable',
      (_request, response) => {
        response.writeHead(500).end();
      },
    ],
    [
      '429',
      'unavailable',
      (_request, response) => {
        response.writeHead(429).end();
      },
    ],
    [
      'more than 64 KiB',
      'malformed',
      (_request, response) => {
        send(response, new Uint8Array(65_537));
      },
    ],
    [
      'without end',
      'malformed',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/pkixcmp' });
        const more = (): void => {
          if (!response.destroyed) response.write(new Uint8Array(16_384), more);
        };
        more();
      },
    ],
    [
      'a connection cut before the answer',
      'unreachable',
      (_request, response) => {
        response.destroy();
      },
    ],
    [
      'a connection cut in the answer',
      'unreachable',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/pkixcmp', 'content-length': '500' });
        response.write(new Uint8Array(100), () => {
          response.destroy();
        });
      },
    ],
  ])('names %s as %s', async (_name, code, handler) => {
    server.handler = handler;
    expect((await errorOf(authority().submit(request))).code).toBe(code);
  });

  it('reads a message of 64 KiB, and none of a byte more', async () => {
    const { header } = parseMessage(request);
    const ofLength = async (length: number): Promise<Bytes> => {
      const build = (filler: number): Promise<Bytes> =>
        buildMessage({
          sender: names.issuing,
          recipient: header.sender.der,
          body: { type: 'pkiConf' },
          extraCerts: [encode(octetString(new Uint8Array(filler)))],
        });
      return build(60_000 + length - (await build(60_000)).length);
    };
    const codes: CaErrorCode[] = [];
    for (const length of [65_536, 65_537]) {
      const message = await ofLength(length);
      expect(message).toHaveLength(length);
      server.handler = (_request, response) => {
        send(response, message);
      };
      codes.push((await errorOf(authority().submit(request))).code);
    }
    expect(codes).toEqual(['notTrusted', 'malformed']);
  });

  it.each([
    ['seconds', '120', undefined, 120],
    ['a date', 'Mon, 01 Jun 2026 08:01:30 GMT', 'Mon, 01 Jun 2026 08:00:00 GMT', 90],
    ['too long', '9999999', undefined, 86_400],
    ['a date gone by', 'Mon, 01 Jun 2026 07:00:00 GMT', 'Mon, 01 Jun 2026 08:00:00 GMT', 0],
    ['nonsense', 'soon', undefined, undefined],
  ])('reads Retry-After given as %s', async (_name, retryAfter, date, seconds) => {
    server.handler = (_request, response) => {
      response.writeHead(503, { 'retry-after': retryAfter, ...(date === undefined ? {} : { date }) }).end();
    };
    expect(await errorOf(authority().submit(request))).toMatchObject({
      code: 'unavailable',
      retryAfterSeconds: seconds,
    });
  });

  it('gives up on a server that takes the request and says nothing', async () => {
    server.handler = () => undefined;
    expect((await errorOf(authority({ timeoutMs: 50 }).submit(request))).code).toBe('timeout');
  });

  it('gives up on a server that stops in the middle of its answer', async () => {
    server.handler = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/pkixcmp' }).write(new Uint8Array(10));
    };
    expect((await errorOf(authority({ timeoutMs: 50 }).submit(request))).code).toBe('timeout');
  });

  it('gives up in time even where fetch does not heed the signal', async () => {
    const deaf = (): Promise<Response> => Promise.resolve(new Response(new ReadableStream(), { status: 200 }));
    expect((await errorOf(authority({ timeoutMs: 50, fetch: deaf }).submit(request))).code).toBe('timeout');
    const stop = new AbortController();
    const stopped = authority({ fetch: deaf }).submit(request, stop.signal);
    stop.abort();
    expect((await errorOf(stopped)).code).toBe('cancelled');
  });

  it('stops when told to, and does not begin once told', async () => {
    const stop = new AbortController();
    server.handler = () => {
      stop.abort();
    };
    expect((await errorOf(authority().submit(request, stop.signal))).code).toBe('cancelled');
    expect((await errorOf(authority().submit(request, stop.signal))).code).toBe('cancelled');
    expect(server.requests).toHaveLength(1);
  });

  it('says that nobody is there', async () => {
    const gone = new StubServer();
    await gone.listen();
    const url = gone.origin;
    await gone.close();
    expect((await errorOf(authority({ url }).submit(request))).code).toBe('unreachable');
  });

  it('sends nothing that is not a whole request of ours', async () => {
    expect((await errorOf(authority().submit(request.subarray(0, 99)))).code).toBe('malformed');
    expect((await errorOf(authority().confirm(request))).code).toBe('malformed');
    expect(server.requests).toHaveLength(0);
  });
});

describe('poll', () => {
  const lastReply = (): Promise<Bytes> => answerTo(parseMessage(request), waiting);

  it('asks in the same transaction, echoing the last nonce, and gets the certificate', async () => {
    const reply = await lastReply();
    server.handler = answering(granted);
    await expect(authority().poll(reply, credential)).resolves.toMatchObject({
      kind: 'issued',
      certificate: newCertificate,
    });
    const sent = parseMessage(server.requests[0]?.body ?? new Uint8Array());
    expect(sent.body).toEqual({ type: 'pollReq', certReqIds: [-1] });
    expect(sent.header).toMatchObject({ transactionId, recipNonce: parseMessage(reply).header.senderNonce });
    expect(sent.header.senderNonce).not.toEqual(parseMessage(request).header.senderNonce);
    expect((await findProtector(sent))?.der).toEqual(old.certificate);
  });

  it.each([
    [60, 60],
    [0, 1],
    [-5, 1],
    [10_000_000, 86_400],
  ])('keeps checkAfter %d within a day: %d', async (checkAfterSeconds, bounded) => {
    server.handler = answering({ type: 'pollRep', replies: [{ certReqId: -1, checkAfterSeconds }] });
    await expect(authority().poll(await lastReply(), credential)).resolves.toMatchObject({
      kind: 'waiting',
      checkAfterSeconds: bounded,
    });
  });

  it('goes on from one pollRep to the next', async () => {
    server.handler = answering({ type: 'pollRep', replies: [{ certReqId: -1, checkAfterSeconds: 5 }] });
    const first = await authority().poll(await lastReply(), credential);
    const second = await authority().poll(first.reply, credential);
    const [, sent] = server.requests.map(({ body }) => parseMessage(body));
    expect(sent?.header.recipNonce).toEqual(parseMessage(first.reply).header.senderNonce);
    expect(second.kind).toBe('waiting');
  });

  it.each<[string, CaErrorCode, Body, Answer]>([
    [
      'a pollRep about another request',
      'mismatch',
      { type: 'pollRep', replies: [{ certReqId: 0, checkAfterSeconds: 1 }] },
      {},
    ],
    ['an empty pollRep', 'malformed', { type: 'pollRep', replies: [] }, {}],
    [
      'an unprotected pollRep',
      'notTrusted',
      { type: 'pollRep', replies: [{ certReqId: -1, checkAfterSeconds: 1 }] },
      { unprotected: true },
    ],
    ['a replayed nonce', 'mismatch', granted, { recipNonce: parseMessage(request).header.senderNonce }],
    ['a rejection', 'rejected', { type: 'error', status: { status: 'rejection' } }, {}],
  ])('refuses %s', async (_name, code, body, answer) => {
    server.handler = answering(body, answer);
    expect((await errorOf(authority().poll(await lastReply(), credential))).code).toBe(code);
  });

  it('knows a protector again that brings its certificate only the first time', async () => {
    const ca = authority();
    server.handler = answering(waiting, { by: responder });
    const first = await ca.submit(request);
    server.handler = answering(granted, { by: responder, extraCerts: [] });
    expect(
      (await errorOf(authority({ intermediates: [issuing.certificate] }).poll(first.reply, credential))).code,
    ).toBe('notTrusted');
    const knowing = authority({ intermediates: [issuing.certificate] });
    server.handler = answering(waiting, { by: responder });
    await knowing.submit(request);
    server.handler = answering(granted, { by: responder, extraCerts: [] });
    await expect(knowing.poll(first.reply, credential)).resolves.toMatchObject({ kind: 'issued' });
  });
});

describe('prepareConfirmation and confirm', () => {
  const issued = (body: Body = granted): Promise<Bytes> => answerTo(parseMessage(request), body);
  const withCertificate = (certificate: Uint8Array): Body => ({
    type: 'cp',
    responses: [{ certReqId: -1, status: { status: 'accepted' }, certificate }],
  });

  it('confirms with the SM3 hash of an SM2 certificate, in the transaction', async () => {
    const reply = await issued();
    const message = parseMessage(await authority().prepareConfirmation(reply, true, credential));
    expect(message.body).toEqual({
      type: 'certConf',
      statuses: [{ certHash: sm3(newCertificate), certReqId: -1, status: undefined }],
    });
    expect(message.header).toMatchObject({
      transactionId,
      recipNonce: parseMessage(reply).header.senderNonce,
      recipient: { der: names.issuing },
    });
    expect((await findProtector(message))?.der).toEqual(old.certificate);
  });

  it('confirms with the SHA-384 hash of a certificate signed with SHA-384', async () => {
    const key = await makeKey('p384');
    const certificate = await issueCertificate({
      subject: names.holder,
      issuer: names.issuing,
      key: newKey,
      issuerKey: key,
    });
    const message = parseMessage(
      await authority().prepareConfirmation(await issued(withCertificate(certificate)), true, credential),
    );
    const hash = createHash('sha384').update(certificate).digest('hex');
    expect(message.body.type === 'certConf' && toHex(message.body.statuses[0]?.certHash ?? new Uint8Array())).toBe(
      hash,
    );
  });

  it('refuses a certificate by status rejection', async () => {
    const { body } = parseMessage(await authority().prepareConfirmation(await issued(), false, credential));
    expect(body).toMatchObject({
      statuses: [{ certHash: sm3(newCertificate), status: { status: 'rejection', failInfo: ['incorrectData'] } }],
    });
  });

  it('refuses, but cannot confirm, what is no certificate', async () => {
    const reply = await issued(withCertificate(Uint8Array.of(0x30, 0)));
    await expect(authority().prepareConfirmation(reply, false, credential)).resolves.toBeInstanceOf(Uint8Array);
    expect((await errorOf(authority().prepareConfirmation(reply, true, credential))).code).toBe('malformed');
  });

  it('confirms nothing that was not issued', async () => {
    expect((await errorOf(authority().prepareConfirmation(await issued(waiting), true, credential))).code).toBe(
      'malformed',
    );
  });

  it('sends the confirmation’s bytes unchanged and returns on pkiConf, again and again', async () => {
    const confirmation = await authority().prepareConfirmation(await issued(), true, credential);
    server.handler = answering({ type: 'pkiConf' });
    await authority().confirm(confirmation);
    await authority().confirm(confirmation);
    expect(server.requests.map(({ body }) => body)).toEqual([confirmation, confirmation]);
  });

  it('takes “already confirmed” for an acknowledgement', async () => {
    const confirmation = await authority().prepareConfirmation(await issued(), true, credential);
    server.handler = answering({ type: 'error', status: { status: 'rejection', failInfo: ['certConfirmed'] } });
    await expect(authority().confirm(confirmation)).resolves.toBeUndefined();
  });

  it.each<[string, CaErrorCode, Body, Answer]>([
    ['an unprotected pkiConf', 'notTrusted', { type: 'pkiConf' }, { unprotected: true }],
    ['a taxpayer’s pkiConf', 'notTrusted', { type: 'pkiConf' }, { by: old }],
    ['a pkiConf for another message', 'mismatch', { type: 'pkiConf' }, { recipNonce: new Uint8Array(16) }],
    [
      'an unprotected “already confirmed”',
      'notTrusted',
      { type: 'error', status: { status: 'rejection', failInfo: ['certConfirmed'] } },
      { unprotected: true },
    ],
    ['a rejection', 'rejected', { type: 'error', status: { status: 'rejection', failInfo: ['badCertId'] } }, {}],
    ['cp', 'malformed', granted, {}],
  ])('does not take %s for an acknowledgement', async (_name, code, body, answer) => {
    const confirmation = await authority().prepareConfirmation(await issued(), true, credential);
    server.handler = answering(body, answer);
    expect((await errorOf(authority().confirm(confirmation))).code).toBe(code);
  });
});

describe('lookUp', () => {
  const answeringJson =
    (json: unknown): Handler =>
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    };
  const encoded = async (body: Body, answer?: Answer): Promise<string> =>
    toBase64(await answerTo(parseMessage(request), body, answer));

  it('asks by transactionID', async () => {
    server.handler = answeringJson({ status: 'unknown' });
    await expect(authority().lookUp(transactionId)).resolves.toEqual({ kind: 'unknown' });
    expect(server.requests[0]).toMatchObject({
      method: 'GET',
      path: '/api/enrolments/0102030405060708090a0b0c0d0e0f10',
    });
  });

  it('knows a transaction that was taken back', async () => {
    server.handler = answeringJson({ status: 'withdrawn' });
    await expect(authority().lookUp(transactionId)).resolves.toEqual({ kind: 'withdrawn' });
  });

  it('knows one that waits, with the time to wait within bounds', async () => {
    server.handler = answeringJson({ status: 'pending', message: await encoded(waiting), checkAfterSeconds: 1e9 });
    await expect(authority().lookUp(transactionId)).resolves.toMatchObject({
      kind: 'waiting',
      checkAfterSeconds: 86_400,
    });
  });

  it('gets an issued certificate, whose answer goes into the confirmation', async () => {
    server.handler = answeringJson({ status: 'issued', message: await encoded(granted) });
    const state = await authority().lookUp(transactionId);
    expect(state).toMatchObject({ kind: 'issued', certificate: newCertificate });
    const confirmation = await authority().prepareConfirmation(
      'reply' in state ? state.reply : new Uint8Array(),
      true,
      credential,
    );
    expect(parseMessage(confirmation).header.transactionId).toEqual(transactionId);
  });

  it('gets a confirmed certificate', async () => {
    const message = await encoded(granted);
    server.handler = answeringJson({ status: 'confirmed', message });
    const state = await authority().lookUp(transactionId);
    expect(state).toMatchObject({ kind: 'confirmed', certificate: newCertificate });
    expect('reply' in state && toBase64(state.reply)).toBe(message);
  });

  it('does not mind that the message answers an earlier nonce', async () => {
    server.handler = answeringJson({
      status: 'issued',
      message: await encoded(granted, { recipNonce: new Uint8Array(16) }),
    });
    await expect(authority().lookUp(transactionId)).resolves.toMatchObject({ kind: 'issued' });
  });

  it.each<[string, CaErrorCode, Answer]>([
    ['unprotected', 'notTrusted', { unprotected: true }],
    ['protected by a stranger', 'notTrusted', { by: stranger }],
    ['protected by a taxpayer', 'notTrusted', { by: old }],
    ['about another transaction', 'mismatch', { transactionId: new Uint8Array(16) }],
  ])('refuses a message %s', async (_name, code, answer) => {
    server.handler = answeringJson({ status: 'issued', message: await encoded(granted, answer) });
    expect((await errorOf(authority().lookUp(transactionId))).code).toBe(code);
  });

  it('reads 128 KiB, and none of a byte more', async () => {
    const json = JSON.stringify({ status: 'unknown' });
    server.handler = (_request, response) => {
      response.writeHead(200).end(json.padEnd(131_072));
    };
    await expect(authority().lookUp(transactionId)).resolves.toEqual({ kind: 'unknown' });
    server.handler = (_request, response) => {
      response.writeHead(200).end(json.padEnd(131_073));
    };
    expect((await errorOf(authority().lookUp(transactionId))).code).toBe('malformed');
  });

  it.each<[string, unknown]>([
    ['another status', { status: 'lost' }],
    ['no object', 'issued'],
    ['nothing', null],
    ['no message', { status: 'issued' }],
    ['a message that is not base64', { status: 'issued', message: '***' }],
    ['a message that is not CMP', { status: 'issued', message: 'AAAA' }],
    ['a message of another type', { status: 'issued', message: 5 }],
    ['a time that is no number', { status: 'pending', message: 'AAAA', checkAfterSeconds: '5' }],
  ])('refuses JSON with %s', async (_name, json) => {
    server.handler = answeringJson(json);
    expect((await errorOf(authority().lookUp(transactionId))).code).toBe('malformed');
  });

  it.each<[string, CaErrorCode, Handler]>([
    [
      '404',
      'malformed',
      (_request, response) => {
        response.writeHead(404).end();
      },
    ],
    [
      '503',
      'unavailable',
      (_request, response) => {
        response.writeHead(503).end();
      },
    ],
    [
      'bytes that are not UTF-8',
      'malformed',
      (_request, response) => {
        response.writeHead(200).end(Uint8Array.of(0xff));
      },
    ],
    [
      'a cut connection',
      'unreachable',
      (_request, response) => {
        response.destroy();
      },
    ],
    [
      'too much',
      'malformed',
      (_request, response) => {
        response.writeHead(200).end(new Uint8Array(131_073));
      },
    ],
  ])('names %s as %s', async (_name, code, handler) => {
    server.handler = handler;
    expect((await errorOf(authority().lookUp(transactionId))).code).toBe(code);
  });
});

describe('a whole enrolment', () => {
  it('needs nothing but the bytes that were kept', async () => {
    server.handler = answering(waiting);
    const first = await authority().submit(request);
    server.handler = answering(granted);
    const second = await authority().poll(first.reply, credential);
    if (second.kind !== 'issued') throw new Error('not issued');
    expect(parseCertificate(second.certificate).spki).toEqual(newKey.spki);
    const confirmation = await authority().prepareConfirmation(second.reply, true, credential);
    server.handler = answering({ type: 'pkiConf' });
    await expect(authority().confirm(confirmation)).resolves.toBeUndefined();
    expect(server.requests.map(({ body }) => parseMessage(body).body.type)).toEqual(['p10cr', 'pollReq', 'certConf']);
  });
});
