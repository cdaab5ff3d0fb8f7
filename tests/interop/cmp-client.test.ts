import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CaError, type Credential, type EnrolmentAnswer, type NewKey } from '../../src/ca/authority.ts';
import { CmpAuthority, type CmpAuthorityOptions } from '../../src/ca/cmp-client.ts';
import { toHex, type Bytes } from '../../src/pki/bytes.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { verifyChain } from '../../src/pki/chain.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { pem } from '../unit/pki/hierarchy.ts';
import { MockCmpServer, OpensslDirectory } from './openssl.ts';

const keyKinds = {
  p256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
} as const;

/** `openssl ca` for the one thing `openssl x509` cannot: dates in the past. */
const caConfiguration = `[ca]
default_ca = any
[any]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = anything
[anything]
countryName = optional
commonName = supplied
[holder]
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`;

async function makeHierarchy(dir: OpensslDirectory, kind: keyof typeof keyKinds): Promise<void> {
  for (const name of ['ca', 'srv', 'cmc', 'old', 'new', 'expired'])
    await dir.openssl('genpkey', ...keyKinds[kind], '-out', `${name}.key`);
  await dir.openssl(
    ...[
      'req',
      '-x509',
      '-new',
      '-key',
      'ca.key',
      '-subj',
      '/C=CN/CN=CA',
      '-days',
      '30',
      '-out',
      'ca.crt',
      '-config',
      'req.cnf',
    ],
    ...[
      '-addext',
      'basicConstraints=critical,CA:TRUE',
      '-addext',
      'keyUsage=critical,keyCertSign,cRLSign,digitalSignature',
      '-addext',
      'subjectKeyIdentifier=hash',
    ],
  );
  const holder = 'keyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n';
  await dir.write('holder.ext', holder);
  await dir.write('cmc.ext', `${holder}extendedKeyUsage=1.3.6.1.5.5.7.3.27\n`);
  const issued = [
    ['srv', '/C=CN/CN=Server', 'holder.ext'],
    ['cmc', '/C=CN/CN=Responder', 'cmc.ext'],
    ['old', '/C=CN/CN=Holder', 'holder.ext'],
  ] as const;
  for (const [name, subject, extensions] of issued) {
    await dir.openssl(
      'req',
      '-new',
      '-key',
      `${name}.key`,
      '-subj',
      subject,
      '-out',
      `${name}.csr`,
      '-config',
      'req.cnf',
    );
    await dir.openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '20',
      '-extfile',
      extensions,
      '-out',
      `${name}.crt`,
    );
  }
  await dir.write('ca.cnf', caConfiguration);
  await dir.write('index.txt', '');
  await dir.write('serial', '1000\n');
  await dir.openssl(
    'req',
    '-new',
    '-key',
    'expired.key',
    '-subj',
    '/C=CN/CN=Holder',
    '-out',
    'expired.csr',
    '-config',
    'req.cnf',
  );
  await dir.openssl(
    ...[
      'ca',
      '-batch',
      '-config',
      'ca.cnf',
      '-cert',
      'ca.crt',
      '-keyfile',
      'ca.key',
      '-extensions',
      'holder',
      '-in',
      'expired.csr',
      '-out',
      'expired.crt',
      '-notext',
    ],
    ...['-startdate', '20240101000000Z', '-enddate', '20250101000000Z'],
  );
}

