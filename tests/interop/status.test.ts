import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateStatus, type CertificateStatus } from '../../src/ca/status.ts';
import type { KeyAlgorithm } from '../../src/pki/algorithms.ts';
import { concat, type Bytes } from '../../src/pki/bytes.ts';
import { parseCertificate, type Certificate } from '../../src/pki/certificate.ts';
import { parseCrl, statusByCrl } from '../../src/pki/crl.ts';
import {
  encode,
  implicitPrimitive,
  integer,
  parseDer,
  readSequence,
  sequence,
  sourceBytes,
} from '../../src/pki/der.ts';
import { ocspRequest, parseOcspResponse } from '../../src/pki/ocsp.ts';
import { changed, issueCertificate, makeKey, makeName, pem, type TestKey } from '../unit/pki/hierarchy.ts';
import { answerOcsp, issueCrl, keyHash, type SingleResponseContent } from '../unit/pki/revocation-answers.ts';
import { OcspResponder } from './openssl-ocsp.ts';
import { OpensslDirectory, sm2Id } from './openssl.ts';

type Kind = Extract<KeyAlgorithm, 'sm2' | 'p256' | 'rsa'>;
const kinds = ['sm2', 'p256', 'rsa'] as const satisfies readonly Kind[];
const keyArguments: Record<Kind, readonly string[]> = {
  sm2: ['-algorithm', 'SM2'],
  p256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
};
const hashOf = (kind: Kind): string => (kind === 'sm2' ? 'sm3' : 'sha256');
/** OpenSSL takes the SM2 id only where it signs, and where it verifies requests and certificates. */
const idFor = (kind: Kind, option: '-sigopt' | '-vfyopt' | '-rsigopt'): readonly string[] =>
  kind === 'sm2' ? [option, sm2Id] : [];

const caCnf = `[ca]
default_ca=here
[here]
database=index.txt
crlnumber=crlnumber
default_md=sha256
default_crl_days=7
crl_extensions=crl_ext
[crl_ext]
authorityKeyIdentifier=keyid
`;
const extensions = {
  ca: 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n',
  holder: 'keyUsage=critical,digitalSignature\nauthorityKeyIdentifier=keyid\n',
  responder: 'keyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\nnoCheck=yes\n',
};

/** An authority made by OpenSSL, with its database: `good` and `revoked` are holders, `responder` a delegate. */
class OpensslCa {
  readonly directory: OpensslDirectory;
  readonly kind: Kind;
  private constructor(directory: OpensslDirectory, kind: Kind) {
    this.directory = directory;
    this.kind = kind;
  }

