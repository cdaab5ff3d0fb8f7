import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { signatureAlgorithmFor } from '../../../src/pki/algorithms.ts';
import { concat, fromHex, toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate, type Certificate } from '../../../src/pki/certificate.ts';
import {
  CrlError,
  maxCrlBytes,
  maxCrlEntries,
  parseCrl,
  revocationIn,
  statusByCrl,
  type StatusQuestion,
} from '../../../src/pki/crl.ts';
import {
  certificateTime,
  encode,
  explicit,
  generalizedTime,
  implicitPrimitive,
  integer,
  oid,
  printableString,
  sequence,
  set,
  type DerBlock,
} from '../../../src/pki/der.ts';
import type { StatusDoubt, StatusVerdict } from '../../../src/pki/revocation.ts';
import { changed, issueCertificate, makeKey, makeName, type CertificateContent, type TestKey } from './hierarchy.ts';
import { issueCrl, type CrlContent, type TestExtension } from './revocation-answers.ts';

const now = new Date('2026-06-01T00:00:00Z');
const before = new Date('2026-05-31T00:00:00Z');
const after = new Date('2026-06-02T00:00:00Z');
const revokedAt = new Date('2026-05-01T12:00:00Z');
const names = { ca: makeName('CA'), holder: makeName('Holder') };
const keyIdentifier = Uint8Array.of(1, 2, 3);

let key: TestKey;
let issuer: Certificate;
let holder: Certificate;

const issue = async (content: Partial<CertificateContent>): Promise<Certificate> =>
  parseCertificate(
    await issueCertificate({ subject: names.holder, issuer: names.ca, key, issuerKey: key, ...content }),
  );
const ca = { subject: names.ca, isCa: true, keyUsage: [5, 6], subjectKeyIdentifier: keyIdentifier } as const;

beforeAll(async () => {
  key = await makeKey('p256');
  issuer = await issue(ca);
  holder = await issue({ serialNumber: 0x1234 });
});

const list = (content: Partial<CrlContent> = {}): Promise<Bytes> =>
  issueCrl({
    issuer: names.ca,
    issuerKey: key,
    thisUpdate: before,
    nextUpdate: after,
    entries: [{ serialNumber: '1234', at: revokedAt, reason: 4 }],
    extensions: [authorityKeyIdentifier(keyIdentifier), crlNumber],
    ...content,
  });
const authorityKeyIdentifier = (identifier: Uint8Array): TestExtension => ({
  type: '2.5.29.35',
  value: encode(sequence(implicitPrimitive(0, identifier))),
});
const crlNumber: TestExtension = { type: '2.5.29.20', value: encode(integer(7)) };
const distributionPoint = (...parts: readonly DerBlock[]): TestExtension => ({
  type: '2.5.29.28',
  critical: true,
  value: encode(sequence(...parts)),
});
const uri = (text: string): DerBlock => implicitPrimitive(6, new TextEncoder().encode(text));
const codeOf = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof CrlError) return error.code;
    throw error;
  }
};

