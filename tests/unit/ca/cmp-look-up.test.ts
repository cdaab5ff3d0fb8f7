import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CaErrorCode } from '../../../src/ca/authority.ts';
import type { EnrolmentStatus } from '../../../src/ca/cmp-enrolments.ts';
import { parseMessage } from '../../../src/ca/cmp-messages.ts';
import { concat, fromHex, toBase64, toHex, type Bytes } from '../../../src/pki/bytes.ts';
import {
  answerTo,
  authority,
  credential,
  errorOf,
  granted,
  newCertificate,
  newKey,
  old,
  request,
  server,
  stranger,
  transactionId,
  useServer,
  waiting,
  type Answer,
  type Body,
} from './cmp-office.ts';
import type { Handler } from './stub-server.ts';

useServer();

interface Question {
  readonly id: Bytes;
  readonly nonce: Bytes;
}

/** The question a request is. */
function questionIn(path: string): Question {
  const [, id = '', nonce = ''] = /\/([0-9a-f]+)\?nonce=([0-9a-f]{64})$/u.exec(path) ?? [];
  return { id: fromHex(id), nonce: fromHex(nonce) };
}

const provenBy = (status: EnrolmentStatus): Body => ({
  type: 'error',
  status: { status: 'rejection', text: [`enrolment: ${status}`] },
});

/** A proof made for a question, but for the changes. */
function prove(
  status: EnrolmentStatus,
  { id, nonce }: Question,
  changes: Answer = {},
  body = provenBy(status),
): Promise<Bytes> {
  return answerTo(parseMessage(request), body, { transactionId: id, recipNonce: nonce, ...changes });
}

const keyDigest = new Uint8Array(createHash('sha256').update(newKey.spki).digest());

