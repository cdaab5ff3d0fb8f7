import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  verify as verifyRsa,
  constants,
  publicDecrypt,
} from 'node:crypto';
import fc from 'fast-check';
import { sm2, sm4 } from 'sm-crypto-v2';
import { beforeAll, describe, expect, it } from 'vitest';
import { bytesToHex, concatBytes, hexToBytes } from '../../virtual-key/bytes.ts';
import { looksLikeCertificate } from '../../virtual-key/der-outline.ts';
import { rsaKeyPair, sampleState, sm2KeyPair } from '../../virtual-key/make-state.ts';
import type { KeyPairState, KeyState } from '../../virtual-key/state.ts';
import { exchange, extended, logIn, openApplication, openContainer, poweredApplet, verify } from './support.ts';

const message = bytesToHex(new TextEncoder().encode('renew me'));
const container = '02010100';

let rsaPair: KeyPairState;
beforeAll(() => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  rsaPair = rsaKeyPair(new Uint8Array(privateKey), new Uint8Array(publicKey));
});

const rsaState = (): KeyState => sampleState({ containers: [{ name: 'C1', id: 1, signing: rsaPair }] });
const first = (state: KeyState) => {
  const found = state.applications[0]?.containers[0];
  if (!found) throw new Error('no container');
  return found;
};
const certificateOf = (pair: KeyPairState | undefined): string => {
  if (pair?.certificate === undefined) throw new Error('no certificate');
  return pair.certificate;
};
const importing = (type: string, der: string): string => {
  const length = der.length / 2;
  const size = [length & 255, length >> 8, 0, 0].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return extended('804c0000', `${container}${type}${size}${der}`, '');
};

describe('SM2', () => {
  it('generates a key pair whose public key it exports', async () => {
    const { applet, persisted } = poweredApplet();
    await logIn(applet);

    const answer = await exchange(applet, extended('80700000', `${container}00010000`));

    const point = answer.slice(0, 128);
    expect(answer).toBe(`${point}9000`);
    expect(sm2.verifyPublicKey(`04${point}`)).toBe(true);
    expect(sm2.getPublicKeyFromPrivateKey(first(persisted()).signing?.privateKey ?? '')).toBe(`04${point}`);
    expect(await exchange(applet, extended('80880100', container))).toBe(`00010000${point}9000`);
  });

  it('destroys the old signing key and its certificate when it generates', async () => {
    const state = sampleState();
    const { applet, persisted } = poweredApplet(state);
    await logIn(applet);

    await exchange(applet, extended('80700000', `${container}00010000`));

    expect(first(persisted()).signing?.publicKey).not.toBe(first(state).signing?.publicKey);
    expect(await exchange(applet, extended('804e0100', container))).toBe('6a96');
    expect(first(persisted()).encryption).toEqual(first(state).encryption);
  });

  it('has no signing key left when the power fails in the middle of generating', async () => {
    const { applet, persisted, faults } = poweredApplet();
    await logIn(applet);
    faults.arm({ place: 'write', n: 2, kind: 'before' });

    await expect(exchange(applet, extended('80700000', `${container}00010000`))).rejects.toThrow('no power');

    expect(first(persisted()).signing).toBeUndefined();
  });

  it.each([
    ['another length of key', '00020000', '6a80'],
    ['the length in the wrong byte order', '00000100', '6a80'],
    ['two bytes too few', '0001', '6700'],
  ])('refuses to generate with %s', async (_, bits, answer) => {
    const { applet } = poweredApplet();
    await logIn(applet);

    expect(await exchange(applet, extended('80700000', `${container}${bits}`))).toBe(answer);
  });

  it('signs a digest', async () => {
    const { applet, persisted } = poweredApplet();
    await logIn(applet);
    const publicKey = `04${first(persisted()).signing?.publicKey ?? ''}`;
    const digest = sm2.getHash(hexToBytes(message), publicKey);

    const answer = await exchange(applet, extended('80740200', container + digest));

    expect(answer).toMatch(/^00010000[0-9a-f]{128}9000$/);
    expect(sm2.doVerifySignature(hexToBytes(message), answer.slice(8, 136), publicKey, { hash: true })).toBe(true);
  });

  it('signs a message itself, with the id it is given', async () => {
    const { applet, persisted } = poweredApplet();
    await logIn(applet);
    const publicKey = `04${first(persisted()).signing?.publicKey ?? ''}`;
    const id = 'ALICE123@YAHOO.COM';

    const answer = await exchange(
      applet,
      extended('80740100', `${container}12000000${bytesToHex(new TextEncoder().encode(id))}${message}`),
    );

    const signature = answer.slice(8, 136);
    const check = (userId: string) =>
      sm2.doVerifySignature(hexToBytes(message), signature, publicKey, { hash: true, userId });
    expect([check(id), check('1234567812345678')]).toEqual([true, false]);
  });

  it('signs nothing but 32-byte digests, and nothing without the password', async () => {
    const { applet } = poweredApplet();
    await openApplication(applet);
    await openContainer(applet);
    const without = await exchange(applet, extended('80740200', container + '11'.repeat(32)));
    await verify(applet);

    expect(without).toBe('6982');
    expect(await exchange(applet, extended('80740200', container + '11'.repeat(31)))).toBe('6700');
    expect(await exchange(applet, extended('80740200', container + '11'.repeat(33)))).toBe('6700');
  });

  it('imports an encryption key pair that is wrapped to its signing key', async () => {
    const state = sampleState({ containers: [{ name: 'C1', id: 1, signing: sm2KeyPair() }] });
    const { applet, persisted } = poweredApplet(state);
    await logIn(applet);
    const delivered = sm2KeyPair({ withCertificate: false });
    const command = wrapFor(first(state).signing, delivered, '01040000');

    expect(await exchange(applet, command)).toBe('9000');
    expect(first(persisted()).encryption).toEqual(delivered);
    expect(await exchange(applet, extended('80880000', container))).toBe(`00010000${delivered.publicKey}9000`);
  });

  it.each([
    ['wrapped to another key', () => sm2KeyPair(), '01040000', '6a80'],
    ['under another cipher than SM4-ECB', undefined, '02040000', '6a80'],
  ])('refuses an encryption key pair %s', async (_, other, cipher, answer) => {
    const state = sampleState({ containers: [{ name: 'C1', id: 1, signing: sm2KeyPair() }] });
    const { applet, persisted } = poweredApplet(state);
    await logIn(applet);
    const command = wrapFor(other?.() ?? first(state).signing, sm2KeyPair(), cipher);

    expect(await exchange(applet, command)).toBe(answer);
    expect(first(persisted()).encryption).toBeUndefined();
  });
});