describe('parseCrl', () => {
  it('reads every part', async () => {
    const crl = parseCrl(await list());
    expect(crl).toMatchObject({
      signatureAlgorithm: '1.2.840.10045.4.3.2',
      thisUpdate: before,
      nextUpdate: after,
      authorityKeyIdentifier: keyIdentifier,
      scope: { points: undefined, only: undefined },
      count: 1,
    });
    expect(crl.issuer.der).toEqual(names.ca);
    expect(revocationIn(crl, '1234')).toEqual({ at: revokedAt, reason: 'superseded' });
  });

  it('reads a list of version 1, and one that names nobody', async () => {
    const crl = parseCrl(await list({ version: 1, extensions: null, entries: [] }));
    expect(crl.count).toBe(0);
    expect(revocationIn(crl, '1234')).toBeUndefined();
  });

  it('finds one among many by the whole number', async () => {
    const entries = Array.from({ length: 300 }, (_, index) => ({
      serialNumber: toHex(Uint8Array.of(1, index >> 8, index & 0xff)),
      at: revokedAt,
      reason: index === 299 ? 1 : 4,
    }));
    const crl = parseCrl(await list({ entries }));
    expect(crl.count).toBe(300);
    expect(revocationIn(crl, '01012b')).toEqual({ at: revokedAt, reason: 'keyCompromise' });
    expect(revocationIn(crl, '01012c')).toBeUndefined();
    expect(revocationIn(crl, '01')).toBeUndefined();
    expect(revocationIn(crl, '0101')).toBeUndefined();
  });

  it.each([
    [undefined, 'unspecified'],
    [0, 'unspecified'],
    [1, 'keyCompromise'],
    [2, 'cACompromise'],
    [3, 'affiliationChanged'],
    [5, 'cessationOfOperation'],
    [6, 'certificateHold'],
    [9, 'privilegeWithdrawn'],
    [10, 'aACompromise'],
  ] as const)('reads reason %s as %s', async (number, reason) => {
    const entry = { serialNumber: '1234', at: revokedAt, ...(number !== undefined && { reason: number }) };
    expect(revocationIn(parseCrl(await list({ entries: [entry] })), '1234')).toEqual({ at: revokedAt, reason });
  });

  it.each([7, 8, 11])('refuses reason %s', async (reason) => {
    const crl = parseCrl(await list({ entries: [{ serialNumber: '1234', at: revokedAt, reason }] }));
    expect(codeOf(() => revocationIn(crl, '1234'))).toBe('malformed');
  });

  it('understands the date from which a key was not safe, critical or not', async () => {
    const invalidityDate = { type: '2.5.29.24', critical: true, value: encode(generalizedTime(before)) };
    const entry = { serialNumber: '1234', at: revokedAt, reason: 1, extensions: [invalidityDate] };
    expect(revocationIn(parseCrl(await list({ entries: [entry] })), '1234')?.reason).toBe('keyCompromise');
  });

  it.each<[string, Partial<CrlContent>, string]>([
    ['without nextUpdate', { nextUpdate: null }, 'malformed'],
    ['of version 3', { version: 3 }, 'malformed'],
    ['of version 1 with extensions', { version: 1 }, 'malformed'],
    [
      'of version 1 with extensions in an entry',
      { version: 1, extensions: null, entries: [{ serialNumber: '1234', at: revokedAt, reason: 1 }] },
      'malformed',
    ],
    ['with empty extensions', { extensions: [] }, 'malformed'],
    ['with an extension twice', { extensions: [crlNumber, crlNumber] }, 'malformed'],
    ['with two signature algorithms', { innerAlgorithm: signatureAlgorithmFor('sm2') }, 'malformed'],
    ['that is a delta', { extensions: [{ ...crlNumber, type: '2.5.29.27', critical: true }] }, 'unsupported'],
    [
      'that is a delta and does not say how serious that is',
      { extensions: [{ ...crlNumber, type: '2.5.29.27' }] },
      'unsupported',
    ],
    [
      'with an unknown critical extension',
      { extensions: [{ ...crlNumber, type: '1.2.3', critical: true }] },
      'unsupported',
    ],
    [
      'with an unknown critical extension in another’s entry',
      {
        entries: [
          { serialNumber: '1234', at: revokedAt },
          { serialNumber: '77', at: revokedAt, extensions: [{ ...crlNumber, type: '2.5.29.29', critical: true }] },
        ],
      },
      'unsupported',
    ],
    ['that is indirect', { extensions: [distributionPoint(implicitPrimitive(4, Uint8Array.of(0xff)))] }, 'unsupported'],
    [
      'about some reasons',
      { extensions: [distributionPoint(implicitPrimitive(3, Uint8Array.of(1, 0x20)))] },
      'unsupported',
    ],
    [
      'about attribute certificates',
      { extensions: [distributionPoint(implicitPrimitive(5, Uint8Array.of(0xff)))] },
      'unsupported',
    ],
    [
      'about holders and authorities alone at once',
      {
        extensions: [
          distributionPoint(implicitPrimitive(1, Uint8Array.of(0xff)), implicitPrimitive(2, Uint8Array.of(0xff))),
        ],
      },
      'malformed',
    ],
    [
      'whose scope has a FALSE',
      { extensions: [distributionPoint(implicitPrimitive(1, Uint8Array.of(0)))] },
      'malformed',
    ],
  ])('refuses a list %s', async (_name, content, code) => {
    const der = await list(content);
    expect(codeOf(() => parseCrl(der))).toBe(code);
    await expect(statusByCrl(der, { certificate: holder, issuer, now })).resolves.toEqual({
      status: 'unknown',
      because: code,
    });
  });

  it('refuses a list that is too long before reading it', () => {
    expect(codeOf(() => parseCrl(new Uint8Array(maxCrlBytes + 1)))).toBe('tooLarge');
  });

  it('refuses more entries than are ever needed', async () => {
    const one = encode(sequence(integer(1), certificateTime(revokedAt)));
    const many = new Uint8Array(one.length * (maxCrlEntries + 1));
    for (let i = 0; i <= maxCrlEntries; i++) many.set(one, i * one.length);
    const der = await list({ entries: [], entryBytes: many });
    expect(der.length).toBeLessThan(maxCrlBytes);
    expect(codeOf(() => parseCrl(der))).toBe('tooLarge');
  });

  it('reads any bytes as a list or refuses them by its own error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect([undefined, 'malformed', 'tooLarge', 'unsupported']).toContain(codeOf(() => parseCrl(bytes)));
      }),
    );
  });
});

