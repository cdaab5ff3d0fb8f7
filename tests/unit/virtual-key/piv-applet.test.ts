import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTlv, readTlvs, tlv } from '../../virtual-key/ber-tlv.ts';
import { bytesToHex, hexToBytes } from '../../virtual-key/bytes.ts';
import { samplePivState } from '../../virtual-key/make-state.ts';
import {
  cardCapabilityContainer,
  cardHolderUniqueIdentifier,
  certificateIn,
  certificateObject,
  protectedKey,
  protectedKeyNote,
} from '../../virtual-key/piv-objects.ts';
import {
  becomeAdministrator,
  pin,
  poweredPiv,
  select,
  selectedPiv,
  short,
  verifyPin,
  whole,
  wrap,
  wrongPin,
} from './piv-support.ts';

const getDiscovery = '00cb3fff035c017e00';
const get = (tag: string): string => `00cb3fff055c03${tag}00`;

describe('SELECT', () => {
  it.each([
    ['the RID', '05a000000308'],
    ['the AID without its version', '09a00000030800001000'],
    ['the whole AID', '0ba000000308000010000100'],
  ])('answers %s with the template that a YubiKey answers', async (_, aid) => {
    const { send } = poweredPiv();

    // As printed in Yubico's documentation.
    expect(await send(`00a40400${aid}00`)).toBe('61114f0600001000010079074f05a000000308' + '9000');
  });

  it('answers without an Le field too, as yubico-piv-tool sends it', async () => {
    const { send } = poweredPiv();

    expect(await send('00a4040005a000000308')).toMatch(/^6111.*9000$/u);
  });

  it.each([
    ['another application', '00a4040008a00000015100000000', '6a82'],
    ['an AID that goes on differently', '00a4040007a000000308010100', '6a82'],
    ['less than the RID', '00a4040004a000000300', '6a82'],
    ['by file identifier', '00a4000c023f00', '6a86'],
  ])('refuses %s', async (_, command, answer) => {
    const { send } = poweredPiv();

    expect(await send(command)).toBe(answer);
  });

  it('comes first', async () => {
    const { send } = poweredPiv();

    expect(await send(getDiscovery)).toBe('6d00');
  });

  it('leaves the application selected and the PIN verified when it is sent again, or for another application', async () => {
    const piv = await selectedPiv();
    await verifyPin(piv);

    await piv.send('00a4040008a00000015100000000');
    await piv.send(select);

    expect(await piv.send('00200080')).toBe('9000');
  });

  it('is undone, and the PIN forgotten, by a power cut', async () => {
    const piv = await selectedPiv();
    await verifyPin(piv);

    piv.applet.powerDown();
    piv.applet.powerUp();

    expect(await piv.send('00200080')).toBe('6d00');
    await piv.send(select);
    expect(await piv.send('00200080')).toBe('63c3');
  });
});

