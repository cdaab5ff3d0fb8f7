import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import { ApduSession } from '../../../src/apdu/session.ts';
import { defaultDialect, type SkfDialect } from '../../../src/device/models.ts';
import { sm2Spki } from '../../../src/pki/algorithms.ts';
import type { EnvelopedKey } from '../../../src/pki/enveloped-key.ts';
import { passwordProof } from '../../../src/usbkey/password-proof.ts';
import { SkfKey } from '../../../src/usbkey/skf-key.ts';
import gm from '../../vectors/gm.json' with { type: 'json' };
import { hex, toHex } from '../apdu/hex.ts';
import { ScriptedChannel } from '../apdu/scripted-channel.ts';

type Answer = string | Error | Promise<string>;
/** What the key answers to an INS: always the same, one after the other (the last for ever), or by the command. */
type Script = Readonly<Partial<Record<string, Answer | readonly Answer[] | ((command: string) => Answer)>>>;

const point = gm.sm2.publicKey.slice(2);
const honest: Script = {
  '22': '43464341 00 00 9000', // EnumApplication: CFCA
  '26': 'ff000000 08 08 2000 0100 9000', // OpenApplication: id 1
  '28': '9000',
  '1c': '9000',
  '14': '060600 9000', // GetPINInfo: 6 of 6
  '50': `${gm.verifyPin.challenge} 9000`,
  '18': '9000',
  '46': '433100 9000', // EnumContainer: C1
  '40': '0500 9000',
  '42': '0500 9000', // OpenContainer: id 5
  '44': '9000',
  '4a': '02 00010000 00000000 01 00 9000', // an SM2 signing key with certificate
  '4e': '02000000 3000 9000',
  '88': `00010000 ${point} 9000`,
};
const ref = { application: 'CFCA', container: 'C1' };
const password = new TextEncoder().encode(gm.verifyPin.pin);
const lost = new TransportError('timeout', 'no answer');

type Entry = NonNullable<Script[string]>;
const isList = (entry: Entry): entry is readonly Answer[] => Array.isArray(entry);
function answerOf(entry: Entry, turn: number, command: string): Answer {
  if (typeof entry === 'function') return entry(command);
  return isList(entry) ? (entry[Math.min(turn, entry.length - 1)] ?? '6f00') : entry;
}

function scripted(script: Script = {}, dialect: Partial<SkfDialect> = {}) {
  const all: Script = { ...honest, ...script };
  const turns = new Map<string, number>();
  const channel = new ScriptedChannel((command) => {
    const ins = toHex(command.subarray(1, 2));
    const entry = all[ins] ?? '6d00';
    const turn = turns.get(ins) ?? 0;
    turns.set(ins, turn + 1);
    const answer = answerOf(entry, turn, toHex(command));
    if (answer instanceof Error) return answer;
    if (answer instanceof Promise) return answer.then(hex);
    return hex(answer);
  });
  const key = new SkfKey(new ApduSession(channel, { extendedLength: 'wherePossible' }), {
    dialect: { ...defaultDialect, ...dialect },
  });
  const instructions = () => channel.sent.map((command) => toHex(command.subarray(1, 2)));
  const count = (ins: string) => instructions().filter((each) => each === ins).length;
  return { key, channel, instructions, count };
}