describe('lookUp', () => {
  const answeringJson =
    (json: unknown): Handler =>
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    };
  const encoded = async (body: Body, answer?: Answer): Promise<string> =>
    toBase64(await answerTo(parseMessage(request), body, answer));

  /** Answers with a status and the proof of it, made for the question but for the changes. */
  const answeringProven =
    (status: EnrolmentStatus, changes?: Answer, body?: Body, json: object = {}): Handler =>
    async ({ path }, response) => {
      const proof = toBase64(await prove(status, questionIn(path), changes, body));
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ status, proof, ...json }));
    };

  it('asks by transactionID, with a fresh nonce each time', async () => {
    server.handler = answeringProven('unknown');
    await expect(authority().lookUp(transactionId)).resolves.toEqual({ kind: 'unknown' });
    await expect(authority().lookUp(transactionId)).resolves.toEqual({ kind: 'unknown' });
    const [first, second] = server.requests;
    expect(first?.method).toBe('GET');
    expect(first?.path).toMatch(/^\/api\/enrolments\/0102030405060708090a0b0c0d0e0f10\?nonce=[0-9a-f]{64}$/u);
    expect(second?.path).not.toBe(first?.path);
  });

  it('asks by the SHA-256 of the public key where the transactionID is not known', async () => {
    server.handler = answeringJson({ status: 'issued', message: await encoded(granted) });
    await expect(authority().lookUp(keyDigest)).resolves.toMatchObject({ kind: 'issued', certificate: newCertificate });
    expect(server.requests[0]?.path.slice(0, 82)).toBe(`/api/enrolments/${toHex(keyDigest)}?n`);
    server.handler = answeringProven('unknown');
    await expect(authority().lookUp(keyDigest)).resolves.toEqual({ kind: 'unknown' });
    server.handler = answeringJson({ status: 'pending', message: await encoded(waiting) });
    await expect(authority().lookUp(keyDigest)).resolves.toMatchObject({ kind: 'waiting' });
  });

  it('does not take another key’s certificate for the one asked about', async () => {
    server.handler = answeringJson({ status: 'issued', message: await encoded(granted) });
    expect((await errorOf(authority().lookUp(new Uint8Array(32)))).code).toBe('mismatch');
    const nothing: Body = {
      ...granted,
      responses: granted.responses.map((response) => ({ ...response, certificate: Uint8Array.of(0x30, 0) })),
    };
    server.handler = answeringJson({ status: 'issued', message: await encoded(nothing) });
    expect((await errorOf(authority().lookUp(keyDigest))).code).toBe('mismatch');
  });

  it.each([0, 15, 17, 31, 33])('has no question about an id of %d bytes', async (length) => {
    await expect(authority().lookUp(new Uint8Array(length))).rejects.toThrow(RangeError);
    expect(server.requests).toHaveLength(0);
  });

  it('knows a transaction that was taken back', async () => {
    server.handler = answeringProven('withdrawn');
    await expect(authority().lookUp(transactionId)).resolves.toEqual({ kind: 'withdrawn' });
  });

  describe.each(['unknown', 'withdrawn', 'confirmed'] as const)('believes %s', (status) => {
    const json = async (): Promise<object> => (status === 'confirmed' ? { message: await encoded(granted) } : {});

    it('with a proof', async () => {
      server.handler = answeringProven(status, {}, undefined, await json());
      await expect(authority().lookUp(transactionId)).resolves.toMatchObject({ kind: status });
    });

    it('never without a proof', async () => {
      server.handler = answeringJson({ status, ...(await json()) });
      expect((await errorOf(authority().lookUp(transactionId))).code).toBe('notTrusted');
    });

    it.each<[string, CaErrorCode, Answer]>([
      ['without protection', 'notTrusted', { unprotected: true }],
      ['protected by a stranger', 'notTrusted', { by: stranger }],
      ['protected by a taxpayer', 'notTrusted', { by: old }],
      ['made for another question', 'mismatch', { recipNonce: new Uint8Array(32) }],
      ['made for no question', 'mismatch', { recipNonce: undefined }],
      ['about another transaction', 'mismatch', { transactionId: new Uint8Array(16) }],
      ['about no transaction', 'mismatch', { transactionId: undefined }],
    ])('never by a proof %s', async (_name, code, changes) => {
      server.handler = answeringProven(status, changes, undefined, await json());
      expect((await errorOf(authority().lookUp(transactionId))).code).toBe(code);
    });

    const [other] = (['unknown', 'withdrawn', 'confirmed'] as const).filter((name) => name !== status);
    it.each<[string, Body]>([
      ['another status', provenBy(other ?? status)],
      [
        'an error the authority could have answered anybody',
        { type: 'error', status: { status: 'rejection', failInfo: ['certRevoked'] } },
      ],
      [
        'an error with a reason beside',
        { type: 'error', status: { status: 'rejection', text: [`enrolment: ${status}`], failInfo: ['badRequest'] } },
      ],
      ['more text', { type: 'error', status: { status: 'rejection', text: [`enrolment: ${status}`, 'x'] } }],
      ['more details', { ...provenBy(status), details: ['x'] } as Body],
      ['another PKIStatus', { type: 'error', status: { status: 'accepted', text: [`enrolment: ${status}`] } }],
      ['an acknowledgement', { type: 'pkiConf' }],
      ['the answer to a request', granted],
    ])('never by a proof that says %s', async (_name, body) => {
      server.handler = answeringProven(status, {}, body, await json());
      expect((await errorOf(authority().lookUp(transactionId))).code).toBe('mismatch');
    });
  });

  it('is told nothing by a proof of another kind that is passed on as an answer', async () => {
    const nonce = parseMessage(request).header.senderNonce ?? new Uint8Array();
    // Whoever asks for a proof chooses its nonce, but never one of a message's length.
    expect(nonce).toHaveLength(16);
    server.handler = async (_request, response) => {
      const proof = await prove('withdrawn', { id: transactionId, nonce: concat(nonce, nonce) });
      response.writeHead(200, { 'content-type': 'application/pkixcmp' }).end(proof);
    };
    expect((await errorOf(authority().submit(request))).code).toBe('mismatch');
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
    server.handler = answeringProven('confirmed', {}, undefined, { message });
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

  it.each<[string, CaErrorCode, Body]>([
    [
      'an error of the same transaction',
      'mismatch',
      { type: 'error', status: { status: 'rejection', failInfo: ['badTime'] } },
    ],
    ['the answer to a confirmation', 'malformed', { type: 'pkiConf' }],
    [
      'a rejection',
      'rejected',
      { type: 'cp', responses: [{ certReqId: -1, status: { status: 'rejection', failInfo: ['badPOP'] } }] },
    ],
  ])('does not take %s for a certificate', async (_name, code, body) => {
    server.handler = answeringJson({ status: 'issued', message: await encoded(body) });
    expect((await errorOf(authority().lookUp(transactionId))).code).toBe(code);
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

  it('reads 192 KiB, and none of a byte more', async () => {
    const json = JSON.stringify({ status: 'pending', message: await encoded(waiting) });
    server.handler = (_request, response) => {
      response.writeHead(200).end(json.padEnd(196_608));
    };
    await expect(authority().lookUp(transactionId)).resolves.toMatchObject({ kind: 'waiting' });
    server.handler = (_request, response) => {
      response.writeHead(200).end(json.padEnd(196_609));
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
    ['a proof of another type', { status: 'withdrawn', proof: {} }],
    ['a proof that is not CMP', { status: 'withdrawn', proof: 'AAAA' }],
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
        response.writeHead(200).end(new Uint8Array(196_609));
      },
    ],
  ])('names %s as %s', async (_name, code, handler) => {
    server.handler = handler;
    expect((await errorOf(authority().lookUp(transactionId))).code).toBe(code);
  });
});
