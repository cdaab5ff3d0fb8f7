import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSpki, sm2Spki } from '../../src/pki/algorithms.ts';
import { concat, toHex, type Bytes } from '../../src/pki/bytes.ts';
import {
  decodeEnvelopedKey,
  decodeSm2Cipher,
  encodeEnvelopedKey,
  encodeSm2Cipher,
  makeEnvelopedKey,
} from '../../src/pki/enveloped-key.ts';
import { sm2Decrypt, sm2Encrypt, sm2GenerateKeyPair } from '../../src/pki/sm2.ts';
import { sm4EcbDecrypt, sm4EcbEncrypt } from '../../src/pki/sm4.ts';
import { pem } from '../unit/pki/hierarchy.ts';
import { OpensslDirectory } from './openssl.ts';

/* OpenSSL's SM2 ciphertext is GM/T 0009's SM2Cipher: an envelope made here opens there, and the other way round. */

const sm4Key = Uint8Array.from({ length: 16 }, (_, index) => 3 * index + 1);
const delivered = sm2GenerateKeyPair();

let dir: OpensslDirectory;
let recipient: Bytes;
beforeAll(async () => {
  dir = await OpensslDirectory.make();
  await dir.openssl('genpkey', '-algorithm', 'SM2', '-out', 'recipient.key');
  await dir.openssl('pkey', '-in', 'recipient.key', '-pubout', '-out', 'recipient.pub');
  await dir.openssl('pkey', '-in', 'recipient.key', '-pubout', '-outform', 'DER', '-out', 'recipient.der');
  recipient = readSpki(await dir.read('recipient.der')).publicKey;
});
afterAll(() => dir.remove());

describe('an envelope with OpenSSL', () => {
  it.each([
    ['32', delivered.privateKey],
    ['64', concat(new Uint8Array(32), delivered.privateKey)],
  ])('of %s bytes opens there', async (_length, plaintext) => {
    const made = makeEnvelopedKey(sm2Encrypt(sm4Key, recipient), delivered.publicKey, sm4EcbEncrypt(sm4Key, plaintext));
    const envelope = decodeEnvelopedKey(encodeEnvelopedKey(made));
    await dir.write('wrapped', encodeSm2Cipher(envelope.wrappedKey));
    await dir.write('encrypted', envelope.encryptedPrivateKey);
    await dir.openssl('pkeyutl', '-decrypt', '-inkey', 'recipient.key', '-in', 'wrapped', '-out', 'unwrapped');
    const key = toHex(await dir.read('unwrapped'));
    await dir.openssl('enc', '-d', '-sm4-ecb', '-nopad', '-K', key, '-in', 'encrypted', '-out', 'opened');
    expect(toHex(await dir.read('opened'))).toBe(toHex(plaintext));
  });

  it('made there opens here', async () => {
    const { privateKey, publicKey } = sm2GenerateKeyPair();
    await dir.write('our.pub', pem('PUBLIC KEY', sm2Spki(publicKey)));
    await dir.write('key', sm4Key);
    await dir.write('plaintext', delivered.privateKey);
    await dir.openssl('pkeyutl', '-encrypt', '-pubin', '-inkey', 'our.pub', '-in', 'key', '-out', 'wrapped');
    await dir.openssl('enc', '-sm4-ecb', '-nopad', '-K', toHex(sm4Key), '-in', 'plaintext', '-out', 'encrypted');
    const envelope = makeEnvelopedKey(
      decodeSm2Cipher(await dir.read('wrapped')),
      delivered.publicKey,
      await dir.read('encrypted'),
    );
    const { wrappedKey, encryptedPrivateKey } = decodeEnvelopedKey(encodeEnvelopedKey(envelope));
    const opened = sm4EcbDecrypt(sm2Decrypt(wrappedKey, privateKey), encryptedPrivateKey);
    expect(toHex(opened)).toBe(toHex(delivered.privateKey));
  });

  it('has the structure that its parser prints', async () => {
    const made = makeEnvelopedKey(sm2Encrypt(sm4Key, recipient), delivered.publicKey, new Uint8Array(32));
    await dir.write('envelope', encodeEnvelopedKey(made));
    const printed = await dir.openssl('asn1parse', '-inform', 'DER', '-in', 'envelope');
    expect(printed).toMatch(/OBJECT +:sm4-ecb\n/u);
    const types = /d=(\d).*?(?:prim|cons): (SEQUENCE|OBJECT|INTEGER|OCTET STRING|BIT STRING)/u;
    const parts = printed
      .trim()
      .split('\n')
      .map((line) => types.exec(line)?.slice(1).join(' '));
    expect(parts).toEqual([
      '0 SEQUENCE',
      '1 SEQUENCE',
      '2 OBJECT',
      '1 SEQUENCE',
      '2 INTEGER',
      '2 INTEGER',
      '2 OCTET STRING',
      '2 OCTET STRING',
      '1 BIT STRING',
      '1 BIT STRING',
    ]);
  });
});
