import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createCfcaRequest, parseCfcaRequest, verifyCfcaRequest } from '../../../src/ca/cfca-request.ts';
import { concat, fromBase64, fromHex, toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { createCsr, CsrError } from '../../../src/pki/csr.ts';
import {
  bitString,
  children,
  encode,
  explicit,
  integer,
  nullValue,
  octetString,
  oid,
  parseDer,
  printableString,
  raw,
  readSequence,
  sequence,
  set,
  sourceBytes,
  utf8String,
  type DerBlock,
} from '../../../src/pki/der.ts';
import { readName } from '../../../src/pki/name.ts';
import { sm2PublicKey, type Sm2KeyPair } from '../../../src/pki/sm2.ts';
import cfca from '../../vectors/cfca.json' with { type: 'json' };
import { changed, makeKey, makeName } from '../pki/hierarchy.ts';

/** Every key pair made, by the very object: the only way to see whether a key that nobody got was cleared. */
const made: Sm2KeyPair[] = [];
vi.mock('../../../src/pki/sm2.ts', async (importOriginal) => {
  const sm2 = await importOriginal<typeof import('../../../src/pki/sm2.ts')>();
  return {
    ...sm2,
    sm2GenerateKeyPair: () => {
      const pair = sm2.sm2GenerateKeyPair();
      made.push(pair);
      return pair;
    },
  };
});
beforeEach(() => {
  made.length = 0;
});

const sample = fromBase64(cfca.csr);
const sampleSubject = encode(
  sequence(
    set(sequence(oid('2.5.4.6'), printableString('CN'))),
    set(sequence(oid('2.5.4.10'), utf8String('CFCA TEST CA'))),
    set(sequence(oid('2.5.4.3'), utf8String('certRequisition'))),
  ),
);
const key = await makeKey('sm2');

describe('CFCA’s published request', () => {
  it('is read with its name, its password and its temporary key', () => {
    const request = parseCfcaRequest(sample);
    expect(request.subject.attributes.map(({ value }) => value)).toEqual(['CN', 'CFCA TEST CA', 'certRequisition']);
    expect(request.challengePassword).toBe('111111');
    expect(toHex(request.temporaryPublicKey)).toBe(
      '04' +
        '69904b24b6d3fcd0e2d1c940a0391183e074bb8f139ebc49870a96a9b05868d6' +
        'a8930334d817c49aa54cfaa3cf971d88e2fdfca5cd4de16802c556f6426812ca',
    );
  });

  it('is signed by its own key', async () => {
    await expect(verifyCfcaRequest(sample)).resolves.toBe(true);
  });

  it.each([
    ['in the name', 50],
    ['in the challenge password', 213],
    ['in the signature', -1],
  ])('no longer verifies when a byte is changed %s', async (_where, index) => {
    await expect(verifyCfcaRequest(changed(sample, index))).resolves.toBe(false);
  });

  it('is read, or refused with a CsrError, whatever is changed, and verifies only unchanged', async () => {
    const anywhere = fc.record({ at: fc.nat(sample.length - 1), by: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(anywhere, async ({ at, by }) => {
        const mutant = sample.slice();
        mutant[at] = (mutant[at] ?? 0) ^ by;
        expect(await accepts(mutant)).toBe(false);
      }),
      { numRuns: 250 },
    );
  });
});

it('any bytes are refused with a CsrError', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), async (bytes) => {
      expect(await accepts(bytes)).toBe(false);
    }),
    { numRuns: 300 },
  );
});

async function accepts(bytes: Uint8Array): Promise<boolean> {
  try {
    return await verifyCfcaRequest(bytes);
  } catch (error) {
    if (error instanceof CsrError) return false;
    throw error;
  }
}

