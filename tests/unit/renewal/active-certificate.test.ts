import { beforeAll, describe, expect, it } from 'vitest';
import { parseCertificate, type Certificate } from '../../../src/pki/certificate.ts';
import { activeUnlessRevoked } from '../../../src/renewal/active-certificate.ts';
import type { CertificateOnKey } from '../../../src/renewal/key-contents.ts';
import { issueCertificate, makeKey, makeName, type TestKey } from '../pki/hierarchy.ts';

const now = new Date('2026-06-01T00:00:00Z');
let key: TestKey;
let older: CertificateOnKey;
let newer: CertificateOnKey;

async function onKey(container: string, notBefore: string): Promise<CertificateOnKey> {
  const name = makeName('Holder');
  const der = await issueCertificate({
    ...{ subject: name, issuer: name, key, issuerKey: key },
    notBefore: new Date(notBefore),
  });
  const certificate = parseCertificate(der);
  return {
    container: {
      ref: { application: 'A', container },
      signing: { certificate: der, publicKey: key.spki },
      encryption: undefined,
    },
    certificate,
    encryptionCertificate: undefined,
    generation: 'new',
    keyMatches: true,
  };
}
beforeAll(async () => {
  key = await makeKey('p256');
  older = await onKey('older', '2026-01-01T00:00:00Z');
  newer = await onKey('newer', '2026-02-01T00:00:00Z');
});

describe('the active certificate', () => {
  const among =
    (...revoked: readonly CertificateOnKey[]) =>
    (certificate: Certificate): boolean =>
      revoked.some((one) => one.certificate === certificate);

  it('is the newest where none is known to be revoked', () => {
    const found = activeUnlessRevoked([older, newer], now, [], among());
    expect(found).toEqual({ active: newer, isRevoked: false });
  });

  it('is the next where the newest is revoked', () => {
    const found = activeUnlessRevoked([older, newer], now, [], among(newer));
    expect(found).toEqual({ active: older, isRevoked: false });
  });

  it('is a revoked one, and said to be, where there is no other', () => {
    expect(activeUnlessRevoked([older, newer], now, [], among(older, newer))).toEqual({
      active: newer,
      isRevoked: true,
    });
    expect(activeUnlessRevoked([older, newer], now, [older.container.ref], among(newer))).toEqual({
      active: newer,
      isRevoked: true,
    });
  });

  it('is none on a key without any', () => {
    expect(activeUnlessRevoked([], now, [], among())).toEqual({ active: undefined, isRevoked: false });
  });
});
