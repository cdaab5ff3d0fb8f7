import { constants, createHash, createPublicKey, generateKeyPairSync, privateEncrypt, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CommandApdu, encodeCommand } from '../../../src/apdu/command.ts';
import { encodeTlv } from '../../../src/apdu/tlv.ts';
import { readSpki } from '../../../src/pki/algorithms.ts';
import * as piv from '../../../src/usbkey/piv-commands.ts';
import * as objects from '../../../src/usbkey/piv-objects.ts';
import { pkcs1Block, sha256DigestInfo } from '../../../src/usbkey/pkcs1.ts';
import { pivRefusal } from '../../../src/usbkey/refusals.ts';
import { KeyError } from '../../../src/usbkey/usbkey.ts';
import gm from '../../vectors/gm.json' with { type: 'json' };
import { hex, toHex } from '../apdu/hex.ts';

const short = (command: CommandApdu) => toHex(encodeCommand(command, 'short'));
const spaced = (text: string) => text.replaceAll(' ', '');
const malformed = expect.objectContaining({ name: 'KeyError', code: 'malformed' }) as Error;
const digits = (length: number, pair = 'ab') => pair.repeat(length);

describe('commands', () => {
  it.each<[string, CommandApdu, string]>([
    ['SELECT', piv.selectPiv(), '00a40400 05 a000000308 00'],
    ['VERIFY, to read the counter', piv.passwordStatus(), '00200080'],
    ['VERIFY, to forget', piv.forgetPassword(), '0020ff80'],
    ['VERIFY', piv.verify(new TextEncoder().encode('123456')), '00200080 08 313233343536ffff'],
    ['GET DATA', piv.getData(0x5fc105), '00cb3fff 05 5c03 5fc105 00'],
    ['PUT DATA', piv.putData(0x5fc10d, [hex('7000'), hex('fe00')]), '00db3fff 0b 5c03 5fc10d 53 04 7000fe00'],
    ['PUT DATA of nothing', piv.putData(0x5fff00, []), '00db3fff 07 5c03 5fff00 5300'],
    ['GENERATE', piv.generate(0x82, 0x11), '00470082 05 ac03 800111 00'],
    ['GENERAL AUTHENTICATE, to sign', piv.sign(0x11, 0x9a, hex('0102')), '0087119a 08 7c06 8200 8102 0102 00'],
    ['the same for a witness', piv.requestWitness(0x03), '0087039b 04 7c02 8000 00'],
    ['the same for a challenge', piv.requestChallenge(0x0a), '00870a9b 04 7c02 8100 00'],
    [
      'the same with both',
      piv.answerWitness(0x03, hex(digits(8, '88')), hex(digits(8, '11'))),
      `0087039b 16 7c14 8008 ${digits(8, '88')} 8108 ${digits(8, '11')} 00`,
    ],
    ['the same with an answer', piv.answerChallenge(0x03, hex(digits(8))), `0087039b 0c 7c0a 8208 ${digits(8)} 00`],
    ['GET METADATA', piv.getMetadata(0x9b), '00f7009b 00'],
    ['MOVE KEY', piv.moveKey(0x9a, 0x82), '00f69a82'],
    ['MOVE KEY to nowhere', piv.deleteKey(0x82), '00f6ff82'],
    ['GET VERSION', piv.getVersion(), '00fd0000 00'],
    ['GET SERIAL', piv.getSerial(), '00f80000 00'],
  ])('%s', (_, command, expected) => {
    expect(short(command)).toBe(spaced(expected));
  });

  it.each([
    [0x9a, 0x5fc105],
    [0x9c, 0x5fc10a],
    [0x9d, 0x5fc10b],
    [0x9e, 0x5fc101],
    [0x82, 0x5fc10d],
    [0x95, 0x5fc120],
  ])('slot %d has its certificate in object %d', (slot, tag) => {
    expect(objects.certificateObjectTag(slot)).toBe(tag);
  });

  it.each([0x81, 0x96, 0x9b, 0xf9])('%d is no slot with a certificate', (slot) => {
    expect(() => objects.certificateObjectTag(slot)).toThrow(RangeError);
  });
});

describe('SELECT', () => {
  it.each([
    ['the PIX', '6111 4f06 000010000100 7907 4f05 a000000308'],
    ['the whole AID', '6112 4f0b a000000308000010000100 500350 4956'],
  ])('is of PIV with %s', (_, answer) => {
    expect(() => piv.checkSelected(hex(answer))).not.toThrow();
  });

  it.each([
    ['nothing', ''],
    ['another application', '6108 4f06 d27600012401'],
    ['no AID', '6104 5002 5049'],
    ['a file', '6f10 8408 a000000151000000 a5049f6501ff'],
    ['something cut', '6111 4f06 0000'],
  ])('is not with %s', (_, answer) => {
    expect(() => piv.checkSelected(hex(answer))).toThrow(malformed);
  });
});

