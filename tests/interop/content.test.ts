import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyContent } from '../../src/service/content-key.ts';
import { operator } from '../tools/operator.ts';
import { OpensslDirectory, sm2Id } from './openssl.ts';

let desk: OpensslDirectory;
beforeAll(async () => {
  desk = await OpensslDirectory.make();
});
afterAll(() => desk.remove());

const sm2Options = ['-rawin', '-digest', 'sm3', '-pkeyopt', sm2Id];

test.each([
  ['ed25519', ['-rawin']],
  ['sm2', sm2Options],
] as const)('OpenSSL verifies what sign-content has signed with %s', async (algorithm, options) => {
  const key = desk.file(`${algorithm}.pem`);
  const said: string[] = [];
  const console = { out: (line: string) => said.push(line), error: (line: string) => said.push(line) };
  await operator(['keygen', '--id', 'a', '--out', key, '--algorithm', algorithm], console);
  const row = JSON.parse(said.at(-1) ?? '') as { readonly publicKey: string };
  await desk.write(`${algorithm}.spki`, Buffer.from(row.publicKey, 'base64'));
  await writeFile(desk.file('content.json'), '{"numbers":{"replacementFeeFen":3000}}');
  const signing = ['--kind', 'guidance', '--version', '1', '--key', key, '--id', 'a', '--out', desk.directory];
  expect(await operator(['sign-content', desk.file('content.json'), ...signing], console)).toBe(0);
  const manifest = JSON.parse(await readFile(path.join(desk.directory, 'guidance.manifest.json'), 'utf8')) as {
    readonly signature: string;
  };
  await desk.write('pack.sig', Buffer.from(manifest.signature, 'base64'));

  const verify = ['pkeyutl', '-verify', '-pubin', '-keyform', 'DER', '-inkey', `${algorithm}.spki`];
  const answer = await desk.openssl(...verify, '-in', 'guidance-1.json', '-sigfile', 'pack.sig', ...options);

  expect(answer).toContain('Signature Verified Successfully');
});

test.each([
  ['ed25519', ['-rawin']],
  ['sm2', sm2Options],
] as const)('what OpenSSL has signed with %s is believed', async (algorithm, options) => {
  await desk.openssl('genpkey', '-algorithm', algorithm === 'sm2' ? 'SM2' : 'ED25519', '-out', 'other.pem');
  await desk.openssl('pkey', '-in', 'other.pem', '-pubout', '-outform', 'DER', '-out', 'other.spki');
  const content = new TextEncoder().encode('{"kind":"guidance"}');
  await desk.write('signed.json', content);
  await desk.openssl('pkeyutl', '-sign', '-inkey', 'other.pem', '-in', 'signed.json', '-out', 'other.sig', ...options);
  const publicKey = new Uint8Array(await readFile(desk.file('other.spki')));
  const signature = new Uint8Array(await readFile(desk.file('other.sig')));

  const verified = await verifyContent({ keyId: 'a', algorithm, publicKey }, signature, content);

  expect(verified).toBe(true);
});
