import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSpki, signatureAlgorithmFor } from '../../../src/pki/algorithms.ts';
import { concat, fromHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate, type Certificate } from '../../../src/pki/certificate.ts';
import type { StatusQuestion } from '../../../src/pki/crl.ts';
import {
  encode,
  integer,
  nullValue,
  octetString,
  oid,
  parseDer,
  raw,
  readExplicit,
  readSequence,
  sequence,
  sourceBytes,
} from '../../../src/pki/der.ts';
import { OcspError, ocspRequest, parseOcspResponse, statusByOcsp } from '../../../src/pki/ocsp.ts';
import type { StatusDoubt, StatusVerdict } from '../../../src/pki/revocation.ts';
import { changed, issueCertificate, makeKey, makeName, type CertificateContent, type TestKey } from './hierarchy.ts';
import {
  answerOcsp,
  keyHash,
  ocspError,
  ocspNonce,
  type OcspContent,
  type SingleResponseContent,
} from './revocation-answers.ts';

const now = new Date('2026-06-01T00:00:00Z');
const before = new Date('2026-05-31T00:00:00Z');
const after = new Date('2026-06-02T00:00:00Z');
const revokedAt = new Date('2026-05-01T12:00:00Z');
const names = { ca: makeName('CA'), holder: makeName('Holder'), responder: makeName('Responder') };
const nonce = Uint8Array.from({ length: 32 }, (_, index) => index);
const noCheck = { type: '1.3.6.1.5.5.7.48.1.5', value: encode(nullValue()) };
const ocspSigning = '1.3.6.1.5.5.7.3.9';

const keys = new Map<string, TestKey>();
async function keyOf(name: string, algorithm: TestKey['algorithm'] = 'p256'): Promise<TestKey> {
  const known = keys.get(`${name} ${algorithm}`) ?? (await makeKey(algorithm));
  keys.set(`${name} ${algorithm}`, known);
  return known;
}

interface Parties {
  readonly key: TestKey;
  readonly issuer: Certificate;
  readonly holder: Certificate;
  readonly responderKey: TestKey;
}
let parties: Parties;

async function makeParties(algorithm: TestKey['algorithm']): Promise<Parties> {
  const key = await keyOf('ca', algorithm);
  const certificate = async (content: Partial<CertificateContent>): Promise<Certificate> =>
    parseCertificate(
      await issueCertificate({ subject: names.holder, issuer: names.ca, key, issuerKey: key, ...content }),
    );
  return {
    key,
    issuer: await certificate({ subject: names.ca, isCa: true, keyUsage: [5, 6] }),
    holder: await certificate({ serialNumber: 0x8234 }),
    responderKey: await keyOf('responder', algorithm),
  };
}
beforeAll(async () => {
  parties = await makeParties('p256');
});

/** A responder's certificate, by the issuer unless told otherwise. */
const delegate = (content: Partial<CertificateContent> = {}): Promise<Bytes> =>
  issueCertificate({
    subject: names.responder,
    issuer: names.ca,
    key: parties.responderKey,
    issuerKey: parties.key,
    keyUsage: [0],
    extendedKeyUsage: [ocspSigning],
    extensions: [noCheck],
    ...content,
  });

/** CertID by Node's own hash. */
const certId = (key: TestKey, serialNumber = 0x8234, hash: 'sha1' | 'sha256' = 'sha1'): Bytes => {
  const digest = (bytes: Uint8Array): Bytes => new Uint8Array(createHash(hash).update(bytes).digest());
  const algorithm = hash === 'sha1' ? '1.3.14.3.2.26' : '2.16.840.1.101.3.4.2.1';
  return encode(
    sequence(
      sequence(oid(algorithm), nullValue()),
      octetString(digest(names.ca)),
      octetString(digest(readSpki(key.spki).publicKey)),
      integer(serialNumber),
    ),
  );
};

const single = (content: Partial<SingleResponseContent> = {}): SingleResponseContent => ({
  certId: certId(parties.key),
  status: 'good',
  thisUpdate: before,
  nextUpdate: after,
  ...content,
});
const answer = (content: Partial<OcspContent> = {}): Promise<Bytes> =>
  answerOcsp({
    responder: { name: names.ca },
    responderKey: parties.key,
    producedAt: now,
    responses: [single()],
    nonce,
    ...content,
  });
