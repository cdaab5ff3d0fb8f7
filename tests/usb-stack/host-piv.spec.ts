import { createPublicKey, randomBytes, verify, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { samplePassword } from '../reference-ca/personalise.ts';
import type { KeyState, PivAlgorithm, PivState } from '../virtual-key/state.ts';
import { hasSmartCards } from './ensure.mjs';
import { expect, succeeded, test } from './fixtures.ts';
import { KeyOnTheBus } from './key-on-the-bus.ts';
import { readAnswers } from './opensc-output.ts';
import type { Outcome, SmartCardService } from './pcscd.ts';
import type { Site } from './site.ts';

/*
 * The PIV application as programs see it that were written for other people's cards: OpenSC's and Yubico's, through pcscd
 * and libccid. What they bring back is checked by OpenSSL (node:crypto).
 */

const wrongPassword = '00000000';
/** The certificate of PIV authentication, SP 800-73-4 part 1 table 3. */
const slot9aCertificate = '5fc105';

const pivKey = async (site: Site, algorithm: PivAlgorithm): Promise<KeyOnTheBus> =>
  new KeyOnTheBus(await site.ca.personalise('due-30-days', 'ccid-0b', { commandSet: 'piv', algorithm }));

/** What a PIV key holds now. */
function pivOf({ piv }: KeyState): PivState {
  if (!piv) throw new Error('not a PIV key');
  return piv;
}

const objectOf = (key: KeyOnTheBus, tag: string): Buffer =>
  Buffer.from(pivOf(key.state()).objects.find((object) => object.tag === tag)?.data ?? '', 'hex');

/** Yubico's tool, for any reader: its default is the readers called "Yubikey". */
const yubicoTool =
  ({ run }: SmartCardService) =>
  (...args: readonly string[]): Promise<Outcome> =>
    run('yubico-piv-tool', ['--reader', '', ...args]);

const kinds = [
  { algorithm: 'p256', yubico: 'ECCP256', mechanism: 'ECDSA-SHA256', format: ['--signature-format', 'openssl'] },
  { algorithm: 'rsa2048', yubico: 'RSA2048', mechanism: 'SHA256-RSA-PKCS', format: [] },
] as const;

for (const { algorithm, mechanism, format } of kinds)
  test(`${algorithm}: OpenSC finds the PIV application, reads the certificate and signs`, async ({
    site,
    smartCards,
  }) => {
    test.skip(!hasSmartCards('opensc-tool', 'pkcs11-tool'), 'no smart-card service or OpenSC');
    const key = await pivKey(site, algorithm);
    const { run, directory } = await smartCards(key);
    const file = (name: string): string => path.join(directory, name);

    expect(succeeded(await run('opensc-tool', ['--name']))).toContain('Personal Identity Verification Card');
    const [selected] = readAnswers(succeeded(await run('opensc-tool', ['--send-apdu', '00A4040005A00000030800'])));
    expect(selected?.status).toBe('9000');
    // The application property template with the application's identifier (SP 800-73-4 part 2 table 3).
    expect(selected?.data[0]).toBe(0x61);

    expect(succeeded(await run('pkcs11-tool', ['--list-objects']))).toContain('Certificate for PIV Authentication');
    succeeded(await run('pkcs11-tool', ['--read-object', '--type', 'cert', '--id', '01', '-o', file('certificate')]));
    const certificate = new X509Certificate(readFileSync(file('certificate')));
    expect(objectOf(key, slot9aCertificate).includes(certificate.raw)).toBe(true);

    const message = randomBytes(100);
    writeFileSync(file('message'), message);
    const signing = ['--sign', '--mechanism', mechanism, ...format, '--id', '01'];
    const files = ['-i', file('message'), '-o', file('signature')];
    succeeded(await run('pkcs11-tool', ['--login', '--pin', samplePassword, ...signing, ...files]));
    expect(verify('sha256', message, certificate.publicKey, readFileSync(file('signature')))).toBe(true);
  });

for (const { algorithm, yubico } of kinds)
  test(`${algorithm}: Yubico’s tool reads the key and signs`, async ({ site, smartCards }) => {
    test.skip(!hasSmartCards('opensc-tool', 'yubico-piv-tool'), 'no smart-card service or yubico-piv-tool');
    const key = await pivKey(site, algorithm);
    const service = await smartCards(key);
    const run = yubicoTool(service);

    const status = succeeded(await run('-a', 'status'));
    expect(status).toMatch(new RegExp(`Slot 9a:\\s+Algorithm:\\s+${yubico}`));
    expect(status).toMatch(/PIN tries left:\s+3/);
    const certificate = path.join(service.directory, 'certificate');
    succeeded(await run('-a', 'read-certificate', '-s', '9a', '-o', certificate));
    expect(objectOf(key, slot9aCertificate).includes(new X509Certificate(readFileSync(certificate)).raw)).toBe(true);
    const signing = ['-a', 'verify-pin', '-P', samplePassword, '-a', 'test-signature', '-s', '9a', '-A', yubico];
    expect(succeeded(await run(...signing, '-i', certificate))).toContain('verification');
  });

test('a wrong PIN is told from the right one, counted, and blocks in the end', async ({ site, smartCards }) => {
  test.skip(!hasSmartCards('opensc-tool', 'pkcs11-tool', 'yubico-piv-tool'), 'a smart-card program is missing');
  const key = await pivKey(site, 'p256');
  const service = await smartCards(key);
  const yubico = yubicoTool(service);
  const login = async (pin: string): Promise<string> =>
    (await service.run('pkcs11-tool', ['--login', '--pin', pin, '--list-objects', '--type', 'privkey'])).output;
  const tries = (): number => pivOf(key.state()).remainingTries;

  expect(await login(wrongPassword)).toContain('CKR_PIN_INCORRECT');
  expect(tries()).toBe(2);
  expect((await yubico('-a', 'status')).output).toMatch(/PIN tries left:\s+2/);
  expect(await login(samplePassword)).not.toContain('CKR_');
  expect(tries()).toBe(3);
  for (const left of [2, 1, 0]) {
    expect((await yubico('-a', 'verify-pin', '-P', wrongPassword)).status).not.toBe(0);
    expect(tries()).toBe(left);
  }
  expect(await login(samplePassword)).toContain('CKR_PIN_LOCKED');
  expect(tries()).toBe(0);
});

/** As cards are delivered (SP 800-73-4 leaves it to the maker; this is Yubico's and CanoKey's): 01 … 08 three times. */
const defaultManagementKey = Buffer.from('010203040506070801020304050607080102030405060708', 'hex');
/** ADMIN DATA and PRINTED INFORMATION, which hold a management key that the PIN protects. */
const managementObjects = ['5fff00', '5fc109'];

/** The same key with the management key of delivery: the tools of Debian 12 know 3DES alone. */
function withDefaultManagementKey(state: KeyState): KeyState {
  const piv = pivOf(state);
  return {
    ...state,
    piv: {
      ...piv,
      managementKey: { algorithm: '3des', key: defaultManagementKey.toString('hex'), pinProtected: false },
      objects: piv.objects.filter(({ tag }) => !managementObjects.includes(tag)),
    },
  };
}

const deliveredKey = async (site: Site): Promise<KeyOnTheBus> => {
  const state = await site.ca.personalise('due-30-days', 'ccid-0b', { commandSet: 'piv', algorithm: 'p256' });
  return new KeyOnTheBus(withDefaultManagementKey(state));
};

for (const { algorithm, yubico } of kinds)
  test(`${algorithm}: Yubico’s tool shows the management key and generates a key pair`, async ({
    site,
    smartCards,
  }) => {
    test.skip(!hasSmartCards('opensc-tool', 'yubico-piv-tool'), 'no smart-card service or yubico-piv-tool');
    const key = await deliveredKey(site);
    const service = await smartCards(key);
    const file = path.join(service.directory, 'public');

    succeeded(await yubicoTool(service)('-a', 'generate', '-s', '82', '-A', yubico, '-o', file));

    const generated = createPublicKey(readFileSync(file)).export({ format: 'der', type: 'spki' });
    const slot = pivOf(key.state()).slots.find((each) => each.slot === '82');
    expect(slot?.algorithm).toBe(algorithm);
    expect(generated.includes(Buffer.from(slot?.publicKey ?? 'none', 'hex'))).toBe(true);
  });

test('OpenSC’s piv-tool shows the management key and writes a certificate', async ({ site, smartCards }) => {
  test.skip(!hasSmartCards('opensc-tool', 'piv-tool', 'pkcs11-tool'), 'no smart-card service or OpenSC');
  const key = await deliveredKey(site);
  const { run, directory } = await smartCards(key);
  const [managementKey, certificate] = [path.join(directory, 'management'), path.join(directory, 'certificate')];
  writeFileSync(managementKey, (defaultManagementKey.toString('hex').match(/../g) ?? []).join(':'));
  succeeded(await run('pkcs11-tool', ['--read-object', '--type', 'cert', '--id', '01', '-o', certificate]));
  const certificateOf9a = new X509Certificate(readFileSync(certificate));
  writeFileSync(certificate, certificateOf9a.toString());

  // It ends with another status than 0 even when it has written what it should.
  const written = await run('piv-tool', ['--admin', 'M:9B:03', '--cert', '9E', '--in', certificate], {
    PIV_EXT_AUTH_KEY: managementKey,
  });

  expect(written.output).not.toMatch(/fail|error/i);
  expect(objectOf(key, '5fc101').includes(certificateOf9a.raw)).toBe(true);
});
