import { execFile } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseMessage } from '../../src/ca/cmp-messages.ts';
import { concat, toHex } from '../../src/pki/bytes.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { listen, type Listening } from '../demo/listen.ts';
import type { AuthorityName } from '../reference-ca/hierarchy.ts';
import { answerWith } from '../reference-ca/http.ts';
import { fingerprint } from '../reference-ca/ledger.ts';
import { generateKey, type SoftwareKey } from '../reference-ca/keys.ts';
import { openReferenceCa, type ReferenceCa } from '../reference-ca/reference-ca.ts';
import {
  exchange,
  issuedCertificate,
  makeCsr,
  makeHolder,
  makeRequest,
  type Holder,
} from '../unit/reference-ca/holder.ts';

/* OpenSSL as a client that knows nothing of this project, and as a second opinion on what is issued. */

let directory: string;
let ca: ReferenceCa;
let server: Listening;
beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'openssl-'));
  ca = await openReferenceCa();
  server = await listen(() => createServer(answerWith(ca.handler)), { port: 0, strictPort: true, host: '127.0.0.1' });
});
afterAll(async () => {
  await server.close();
  await ca.close();
  await rm(directory, { recursive: true });
});

interface Run {
  readonly ok: boolean;
  readonly output: string;
}

async function openssl(...args: readonly string[]): Promise<Run> {
  try {
    const { stdout, stderr } = await promisify(execFile)('openssl', args, { cwd: directory });
    return { ok: true, output: stdout + stderr };
  } catch (error) {
    if (!(error instanceof Error && 'stderr' in error && 'stdout' in error)) throw error;
    return { ok: false, output: String(error.stdout) + String(error.stderr) };
  }
}

