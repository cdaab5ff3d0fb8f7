import fc from 'fast-check';
import { createHash, createSign, createVerify, generateKeyPairSync, privateEncrypt, constants } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeCommand } from '../../../src/apdu/command.ts';
import { decodeName, decodeNames, encodeName } from '../../../src/usbkey/names.ts';
import { passwordProof } from '../../../src/usbkey/password-proof.ts';
import { sha256DigestInfo } from '../../../src/usbkey/pkcs1.ts';
import { refusal } from '../../../src/usbkey/refusals.ts';
import * as skf from '../../../src/usbkey/skf-commands.ts';
import { KeyError } from '../../../src/usbkey/usbkey.ts';
import gm from '../../vectors/gm.json' with { type: 'json' };
import hid from '../../vectors/longmai-hid.json' with { type: 'json' };
import { hex, toHex } from '../apdu/hex.ts';

const extended = (command: Parameters<typeof encodeCommand>[0]) => toHex(encodeCommand(command, 'extended'));
const spaced = (text: string) => text.replaceAll(' ', '');
const manyNames = (count: number) =>
  new TextEncoder().encode(Array.from({ length: count }, (_, index) => `${index}\0`).join(''));
const malformed = expect.objectContaining({ name: 'KeyError', code: 'malformed' }) as Error;

describe('commands', () => {
  it('GetDevInfo is the recorded one', () => {
    expect(extended(skf.getDevInfo())).toBe(hid.requests[0]?.apdu);
  });

  it.each([
    ['GenRandom', skf.genRandom(8), '80500000 000008'],
    ['EnumApplication', skf.enumApplications(), '80220000 000000'],
    ['OpenApplication', skf.openApplication('CFCA'), '80260000 000004 43464341 0000'],
    ['CloseApplication', skf.closeApplication(0x0102), '80280000 000002 0201'],
    ['GetPINInfo of the user', skf.getPinInfo(0x0102), '80140001 000002 0201 0000'],
    ['VerifyPIN', skf.verifyPin(1, new Uint8Array(16).fill(0xab)), `80180001 000012 0100 ${'ab'.repeat(16)}`],
    ['ClearSecureState', skf.clearSecureState(1), '801c0000 000002 0100'],
    ['CreateContainer', skf.createContainer(1, 'R1'), '80400000 000004 0100 5231 0000'],
    ['OpenContainer', skf.openContainer(1, 'R1'), '80420000 000004 0100 5231 0000'],
    ['CloseContainer', skf.closeContainer(1, 0x0203), '80440000 000004 0100 0302'],
    ['EnumContainer', skf.enumContainers(1), '80460000 000002 0100 0000'],
    ['DeleteContainer', skf.deleteContainer(1, 'R1'), '80480000 000004 0100 5231'],
    ['GetContainerInfo', skf.getContainerInfo(1, 'R1'), '804a0000 000004 0100 5231 0000'],
    [
      'ImportCertificate',
      skf.importCertificate(1, 2, 'signing', hex('3000')),
      '804c0000 00000b 0100 0200 01 02000000 3000',
    ],
    ['ExportCertificate, signing', skf.exportCertificate(1, 2, 'signing'), '804e0100 000004 0100 0200 0000'],
    ['ExportCertificate, encryption', skf.exportCertificate(1, 2, 'encryption'), '804e0000 000004 0100 0200 0000'],
    ['GenRSAKeyPair', skf.genRsaKeyPair(1, 2, 2048), '80540000 000006 0100 0200 0008 0000'],
    ['RSASignData', skf.rsaSignData(1, 2, hex('aa')), '80580200 000005 0100 0200 aa 0000'],
    ['RSASignData, raw', skf.rsaSignRaw(1, 2, hex('aabb')), '80580103 000006 0100 0200 aabb 0000'],
    [
      'ECCSignData, raw',
      skf.eccSignRaw(1, 2, hex('3132'), hex('aa')),
      '80740100 00000b 0100 0200 02000000 3132 aa 0000',
    ],
    ['GenECCKeyPair', skf.genEccKeyPair(1, 2), '80700000 000008 0100 0200 00010000 0000'],
    ['ECCSignData', skf.eccSignData(1, 2, hex('ee')), '80740200 000005 0100 0200 ee 0000'],
    ['ExportPublicKey', skf.exportPublicKey(1, 2, 'signing'), '80880100 000004 0100 0200 0000'],
  ])('%s is laid out as GM/T 0017 has it', (_, command, expected) => {
    expect(extended(command)).toBe(spaced(expected));
  });

  it('ImportECCKeyPair is laid out as GM/T 0017 has it', () => {
    const [x, y, hash, cipher] = ['1a'.repeat(32), '1b'.repeat(32), '1c'.repeat(32), '1d'.repeat(16)];
    const [publicKey, encrypted] = ['2a'.repeat(32) + '2b'.repeat(32), '00'.repeat(32) + '3d'.repeat(32)];
    const wrappedKey = { x: hex(x), y: hex(y), hash: hex(hash), cipher: hex(cipher) };
    const command = skf.importEccKeyPair(1, 2, { wrappedKey, publicKey: hex(`04${publicKey}`) }, hex(encrypted));

    expect(extended(command)).toBe(
      spaced(
        '80720000 00010c 0100 0200 00040200 01040000' +
          ` 00010000 ${x} ${y} ${hash} 10000000 ${cipher}` +
          ` 00010000 ${publicKey} 40000000 ${encrypted}`,
      ),
    );
  });

  it('refuse a certificate that is none or too long', () => {
    expect(() => skf.importCertificate(1, 2, 'signing', new Uint8Array())).toThrow(RangeError);
    expect(() => skf.importCertificate(1, 2, 'signing', new Uint8Array(16_385))).toThrow(RangeError);
  });
});

