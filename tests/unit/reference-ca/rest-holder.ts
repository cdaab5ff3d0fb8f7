import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { createServer } from 'node:http';
import * as oracle from 'sm-crypto-v2';
import { concat, fromBase64, toBase64, toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { listen, type Listening } from '../../demo/listen.ts';
import { answerWith } from '../../reference-ca/http.ts';
import type { SoftwareKey } from '../../reference-ca/keys.ts';
import type { ReferenceCa } from '../../reference-ca/reference-ca.ts';
import { certHash, makeCsr, type Holder } from './holder.ts';

/* A holder's software that speaks rest-enrolment by its published form, written without the site's own codec. */

type Json = Readonly<Record<string, unknown>>;
const utf8 = (text: string): Bytes => new TextEncoder().encode(text);
const parsed = (bytes: Uint8Array): Json => JSON.parse(new TextDecoder().decode(bytes)) as Json;

export const freshId = (): string => randomBytes(16).toString('hex');

/** What is sent, but for the changes. */
export interface Sent {
  readonly path: string;
  readonly document: Json;
  readonly body: Bytes;
  /** The Idempotency-Key. */
  readonly key: string | undefined;
}

export interface RestChanges {
  /** Instead of the members of the document that is right. */
  readonly document?: Json;
  /** Instead of the members of the body. */
  readonly body?: (body: Json) => unknown;
  /** Whose key signs; default the holder's. */
  readonly key?: SoftwareKey;
  /** What the signed bytes begin with. */
  readonly line?: string;
  readonly path?: string;
  readonly idempotencyKey?: string | undefined;
}

/** A request as a holder's software sends it. */
export async function makeSigned(
  { certificate, key }: Holder,
  path: string,
  content: Json,
  now: Date,
  changes: RestChanges = {},
): Promise<Sent> {
  const document: Json = {
    ...{ version: 1, transactionId: freshId(), nonce: freshId(), time: now.toISOString() },
    ...content,
    ...changes.document,
  };
  const bytes = utf8(JSON.stringify(document));
  const signing = changes.key ?? key;
  const body = {
    document: toBase64(bytes),
    signature: toBase64(await signing.sign(concat(utf8(changes.line ?? 'rest-enrolment/1 request\n'), bytes))),
    certificate: toBase64(certificate.der),
  };
  return {
    path: changes.path ?? path,
    document,
    body: utf8(JSON.stringify(changes.body ? changes.body(body) : body)),
    key: 'idempotencyKey' in changes ? changes.idempotencyKey : String(document['transactionId']),
  };
}

/** An answer that was found authentic. */
export interface RestReply {
  readonly http: number;
  readonly document: Json;
  /** The DER of a member. */
  readonly der: (member: string) => Bytes;
}

export const statusOf = ({ document }: RestReply): unknown => document['status'];

/** An authority behind a real server, as a holder's software sees it. */
export class RestOffice {
  readonly ca: ReferenceCa;
  readonly now: () => Date;
  readonly #server: Listening;
  private constructor(ca: ReferenceCa, now: () => Date, server: Listening) {
    this.ca = ca;
    this.now = now;
    this.#server = server;
  }

  static async open(ca: ReferenceCa, now: () => Date): Promise<RestOffice> {
    const make = () => createServer(answerWith(ca.handler));
    return new RestOffice(ca, now, await listen(make, { port: 0, strictPort: true, host: '127.0.0.1' }));
  }

  async close(): Promise<void> {
    await this.#server.close();
    await this.ca.close();
  }

  get url(): string {
    return `${this.#server.url}ca/rest`;
  }

  post({ path, body, key }: Sent): Promise<Response> {
    const headers = { 'Content-Type': 'application/json', ...(key !== undefined && { 'Idempotency-Key': key }) };
    return fetch(`${this.url}${path}`, { method: 'POST', headers, body: concat(body) });
  }

  /** Sends a request; its answer must be authentic, and to just that. */
  async send(sent: Sent): Promise<RestReply> {
    const { type, transactionId, nonce } = sent.document;
    return this.read(await this.post(sent), { to: type, transactionId, nonce });
  }

  async state(transactionId: string): Promise<RestReply> {
    const nonce = freshId();
    const response = await fetch(`${this.url}/enrolments/${transactionId}?nonce=${nonce}`);
    return this.read(response, { to: 'state', transactionId, nonce });
  }

  async read(response: Response, question: Json): Promise<RestReply> {
    const body = parsed(new Uint8Array(await response.arrayBuffer()));
    const bytes = fromBase64(String(body['document']));
    const document = parsed(bytes);
    const [signer] = (body['certificates'] as string[]).map(fromBase64);
    const { sm2, p256, rsa } = this.ca.hierarchy;
    const authority = [sm2, p256, rsa].find(({ issuing }) => toHex(issuing.certificate) === toHex(signer ?? bytes));
    if (!authority) throw new Error('signed by no authority of ours');
    const message = concat(utf8('rest-enrolment/1 answer\n'), bytes);
    if (!isSignedBy(authority.issuing.key, message, fromBase64(String(body['signature'])))) {
      throw new Error('the signature does not verify');
    }
    for (const [name, value] of Object.entries({ version: 1, ...question })) {
      if (document[name] !== value) throw new Error(`${name}: ${String(document[name])} instead of ${String(value)}`);
    }
    return { http: response.status, document, der: (member) => fromBase64(String(document[member])) };
  }

  /* What a holder sends. */

  async enrolment(
    holder: Holder,
    content: { readonly key?: SoftwareKey; readonly csr?: Uint8Array; readonly form?: 'pkcs10' | 'cfca' } = {},
    changes: RestChanges = {},
  ): Promise<Sent> {
    const csr = content.csr ?? (await makeCsr(holder, content.key ? { key: content.key } : {}));
    const document = { type: 'enrolment', form: content.form ?? 'pkcs10', csr: toBase64(csr) };
    return makeSigned(holder, '/enrolments', document, this.now(), changes);
  }

  encryption(
    holder: Holder,
    of: Sent,
    key: SoftwareKey,
    temporaryPublicKey?: Uint8Array,
    changes: RestChanges = {},
  ): Promise<Sent> {
    const signing = String(of.document['transactionId']);
    const document = {
      type: 'encryption',
      of: signing,
      publicKey: toBase64(key.spki),
      ...(temporaryPublicKey && { temporaryPublicKey: toBase64(temporaryPublicKey) }),
    };
    return makeSigned(holder, `/enrolments/${signing}/encryption`, document, this.now(), changes);
  }

  async confirmation(
    holder: Holder,
    { document }: RestReply,
    accepted: boolean,
    changes: RestChanges = {},
  ): Promise<Sent> {
    const hash = toHex(await certHash(fromBase64(String(document['certificate']))));
    const transactionId = String(document['transactionId']);
    const content = { type: 'confirmation', transactionId, accepted, certHash: hash };
    return makeSigned(holder, `/enrolments/${transactionId}/confirmation`, content, this.now(), changes);
  }
}

/** By Node's own crypto, or for SM2 by another implementation than the authority's. */
function isSignedBy({ type, spki }: SoftwareKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (type === 'sm2') {
    return oracle.sm2.doVerifySignature(message, toHex(signature), toHex(spki.subarray(-65)), {
      ...{ der: true, hash: true, userId: '1234567812345678' },
    });
  }
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return verify('sha256', message, key, signature);
}

/** Undefined for an answer that refuses nothing. */
export const refusalOf = ({ document }: RestReply): unknown =>
  document['status'] === 'refused' ? document['failInfo'] : undefined;

export const spkiOf = (certificate: Uint8Array): string => toHex(parseCertificate(certificate).spki);