/** ImportECCKeyPair as a key centre makes it, with an SM2 and an SM4 that are not the applet's. */
function wrapFor(signing: KeyPairState | undefined, delivered: KeyPairState, cipherId: string): string {
  const sessionKey = '000102030405060708090a0b0c0d0e0f';
  // cipherMode 1: C1 ‖ C3 ‖ C2, without the 04 of C1.
  const wrappedKey = sm2.doEncrypt(hexToBytes(sessionKey), `04${signing?.publicKey ?? ''}`, 1);
  const [x, y, hash, cipher] = [0, 64, 128, 192].map((at, index) =>
    wrappedKey.slice(at, index < 3 ? at + 64 : undefined),
  );
  const privateKey = sm4.encrypt(hexToBytes('00'.repeat(32) + delivered.privateKey), sessionKey, {
    padding: 'none',
    mode: 'ecb',
  });
  const blob = `00010000${x}${y}${hash}10000000${cipher}`;
  return extended(
    '80720000',
    `${container}00040200${cipherId}${blob}00010000${delivered.publicKey}40000000${privateKey}`,
    '',
  );
}

describe('RSA', () => {
  it('pads what it is given and signs it', async () => {
    const { applet } = poweredApplet(rsaState());
    await logIn(applet);
    const digestInfo = `3031300d060960864801650304020105000420${createHash('sha256').update(hexToBytes(message)).digest('hex')}`;

    const answer = await exchange(applet, extended('80580200', container + digestInfo));

    const key = createPublicKey({ key: Buffer.from(rsaPair.publicKey, 'hex'), format: 'der', type: 'spki' });
    expect(answer).toHaveLength(2 * 258);
    expect(verifyRsa('sha256', hexToBytes(message), key, hexToBytes(answer.slice(0, 512)))).toBe(true);
  });

  it('takes a SHA-256 itself', async () => {
    const { applet } = poweredApplet(rsaState());
    await logIn(applet);

    const answer = await exchange(applet, extended('80580103', container + message));

    const key = createPublicKey({ key: Buffer.from(rsaPair.publicKey, 'hex'), format: 'der', type: 'spki' });
    expect(verifyRsa('sha256', hexToBytes(message), key, hexToBytes(answer.slice(0, 512)))).toBe(true);
  });

  it('signs up to modulus − 11 bytes', async () => {
    const { applet } = poweredApplet(rsaState());
    await logIn(applet);
    const data = 'a5'.repeat(245);

    const answer = await exchange(applet, extended('80580200', container + data));

    const key = createPublicKey({ key: Buffer.from(rsaPair.publicKey, 'hex'), format: 'der', type: 'spki' });
    const opened = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, hexToBytes(answer.slice(0, 512)));
    expect(bytesToHex(opened)).toBe(data);
    expect(await exchange(applet, extended('80580200', container + 'a5'.repeat(246)))).toBe('6700');
  });

  it.each([
    ['SHA-1', '80580102', '6a9d'],
    ['SM3', '80580101', '6a9d'],
  ])('does not sign with %s', async (_, header, answer) => {
    const { applet } = poweredApplet(rsaState());
    await logIn(applet);

    expect(await exchange(applet, extended(header, container + message))).toBe(answer);
  });

  it('exports bits, exponent and modulus', async () => {
    const { applet } = poweredApplet(rsaState());
    await openApplication(applet);
    await openContainer(applet);

    const answer = await exchange(applet, extended('80880100', container));

    const jwk = createPublicKey({ key: Buffer.from(rsaPair.publicKey, 'hex'), format: 'der', type: 'spki' }).export({
      format: 'jwk',
    });
    expect(answer).toBe(`000800010001${Buffer.from(jwk.n ?? '', 'base64url').toString('hex')}9000`);
    expect(await exchange(applet, extended('804a0000', `0201${bytesToHex(new TextEncoder().encode('C1'))}`))).toBe(
      '01 00080000 00000000 01 00 9000'.replaceAll(' ', ''),
    );
  });

  it('generates a key pair it can sign with', async () => {
    const { applet, persisted } = poweredApplet(rsaState());
    await logIn(applet);

    const generated = await exchange(applet, extended('80540000', `${container}0008`));
    const signature = await exchange(applet, extended('80580103', container + message));

    const spki = first(persisted()).signing?.publicKey ?? '';
    const key = createPublicKey({ key: Buffer.from(spki, 'hex'), format: 'der', type: 'spki' });
    const { n = '' } = key.export({ format: 'jwk' });
    expect(generated).toBe(`${Buffer.from(n, 'base64url').toString('hex')}000100019000`);
    expect(verifyRsa('sha256', hexToBytes(message), key, hexToBytes(signature.slice(0, 512)))).toBe(true);
  });

  it('answers 6A95 when a command is for the other kind of key', async () => {
    const { applet } = poweredApplet(rsaState());
    await logIn(applet);
    const onSm2 = poweredApplet().applet;
    await logIn(onSm2);

    expect(await exchange(applet, extended('80740200', container + '11'.repeat(32)))).toBe('6a95');
    expect(await exchange(onSm2, extended('80580103', container + message))).toBe('6a95');
  });
});