describe('statusByCrl', () => {
  const ask = (der: Uint8Array, question: Partial<StatusQuestion> = {}): Promise<StatusVerdict> =>
    statusByCrl(der, { certificate: holder, issuer, now, ...question });

  it.each(['sm2', 'p256', 'p384', 'rsa'] as const)('verifies a list signed with %s', async (algorithm) => {
    const issuerKey = await makeKey(algorithm);
    const signer = await issue({ ...ca, key: issuerKey, issuerKey });
    const question = { certificate: holder, issuer: signer, now };
    const der = await list({ issuerKey });
    await expect(ask(der, question)).resolves.toEqual({
      status: 'revoked',
      revocation: { at: revokedAt, reason: 'superseded' },
      thisUpdate: before,
      nextUpdate: after,
    });
    await expect(ask(await list({ issuerKey, entries: [] }), question)).resolves.toEqual({
      status: 'good',
      thisUpdate: before,
      nextUpdate: after,
    });
    await expect(ask(changed(der, -1), question)).resolves.toMatchObject({ status: 'unknown' });
  });

  it('knows an issuer by its name in another string type', async () => {
    const name = encode(
      sequence(
        set(sequence(oid('2.5.4.6'), printableString('CN'))),
        set(sequence(oid('2.5.4.3'), printableString('CA'))),
      ),
    );
    await expect(ask(await list({ issuer: name }))).resolves.toMatchObject({ status: 'revoked' });
  });

  it('takes both ends of its time as valid, and a clock of the authority five minutes ahead', async () => {
    await expect(ask(await list({ thisUpdate: now, nextUpdate: now }))).resolves.toMatchObject({ status: 'revoked' });
    const ahead = new Date(now.getTime() + 300_000);
    await expect(ask(await list({ thisUpdate: ahead, nextUpdate: after }))).resolves.toMatchObject({
      status: 'revoked',
    });
  });

  const second = 1000;
  it.each<[string, Partial<CrlContent>, StatusDoubt]>([
    ['that has run out', { nextUpdate: new Date(now.getTime() - second) }, 'stale'],
    ['of tomorrow', { thisUpdate: new Date(now.getTime() + 301 * second) }, 'notYetValid'],
    ['of another issuer', { issuer: makeName('Somebody') }, 'otherIssuer'],
    ['of another key', { extensions: [authorityKeyIdentifier(Uint8Array.of(9))] }, 'otherIssuer'],
    ['signed with SHA-1', { signatureAlgorithm: fromHex('300d06092a864886f70d0101050500') }, 'unsupportedAlgorithm'],
    ['signed with another kind of key', { signatureAlgorithm: signatureAlgorithmFor('sm2') }, 'badSignature'],
    [
      'about authorities alone',
      { extensions: [distributionPoint(implicitPrimitive(2, Uint8Array.of(0xff)))] },
      'outOfScope',
    ],
    [
      'of a point the certificate does not name',
      { extensions: [distributionPoint(explicit(0, explicit(0, uri('http://crl.example/1'))))] },
      'outOfScope',
    ],
    [
      'of a point named relative to its issuer',
      { extensions: [distributionPoint(explicit(0, explicit(1, uri('x'))))] },
      'outOfScope',
    ],
  ])('does not know from a list %s', async (_name, content, because) => {
    for (const entries of [[], [{ serialNumber: '1234', at: revokedAt }]]) {
      await expect(ask(await list({ ...content, entries }))).resolves.toEqual({ status: 'unknown', because });
    }
  });

  it('does not know from a list signed by a stranger under the issuer’s name', async () => {
    const stranger = await makeKey('p256');
    await expect(ask(await list({ issuerKey: stranger }))).resolves.toEqual({
      status: 'unknown',
      because: 'badSignature',
    });
  });

  it('does not know where the issuer may not sign lists, or did not issue the certificate', async () => {
    const der = await list();
    const notAllowed = await issue({ ...ca, keyUsage: [5] });
    await expect(ask(der, { issuer: notAllowed })).resolves.toEqual({ status: 'unknown', because: 'notAllowed' });
    const certificate = await issue({ issuer: makeName('Somebody'), serialNumber: 1 });
    await expect(ask(der, { certificate })).resolves.toEqual({ status: 'unknown', because: 'otherIssuer' });
  });

  it('takes a list about holders’ certificates alone', async () => {
    const extensions = [distributionPoint(implicitPrimitive(1, Uint8Array.of(0xff)))];
    await expect(ask(await list({ extensions }))).resolves.toMatchObject({ status: 'revoked' });
    await expect(
      ask(await list({ extensions }), { certificate: await issue({ ...ca, serialNumber: 0x1234 }) }),
    ).resolves.toEqual({ status: 'unknown', because: 'outOfScope' });
  });

  it('takes a part of the authority’s list at a point that the certificate names', async () => {
    const point = explicit(0, explicit(0, uri('http://crl.example/1')));
    const points = sequence(sequence(explicit(0, explicit(0, uri('http://crl.example/0')))), sequence(point));
    const certificate = await issue({
      serialNumber: 0x1234,
      extensions: [{ type: '2.5.29.31', critical: false, value: encode(points) }],
    });
    const der = await list({ extensions: [distributionPoint(point)] });
    await expect(ask(der, { certificate })).resolves.toMatchObject({ status: 'revoked' });
    await expect(ask(der, { certificate: holder })).resolves.toMatchObject({ status: 'unknown' });
  });

  it('answers to any bytes without throwing, and never with good', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        expect((await ask(bytes)).status).toBe('unknown');
      }),
    );
  });

  it('never finds a list good that revokes, whatever bit of it is changed', async () => {
    const der = await list();
    for (const index of der.keys()) {
      const mutant = concat(der);
      mutant[index] = (mutant[index] ?? 0) ^ (1 << (index % 8));
      expect((await ask(mutant)).status).not.toBe('good');
    }
  });

  it('never finds a mutant of a list good that revokes', async () => {
    const der = await list();
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
