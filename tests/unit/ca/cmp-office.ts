import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { CaError, type Credential } from '../../../src/ca/authority.ts';
import { CmpAuthority, type CmpAuthorityOptions } from '../../../src/ca/cmp-client.ts';
import { buildMessage, parseMessage, type MessageContent, type PkiMessage } from '../../../src/ca/cmp-messages.ts';
import { signatureAlgorithmFor } from '../../../src/pki/algorithms.ts';
import type { Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { issueCertificate, makeKey, makeName, type TestKey } from '../pki/hierarchy.ts';
import { StubServer, type Handler } from './stub-server.ts';

/*
 * An authority in SM2 with a taxpayer, and a server that answers as a test says: every answer is one a real authority
 * could have protected, or deliberately not.
 */

export const now = new Date('2026-06-01T08:00:00Z');
export const names = {
  root: makeName('Root'),
  issuing: makeName('Issuing'),
  responder: makeName('CMP'),
  holder: makeName('纳税人'),
};
export const ids = {
  issuing: Uint8Array.of(1),
  responder: Uint8Array.of(2),
  old: Uint8Array.of(3),
  stranger: Uint8Array.of(4),
};
export const transactionId = Uint8Array.from({ length: 16 }, (_, index) => index + 1);

/** A certificate with its key, as protector of messages. */
export interface Holder {
  readonly key: TestKey;
  readonly certificate: Bytes;
}

const rootKey = await makeKey('sm2');
export const issuingKey = await makeKey('sm2');
export const newKey = await makeKey('sm2');
export const root = await issueCertificate({
  subject: names.root,
  issuer: names.root,
  key: rootKey,
  issuerKey: rootKey,
  isCa: true,
  keyUsage: [5],
});
export const issuing: Holder = {
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
export const responder = await holderOf(names.responder, ids.responder, ['1.3.6.1.5.5.7.3.27']);
export const old = await holderOf(names.holder, ids.old);
const strangerKey = await makeKey('sm2');
export const stranger: Holder = {
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
export const newCertificate = await issueCertificate({
  subject: names.holder,
  issuer: names.issuing,
  key: newKey,
  issuerKey: issuingKey,
  keyUsage: [0],
});
export const credential: Credential = { certificate: old.certificate, sign: old.key.sign };
export const asked = { publicKey: newKey.spki, sign: newKey.sign };

export type Body = MessageContent['body'];
export const granted = {
  type: 'cp',
  responses: [{ certReqId: -1, status: { status: 'accepted' }, certificate: newCertificate }],
} satisfies Body;
export const waiting: Body = { type: 'cp', responses: [{ certReqId: -1, status: { status: 'waiting' } }] };

/** How an answer differs from the one that is right. */
export interface Answer extends Partial<MessageContent> {
  readonly by?: Holder;
  readonly unprotected?: boolean;
}

export async function answerTo(
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

export function send(response: ServerResponse, message: Uint8Array, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/pkixcmp' }).end(message);
}

/** A server that answers every message with this body. */
export const answering =
  (body: Body, answer?: Answer, status?: number): Handler =>
  async (request, response) => {
    send(response, await answerTo(parseMessage(request.body), body, answer), status);
  };

export const server = new StubServer();

/** Lets the server listen for the tests of a file. */
export function useServer(): void {
  beforeAll(() => server.listen());
  afterAll(() => server.close());
  afterEach(() => {
    server.requests.length = 0;
  });
}

export function authority(options: Partial<CmpAuthorityOptions> = {}): CmpAuthority {
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

export const request = await new CmpAuthority({
  url: '',
  enrolmentsUrl: '',
  anchors: [],
  fetch,
  now: () => now,
  timeoutMs: 1,
}).prepareRequest(transactionId, asked, credential);

export const errorOf = async (promise: Promise<unknown>): Promise<CaError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CaError) return error;
  throw new Error('CaError expected', { cause: error });
};