describe('the password', () => {
  it('is proven, once, and the counter is read before', async () => {
    const { key, channel, instructions } = scripted();

    await key.verifyPassword('CFCA', password);

    expect(instructions()).toEqual(['26', '14', '50', '18']);
    expect(toHex(channel.sent[3] ?? hex(''))).toBe(`801800010000120100${gm.verifyPin.proof}`);
  });

  it('is not kept and not changed', async () => {
    const { key } = scripted();
    const typed = password.slice();

    await key.verifyPassword('CFCA', typed);

    expect(typed).toEqual(password);
  });

  it.each<[string, Script, object]>([
    [
      'wrong: the counter says how many tries are left',
      { '18': '63c9', '14': ['060300 9000', '060200 9000'] },
      { code: 'wrong', remaining: 2 },
    ],
    [
      'wrong, by firmware that counts in another nibble',
      { '18': '6350', '14': ['060600 9000', '060500 9000'] },
      { code: 'wrong', remaining: 5 },
    ],
    [
      'wrong, by another status word but the counter',
      { '18': '6a98', '14': ['060600 9000', '060500 9000'] },
      { code: 'wrong', remaining: 5 },
    ],
    ['wrong, on a key that tells no counter', { '18': '63c5', '14': '6d00' }, { code: 'wrong', remaining: undefined }],
    [
      'wrong for the last time',
      { '18': '63c0', '14': ['060100 9000', '060000 9000'] },
      { code: 'locked', remaining: 0 },
    ],
    ['locked', { '18': '6983', '14': '6d00' }, { code: 'locked', remaining: 0 }],
    [
      'lost on the way, and wrong by the counter',
      { '18': lost, '14': ['060300 9000', '060200 9000'] },
      { code: 'wrong', remaining: 2 },
    ],
    [
      'lost on the way, and locked by the counter',
      { '18': lost, '14': ['060100 9000', '060000 9000'] },
      { code: 'locked', remaining: 0 },
    ],
    ['lost on the way, and the counter does not tell', { '18': lost }, { code: 'unknown', remaining: 6 }],
    [
      'lost on the way, and the counter too',
      { '18': lost, '14': ['060300 9000', lost] },
      { code: 'unknown', remaining: undefined },
    ],
  ])('%s', async (_, script, outcome) => {
    const { key, count } = scripted(script);

    await expect(key.verifyPassword('CFCA', password)).rejects.toMatchObject({ name: 'PasswordError', ...outcome });

    expect(count('18')).toBe(1);
  });

  it('that was lost on the way was right when the counter is full again', async () => {
    const { key, count } = scripted({ '18': lost, '14': ['060300 9000', '060600 9000'] });

    await expect(key.verifyPassword('CFCA', password)).resolves.toBeUndefined();
    expect(count('18')).toBe(1);
  });

  it.each<[string, Uint8Array, Script, object]>([
    ['is locked', password, { '14': '060000 9000' }, { code: 'locked', remaining: 0 }],
    ['cannot be right because it is empty', new Uint8Array(), {}, { code: 'wrong', remaining: 6 }],
    ['cannot be right because it is too long', new Uint8Array(17), {}, { code: 'wrong', remaining: 6 }],
    ['meets a counter that cannot be', password, { '14': '060700 9000' }, { name: 'KeyError', code: 'malformed' }],
    ['meets a challenge that is too short', password, { '50': '00 9000' }, { name: 'KeyError', code: 'malformed' }],
    ['meets a wire that is down', password, { '14': lost }, { name: 'TransportError', code: 'timeout' }],
  ])('is not sent when it %s', async (_, typed, script, outcome) => {
    const { key, count } = scripted(script);

    await expect(key.verifyPassword('CFCA', typed)).rejects.toMatchObject(outcome);

    expect(count('18')).toBe(0);
  });

  it('that was lost with the key is not asked about', async () => {
    const { key, channel, instructions } = scripted({
      '18': () => {
        channel.unplug();
        return new TransportError('disconnected', 'unplugged');
      },
    });

    await expect(key.verifyPassword('CFCA', password)).rejects.toMatchObject({ code: 'disconnected' });
    expect(instructions().at(-1)).toBe('18');
  });

  it('is in no error', async () => {
    const { key } = scripted({ '18': '63c5' });

    const error: unknown = await key.verifyPassword('CFCA', password).catch((reason: unknown) => reason);

    expect(JSON.stringify(error) + String(error)).not.toMatch(/12345678|8be3bbed/u);
  });
});

