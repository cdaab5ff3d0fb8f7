import { createServer } from 'node:http';
import { BasicOCSPResponse, CertificateRevocationList, OCSPResponse } from 'pkijs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSpki } from '../../../src/pki/algorithms.ts';
import { concat, toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate, type Certificate } from '../../../src/pki/certificate.ts';
import {
  encode,
  explicit,
  integerOfContent,
  nullValue,
  octetString,
  oid,
  parseDer,
  readBitString,
  readOid,
  readSequence,
  sequence,
  sourceBytes,
} from '../../../src/pki/der.ts';
import { verifySignature } from '../../../src/pki/signature.ts';
import { listen, type Listening } from '../../demo/listen.ts';
import type { AuthorityName } from '../../reference-ca/hierarchy.ts';
import { answerWith } from '../../reference-ca/http.ts';
import { fingerprint } from '../../reference-ca/ledger.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';
import {
  dayMs,
  exchange,
  issuedCertificate,
  makeConfirmation,
  makeCsr,
  makeHolder,
  makeRequest,
  random,
  TestClock,
} from './holder.ts';

/* Read with pkijs, which had no part in writing them; who signed is proven by the key of the certificate. */

const clock = new TestClock();
let ca: ReferenceCa;
let server: Listening;
beforeAll(async () => {
  ca = await openReferenceCa({ now: clock.now, policy: { revokeOld: 'onConfirm' } });
  server = await listen(() => createServer(answerWith(ca.handler)), { port: 0, strictPort: true, host: '127.0.0.1' });
});
afterAll(async () => {
  await server.close();
  await ca.close();
});

const hash = async (name: 'SHA-1' | 'SHA-256', bytes: Uint8Array): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest(name, concat(bytes)));
const hashOids = { 'SHA-1': '1.3.14.3.2.26', 'SHA-256': '2.16.840.1.101.3.4.2.1' } as const;

async function fetchCrl(authority: AuthorityName): Promise<Bytes> {
  const id = fingerprint(ca.hierarchy[authority].issuing.key.spki);
  const response = await fetch(`${server.url}api/crl/${id}`);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/pkix-crl']);
  return new Uint8Array(await response.arrayBuffer());
}

/** Whether one of our keys signed a SEQUENCE {what is signed, algorithm, signature, …}. */
function isSignedBy(spki: Uint8Array, der: Uint8Array): Promise<boolean> {
  const [tbs, algorithm, signature] = readSequence(parseDer(der));
  if (!tbs || !algorithm) throw new Error('nothing signed');
  return verifySignature({
    spki,
    algorithm: readOid(readSequence(algorithm)[0]),
    message: sourceBytes(tbs),
    signature: readBitString(signature),
  });
}

const nonceOid = '1.3.6.1.5.5.7.48.1.2';
const nonceExtension = (nonce: Uint8Array): Uint8Array =>
  encode(sequence(oid(nonceOid), octetString(encode(octetString(nonce)))));

async function ocspRequest(
  { serialNumber }: Pick<Certificate, 'serialNumber'>,
  authority: AuthorityName,
  { nonce, by = 'SHA-1' }: { readonly nonce?: Uint8Array; readonly by?: 'SHA-1' | 'SHA-256' } = {},
): Promise<{ readonly der: Uint8Array; readonly certId: Uint8Array }> {
  const { subject, key } = ca.hierarchy[authority].issuing;
  const certId = sequence(
    sequence(oid(hashOids[by]), nullValue()),
    octetString(await hash(by, subject)),
    octetString(await hash(by, readSpki(key.spki).publicKey)),
    integerOfContent(Buffer.from(serialNumber, 'hex')),
  );
  const extensions = nonce && explicit(2, sequence(parseDer(nonceExtension(nonce))));
  return {
    der: encode(sequence(sequence(sequence(sequence(certId)), extensions))),
    certId: encode(certId),
  };
}

async function ask(der: Uint8Array, type = 'application/ocsp-request'): Promise<Response> {
  return fetch(`${server.url}api/ocsp`, { method: 'POST', headers: { 'Content-Type': type }, body: concat(der) });
}

async function answerTo(der: Uint8Array): Promise<{ readonly status: number; readonly basic: Bytes }> {
  const response = await ask(der);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/ocsp-response']);
  const answer = OCSPResponse.fromBER(await response.arrayBuffer());
  const basic = answer.responseBytes?.response.valueBlock.valueHexView ?? new Uint8Array();
  return { status: answer.responseStatus.valueBlock.valueDec, basic: concat(basic) };
}

