import { randomBytes, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oids } from '../../src/pki/algorithms.ts';
import { concat, fromBase64, toBase64, toHex, type Bytes } from '../../src/pki/bytes.ts';
import { encode, explicit, integer, octetString, oid, raw, sequence } from '../../src/pki/der.ts';
import { decodeEnvelopedKey, encodeSm2Cipher } from '../../src/pki/enveloped-key.ts';
import { issueCertificate } from '../reference-ca/issue.ts';
import { openReferenceCa } from '../reference-ca/reference-ca.ts';
import { attributeTypes, encodeName } from '../reference-ca/subject.ts';
import { pem } from '../unit/pki/hierarchy.ts';
import { RestOffice } from '../unit/reference-ca/rest-holder.ts';
import { OpensslDirectory, sm2Id } from './openssl.ts';

/* A holder's side of rest-enrolment made of OpenSSL and JSON alone: keys, requests, signatures and what is checked. */

let dir: OpensslDirectory;
let office: RestOffice;
beforeAll(async () => {
  dir = await OpensslDirectory.make();
  const now = (): Date => new Date();
  office = await RestOffice.open(await openReferenceCa({ policy: { encryptionCertificate: 'always' } }), now);
});
afterAll(async () => {
  await office.close();
  await dir.remove();
});

