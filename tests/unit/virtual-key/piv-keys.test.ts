import { constants, createPublicKey, generateKeyPairSync, type KeyObject, publicDecrypt, verify } from 'node:crypto';
import { sm2 } from 'sm-crypto-v2';
import { beforeAll, describe, expect, it } from 'vitest';
import { bytesToHex, hexToBytes } from '../../virtual-key/bytes.ts';
import { samplePivState } from '../../virtual-key/make-state.ts';
import { certificateObject } from '../../virtual-key/piv-objects.ts';
import { pivManagementAlgorithms, type KeyState, type PivSlotState } from '../../virtual-key/state.ts';
import {
  authenticate,
  becomeAdministrator,
  block,
  type PoweredPiv,
  selectedPiv,
  short,
  verifyPin,
  whole,
  wrap,
} from './piv-support.ts';

const digest = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const managementKeys = {
  '3des': '010203040506070801020304050607080102030405060708',
  aes128: '000102030405060708090a0b0c0d0e0f',
  aes192: '000102030405060708090a0b0c0d0e0f1011121314151617',
  aes256: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
};

let rsa: PivSlotState;
beforeAll(() => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  rsa = {
    ...{ slot: '9a', algorithm: 'rsa2048', pinPolicy: 'once' },
    ...{ privateKey: bytesToHex(privateKey), publicKey: bytesToHex(publicKey) },
  };
});

/** A P-256 key pair of OpenSSL's in a slot. */
function p256Slot(slot = '9a', pinPolicy: PivSlotState['pinPolicy'] = 'once'): PivSlotState {
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const hex = (part: string | undefined): string => Buffer.from(part ?? '', 'base64url').toString('hex');
  return { slot, algorithm: 'p256', privateKey: hex(jwk.d), publicKey: hex(jwk.x) + hex(jwk.y), pinPolicy };
}

/** OpenSSL's view of a point 04 ‖ X ‖ Y on P-256. */
function p256PublicKey(point: string): KeyObject {
  const coordinate = (offset: number): string =>
    Buffer.from(point.slice(offset, offset + 64), 'hex').toString('base64url');
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: coordinate(2), y: coordinate(66) }, format: 'jwk' });
}

const signing = (piv: PoweredPiv, algorithm: string, slot: string, challenge: string): Promise<string> =>
  short(piv, `0087${algorithm}${slot}`, wrap('7c', '8200', wrap('81', challenge)));
const generating = (piv: PoweredPiv, slot: string, algorithm: string, ...more: string[]): Promise<string> =>
  short(piv, `004700${slot}`, wrap('ac', '8001', algorithm, ...more));

async function administrator(
  state: KeyState,
  ...options: Parameters<typeof selectedPiv> extends [unknown?, ...infer More] ? More : never
): Promise<PoweredPiv> {
  const piv = await selectedPiv(state, ...options);
  await becomeAdministrator(piv);
  return piv;
}

