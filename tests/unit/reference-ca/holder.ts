import {
  buildMessage,
  parseMessage,
  type CertResponse,
  type CertStatus,
  type MessageContent,
  type PkiMessage,
} from '../../../src/ca/cmp-messages.ts';
import { createCertReqMessages, type CertRequestContent } from '../../../src/ca/crmf.ts';
import { signatureAlgorithmFor } from '../../../src/pki/algorithms.ts';
import { bytesEqual, toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate, type Certificate } from '../../../src/pki/certificate.ts';
import { createCsr } from '../../../src/pki/csr.ts';
import { digestForSignatureAlgorithm, verifySignature } from '../../../src/pki/signature.ts';
import type { AuthorityName } from '../../reference-ca/hierarchy.ts';
import { issueCertificate, type Profile } from '../../reference-ca/issue.ts';
import { generateKey, type KeyType, type SoftwareKey } from '../../reference-ca/keys.ts';
import type { HolderFlags } from '../../reference-ca/ledger.ts';
import type { ReferenceCa } from '../../reference-ca/reference-ca.ts';
import { sampleTaxpayer, taxpayerSubject } from '../../reference-ca/subject.ts';

export const dayMs = 24 * 60 * 60 * 1000;
/** The time in these tests; a clock that only moves when told. */
export class TestClock {
  #time = Date.parse('2026-11-22T02:00:00Z');
  readonly now = (): Date => new Date(this.#time);
  advance(milliseconds: number): void {
    this.#time += milliseconds;
  }
}

/** Somebody with a certificate and its key in software. */
export interface Holder {
  readonly certificate: Certificate;
  readonly key: SoftwareKey;
}

export interface HolderParameters extends Partial<HolderFlags> {
  readonly authority?: AuthorityName;
  readonly endsInDays?: number;
  readonly livesDays?: number;
  readonly profile?: Profile;
  readonly subject?: Uint8Array;
  /** False: issued behind the ledger's back. */
  readonly registered?: boolean;
}

/** A holder with a certificate that is due, unless told otherwise. */
export async function makeHolder(ca: ReferenceCa, now: Date, parameters: HolderParameters = {}): Promise<Holder> {
  const { authority = 'sm2', endsInDays = 30, livesDays = 365, profile = 'signing', registered = true } = parameters;
  const { issuing } = ca.hierarchy[authority];
  const key = await generateKey(issuing.key.type);
  const certificate = await issueCertificate({
    profile,
    subject: parameters.subject ?? taxpayerSubject(sampleTaxpayer(), authority === 'oldRsa' ? 'old' : 'current'),
    spki: key.spki,
    issuer: { name: issuing.subject, key: issuing.key },
    notBefore: new Date(now.getTime() + (endsInDays - livesDays) * dayMs),
    notAfter: new Date(now.getTime() + endsInDays * dayMs),
  });
  if (registered) {
    await ca.ledger.append({
      type: 'registered',
      certificate,
      usage: 'signing',
      authority,
      refuses: parameters.refuses ?? false,
      waits: parameters.waits ?? false,
    });
  }
  return { certificate: parseCertificate(certificate), key };
}

/** The kind of key a holder may ask for; the old authority's holders are upgraded. */
export const newKeyType = ({ key, certificate }: Holder): KeyType =>
  key.type === 'rsa' && certificate.issuer.attributes.some(({ value }) => value.includes('(旧)')) ? 'sm2' : key.type;

export const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length));

/** A request for a new key, by default of the right kind and under the holder's own name. */
export async function makeCsr(
  holder: Holder,
  parameters: { readonly key?: SoftwareKey; readonly type?: KeyType; readonly subject?: Uint8Array } = {},
): Promise<Bytes> {
  const key = parameters.key ?? (await generateKey(parameters.type ?? newKeyType(holder)));
  return createCsr({ subject: parameters.subject ?? holder.certificate.subject.der, spki: key.spki, sign: key.sign });
}

export type Changes = Partial<MessageContent> & {
  /** Whose key protects it; default the holder's. */
  readonly key?: SoftwareKey;
  readonly unprotected?: boolean;
};

/** A message as the holder's software would send it, but for the changes. */
export function makeMessage(
  { certificate, key }: Holder,
  body: MessageContent['body'],
  { key: signingKey = key, unprotected = false, ...changes }: Changes,
): Promise<Bytes> {
  return buildMessage(
    {
      sender: certificate.subject.der,
      recipient: certificate.issuer.der,
      ...(unprotected ? {} : { protectionAlgorithm: signatureAlgorithmFor(signingKey.type) }),
      senderKid: certificate.subjectKeyIdentifier,
      transactionId: random(16),
      senderNonce: random(16),
      extraCerts: [certificate.der],
      body,
      ...changes,
    },
    unprotected ? undefined : signingKey.sign,
  );
}

export const makeRequest = (holder: Holder, csr: Uint8Array, changes: Changes = {}): Promise<Bytes> =>
  makeMessage(holder, { type: 'p10cr', csr }, changes);