/** certStatus of the one certificate asked for, by its tag. */
function certStatus(basic: Bytes): { readonly tag: number; readonly reason: number | undefined } {
  const [single] = BasicOCSPResponse.fromBER(basic).tbsResponseData.responses;
  // pkijs keeps the CHOICE as it was parsed.
  const status = single?.certStatus as { idBlock: { tagNumber: number }; valueBlock: { value?: unknown[] } };
  const reason = status.valueBlock.value?.[1] as { valueBlock: { value: [{ valueBlock: { valueDec: number } }] } };
  return {
    tag: status.idBlock.tagNumber,
    reason: (reason as typeof reason | undefined)?.valueBlock.value[0].valueBlock.valueDec,
  };
}

describe.each(['sm2', 'p256', 'oldRsa'] as const)('the revocation list of %s', (authority) => {
  test('names what was revoked and nothing else, with the reason', async () => {
    const [good, compromised, unspecified] = await Promise.all(
      [1, 2, 3].map(() => makeHolder(ca, clock.now(), { authority })),
    );
    if (!good || !compromised || !unspecified) throw new Error('three holders');
    const empty = CertificateRevocationList.fromBER(await fetchCrl(authority));
    await ca.revoke(compromised.certificate.der, 'keyCompromise');
    await ca.revoke(unspecified.certificate.der);

    const der = await fetchCrl(authority);

    const crl = CertificateRevocationList.fromBER(der);
    const entries = (crl.revokedCertificates ?? []).map(({ userCertificate, crlEntryExtensions }) => [
      toHex(userCertificate.valueBlock.valueHexView),
      crlEntryExtensions?.extensions.length ?? 0,
    ]);
    expect(empty.revokedCertificates).toBeUndefined();
    expect(entries).toEqual([
      [compromised.certificate.serialNumber, 1],
      [unspecified.certificate.serialNumber, 0],
    ]);
    expect(crl.version).toBe(1);
    expect(crl.thisUpdate.value).toEqual(clock.now());
    expect(crl.nextUpdate?.value).toEqual(new Date(clock.now().getTime() + 7 * dayMs));
    expect(crl.crlExtensions?.extensions.map(({ extnID }) => extnID)).toEqual(['2.5.29.35', '2.5.29.20']);
    expect(await isSignedBy(ca.hierarchy[authority].issuing.key.spki, der)).toBe(true);
  });
});

describe.each([
  ['sm2', 'a delegate'],
  ['p256', 'the authority itself'],
  ['oldRsa', 'the authority itself'],
] as const)('OCSP under %s', (authority, signer) => {
  test(`says good, then revoked, signed by ${signer}`, async () => {
    const { certificate } = await makeHolder(ca, clock.now(), { authority });
    const nonce = random(32);
    const request = await ocspRequest(certificate, authority, { nonce });

    const before = await answerTo(request.der);
    await ca.revoke(certificate.der, 'superseded');
    const after = await answerTo(request.der);

    expect([before.status, after.status]).toEqual([0, 0]);
    expect(certStatus(before.basic)).toEqual({ tag: 0, reason: undefined });
    expect(certStatus(after.basic)).toEqual({ tag: 1, reason: 4 });
    const { tbsResponseData, certs } = BasicOCSPResponse.fromBER(after.basic);
    const [single] = tbsResponseData.responses;
    expect(new Uint8Array(single?.certID.toSchema().toBER() ?? [])).toEqual(request.certId);
    expect(toHex(new Uint8Array(tbsResponseData.responseExtensions?.[0]?.toSchema().toBER() ?? []))).toBe(
      toHex(nonceExtension(nonce)),
    );
    const { issuing } = ca.hierarchy[authority];
    const delegate = certs?.[0] && parseCertificate(new Uint8Array(certs[0].toSchema(true).toBER()));
    expect(delegate !== undefined).toBe(signer === 'a delegate');
    expect(await isSignedBy(delegate?.spki ?? issuing.key.spki, after.basic)).toBe(true);
    if (!delegate) return;
    const { extensions, tbs, signature, signatureAlgorithm } = delegate;
    expect([...extensions.keys()]).toEqual(expect.arrayContaining(['2.5.29.37', '1.3.6.1.5.5.7.48.1.5']));
    expect(
      await verifySignature({ spki: issuing.key.spki, algorithm: signatureAlgorithm, message: tbs, signature }),
    ).toBe(true);
  });

  test('does not know a certificate that it did not issue', async () => {
    const { der } = await ocspRequest({ serialNumber: '7f01' }, authority);
    const { basic } = await answerTo(der);
    expect(certStatus(basic).tag).toBe(2);
    expect(BasicOCSPResponse.fromBER(basic).tbsResponseData.responseExtensions).toBeUndefined();
  });

  test('takes a CertID made with SHA-256 too', async () => {
    const { certificate } = await makeHolder(ca, clock.now(), { authority });
    const { der } = await ocspRequest(certificate, authority, { by: 'SHA-256' });
    expect(certStatus((await answerTo(der)).basic).tag).toBe(0);
  });
});