describe.each(pivManagementAlgorithms)('the management key, %s', (algorithm) => {
  const key = managementKeys[algorithm];
  const open = (): Promise<PoweredPiv> =>
    selectedPiv(samplePivState({ managementKey: { algorithm, key, pinProtected: false } }));
  const bytes = algorithm === '3des' ? 8 : 16;
  const mayWrite = async (piv: PoweredPiv): Promise<boolean> =>
    (await short(piv, '00db3fff', '5c035fc1055300')) === '9000';

  it('is proved by encrypting the card’s challenge', async () => {
    const piv = await open();

    const answer = await authenticate(piv, algorithm, '8100');
    const challenge = answer.slice(8, -4);
    expect(answer).toBe(`${wrap('7c', wrap('81', challenge))}9000`);
    expect(challenge).toHaveLength(2 * bytes);

    expect(await authenticate(piv, algorithm, wrap('82', block('encrypt', algorithm, key, challenge)))).toBe('9000');
    expect(await mayWrite(piv)).toBe(true);
  });

  it('is proved by decrypting the card’s witness, and the card proves it in turn', async () => {
    const piv = await open();
    const challenge = 'a5'.repeat(bytes);

    const witness = (await authenticate(piv, algorithm, '8000')).slice(8, -4);
    const plain = block('decrypt', algorithm, key, witness);
    const answer = await authenticate(piv, algorithm, `${wrap('80', plain)}${wrap('81', challenge)}8200`);

    expect(answer).toBe(`${wrap('7c', wrap('82', block('encrypt', algorithm, key, challenge)))}9000`);
    expect(await mayWrite(piv)).toBe(true);
  });

  it('is not proved by another key, nor by the same proof twice', async () => {
    const piv = await open();
    const other = key.replace('0102', '1112');

    const challenge = (await authenticate(piv, algorithm, '8100')).slice(8, -4);
    expect(await authenticate(piv, algorithm, wrap('82', block('encrypt', algorithm, other, challenge)))).toBe('6982');
    const proof = wrap('82', block('encrypt', algorithm, key, challenge));
    expect(await authenticate(piv, algorithm, proof)).toBe('6982');
    expect(await mayWrite(piv)).toBe(false);
  });

  it('is not proved by what the card said itself', async () => {
    const piv = await open();

    const witness = (await authenticate(piv, algorithm, '8000')).slice(8, -4);
    expect(await authenticate(piv, algorithm, `${wrap('80', witness)}${wrap('81', witness)}`)).toBe('6982');
    const challenge = (await authenticate(piv, algorithm, '8100')).slice(8, -4);
    expect(await authenticate(piv, algorithm, wrap('82', challenge))).toBe('6982');
  });

  it('has to be proved in the very next command', async () => {
    const piv = await open();

    const challenge = (await authenticate(piv, algorithm, '8100')).slice(8, -4);
    await piv.send('00200080');

    expect(await authenticate(piv, algorithm, wrap('82', block('encrypt', algorithm, key, challenge)))).toBe('6982');
  });

  it('goes by its own algorithm identifier only', async () => {
    const piv = await open();
    const other = algorithm === 'aes128' ? '3des' : 'aes128';

    expect(await authenticate(piv, other, '8100')).toBe('6a86');
    expect((await short(piv, '0087009b', wrap('7c', '8100'))).slice(-4)).toBe(algorithm === '3des' ? '9000' : '6a86');
  });

  it('is forgotten by a power cut', async () => {
    const piv = await open();
    await becomeAdministrator(piv);

    piv.applet.powerDown();
    piv.applet.powerUp();
    await piv.send('00a4040005a00000030800');

    expect(await mayWrite(piv)).toBe(false);
  });
});