describe('GetDevInfo', () => {
  const text = (value: string, length: number) => toHex(new TextEncoder().encode(value)).padEnd(2 * length, '0');
  const answer = hex(
    ['0100 0100', text('Maker', 64), text('Issuer ', 64), text('标签', 32), '41'.repeat(32), '0203 0405'].join('') +
      ['02040000', '00070300', '05000000', '01040000', '00000200', '00000100', '0010', '0000', '0100'].join('') +
      ['08', '10', '2000', '00'.repeat(54)].join(''),
  );

  it('is 288 bytes: texts, versions, algorithms and limits', () => {
    expect(answer).toHaveLength(0x120);
    expect(skf.parseDevInfo(answer)).toEqual({
      manufacturer: 'Maker',
      issuer: 'Issuer',
      label: '标签',
      serialNumber: 'A'.repeat(32),
      hardwareVersion: [2, 3],
      firmwareVersion: [4, 5],
      asymmetricAlgorithms: 0x0003_0700,
      maxContainers: 8,
    });
  });

  it.each([0, 287, 289])('of %i bytes is malformed', (length) => {
    expect(() => skf.parseDevInfo(new Uint8Array(length))).toThrow(malformed);
  });
});

describe('answers', () => {
  it('are read little-endian', () => {
    expect(skf.parseOpenApplication(hex('ff000000 08 10 2000 0201'))).toEqual({
      applicationId: 0x0102,
      maxContainers: 8,
    });
    expect(skf.parseContainerId(hex('0302'))).toBe(0x0203);
    expect(skf.parsePinInfo(hex('0a0900'))).toEqual({ maximum: 10, remaining: 9 });
    expect(skf.parseContainerInfo(hex('02 00010000 00000000 01 00'))).toEqual({
      type: 'ecc',
      signing: { bits: 256, hasCertificate: true },
      encryption: { bits: 0, hasCertificate: false },
    });
  });

  it.each<[string, () => unknown]>([
    ['an application id cut off', () => skf.parseOpenApplication(hex('ff0000000810200002'))],
    ['a container id of four bytes', () => skf.parseContainerId(hex('03020000'))],
    ['more tries left than there are', () => skf.parsePinInfo(hex('060700'))],
    ['a container of no known type', () => skf.parseContainerInfo(hex('03 00010000 00000000 01 00'))],
    ['random bytes of another length', () => skf.parseRandom(hex('00112233445566'), 8)],
    ['more names than a key can have', () => skf.parseNames(manyNames(256))],
    ['no point', () => skf.parseGeneratedEcc(new Uint8Array(63))],
    ['a point with bytes left over', () => skf.parseGeneratedEcc(new Uint8Array(65))],
    ['a point beside the curve', () => skf.parseGeneratedEcc(hex('11'.repeat(32) + '22'.repeat(32)))],
    ['a point on a curve of other bits', () => skf.parseEccPublicKey(hex(`80010000${'00'.repeat(64)}`))],
    ['a padded point with padding that is none', () => skf.parseEccPublicKey(hex(`00010000${'01'.repeat(128)}`))],
    ['a signature cut off', () => skf.parseEccSignature(hex(`00010000${'01'.repeat(63)}`))],
    ['a modulus of odd length', () => skf.parseRsaPublicKey(hex(`0108 01000100 ${'ff'.repeat(256)}`))],
    ['a modulus with leading zeros', () => skf.parseRsaPublicKey(hex(`0008 01000100 00${'ff'.repeat(255)}`))],
    ['an even exponent', () => skf.parseGeneratedRsa(hex(`${'ff'.repeat(256)} 00000100`), 2048)],
    ['an exponent of one', () => skf.parseGeneratedRsa(hex(`${'ff'.repeat(256)} 01000000`), 2048)],
  ])('with %s are malformed', (_, parse) => {
    expect(parse).toThrow(malformed);
  });

  it('of any bytes give a value or a typed error', () => {
    const parsers = [
      skf.parseDevInfo,
      skf.parseOpenApplication,
      skf.parsePinInfo,
      skf.parseContainerId,
      skf.parseContainerInfo,
      skf.parseEccPublicKey,
      skf.parseEccSignature,
      skf.parseGeneratedEcc,
      skf.parseRsaPublicKey,
      skf.missingOfExport,
      skf.parseExportedCertificate,
      skf.parseNames,
    ];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        for (const parse of parsers) {
          try {
            parse(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(KeyError);
          }
        }
      }),
    );
  });
});

