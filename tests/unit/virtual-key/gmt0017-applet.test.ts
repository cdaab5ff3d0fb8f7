import { describe, expect, it } from 'vitest';
import { bytesToHex, hexToBytes } from '../../virtual-key/bytes.ts';
import { passwordKey } from '../../virtual-key/gmt0017-applet.ts';
import { sampleState, sm2KeyPair } from '../../virtual-key/make-state.ts';
import vectors from '../../vectors/gm.json' with { type: 'json' };
import { exchange, extended, logIn, openApplication, openContainer, poweredApplet, proof, verify } from './support.ts';

const utf8 = (text: string): string => bytesToHex(new TextEncoder().encode(text));

describe('device and applications', () => {
  it('describes itself in the 288 bytes of GetDevInfo', async () => {
    const { applet } = poweredApplet();

    const answer = await exchange(applet, '80040000000000');

    expect(answer).toHaveLength(2 * (0x120 + 2));
    expect(answer.slice(0, 8)).toBe('01000100');
    expect(answer.slice(8, 8 + 12)).toBe(utf8('Sample'));
    expect(answer.slice(2 * 132, 2 * 132 + 8)).toBe(utf8('ukey'));
    expect(answer.slice(2 * 164, 2 * 164 + 24)).toBe(utf8('VK0000000001'));
    expect(answer.slice(2 * 196, 2 * 200)).toBe('01000201');
    expect(answer.slice(2 * 200, 2 * 204)).toBe('01040000'); // SGD_SM4_ECB, least significant byte first
    expect(answer.slice(2 * 230, 2 * 231)).toBe('04');
    expect(answer.slice(-4)).toBe('9000');
  });

  it('takes the label of the recorded SetLabel request', async () => {
    const { applet, persisted } = poweredApplet({ ...sampleState() });

    const answer = await exchange(applet, '80020000000004756b6579');

    expect(answer).toBe('9000');
    expect(persisted().info.label).toBe('ukey');
  });

  it('lists its applications, each name ended by NUL', async () => {
    const { applet } = poweredApplet();

    expect(await exchange(applet, '80220000000000')).toBe(`${utf8('CFCA')}00009000`);
  });

  it('opens an application by its exact name and gives rights, room and its id', async () => {
    const { applet } = poweredApplet();

    expect(await exchange(applet, extended('80260000', '43464341'))).toBe(
      '10000000 04 08 0000 0201 9000'.replaceAll(' ', ''),
    );
    expect(await exchange(applet, extended('80260000', '4346434100'))).toBe('6a88');
    expect(await exchange(applet, extended('80260000', '43464342'))).toBe('6a88');
  });

  it('knows an application id only while the application is open', async () => {
    const { applet } = poweredApplet();
    const before = await exchange(applet, extended('80460000', '0201'));
    await openApplication(applet);
    const open = await exchange(applet, extended('80460000', '0201'));
    const wrongOrder = await exchange(applet, extended('80460000', '0102'));
    await exchange(applet, extended('80280000', '0201', ''));
    const closed = await exchange(applet, extended('80460000', '0201'));

    expect([before, open, wrongOrder, closed]).toEqual(['698a', '433100009000', '698a', '698a']);
  });
});

describe('what it refuses like firmware', () => {
  it.each([
    ['class 84, secure messaging', '84040000000000', '6882'],
    ['another class', '00040000000000', '6e00'],
    ['an unknown instruction', '80990000000000', '6d00'],
    ['a file command whose layout is not known', '80340000000000', '6d00'],
    ['wrong P1', '80040100000000', '6a86'],
    ['wrong P2', '80140002000002 0201 0000', '6a86'],
    ['a command without Le that answers with data', '80040000', '6700'],
    ['a length field that does not fit', '80140001 05 0201', '6700'],
    ['data that is too short', '80140001 000001 02 0000', '6700'],
    ['data that is too long', '80140001 000003 020100 0000', '6700'],
    ['an endless GenRandom', '80500000000000', '6700'],
    ['GET RESPONSE when nothing waits', '00c0000000', '6985'],
  ])('%s', async (_, command, answer) => {
    const { applet } = poweredApplet();
    await openApplication(applet);

    expect(await exchange(applet, command)).toBe(answer);
  });

  it('refuses extended lengths at the short level', async () => {
    const { applet } = poweredApplet(sampleState(), { apduLevel: 'short' });

    expect(await exchange(applet, '80040000000000')).toBe('6700');
  });
});