describe('VERIFY', () => {
  it('answers how many tries are left, and nothing more once the PIN is verified', async () => {
    const piv = await selectedPiv();

    expect(await piv.send('00200080')).toBe('63c3');
    expect(await verifyPin(piv)).toBe('9000');
    expect(await piv.send('00200080')).toBe('9000');
    expect(await piv.send('0020ff80')).toBe('9000');
    expect(await piv.send('00200080')).toBe('63c3');
  });

  it('counts wrong PINs down to a blocked one, which the right PIN does not free', async () => {
    const piv = await selectedPiv();

    const answers = [];
    for (let index = 0; index < 4; index += 1) answers.push(await piv.send(`0020008008${wrongPin}`));

    expect(answers).toEqual(['63c2', '63c1', '63c0', '6983']);
    expect(await verifyPin(piv)).toBe('6983');
    expect(await piv.send('00200080')).toBe('63c0');
    expect(piv.persisted().remainingTries).toBe(0);
  });

  it('gives all tries back after the right PIN', async () => {
    const piv = await selectedPiv(samplePivState({ remainingTries: 1 }));

    await verifyPin(piv);

    expect(piv.persisted().remainingTries).toBe(3);
  });

  it('forgets the PIN when a wrong one comes after it', async () => {
    const piv = await selectedPiv();
    await verifyPin(piv);

    await piv.send(`0020008008${wrongPin}`);

    expect(await piv.send('00200080')).toBe('63c2');
  });

  it.each([
    ['seven bytes', '002000800731323334353637'],
    ['five digits', '00200080083132333435ffffff'],
    ['something after the padding', '0020008008313233343536ff38'],
  ])('refuses %s without counting it', async (_, command) => {
    const piv = await selectedPiv();

    expect(await piv.send(command)).toBe('6a80');
    expect(await piv.send('00200080')).toBe('63c3');
  });

  it.each([
    ['the global PIN', `0020000008${pin}`, '6a88'],
    ['another P1', `0020010808${pin}`, '6a86'],
  ])('refuses %s', async (_, command, answer) => {
    const { send } = await selectedPiv();

    expect(await send(command)).toBe(answer);
  });

  it.each([
    ['before', 3],
    ['after', 2],
  ] as const)('keeps count over a power cut %s the write', async (kind, left) => {
    const piv = await selectedPiv();
    piv.faults.arm({ place: 'write', n: 1, kind });

    await expect(piv.send(`0020008008${wrongPin}`)).rejects.toThrow('no power');
    piv.applet.powerUp();
    await piv.send(select);

    expect(await piv.send('00200080')).toBe(`63c${left}`);
  });
});

describe('GET DATA', () => {
  it('answers the discovery object', async () => {
    const { send } = await selectedPiv();

    expect(await send(getDiscovery)).toBe('7e124f0ba0000003080000100001005f2f024000' + '9000');
  });

  it.each([
    ['an absent object', get('5fc105'), '6a82'],
    ['an object that nobody knows', get('5fd000'), '6a82'],
    ['another P1 and P2', '00cb3f00055c035fc10500', '6a86'],
    ['no tag list', '00cb3fff035fc10500', '6a80'],
    ['two tag lists', '00cb3fff065c017e5c017e00', '6a80'],
    ['an empty tag list', '00cb3fff025c0000', '6a80'],
  ])('refuses %s', async (_, command, answer) => {
    const { send } = await selectedPiv();

    expect(await send(command)).toBe(answer);
  });

  it('keeps the printed information to whoever has typed the PIN', async () => {
    const object = protectedKey(new Uint8Array(24));
    const piv = await selectedPiv(samplePivState({ objects: { '5fc109': object } }));

    expect(await piv.send(get('5fc109'))).toBe('6982');
    await verifyPin(piv);

    expect(await piv.send(get('5fc109'))).toBe(`${bytesToHex(object)}9000`);
  });

  it.each([10, 254, 255, 256, 257, 600, 2000])('gives an object of %i bytes in parts of 256', async (length) => {
    const object = tlv(
      0x53,
      Uint8Array.from({ length }, (_, index) => index),
    );
    const piv = await selectedPiv(samplePivState({ objects: { '5fc105': object } }));

    const first = await piv.send(get('5fc105'));

    const rest = object.length - 256;
    if (rest > 0) expect(first.slice(-4)).toBe(`61${(rest > 255 ? 0 : rest).toString(16).padStart(2, '0')}`);
    expect(await whole(piv, first)).toBe(`${bytesToHex(object)}9000`);
  });

  it('gives a large object whole to an extended Le', async () => {
    const object = tlv(0x53, new Uint8Array(2000));
    const { send } = await selectedPiv(samplePivState({ objects: { '5fc105': object } }));

    expect(await send('00cb3fff0000055c035fc1050000')).toBe(`${bytesToHex(object)}9000`);
  });
});

describe('a card behind a short reader', () => {
  it('refuses extended APDUs', async () => {
    const { send } = await selectedPiv(samplePivState(), { apduLevel: 'short' });

    expect(await send('00cb3fff0000035c017e0000')).toBe('6700');
  });
});

