import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type KeyKind, samplePassword } from '../reference-ca/personalise.ts';
import type { Attachment } from '../virtual-key/state.ts';
import { hasSmartCards } from './ensure.mjs';
import { type Desk, expect, seen, succeeded, test, typePassword } from './fixtures.ts';
import { KeyOnTheBus } from './key-on-the-bus.ts';
import { pairsOn } from './on-the-key.ts';
import { readAnswers } from './opensc-output.ts';

/** SELECT of the PIV application. */
const selectPiv = '00A4040005A00000030800';

const keys: readonly (readonly [what: string, Attachment, KeyKind])[] = [
  ['GM/T 0017 with SM2 over Longmai’s HID reports', 'longmai-hid', {}],
  ['GM/T 0017 with SM2 over CCID with extended APDUs', 'ccid-extended', {}],
  ['GM/T 0017 with SM2 over CCID with short APDUs', 'ccid-short', {}],
  ['PIV with P-256 over CCID', 'ccid-extended', { commandSet: 'piv', algorithm: 'p256' }],
  ['PIV with P-256 over CanoKey’s control transfers', 'canokey', { commandSet: 'piv', algorithm: 'p256' }],
  ['PIV with SM2 over CanoKey’s control transfers', 'canokey', { commandSet: 'piv', algorithm: 'sm2' }],
];

/** Renews as a person does, from the certificate's page to the words at the end. */
async function renew({ page }: Desk): Promise<void> {
  await page.goto('/certificates');
  await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
  await page.getByRole('link', { name: '更新证书' }).click();
  await typePassword(page, samplePassword);
  await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();
}

for (const [what, attachment, kind] of keys)
  test(`${what}: renewed through the browser’s own USB`, async ({ desk, site }) => {
    const here = await desk('due-30-days', attachment, { kind });
    const { page, key } = here;
    const before = pairsOn(key.state());

    await renew(here);

    const [old, renewed, ...more] = pairsOn(key.state());
    expect(old).toEqual(before[0]);
    expect(renewed?.certificate).toBeTruthy();
    expect(more).toEqual([]);
    const status = await page.request.get(`${site.origin}/api/enrolments/${renewed?.name?.slice(1) ?? ''}`);
    expect(await status.json()).toMatchObject({ status: 'confirmed' });
  });

test('PIV with RSA-2048 over CCID: renewed, and other programs read the new certificate and sign with its key', async ({
  desk,
  smartCards,
}) => {
  test.skip(!hasSmartCards('opensc-tool', 'yubico-piv-tool'), 'no smart-card service or yubico-piv-tool');
  const here = await desk('due-30-days', 'ccid-short', { kind: { commandSet: 'piv', algorithm: 'rsa2048' } });
  const before = pairsOn(here.key.state());
  await renew(here);
  const [old, renewed, ...more] = pairsOn(here.key.state());
  expect(old).toEqual(before[0]);
  expect(more).toEqual([]);

  // The same key, now as a smart card in another computer.
  const { run, directory } = await smartCards(new KeyOnTheBus({ ...here.key.state(), attachment: 'ccid-0b' }));
  const certificate = Buffer.from(renewed?.certificate ?? '', 'hex');
  const file = path.join(directory, 'certificate');
  writeFileSync(file, new X509Certificate(certificate).toString());
  // GET DATA of the first retired key's certificate (SP 800-73-4 part 1 table 3).
  const read = await run('opensc-tool', ['--send-apdu', selectPiv, '--send-apdu', '00CB3FFF055C035FC10D00']);
  expect(readAnswers(succeeded(read))[1]?.data.includes(certificate)).toBe(true);
  const shown = await run('yubico-piv-tool', ['--reader', '', '-s', '82', '-a', 'read-certificate']);
  expect(new X509Certificate(succeeded(shown)).raw.equals(certificate)).toBe(true);
  const signing = ['-a', 'verify-pin', '-P', samplePassword, '-a', 'test-signature', '-A', 'RSA2048', '-i', file];
  const signed = await run('yubico-piv-tool', ['--reader', '', '-s', '82', ...signing]);
  expect(succeeded(signed)).toContain('Successful RSA verification');
});
