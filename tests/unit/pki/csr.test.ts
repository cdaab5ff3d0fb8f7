import * as pkijs from 'pkijs';
import { describe, expect, it } from 'vitest';
import { copyBytes, fromBase64, toHex } from '../../../src/pki/bytes.ts';
import { createCsr, CsrError, parseCsr, verifyCsr } from '../../../src/pki/csr.ts';
import { encode, oid, printableString, raw, sequence, set } from '../../../src/pki/der.ts';
import cfca from '../../vectors/cfca.json' with { type: 'json' };
import { changed, makeKey, makeName } from './hierarchy.ts';

const subject = makeName('测试纳税人有限公司');

describe('createCsr', () => {
  it.each(['sm2', 'p256', 'p384', 'rsa'] as const)('lets a key of kind %s sign', async (algorithm) => {
    const key = await makeKey(algorithm);
    const csr = await createCsr({ subject, spki: key.spki, sign: key.sign });
    expect(parseCsr(csr)).toMatchObject({ subject: { der: subject }, spki: key.spki, keyAlgorithm: algorithm });
    await expect(verifyCsr(csr)).resolves.toBe(true);
    if (algorithm !== 'sm2') {
      const theirs = pkijs.CertificationRequest.fromBER(copyBytes(csr).buffer);
      await expect(theirs.verify()).resolves.toBe(true);
    }
  });

  it('takes a name of BMPStrings and several attributes in one relative name over byte for byte', async () => {
    const bmp = (text: string): Uint8Array =>
      Uint8Array.of(
        0x1e,
        2 * text.length,
        ...Array.from(text).flatMap((c) => [c.charCodeAt(0) >> 8, c.charCodeAt(0) & 0xff]),
      );
    const odd = encode(
      sequence(
        set(sequence(oid('2.5.4.6'), raw(bmp('CN')))),
        set(
          sequence(oid('1.2.156.10260.4.1.5'), printableString('91110000600037341L')),
          sequence(oid('2.5.4.3'), raw(bmp('税务'))),
        ),
      ),
    );
    const key = await makeKey('sm2');
    const csr = parseCsr(await createCsr({ subject: odd, spki: key.spki, sign: key.sign }));
    expect(toHex(csr.subject.der)).toBe(toHex(odd));
    expect(csr.subject.attributes.at(-1)).toEqual({ type: '2.5.4.3', value: '税务' });
  });

  it('lets the key’s own error through', async () => {
    const { spki } = await makeKey('p256');
    const unplugged = new Error('unplugged');
    await expect(createCsr({ subject, spki, sign: () => Promise.reject(unplugged) })).rejects.toBe(unplugged);
  });

  it('refuses a key or a subject that is none', async () => {
    const { spki, sign } = await makeKey('p256');
    await expect(createCsr({ subject, spki: spki.subarray(1), sign })).rejects.toThrow(CsrError);
    await expect(createCsr({ subject: Uint8Array.of(5), spki, sign })).rejects.toThrow(CsrError);
    await expect(createCsr({ subject: Uint8Array.of(0x31, 0), spki, sign })).rejects.toThrow(CsrError);
  });
});

describe('parseCsr and verifyCsr', () => {
  it('verify CFCA’s published sample, whose attributes are not in a SET', async () => {
    const csr = fromBase64(cfca.csr);
    expect(parseCsr(csr).subject.attributes.map(({ value }) => value)).toEqual([
      'CN',
      'CFCA TEST CA',
      'certRequisition',
    ]);
    await expect(verifyCsr(csr)).resolves.toBe(true);
  });

  it('find any change', async () => {
    const key = await makeKey('sm2');
    const csr = await createCsr({ subject, spki: key.spki, sign: key.sign });
    const name = csr.findIndex((_, index) => toHex(csr.subarray(index, index + 3)) === '550403');
    await expect(verifyCsr(changed(csr, name + 6))).resolves.toBe(false);
    await expect(verifyCsr(changed(csr, -1))).resolves.toBe(false);
  });

  it('refuse what is not a request', async () => {
    await expect(verifyCsr(Uint8Array.of(0x30, 0))).rejects.toThrow(CsrError);
    expect(() => parseCsr(fromBase64(cfca.csr).subarray(0, 100))).toThrow(CsrError);
  });
});