const kinds = {
  sm2: { key: ['-algorithm', 'SM2'], digest: ['-sm3', '-sigopt', sm2Id] },
  p256: { key: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'], digest: ['-sha256'] },
  rsa: { key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'], digest: ['-sha256'] },
} as const;
type Kind = keyof typeof kinds;
type Json = Readonly<Record<string, unknown>>;
const utf8 = (text: string): Bytes => new TextEncoder().encode(text);
const hexOf = (bytes: number): string => randomBytes(bytes).toString('hex');
const days = (count: number): Date => new Date(Date.now() + count * 86_400_000);

async function spkiOf(key: string): Promise<Bytes> {
  await dir.openssl('pkey', '-in', key, '-pubout', '-outform', 'DER', '-out', 'public.der');
  return dir.read('public.der');
}

/** A holder whose old key, and the certificate for it that the authority knows, are OpenSSL's to use. */
async function makeHolder(kind: Kind): Promise<Bytes> {
  await dir.openssl('genpkey', ...kinds[kind].key, '-out', 'old.key');
  await dir.openssl('genpkey', ...kinds[kind].key, '-out', 'new.key');
  const { issuing } = office.ca.hierarchy[kind];
  const certificate = await issueCertificate({
    profile: 'signing',
    subject: encodeName([
      [attributeTypes.country, 'CN'],
      [attributeTypes.commonName, '某某商贸有限公司'],
    ]),
    spki: await spkiOf('old.key'),
    issuer: { name: issuing.subject, key: issuing.key },
    notBefore: days(-335),
    notAfter: days(30),
  });
  const holder = { refuses: false, waits: false };
  await office.ca.ledger.append({ type: 'registered', certificate, usage: 'signing', authority: kind, ...holder });
  return certificate;
}

async function makeCsr(kind: Kind): Promise<Bytes> {
  const subject = ['-utf8', '-subj', '/C=CN/CN=某某商贸有限公司'];
  const form = ['-outform', 'DER', '-out', 'new.csr'];
  await dir.openssl('req', '-new', '-key', 'new.key', ...subject, ...kinds[kind].digest, ...form);
  return dir.read('new.csr');
}

/** Sends what the old key signs; the answer is taken only if OpenSSL verifies it up to the root. */
async function send(kind: Kind, certificate: Bytes, path: string, content: Json): Promise<Json> {
  const head = { version: 1, transactionId: hexOf(16), nonce: hexOf(16), time: new Date().toISOString() };
  const asked = { ...head, ...content };
  const document = utf8(JSON.stringify(asked, undefined, 2));
  await dir.write('signed', concat(utf8('rest-enrolment/1 request\n'), document));
  await dir.openssl('dgst', ...kinds[kind].digest, '-sign', 'old.key', '-out', 'signature', 'signed');
  const signature = toBase64(await dir.read('signature'));
  const response = await fetch(`${office.url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': asked.transactionId },
    body: JSON.stringify({ document: toBase64(document), signature, certificate: toBase64(certificate) }),
  });
  const body = (await response.json()) as { document: string; signature: string; certificates: string[] };
  const [signer = ''] = body.certificates;
  await verifyCertificate(kind, fromBase64(signer), 'root');
  await dir.write(
    'signer.pub',
    new X509Certificate(fromBase64(signer)).publicKey.export({ type: 'spki', format: 'pem' }),
  );
  await dir.write('answer', concat(utf8('rest-enrolment/1 answer\n'), fromBase64(body.document)));
  await dir.write('answer.signature', fromBase64(body.signature));
  const verifying = ['-verify', 'signer.pub', '-signature', 'answer.signature', 'answer'];
  expect(await dir.openssl('dgst', ...kinds[kind].digest, ...verifying)).toContain('Verified OK');
  const answer = JSON.parse(new TextDecoder().decode(fromBase64(body.document))) as Json;
  expect(answer).toMatchObject({ nonce: asked.nonce, transactionId: asked.transactionId });
  return answer;
}

/** `openssl verify` against the root, or the issuing authority: an SM2 id reaches only the certificate verified. */
async function verifyCertificate(kind: Kind, certificate: Bytes, issuer: 'root' | 'issuing'): Promise<void> {
  const { root, issuing } = office.ca.hierarchy[kind];
  await dir.write('issuer.crt', pem('CERTIFICATE', issuer === 'root' ? root : issuing.certificate));
  await dir.write('certificate.crt', pem('CERTIFICATE', certificate));
  const id = kind === 'sm2' ? ['-vfyopt', sm2Id] : [];
  const said = await dir.openssl('verify', ...id, '-partial_chain', '-trusted', 'issuer.crt', 'certificate.crt');
  expect(said).toContain('certificate.crt: OK');
}

/** Asks for a certificate; returns the old one, the transaction and the answer. */
async function enrol(
  kind: Kind,
): Promise<{ readonly old: Bytes; readonly transactionId: string; readonly answer: Json }> {
  const old = await makeHolder(kind);
  const transactionId = hexOf(16);
  const csr = toBase64(await makeCsr(kind));
  const answer = await send(kind, old, '/enrolments', { type: 'enrolment', transactionId, form: 'pkcs10', csr });
  return { old, transactionId, answer };
}

async function digestOf(kind: Kind, bytes: Bytes): Promise<string> {
  await dir.write('digested', bytes);
  return (await dir.openssl('dgst', kind === 'sm2' ? '-sm3' : '-sha256', '-r', 'digested')).slice(0, 64);
}

describe.each(['sm2', 'p256', 'rsa'] as const)('rest-enrolment with OpenSSL, %s', (kind) => {
  it('OpenSSL asks for a certificate, verifies it and confirms it', async () => {
    const { old, transactionId, answer } = await enrol(kind);
    const certificate = fromBase64(String(answer['certificate']));
    await verifyCertificate(kind, certificate, 'issuing');

    const certHash = await digestOf(kind, certificate);
    const content = { type: 'confirmation', transactionId, accepted: true, certHash };
    const confirmed = await send(kind, old, `/enrolments/${transactionId}/confirmation`, content);

    expect(answer['status']).toBe('issued');
    expect(confirmed['status']).toBe('confirmed');
    const issued = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
    expect(toHex(issued)).toBe(toHex(await spkiOf('new.key')));
  });
});

describe('an encryption certificate with OpenSSL', () => {
  /** Of the key in a file, that the certificate has: X ‖ Y. */
  async function publicKeyOf(privateKey: Uint8Array): Promise<string> {
    const der = encode(sequence(integer(1), octetString(privateKey), explicit(0, raw(encode(oid(oids.sm2))))));
    await dir.write('delivered.der', der);
    await dir.openssl('pkey', '-inform', 'DER', '-in', 'delivered.der', '-out', 'delivered.key');
    return toHex((await spkiOf('delivered.key')).slice(-64));
  }
  const publicKeyIn = (certificate: Bytes): string =>
    toHex(
      new Uint8Array(new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })).slice(-64),
    );

  async function askedFor(more: Json): Promise<Json> {
    const { old, transactionId } = await enrol('sm2');
    const publicKey = toBase64(await spkiOf('new.key'));
    const content = { type: 'encryption', of: transactionId, publicKey, ...more };
    const answer = await send('sm2', old, `/enrolments/${transactionId}/encryption`, content);
    await verifyCertificate('sm2', fromBase64(String(answer['certificate'])), 'issuing');
    return answer;
  }

  it('its envelope opens with the new signing key, and holds the key of the certificate', async () => {
    const answer = await askedFor({});
    const { wrappedKey, encryptedPrivateKey } = decodeEnvelopedKey(fromBase64(String(answer['envelopedKey'])));
    await dir.write('wrapped', encodeSm2Cipher(wrappedKey));
    await dir.openssl('pkeyutl', '-decrypt', '-inkey', 'new.key', '-in', 'wrapped', '-out', 'sm4.key');
    await dir.write('encrypted', encryptedPrivateKey);
    const ecb = ['enc', '-d', '-sm4-ecb', '-nopad', '-K', toHex(await dir.read('sm4.key'))];
    await dir.openssl(...ecb, '-in', 'encrypted', '-out', 'opened');
    const opened = await dir.read('opened');
    expect(toHex(opened.slice(0, 32))).toBe('00'.repeat(32));
    expect(await publicKeyOf(opened.slice(32))).toBe(publicKeyIn(fromBase64(String(answer['certificate']))));
  });

  it('in CFCA’s form it opens with the temporary key, and holds the key of the certificate', async () => {
    await dir.openssl('genpkey', '-algorithm', 'SM2', '-out', 'temporary.key');
    const temporaryPublicKey = toBase64((await spkiOf('temporary.key')).slice(-65));
    const answer = await askedFor({ temporaryPublicKey });
    const cipher = fromBase64(String(answer['escrowedKey']).slice(80)).slice(-192);
    const part = (start: number, end: number): Bytes => cipher.slice(start, end);
    const parts = { x: part(0, 32), y: part(32, 64), hash: part(64, 96), cipher: part(96, 192) };
    await dir.write('escrowed', encodeSm2Cipher(parts));
    await dir.openssl('pkeyutl', '-decrypt', '-inkey', 'temporary.key', '-in', 'escrowed', '-out', 'opened');
    const opened = await dir.read('opened');
    const certified = publicKeyIn(fromBase64(String(answer['certificate'])));
    expect(toHex(opened.slice(0, 64))).toBe(certified);
    expect(await publicKeyOf(opened.slice(64))).toBe(certified);
  });
});