describe('certificates', () => {
  it('gives back what it was given', async () => {
    const { applet, persisted } = poweredApplet();
    await openApplication(applet);
    await openContainer(applet);
    const der = certificateOf(sm2KeyPair({ commonName: '新证书' }));

    const written = await exchange(applet, importing('01', der));
    const read = await exchange(applet, extended('804e0100', container));

    const size = (der.length / 2).toString(16).padStart(4, '0');
    expect(written).toBe('9000');
    expect(read).toBe(`${size.slice(2)}${size.slice(0, 2)}0000${der}9000`);
    expect(first(persisted()).signing?.certificate).toBe(der);
  });

  it('keeps signing and encryption certificates apart', async () => {
    const state = sampleState();
    const { applet, persisted } = poweredApplet(state);
    await openApplication(applet);
    await openContainer(applet);
    const der = certificateOf(sm2KeyPair());

    await exchange(applet, importing('00', der));

    expect(first(persisted()).encryption?.certificate).toBe(der);
    expect(first(persisted()).signing).toEqual(first(state).signing);
  });

  it.each([
    ['after the old one was deleted', 1, 'after', false],
    ['before the new one is written', 2, 'before', false],
    ['before anything happened', 1, 'before', true],
  ] as const)('is left with the certificate or none when the power fails %s', async (_, n, kind, oldIsThere) => {
    const state = sampleState();
    const { applet, persisted, faults } = poweredApplet(state);
    await openApplication(applet);
    await openContainer(applet);
    faults.arm({ place: 'write', n, kind });

    await expect(exchange(applet, importing('01', certificateOf(sm2KeyPair())))).rejects.toThrow('no power');

    const expected = oldIsThere ? first(state).signing?.certificate : undefined;
    expect(first(persisted()).signing?.certificate).toBe(expected);
  });

  it('takes none without a key pair, and nothing that is no certificate', async () => {
    const { applet } = poweredApplet(sampleState({ containers: [{ name: 'C1', id: 1, signing: sm2KeyPair() }] }));
    await openApplication(applet);
    await openContainer(applet);
    const der = certificateOf(sm2KeyPair());

    expect(await exchange(applet, importing('00', der))).toBe('6a95');
    expect(await exchange(applet, importing('02', der))).toBe('6a80');
    expect(await exchange(applet, importing('01', der.slice(0, -2)))).toBe('6a80');
    expect(await exchange(applet, importing('01', `${der}00`))).toBe('6a80');
    expect(await exchange(applet, extended('804c0000', `${container}0100000100${der}`, ''))).toBe('6700');
  });

  it('sends a long one in parts, each asked for with the same command', async () => {
    const { applet, persisted } = poweredApplet(sampleState(), { answerLimit: 100 });
    await openApplication(applet);
    await openContainer(applet);
    const der = certificateOf(first(persisted()).signing);
    const command = extended('804e0100', container);

    const answers = [await exchange(applet, command)];
    while (answers.at(-1)?.endsWith('6a9e')) answers.push(await exchange(applet, command));

    const joined = answers.map((answer) => answer.slice(0, -4)).join('');
    expect(answers.length).toBe(Math.ceil((der.length / 2 + 4) / 100));
    expect(answers.at(-1)?.slice(-4)).toBe('9000');
    expect(joined.slice(8)).toBe(der);
  });

  it('begins anew when another command came in between', async () => {
    const { applet } = poweredApplet(sampleState(), { answerLimit: 100 });
    await openApplication(applet);
    await openContainer(applet);
    const command = extended('804e0100', container);
    const begun = await exchange(applet, command);
    await exchange(applet, '8050000008');

    expect(await exchange(applet, command)).toBe(begun);
  });

  it('answers 6A96 where there is none', async () => {
    const pair = sm2KeyPair({ withCertificate: false });
    const { applet } = poweredApplet(sampleState({ containers: [{ name: 'C1', id: 1, signing: pair }] }));
    await openApplication(applet);
    await openContainer(applet);

    expect(await exchange(applet, extended('804e0100', container))).toBe('6a96');
    expect(await exchange(applet, extended('804e0000', container))).toBe('6a96');
  });

  it('comes in chained short commands too', async () => {
    const { applet, persisted } = poweredApplet(sampleState(), { apduLevel: 'short' });
    const send = (header: string, data: string, le = '') =>
      exchange(applet, `${header}${(data.length / 2).toString(16).padStart(2, '0')}${data}${le}`);
    await send('80260000', '43464341', '00');
    await send('80420000', '02014331', '00');
    const der = certificateOf(sm2KeyPair({ commonName: '长'.repeat(20) }));
    const size = (der.length / 2).toString(16).padStart(4, '0');
    const data = `${container}01${size.slice(2)}${size.slice(0, 2)}0000${der}`;

    const answers = [];
    for (let at = 0; at < data.length; at += 510)
      answers.push(await send(at + 510 < data.length ? '904c0000' : '804c0000', data.slice(at, at + 510)));

    expect(answers.length).toBeGreaterThan(1);
    expect(new Set(answers)).toEqual(new Set(['9000']));
    expect(first(persisted()).signing?.certificate).toBe(der);
  });
});

describe('looksLikeCertificate', () => {
  it('accepts a certificate and no truncation of it', () => {
    const der = hexToBytes(certificateOf(sm2KeyPair()));

    expect(looksLikeCertificate(der)).toBe(true);
    for (let length = 0; length < der.length; length += 1)
      expect(looksLikeCertificate(der.slice(0, length))).toBe(false);
    expect(looksLikeCertificate(concatBytes(der, Uint8Array.of(0)))).toBe(false);
  });

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(typeof looksLikeCertificate(bytes)).toBe('boolean');
      }),
    );
  });
});