describe('public keys and signatures', () => {
  const [x, y] = ['11'.repeat(32), '22'.repeat(32)];
  /** G of the SM2 curve, x ‖ y: GB/T 32918.5 §2. */
  const basePoint =
    '32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7' +
    'bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0';
  const zeros = '00'.repeat(32);

  it('of SM2 come with 32-byte numbers, or padded to 64', () => {
    expect(toHex(skf.parseGeneratedEcc(hex(basePoint)))).toBe(`04${basePoint}`);
    expect(toHex(skf.parseEccPublicKey(hex(`00010000${x}${y}`)))).toBe(`04${x}${y}`);
    expect(toHex(skf.parseEccPublicKey(hex(`00010000${zeros}${x}${zeros}${y}`)))).toBe(`04${x}${y}`);
    expect(toHex(skf.parseEccSignature(hex(`00010000${x}${y}`)))).toBe(x + y);
  });

  it.each([
    ['01000100', '00010001'],
    ['00010001', '00010001'],
    ['03000000', '00000003'],
    ['00000003', '00000003'],
  ])('of RSA have their exponent in either byte order: %s', (wire, exponent) => {
    const modulus = `c3${'5a'.repeat(255)}`;

    for (const key of [
      skf.parseRsaPublicKey(hex(`0008${wire}${modulus}`)),
      skf.parseGeneratedRsa(hex(modulus + wire), 2048),
    ]) {
      expect(toHex(key.exponent)).toBe(exponent);
      expect(toHex(key.modulus)).toBe(modulus);
    }
  });

  it('of RSA over our DigestInfo is what OpenSSL verifies and makes', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const message = Buffer.from('message');

    const digestInfo = sha256DigestInfo(createHash('sha256').update(message).digest());
    const signature = privateEncrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, digestInfo);

    expect(createVerify('sha256').update(message).verify(publicKey, signature)).toBe(true);
    expect(signature.equals(createSign('sha256').update(message).sign(privateKey))).toBe(true);
  });
});