test('a delegate near its end gives way to another', async () => {
  const { certificate } = await makeHolder(ca, clock.now());
  const { der } = await ocspRequest(certificate, 'sm2');
  const delegateOf = async (): Promise<string> => {
    const [delegate] = BasicOCSPResponse.fromBER((await answerTo(der)).basic).certs ?? [];
    return toHex(new Uint8Array(delegate?.toSchema(true).toBER() ?? []));
  };
  const first = await delegateOf();
  const same = await delegateOf();
  clock.advance(29 * dayMs + 1);
  const next = await delegateOf();
  expect(same).toBe(first);
  expect(next).not.toBe(first);
});

test('a renewal is followed: good while unconfirmed, the old one superseded, a withdrawn one revoked', async () => {
  const status = async (der: Uint8Array): Promise<unknown> =>
    certStatus((await answerTo((await ocspRequest(parseCertificate(der), 'sm2')).der)).basic);
  const holder = await makeHolder(ca, clock.now());
  const answer = await exchange(ca, await makeRequest(holder, await makeCsr(holder)));
  const issued = issuedCertificate(answer);
  const unconfirmed = await status(issued);
  await exchange(ca, await makeConfirmation(holder, answer));
  const other = await makeHolder(ca, clock.now());
  const forgotten = issuedCertificate(await exchange(ca, await makeRequest(other, await makeCsr(other))));

  clock.advance(3_600_001);

  expect(unconfirmed).toEqual({ tag: 0, reason: undefined });
  expect(await status(issued)).toEqual({ tag: 0, reason: undefined });
  expect(await status(holder.certificate.der)).toEqual({ tag: 1, reason: 4 });
  expect(await status(forgotten)).toEqual({ tag: 1, reason: 5 });
});

describe('what is not answered', () => {
  test.each([
    ['random bytes', () => Promise.resolve(random(20)), 1],
    ['nothing', () => Promise.resolve(new Uint8Array()), 1],
    ['a certificate of somebody else', async () => (await ocspRequest({ serialNumber: '01' }, 'foreign')).der, 6],
    [
      'a nonce of 129 bytes',
      async () => (await ocspRequest({ serialNumber: '01' }, 'sm2', { nonce: random(129) })).der,
      1,
    ],
  ])('%s: OCSPResponseStatus', async (_what, make, status) => {
    expect(await answerTo(await make())).toEqual({ status, basic: new Uint8Array() });
  });

  test('another content type, another method, another authority’s list', async () => {
    const foreign = fingerprint(ca.hierarchy.foreign.issuing.key.spki);
    const statuses = await Promise.all([
      ask(random(20), 'application/octet-stream'),
      ask(random(5000)),
      fetch(`${server.url}api/ocsp`),
      fetch(`${server.url}api/crl/${foreign}`),
      fetch(`${server.url}api/crl/${foreign}`, { method: 'POST' }),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([415, 413, 405, 404, 405]);
  });
});

test('only certificates of ours can be revoked, and the first revocation stands', async () => {
  const stranger = await makeHolder(ca, clock.now(), { registered: false });
  const { certificate } = await makeHolder(ca, clock.now());
  await expect(ca.revoke(stranger.certificate.der)).rejects.toBeInstanceOf(RangeError);
  await ca.revoke(certificate.der, 'keyCompromise');
  await ca.revoke(certificate.der, 'superseded');
  expect(ca.ledger.certificate(certificate.der)?.revocation?.reason).toBe('keyCompromise');
});
