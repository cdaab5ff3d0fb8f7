import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { verifyChain } from '../../src/pki/chain.ts';
import { createCsr, parseCsr, verifyCsr } from '../../src/pki/csr.ts';
import { signatureOidFor, verifySignature } from '../../src/pki/signature.ts';
import { sm3 } from '../../src/pki/sm3.ts';
import { sm4EcbEncrypt } from '../../src/pki/sm4.ts';
import { toHex } from '../../src/pki/bytes.ts';
import { changed, issueCertificate, makeKey, makeName, pem } from '../unit/pki/hierarchy.ts';
import { OpensslDirectory, sm2Id } from './openssl.ts';

let dir: OpensslDirectory;
beforeAll(async () => {
  dir = await OpensslDirectory.make();
});
afterAll(() => dir.remove());

const subject = makeName('测试纳税人');
const message = new TextEncoder().encode('一段要签名的话');

describe('SM2 with OpenSSL', () => {
  it('OpenSSL accepts our request, and refuses it changed', async () => {
    const key = await makeKey('sm2');
    const csr = await createCsr({ subject, spki: key.spki, sign: key.sign });
    await dir.write('ours.csr', pem('CERTIFICATE REQUEST', csr));
    await dir.write('changed.csr', pem('CERTIFICATE REQUEST', changed(csr, -1)));
    const verify = (file: string): Promise<string> =>
      dir.openssl('req', '-in', file, '-verify', '-vfyopt', sm2Id, '-noout');
    await expect(verify('ours.csr')).resolves.toMatch(/verify OK/iu);
    await expect(
      verify('changed.csr').then(
        (said) => said,
        (error: unknown) => String(error),
      ),
    ).resolves.toMatch(/verify failure|verification failure/iu);
  });

  it('we accept OpenSSL’s request', async () => {
    await dir.openssl('genpkey', '-algorithm', 'SM2', '-out', 'their.key');
    await dir.openssl(
      'req',
      '-new',
      '-key',
      'their.key',
      '-subj',
      '/C=CN/CN=Theirs',
      '-sm3',
      '-sigopt',
      sm2Id,
      '-outform',
      'DER',
      '-out',
      'their.csr',
    );
    const csr = await dir.read('their.csr');
    expect(parseCsr(csr).keyAlgorithm).toBe('sm2');
    await expect(verifyCsr(csr)).resolves.toBe(true);
    await expect(verifyCsr(changed(csr, -1))).resolves.toBe(false);
  });

  it('signatures of one verify with the other', async () => {
    await dir.openssl('genpkey', '-algorithm', 'SM2', '-out', 'sign.key');
    await dir.openssl('pkey', '-in', 'sign.key', '-pubout', '-outform', 'DER', '-out', 'sign.pub');
    await dir.write('message', message);
    await dir.openssl('dgst', '-sm3', '-sign', 'sign.key', '-sigopt', sm2Id, '-out', 'their.signature', 'message');
    const claim = { spki: await dir.read('sign.pub'), algorithm: signatureOidFor('sm2'), message };
    await expect(verifySignature({ ...claim, signature: await dir.read('their.signature') })).resolves.toBe(true);

    const key = await makeKey('sm2');
    await dir.write('our.pub', pem('PUBLIC KEY', key.spki));
    await dir.write('our.signature', await key.sign(message));
    const said = await dir.openssl(
      'dgst',
      '-sm3',
      '-verify',
      'our.pub',
      '-sigopt',
      sm2Id,
      '-signature',
      'our.signature',
      'message',
    );
    expect(said).toContain('Verified OK');
  });

  it('SM3 and SM4 agree', async () => {
    const data = Uint8Array.from({ length: 4096 }, (_, index) => (index * 7) & 0xff);
    await dir.write('data', data);
    expect(await dir.openssl('dgst', '-sm3', '-r', 'data')).toContain(toHex(sm3(data)));
    const key = data.slice(1, 17);
    await dir.openssl('enc', '-sm4-ecb', '-nopad', '-K', toHex(key), '-in', 'data', '-out', 'encrypted');
    expect(toHex(await dir.read('encrypted'))).toBe(toHex(sm4EcbEncrypt(key, data)));
  });

  it('we verify a chain that OpenSSL made, through an intermediate', async () => {
    const ca = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n';
    await dir.write('ca.ext', ca);
    await dir.write(
      'leaf.ext',
      'keyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n',
    );
    for (const name of ['root', 'middle', 'leaf']) {
      await dir.openssl('genpkey', '-algorithm', 'SM2', '-out', `${name}.key`);
      await dir.openssl(
        'req',
        '-new',
        '-key',
        `${name}.key`,
        '-subj',
        `/C=CN/CN=${name}`,
        '-sm3',
        '-sigopt',
        sm2Id,
        '-out',
        `${name}.csr`,
      );
    }
    const issue = (name: string, issuer: string, extensions: string): Promise<string> =>
      dir.openssl(
        ...[
          'x509',
          '-req',
          '-in',
          `${name}.csr`,
          '-vfyopt',
          sm2Id,
          '-extfile',
          extensions,
          '-days',
          '30',
          '-sm3',
          '-sigopt',
          sm2Id,
        ],
        ...(issuer === name
          ? ['-signkey', `${name}.key`]
          : ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`, '-CAcreateserial']),
        ...['-out', `${name}.crt`],
      );
    await issue('root', 'root', 'ca.ext');
    await issue('middle', 'root', 'ca.ext');
    await issue('leaf', 'middle', 'leaf.ext');
    const [root, middle, leaf] = await Promise.all(
      ['root.crt', 'middle.crt', 'leaf.crt'].map((name) => dir.certificate(name)),
    );
    if (!root || !middle || !leaf) throw new Error('three certificates expected');

    const certificate = parseCertificate(leaf);
    expect(certificate).toMatchObject({ keyAlgorithm: 'sm2', signatureAlgorithm: signatureOidFor('sm2'), isCa: false });
    expect([...(certificate.keyUsage ?? [])]).toEqual(['digitalSignature']);
    const request = { leaf, intermediates: [middle], anchors: [root], at: new Date() };
    const result = await verifyChain(request);
    expect(result.ok && result.path.map(({ der }) => toHex(der))).toEqual([leaf, middle, root].map(toHex));
    await expect(verifyChain({ ...request, leaf: changed(leaf, -1) })).resolves.toEqual({
      ok: false,
      reason: 'badSignature',
    });
    await expect(verifyChain({ ...request, at: new Date(Date.now() + 31 * 86_400_000) })).resolves.toEqual({
      ok: false,
      reason: 'expired',
    });
  });

  it('OpenSSL verifies a chain that we made, pair by pair', async () => {
    const [rootKey, middleKey, leafKey] = [await makeKey('sm2'), await makeKey('sm2'), await makeKey('sm2')];
    const [rootName, middleName] = [makeName('Root'), makeName('Middle')];
    const now = Date.now();
    const common = { notBefore: new Date(now - 300_000), notAfter: new Date(now + 86_400_000) };
    const ca = { ...common, isCa: true, keyUsage: [5, 6] };
    const root = await issueCertificate({
      ...ca,
      subject: rootName,
      issuer: rootName,
      key: rootKey,
      issuerKey: rootKey,
    });
    const middle = await issueCertificate({
      ...ca,
      subject: middleName,
      issuer: rootName,
      key: middleKey,
      issuerKey: rootKey,
    });
    const leaf = await issueCertificate({
      ...common,
      subject,
      issuer: middleName,
      key: leafKey,
      issuerKey: middleKey,
      keyUsage: [0],
    });
    for (const [name, der] of Object.entries({ root, middle, leaf, forged: changed(leaf, -1) })) {
      await dir.write(`our-${name}.crt`, pem('CERTIFICATE', der));
    }
    const verify = (trusted: string, name: string): Promise<string> =>
      dir.openssl('verify', '-vfyopt', sm2Id, '-partial_chain', '-trusted', trusted, name);
    await expect(verify('our-root.crt', 'our-middle.crt')).resolves.toContain('OK');
    await expect(verify('our-middle.crt', 'our-leaf.crt')).resolves.toContain('OK');
    await expect(verify('our-middle.crt', 'our-forged.crt')).rejects.toThrow();
    await expect(
      verifyChain({ leaf, intermediates: [middle], anchors: [root], at: new Date() }),
    ).resolves.toMatchObject({ ok: true });
  });
});