describe('short APDUs', () => {
  it('gives a long answer in parts to GET RESPONSE', async () => {
    const { applet } = poweredApplet(sampleState(), { apduLevel: 'short' });

    const first = await exchange(applet, '8004000000');
    const rest = await exchange(applet, '00c0000020');

    expect(first).toHaveLength(2 * 256 + 4);
    expect(first.slice(-4)).toBe('6120');
    expect(rest).toBe('00'.repeat(32) + '9000');
  });

  it('forgets what waits when another command comes first', async () => {
    const { applet } = poweredApplet(sampleState(), { apduLevel: 'short' });
    await exchange(applet, '8004000000');
    await exchange(applet, '8050000008');

    expect(await exchange(applet, '00c0000020')).toBe('6985');
  });

  it('joins chained commands', async () => {
    const { applet } = poweredApplet(sampleState(), { apduLevel: 'short' });

    const parts = [await exchange(applet, '90260000024346'), await exchange(applet, '8026000002434100')];

    expect(parts).toEqual(['9000', '100000000408000002019000']);
  });

  it('breaks a chain off when another header comes in it', async () => {
    const { applet } = poweredApplet(sampleState(), { apduLevel: 'short' });
    await exchange(applet, '90260000024346');

    expect(await exchange(applet, '90400000024346')).toBe('6883');
    expect(await exchange(applet, '8026000002434100')).toBe('6a88');
  });
});

describe('password', () => {
  it('makes its key and proof as the documents say', () => {
    const { pin, key, challenge, proof: expected } = vectors.verifyPin;

    expect(bytesToHex(passwordKey(new TextEncoder().encode(pin)))).toBe(key);
    expect(proof(pin, challenge)).toBe(expected);
  });

  it('tells its counter, which costs no try', async () => {
    const { applet } = poweredApplet();
    await openApplication(applet);

    expect(await exchange(applet, extended('80140001', '0201'))).toBe('0606009000');
    expect(await exchange(applet, extended('80140000', '0201'))).toBe('0a0a009000');
  });

  it('counts a wrong password down and persists that before it answers', async () => {
    const { applet, persisted } = poweredApplet();
    await openApplication(applet);

    const answer = await verify(applet, '00000000');

    expect(answer).toBe('63c5');
    expect(persisted().applications[0]?.remainingTries).toBe(5);
  });

  it('starts the counter anew after the right password', async () => {
    const { applet, persisted } = poweredApplet(sampleState({ remainingTries: 1 }));
    await openApplication(applet);

    expect(await verify(applet)).toBe('9000');
    expect(persisted().applications[0]?.remainingTries).toBe(6);
  });

  it('locks after the last try and stays locked, even for the right password, across power cycles', async () => {
    const { applet, persisted } = poweredApplet(sampleState({ remainingTries: 1 }));
    await openApplication(applet);
    const last = await verify(applet, '1');
    const locked = await verify(applet);
    applet.powerDown();
    applet.powerUp();
    await openApplication(applet);

    expect([last, locked, await verify(applet)]).toEqual(['63c0', '6983', '6983']);
    expect(persisted().applications[0]?.remainingTries).toBe(0);
  });

  it('takes a proof for the last challenge only, and once', async () => {
    const { applet, persisted } = poweredApplet();
    await openApplication(applet);
    const first = (await exchange(applet, '8050000008')).slice(0, 16);
    const second = (await exchange(applet, '8050000008')).slice(0, 16);
    const stale = await exchange(applet, extended('80180001', `0201${proof('12345678', first)}`, ''));
    const replayed = await exchange(applet, extended('80180001', `0201${proof('12345678', second)}`, ''));

    expect([stale, replayed]).toEqual(['63c5', '6985']);
    expect(persisted().applications[0]?.remainingTries).toBe(5);
  });

  it('takes no challenge of another length', async () => {
    const { applet } = poweredApplet();
    await openApplication(applet);
    const random = await exchange(applet, '8050000010');

    expect(await exchange(applet, extended('80180001', `0201${proof('12345678', random.slice(0, 16))}`, ''))).toBe(
      '6985',
    );
  });

  it('forgets the login on ClearSecureState, and on a power cut', async () => {
    const { applet } = poweredApplet();
    await logIn(applet);
    const create = (name: string) => exchange(applet, extended('80400000', `0201${utf8(name)}`));
    const loggedIn = await create('A');
    await exchange(applet, extended('801c0000', '0201', ''));
    const loggedOut = await create('B');
    await verify(applet);
    applet.powerDown();
    applet.powerUp();
    await openApplication(applet);

    expect([loggedIn, loggedOut, await create('B')]).toEqual(['02009000', '6982', '6982']);
  });
});