describe('public keys', () => {
  const point = (namedCurve: 'P-256' | 'P-384', length: number) => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve });
    return new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })).slice(-length);
  };
  const p256 = point('P-256', 65);
  const sm2 = hex(gm.sm2.publicKey);
  const generated = (...elements: Uint8Array[]) => encodeTlv(0x7f49, ...elements);

  it('of the curves are given as SubjectPublicKeyInfo', async () => {
    const p384 = point('P-384', 97);

    const read = async (publicKey: Uint8Array, algorithm: number) =>
      readSpki(await piv.parseGenerated(generated(encodeTlv(0x86, publicKey)), algorithm, 0x54));

    expect(await read(p256, 0x11)).toMatchObject({ algorithm: 'p256', publicKey: p256 });
    expect(await read(p384, 0x14)).toMatchObject({ algorithm: 'p384', publicKey: p384 });
    expect(await read(sm2, 0x54)).toMatchObject({ algorithm: 'sm2', publicKey: sm2 });
  });

  it.each([
    [0x07, 2048],
    [0x05, 3072],
  ] as const)('of RSA are what OpenSSL says: %d', async (algorithm, bits) => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
    const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
    const number = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'));

    const answer = generated(encodeTlv(0x81, number(n)), encodeTlv(0x82, number(e)));
    const spki = await piv.parseGenerated(answer, algorithm);

    expect(toHex(spki)).toBe(publicKey.export({ type: 'spki', format: 'der' }).toString('hex'));
  });

  const modulus = `c1${digits(254)}01`;
  it.each<[string, number, Uint8Array]>([
    ['in no template', 0x11, encodeTlv(0x86, p256)],
    ['with something behind', 0x11, hex(`${toHex(generated(encodeTlv(0x86, p256)))}8100`)],
    ['without a point', 0x11, generated(encodeTlv(0x81, p256))],
    ['not on the curve', 0x11, generated(encodeTlv(0x86, hex(`04${digits(64)}`)))],
    ['on another curve', 0x11, generated(encodeTlv(0x86, sm2))],
    ['on another curve than SM2’s', 0x54, generated(encodeTlv(0x86, p256))],
    ['compressed', 0x11, generated(encodeTlv(0x86, hex(`02${toHex(p256.slice(1, 33))}`)))],
    ['too short', 0x11, generated(encodeTlv(0x86, p256.slice(0, 64)))],
    [
      'with a short modulus',
      0x07,
      generated(encodeTlv(0x81, hex(`c1${digits(126)}01`)), encodeTlv(0x82, hex('010001'))),
    ],
    [
      'with an even modulus',
      0x07,
      generated(encodeTlv(0x81, hex(`c1${digits(255, '02')}`)), encodeTlv(0x82, hex('03'))),
    ],
    [
      'with a modulus of fewer bits',
      0x07,
      generated(encodeTlv(0x81, hex(`41${digits(255)}`)), encodeTlv(0x82, hex('03'))),
    ],
    ['with the exponent 1', 0x07, generated(encodeTlv(0x81, hex(modulus)), encodeTlv(0x82, hex('000001')))],
    ['with an even exponent', 0x07, generated(encodeTlv(0x81, hex(modulus)), encodeTlv(0x82, hex('010000')))],
    ['without an exponent', 0x07, generated(encodeTlv(0x81, hex(modulus)))],
  ])('are none %s', async (_, algorithm, answer) => {
    await expect(piv.parseGenerated(answer, algorithm, 0x54)).rejects.toThrow(malformed);
  });

  it('of kinds that are not known here are left out of metadata', async () => {
    const metadata = piv.parseSlotMetadata(hex('0101e0 02020201 030101 0404 86020102'));

    expect(metadata).toMatchObject({ algorithm: 0xe0, passwordPolicy: 'once' });
    expect(await piv.metadataSpki(metadata)).toBeUndefined();
  });
});

