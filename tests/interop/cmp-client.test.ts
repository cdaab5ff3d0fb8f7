import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CaError, failInfoNames, type Credential, type EnrolmentAnswer, type NewKey } from '../../src/ca/authority.ts';
import { CmpAuthority, type CmpAuthorityOptions } from '../../src/ca/cmp-client.ts';
import { meaningOf } from '../../src/ca/refusal.ts';
import { toHex, type Bytes } from '../../src/pki/bytes.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { verifyChain } from '../../src/pki/chain.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { pem } from '../unit/pki/hierarchy.ts';
import { makeHierarchy } from './cmp-hierarchy.ts';
import { MockCmpServer, OpensslDirectory } from './openssl.ts';

/** Every PKIStatus with what it means for a request, whatever failure is given beside. */
const statuses = [
  [0, 'accepted', 'issued'],
  [1, 'grantedWithMods', 'issued'],
  [2, 'rejection', 'refused'],
  [3, 'waiting', 'waiting'],
  [4, 'revocationWarning', 'refused'],
  [5, 'revocationNotification', 'refused'],
  [6, 'keyUpdateWarning', 'issued'],
] as const;

describe.each(['p256', 'rsa'] as const)('CmpAuthority against OpenSSL’s mock server, %s', (kind) => {
  let dir: OpensslDirectory;
  let newKey: NewKey;
  let newCertificate: Bytes;
  let server: MockCmpServer | undefined;

  beforeAll(async () => {
    dir = await OpensslDirectory.make();
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

  it.each<readonly [string, readonly string[]]>([
    ['at once', []],
    ['after polling', ['-poll_count', '2', '-check_after', '7']],
  ])('updates the key by kur, %s', async (_name, args) => {
    // Its one fixed certificate is also the only one that this server updates.
    const authority = await meet(['-rsp_cert', 'old.crt', ...args], 'srv', { request: 'kur' });
    const credential = await credentialOf('old');
    let answer = await request(authority, credential);
    for (let polls = 0; answer.kind === 'waiting' && polls < 3; polls++) {
      answer = await authority.poll(answer.reply, credential);
    }
    if (answer.kind !== 'issued') throw new Error('not issued');
    expect(toHex(answer.certificate)).toBe(toHex(credential.certificate));
    await expect(confirm(authority, answer, credential)).resolves.toBeUndefined();
  });

  it('names the certificate it updates: for another than its own the server refuses', async () => {
    const authority = await meet([], 'srv', { request: 'kur' });
    expect(await errorOf(request(authority, await credentialOf('old')))).toMatchObject({ code: 'rejected' });
    expect(server?.log).toContain('wrong certid');
  });

  it('is refused a key update whose proof of possession another key signed', async () => {
    const authority = await meet([], 'srv', { request: 'kur' });
    const transactionId = crypto.getRandomValues(new Uint8Array(16));
    const stolen = { publicKey: newKey.publicKey, sign: dir.signer('old.key') };
    const asking = await authority.prepareRequest(transactionId, stolen, await credentialOf('old'));
    expect(await errorOf(authority.submit(asking))).toMatchObject({ code: 'rejected', failInfo: ['badPOP'] });
  });

  it('is understood when it asks for a key pair made by the authority, which this server does not make', async () => {
    const authority = await meet();
    const transactionId = crypto.getRandomValues(new Uint8Array(16));
    const of = { transactionId: new Uint8Array(16), publicKey: newKey.publicKey, signingCertificate: newCertificate };
    const asking = await authority.prepareEncryptionRequest(transactionId, of, await credentialOf('old'));
    // Without a proof of possession: what the server says of the request it has read.
    expect(await errorOf(authority.submit(asking))).toMatchObject({ code: 'rejected', failInfo: ['badPOP'] });
  });

  it('sends its confirmation even to a server that grants without', async () => {
    const authority = await meet(['-grant_implicitconf']);
    const credential = await credentialOf('old');
    const answer = await request(authority, credential);
    await expect(confirm(authority, answer, credential)).resolves.toBeUndefined();
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

  it.each(statuses)('takes PKIStatus %d, %s, for %s, with any failure', async (value, _name, meaning) => {
    const credential = await credentialOf('old');
    // Every failure once; the other kind of key sees each status once more.
    const failures = kind === 'p256' ? failInfoNames : failInfoNames.slice(9, 10);
    for (const [bit, name] of failures.entries()) {
      const failure = String(kind === 'p256' ? bit : 9);
      const authority = await meet(['-pkistatus', String(value), '-failure', failure, '-statusstring', 'as said']);
      const outcome = await request(authority, credential).catch((error: unknown) => error);
      await server?.stop();
      if (meaning === 'refused') {
        const code = meaningOf([name]) === 'later' ? 'unavailable' : 'rejected';
        expect(outcome, name).toMatchObject({ code, failInfo: [name], text: ['as said'] });
      } else expect(outcome, name).toMatchObject({ kind: meaning });
    }
  });

  it('reads several failures at once, and none', async () => {
    const credential = await credentialOf('old');
    const bits = (1 << 2) | (1 << 9) | (1 << 26);
    const many = await meet(['-pkistatus', '2', '-failurebits', String(bits)]);
    expect(await errorOf(request(many, credential))).toMatchObject({
      code: 'rejected',
      failInfo: ['badRequest', 'badPOP', 'duplicateCertReq'],
    });
    await server?.stop();
    const none = await meet(['-pkistatus', '2']);
    expect(await errorOf(request(none, credential))).toMatchObject({ code: 'rejected', failInfo: [] });
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
