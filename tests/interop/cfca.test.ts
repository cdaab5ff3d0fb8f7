import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCfcaRequest, parseCfcaRequest, type CfcaRequest } from '../../src/ca/cfca-request.ts';
import { rewrapEscrowedKey } from '../../src/ca/cfca-escrow.ts';
import { oids } from '../../src/pki/algorithms.ts';
import { fromBase64, fromHex, type Bytes } from '../../src/pki/bytes.ts';
import { encode, explicit, integer, octetString, oid, raw, sequence } from '../../src/pki/der.ts';
import { encodeSm2Cipher } from '../../src/pki/enveloped-key.ts';
import { sm2PublicKey } from '../../src/pki/sm2.ts';
import { changed, makeKey, makeName, pem } from '../unit/pki/hierarchy.ts';
import cfca from '../vectors/cfca.json' with { type: 'json' };
import { OpensslDirectory, sm2Id } from './openssl.ts';

let dir: OpensslDirectory;
beforeAll(async () => {
  dir = await OpensslDirectory.make();
});
afterAll(() => dir.remove());

const sample = fromBase64(cfca.csr);
const key = await makeKey('sm2');
const ours = (await createCfcaRequest({ subject: makeName('测试纳税人'), spki: key.spki, sign: key.sign })).der;

/** What openssl says of a signature over a message, by the key of a request. */
async function verdict({ spki, signature }: CfcaRequest, message: Uint8Array, id = sm2Id): Promise<string> {
  await dir.write('key.pem', pem('PUBLIC KEY', spki));
  await dir.write('signature.bin', signature);
  await dir.write('message.bin', message);
  const key = ['-verify', 'key.pem', '-sigopt', id];
  return outcome(dir.openssl('dgst', '-sm3', ...key, '-signature', 'signature.bin', 'message.bin'));
}

/** What openssl says, whether or not it ends with an error. */
async function outcome(said: Promise<string>): Promise<string> {
  try {
    return await said;
  } catch (error) {
    if (!(error instanceof Error) || !('stdout' in error)) throw error;
    return `${error.message}${String(error.stdout)}`;
  }
}

describe('CFCA’s request with OpenSSL', () => {
  it.each([
    ['published', sample],
    ['ours', ours],
  ])('verifies over the CertificationRequestInfo as it stands, under the default id: %s', async (_whose, der) => {
    const request = parseCfcaRequest(der);
    expect(await verdict(request, request.info)).toMatch(/Verified OK/u);
    expect(await verdict(request, changed(request.info, -1))).toMatch(/Verification failure/u);
    expect(await verdict(request, request.info, 'distid:another')).toMatch(/Verification failure/u);
  });

  it.each([
    ['published', sample],
    ['ours', ours],
  ])('is refused as a PKCS #10 request, for its attributes, ours as theirs: %s', async (_whose, der) => {
    await dir.write('request.der', der);
    const said = await outcome(dir.openssl('req', '-inform', 'DER', '-in', 'request.der', '-noout', '-text'));
    expect(said).toMatch(/X509_ATTRIBUTE/u);
  });

  it('is taken apart as DER all the same', async () => {
    await dir.write('request.der', ours);
    const said = await dir.openssl('asn1parse', '-inform', 'DER', '-in', 'request.der');
    expect(said).toMatch(/challengePassword[\s\S]*PRINTABLESTRING\s*:111111[\s\S]*1\.2\.840\.113549\.1\.9\.63/u);
    expect(said.match(/BMPSTRING/gu)).toHaveLength(2);
  });
});

describe('a delivered key pair with OpenSSL', () => {
  it('is wrapped so that OpenSSL opens it with the new signing key', async () => {
    await dir.openssl('genpkey', '-algorithm', 'SM2', '-out', 'signing.key');
    await dir.openssl('pkey', '-in', 'signing.key', '-pubout', '-outform', 'DER', '-out', 'signing.pub');
    const recipient = (await dir.read('signing.pub')).slice(-65);
    const privateKey = fromHex(cfca.escrow.privateKey);
    const { wrappedKey, encryptedPrivateKey } = rewrapEscrowedKey({
      blob: cfca.escrow.blob,
      temporaryPrivateKey: fromHex(cfca.escrow.temporaryPrivateKey),
      certifiedPublicKey: sm2PublicKey(privateKey),
      recipient,
    });
    await dir.write('wrapped.der', encodeSm2Cipher(wrappedKey));
    await dir.openssl('pkeyutl', '-decrypt', '-inkey', 'signing.key', '-in', 'wrapped.der', '-out', 'sm4.key');
    await dir.write('encrypted.bin', encryptedPrivateKey);
    const sm4Key = Buffer.from(await dir.read('sm4.key')).toString('hex');
    const ecb = ['enc', '-d', '-sm4-ecb', '-nopad', '-K', sm4Key];
    await dir.openssl(...ecb, '-in', 'encrypted.bin', '-out', 'opened.bin');
    expect((await dir.read('opened.bin')).slice(32)).toEqual(privateKey);
  });

  it('has the public key that OpenSSL computes from its private key', async () => {
    const privateKey = fromHex(cfca.escrow.privateKey);
    await dir.write('delivered.der', ecPrivateKey(privateKey));
    const asPublic = ['-pubout', '-outform', 'DER', '-out', 'delivered.pub'];
    await dir.openssl('pkey', '-inform', 'DER', '-in', 'delivered.der', ...asPublic);
    expect((await dir.read('delivered.pub')).slice(-65)).toEqual(sm2PublicKey(privateKey));
  });
});

/** DER ECPrivateKey without the public key (RFC 5915 §3). */
function ecPrivateKey(privateKey: Uint8Array): Bytes {
  return encode(sequence(integer(1), octetString(privateKey), explicit(0, raw(encode(oid(oids.sm2))))));
}