describe.each(['p256', 'rsa'] as const)('CmpAuthority against OpenSSL’s mock server, %s', (kind) => {
  let dir: OpensslDirectory;
  let newKey: NewKey;
  let newCertificate: Bytes;
  let server: MockCmpServer | undefined;

  beforeAll(async () => {
    dir = await OpensslDirectory.make();
    await dir.write('req.cnf', '[req]\ndistinguished_name = dn\n[dn]\n');
    await makeHierarchy(dir, kind);
    await dir.openssl('pkey', '-in', 'new.key', '-pubout', '-outform', 'DER', '-out', 'new.pub');
    const { subject } = parseCertificate(await dir.certificate('old.crt'));
    newKey = { publicKey: await dir.read('new.pub'), sign: dir.signer('new.key') };
    const csr = await createCsr({ subject: subject.der, spki: newKey.publicKey, sign: newKey.sign });
    await dir.write('new.csr', pem('CERTIFICATE REQUEST', csr));
    await dir.openssl(
      'x509',
      '-req',
      '-in',
      'new.csr',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '25',
      '-extfile',
      'holder.ext',
      '-out',
      'new.crt',
    );
    newCertificate = await dir.certificate('new.crt');
  });
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });
  afterAll(() => dir.remove());

  /** A server that protects with the certificate `as`, and a client for it. */
  async function meet(
    args: readonly string[] = [],
    as = 'srv',
    options: Partial<CmpAuthorityOptions> = {},
  ): Promise<CmpAuthority> {
    server = await MockCmpServer.start(dir, [
      ...['-srv_cert', `${as}.crt`, '-srv_key', `${as}.key`, '-srv_trusted', 'ca.crt', '-srv_untrusted', 'ca.crt'],
      ...['-rsp_cert', 'new.crt', '-rsp_extracerts', 'ca.crt', ...args],
    ]);
    return new CmpAuthority({
      url: server.url,
      enrolmentsUrl: server.url,
      anchors: [await dir.certificate('ca.crt')],
      fetch: server.fetch,
      now: () => new Date(),
      timeoutMs: 20_000,
      signerRule: 'anyUnderAnchor',
      ...options,
    });
  }

  const credentialOf = async (name: string): Promise<Credential> => ({
    certificate: await dir.certificate(`${name}.crt`),
    sign: dir.signer(`${name}.key`),
  });

  async function request(authority: CmpAuthority, credential: Credential): Promise<EnrolmentAnswer> {
    const transactionId = crypto.getRandomValues(new Uint8Array(16));
    return authority.submit(await authority.prepareRequest(transactionId, newKey, credential));
  }

  async function confirm(
    authority: CmpAuthority,
    answer: EnrolmentAnswer,
    credential: Credential,
    accepted = true,
  ): Promise<void> {
    await authority.confirm(await authority.prepareConfirmation(answer.reply, accepted, credential));
  }

  const errorOf = async (promise: Promise<unknown>): Promise<CaError> => {
    const error: unknown = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error instanceof CaError) return error;
    throw new Error('CaError expected', { cause: error });
  };

  it('goes from p10cr through cp and certConf to pkiConf', async () => {
    const authority = await meet();
    const credential = await credentialOf('old');
    const answer = await request(authority, credential);
    if (answer.kind !== 'issued') throw new Error('not issued');
    expect(toHex(answer.certificate)).toBe(toHex(newCertificate));
    expect(answer.chain.map(toHex)).toContain(toHex(await dir.certificate('ca.crt')));
    await expect(
      verifyChain({
        leaf: answer.certificate,
        intermediates: answer.chain,
        anchors: [await dir.certificate('ca.crt')],
        at: new Date(),
      }),
    ).resolves.toMatchObject({ ok: true });
    await expect(confirm(authority, answer, credential)).resolves.toBeUndefined();
  });

  it.each([
    ['the CA’s own certificate', 'ca'],
    ['a certificate with cmcCA', 'cmc'],
  ])('by default believes %s', async (_name, as) => {
    const authority = await meet([], as, { signerRule: 'caOnly' });
    const credential = await credentialOf('old');
    const answer = await request(authority, credential);
    expect(answer.kind).toBe('issued');
    await expect(confirm(authority, answer, credential)).resolves.toBeUndefined();
  });

  it('by default does not believe any other certificate of the CA', async () => {
    const authority = await meet([], 'srv', { signerRule: 'caOnly' });
    expect((await errorOf(request(authority, await credentialOf('old')))).code).toBe('notTrusted');
  });

  it('polls until the certificate is there', async () => {
    const authority = await meet(['-poll_count', '2', '-check_after', '7']);
    const credential = await credentialOf('old');
    const first = await request(authority, credential);
    expect(first).toMatchObject({ kind: 'waiting' });
    const second = await authority.poll(first.reply, credential);
    expect(second).toMatchObject({ kind: 'waiting', checkAfterSeconds: 7 });
    const third = await authority.poll(second.reply, credential);
    if (third.kind !== 'issued') throw new Error('not issued');
    expect(toHex(third.certificate)).toBe(toHex(newCertificate));
    await expect(confirm(authority, third, credential)).resolves.toBeUndefined();
  });

  it('refuses a certificate it does not want, and is acknowledged', async () => {
    const authority = await meet();
    const credential = await credentialOf('old');
    const answer = await request(authority, credential);
    await expect(confirm(authority, answer, credential, false)).resolves.toBeUndefined();
    expect(server?.log).toMatch(/reject/iu);
  });

  it('reads a rejection with its reason', async () => {
    const authority = await meet(['-pkistatus', '2', '-failure', '9', '-statusstring', 'no proof']);
    expect(await errorOf(request(authority, await credentialOf('old')))).toMatchObject({
      code: 'rejected',
      failInfo: ['badPOP'],
      text: ['no proof'],
    });
  });

  it('reads a protected error message', async () => {
    const authority = await meet(['-send_error']);
    expect(await errorOf(request(authority, await credentialOf('old')))).toMatchObject({
      code: 'rejected',
      failInfo: ['badRequest'],
    });
  });

  it.each([
    ['an unprotected certificate', ['-send_unprotected']],
    ['an unprotected error', ['-send_error', '-send_unprot_err']],
    ['an unprotected rejection', ['-send_unprot_err', '-pkistatus', '2', '-failure', '9']],
  ])('believes nothing of %s', async (_name, args) => {
    const authority = await meet(args);
    expect(await errorOf(request(authority, await credentialOf('old')))).toMatchObject({
      code: 'notTrusted',
      failInfo: [],
    });
  });

  it('does not believe a server of another CA', async () => {
    const authority = await meet([], 'srv', { anchors: [await dir.certificate('old.crt')] });
    expect((await errorOf(request(authority, await credentialOf('old')))).code).toBe('notTrusted');
  });

  it('renews an expired certificate where the server allows it', async () => {
    const authority = await meet(['-no_check_time']);
    const credential = await credentialOf('expired');
    const answer = await request(authority, credential);
    expect(answer.kind).toBe('issued');
    await expect(confirm(authority, answer, credential)).resolves.toBeUndefined();
  });

  it('is told so where the server does not', async () => {
    const authority = await meet();
    expect((await errorOf(request(authority, await credentialOf('expired')))).code).toBe('rejected');
  });

  it('is refused with a signature of another key', async () => {
    const authority = await meet();
    const { certificate } = await credentialOf('old');
    const forged = { certificate, sign: dir.signer('new.key') };
    expect((await errorOf(request(authority, forged))).code).toBe('rejected');
  });

  it('does not take an authentic error about another transaction for its answer', async () => {
    const authority = await meet();
    const credential = await credentialOf('old');
    const answer = await request(authority, credential);
    const confirmation = await authority.prepareConfirmation(answer.reply, true, credential);
    const again = await request(authority, credential);
    expect(again.kind).toBe('issued');
    expect((await errorOf(authority.confirm(confirmation))).code).toBe('mismatch');
  });
});