describe('an exported certificate', () => {
  it('is complete when its announced length has arrived', () => {
    expect(skf.missingOfExport(hex('05000000 3003'))).toBe(3);
    expect(skf.missingOfExport(hex('05000000 3003020101'))).toBe(0);
    expect(toHex(skf.parseExportedCertificate(hex('05000000 3003020101')))).toBe('3003020101');
  });

  it.each([
    ['no length', '0500'],
    ['length zero', '00000000'],
    ['a length beyond any certificate', 'ffffff7f 30'],
    ['more than was announced', '01000000 3003'],
  ])('with %s is malformed', (_, received) => {
    expect(() => skf.missingOfExport(hex(received))).toThrow(malformed);
  });

  it('that stops short is malformed', () => {
    expect(() => skf.parseExportedCertificate(hex('05000000 3003'))).toThrow(malformed);
  });
});

describe('names', () => {
  it('are separated by NULs, one or more, and counted once', () => {
    expect(decodeNames(hex('4100 4200 0000'))).toEqual(['A', 'B']);
    expect(decodeNames(hex('4100 4100 42'))).toEqual(['A', 'B']);
    expect(decodeNames(hex(''))).toEqual([]);
  });

  it('go back to the key exactly as they came, whatever their encoding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
        const name = bytes.map((byte) => byte || 1);
        expect([...encodeName(decodeName(name))]).toEqual([...name]);
      }),
    );
    expect(decodeName(hex('e7adbee5908d'))).toBe('签名');
    expect([...encodeName(decodeName(hex('c7a9c3fb')))]).toEqual([...hex('c7a9c3fb')]);
    expect([...encodeName(decodeName(hex('ef9f81 41')))]).toEqual([...hex('ef9f81 41')]);
  });

  it('are different for different bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6 }), fc.uint8Array({ maxLength: 6 }), (a, b) => {
        expect(decodeName(a) === decodeName(b)).toBe(toHex(a) === toHex(b));
      }),
    );
  });

  it.each(['', 'a\0b', '\uf7ff中'])('%j is none', (name) => {
    expect(() => encodeName(name)).toThrow(RangeError);
  });
});

describe('the password proof', () => {
  const password = new TextEncoder().encode(gm.verifyPin.pin);

  it('is the published one, and leaves the password as it was', async () => {
    const proof = await passwordProof(password, hex(gm.verifyPin.challenge), 'sha1');

    expect(toHex(proof)).toBe(gm.verifyPin.proof);
    expect(new TextDecoder().decode(password)).toBe(gm.verifyPin.pin);
  });

  it('differs with the digest of the dialect', async () => {
    const proof = await passwordProof(password, hex(gm.verifyPin.challenge), 'sm3');

    expect(proof).toHaveLength(16);
    expect(toHex(proof)).not.toBe(gm.verifyPin.proof);
  });

  it.each([
    [17, 8],
    [8, 7],
  ])('is not made of %i and %i bytes', async (passwordLength, challengeLength) => {
    const made = passwordProof(new Uint8Array(passwordLength), new Uint8Array(challengeLength), 'sha1');
    await expect(made).rejects.toThrow(RangeError);
  });
});

describe('refusals', () => {
  it.each([
    [0x6982, 'notLoggedIn'],
    [0x6983, 'notLoggedIn'],
    [0x698a, 'notLoggedIn'],
    [0x6a84, 'noRoom'],
    [0x6e02, 'containerExists'],
    [0x6a88, 'notFound'],
    [0x6a8b, 'notFound'],
    [0x6a95, 'noKeyPair'],
    [0x6a96, 'noCertificate'],
    [0x6581, 'writeFailed'],
    [0x6a97, 'writeFailed'],
    [0x6915, 'keyGenerationFailed'],
    [0x6a9c, 'signFailed'],
    [0x6d00, 'unsupported'],
    [0x6a80, 'refused'],
    [0x1234, 'refused'],
  ])('%i is %s, and keeps its status word', (sw, code) => {
    expect(refusal(sw, 0x4c)).toMatchObject({ code, statusWord: sw });
  });
});