describe('GENERATE ASYMMETRIC KEY PAIR', () => {
  it('needs the management key', async () => {
    const piv = await selectedPiv();
    await verifyPin(piv);

    expect(await generating(piv, '82', '11')).toBe('6982');
  });

  it('makes a P-256 key pair whose signatures OpenSSL verifies', async () => {
    const piv = await administrator(samplePivState());

    const answer = await generating(piv, '82', '11');
    const point = answer.slice(10, -4);
    expect(answer).toBe(`7f4943${wrap('86', point)}9000`);
    await verifyPin(piv);
    const signature = await signing(piv, '11', '82', digest);

    const der = hexToBytes(signature.slice(8, -4));
    expect(verify('sha256', Buffer.from('test'), p256PublicKey(point), der)).toBe(true);
    expect(piv.persisted().slots).toMatchObject([{ slot: '82', algorithm: 'p256', pinPolicy: 'once' }]);
  });

  it('makes an RSA-2048 key pair whose raw operation OpenSSL undoes', { timeout: 30_000 }, async () => {
    const piv = await administrator(samplePivState());

    const answer = await whole(piv, await generating(piv, '9c', '07'));
    const [modulus = '', exponent = ''] = /^7f4982010981820100(.{512})8203(.{6})9000$/u.exec(answer)?.slice(1) ?? [];
    const jwk = (hex: string): string => Buffer.from(hex, 'hex').toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'RSA', n: jwk(modulus), e: jwk(exponent) }, format: 'jwk' });
    await verifyPin(piv);
    const padded = `0001${'ff'.repeat(202)}003031300d060960864801650304020105000420${digest}`;
    const signature = await whole(piv, await signing(piv, '07', '9c', padded));

    expect(signature.slice(0, 16)).toBe('7c82010482820100');
    expect(verify('sha256', Buffer.from('test'), publicKey, hexToBytes(signature.slice(16, -4)))).toBe(true);
  });

  it('makes an SM2 key pair under the algorithm identifier the card has for it', async () => {
    const piv = await administrator(samplePivState({ features: { sm2Algorithm: 0x5a } }));

    expect(await generating(piv, '82', '54')).toBe('6a80');
    const point = (await generating(piv, '82', '5a')).slice(10, -4);

    expect(sm2.verifyPublicKey(point)).toBe(true);
    expect(sm2.getPublicKeyFromPrivateKey(piv.persisted().slots[0]?.privateKey ?? '')).toBe(point);
  });

  it('overwrites in place, and leaves no key when the power fails in between', async () => {
    const former = p256Slot('9a');
    const piv = await administrator(samplePivState({ slots: [former] }));
    piv.faults.arm({ place: 'write', n: 2, kind: 'before' });

    await expect(generating(piv, '9a', '11')).rejects.toThrow('no power');

    expect(piv.persisted().slots).toEqual([]);
  });

  it.each([
    ['9c', '', 'always'],
    ['9e', '', 'never'],
    ['9d', '', 'once'],
    ['82', '', 'once'],
    ['82', 'aa0103', 'always'],
    ['9c', 'aa0102', 'once'],
    ['9a', 'aa0101', 'never'],
  ] as const)('gives %s with the wish "%s" the PIN policy %s', async (slot, wish, pinPolicy) => {
    const piv = await administrator(samplePivState());

    await generating(piv, slot, '11', wish);

    expect(piv.persisted().slots).toMatchObject([{ slot, pinPolicy }]);
  });

  it('asks CanoKey’s 9C for the PIN once', async () => {
    const piv = await administrator(samplePivState({ attachment: 'canokey' }), { canokey: true });

    await generating(piv, '9c', '11');

    expect(piv.persisted().slots).toMatchObject([{ slot: '9c', pinPolicy: 'once' }]);
  });

  it.each([
    ['a slot the card has not got', '85', 'ac03800111', '6a86'],
    ['the management key’s slot', '9b', 'ac03800111', '6a86'],
    ['P-384', '82', 'ac03800114', '6a80'],
    ['SM2 on a card without it', '82', 'ac03800154', '6a80'],
    ['no algorithm', '82', 'ac00', '6a80'],
    ['another template', '82', '7c03800111', '6a80'],
    ['an unknown PIN policy', '82', 'ac06800111aa0104', '6a80'],
  ])('refuses %s', async (_, slot, data, answer) => {
    const piv = await administrator(samplePivState());

    expect(await short(piv, `004700${slot}`, data)).toBe(answer);
    expect(piv.persisted().slots).toEqual([]);
  });
});