describe('PUT DATA', () => {
  const certificate = Uint8Array.from({ length: 700 }, (_, index) => index);
  const object = certificateObject(certificate, 'R0123456789abcdef0123456789abcdef');
  const put = `5c035fc10d${bytesToHex(object)}`;

  it('needs the management key', async () => {
    const piv = await selectedPiv();
    await verifyPin(piv);

    expect(await short(piv, '00db3fff', put)).toBe('6982');
  });

  it('writes in one piece what came in chained parts', async () => {
    const piv = await selectedPiv();
    await becomeAdministrator(piv);
    const { writes } = piv.faults;

    expect(await short(piv, '00db3fff', put)).toBe('9000');

    expect(piv.faults.writes - writes).toBe(1);
    expect(await whole(piv, await piv.send(get('5fc10d')))).toBe(`${bytesToHex(object)}9000`);
    expect(certificateIn(piv.persisted(), 0x82)).toEqual({ certificate, name: 'R0123456789abcdef0123456789abcdef' });
  });

  it('takes an extended command', async () => {
    const piv = await selectedPiv();
    await becomeAdministrator(piv);

    const length = (put.length / 2).toString(16).padStart(4, '0');
    expect(await piv.send(`00db3fff00${length}${put}`)).toBe('9000');

    expect(certificateIn(piv.persisted(), 0x82).certificate).toEqual(certificate);
  });

  it.each([
    ['before', undefined],
    ['after', certificate],
  ] as const)('is done wholly or not at all when the power fails %s the write', async (kind, expected) => {
    const piv = await selectedPiv();
    await becomeAdministrator(piv);
    piv.faults.arm({ place: 'write', n: 1, kind });

    await expect(short(piv, '00db3fff', put)).rejects.toThrow('no power');

    expect(certificateIn(piv.persisted(), 0x82).certificate).toEqual(expected);
  });

  it('deletes with an empty object', async () => {
    const piv = await selectedPiv(samplePivState({ objects: { '5fc10d': object } }));
    await becomeAdministrator(piv);

    expect(await short(piv, '00db3fff', '5c035fc10d5300')).toBe('9000');

    expect(await piv.send(get('5fc10d'))).toBe('6a82');
    expect(piv.persisted().objects.map(({ tag }) => tag)).toEqual(['7e']);
  });

  it.each([
    ['an object the card has no place for', '5c035fc1ff5300', '6a82'],
    ['the object of a retired key the card has not got', '5c035fc1105300', '6a82'],
    ['the discovery object', '5c017e5300', '6a82'],
    ['something else than 53', '5c035fc10d5400', '6a80'],
    ['something after the object', '5c035fc10d53000000', '6a80'],
    ['a truncated object', '5c035fc10d5305aa', '6a80'],
    ['too large an object', `5c035fc10d${wrap('53', '00'.repeat(3069))}`, '6a84'],
  ])('refuses %s', async (_, data, answer) => {
    const piv = await selectedPiv();
    await becomeAdministrator(piv);

    expect(await short(piv, '00db3fff', data)).toBe(answer);
  });

  it('refuses a chain that turns into another', async () => {
    const piv = await selectedPiv();
    await becomeAdministrator(piv);

    await piv.send('10db3fff055c035fc105');

    expect(await piv.send('1087119a027c00')).toBe('6883');
  });
});