describe('signatures', () => {
  const inTemplate = (signature: Uint8Array) => encodeTlv(0x7c, encodeTlv(0x82, signature));
  const [r, s] = [`00${digits(31)}`, `7f${digits(31, 'cd')}`];
  const der = `3043 0220 7f${digits(31)} 021f ${digits(31, '01')}`;

  it('of curves are DER, whichever of the two forms the key gives', () => {
    expect(toHex(piv.parseEcSignature(inTemplate(hex(r + s)), 32))).toBe(
      spaced(`3044 0220 00${digits(31)} 0220 7f${digits(31, 'cd')}`),
    );
    expect(toHex(piv.parseEcSignature(inTemplate(hex(der)), 32))).toBe(spaced(der));
  });

  it.each([
    ['nothing', ''],
    ['no template', '8202 0102'],
    ['no response', '7c04 8102 0102'],
    ['neither form', '7c05 8203 010203'],
    ['a number that is too large', `7c 29 82 27 3025 0221 01${digits(32)} 0200`],
    ['a negative number', `7c 0a 82 08 3006 0201ff 020101`],
  ])('are none with %s', (_, answer) => {
    expect(() => piv.parseEcSignature(hex(answer), 32)).toThrow(malformed);
  });

  it('of RSA have the modulus’ length', () => {
    const signature = hex(digits(256));

    expect(piv.parseRsaSignature(inTemplate(signature), 256)).toEqual(signature);
    expect(() => piv.parseRsaSignature(inTemplate(signature.subarray(1)), 256)).toThrow(malformed);
  });

  it('of RSA verify, when a key does no more than raise the block to its exponent', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const message = new TextEncoder().encode('p10cr');
    const block = pkcs1Block(new Uint8Array(createHash('sha256').update(message).digest()), 256);

    const signature = privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, block);

    expect(verify('sha256', message, publicKey, signature)).toBe(true);
    expect(createPublicKey(privateKey).equals(publicKey)).toBe(true);
  });

  it('of RSA are over SHA-256 and a modulus that it fits into', () => {
    expect(() => sha256DigestInfo(new Uint8Array(20))).toThrow(RangeError);
    expect(() => pkcs1Block(new Uint8Array(32), 61)).toThrow(RangeError);
    expect(pkcs1Block(new Uint8Array(32), 62)).toHaveLength(62);
  });
});

describe('what makers add', () => {
  it('is metadata', () => {
    expect(piv.parseSlotMetadata(hex('010111 02020301 030101'))).toEqual({
      ...{ algorithm: 0x11, passwordPolicy: 'always', publicKey: undefined },
    });
    expect(piv.parseSlotMetadata(hex('010111 02020001'))).toMatchObject({ passwordPolicy: undefined });
    expect(piv.parseManagementMetadata(hex('01010a 02020001 050101'))).toEqual({ algorithm: 0x0a, isDefault: true });
    expect(piv.parseManagementMetadata(hex('010103'))).toEqual({ algorithm: 3, isDefault: undefined });
    expect(piv.parsePasswordMetadata(hex('0101ff 050101 06020302'))).toEqual({ maximum: 3, remaining: 2 });
    expect(piv.parsePasswordMetadata(hex('0101ff'))).toBeUndefined();
  });

  it.each([
    ['no algorithm', () => piv.parseSlotMetadata(hex('02020201'))],
    ['an algorithm of two bytes', () => piv.parseSlotMetadata(hex('01020707'))],
    ['something cut', () => piv.parseSlotMetadata(hex('0101'))],
    ['more tries than there can be', () => piv.parsePasswordMetadata(hex('06020304'))],
    ['a counter of one byte', () => piv.parsePasswordMetadata(hex('060103'))],
    ['a version of two bytes', () => piv.parseVersion(hex('0504'))],
    ['a serial number of three', () => piv.parseSerial(hex('050403'))],
    ['no algorithm extensions', () => piv.parseSm2Algorithm(hex(''))],
    ['too few of them', () => piv.parseSm2Algorithm(hex('01e00516e153'))],
    ['a block of another length', () => piv.parseBlock(hex('7c0480020102'), 'witness', 8)],
    ['a block of another kind', () => piv.parseBlock(hex(`7c0a8108${digits(8)}`), 'witness', 8)],
  ])('is not %s', (_, parse) => {
    expect(parse).toThrow(malformed);
  });

  it('is a version, a serial number, an identifier for SM2', () => {
    expect(piv.parseVersion(hex('050403'))).toBe('5.4.3');
    expect(piv.parseSerial(hex('00bc614e'))).toBe('12345678');
    expect(piv.parseSerial(hex('ffffffff'))).toBe('4294967295');
    expect(piv.parseSerial(hex('00000000'))).toBeUndefined();
    expect(piv.parseSm2Algorithm(hex('01e00516e15354'))).toBe(0x54);
    expect(piv.parseSm2Algorithm(hex('01e00516e1531556'))).toBe(0x56);
    expect(piv.parseSm2Algorithm(hex('01e00516e1531554e2e3'))).toBe(0x54);
    expect(piv.parseSm2Algorithm(hex('00e00516e1531554'))).toBeUndefined();
  });
});