describe('createCfcaRequest', () => {
  it('makes the form of the published request: everything but keys and signature, byte for byte', async () => {
    const { der, temporaryKey } = await createCfcaRequest({ subject: sampleSubject, ...signer });
    const ours = parseCfcaRequest(der);
    const theirs = parseCfcaRequest(sample);
    const put = (hex: string, from: Bytes, to: Bytes): string => hex.replace(toHex(from), toHex(to));
    let info = put(toHex(ours.info), ours.spki, theirs.spki);
    for (const [start, end] of [
      [1, 33],
      [33, 65],
    ] as const) {
      info = put(info, temporaryKey.publicKey.slice(start, end), theirs.temporaryPublicKey.slice(start, end));
    }
    expect(info).toBe(toHex(theirs.info));
    expect(algorithmOf(der)).toBe(algorithmOf(sample));
  });

  it('is signed by the new key and carries the public half of the temporary key', async () => {
    const { der, temporaryKey } = await createCfcaRequest({ subject: makeName('测试纳税人'), ...signer });
    await expect(verifyCfcaRequest(der)).resolves.toBe(true);
    const request = parseCfcaRequest(der);
    expect(request.spki).toEqual(key.spki);
    expect(request.temporaryPublicKey).toEqual(sm2PublicKey(temporaryKey.privateKey));
  });

  it('takes another temporary key for each request', async () => {
    const content = { subject: sampleSubject, ...signer };
    const [first, second] = [await createCfcaRequest(content), await createCfcaRequest(content)];
    expect(first.temporaryKey.privateKey).not.toEqual(second.temporaryKey.privateKey);
  });

  it('keeps every text of the subject and the relative names it stands in', async () => {
    const subject = encode(
      sequence(
        set(sequence(oid('2.5.4.6'), printableString('CN'))),
        set(
          sequence(oid('2.5.4.3'), utf8String('税务')),
          sequence(oid('1.2.156.10260.4.1.5'), printableString('91110000600037341L')),
        ),
      ),
    );
    const { der } = await createCfcaRequest({ subject, ...signer });
    const texts = (name: { attributes: readonly { type: string; value: string }[] }): readonly string[] =>
      name.attributes.map(({ type, value }) => `${type}=${value}`).sort();
    const written = parseCfcaRequest(der).subject;
    expect(texts(written)).toEqual(texts(readName(parseDer(subject))));
    expect(readSequence(parseDer(written.der)).map((relativeName) => children(relativeName).length)).toEqual([1, 2]);
  });

  it('lets the key’s own error through and clears the temporary key', async () => {
    const unplugged = new Error('unplugged');
    const asked = createCfcaRequest({ subject: sampleSubject, spki: key.spki, sign: () => Promise.reject(unplugged) });
    await expect(asked).rejects.toBe(unplugged);
    expect(made.map(({ privateKey }) => toHex(privateKey))).toEqual(['00'.repeat(32)]);
  });

  it.each([
    ['a letter beyond the BMP', makeName('𠮷')],
    ['an attribute that is not a text', encode(sequence(set(sequence(oid('2.5.4.3'), integer(1)))))],
    ['a subject that is none', Uint8Array.of(5, 0)],
  ])('refuses %s', async (_what, subject) => {
    await expect(createCfcaRequest({ subject, ...signer })).rejects.toThrow(CsrError);
  });

  it('refuses a key of another kind', async () => {
    const { spki, sign } = await makeKey('p256');
    await expect(createCfcaRequest({ subject: sampleSubject, spki, sign })).rejects.toThrow(CsrError);
  });
});

describe('parseCfcaRequest', () => {
  const parts = readSequence(readSequence(parseDer(sample))[0]);
  const [password, temporaryKey] = parts[3] ? children(parts[3]) : [];
  const withAttributes = (...attributes: readonly (DerBlock | undefined)[]): Bytes => {
    const verbatim = attributes.map((attribute) => attribute && again(attribute));
    const info = sequence(...parts.slice(0, 3).map(again), explicit(0, ...verbatim));
    return encode(sequence(info, sequence(oid('1.2.156.10197.1.501'), nullValue()), bitString(new Uint8Array(70))));
  };
  const again = (block: DerBlock): DerBlock =>
    block.valueBeforeDecodeView.length > 0 ? raw(sourceBytes(block)) : block;
  const keyAttribute = (content: Uint8Array, version = 1): DerBlock =>
    sequence(oid('1.2.840.113549.1.9.63'), octetString(encode(sequence(integer(version), octetString(content)))));
  const content = concat(
    fromHex('00b4000000010000'),
    parseCfcaRequest(sample).temporaryPublicKey.slice(1, 33),
    new Uint8Array(32),
    parseCfcaRequest(sample).temporaryPublicKey.slice(33),
    new Uint8Array(32),
  );

  it('takes the published attributes as they are', () => {
    expect(parseCfcaRequest(withAttributes(password, temporaryKey)).challengePassword).toBe('111111');
    expect(parseCfcaRequest(withAttributes(password, keyAttribute(content))).challengePassword).toBe('111111');
  });

  it.each([
    ['no attributes', []],
    ['the password alone', [password]],
    ['the temporary key alone', [temporaryKey]],
    ['the attributes in another order', [temporaryKey, password]],
    ['a third attribute', [password, temporaryKey, temporaryKey]],
    [
      'an attribute in a SET, as everybody else writes it',
      [sequence(oid('1.2.840.113549.1.9.7'), set(printableString('111111'))), temporaryKey],
    ],
    ['a password that is no PrintableString', [sequence(oid('1.2.840.113549.1.9.7'), utf8String('1')), temporaryKey]],
    ['a temporary key of another version', [password, keyAttribute(content, 2)]],
    ['a temporary key cut short', [password, keyAttribute(content.slice(0, -1))]],
    ['a temporary key with more behind it', [password, keyAttribute(concat(content, new Uint8Array(1)))]],
    ['a temporary key under another header', [password, keyAttribute(changed(content, 1))]],
    ['a temporary key off the curve', [password, keyAttribute(changed(content, 39))]],
    ['a temporary key with bytes in its padding', [password, keyAttribute(changed(content, 40))]],
  ])('refuses %s', (_what, attributes) => {
    expect(() => parseCfcaRequest(withAttributes(...attributes))).toThrow(CsrError);
  });

  it('refuses an ordinary request, and one of an RSA key', async () => {
    const ordinary = await createCsr({ subject: sampleSubject, spki: key.spki, sign: key.sign });
    expect(() => parseCfcaRequest(ordinary)).toThrow(CsrError);
    const rsa = await makeKey('rsa');
    const asked = await createCsr({ subject: sampleSubject, spki: rsa.spki, sign: rsa.sign });
    expect(() => parseCfcaRequest(asked)).toThrow(CsrError);
  });
});

const signer = { spki: key.spki, sign: key.sign };

function algorithmOf(der: Uint8Array): string {
  const algorithm = readSequence(parseDer(der))[1];
  return algorithm ? toHex(sourceBytes(algorithm)) : '';
}