  static async make(kind: Kind): Promise<OpensslCa> {
    const directory = await OpensslDirectory.make();
    const made = new OpensslCa(directory, kind);
    await directory.write('ca.cnf', caCnf);
    await directory.write('index.txt', '');
    await directory.write('crlnumber', '01\n');
    for (const [name, text] of Object.entries(extensions)) await directory.write(`${name}.ext`, text);
    for (const name of ['ca', 'good', 'revoked', 'responder']) {
      await directory.openssl('genpkey', ...keyArguments[kind], '-out', `${name}.key`);
      await directory.openssl(
        ...['req', '-new', '-key', `${name}.key`, '-subj', `/C=CN/O=测试/CN=${name}`, '-utf8', '-out', `${name}.csr`],
        ...[`-${hashOf(kind)}`, ...idFor(kind, '-sigopt')],
      );
      await directory.openssl(
        ...['x509', '-req', '-in', `${name}.csr`, '-days', '30', '-out', `${name}.crt`],
        ...['-extfile', name === 'ca' || name === 'responder' ? `${name}.ext` : 'holder.ext'],
        ...(name === 'ca' ? ['-signkey', 'ca.key'] : ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial']),
        ...[`-${hashOf(kind)}`, ...idFor(kind, '-vfyopt'), ...idFor(kind, '-sigopt')],
      );
    }
    await made.ca('-valid', 'good.crt');
    await made.ca('-valid', 'revoked.crt');
    await made.ca('-revoke', 'revoked.crt', '-crl_reason', 'cessationOfOperation');
    return made;
  }

  ca(...args: readonly string[]): Promise<string> {
    return this.directory.openssl(
      ...['ca', '-config', 'ca.cnf', '-cert', 'ca.crt', '-keyfile', 'ca.key', '-md', hashOf(this.kind), ...args],
    );
  }

  async certificate(name: 'ca' | 'good' | 'revoked' | 'responder'): Promise<Certificate> {
    return parseCertificate(await this.directory.certificate(`${name}.crt`));
  }
}

/** Both answers about a certificate: that of the one that is good and that of the one that is revoked. */
const expected = {
  good: { status: 'good' },
  revoked: { status: 'revoked', revocation: { reason: 'cessationOfOperation' } },
} as const;
const rejection = (run: Promise<string>): Promise<string> =>
  run.then(
    (said) => said,
    (error: unknown) => String(error),
  );

describe.each(kinds)('an authority of OpenSSL with %s keys', (kind) => {
  let theirs: OpensslCa;
  beforeAll(async () => {
    theirs = await OpensslCa.make(kind);
  });
  afterAll(() => theirs.directory.remove());

  it.each(['good', 'revoked'] as const)('its list says that the %s certificate is', async (name) => {
    await theirs.ca('-gencrl', ...idFor(kind, '-sigopt'), '-out', 'list.pem');
    await theirs.directory.openssl('crl', '-in', 'list.pem', '-outform', 'DER', '-out', 'list.der');
    const list = await theirs.directory.read('list.der');
    const question = { certificate: await theirs.certificate(name), issuer: await theirs.certificate('ca') };

    expect(parseCrl(list).count).toBe(1);
    await expect(statusByCrl(list, { ...question, now: new Date() })).resolves.toMatchObject(expected[name]);
    await expect(statusByCrl(changed(list, -1), { ...question, now: new Date() })).resolves.toMatchObject({
      status: 'unknown',
    });
    const inEightDays = new Date(Date.now() + 8 * 86_400_000);
    await expect(statusByCrl(list, { ...question, now: inEightDays })).resolves.toEqual({
      status: 'unknown',
      because: 'stale',
    });
  });

  it('reads our question', async () => {
    const { der } = await ocspRequest({
      certificate: await theirs.certificate('good'),
      issuer: await theirs.certificate('ca'),
    });
    await theirs.directory.write('ours.req', der);
    await theirs.directory.openssl(
      'ocsp',
      '-issuer',
      'ca.crt',
      '-cert',
      'good.crt',
      '-no_nonce',
      '-reqout',
      'their.req',
    );
    const read = (file: string): Promise<string> => theirs.directory.openssl('ocsp', '-reqin', file, '-req_text');

    const [ours, own] = [await read('ours.req'), await read('their.req')];

    const names = /Issuer Name Hash: \w+\s+Issuer Key Hash: \w+\s+Serial Number: \w+/u;
    expect(names.exec(ours)?.[0]).toBe(names.exec(own)?.[0]);
    expect(ours).toContain('OCSP Nonce');
  });

  describe.each([
    ['itself', 'ca'],
    ['a delegate', 'responder'],
  ] as const)('with %s as a responder on the network', (_name, signer) => {
    let responder: OcspResponder;
    beforeAll(async () => {
      responder = await OcspResponder.start(theirs.directory, [
        ...['-index', 'index.txt', '-CA', 'ca.crt', '-rsigner', `${signer}.crt`, '-rkey', `${signer}.key`],
        ...['-rmd', hashOf(kind), ...idFor(kind, '-rsigopt')],
      ]);
    });
    afterAll(() => responder.stop());

    const ask = async (name: 'good' | 'revoked' | 'responder', issuer: Certificate): Promise<CertificateStatus> =>
      certificateStatus(await theirs.certificate(name), issuer, {
        ...{ api: responder.api, fetch, now: () => new Date(), timeoutMs: 30_000 },
      });

    it('tells good, revoked and not known apart', async () => {
      const issuer = await theirs.certificate('ca');
      await expect(ask('good', issuer)).resolves.toMatchObject({ status: 'good', source: 'ocsp' });
      await expect(ask('revoked', issuer)).resolves.toMatchObject({
        ...{ status: 'revoked', source: 'ocsp', reason: 'cessationOfOperation' },
      });
      // It is not in the database.
      await expect(ask('responder', issuer)).resolves.toEqual({ status: 'unknown', because: 'notKnownThere' });
    });

    it('is not believed by the certificate of another key of the same name', async () => {
      const { subject } = await theirs.certificate('ca');
      const key = await makeKey(kind);
      const other = parseCertificate(
        await issueCertificate({
          subject: subject.der,
          issuer: subject.der,
          key,
          issuerKey: key,
          isCa: true,
          keyUsage: [5, 6],
        }),
      );
      // It knows no such issuer; and what it said, it would have signed with a key that is not the issuer's.
      expect((await ask('good', other)).status).toBe('unknown');
    });
  });
});

describe.each(kinds)('our answers about certificates, signed with %s', (kind) => {
  const names = { ca: makeName('CA'), good: makeName('good'), revoked: makeName('revoked') };
  const numbers = { good: 0x8001, revoked: 0x8002 } as const;
  const hour = 3_600_000;
  const [before, after] = [new Date(Date.now() - hour), new Date(Date.now() + hour)];
  const identifier = Uint8Array.of(1, 2, 3, 4);
  let dir: OpensslDirectory;
  let key: TestKey;
  let issuer: Certificate;

  beforeAll(async () => {
    dir = await OpensslDirectory.make();
    key = await makeKey(kind);
    const common = { issuer: names.ca, key, issuerKey: key, notBefore: before, notAfter: after };
    const ca = await issueCertificate({
      ...{ ...common, subject: names.ca, isCa: true, keyUsage: [5, 6], subjectKeyIdentifier: identifier },
    });
    issuer = parseCertificate(ca);
    await dir.write('ca.crt', pem('CERTIFICATE', ca));
    await dir.write('ca.pub', pem('PUBLIC KEY', key.spki));
    for (const name of ['good', 'revoked'] as const) {
      const holder = {
        subject: names[name],
        serialNumber: numbers[name],
        keyUsage: [0],
        authorityKeyIdentifier: identifier,
      };
      await dir.write(`${name}.crt`, pem('CERTIFICATE', await issueCertificate({ ...common, ...holder })));
    }
  });
  afterAll(() => dir.remove());

  /** OpenSSL 3.0 cannot be told the SM2 id of a list or an answer: it is asked about the bare signature instead. */
  async function bareSignature(tbs: Uint8Array, signature: Uint8Array): Promise<string> {
    await dir.write('tbs', tbs);
    await dir.write('signature', signature);
    return rejection(
      dir.openssl(
        ...[
          'dgst',
          `-${hashOf(kind)}`,
          '-verify',
          'ca.pub',
          ...idFor(kind, '-sigopt'),
          '-signature',
          'signature',
          'tbs',
        ],
      ),
    );
  }

  /** A test of OpenSSL's own verification of lists and answers. */
  const itVerifies = (name: string, run: () => Promise<void>): void => {
    if (kind !== 'sm2') it(name, run);
  };

  const list = (): Promise<Bytes> =>
    issueCrl({
      ...{ issuer: names.ca, issuerKey: key, thisUpdate: before, nextUpdate: after },
      entries: [{ serialNumber: '008002', at: before, reason: 4 }],
      extensions: [
        { type: '2.5.29.35', value: encode(sequence(implicitPrimitive(0, identifier))) },
        { type: '2.5.29.20', value: encode(integer(1)) },
      ],
    });

  it('OpenSSL reads our list as we do', async () => {
    const der = await list();
    await dir.write('ours.crl', pem('X509 CRL', der));
    const text = await dir.openssl('crl', '-in', 'ours.crl', '-noout', '-text');
    expect(text).toMatch(/Serial Number: 8002[\s\S]*Superseded/u);
    expect(text).toMatch(/X509v3 CRL Number:\s+1\s/u);
    const { tbs, signature } = parseCrl(der);
    await expect(bareSignature(tbs, signature)).resolves.toContain('Verified OK');
    await expect(bareSignature(changed(tbs, -1), signature)).resolves.not.toContain('Verified OK');
  });

  itVerifies('OpenSSL takes our list, and refuses the certificate on it', async () => {
    const der = await list();
    await dir.write('ours.crl', pem('X509 CRL', der));
    await dir.write('changed.crl', pem('X509 CRL', changed(der, -1)));
    const verifyList = (file: string): Promise<string> =>
      rejection(dir.openssl('crl', '-in', file, '-verify', '-CAfile', 'ca.crt', '-noout'));
    const verify = (name: string): Promise<string> =>
      rejection(dir.openssl('verify', '-crl_check', '-CAfile', 'ca.crt', '-CRLfile', 'ours.crl', `${name}.crt`));

    await expect(verifyList('ours.crl')).resolves.toContain('verify OK');
    await expect(verifyList('changed.crl')).resolves.toContain('verify failure');
    await expect(verify('good')).resolves.toContain('good.crt: OK');
    await expect(verify('revoked')).resolves.toContain('certificate revoked');
  });

  /** Our answer to OpenSSL's own question about both certificates. */
  async function answerTheirs(): Promise<Bytes> {
    await dir.openssl(
      ...['ocsp', '-issuer', 'ca.crt', '-cert', 'good.crt', '-cert', 'revoked.crt', '-reqout', 'their.req'],
    );
    const [tbs] = readSequence(parseDer(await dir.read('their.req')));
    const parts = readSequence(tbs);
    const list = parts.find(({ idBlock }) => idBlock.tagClass === 1);
    const [good, revoked] = readSequence(list).map((request) => {
      const [certId] = readSequence(request);
      return certId ? sourceBytes(certId) : new Uint8Array();
    });
    if (!good || !revoked) throw new Error('two questions expected');
    const times = { thisUpdate: before, nextUpdate: after };
    const responses: readonly SingleResponseContent[] = [
      { certId: good, status: 'good', ...times },
      { certId: revoked, status: { revokedAt: before, reason: 4 }, ...times },
    ];
    return answerOcsp({
      ...{
        responder: { keyHash: await keyHash(key) },
        responderKey: key,
        producedAt: new Date(),
        responses,
        nonce: null,
      },
    });
  }
  const readTheirs = (file: string): Promise<string> =>
    rejection(
      dir.openssl(
        ...[
          'ocsp',
          '-reqin',
          'their.req',
          '-respin',
          file,
          '-issuer',
          'ca.crt',
          '-CAfile',
          'ca.crt',
          '-VAfile',
          'ca.crt',
        ],
        ...['-cert', 'good.crt', '-cert', 'revoked.crt', ...(kind === 'sm2' ? ['-noverify'] : [])],
      ),
    );

  it('OpenSSL reads our answer as we do', async () => {
    const der = await answerTheirs();
    await dir.write('ours.resp', der);
    const said = await readTheirs('ours.resp');
    expect(said).toContain('good.crt: good');
    expect(said).toMatch(/revoked\.crt: revoked[\s\S]*superseded/u);
    const read = parseOcspResponse(der);
    if (typeof read === 'string') throw new Error(read);
    await expect(bareSignature(read.tbs, read.signature)).resolves.toContain('Verified OK');
  });

  itVerifies('OpenSSL takes our answer, and refuses it changed', async () => {
    const der = await answerTheirs();
    await dir.write('ours.resp', der);
    await dir.write('changed.resp', changed(concat(der), -1));
    await expect(readTheirs('ours.resp')).resolves.toContain('Response verify OK');
    await expect(readTheirs('changed.resp')).resolves.toMatch(/Response Verify Failure/iu);
  });

  it('and so do we', async () => {
    const certificate = parseCertificate(await dir.certificate('revoked.crt'));
    await expect(statusByCrl(await list(), { certificate, issuer, now: new Date() })).resolves.toMatchObject({
      status: 'revoked',
      revocation: { reason: 'superseded' },
    });
  });
});
