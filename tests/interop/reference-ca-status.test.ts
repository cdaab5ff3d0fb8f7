import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  parseDer,
  readBitString,
  readExplicit,
  readOctetString,
  readSequence,
  sourceBytes,
} from '../../src/pki/der.ts';
import { listen, type Listening } from '../demo/listen.ts';
import type { AuthorityName } from '../reference-ca/hierarchy.ts';
import { answerWith } from '../reference-ca/http.ts';
import { fingerprint } from '../reference-ca/ledger.ts';
import { openReferenceCa, type ReferenceCa } from '../reference-ca/reference-ca.ts';
import { makeHolder, type Holder } from '../unit/reference-ca/holder.ts';
import { OpensslDirectory, sm2Id } from './openssl.ts';

/* Revocation lists and OCSP answers of the reference CA, asked for and judged by OpenSSL. */

let openssl: OpensslDirectory;
let ca: ReferenceCa;
let server: Listening;
beforeAll(async () => {
  openssl = await OpensslDirectory.make();
  ca = await openReferenceCa();
  server = await listen(() => createServer(answerWith(ca.handler)), { port: 0, strictPort: true, host: '127.0.0.1' });
});
afterAll(async () => {
  await server.close();
  await ca.close();
  await openssl.remove();
});

const pem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/.{1,64}/gu, '$&\n')}-----END ${label}-----\n`;

/** A certificate that stands and one that was revoked, and the authority's files. */
async function layOut(authority: AuthorityName): Promise<{ readonly good: Holder; readonly revoked: Holder }> {
  const [good, revoked] = [
    await makeHolder(ca, new Date(), { authority }),
    await makeHolder(ca, new Date(), { authority }),
  ];
  await ca.revoke(revoked.certificate.der, 'keyCompromise');
  const { root, issuing } = ca.hierarchy[authority];
  const crl = await fetch(`${server.url}api/crl/${fingerprint(issuing.key.spki)}`);
  await openssl.write('root.crt', pem('CERTIFICATE', root));
  await openssl.write('issuing.crt', pem('CERTIFICATE', issuing.certificate));
  await openssl.write('good.crt', pem('CERTIFICATE', good.certificate.der));
  await openssl.write('revoked.crt', pem('CERTIFICATE', revoked.certificate.der));
  await openssl.write('crl.der', new Uint8Array(await crl.arrayBuffer()));
  await openssl.openssl('crl', '-inform', 'DER', '-in', 'crl.der', '-out', 'crl.pem');
  return { good, revoked };
}

/** What openssl says, whether it ends well or not. */
const saying = (...args: readonly string[]): Promise<string> =>
  openssl.openssl(...args).catch((error: unknown) => {
    if (error instanceof Error && 'stderr' in error && 'stdout' in error) {
      return String(error.stdout) + String(error.stderr);
    }
    throw error;
  });

const verify = (name: string): Promise<string> =>
  saying('verify', ...['-crl_check', '-CAfile', 'root.crt', '-untrusted', 'issuing.crt', '-CRLfile', 'crl.pem'], name);

describe.each(['p256', 'oldRsa'] as const)('under %s', (authority) => {
  test('openssl verify -crl_check passes the one and stops at the other', async () => {
    await layOut(authority);
    expect(await verify('good.crt')).toBe('good.crt: OK\n');
    expect(await verify('revoked.crt')).toContain('certificate revoked');
  });

  test('openssl ocsp is told good and revoked, with its nonce', async () => {
    await layOut(authority);
    const run = await saying(
      ...['ocsp', '-issuer', 'issuing.crt', '-cert', 'good.crt', '-cert', 'revoked.crt', '-nonce'],
      ...['-url', `${server.url}api/ocsp`, '-CAfile', 'root.crt', '-resp_text'],
    );
    expect(run).toContain('Response verify OK');
    expect(run).not.toContain('WARNING: no nonce in response');
    expect(run).toMatch(/^good\.crt: good$/mu);
    expect(run).toMatch(/^revoked\.crt: revoked$/mu);
    expect(run).toContain('Reason: keyCompromise');
  });
});

describe('under sm2', () => {
  /** The parts of a signed SEQUENCE as files, and what `openssl dgst` says to them. */
  async function verifySigned(der: Uint8Array, certificate: string): Promise<string> {
    const [tbs, , signature] = readSequence(parseDer(der));
    if (!tbs) throw new Error('nothing signed');
    await openssl.write('tbs.der', sourceBytes(tbs));
    await openssl.write('signature.der', readBitString(signature));
    await openssl.openssl('x509', '-in', certificate, '-noout', '-pubkey', '-out', 'public.pem');
    return saying(
      ...['dgst', '-sm3', '-verify', 'public.pem', '-sigopt', sm2Id, '-signature', 'signature.der', 'tbs.der'],
    );
  }

  test('openssl reads the revocation list and verifies its signature', async () => {
    const { revoked } = await layOut('sm2');

    const text = await openssl.openssl('crl', '-in', 'crl.pem', '-noout', '-text');
    const verified = await verifySigned(await openssl.read('crl.der'), 'issuing.crt');

    expect(text).toContain('SM2-with-SM3');
    expect(text).toContain(`Serial Number: ${revoked.certificate.serialNumber.toUpperCase()}`);
    expect(text).toContain('Key Compromise');
    expect(verified).toBe('Verified OK\n');
  });

  test('openssl ocsp reads what the delegate says, and its certificate is of the authority', async () => {
    await layOut('sm2');

    const run = await saying(
      ...['ocsp', '-issuer', 'issuing.crt', '-cert', 'good.crt', '-cert', 'revoked.crt', '-nonce', '-noverify'],
      ...['-url', `${server.url}api/ocsp`, '-resp_text', '-respout', 'response.der'],
    );

    expect(run).toMatch(/^good\.crt: good$/mu);
    expect(run).toMatch(/^revoked\.crt: revoked$/mu);
    const delegate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/u.exec(run)?.[0] ?? '';
    await openssl.write('delegate.crt', delegate);
    const chained = await saying(
      ...['verify', '-vfyopt', sm2Id, '-partial_chain', '-trusted', 'issuing.crt', 'delegate.crt'],
    );
    expect(chained).toBe('delegate.crt: OK\n');
    expect(run).toContain('OCSP Signing');
    expect(run).toContain('OCSP No Check');
    const [, responseBytes] = readSequence(parseDer(await openssl.read('response.der')));
    if (!responseBytes) throw new Error('no answer');
    const basic = readOctetString(readSequence(readExplicit(responseBytes, 0))[1]);
    expect(await verifySigned(basic, 'delegate.crt')).toBe('Verified OK\n');
  });
});