const delegated = async (certificate: Promise<Bytes>, content: Partial<OcspContent> = {}): Promise<Bytes> =>
  answer({
    responder: { name: names.responder },
    responderKey: parties.responderKey,
    certificates: [await certificate],
    ...content,
  });

async function ask(der: Uint8Array, question: Partial<StatusQuestion> = {}): Promise<StatusVerdict> {
  const all = { certificate: parties.holder, issuer: parties.issuer, now, ...question };
  return statusByOcsp(der, await ocspRequest(all, nonce), all);
}
const good = { status: 'good', thisUpdate: before, nextUpdate: after };
const revoked = { status: { revokedAt, reason: 4 } };

describe('ocspRequest', () => {
  it('asks about one certificate with SHA-1 and a nonce, by the letter', async () => {
    const request = await ocspRequest({ certificate: parties.holder, issuer: parties.issuer }, nonce);
    const [tbs] = readSequence(parseDer(request.der), 1, 1);
    const [list, extensions] = readSequence(tbs, 2, 2);
    const [one] = readSequence(list, 1, 1);
    const [id] = readSequence(one, 1, 1);
    expect(id && sourceBytes(id)).toEqual(certId(parties.key));
    const expected = sequence(sequence(oid(ocspNonce), octetString(encode(octetString(nonce)))));
    expect(extensions?.idBlock.tagNumber).toBe(2);
    expect(extensions && sourceBytes(readExplicit(extensions, 2))).toEqual(encode(expected));
  });

  it('takes a fresh nonce of 32 bytes of itself', async () => {
    const ids = { certificate: parties.holder, issuer: parties.issuer };
    const [a, b] = [await ocspRequest(ids), await ocspRequest(ids)];
    expect(a.nonce).toHaveLength(32);
    expect(a.nonce).not.toEqual(b.nonce);
  });
});

describe('parseOcspResponse', () => {
  it('reads every part', async () => {
    const read = parseOcspResponse(await answer({ responses: [single(revoked)], certificates: [parties.holder.der] }));
    expect(read).toMatchObject({
      signatureAlgorithm: '1.2.840.10045.4.3.2',
      responder: { name: { der: names.ca } },
      producedAt: now,
      certificates: [parties.holder.der],
      responses: [
        {
          certId: { hashAlgorithm: '1.3.14.3.2.26', serialNumber: '008234' },
          status: { at: revokedAt, reason: 'superseded' },
          thisUpdate: before,
          nextUpdate: after,
        },
      ],
    });
  });

  it.each([
    [1, 'malformedRequest'],
    [2, 'internalError'],
    [3, 'tryLater'],
    [5, 'sigRequired'],
    [6, 'unauthorized'],
  ])('reads status %s as %s', (status, refusal) => {
    expect(parseOcspResponse(ocspError(status))).toBe(refusal);
  });

  it.each([
    ['no answer where one is promised', ocspError(0)],
    ['status 4', ocspError(4)],
    ['status 7', ocspError(7)],
    ['nothing', new Uint8Array()],
    ['more than 64 KiB', new Uint8Array(65_537)],
  ])('refuses %s', (_name, der) => {
    expect(() => parseOcspResponse(der)).toThrow(OcspError);
  });

  it.each([7, 8, 11])('refuses reason %s', async (reason) => {
    const der = await answer({ responses: [single({ status: { revokedAt, reason } })] });
    expect(() => parseOcspResponse(der)).toThrow(OcspError);
  });

  it('reads any bytes as an answer or refuses them by its own error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        let thrown: unknown;
        try {
          parseOcspResponse(bytes);
        } catch (error) {
          thrown = error;
        }
        expect(thrown === undefined || thrown instanceof OcspError).toBe(true);
      }),
    );
  });
});

