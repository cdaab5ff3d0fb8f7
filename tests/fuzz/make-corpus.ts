/*
 * Writes corpus/seeds.json, what mutants are made of: `npx tsx tests/fuzz/make-corpus.ts`. Its keys are thrown away. It
 * is kept as a file so that a mutant can be made again from its number.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { buildMessage, type MessageContent } from '../../src/ca/cmp-messages.ts';
import { createCertReqMessages } from '../../src/ca/crmf.ts';
import { encodeEncryptedValue } from '../../src/ca/encrypted-value.ts';
import { readSpki, signatureAlgorithmFor } from '../../src/pki/algorithms.ts';
import { concat, fromBase64, toBase64, type Bytes } from '../../src/pki/bytes.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { createCsr } from '../../src/pki/csr.ts';
import {
  encode,
  implicitPrimitive,
  integerOfContent,
  nullValue,
  octetString,
  oid,
  sequence,
} from '../../src/pki/der.ts';
import { encodeEnvelopedKey, makeEnvelopedKey } from '../../src/pki/enveloped-key.ts';
import { ocspRequest } from '../../src/pki/ocsp.ts';
import { sm2Encrypt } from '../../src/pki/sm2.ts';
import { openHierarchy } from '../reference-ca/hierarchy.ts';
import { issueCertificate as issueSample } from '../reference-ca/issue.ts';
import { generateKey } from '../reference-ca/keys.ts';
import { sampleTaxpayer, taxpayerSubject } from '../reference-ca/subject.ts';
import { answerOcsp, issueCrl, ocspError, reasonExtension } from '../unit/pki/revocation-answers.ts';
import { issueCertificate, makeKey, makeName } from '../unit/pki/hierarchy.ts';

const now = new Date('2026-11-22T09:00:00Z');
const days = (count: number): Date => new Date(now.getTime() + count * 86_400_000);
const counted = (length: number): Bytes => Uint8Array.from({ length }, (_, index) => index + 1);

const hierarchy = await openHierarchy(undefined);
const [sm2, p256, rsa] = await Promise.all([generateKey('sm2'), generateKey('p256'), generateKey('rsa')]);
const plain = await makeKey('sm2');
const stranger = await makeKey('p384');
const taxpayer = sampleTaxpayer();
const subject = taxpayerSubject(taxpayer, 'current');
const validity = { notBefore: days(-1), notAfter: days(395) };
const issue = (
  profile: 'signing' | 'encryption',
  spki: Uint8Array,
  from: 'sm2' | 'p256' | 'oldRsa',
): Promise<Bytes> => {
  const { issuing } = hierarchy[from];
  return issueSample({ profile, subject, spki, issuer: { name: issuing.subject, key: issuing.key }, ...validity });
};
const signing = await issue('signing', sm2.spki, 'sm2');
const encryption = await issue('encryption', plain.spki, 'sm2');
const holder = makeName('纳税人');
const issuer = makeName('Issuing');
const many = await issueCertificate({
  subject: holder,
  issuer,
  key: stranger,
  issuerKey: plain,
  isCa: false,
  pathLength: 3,
  keyUsage: [0, 1, 8],
  extendedKeyUsage: ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.9'],
  subjectKeyIdentifier: Uint8Array.of(1, 2, 3),
  authorityKeyIdentifier: Uint8Array.of(4, 5, 6),
  criticalExtension: '1.2.3.4',
  notAfter: new Date('2055-01-01T00:00:00Z'),
});
const { sm2: authority, p256: authorityP256, oldRsa } = hierarchy;
const certificates = [
  signing,
  encryption,
  await issue('signing', p256.spki, 'p256'),
  await issue('signing', rsa.spki, 'oldRsa'),
  authority.root,
  authority.issuing.certificate,
  authorityP256.issuing.certificate,
  oldRsa.root,
  many,
];

const cfca = JSON.parse(readFileSync(new URL('../vectors/cfca.json', import.meta.url), 'utf8')) as {
  readonly csr: string;
};
const csrs = await Promise.all([sm2, p256, rsa].map(({ spki, sign }) => createCsr({ subject, spki, sign })));

const point = readSpki(plain.spki).publicKey;
const envelope = makeEnvelopedKey(sm2Encrypt(counted(16), readSpki(sm2.spki).publicKey), point, counted(32));
const privateKey = encodeEncryptedValue(envelope);
const oldCertId = { issuer: authority.issuing.subject, serialNumber: counted(8) };
const requests = await createCertReqMessages({ certReqId: 0, subject, publicKey: sm2.spki, oldCertId }, sm2.sign);
const central = await createCertReqMessages({ certReqId: 0, subject, protocolEncrKey: sm2.spki });

const granted = (
  certReqId: number,
): { readonly certReqId: number; readonly status: { readonly status: 'accepted' } } => ({
  certReqId,
  status: { status: 'accepted' },
});
const bodies: readonly MessageContent['body'][] = [
  { type: 'p10cr', csr: csrs[0] ?? new Uint8Array() },
  { type: 'kur', requests },
  { type: 'cr', requests: central },
  { type: 'cp', responses: [{ ...granted(-1), certificate: signing }], caPubs: [authority.root] },
  { type: 'kup', responses: [{ ...granted(0), certificate: signing }] },
  { type: 'cp', responses: [{ ...granted(0), certificate: encryption, privateKey }] },
  { type: 'cp', responses: [{ certReqId: -1, status: { status: 'waiting', text: ['排队'] } }] },
  {
    type: 'cp',
    responses: [{ certReqId: -1, status: { status: 'rejection', failInfo: ['badPOP', 'duplicateCertReq'] } }],
  },
  { type: 'certConf', statuses: [{ certHash: counted(32), certReqId: -1 }] },
  {
    type: 'certConf',
    statuses: [{ certHash: counted(32), certReqId: 0, status: { status: 'rejection', failInfo: ['incorrectData'] } }],
  },
  { type: 'pkiConf' },
  { type: 'pollReq', certReqIds: [-1] },
  { type: 'pollRep', replies: [{ certReqId: -1, checkAfterSeconds: 30, reason: ['审核中'] }] },
  {
    type: 'error',
    status: { status: 'rejection', text: ['no'], failInfo: ['transactionIdInUse'] },
    details: ['twice'],
  },
];
const read = parseCertificate(authority.issuing.certificate);
const messages = await Promise.all(
  bodies.map((body, index) =>
    buildMessage(
      {
        sender: read.subject.der,
        recipient: subject,
        messageTime: now,
        protectionAlgorithm: signatureAlgorithmFor('sm2'),
        senderKid: read.subjectKeyIdentifier,
        transactionId: counted(16),
        senderNonce: counted(16),
        recipNonce: counted(16),
        implicitConfirm: index % 3 === 0,
        ...(index % 2 === 0 && { confirmWaitTime: days(1) }),
        extraCerts: index % 2 === 0 ? [authority.issuing.certificate] : [],
        body,
      },
      authority.issuing.key.sign,
    ),
  ),
);

const crlContent = { issuer, issuerKey: plain, thisUpdate: days(-1), nextUpdate: days(6) };
const entry = (
  serialNumber: string,
  reason?: number,
): { readonly serialNumber: string; readonly at: Date; readonly reason?: number } => ({
  serialNumber,
  at: days(-3),
  ...(reason === undefined ? {} : { reason }),
});
const invalidity = { type: '2.5.29.24', value: encode(octetString(new Uint8Array())) };
const crls = await Promise.all([
  issueCrl({ ...crlContent, version: 1, entries: [entry('01'), entry('02')], extensions: null }),
  issueCrl({
    ...crlContent,
    entries: [entry('01', 1), entry('7f', 6), { ...entry('0080', 5), extensions: [invalidity] }],
    extensions: [
      { type: '2.5.29.20', value: Uint8Array.of(2, 1, 5) },
      { type: '2.5.29.35', value: encode(sequence(implicitPrimitive(0, Uint8Array.of(4, 5, 6)))) },
      { type: '2.5.29.28', critical: true, value: encode(sequence(implicitPrimitive(1, Uint8Array.of(0xff)))) },
      reasonExtension(1),
    ],
  }),
  issueCrl({ ...crlContent, entries: [], extensions: [] }).catch(() => new Uint8Array()),
]);

const question = { certificate: parseCertificate(signing), issuer: read };
const asked = await ocspRequest(question, counted(32));
const certId = encode(
  sequence(
    sequence(oid(asked.certId.hashAlgorithm), nullValue()),
    octetString(asked.certId.issuerNameHash),
    octetString(asked.certId.issuerKeyHash),
    integerOfContent(counted(8)),
  ),
);
const ocspContent = { responderKey: plain, producedAt: now, nonce: counted(32) };
const single = { certId, thisUpdate: days(-1), nextUpdate: days(1) };
const ocsps = await Promise.all([
  answerOcsp({ ...ocspContent, responder: { name: issuer }, responses: [{ ...single, status: 'good' }] }),
  answerOcsp({
    ...ocspContent,
    responder: { keyHash: counted(20) },
    responses: [
      { ...single, status: { revokedAt: days(-2), reason: 1 } },
      { ...single, status: 'unknown' },
    ],
    certificates: [signing, authority.issuing.certificate],
  }),
]);

const seeds: Readonly<Record<string, readonly Uint8Array[]>> = {
  certificate: certificates,
  csr: [...csrs],
  cfcaCsr: [fromBase64(cfca.csr)],
  name: [subject, taxpayerSubject(taxpayer, 'old'), holder, read.subject.der],
  cmp: messages,
  crmf: [requests, central],
  envelope: [encodeEnvelopedKey(envelope)],
  encryptedValue: [privateKey],
  spki: [sm2.spki, p256.spki, rsa.spki, stranger.spki],
  crl: crls.filter(({ length }) => length > 0),
  ocsp: [...ocsps, asked.der, ...[1, 3, 6].map(ocspError)],
  signature: [await sm2.sign(concat(subject))],
};
const json = Object.fromEntries(Object.entries(seeds).map(([kind, list]) => [kind, list.map(toBase64)]));
writeFileSync(new URL('./corpus/seeds.json', import.meta.url), `${JSON.stringify(json, undefined, 2)}\n`);
