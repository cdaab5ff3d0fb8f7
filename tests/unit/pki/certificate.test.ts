import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import * as pkijs from 'pkijs';
import { describe, expect, it } from 'vitest';
import { bytesEqual, copyBytes, fromHex, toHex } from '../../../src/pki/bytes.ts';
import { CertificateError, parseCertificate } from '../../../src/pki/certificate.ts';
import { encode, oid, raw, sequence, set } from '../../../src/pki/der.ts';
import { changed, issueCertificate, makeKey, makeName } from './hierarchy.ts';

const key = await makeKey('p256');
const content = {
  subject: makeName('测试纳税人'),
  issuer: makeName('Root'),
  key,
  issuerKey: key,
  notBefore: new Date('2026-03-04T05:06:07Z'),
  notAfter: new Date('2051-03-04T05:06:07Z'),
  serialNumber: 0x1234_5678_9abc,
  isCa: true,
  pathLength: 2,
  keyUsage: [0, 5, 8],
  extendedKeyUsage: ['1.3.6.1.5.5.7.3.27'],
  subjectKeyIdentifier: Uint8Array.of(1, 2, 3),
  authorityKeyIdentifier: Uint8Array.of(4, 5, 6),
};
const der = await issueCertificate(content);

describe('parseCertificate', () => {
  it('reads every part', () => {
    const certificate = parseCertificate(der);
    expect(certificate).toMatchObject({
      der,
      signatureAlgorithm: '1.2.840.10045.4.3.2',
      serialNumber: '123456789abc',
      notBefore: content.notBefore,
      notAfter: content.notAfter,
      spki: key.spki,
      keyAlgorithm: 'p256',
      subjectKeyIdentifier: content.subjectKeyIdentifier,
      authorityKeyIdentifier: content.authorityKeyIdentifier,
      isCa: true,
      pathLength: 2,
    });
    expect(certificate.subject).toEqual({
      der: content.subject,
      attributes: [
        { type: '2.5.4.6', value: 'CN' },
        { type: '2.5.4.3', value: '测试纳税人' },
      ],
      relativeNames: [1, 1],
    });
    expect(certificate.issuer.der).toEqual(content.issuer);
    expect([...(certificate.keyUsage ?? [])]).toEqual(['digitalSignature', 'keyCertSign', 'decipherOnly']);
    expect([...(certificate.extendedKeyUsage ?? [])]).toEqual(['1.3.6.1.5.5.7.3.27']);
    expect(certificate.extensions.get('2.5.29.19')?.critical).toBe(true);
  });

  it('agrees with OpenSSL and with pkijs', () => {
    const ours = parseCertificate(der);
    const openssl = new X509Certificate(der);
    expect(openssl.serialNumber.toLowerCase()).toBe(ours.serialNumber);
    expect(new Date(openssl.validFrom)).toEqual(ours.notBefore);
    expect(new Date(openssl.validTo)).toEqual(ours.notAfter);
    expect(openssl.ca).toBe(ours.isCa);
    expect(toHex(openssl.publicKey.export({ type: 'spki', format: 'der' }))).toBe(toHex(ours.spki));
    expect(openssl.verify(openssl.publicKey)).toBe(true);
    const theirs = pkijs.Certificate.fromBER(copyBytes(der).buffer);
    expect(bytesEqual(new Uint8Array(theirs.tbsView), ours.tbs)).toBe(true);
    expect(toHex(theirs.signatureValue.valueBlock.valueHexView)).toBe(toHex(ours.signature));
  });

  it.each(['sm2', 'p256', 'p384', 'rsa'] as const)('reads a certificate for a key of kind %s', async (algorithm) => {
    const anyKey = await makeKey(algorithm);
    const certificate = parseCertificate(await issueCertificate({ ...content, key: anyKey, issuerKey: anyKey }));
    expect(certificate.keyAlgorithm).toBe(algorithm);
    expect(toHex(new X509Certificate(certificate.der).raw)).toBe(toHex(certificate.der));
  });

  it('leaves absent extensions undefined', async () => {
    const plain = parseCertificate(
      await issueCertificate({ subject: content.subject, issuer: content.issuer, key, issuerKey: key }),
    );
    expect(plain).toMatchObject({ keyUsage: undefined, subjectKeyIdentifier: undefined, isCa: false });
    expect(plain.extensions.size).toBe(0);
  });

  it('writes a name’s value that is not a string as hexadecimal', async () => {
    const subject = encode(sequence(set(sequence(oid('2.5.4.3'), raw(fromHex('0500'))))));
    const certificate = parseCertificate(await issueCertificate({ ...content, subject }));
    expect(certificate.subject.attributes).toEqual([{ type: '2.5.4.3', value: '#0500' }]);
  });

  it('refuses one cut short at any point, or with bytes after it', () => {
    for (let length = 0; length < der.length; length += 3) {
      expect(() => parseCertificate(der.subarray(0, length)), `${length} bytes`).toThrow(CertificateError);
    }
    expect(() => parseCertificate(Uint8Array.of(...der, 0))).toThrow(CertificateError);
  });

  it('refuses differing signature algorithms, inside and outside', async () => {
    const sm2 = fromHex('300a06082a811ccf55018375');
    const mixed = await issueCertificate({ ...content, signatureAlgorithm: sm2 });
    const inner = toHex(mixed).indexOf('2a811ccf55018375') / 2;
    expect(() => parseCertificate(changed(mixed, inner + 7))).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it.each([
    ['parameters on SM2', '300d06082a811ccf55018375040100'],
    ['no algorithm', '3000'],
  ])('refuses a signature algorithm with %s', async (_name, algorithm) => {
    const bad = await issueCertificate({ ...content, signatureAlgorithm: fromHex(algorithm) });
    expect(() => parseCertificate(bad)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('tells an unknown kind of key from a malformed certificate', async () => {
    const spki = fromHex(`302a300506032b6570032100${'11'.repeat(32)}`);
    const bad = await issueCertificate({ ...content, key: { spki } });
    expect(() => parseCertificate(bad)).toThrow(expect.objectContaining({ code: 'unsupportedKey' }));
  });

  it('reads or throws CertificateError, whatever bytes are changed', () => {
    const mutation = fc.tuple(fc.nat({ max: der.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const bytes = der.slice();
        for (const [index, value] of mutations) bytes[index] = value;
        try {
          expect(bytesEqual(parseCertificate(bytes).der, bytes)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(CertificateError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