describe('certificate objects', () => {
  const container = `R${'0f'.repeat(16)}`;
  const wrapped = (elements: readonly Uint8Array[]) => encodeTlv(0x53, ...elements);
  const parsed = (answer: Uint8Array) => objects.parseCertificateObject(answer);
  const opened = (answer: Uint8Array) => {
    const object = parsed(answer);
    if (object === undefined || object === 'unreadable') throw new Error('not read');
    return object;
  };

  it('of other programs are read, whatever stands beside the certificate', () => {
    expect(opened(hex('530b 7002 3000 710100 7200 fe00'))).toMatchObject({
      ...{ certificate: hex('3000'), container: undefined, freed: false, publicKey: undefined },
    });
    expect(opened(hex('5309 7002 3000 710100 fe00')).certificate).toEqual(hex('3000'));
  });

  it('give back what was put in', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 2000 });
    fc.assert(
      fc.property(bytes, fc.option(bytes, { nil: undefined }), (certificate, publicKey) => {
        const object = opened(wrapped(objects.encodeCertificateObject({ container, certificate, publicKey })));

        expect(object).toMatchObject({ certificate, container, freed: false, publicKey });
      }),
    );
  });

  it('keep name and noted key wherever the writing was cut behind them', () => {
    const publicKey = new Uint8Array(91).fill(0x30);
    const answer = wrapped(
      objects.encodeCertificateObject({ container, certificate: new Uint8Array(900).fill(7), publicKey }),
    );
    const head = answer.length - 900 - 4 - 3 - 2;

    for (let cut = head; cut < answer.length; cut++) {
      expect(opened(answer.subarray(0, cut))).toMatchObject({ certificate: undefined, container, publicKey });
    }
    expect(parsed(answer.subarray(0, 20))).toBe('unreadable');
  });

  it('keep name and noted key where their end was not written as it was meant', () => {
    const publicKey = new Uint8Array(91).fill(0x30);
    const answer = wrapped(
      objects.encodeCertificateObject({ container, certificate: new Uint8Array(900).fill(7), publicKey }),
    );
    const foreign = wrapped([
      encodeTlv(0x70, new Uint8Array(900).fill(7)),
      encodeTlv(0x72, hex('0011')),
      encodeTlv(0xfe),
    ]);
    const freed = wrapped(objects.encodeFreedObject(publicKey));
    const damaged = (whole: Uint8Array) => Uint8Array.from(whole).fill(0xff, -3);

    expect(opened(damaged(answer))).toMatchObject({ certificate: undefined, container, publicKey, freed: false });
    for (const other of [foreign, freed]) expect(parsed(damaged(other))).toBe('unreadable');
  });

  it('are absent, unreadable, or freed', () => {
    expect(parsed(hex('5300'))).toBeUndefined();
    for (const unreadable of ['', '53', '530170', '7002 3000', '5300 5300', '5302 7005', '5405 7002 3000']) {
      expect(parsed(hex(unreadable))).toBe('unreadable');
    }
    expect(opened(wrapped(objects.encodeFreedObject(undefined))).freed).toBe(true);
    const marked = wrapped([encodeTlv(0x70, hex('3000')), encodeTlv(0x72, new TextEncoder().encode('FREE'))]);
    expect(opened(marked).freed).toBe(false);
  });

  it('move to another slot with all they hold but another program’s MSCUID', () => {
    const foreign = encodeTlv(0x53, hex('7002 3000 710101 7204 6e616d65 df4a0101 fe00'));
    const moved = opened(wrapped(objects.encodeFormerObject(opened(foreign), container)));

    expect(moved).toMatchObject({ certificate: hex('3000'), container: undefined });
    expect(objects.isFormerOf(moved, container)).toBe(true);
    expect(objects.isFormerOf(moved, `R${'00'.repeat(16)}`)).toBe(false);
    expect(moved.elements.map(({ tag }) => tag)).toEqual([0x70, 0x71, 0xdf4a, 0x72, 0xfe]);
    const own = opened(wrapped(objects.encodeCertificateObject({ container, certificate: hex('3000') })));
    expect(opened(wrapped(objects.encodeFormerObject(own, `R${'00'.repeat(16)}`))).container).toBe(container);
  });

  it('and all other objects: any bytes come to an end', () => {
    const bytes = fc.uint8Array({ maxLength: 600 });
    fc.assert(
      fc.property(bytes, (value) => {
        parsed(value);
        parsed(Uint8Array.of(0x53, 0x82, 0x02, 0x58, ...value));
        objects.offCardKeys(value);
        objects.cardGuid(value);
        objects.managementKeyIsKept(value);
        objects.keptManagementKey(value);
      }),
    );
  });
});