describe('GENERAL AUTHENTICATE with a key of a slot', () => {
  it('takes RSA raw, whatever the padding', async () => {
    const piv = await selectedPiv(samplePivState({ slots: [rsa] }));
    await verifyPin(piv);
    const padded = `0001${'ff'.repeat(221)}00${digest}`;

    const signature = await whole(piv, await signing(piv, '07', '9a', padded));

    const publicKey = createPublicKey({ key: Buffer.from(rsa.publicKey, 'hex'), format: 'der', type: 'spki' });
    const opened = publicDecrypt(
      { key: publicKey, padding: constants.RSA_NO_PADDING },
      hexToBytes(signature.slice(16, -4)),
    );
    expect(opened.toString('hex')).toBe(padded);
  });

  it.each([
    ['raw', /^7c42 8240 (.{128})9000$/u],
    ['der', /^7c.. 82.. (30.*)9000$/u],
  ] as const)('writes an SM2 signature %s', async (sm2SignatureFormat, form) => {
    const { privateKey, publicKey } = sm2.generateKeyPairHex();
    const slot = {
      slot: '9a',
      algorithm: 'sm2',
      privateKey,
      publicKey: publicKey.slice(2),
      pinPolicy: 'once',
    } as const;
    const state = samplePivState({ attachment: 'canokey', slots: [slot] });
    const piv = await selectedPiv(state, { canokey: true, apduLevel: 'short', sm2SignatureFormat });
    await verifyPin(piv);
    const message = new TextEncoder().encode('the CA asks for this');
    const e = sm2.getHash(message, publicKey);

    const answer = await signing(piv, '54', '9a', e);

    const [, signature = ''] = form.exec(answer.replace(/^(7c..)(82..)/u, '$1 $2 ')) ?? [];
    const der = sm2SignatureFormat === 'der';
    expect(sm2.doVerifySignature(message, signature, publicKey, { der, hash: true })).toBe(true);
  });

  it.each([
    ['once', ['6982', '9000', '9000']],
    ['always', ['6982', '9000', '6982']],
    ['never', ['9000', '9000', '9000']],
  ] as const)('under the PIN policy %s answers before the PIN, after it, and once more', async (policy, expected) => {
    const piv = await selectedPiv(samplePivState({ slots: [p256Slot('9c', policy)] }));

    const answers = [await signing(piv, '11', '9c', digest)];
    await verifyPin(piv);
    answers.push(await signing(piv, '11', '9c', digest), await signing(piv, '11', '9c', digest));

    expect(answers.map((answer) => answer.slice(-4))).toEqual(expected);
  });

  it('wants a PIN typed after any other signature, where it wants one for every signature', async () => {
    const piv = await selectedPiv(samplePivState({ slots: [p256Slot('9a'), p256Slot('9c', 'always')] }));
    await verifyPin(piv);

    await signing(piv, '11', '9a', digest);

    expect(await signing(piv, '11', '9c', digest)).toBe('6982');
  });

  it.each([
    ['reading an object', '00cb3fff035c017e00', '6982'],
    ['asking for a challenge with the management key', '0087039b047c02810000', '6982'],
    ['asking whether the PIN is verified', '00200080', '9000'],
    ['fetching the rest of an answer', '00c0000000', '9000'],
    ['the first part of the signing command', '1087119a047c248200', '9000'],
  ] as const)('after %s with a PIN for every signature answers', async (_, between, expected) => {
    const piv = await selectedPiv(samplePivState({ slots: [p256Slot('9a', 'always')] }));
    await verifyPin(piv);

    await piv.send(between);
    const isPart = between.startsWith('10');
    const answer = isPart ? await piv.send(`0087119a228120${digest}00`) : await signing(piv, '11', '9a', digest);

    expect(answer.slice(-4)).toBe(expected);
  });

  it.each([
    ['an empty slot', '11', '9d', `7c2482008120${digest}`, '6a88'],
    ['a slot the card has not got', '11', '90', `7c2482008120${digest}`, '6a86'],
    ['another algorithm than the key’s', '07', '9a', `7c2482008120${digest}`, '6a86'],
    ['a digest of another length', '11', '9a', `7c188200811400112233445566778899aabbccddeeff00112233`, '6a80'],
    ['no place for the response', '11', '9a', `7c228120${digest}`, '6a80'],
    ['no challenge', '11', '9a', '7c028200', '6a80'],
    ['no template', '11', '9a', `8120${digest}`, '6a80'],
    ['an empty template', '11', '9a', '7c00', '6a80'],
  ])('refuses %s', async (_, algorithm, slot, data, answer) => {
    const piv = await selectedPiv(samplePivState({ slots: [p256Slot()] }));
    await verifyPin(piv);

    expect(await short(piv, `0087${algorithm}${slot}`, data)).toBe(answer);
  });

  it('refuses an RSA block of another length, or no smaller than the modulus', async () => {
    const piv = await selectedPiv(samplePivState({ slots: [rsa] }));
    await verifyPin(piv);

    expect(await signing(piv, '07', '9a', '01'.repeat(255))).toBe('6a80');
    expect(await signing(piv, '07', '9a', 'ff'.repeat(256))).toBe('6a80');
  });

  it('answers nothing when the power fails while it signs', async () => {
    const piv = await selectedPiv(samplePivState({ slots: [p256Slot('9a', 'never')] }), {
      latency: (operation) => {
        if (operation === 'sign') piv.applet.powerDown();
        return Promise.resolve();
      },
    });

    await expect(signing(piv, '11', '9a', digest)).rejects.toThrow('no power');
  });

  it('says in time that it will take long', async () => {
    const piv = await selectedPiv(samplePivState({ slots: [p256Slot('9a', 'never')] }));
    let slow = 0;

    await piv.applet.transmit(hexToBytes(`0087119a267c2482008120${digest}00`), () => (slow += 1));

    expect(slow).toBe(1);
  });
});