const pem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/.{1,64}/gu, '$&\n')}-----END ${label}-----\n`;
const writeCertificate = (name: string, ...chain: readonly Uint8Array[]): Promise<void> =>
  writeFile(path.join(directory, name), chain.map((der) => pem('CERTIFICATE', der)).join(''));
const readDer = async (name: string): Promise<Uint8Array<ArrayBuffer>> => {
  const [, base64 = ''] =
    /-----BEGIN CERTIFICATE-----([^-]*)-----END/u.exec(await readFile(path.join(directory, name), 'utf8')) ?? [];
  return concat(Buffer.from(base64, 'base64'));
};
const writeKey = (name: string, { privateKey }: SoftwareKey): Promise<void> =>
  writeFile(
    path.join(directory, name),
    createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' }).export({
      format: 'pem',
      type: 'pkcs8',
    }),
  );

let serial = 0;
/** Lays out a holder's files for OpenSSL; returns the options that name them. */
async function layOut(holder: Holder, csr: Uint8Array, authority: AuthorityName): Promise<readonly string[]> {
  const name = `holder-${(serial += 1)}`;
  await writeCertificate(`${name}.crt`, holder.certificate.der);
  await writeKey(`${name}.key`, holder.key);
  await writeFile(path.join(directory, `${name}.csr`), pem('CERTIFICATE REQUEST', csr));
  await writeCertificate('root.crt', ca.hierarchy[authority].root);
  return [
    ...['cmp', '-config', '', '-cmd', 'p10cr', '-server', `127.0.0.1:${server.port}`, '-path', 'ca/cmp'],
    ...['-cert', `${name}.crt`, '-key', `${name}.key`, '-csr', `${name}.csr`],
    ...['-trusted', 'root.crt', '-out_trusted', 'root.crt', '-certout', `${name}-new.crt`],
    ...['-rspout', `${name}.rsp`, '-reqout', `${name}.req`],
  ];
}
const nameIn = (options: readonly string[]): string =>
  path.basename(options[options.indexOf('-cert') + 1] ?? '', '.crt');

describe('openssl cmp, P-256', () => {
  test('renews: request, certificate, confirmation', async () => {
    const holder = await makeHolder(ca, new Date(), { authority: 'p256' });
    const key = await generateKey('p256');
    const options = await layOut(holder, await makeCsr(holder, { key }), 'p256');

    const run = await openssl(...options);

    expect(run).toMatchObject({ ok: true });
    const certificate = await readDer(`${nameIn(options)}-new.crt`);
    expect(toHex(parseCertificate(certificate).spki)).toBe(toHex(key.spki));
    expect(ca.ledger.certificate(certificate)?.status).toBe('valid');
  });

  test('waits and polls', async () => {
    const holder = await makeHolder(ca, new Date(), { authority: 'p256', waits: true });
    const options = await layOut(holder, await makeCsr(holder), 'p256');

    const run = await openssl(...options);

    expect(run).toMatchObject({ ok: true });
    expect(ca.ledger.certificate(await readDer(`${nameIn(options)}-new.crt`))?.status).toBe('valid');
  });

  test('replays its request byte for byte, gets the same certificate and confirms it again', async () => {
    const holder = await makeHolder(ca, new Date(), { authority: 'p256' });
    const options = await layOut(holder, await makeCsr(holder), 'p256');
    const name = nameIn(options);
    await openssl(...options);
    const first = await readDer(`${name}-new.crt`);

    const replayed = await openssl(...options, '-reqin', `${name}.req`, '-reqout', 'replayed.req');

    expect(replayed).toMatchObject({ ok: true });
    expect(await readDer(`${name}-new.crt`)).toEqual(first);
  });

  test('refuses a certificate, and the authority withdraws it', async () => {
    const holder = await makeHolder(ca, new Date(), { authority: 'p256' });
    const options = await layOut(holder, await makeCsr(holder), 'p256');
    await writeCertificate('other-root.crt', ca.hierarchy.oldRsa.root);

    // Acceptable are only certificates of another root: OpenSSL sends a certConf with status rejection.
    const run = await openssl(
      ...options.map((option, i) => (options[i - 1] === '-out_trusted' ? 'other-root.crt' : option)),
    );

    expect(run.ok).toBe(false);
    const answer = parseMessage(concat(await readFile(path.join(directory, `${nameIn(options)}.rsp`))));
    const { transactionId } = answer.header;
    expect(ca.ledger.transaction(toHex(transactionId ?? new Uint8Array()))?.status).toBe('withdrawn');
  });

  test.each([
    ['a holder who is refused', { refuses: true }, 'notAuthorized'],
    ['a certificate that is not due', { endsInDays: 200 }, 'notAuthorized'],
    ['a certificate not in the ledger', { registered: false }, 'badCertId'],
  ] as const)('is told why: %s', async (_what, parameters, failInfo) => {
    const holder = await makeHolder(ca, new Date(), { authority: 'p256', ...parameters });
    const options = await layOut(holder, await makeCsr(holder), 'p256');

    const run = await openssl(...options);

    expect(run.ok).toBe(false);
    expect(run.output).toContain(failInfo);
  });
});

test('openssl cmp, RSA: an upgrade is taken and answered with an SM2 certificate', async () => {
  const holder = await makeHolder(ca, new Date(), { authority: 'oldRsa', livesDays: 3600 });
  const key = await generateKey('sm2');
  const options = await layOut(holder, await makeCsr(holder, { key }), 'sm2');

  // OpenSSL 3.0 cannot verify protection by SM2, so it goes no further than the answer; the lookup shows what it got.
  const run = await openssl(...options);
  const { status, message } = await ca.responder.enrolment(fingerprint(key.spki));
  const answer = parseMessage(message ?? new Uint8Array());

  expect(run.output).toContain('received CP');
  expect(status).toBe('issued');
  const certificate = parseCertificate(issuedCertificate(answer));
  expect(toHex(certificate.spki)).toBe(toHex(key.spki));
  expect(certificate.issuer.der).toEqual(ca.hierarchy.sm2.issuing.subject);
});

/** The same, as a key update (kur) for a key of OpenSSL's own making; the options are those of `layOut` without a CSR. */
async function layOutUpdate(holder: Holder, key: SoftwareKey, authority: AuthorityName): Promise<readonly string[]> {
  const options = await layOut(holder, new Uint8Array(), authority);
  const name = nameIn(options);
  await writeKey(`${name}-new.key`, key);
  const withoutCsr = options.filter((option, i) => option !== '-csr' && options[i - 1] !== '-csr');
  return [...withoutCsr.map((option) => (option === 'p10cr' ? 'kur' : option)), '-newkey', `${name}-new.key`];
}

describe.each(['p256', 'rsa'] as const)('openssl cmp -cmd kur, %s', (authority) => {
  test('updates the key: oldCertId, proof of possession, certificate, confirmation', async () => {
    const holder = await makeHolder(ca, new Date(), { authority });
    const key = await generateKey(authority);
    const options = await layOutUpdate(holder, key, authority);

    const run = await openssl(...options);

    expect(run).toMatchObject({ ok: true });
    expect(run.output).toContain('received KUP');
    const certificate = await readDer(`${nameIn(options)}-new.crt`);
    expect(toHex(parseCertificate(certificate).spki)).toBe(toHex(key.spki));
    expect(ca.ledger.certificate(certificate)?.status).toBe('valid');
  });

  test('waits and polls', async () => {
    const holder = await makeHolder(ca, new Date(), { authority, waits: true });
    const options = await layOutUpdate(holder, await generateKey(authority), authority);
    expect(await openssl(...options)).toMatchObject({ ok: true });
    expect(ca.ledger.certificate(await readDer(`${nameIn(options)}-new.crt`))?.status).toBe('valid');
  });

  test('replays its request byte for byte, and gets the same certificate', async () => {
    const holder = await makeHolder(ca, new Date(), { authority });
    const options = await layOutUpdate(holder, await generateKey(authority), authority);
    const name = nameIn(options);
    await openssl(...options);
    const first = await readDer(`${name}-new.crt`);

    const replayed = await openssl(...options, '-reqin', `${name}.req`, '-reqout', 'replayed.req');

    expect(replayed).toMatchObject({ ok: true });
    expect(await readDer(`${name}-new.crt`)).toEqual(first);
  });

  test('is refused with a certificate other than its own to update', async () => {
    const holder = await makeHolder(ca, new Date(), { authority });
    const other = await makeHolder(ca, new Date(), { authority, subject: holder.certificate.subject.der });
    const options = await layOutUpdate(holder, await generateKey(authority), authority);
    await writeCertificate('other.crt', other.certificate.der);
    const run = await openssl(...options, '-oldcert', 'other.crt');
    expect(run.ok).toBe(false);
    expect(run.output).toContain('badCertId');
  });

  test('is refused with a proof of possession it does not give', async () => {
    const holder = await makeHolder(ca, new Date(), { authority });
    const options = await layOutUpdate(holder, await generateKey(authority), authority);
    const run = await openssl(...options, '-popo', '0');
    expect(run.ok).toBe(false);
    expect(run.output).toContain('badPOP');
  });
});

test('openssl cmp -cmd cr, which always brings a key of its own, is told that the authority makes it', async () => {
  const holder = await makeHolder(ca, new Date(), { authority: 'p256' });
  const options = await layOutUpdate(holder, await generateKey('p256'), 'p256');
  const run = await openssl(
    ...options.map((option) => (option === 'kur' ? 'cr' : option)),
    ...['-subject', '/C=CN', '-popo', '-1'],
  );
  expect(run.ok).toBe(false);
  expect(run.output).toContain('received CP');
  expect(run.output).toContain('badCertTemplate');
});

describe('openssl cmp, RSA', () => {
  test('renews: request, certificate, confirmation', async () => {
    const holder = await makeHolder(ca, new Date(), { authority: 'rsa' });
    const key = await generateKey('rsa');
    const options = await layOut(holder, await makeCsr(holder, { key }), 'rsa');
    expect(await openssl(...options)).toMatchObject({ ok: true });
    const certificate = await readDer(`${nameIn(options)}-new.crt`);
    expect(toHex(parseCertificate(certificate).spki)).toBe(toHex(key.spki));
    expect(ca.ledger.certificate(certificate)?.status).toBe('valid');
  });
});

describe.each(['p256', 'rsa'] as const)('openssl cmp with a signer under %s that', (authority) => {
  test('was revoked is refused', async () => {
    const holder = await makeHolder(ca, new Date(), { authority });
    await ca.revoke(holder.certificate.der, 'keyCompromise');
    const run = await openssl(...(await layOut(holder, await makeCsr(holder), authority)));
    expect(run.ok).toBe(false);
    expect(run.output).toContain('certRevoked');
  });

  test('has expired renews where the policy allows it', async () => {
    const holder = await makeHolder(ca, new Date(), { authority, endsInDays: -3 });
    const options = await layOut(holder, await makeCsr(holder), authority);
    expect(await openssl(...options)).toMatchObject({ ok: true });
  });

  test('has expired is refused where it does not', async () => {
    const strict = await openReferenceCa({ hierarchy: ca.hierarchy, policy: { acceptsExpiredSigner: false } });
    const other = await listen(() => createServer(answerWith(strict.handler)), {
      port: 0,
      strictPort: true,
      host: '127.0.0.1',
    });
    try {
      const holder = await makeHolder(strict, new Date(), { authority, endsInDays: -3 });
      const options = await layOut(holder, await makeCsr(holder), authority);
      const server = options.indexOf('-server') + 1;
      const run = await openssl(...options.map((option, i) => (i === server ? `127.0.0.1:${other.port}` : option)));
      expect(run.ok).toBe(false);
      expect(run.output).toContain('signerNotTrusted');
    } finally {
      await other.close();
      await strict.close();
    }
  });
});

describe('openssl verify', () => {
  const sm2 = ['-vfyopt', 'distid:1234567812345678'] as const;

  test.each(['sm2', 'oldRsa', 'p256'] as const)(
    'accepts what a holder under %s is issued, step by step',
    async (authority) => {
      const holder = await makeHolder(ca, new Date(), { authority });
      const issued = issuedCertificate(await exchange(ca, await makeRequest(holder, await makeCsr(holder))));
      const { root, issuing } = ca.hierarchy[authority === 'p256' ? 'p256' : 'sm2'];
      const id = authority === 'p256' ? [] : sm2;
      await writeCertificate('new.crt', issued);
      await writeCertificate('issuing.crt', issuing.certificate);
      await writeCertificate('root.crt', root);

      // -vfyopt reaches only the leaf, so each step is verified on its own.
      const leaf = await openssl(
        'verify',
        ...id,
        '-x509_strict',
        '-partial_chain',
        '-trusted',
        'issuing.crt',
        'new.crt',
      );
      const middle = await openssl(
        'verify',
        ...id,
        '-x509_strict',
        '-partial_chain',
        '-trusted',
        'root.crt',
        'issuing.crt',
      );

      expect(leaf).toEqual({ ok: true, output: 'new.crt: OK\n' });
      expect(middle).toEqual({ ok: true, output: 'issuing.crt: OK\n' });
    },
  );

  test('does not accept what another authority of ours would have issued', async () => {
    const holder = await makeHolder(ca, new Date());
    await writeCertificate('old.crt', holder.certificate.der);
    await writeCertificate('foreign.crt', ca.hierarchy.foreign.issuing.certificate);
    expect((await openssl('verify', ...sm2, '-partial_chain', '-trusted', 'foreign.crt', 'old.crt')).ok).toBe(false);
  });

  test.each(['p256', 'oldRsa'] as const)('accepts personal certificates under %s up to the root', async (authority) => {
    const holder = await makeHolder(ca, new Date(), { authority });
    await writeCertificate('old.crt', holder.certificate.der);
    await writeCertificate('issuing.crt', ca.hierarchy[authority].issuing.certificate);
    await writeCertificate('root.crt', ca.hierarchy[authority].root);
    const run = await openssl('verify', '-x509_strict', '-CAfile', 'root.crt', '-untrusted', 'issuing.crt', 'old.crt');
    expect(run).toEqual({ ok: true, output: 'old.crt: OK\n' });
  });

  test('reads the subject as it was written', async () => {
    const key = await ca.personalise('due-30-days', 'longmai-hid');
    const der = Buffer.from(key.applications[0]?.containers[0]?.signing?.certificate ?? '', 'hex');
    await writeCertificate('personal.crt', der);
    const run = await openssl(
      'x509',
      '-in',
      'personal.crt',
      '-noout',
      '-subject',
      '-nameopt',
      'utf8,sep_multiline,sname',
    );
    expect(run.output).toMatch(/CN=某某.+有限公司\(示例\)/u);
    expect(run.output).toMatch(/1\.2\.156\.10260\.4\.1\.5=91120100MA[0-9A-Z]{8}/u);
  });
});