describe('CanoKey', () => {
  const canokey = (objects: Readonly<Record<string, Uint8Array>> = {}) =>
    selectedPiv(samplePivState({ attachment: 'canokey', objects }), { canokey: true, apduLevel: 'short' });
  const object = certificateObject(new Uint8Array(600).fill(7));
  const put = `5c035fc10d${bytesToHex(object)}`;

  it('writes the parts of a PUT DATA as they come', async () => {
    const piv = await canokey();
    await becomeAdministrator(piv);
    const { writes } = piv.faults;

    expect(await short(piv, '00db3fff', put)).toBe('9000');

    expect(piv.faults.writes - writes).toBe(3);
    expect(await whole(piv, await piv.send(get('5fc10d')))).toBe(`${bytesToHex(object)}9000`);
  });

  it('has half an object when it was pulled out between the parts', async () => {
    const piv = await canokey({ '5fc10d': certificateObject(new Uint8Array(20)) });
    await becomeAdministrator(piv);
    piv.faults.arm({ place: 'write', n: 2, kind: 'before' });

    await expect(short(piv, '00db3fff', put)).rejects.toThrow('no power');

    const left = piv.persisted().objects.find(({ tag }) => tag === '5fc10d')?.data ?? '';
    expect(left).toBe(put.slice(10, 510));
    expect(certificateIn(piv.persisted(), 0x82).certificate).toBeUndefined();
  });

  it('begins anew when another command stands between the parts', async () => {
    const piv = await canokey();
    await becomeAdministrator(piv);

    await piv.send('10db3fff075c035fc10d5305');
    await piv.send('00200080');

    expect(await piv.send('00db3fff04aabbccdd')).toBe('6a80');
  });

  it('deletes with an empty object', async () => {
    const piv = await canokey({ '5fc10d': object });
    await becomeAdministrator(piv);

    await short(piv, '00db3fff', '5c035fc10d5300');

    expect(await piv.send(get('5fc10d'))).toBe('6a82');
  });

  it.each([
    ['metadata', '00f7009a00', '6d00'],
    ['moving keys', '00f6829a', '6d00'],
    ['version 2.1', '00fd000000', '0201009000'],
  ])('answers %s', async (_, command, answer) => {
    const { send } = await canokey();

    expect(await send(command)).toBe(answer);
  });

  it.each(['5fc10c', '5fc10f', '5fff00', '5fc109'])('has no place for %s', async (tag) => {
    const piv = await canokey();
    await becomeAdministrator(piv);

    expect(await short(piv, '00db3fff', `5c03${tag}530100`)).toBe('6a82');
  });
});

describe('objects', () => {
  it('have the sizes and beginnings of what CanoKey’s own tests expect', () => {
    const key = hexToBytes('010203040506070801020304050607080102030405060708');

    expect(cardHolderUniqueIdentifier(new Uint8Array(16))).toHaveLength(61);
    expect(cardCapabilityContainer(new Uint8Array(14))).toHaveLength(53);
    expect(bytesToHex(protectedKeyNote())).toBe('53058003810103');
    expect(bytesToHex(protectedKey(key))).toBe(`531c881a8918${bytesToHex(key)}`);
  });

  it('carry a certificate as NIST SP 800-73-4 part 1 table 10 says', () => {
    expect(bytesToHex(certificateObject(hexToBytes('3000')))).toBe('5309' + '70023000' + '710100' + 'fe00');
    expect(bytesToHex(certificateObject(new Uint8Array(0), 'R1'))).toBe(
      '530b' + '7000' + '710100' + '72025231' + 'fe00',
    );
  });
});

describe('BER-TLV', () => {
  const tags = fc.constantFrom(0x53, 0x70, 0x7e, 0x7f49, 0x5f2f, 0x5fc105);

  it('comes out as it went in', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(tags, fc.uint8Array({ maxLength: 400 })), { maxLength: 4 }), (objects) => {
        const bytes = objects.flatMap(([tag, value]) => [...tlv(tag, value)]);

        expect(readTlvs(Uint8Array.from(bytes))).toEqual(objects.map(([tag, value]) => ({ tag, value })));
      }),
    );
  });

  it.each(['', '53', '5f', '5fc1', '5f81818105', '5380', '538300000100', '5302aa', '538201', '7f49'])(
    'reads nothing out of %s',
    (hex) => {
      expect(readTlv(hexToBytes(hex))).toBeUndefined();
    },
  );
});

describe('any bytes', () => {
  it('are answered with a status word', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0x20, 0x47, 0x87, 0xa4, 0xc0, 0xcb, 0xdb, 0xf6, 0xf7, 0xf8, 0xfd, 0x24),
        fc.constantFrom(0x00, 0x10, 0x0c, 0x80),
        fc.uint8Array({ minLength: 2, maxLength: 2 }),
        fc.uint8Array({ maxLength: 40 }),
        async (ins, cla, parameters, data) => {
          const piv = await selectedPiv();
          await becomeAdministrator(piv);
          const command = Uint8Array.of(cla, ins, ...parameters, ...(data.length > 0 ? [data.length, ...data] : []));

          const answer = await piv.applet.transmit(command);

          expect(answer.length).toBeGreaterThanOrEqual(2);
        },
      ),
    );
  });
});
