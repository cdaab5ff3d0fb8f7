import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CaErrorCode } from '../../../src/ca/authority.ts';
import { buildMessage, parseMessage } from '../../../src/ca/cmp-messages.ts';
import { findProtector } from '../../../src/ca/cmp-protection.ts';
import { signatureAlgorithmFor } from '../../../src/pki/algorithms.ts';
import { toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { encode, nullValue, octetString } from '../../../src/pki/der.ts';
import { CsrError, parseCsr, verifyCsr } from '../../../src/pki/csr.ts';
import { sm3 } from '../../../src/pki/sm3.ts';
import { changed, issueCertificate, makeKey } from '../pki/hierarchy.ts';
import {
  answering,
  answerTo,
  asked,
  authority,
  credential,
  errorOf,
  granted,
  ids,
  issuing,
  names,
  newCertificate,
  newKey,
  now,
  old,
  request,
  responder,
  send,
  server,
  stranger,
  transactionId,
  useServer,
  waiting,
  type Answer,
  type Body,
} from './cmp-office.ts';
import { StubServer, type Handler } from './stub-server.ts';

useServer();

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

  it('says no time as long as no server has told it', async () => {
    const unsure = authority({ timeIsKnown: () => false });
    const { header } = parseMessage(await unsure.prepareRequest(transactionId, asked, credential));
    expect(header.messageTime).toBeUndefined();
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
    const refusal: Body = { type: 'error', status: { status: 'rejection', failInfo: ['badPOP'] } };
    server.handler = answering(refusal, {}, 500);
    expect(await errorOf(authority().submit(request))).toMatchObject({ code: 'rejected', failInfo: ['badPOP'] });
  });

  it.each<[string, CaErrorCode, Body]>([
    [
      'an error that passes',
      'unavailable',
      { type: 'error', status: { status: 'rejection', failInfo: ['systemUnavail'] } },
    ],
    [
      'a rejection that passes',
      'unavailable',
      {
        type: 'cp',
        responses: [
          { certReqId: -1, status: { status: 'rejection', failInfo: ['systemFailure', 'timeNotAvailable'] } },
        ],
      },
    ],
    ['an error that it will answer later', 'unavailable', { type: 'error', status: { status: 'waiting' } }],
    [
      'a passing reason beside one that stays',
      'rejected',
      { type: 'error', status: { status: 'rejection', failInfo: ['systemFailure', 'badPOP'] } },
    ],
    ['a rejection without a reason', 'rejected', { type: 'error', status: { status: 'rejection' } }],
    [
      'a certificate that is about to be revoked',
      'rejected',
      {
        type: 'cp',
        responses: [{ certReqId: -1, status: { status: 'revocationWarning' }, certificate: newCertificate }],
      },
    ],
    [
      'a certificate that is revoked already',
      'rejected',
      {
        type: 'cp',
        responses: [{ certReqId: -1, status: { status: 'revocationNotification' }, certificate: newCertificate }],
      },
    ],
    ['an error that says accepted', 'malformed', { type: 'error', status: { status: 'accepted' } }],
  ])('takes %s as %s', async (_name, code, body) => {
    server.handler = answering(body);
    expect((await errorOf(authority().submit(request))).code).toBe(code);
  });

  it('says when an authority that is busy wants to be asked again', async () => {
    const busy = await answerTo(parseMessage(request), {
      type: 'error',
      status: { status: 'rejection', failInfo: ['systemUnavail'] },
    });
    server.handler = (_request, response) => {
      response.writeHead(503, { 'content-type': 'application/pkixcmp', 'retry-after': '7' }).end(busy);
    };
    expect(await errorOf(authority().submit(request))).toMatchObject({ code: 'unavailable', retryAfterSeconds: 7 });
  });

  it.each(['grantedWithMods', 'keyUpdateWarning'] as const)('takes a certificate with status %s', async (status) => {
    server.handler = answering({
      type: 'cp',
      responses: [{ certReqId: -1, status: { status }, certificate: newCertificate }],
    });
    await expect(authority().submit(request)).resolves.toMatchObject({ kind: 'issued', certificate: newCertificate });
  });

  it('says until when the certificate has to be confirmed, where the authority does', async () => {
    server.handler = answering(granted);
    await expect(authority().submit(request)).resolves.not.toHaveProperty('confirmBy');
    const confirmWaitTime = new Date('2026-06-02T08:00:00Z');
    server.handler = answering(granted, { confirmWaitTime });
    await expect(authority().submit(request)).resolves.toMatchObject({ confirmBy: confirmWaitTime });
  });

  it('takes certReqId 0 in answer to a p10cr only where it is told to, and then keeps to it', async () => {
    const zero: Body = {
      type: 'cp',
      responses: [{ certReqId: 0, status: { status: 'accepted' }, certificate: newCertificate }],
    };
    server.handler = answering(zero);
    expect((await errorOf(authority().submit(request))).code).toBe('mismatch');
    const tolerant = authority({ p10crAnsweredWithZero: true });
    const answer = await tolerant.submit(request);
    const { body } = parseMessage(await tolerant.prepareConfirmation(answer.reply, true, credential));
    expect(body).toMatchObject({ type: 'certConf', statuses: [{ certReqId: 0 }] });
    server.handler = answering(granted);
    await expect(tolerant.submit(request)).resolves.toMatchObject({ kind: 'issued' });
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
    ['kup in answer to a p10cr', 'malformed', { ...granted, type: 'kup' }, {}],
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
