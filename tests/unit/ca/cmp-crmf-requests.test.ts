import { describe, expect, it } from 'vitest';
import { encodeEncryptedValue } from '../../../src/ca/encrypted-value.ts';
import { CrmfError, parseCertReqMessages, verifyProof, type CertReqMessage } from '../../../src/ca/crmf.ts';
import { parseMessage, type CertResponse } from '../../../src/ca/cmp-messages.ts';
import { findProtector } from '../../../src/ca/cmp-protection.ts';
import type { Bytes } from '../../../src/pki/bytes.ts';
import { readSpki } from '../../../src/pki/algorithms.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { encode, nullValue } from '../../../src/pki/der.ts';
import type { EnvelopedKey } from '../../../src/pki/enveloped-key.ts';
import { sm2Encrypt } from '../../../src/pki/sm2.ts';
import { sm3 } from '../../../src/pki/sm3.ts';
import { issueCertificate, makeKey } from '../pki/hierarchy.ts';
import {
  answering,
  asked,
  authority,
  credential,
  errorOf,
  issuing,
  names,
  newCertificate,
  newKey,
  old,
  server,
  transactionId,
  useServer,
  type Body,
} from './cmp-office.ts';

useServer();

/** The one request in a message of ours. */
function requestIn(message: Uint8Array, type: 'kur' | 'cr'): CertReqMessage {
  const { body } = parseMessage(message);
  if (body.type !== type) throw new Error(`${body.type} where ${type} was expected`);
  const [request, ...others] = parseCertReqMessages(body.requests);
  if (!request || others.length > 0) throw new Error('one request expected');
  return request;
}

const sent = (): readonly Body['type'][] =>
  server.requests.map(({ body }) => parseMessage(body).body.type as Body['type']);

describe('a key update', () => {
  const updating = authority.bind(undefined, { request: 'kur' });
  const prepared = (): Promise<Bytes> => updating().prepareRequest(transactionId, asked, credential);
  const kup = (response: Partial<CertResponse> = {}): Body => ({
    type: 'kup',
    responses: [{ certReqId: 0, status: { status: 'accepted' }, certificate: newCertificate, ...response }],
  });

  it('asks for the new key under the old certificate’s subject, names that, and proves possession', async () => {
    const message = await prepared();
    const request = requestIn(message, 'kur');
    const { issuer, serialNumber } = parseCertificate(old.certificate);
    expect(request).toMatchObject({
      certReqId: 0,
      subject: names.holder,
      publicKey: newKey.spki,
      oldCertId: { issuer: issuer.der, serialNumber: Uint8Array.of(Number.parseInt(serialNumber, 16)) },
      protocolEncrKey: undefined,
      otherFields: [],
      otherControls: [],
    });
    await expect(verifyProof(request)).resolves.toBe(true);
    expect(parseMessage(message).header).toMatchObject({ transactionId, sender: { der: names.holder } });
    expect((await findProtector(parseMessage(message)))?.der).toEqual(old.certificate);
  });

  it('goes from kur through kup and certConf, with certReqId 0', async () => {
    server.handler = answering(kup());
    const answer = await updating().submit(await prepared());
    expect(answer).toMatchObject({ kind: 'issued', certificate: newCertificate });
    const confirmation = await updating().prepareConfirmation(answer.reply, true, credential);
    expect(parseMessage(confirmation).body).toMatchObject({
      statuses: [{ certReqId: 0, certHash: sm3(newCertificate) }],
    });
    server.handler = answering({ type: 'pkiConf' });
    await updating().confirm(confirmation);
    expect(sent()).toEqual(['kur', 'certConf']);
  });

  it('polls with certReqId 0 until kup comes', async () => {
    server.handler = answering(kup({ status: { status: 'waiting' }, certificate: undefined }));
    const first = await updating().submit(await prepared());
    server.handler = answering({ type: 'pollRep', replies: [{ certReqId: 0, checkAfterSeconds: 9 }] });
    const second = await updating().poll(first.reply, credential);
    expect(second).toMatchObject({ kind: 'waiting', checkAfterSeconds: 9 });
    server.handler = answering(kup());
    await expect(updating().poll(second.reply, credential)).resolves.toMatchObject({ kind: 'issued' });
    const polls = server.requests.slice(1).map(({ body }) => parseMessage(body).body);
    expect(polls).toEqual(Array(2).fill({ type: 'pollReq', certReqIds: [0] }));
  });

  it('is sent as it was kept, whatever is configured by then', async () => {
    server.handler = answering(kup());
    const message = await prepared();
    await expect(authority({ request: 'p10cr' }).submit(message)).resolves.toMatchObject({ kind: 'issued' });
    expect(server.requests[0]?.body).toEqual(message);
  });

  it.each<[string, 'malformed' | 'mismatch', Body]>([
    ['cp', 'malformed', { ...kup(), type: 'cp' } as Body],
    ['certReqId −1', 'mismatch', kup({ certReqId: -1 })],
  ])('is not answered by %s', async (_name, code, body) => {
    server.handler = answering(body);
    expect((await errorOf(updating().submit(await prepared()))).code).toBe(code);
  });

  it('cannot be asked for bytes that are no public key', async () => {
    const broken = { ...asked, publicKey: asked.publicKey.subarray(1) };
    await expect(updating().prepareRequest(transactionId, broken, credential)).rejects.toThrow(CrmfError);
    await expect(updating().prepareRequest(new Uint8Array(15), asked, credential)).rejects.toThrow(RangeError);
  });

  it('lets the key’s own error through', async () => {
    const unplugged = new Error('unplugged');
    const gone = { ...asked, sign: () => Promise.reject(unplugged) };
    await expect(updating().prepareRequest(transactionId, gone, credential)).rejects.toBe(unplugged);
  });
});