/** A key update (kur) for a new key, proven by its signature; or for what is changed in it. */
export async function makeKeyUpdate(
  holder: Holder,
  key: SoftwareKey,
  changes: Changes = {},
  content: Partial<CertRequestContent> = {},
): Promise<Bytes> {
  const requests = await createCertReqMessages(
    {
      certReqId: 0,
      subject: holder.certificate.subject.der,
      publicKey: key.spki,
      oldCertId: {
        issuer: holder.certificate.issuer.der,
        serialNumber: Buffer.from(holder.certificate.serialNumber, 'hex'),
      },
      ...content,
    },
    key.sign,
  );
  return makeMessage(holder, { type: 'kur', requests }, changes);
}

/** A request (cr) for an encryption certificate, its key to be wrapped for a signing key; or for what is changed in it. */
export async function makeEncryptionRequest(
  holder: Holder,
  wrapFor: Uint8Array,
  changes: Changes = {},
  content: Partial<CertRequestContent> = {},
): Promise<Bytes> {
  const requests = await createCertReqMessages({
    certReqId: 0,
    subject: holder.certificate.subject.der,
    protocolEncrKey: wrapFor,
    ...content,
  });
  return makeMessage(holder, { type: 'cr', requests }, changes);
}

/** Header fields that go on with a transaction after one of the authority's messages. */
export function goingOn({ header }: PkiMessage): Pick<MessageContent, 'transactionId' | 'recipNonce'> {
  return { transactionId: header.transactionId, recipNonce: header.senderNonce };
}

export async function certHash(certificate: Uint8Array): Promise<Bytes> {
  return digestForSignatureAlgorithm(parseCertificate(certificate).signatureAlgorithm, certificate);
}

/** certReqId of the one request that an answer is about. */
function requestIdIn({ body }: PkiMessage): number {
  const entry =
    body.type === 'pollRep'
      ? body.replies[0]
      : body.type === 'cp' || body.type === 'kup'
        ? body.responses[0]
        : undefined;
  return entry?.certReqId ?? -1;
}

/** The confirmation, or with `status` the rejection, of the certificate in an answer. */
export async function makeConfirmation(
  holder: Holder,
  answer: PkiMessage,
  status?: CertStatus['status'],
  changes: Changes = {},
): Promise<Bytes> {
  const statuses = [{ certHash: await certHash(issuedCertificate(answer)), certReqId: requestIdIn(answer), status }];
  return makeMessage(holder, { type: 'certConf', statuses }, { ...goingOn(answer), ...changes });
}

export const makePoll = (holder: Holder, answer: PkiMessage, changes: Changes = {}): Promise<Bytes> =>
  makeMessage(holder, { type: 'pollReq', certReqIds: [requestIdIn(answer)] }, { ...goingOn(answer), ...changes });

/** Sends a message and reads the answer, which must be authentic: protected by one of our issuing authorities. */
export async function exchange(ca: ReferenceCa, request: Uint8Array): Promise<PkiMessage> {
  const bytes = await ca.responder.answer(request);
  if (!bytes) throw new Error('no PKIMessage came back');
  const answer = parseMessage(bytes);
  const { header, protectedPart, protection } = answer;
  const { sm2, p256, rsa } = ca.hierarchy;
  const authority = [sm2, p256, rsa].find(({ issuing }) => bytesEqual(issuing.subject, header.sender.der));
  if (!authority || !protection || !bytesEqual(answer.extraCerts[0] ?? random(1), authority.issuing.certificate)) {
    throw new Error('the answer is of no authority of ours');
  }
  const { spki } = parseCertificate(authority.issuing.certificate);
  const algorithm = header.protectionAlgorithm ?? '';
  if (!(await verifySignature({ spki, algorithm, message: protectedPart, signature: protection }))) {
    throw new Error('the answer is not authentic');
  }
  const sent = parseMessage(request).header;
  const same = (a?: Uint8Array, b?: Uint8Array): boolean => toHex(a ?? random(0)) === toHex(b ?? random(0));
  if (!same(header.transactionId, sent.transactionId) || !same(header.recipNonce, sent.senderNonce)) {
    throw new Error('the answer is to another message');
  }
  return answer;
}

const responseIn = ({ body }: PkiMessage): CertResponse | undefined =>
  body.type === 'cp' || body.type === 'kup' ? body.responses[0] : undefined;

/** The private key in an issuing answer: DER EncryptedKey. */
export const encryptedKeyIn = (answer: PkiMessage): Bytes => new Uint8Array(responseIn(answer)?.privateKey ?? []);

/** The certificate in an issuing answer. */
export function issuedCertificate(answer: PkiMessage): Bytes {
  const response = responseIn(answer);
  if (response?.status.status !== 'accepted' || !response.certificate) {
    throw new Error(`not issued: ${JSON.stringify(answer.body)}`);
  }
  return new Uint8Array(response.certificate);
}

/** How an answer refuses. */
export function refusalIn(answer: PkiMessage): { in: string; failInfo: readonly string[] } | undefined {
  const { body } = answer;
  const status = body.type === 'error' ? body.status : responseIn(answer)?.status;
  return status?.status === 'rejection' ? { in: body.type, failInfo: status.failInfo ?? [] } : undefined;
}