describe('statusByOcsp', () => {
  it.each(['sm2', 'p256', 'p384', 'rsa'] as const)(
    'verifies answers of %s keys, own and delegated',
    async (algorithm) => {
      const kept = parties;
      try {
        parties = await makeParties(algorithm);
        const own = await answer();
        await expect(ask(own)).resolves.toEqual(good);
        const byKey = { responder: { keyHash: await keyHash(parties.responderKey) } };
        const delegatedAnswer = await delegated(delegate(), { ...byKey, responses: [single(revoked)] });
        await expect(ask(delegatedAnswer)).resolves.toEqual({
          status: 'revoked',
          revocation: { at: revokedAt, reason: 'superseded' },
          thisUpdate: before,
          nextUpdate: after,
        });
        await expect(ask(changed(own, -1))).resolves.toMatchObject({ status: 'unknown' });
      } finally {
        parties = kept;
      }
    },
  );

  it('tells good, revoked and not known apart', async () => {
    await expect(ask(await answer())).resolves.toEqual(good);
    const status = { revokedAt };
    await expect(ask(await answer({ responses: [single({ status })] }))).resolves.toMatchObject({
      status: 'revoked',
      revocation: { at: revokedAt, reason: 'unspecified' },
    });
    await expect(ask(await answer({ responses: [single({ status: 'unknown' })] }))).resolves.toEqual({
      status: 'unknown',
      because: 'notKnownThere',
    });
  });

  it('finds its certificate among others, and lets the worst count', async () => {
    const others = [single({ certId: certId(parties.key, 1), ...revoked }), single()];
    await expect(ask(await answer({ responses: others }))).resolves.toEqual(good);
    await expect(ask(await answer({ responses: [single(), single(revoked)] }))).resolves.toMatchObject({
      status: 'revoked',
    });
    await expect(ask(await answer({ responses: [single(), single({ status: 'unknown' })] }))).resolves.toMatchObject({
      status: 'unknown',
    });
  });

  it('needs a nextUpdate, or its nonce again', async () => {
    const open: SingleResponseContent = { certId: certId(parties.key), status: 'good', thisUpdate: before };
    await expect(ask(await answer({ nonce: null }))).resolves.toEqual(good);
    await expect(ask(await answer({ responses: [open] }))).resolves.toMatchObject({ status: 'good' });
    await expect(ask(await answer({ nonce: null, responses: [open] }))).resolves.toEqual({
      status: 'unknown',
      because: 'stale',
    });
  });

  it('takes a CertID whose hash has no parameters for the same', async () => {
    const [, ...rest] = readSequence(parseDer(certId(parties.key)), 4, 4);
    const bare = encode(sequence(sequence(oid('1.3.14.3.2.26')), ...rest.map((part) => raw(sourceBytes(part)))));
    await expect(ask(await answer({ responses: [single({ certId: bare })] }))).resolves.toEqual(good);
  });

  it.each<[string, () => Promise<Bytes>, StatusDoubt]>([
    ['with another nonce', () => answer({ nonce: new Uint8Array(32) }), 'mismatch'],
    [
      'about another certificate',
      () => answer({ responses: [single({ certId: certId(parties.key, 1) })] }),
      'mismatch',
    ],
    ['about nothing', () => answer({ responses: [] }), 'mismatch'],
    [
      'by another hash',
      () => answer({ responses: [single({ certId: certId(parties.key, 0x8234, 'sha256') })] }),
      'mismatch',
    ],
    [
      'that has run out',
      () => answer({ responses: [single({ nextUpdate: new Date(now.getTime() - 1000) })] }),
      'stale',
    ],
    ['of tomorrow', () => answer({ responses: [single({ thisUpdate: after })] }), 'notYetValid'],
    ['made tomorrow', () => answer({ producedAt: after }), 'notYetValid'],
    [
      'with an unknown critical extension',
      () => answer({ extensions: [{ type: '1.2.3', critical: true, value: encode(nullValue()) }] }),
      'unsupported',
    ],
    [
      'with an unknown critical extension about the certificate',
      () =>
        answer({
          responses: [single({ extensions: [{ type: '1.2.3', critical: true, value: encode(nullValue()) }] })],
        }),
      'unsupported',
    ],
    [
      'signed with SHA-1',
      () => answer({ signatureAlgorithm: fromHex('300d06092a864886f70d0101050500') }),
      'unsupportedAlgorithm',
    ],
    [
      'signed with another kind of key',
      () => answer({ signatureAlgorithm: signatureAlgorithmFor('sm2') }),
      'badSignature',
    ],
    [
      'signed by a stranger under the issuer’s name',
      async () => answer({ responderKey: await keyOf('stranger') }),
      'badSignature',
    ],
    ['by somebody else', () => answer({ responder: { name: makeName('Somebody') } }), 'otherIssuer'],
    ['by a delegate that is not sent along', () => delegated(delegate(), { certificates: [] }), 'otherIssuer'],
    [
      'by a delegate not made for it',
      () => delegated(delegate({ extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] })),
      'notAllowed',
    ],
    [
      'by a delegate for whatever purpose',
      () => delegated(delegate({ extendedKeyUsage: ['2.5.29.37.0'] })),
      'notAllowed',
    ],
    ['by a delegate whose key may not sign', () => delegated(delegate({ keyUsage: [4] })), 'notAllowed'],
    ['by a delegate that would have to be asked about', () => delegated(delegate({ extensions: [] })), 'notAllowed'],
    [
      'by a delegate with an unknown critical extension',
      () => delegated(delegate({ criticalExtension: '1.2.3' })),
      'unsupported',
    ],
    ['by a delegate of yesterday', () => delegated(delegate({ notAfter: before })), 'stale'],
    ['by a delegate of tomorrow', () => delegated(delegate({ notBefore: after })), 'notYetValid'],
    ['by another authority’s delegate', () => delegated(delegate({ issuer: makeName('Other') })), 'otherIssuer'],
    [
      'by a delegate that a stranger certified under the issuer’s name',
      async () => delegated(delegate({ issuerKey: await keyOf('stranger') })),
      'badSignature',
    ],
    [
      'by a delegate with another’s key',
      async () => delegated(delegate(), { responderKey: await keyOf('stranger') }),
      'badSignature',
    ],
    ['that is none', () => Promise.resolve(ocspError(3)), 'refused'],
    ['that is garbage', () => Promise.resolve(Uint8Array.of(1, 2, 3)), 'malformed'],
  ])('does not know from an answer %s', async (_name, make, because) => {
    await expect(ask(await make())).resolves.toEqual({ status: 'unknown', because });
  });

  it('does not let a holder of the same issuer answer', async () => {
    const holderKey = await keyOf('another holder');
    const certificate = delegate({ key: holderKey, extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'], extensions: [noCheck] });
    await expect(ask(await delegated(certificate, { responderKey: holderKey }))).resolves.toMatchObject({
      status: 'unknown',
    });
  });

  it('does not know where the issuer did not issue the certificate', async () => {
    const other = parseCertificate(
      await issueCertificate({
        subject: names.holder,
        issuer: makeName('Other'),
        key: parties.key,
        issuerKey: parties.key,
      }),
    );
    await expect(ask(await answer(), { certificate: other })).resolves.toEqual({
      status: 'unknown',
      because: 'otherIssuer',
    });
  });

  it('answers to any bytes without throwing, and never with good', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        expect((await ask(bytes)).status).toBe('unknown');
      }),
    );
  });

  it('never finds an answer good that revokes, whatever bit of it is changed', async () => {
    const der = await delegated(delegate(), { responses: [single(revoked)] });
    for (const index of der.keys()) {
      const mutant = concat(der);
      mutant[index] = (mutant[index] ?? 0) ^ (1 << (index % 8));
      expect((await ask(mutant)).status).not.toBe('good');
    }
  });

  it('never finds a mutant of an answer good that revokes', async () => {
    const der = await delegated(delegate(), { responses: [single(revoked)] });
    const mutation = fc.record({
      at: fc.nat(der.length - 1),
      remove: fc.nat(4),
      insert: fc.uint8Array({ maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
        let bytes = der;
        for (const { at, remove, insert } of mutations) {
          bytes = concat(bytes.subarray(0, at), insert, bytes.subarray(at + remove));
        }
        expect((await ask(bytes)).status).not.toBe('good');
      }),
      { numRuns: 500 },
    );
  });
});