describe('GET METADATA', () => {
  it('tells of the PIN its tries, and whether it is the one it was delivered with', async () => {
    const { send } = await selectedPiv(samplePivState({ remainingTries: 2 }));

    expect(await send('00f7008000')).toBe('0101ff' + '050100' + '06020302' + '9000');
  });

  it.each([
    ['aes192', '010203040506070801020304050607080102030405060708', '01010a' + '02020001' + '050101'],
    ['aes192', '112233445566778811223344556677881122334455667788', '01010a' + '02020001' + '050100'],
    ['3des', '010203040506070801020304050607080102030405060708', '010103' + '02020001' + '050101'],
  ] as const)(
    'tells of the management key %s %s its algorithm, and whether it is the default',
    async (algorithm, key, answer) => {
      const { send } = await selectedPiv(samplePivState({ managementKey: { algorithm, key, pinProtected: false } }));

      expect(await send('00f7009b00')).toBe(`${answer}9000`);
    },
  );

  it('tells of a slot its algorithm, policies, origin and public key', async () => {
    const slot = p256Slot('9c', 'always');
    const { send } = await selectedPiv(samplePivState({ slots: [slot] }));

    const answer = await send('00f7009c00');

    expect(answer).toBe(`010111020203010301010443864104${slot.publicKey}9000`);
  });

  it('says that there is no key in a slot', async () => {
    const { send } = await selectedPiv();

    expect(await send('00f7008200')).toBe('6a88');
  });

  it.each([
    ['a slot the card has not got', '00f7008500', '6a86'],
    ['data', '00f7009a0100', '6700'],
  ])('refuses %s', async (_, command, answer) => {
    const { send } = await selectedPiv();

    expect(await send(command)).toBe(answer);
  });
});

describe('MOVE KEY', () => {
  const certificate = certificateObject(hexToBytes('3000'));

  it('moves the key and leaves the certificate', async () => {
    const slot = p256Slot('82');
    const piv = await administrator(samplePivState({ slots: [slot], objects: { '5fc10d': certificate } }));

    expect(await piv.send('00f69a82')).toBe('9000');

    expect(piv.persisted().slots).toEqual([{ ...slot, slot: '9a' }]);
    expect(piv.persisted().objects.map(({ tag }) => tag)).toContain('5fc10d');
  });

  it('deletes with FF', async () => {
    const piv = await administrator(samplePivState({ slots: [p256Slot('82')] }));

    expect(await piv.send('00f6ff82')).toBe('9000');

    expect(piv.persisted().slots).toEqual([]);
  });

  it.each([
    ['from an empty slot', '00f69a83', '6a88'],
    ['into an occupied slot', '00f69a82', '6a80'],
    ['to where it is', '00f68282', '6a80'],
    ['the management key', '00f6829b', '6a86'],
    ['with data', '00f683820100', '6700'],
  ])('refuses to move %s', async (_, command, answer) => {
    const piv = await administrator(samplePivState({ slots: [p256Slot('82'), p256Slot('9a')] }));

    expect(await piv.send(command)).toBe(answer);
    expect(piv.persisted().slots.map(({ slot }) => slot)).toEqual(['82', '9a']);
  });

  it('needs the management key', async () => {
    const piv = await selectedPiv(samplePivState({ slots: [p256Slot('82')] }));
    await verifyPin(piv);

    expect(await piv.send('00f6ff82')).toBe('6982');
  });

  it.each([
    ['before', ['82']],
    ['after', ['83']],
  ] as const)('has the key in one place when the power fails %s the write', async (kind, slots) => {
    const piv = await administrator(samplePivState({ slots: [p256Slot('82')] }));
    piv.faults.arm({ place: 'write', n: 1, kind });

    await expect(piv.send('00f68382')).rejects.toThrow('no power');

    expect(piv.persisted().slots.map(({ slot }) => slot)).toEqual(slots);
  });
});

describe('version and serial number', () => {
  it('are the firmware’s and the last eight digits on the case', async () => {
    const { send } = await selectedPiv(samplePivState({ serialNumber: 'DEMO0123456789AB' }));

    expect(await send('00fd000000')).toBe('0201009000');
    expect(await send('00f8000000')).toBe('456789ab9000');
  });

  it('are unknown to a card without a maker’s extensions', async () => {
    const { send } = await selectedPiv(samplePivState({ features: { metadata: false } }));

    expect(await send('00fd000000')).toBe('6d00');
    expect(await send('00f8000000')).toBe('6d00');
  });
});