describe('reading', () => {
  it('takes public key and certificate, and closes the container', async () => {
    const { key, instructions } = scripted();

    expect(await key.listContainers()).toEqual([ref]);
    expect(await key.readContainer(ref)).toEqual({
      ref,
      signing: { publicKey: sm2Spki(hex(gm.sm2.publicKey)), certificate: hex('3000') },
      encryption: undefined,
    });
    expect(instructions().slice(-4)).toEqual(['42', '88', '4e', '44']);
  });

  it('takes a certificate in parts', async () => {
    const { key } = scripted({ '4e': ['05000000 30 6a9e', '0302 6a9e', '0101 9000'] });

    expect((await key.readContainer(ref)).signing?.certificate).toEqual(hex('3003020101'));
  });

  it.each<[string, string | readonly string[]]>([
    ['a length of nonsense', 'ffffffff 3000 9000'],
    ['fewer bytes than announced', '05000000 3003 9000'],
    ['more bytes than announced', '01000000 3003 9000'],
    ['nothing', '9000'],
    ['more and more of nothing', ['05000000 30 6a9e', '6a9e']],
    ['more than announced, part by part', ['03000000 30 6a9e', '01 6a9e']],
    ['more although all is there', '02000000 3000 6a9e'],
  ])('calls a certificate export malformed that returns %s', async (_, answers) => {
    const { key, count } = scripted({ '4e': answers });

    await expect(key.readContainer(ref)).rejects.toMatchObject({ name: 'KeyError', code: 'malformed' });
    expect(count('44')).toBe(1);
  });

  it('takes no certificate for one that the key announces but has not', async () => {
    const { key } = scripted({ '4e': '6a96' });

    expect((await key.readContainer(ref)).signing?.certificate).toBeUndefined();
  });

  it('opens the application again when somebody else closed it, once', async () => {
    const { key, count } = scripted({ '46': ['433100 9000', '698a', '433100 9000', '698a'] });
    await key.listContainers();

    expect(await key.listContainers()).toEqual([ref]);

    await expect(key.listContainers()).rejects.toMatchObject({ code: 'notLoggedIn', statusWord: 0x698a });
    expect(count('26')).toBe(3);
  });

  it('tells an unknown counter from an empty one', async () => {
    expect(await scripted().key.readPasswordTries('CFCA')).toEqual({ remaining: 6, maximum: 6 });
    expect(await scripted({ '14': '6d00' }).key.readPasswordTries('CFCA')).toEqual({
      remaining: undefined,
      maximum: undefined,
    });
  });

  it('speaks of an unknown command set as unsupported', async () => {
    await expect(scripted({ '22': '6e00' }).key.listContainers()).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('writing', () => {
  it('opens and closes the container around each operation, with the id of this time', async () => {
    const { key, channel } = scripted({ '42': ['0500 9000', '0600 9000'], '4c': '9000' });

    await key.importCertificate(ref, 'signing', hex('3000'));
    await key.importCertificate(ref, 'encryption', hex('3000'));

    const containerIds = channel.sent
      .filter((c) => c[1] === 0x4c || c[1] === 0x44)
      .map((c) => toHex(c.subarray(9, 11)));
    expect(containerIds).toEqual(['0500', '0500', '0600', '0600']);
  });

  it('closes the container after a refusal too, and reports the refusal', async () => {
    const { key, count } = scripted({ '70': '6915', '44': '6a94' });

    await expect(key.generateSigningKeyPair(ref, 'sm2')).rejects.toMatchObject({
      code: 'keyGenerationFailed',
      statusWord: 0x6915,
    });
    expect(count('44')).toBe(1);
  });

  it('is not repeated when the application turns out to be closed, and logs in anew afterwards', async () => {
    const { key, count } = scripted({ '40': '698a' });
    await key.verifyPassword('CFCA', password);

    await expect(key.createContainer(ref)).rejects.toMatchObject({ code: 'notLoggedIn' });
    await key.verifyPassword('CFCA', password);

    expect([count('40'), count('26')]).toEqual([1, 2]);
  });

  it.each([
    ['6e02', 'containerExists'],
    ['6a84', 'noRoom'],
    ['6982', 'notLoggedIn'],
  ])('of a container that is refused with %s is %s', async (sw, code) => {
    await expect(scripted({ '40': sw }).key.createContainer(ref)).rejects.toMatchObject({ code });
  });

  it('generates no key of an algorithm that GM/T 0017 has not, and sends nothing for it', async () => {
    const { key, count } = scripted();
    await expect(key.generateSigningKeyPair(ref, 'p256')).rejects.toMatchObject({ code: 'unsupported' });
    expect([count('54'), count('70')]).toEqual([0, 0]);
  });

  it('refuses a certificate longer than any key takes', async () => {
    const { key, count } = scripted();
    await expect(key.importCertificate(ref, 'signing', new Uint8Array(20_000))).rejects.toMatchObject({
      code: 'noRoom',
    });
    expect(count('4c')).toBe(0);
  });

  it.each<[string, Script, string]>([
    ['an empty container', { '4a': '00 00000000 00000000 00 00 9000' }, 'noKeyPair'],
    ['a signature that is none', { '74': '00010000 9000' }, 'malformed'],
    [
      'an RSA signature of another length',
      { '4a': '01 00080000 00000000 00 00 9000', '88': `0008 01000100 ${'ff'.repeat(256)} 9000`, '58': 'aa 9000' },
      'malformed',
    ],
    ['a key that refuses', { '74': '6a9c' }, 'signFailed'],
  ])('signs not with %s', async (_, script, code) => {
    await expect(scripted(script).key.sign(ref, hex('00'))).rejects.toMatchObject({ name: 'KeyError', code });
  });

  it('signs the digest e of the standard example (GB/T 32918.2) and returns DER', async () => {
    const { key, channel } = scripted({ '74': `00010000 ${gm.sm2.r} ${gm.sm2.s} 9000` });

    const signature = await key.sign(ref, new TextEncoder().encode(gm.sm2.message));

    const sent = channel.sent.find((command) => command[1] === 0x74) ?? hex('');
    expect(toHex(sent)).toBe(`8074020000002401000500${gm.sm2.e}0000`);
    expect(toHex(signature)).toBe(`3046022100${gm.sm2.r}022100${gm.sm2.s}`);
  });
});

/** An envelope with bytes of our own choosing: only its form counts here. */
const envelope: EnvelopedKey = {
  symmetricAlgorithm: 'sm4-ecb',
  wrappedKey: {
    x: new Uint8Array(32).fill(1),
    y: new Uint8Array(32).fill(2),
    hash: new Uint8Array(32).fill(3),
    cipher: new Uint8Array(16).fill(4),
  },
  publicKey: hex(gm.sm2.publicKey),
  encryptedPrivateKey: new Uint8Array(64).fill(0xee).fill(0xdd, 32),
};

describe('an encryption key pair', () => {
  const imported = { '72': '9000', '4c': '9000' };

  it('is put into its container, and its public key read back', async () => {
    const { key, channel, instructions } = scripted(imported);

    const spki = await key.importEncryptionKeyPair?.(ref, envelope);

    expect(spki).toEqual(sm2Spki(hex(gm.sm2.publicKey)));
    expect(instructions().slice(-4)).toEqual(['42', '72', '88', '44']);
    const exported = channel.sent.find((command) => command[1] === 0x88);
    expect(toHex(exported ?? hex(''))).toBe('80880000000004010005000000');
    const sent = toHex(channel.sent.find((command) => command[1] === 0x72) ?? hex(''));
    expect(sent).toBe(
      `8072000000010c 0100 0500 00040200 01040000 00010000 ${'01'.repeat(32)} ${'02'.repeat(32)} ${'03'.repeat(32)}
       10000000 ${'04'.repeat(16)} 00010000 ${point} 40000000 ${'00'.repeat(32)} ${'dd'.repeat(32)}`.replaceAll(
        /\s/gu,
        '',
      ),
    );
  });

  it.each<[string, Partial<SkfDialect>, string]>([
    ['d last', {}, '00'.repeat(32) + 'dd'.repeat(32)],
    ['d first', { importedPrivateKey: 'first32' }, 'dd'.repeat(32) + '00'.repeat(32)],
    ['all of it', { importedPrivateKey: 'all64' }, 'ee'.repeat(32) + 'dd'.repeat(32)],
  ])('is given as the dialect says: %s', async (_, dialect, field) => {
    const { key, channel } = scripted(imported, dialect);

    await key.importEncryptionKeyPair?.(ref, envelope);

    expect(toHex(channel.sent.find((command) => command[1] === 0x72) ?? hex('')).slice(-128)).toBe(field);
  });

  it('cannot be made of 32 bytes for a key that wants 64, nor imported under a temporary key', async () => {
    const short = { ...envelope, encryptedPrivateKey: new Uint8Array(32) };
    const { key, count } = scripted(imported, { importedPrivateKey: 'all64' });

    await expect(key.importEncryptionKeyPair?.(ref, short)).rejects.toMatchObject({ code: 'unsupported' });

    expect(count('72')).toBe(0);
    expect(scripted(imported, { wrappingTarget: 'temporaryKey' }).key.importEncryptionKeyPair).toBeUndefined();
  });

  it.each([
    ['6a80', 'refused'],
    ['6a98', 'refused'],
    ['6982', 'notLoggedIn'],
    ['698a', 'notLoggedIn'],
    ['6a95', 'noKeyPair'],
    ['6a94', 'notFound'],
    ['6a84', 'noRoom'],
    ['6581', 'writeFailed'],
    ['6a97', 'writeFailed'],
    ['6d00', 'unsupported'],
  ])('that is refused with %s is %s', async (sw, code) => {
    const { key, count } = scripted({ '72': sw });

    await expect(key.importEncryptionKeyPair?.(ref, envelope)).rejects.toMatchObject({
      code,
      statusWord: parseInt(sw, 16),
    });
    expect([count('88'), count('44')]).toEqual([0, 1]);
  });

  it('whose public key does not come back as one is malformed', async () => {
    const { key } = scripted({ ...imported, '88': '00010000 9000' });

    await expect(key.importEncryptionKeyPair?.(ref, envelope)).rejects.toMatchObject({ code: 'malformed' });
  });
});

describe('a dialect', () => {
  const rsa: Script = {
    '4a': '01 00080000 00000000 00 00 9000',
    '88': `0008 01000100 ${'ff'.repeat(256)} 9000`,
    '58': `${'aa'.repeat(256)} 9000`,
  };
  const sentFor = async (dialect: Partial<SkfDialect>) => {
    const { key, channel } = scripted(rsa, dialect);
    await key.sign(ref, hex('abcdef'));
    return channel.sent.find((command) => command[1] === 0x58) ?? hex('');
  };

  it('says what RSASignData is given', async () => {
    const digest = createHash('sha256').update(hex('abcdef')).digest('hex');

    expect(toHex(await sentFor({}))).toMatch(new RegExp(`^80580200.*${digest}0000$`));
    expect(toHex(await sentFor({ rsaSignData: 'message' }))).toBe(
      '80580103000007 01000500 abcdef 0000'.replaceAll(' ', ''),
    );
  });

  it('says whether a certificate is taken only after the password', async () => {
    const { key, count } = scripted({ '4c': '9000', '18': ['9000', '63c5', '9000'] }, { passwordForImport: true });
    const write = () => key.importCertificate(ref, 'signing', hex('3000'));
    const refused = { code: 'notLoggedIn' };

    await expect(write()).rejects.toMatchObject(refused);
    await key.verifyPassword('CFCA', password);
    await write();
    await expect(key.verifyPassword('CFCA', password)).rejects.toMatchObject({ code: 'wrong' });
    await expect(write()).rejects.toMatchObject(refused);
    await key.verifyPassword('CFCA', password);
    await key.logOut();
    await expect(write()).rejects.toMatchObject(refused);

    expect(count('4c')).toBe(1);
  });

  it.each<[string, Partial<SkfDialect>, string, number | undefined]>([
    ['the low nibble', {}, '63c5', 5],
    ['the high nibble', { triesNibble: 'high' }, '635c', 5],
    ['neither, when it does not fit what was left before', {}, '63c2', undefined],
    ['neither, when it is the other one', {}, '635c', undefined],
  ])('says where 63Cx counts, should the counter fall silent: %s', async (_, dialect, sw, remaining) => {
    const { key } = scripted({ '18': sw, '14': ['060600 9000', '6d00'] }, dialect);

    await expect(key.verifyPassword('CFCA', password)).rejects.toMatchObject({ code: 'wrong', remaining });
  });

  it('says how long a signature may take, and how the password is digested', async () => {
    const { key, channel } = scripted({ ...rsa }, { signSeconds: 60, pinDigest: 'sm3' });

    await key.verifyPassword('CFCA', password);
    await key.sign(ref, hex('00'));

    const signing = channel.sent.findIndex((command) => command[1] === 0x58);
    expect(channel.options[signing]?.timeoutMs).toBe(60_000);
    const proof = await passwordProof(password, hex(gm.verifyPin.challenge), 'sm3');
    expect(toHex(channel.sent.find((command) => command[1] === 0x18) ?? hex(''))).toContain(toHex(proof));
  });
});

describe('one operation at a time', () => {
  it('in the order of the calls, whatever they are', async () => {
    const { key, instructions } = scripted();

    await Promise.all([key.readPasswordTries('CFCA'), key.readContainer(ref), key.listContainers()]);

    expect(instructions()).toEqual(['26', '14', '4a', '42', '88', '4e', '44', '22', '46']);
  });

  it('and one that failed does not hold up the next', async () => {
    const { key } = scripted({ '4a': lost });

    const [failed, listed] = await Promise.allSettled([key.readContainer(ref), key.listContainers()]);

    expect([failed.status, listed.status]).toEqual(['rejected', 'fulfilled']);
  });
});

describe('logging out', () => {
  it('clears and closes every application that was opened', async () => {
    const { key, instructions } = scripted();
    await key.verifyPassword('CFCA', password);

    await key.logOut();
    await key.logOut();

    expect(instructions().slice(4)).toEqual(['1c', '28']);
  });

  it('reports a key that refuses to, and takes "not logged in" for done', async () => {
    const refusing = scripted({ '1c': '6f00' });
    const loggedOut = scripted({ '1c': '6982' });
    await refusing.key.readPasswordTries('CFCA');
    await loggedOut.key.readPasswordTries('CFCA');

    await expect(refusing.key.logOut()).rejects.toMatchObject({ code: 'refused' });
    await expect(loggedOut.key.logOut()).resolves.toBeUndefined();
    expect(refusing.count('28')).toBe(1);
  });

  it('of what a crashed page left reaches every application, and survives a refusal', async () => {
    const { key, instructions } = scripted({ '22': '4100 4200 9000', '1c': '6f00' });

    await key.clearLeftoverLogin();

    expect(instructions()).toEqual(['22', '26', '26', '1c', '28', '1c', '28']);
  });
});

describe('closing', () => {
  it('logs out, releases the device, and ends later calls typed', async () => {
    const { key, channel, instructions } = scripted();
    await key.verifyPassword('CFCA', password);

    await Promise.all([key.close(), key.close()]);

    expect(instructions().slice(-2)).toEqual(['1c', '28']);
    expect(channel.closed).toBe(true);
    await expect(key.listContainers()).rejects.toMatchObject({ name: 'TransportError', code: 'disconnected' });
  });

  it.each([
    ['is gone', (channel: ScriptedChannel) => channel.unplug(), 0],
    ['refuses', () => undefined, 1],
  ])('never throws when the key %s', async (_, prepare, clears) => {
    const { key, channel, count } = scripted({ '1c': lost });
    await key.readPasswordTries('CFCA');
    prepare(channel);

    await expect(key.close()).resolves.toBeUndefined();

    expect([channel.closed, count('1c')]).toEqual([true, clears]);
  });

  it('ends the operation that is running after its exchange, and those that wait', async () => {
    let answer: (response: string) => void = () => undefined;
    const { key, channel, instructions } = scripted({ '22': new Promise<string>((resolve) => (answer = resolve)) });
    const running = key.listContainers();
    const waiting = key.readInfo();
    const ended = Promise.allSettled([running, waiting]);
    await vi.waitFor(() => expect(instructions()).toEqual(['22']));
    const closed = key.close();

    answer('4100 9000');

    expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await closed;
    expect([instructions(), channel.closed]).toEqual([['22'], true]);
  });
});