describe('containers', () => {
  it('creates, lists, opens, describes and deletes them', async () => {
    const { applet, persisted } = poweredApplet();
    await logIn(applet);

    const created = await exchange(applet, extended('80400000', `0201${utf8('NEW')}`));
    const listed = await exchange(applet, extended('80460000', '0201'));
    const described = await exchange(applet, extended('804a0000', `0201${utf8('NEW')}`));
    const deleted = await exchange(applet, extended('80480000', `0201${utf8('NEW')}`, ''));

    expect(created).toBe('02009000');
    expect(listed).toBe(`${utf8('C1')}00${utf8('NEW')}00009000`);
    expect(described).toBe('0000000000000000000000' + '9000');
    expect(deleted).toBe('9000');
    expect(persisted().applications[0]?.containers.map(({ name }) => name)).toEqual(['C1']);
  });

  it('describes a container with two key pairs and certificates', async () => {
    const { applet } = poweredApplet();
    await openApplication(applet);

    expect(await exchange(applet, extended('804a0000', `0201${utf8('C1')}`))).toBe(
      '02 00010000 00010000 01 01 9000'.replaceAll(' ', ''),
    );
  });

  it.each([
    ['a name that exists', 'C1', '6e02'],
    ['an empty name', '', '6a91'],
    ['a name of 65 characters', 'x'.repeat(65), '6a91'],
    ['a name of 64 characters', 'x'.repeat(64), '02009000'],
  ])('answers CreateContainer with %s', async (_, name, answer) => {
    const { applet } = poweredApplet();
    await logIn(applet);

    expect(await exchange(applet, extended('80400000', `0201${utf8(name)}`))).toBe(answer);
  });

  it('has no room for more containers than it says', async () => {
    const { applet } = poweredApplet(sampleState({ maxContainers: 1 }));
    await logIn(applet);

    expect(await exchange(applet, extended('80400000', `0201${utf8('A')}`))).toBe('6a84');
  });

  it('wants the password for creating and deleting', async () => {
    const { applet, persisted } = poweredApplet();
    await openApplication(applet);

    expect(await exchange(applet, extended('80400000', `0201${utf8('A')}`))).toBe('6982');
    expect(await exchange(applet, extended('80480000', `0201${utf8('C1')}`, ''))).toBe('6982');
    expect(persisted().applications[0]?.containers).toHaveLength(1);
  });

  it('knows a container id only while the container is open', async () => {
    const { applet } = poweredApplet();
    await openApplication(applet);
    const export1 = extended('804e0100', '02010100');
    const before = await exchange(applet, export1);
    const opened = await openContainer(applet);
    const open = await exchange(applet, export1);
    await exchange(applet, extended('80440000', '02010100', ''));

    expect(opened).toBe('01009000');
    expect(before).toBe('6a94');
    expect(open.slice(-4)).toBe('9000');
    expect(await exchange(applet, export1)).toBe('6a94');
    expect(await openContainer(applet, 'C2')).toBe('6a8b');
  });

  it('gives no id twice', async () => {
    const { applet } = poweredApplet(sampleState({ containers: [{ name: 'C7', id: 7, signing: sm2KeyPair() }] }));
    await openApplication(applet);
    await verify(applet);
    await exchange(applet, extended('80480000', `0201${utf8('C7')}`, ''));

    expect(await exchange(applet, extended('80400000', `0201${utf8('C7')}`))).toBe('08009000');
  });
});

it('answers nothing without power', async () => {
  const { applet } = poweredApplet();
  applet.powerDown();

  await expect(applet.transmit(hexToBytes('80040000000000'))).rejects.toThrow('the key has no power');
});
