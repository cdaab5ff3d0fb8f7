import fc from 'fast-check';
import * as oracle from 'sm-crypto-v2';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CfcaEscrowError, rewrapEscrowedKey, type CfcaEscrowErrorCode } from '../../../src/ca/cfca-escrow.ts';
import { concat, fromHex, toBase64, toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { encode, integer, octetString, sequence } from '../../../src/pki/der.ts';
import { privateKeyField, type EnvelopedKey } from '../../../src/pki/enveloped-key.ts';
import { sm2Encrypt, sm2GenerateKeyPair, sm2PublicKey, type Sm2Ciphertext } from '../../../src/pki/sm2.ts';
import cfca from '../../vectors/cfca.json' with { type: 'json' };
import { changed } from '../pki/hierarchy.ts';

/** What went through SM2 and SM4 in the clear, by the very objects: to see that nothing of it stays. */
const inTheClear: Uint8Array[] = [];
vi.mock('../../../src/pki/sm2.ts', async (importOriginal) => {
  const sm2 = await importOriginal<typeof import('../../../src/pki/sm2.ts')>();
  return {
    ...sm2,
    sm2Decrypt: (...args: Parameters<typeof sm2.sm2Decrypt>) => {
      const plaintext = sm2.sm2Decrypt(...args);
      inTheClear.push(plaintext);
      return plaintext;
    },
    sm2Encrypt: (...args: Parameters<typeof sm2.sm2Encrypt>) => {
      inTheClear.push(args[0]);
      return sm2.sm2Encrypt(...args);
    },
  };
});
vi.mock('../../../src/pki/sm4.ts', async (importOriginal) => {
  const sm4 = await importOriginal<typeof import('../../../src/pki/sm4.ts')>();
  return {
    ...sm4,
    sm4EcbEncrypt: (...args: Parameters<typeof sm4.sm4EcbEncrypt>) => {
      inTheClear.push(...args);
      return sm4.sm4EcbEncrypt(...args);
    },
  };
});
beforeEach(() => {
  inTheClear.length = 0;
});

const { blob } = cfca.escrow;
const privateKey = fromHex(cfca.escrow.privateKey);
const publicKey = sm2PublicKey(privateKey);
const signing = sm2GenerateKeyPair();
const temporary = (): Bytes => fromHex(cfca.escrow.temporaryPrivateKey);
const temporaryPublicKey = sm2PublicKey(temporary());

interface Attempt {
  readonly blob?: string;
  readonly temporaryPrivateKey?: Bytes;
  readonly certifiedPublicKey?: Uint8Array;
  readonly recipient?: Uint8Array;
}

const rewrap = (attempt: Attempt = {}): EnvelopedKey =>
  rewrapEscrowedKey({
    blob,
    temporaryPrivateKey: temporary(),
    certifiedPublicKey: publicKey,
    recipient: signing.publicKey,
    ...attempt,
  });

function failureOf(attempt: Attempt): CfcaEscrowErrorCode | 'accepted' {
  try {
    rewrap(attempt);
    return 'accepted';
  } catch (error) {
    if (error instanceof CfcaEscrowError) return error.code;
    throw error;
  }
}

/** A delivery in CFCA's form. */
function blobOf(der: Uint8Array, prefix = '0'.repeat(64)): string {
  const base64 = toBase64(der);
  return prefix + String(base64.length).padStart(16, '0') + base64;
}
const derOf = (cipher: Uint8Array, version = 1): Bytes => encode(sequence(integer(version), octetString(cipher)));
const joined = ({ x, y, hash, cipher }: Sm2Ciphertext): Bytes => concat(x, y, hash, cipher);
const deliver = (plaintext: Uint8Array): string => blobOf(derOf(joined(sm2Encrypt(plaintext, temporaryPublicKey))));
const keyPair = concat(publicKey.subarray(1), privateKey);

describe('a delivered key pair', () => {
  it('is wrapped for the new signing key, which opens it with other implementations of SM2 and SM4', () => {
    const { wrappedKey, encryptedPrivateKey, publicKey: delivered } = rewrap();
    const c1c3c2 = toHex(joined(wrappedKey));
    const key = oracle.sm2.doDecrypt(c1c3c2, toHex(signing.privateKey), 1, { output: 'array' });
    const opened = oracle.sm4.decrypt(encryptedPrivateKey, key, { padding: 'none', output: 'array' });
    expect(toHex(Uint8Array.from(opened))).toBe('00'.repeat(32) + cfca.escrow.privateKey);
    expect(delivered).toEqual(publicKey);
  });

  it('suits a USBKEY of either convention', () => {
    const envelope = rewrap();
    expect(privateKeyField(envelope, 'allEncrypted')).toEqual(envelope.encryptedPrivateKey);
    expect(privateKeyField(envelope, 'zerosThenEncrypted').subarray(32)).toEqual(
      envelope.encryptedPrivateKey.subarray(32),
    );
  });

  it('is wrapped under another SM4 key each time', () => {
    expect(rewrap().encryptedPrivateKey).not.toEqual(rewrap().encryptedPrivateKey);
  });

  it.each([
    ['after each 64 letters, not counted', (base64: string) => base64.replace(/.{64}/gu, '$&,'), 268],
    ['after each 64 letters, counted', (base64: string) => base64.replace(/.{64}/gu, '$&,'), 272],
    ['after each letter', (base64: string) => base64.replace(/./gu, '$&,'), 268],
  ])('is read with commas %s', (_where, comma, length) => {
    const withCommas = blob.slice(0, 64) + String(length).padStart(16, '0') + comma(blob.slice(80));
    expect(rewrap({ blob: withCommas }).publicKey).toEqual(publicKey);
  });
});

describe('every secret is overwritten', () => {
  const cases: readonly (readonly [string, Attempt, number])[] = [
    ['when it went well', {}, 4],
    ['when the key pair is not the certificate’s', { certifiedPublicKey: signing.publicKey }, 1],
    ['when the private key is another one', { blob: deliver(concat(publicKey.slice(1), signing.privateKey)) }, 1],
    ['when the private key is none', { blob: deliver(concat(publicKey.slice(1), new Uint8Array(32))) }, 1],
    ['when the blob cannot be read', { blob: blob.slice(1) }, 0],
    ['when nobody is to have it', { recipient: new Uint8Array(65) }, 0],
  ];
  it.each(cases)('%s', (_when, attempt, seen) => {
    const temporaryPrivateKey = temporary();
    // The deliveries made up above passed through the same functions.
    inTheClear.length = 0;
    failureOf({ ...attempt, temporaryPrivateKey });
    expect(inTheClear).toHaveLength(seen);
    for (const secret of [...inTheClear, temporaryPrivateKey]) expect(secret.every((byte) => byte === 0)).toBe(true);
  });
});

describe('what is no such delivery', () => {
  const base64 = blob.slice(80);
  const sampleDer = Uint8Array.from(Buffer.from(base64, 'base64'));
  const cipher = sampleDer.slice(-192);
  const longBlob = blob.slice(0, 64) + '0000000000000268' + base64 + ','.repeat(1024);
  const cases: readonly (readonly [string, Attempt, CfcaEscrowErrorCode])[] = [
    ['nothing', { blob: '' }, 'malformed'],
    ['a prefix cut short', { blob: blob.slice(1) }, 'malformed'],
    ['a prefix with a letter', { blob: `x${blob.slice(1)}` }, 'malformed'],
    ['a length that is another', { blob: `${blob.slice(0, 79)}9${base64}` }, 'malformed'],
    ['white space', { blob: `${blob}\n` }, 'malformed'],
    ['too many commas', { blob: longBlob }, 'malformed'],
    ['base64 cut short', { blob: blobOf(sampleDer).slice(0, -1) }, 'malformed'],
    ['base64 of something else', { blob: blobOf(Uint8Array.of(1, 2, 3)) }, 'malformed'],
    ['another version', { blob: blobOf(derOf(cipher, 2)) }, 'malformed'],
    ['a ciphertext one byte short', { blob: blobOf(derOf(cipher.slice(1))) }, 'malformed'],
    ['a ciphertext of a key without its public key', { blob: deliver(privateKey) }, 'malformed'],
    ['bytes behind the value', { blob: blobOf(concat(sampleDer, Uint8Array.of(0))) }, 'malformed'],
    ['a C1 off the curve', { blob: blobOf(derOf(changed(cipher, 63))) }, 'notForThisKey'],
    ['a C3 that is another', { blob: blobOf(derOf(changed(cipher, 64))) }, 'notForThisKey'],
    ['a C2 that is another', { blob: blobOf(derOf(changed(cipher, 191))) }, 'notForThisKey'],
    ['another temporary key', { temporaryPrivateKey: signing.privateKey.slice() }, 'notForThisKey'],
    ['a temporary key already used up', { temporaryPrivateKey: new Uint8Array(32) }, 'notForThisKey'],
    ['another certificate', { certifiedPublicKey: signing.publicKey }, 'keyMismatch'],
    ['another private key', { blob: deliver(concat(publicKey.slice(1), signing.privateKey)) }, 'keyMismatch'],
    ['a private key of zero', { blob: deliver(concat(publicKey.slice(1), new Uint8Array(32))) }, 'keyMismatch'],
    ['a recipient off the curve', { recipient: changed(signing.publicKey, 64) }, 'invalidRecipient'],
  ];
  it.each(cases)('is refused: %s', (_what, attempt, code) => {
    expect(failureOf(attempt)).toBe(code);
  });

  it('the right key pair in our own delivery is taken: the cases above fail for what they change', () => {
    expect(failureOf({ blob: deliver(keyPair) })).toBe('accepted');
  });

  it('any text is a CfcaEscrowError', () => {
    const digits = fc.stringMatching(/^\d{80}$/u);
    const text = fc.oneof(
      fc.string(),
      fc.tuple(digits, fc.base64String()).map(([a, b]) => a + b),
    );
    fc.assert(
      fc.property(text, (any) => {
        expect(failureOf({ blob: any })).toBe('malformed');
      }),
      { numRuns: 500 },
    );
  });

  it('any bytes in the right frame are a CfcaEscrowError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 180, maxLength: 210 }), fc.boolean(), (bytes, framed) => {
        expect(failureOf({ blob: blobOf(framed ? derOf(bytes) : bytes) })).not.toBe('accepted');
        const ofLength = concat(bytes, bytes).slice(0, 192);
        expect(failureOf({ blob: blobOf(derOf(ofLength)) })).toBe('notForThisKey');
      }),
      { numRuns: 100 },
    );
  });

  it('no changed byte behind the prefix is accepted', () => {
    fc.assert(
      fc.property(fc.nat(sampleDer.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const mutant = sampleDer.slice();
        mutant[at] = (mutant[at] ?? 0) ^ by;
        expect(failureOf({ blob: blobOf(mutant) })).not.toBe('accepted');
      }),
      { numRuns: 200 },
    );
  });
});