describe('other objects', () => {
  it('tell a card by its GUID', () => {
    // As CanoKey makes it: FASC-N, GUID, expiry, signature, EDC.
    const chuid = `3019 ${digits(25, 'd4')} 3410 ${digits(16, '5a')} 3508 3230353030313031 3e00 fe00`;

    expect(toHex(objects.cardGuid(hex(chuid)) ?? hex(''))).toBe(digits(16, '5a'));
    expect(objects.cardGuid(hex(chuid.replaceAll('5a', '00')))).toBeUndefined();
    expect(objects.cardGuid(hex('3400'))).toBeUndefined();
  });

  it('tell of keys whose certificates are elsewhere', () => {
    expect(objects.offCardKeys(hex('c10102 c20103 f300 fe00'))).toBe(3);
    expect(objects.offCardKeys(hex(''))).toBe(0);
    expect(objects.offCardKeys(hex('c10102'))).toBeUndefined();
    expect(objects.offCardKeys(hex('c2020000'))).toBeUndefined();
  });

  it('tell where the management key is', () => {
    expect(objects.managementKeyIsKept(hex('8003 810102'))).toBe(true);
    expect(objects.managementKeyIsKept(hex('8003 810103'))).toBe(true);
    expect(objects.managementKeyIsKept(hex('8003 810101'))).toBe(false);
    expect(objects.managementKeyIsKept(hex('8007 8205 0102030405'))).toBe(false);
    expect(objects.keptManagementKey(hex('8804 8902 0a0b'))).toEqual(hex('0a0b'));
    expect(objects.keptManagementKey(hex('0102'))).toBeUndefined();
  });
});

it('a refusal has a meaning of its own in PIV', () => {
  expect(pivRefusal(0x6a88, 0x87)).toMatchObject({
    code: 'noKeyPair',
    statusWord: 0x6a88,
    message: 'INS 87: 6a88 noSuchReference',
  });
  expect(pivRefusal(0x6982, 0xdb)).toMatchObject({ code: 'notLoggedIn' });
  expect(pivRefusal(0x6a84, 0xdb)).toMatchObject({ code: 'noRoom' });
  expect(pivRefusal(0x6f00, 0x47)).toMatchObject({ code: 'refused' });
});

it('any answer ends in a value or in `malformed`', async () => {
  const parsers: ((answer: Uint8Array) => unknown)[] = [
    piv.checkSelected,
    piv.parseObject,
    (answer) => piv.parseEcSignature(answer, 32),
    (answer) => piv.parseRsaSignature(answer, 256),
    (answer) => piv.parseBlock(answer, 'response', 8),
    piv.parseSlotMetadata,
    piv.parseManagementMetadata,
    piv.parsePasswordMetadata,
    piv.parseVersion,
    piv.parseSerial,
    piv.parseSm2Algorithm,
    ...[0x05, 0x07, 0x11, 0x14, 0x54].flatMap((algorithm) => [
      (answer: Uint8Array) => piv.parseGenerated(answer, algorithm, 0x54),
      (answer: Uint8Array) => piv.metadataSpki({ algorithm, passwordPolicy: undefined, publicKey: answer }, 0x54),
    ]),
  ];
  const tag = fc.constantFrom(0x01, 0x04, 0x05, 0x06, 0x4f, 0x53, 0x61, 0x7c, 0x7f49, 0x80, 0x81, 0x82, 0x86);
  const { tree } = fc.letrec<{ tree: Uint8Array }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.uint8Array({ maxLength: 80 }),
      fc.array(fc.tuple(tag, tie('tree')), { maxLength: 3 }).map((list) => {
        const parts = list.map(([each, value]) => encodeTlv(each, value));
        return Uint8Array.from(parts.flatMap((part) => [...part]));
      }),
    ),
  }));

  await fc.assert(
    fc.asyncProperty(tree, fc.constantFrom(...parsers), async (answer, parse) => {
      try {
        await parse(answer);
      } catch (error) {
        expect(error).toBeInstanceOf(KeyError);
        expect(error).toMatchObject({ code: 'malformed' });
      }
    }),
    { numRuns: 1500 },
  );
});