describe('a request for the encryption certificate', () => {
  const of = { transactionId: new Uint8Array(16).fill(9), publicKey: newKey.spki, signingCertificate: newCertificate };
  const prepared = (): Promise<Bytes> => authority().prepareEncryptionRequest(transactionId, of, credential);
  const made = async (): Promise<{ readonly certificate: Bytes; readonly envelope: EnvelopedKey }> => {
    const key = await makeKey('sm2');
    const certificate = await issueCertificate({
      subject: names.holder,
      issuer: names.issuing,
      key,
      issuerKey: issuing.key,
      keyUsage: [2, 3],
    });
    const point = readSpki(newKey.spki).publicKey;
    const envelope: EnvelopedKey = {
      symmetricAlgorithm: 'sm4-ecb',
      wrappedKey: sm2Encrypt(new Uint8Array(16).fill(3), point),
      publicKey: readSpki(key.spki).publicKey,
      encryptedPrivateKey: new Uint8Array(64).fill(4),
    };
    return { certificate, envelope };
  };
  const delivery = (response: Partial<CertResponse>): Body => ({
    type: 'cp',
    responses: [{ certReqId: 0, status: { status: 'accepted' }, ...response }],
  });

  it('asks for a key pair made there, wrapped for the new signing key, without any proof', async () => {
    const message = await prepared();
    expect(requestIn(message, 'cr')).toMatchObject({
      certReqId: 0,
      subject: names.holder,
      publicKey: undefined,
      proof: undefined,
      protocolEncrKey: newKey.spki,
      oldCertId: undefined,
    });
    expect((await findProtector(parseMessage(message)))?.der).toEqual(old.certificate);
    expect(authority().confirmsEncryption).toBe(true);
  });

  it('gets the certificate with its envelope, and confirms it with certReqId 0', async () => {
    const { certificate, envelope } = await made();
    server.handler = answering(delivery({ certificate, privateKey: encodeEncryptedValue(envelope) }));
    const answer = await authority().submit(await prepared());
    expect(answer).toMatchObject({ kind: 'issued', certificate, encryption: { certificate, envelope } });
    const confirmation = await authority().prepareConfirmation(answer.reply, true, credential);
    expect(parseMessage(confirmation).body).toMatchObject({ statuses: [{ certReqId: 0, certHash: sm3(certificate) }] });
    server.handler = answering({ type: 'pkiConf' });
    await authority().confirm(confirmation);
    expect(sent()).toEqual(['cr', 'certConf']);
  });

  it('waits for it like for any', async () => {
    const { certificate, envelope } = await made();
    server.handler = answering(delivery({ status: { status: 'waiting' } }));
    const first = await authority().submit(await prepared());
    server.handler = answering(delivery({ certificate, privateKey: encodeEncryptedValue(envelope) }));
    await expect(authority().poll(first.reply, credential)).resolves.toMatchObject({
      kind: 'issued',
      encryption: { envelope },
    });
  });

  it('hands on a certificate without a key pair that could be imported, to be refused', async () => {
    const { certificate, envelope } = await made();
    const p256 = await issueCertificate({
      subject: names.holder,
      issuer: names.issuing,
      key: await makeKey('p256'),
      issuerKey: issuing.key,
    });
    const privateKey = encodeEncryptedValue(envelope);
    for (const response of [
      { certificate },
      { certificate, privateKey: encode(nullValue()) },
      { certificate: p256, privateKey },
      { certificate: encode(nullValue()), privateKey },
    ]) {
      server.handler = answering(delivery(response));
      const answer = await authority().submit(await prepared());
      expect(answer).toMatchObject({ kind: 'issued', certificate: response.certificate });
      expect(answer).not.toHaveProperty('encryption');
      const refused = parseMessage(await authority().prepareConfirmation(answer.reply, false, credential));
      expect(refused.body).toMatchObject({ statuses: [{ certReqId: 0, status: { status: 'rejection' } }] });
    }
  });

  it('refuses a transactionID of another length', async () => {
    await expect(authority().prepareEncryptionRequest(new Uint8Array(8), of, credential)).rejects.toThrow(RangeError);
  });
});
