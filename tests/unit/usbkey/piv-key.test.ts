import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import { ApduSession } from '../../../src/apdu/session.ts';
import { encodeTlv } from '../../../src/apdu/tlv.ts';
import type { PivDialect } from '../../../src/device/models.ts';
import { PivKey } from '../../../src/usbkey/piv-key.ts';
import { KeyError, PasswordError } from '../../../src/usbkey/usbkey.ts';
import { hex, toHex } from '../apdu/hex.ts';
import { ScriptedChannel } from '../apdu/scripted-channel.ts';
import { fresh, message, ref } from './piv-open.ts';
import { certificateObject, samplePair } from './piv-samples.ts';

afterEach(() => vi.useRealTimers());

type Answer = string | Error;
/** What the key answers to commands that begin like this: the longest beginning counts, its answers one after the other. */
type Script = Readonly<Record<string, Answer | readonly Answer[]>>;

const dialect: PivDialect = { spareSlot: 'provenEmpty', retiredSlots: [0x82, 0x83] };
const selected = '6111 4f06 000010000100 7907 4f05 a000000308 9000';
const honest: Script = {
  '': '6d00',
  '00a404': '6a82',
  '00a4040005a000000308': selected,
  '0020ff80': '9000',
  '00200080': '63c3',
  '0020008008': '9000',
  '00cb': '6a82',
};

const isList = (answers: Answer | readonly Answer[]): answers is readonly Answer[] => Array.isArray(answers);

function scripted(script: Script = {}, options: Partial<PivDialect> = {}) {
  const all: Script = { ...honest, ...script };
  const turns = new Map<string, number>();
  const channel = new ScriptedChannel((command) => {
    const sent = toHex(command);
    const beginning = Object.keys(all)
      .filter((each) => sent.startsWith(each))
      .reduce((longest, each) => (each.length > longest.length ? each : longest), '');
    const turn = turns.get(beginning) ?? 0;
    turns.set(beginning, turn + 1);
    const answers = all[beginning] ?? '6d00';
    const answer = isList(answers) ? (answers[Math.min(turn, answers.length - 1)] ?? '6f00') : answers;
    return answer instanceof Error ? answer : hex(answer);
  });
  const key = new PivKey(new ApduSession(channel, { extendedLength: 'whenNeeded' }), {
    dialect: { ...dialect, ...options },
  });
  const count = (beginning: string) => channel.sent.filter((command) => toHex(command).startsWith(beginning)).length;
  return { key, channel, count };
}

const lost = new TransportError('timeout', 'no answer');
const password = new TextEncoder().encode('123456');
const verify = '0020008008';

describe('the password', () => {
  it('is sent once, padded, after the counter was read, and cleared', async () => {
    const { key, channel } = scripted();
    const typed = password.slice();

    await key.verifyPassword('PIV', typed);

    expect(channel.sent.map(toHex)).toEqual(['00200080', `${verify}313233343536ffff`]);
    expect(typed).toEqual(password);
  });

  it.each<[string, Script, object]>([
    ['wrong', { [verify]: '63c2', '00200080': ['63c3', '63c2'] }, { code: 'wrong', remaining: 2 }],
    [
      'wrong, by a key that does not tell its counter',
      { [verify]: '63c2', '00200080': '6a86' },
      { code: 'wrong', remaining: 2 },
    ],
    ['wrong for the last time', { [verify]: '63c0', '00200080': ['63c1', '63c0'] }, { code: 'locked', remaining: 0 }],
    [
      'wrong for the last time, in another word',
      { [verify]: '6983', '00200080': ['63c1', '6983'] },
      { code: 'locked', remaining: 0 },
    ],
    ['locked before', { [verify]: '9000', '00200080': '6983' }, { code: 'locked', remaining: 0 }],
    ['locked before, in another word', { [verify]: '9000', '00200080': '63c0' }, { code: 'locked', remaining: 0 }],
    [
      'lost on the way, and wrong by the counter',
      { [verify]: lost, '00200080': ['63c3', '63c2'] },
      { code: 'wrong', remaining: 2 },
    ],
    ['lost on the way there', { [verify]: lost, '00200080': ['63c3', '63c3'] }, { code: 'unknown', remaining: 3 }],
    ['lost for the last time', { [verify]: lost, '00200080': ['63c1', '6983'] }, { code: 'locked', remaining: 0 }],
    [
      'lost, and the counter too',
      { [verify]: lost, '00200080': ['63c3', lost] },
      { code: 'unknown', remaining: undefined },
    ],
    [
      'lost, on a key that was logged in before and does not forget it',
      { [verify]: lost, '00200080': '9000' },
      { code: 'unknown' },
    ],
    ['refused', { [verify]: '6f00' }, { name: 'KeyError', code: 'refused', statusWord: 0x6f00 }],
    [
      'refused by a key that says it is verified',
      { [verify]: '6f00', '00200080': ['63c3', '9000'] },
      { name: 'KeyError' },
    ],
  ])('can be %s', async (_, script, error) => {
    const { key, count } = scripted(script);

    await expect(key.verifyPassword('PIV', password)).rejects.toMatchObject(error);

    expect(count(verify)).toBeLessThanOrEqual(1);
  });

  it.each<[string, Script]>([
    ['by the key’s word', { [verify]: lost, '00200080': ['63c3', '9000'] }],
    ['by the counter', { [verify]: lost, '00200080': ['63c2', '63c3'] }],
  ])('is verified although the answer was lost: %s', async (_, script) => {
    const { key, count } = scripted(script);

    await key.verifyPassword('PIV', password);

    expect(count(verify)).toBe(1);
  });

  it('costs no try when its counter is read behind a login', async () => {
    const { key, channel } = scripted({ '00200080': ['9000', '63c1', '63c0'], [verify]: '63c0' });

    await expect(key.verifyPassword('PIV', password)).rejects.toMatchObject({ code: 'locked' });

    expect(channel.sent.slice(0, 3).map(toHex)).toEqual(['00200080', '0020ff80', '00200080']);
  });

  it('has a counter that is told, with its maximum, by metadata', async () => {
    const metadata = '0101ff 050101 06020502 9000';

    expect(await scripted({ '00f70080': metadata }).key.readPasswordTries('PIV')).toEqual({ remaining: 3, maximum: 5 });
    const verified = scripted({ '00f70080': metadata, '00200080': '9000' });
    expect(await verified.key.readPasswordTries('PIV')).toEqual({ remaining: 2, maximum: 5 });
    const silent = scripted({ '00200080': '9000' });
    expect(await silent.key.readPasswordTries('PIV')).toEqual({ remaining: undefined, maximum: undefined });
    await expect(silent.key.readPasswordTries('CFCA')).rejects.toMatchObject({ code: 'notFound' });
  });

  it('is never in an error', async () => {
    const canary = new TextEncoder().encode('geheim42');
    for (const answer of ['63c2', '6983', '6f00', lost] as const) {
      const { key } = scripted({ [verify]: answer });

      const error: unknown = await key.verifyPassword('PIV', canary).catch((reason: unknown) => reason);

      const told = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String(error);
      expect(told).not.toContain('geheim42');
      expect(told).not.toContain(toHex(canary));
    }
  });
});

describe('starting', () => {
  it('selects PIV and ends what is left of a login', async () => {
    const { key, channel } = scripted();

    await key.start();

    expect(channel.sent.map(toHex)).toEqual([
      '00a4040005a00000030800',
      '0020ff80',
      '00a4040006d2760001240100',
      '00a4040008a0000006472f000100',
      '00a4040008a00000015100000000',
      '00a4040005a00000030800',
      '00200080',
      '00f60000',
    ]);
  });

  it.each([
    ['that does not know PIV', '6a82', 'unsupported'],
    ['that takes anything for PIV', '9000', 'malformed'],
    ['that selects something else', '6108 4f06 d27600012401 9000', 'malformed'],
  ])('ends at a key %s', async (_, answer, code) => {
    const { key, channel } = scripted({ '00a4040005a000000308': answer });

    await expect(key.start()).rejects.toMatchObject({ name: 'KeyError', code });

    expect(channel.sent).toHaveLength(1);
  });

  it('bears a key that forgets no password', async () => {
    const { key } = scripted({ '00200080': '9000' });

    await key.start();

    await expect(key.logOut()).rejects.toMatchObject({ code: 'refused' });
  });

  it('reads which identifier SM2 has, where the model has it', async () => {
    const told = scripted({ '00ee0100': '01e00516e1531556 9000' }, { sm2Algorithm: 0x54 });
    const silent = scripted({}, { sm2Algorithm: 0x54 });
    const off = scripted({ '00ee0100': '00e00516e1531554 9000' }, { sm2Algorithm: 0x54 });
    const other = scripted();
    const algorithms = async ({ key }: typeof told) => {
      await key.start();
      return (await key.readInfo()).algorithms;
    };

    expect(await algorithms(told)).toContain('sm2');
    expect(await algorithms(silent)).toContain('sm2');
    expect(await algorithms(off)).not.toContain('sm2');
    expect(await algorithms(other)).not.toContain('sm2');
    expect(other.count('00ee')).toBe(0);
  });
});

describe('telling one key from another', () => {
  const guid = '5a'.repeat(16);
  const chuid = `5316 3410 ${guid} 3e00 fe00 9000`;

  it.each<[string, Script, string]>([
    ['its own number', { '00f80000': '00bc614e 9000', '00cb3fff055c035fc102': chuid }, '12345678'],
    ['the card’s GUID', { '00cb3fff055c035fc102': chuid }, guid.toUpperCase()],
    [
      'the GUID, where the number is none',
      { '00f80000': '00000000 9000', '00cb3fff055c035fc102': chuid },
      guid.toUpperCase(),
    ],
    ['nothing', {}, ''],
    ['nothing that is understood', { '00cb3fff055c035fc102': '5302 3410 9000' }, ''],
  ])('is by %s', async (_, script, serialNumber) => {
    expect((await scripted(script).key.readInfo()).serialNumber).toBe(serialNumber);
  });

  it('is by what the device says of itself, where the key says nothing', async () => {
    const { channel } = scripted();
    const session = new ApduSession(channel, { extendedLength: 'whenNeeded' });

    const key = new PivKey(session, { dialect, deviceSerialNumber: 'D1' });

    expect((await key.readInfo()).serialNumber).toBe('D1');
  });
});

describe('writing', () => {
  const managed: Script = { '00f70082': '6a88', '00f70083': '6a88', '00f7009b': '010103 050100 9000' };

  it('is stopped where the key says that the delivered management key is gone, without trying it', async () => {
    const { key, count } = scripted({ ...managed, '00f7': '6a88' });

    await expect(key.createContainer(fresh)).rejects.toMatchObject({ code: 'managementKeyNeeded' });

    expect(count('0087')).toBe(0);
  });

  it('tries the delivered management key once, and not again', async () => {
    const script = {
      '00f7': '6a88',
      '00f7009b': '6d00',
      '0087039b047c0280': `7c0a8008${'11'.repeat(8)} 9000`,
      '0087039b16': '6982',
    };
    const { key, count } = scripted({ ...script }, { spareSlot: 'noCertificate' });
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(key.createContainer(fresh)).rejects.toMatchObject({ code: 'managementKeyNeeded' });
    }

    expect(count('0087039b16')).toBe(1);
  });

  it('ends at a key that says yes to a management key it does not know', async () => {
    const { key } = scripted(
      { '0087039b047c0280': `7c0a8008${'11'.repeat(8)} 9000`, '0087039b16': `7c0a8208${'22'.repeat(8)} 9000` },
      { spareSlot: 'noCertificate' },
    );

    await expect(key.createContainer(fresh)).rejects.toMatchObject({ code: 'malformed' });
  });

  it('proves itself alone to a key that cannot prove anything', async () => {
    // Triple DES under 0102…08 three times is DES; the block is OpenSSL's.
    const { key, count } = scripted(
      {
        '0087039b047c0280': '6a80',
        '0087039b047c0281': `7c0a8108${'00'.repeat(8)} 9000`,
        '0087039b0c': '9000',
        '00db': '9000',
      },
      { spareSlot: 'noCertificate' },
    );

    await key.createContainer(fresh);

    expect(count('0087039b0c7c0a8208b073dc3fb209536d')).toBe(1);
    expect(key.managementKey).toBe('default');
  });

  it('renews a login as manager that somebody ended, once', async () => {
    const script = {
      '0087039b047c0280': '6a80',
      '0087039b047c0281': `7c0a8108${'00'.repeat(8)} 9000`,
      '0087039b0c': '9000',
    };
    const again = scripted({ ...script, '00db': ['6982', '9000'] }, { spareSlot: 'noCertificate' });
    const never = scripted({ ...script, '00db': '6982' }, { spareSlot: 'noCertificate' });

    await again.key.createContainer(fresh);
    await expect(never.key.createContainer(fresh)).rejects.toMatchObject({ code: 'refused' });

    expect([again.count('00db'), never.count('00db')]).toEqual([2, 2]);
  });
});

describe('a signature that wants the password every time', () => {
  it('is the very next command after it', async () => {
    const pair = samplePair('p256');
    const point = toHex(pair.spki.slice(-65));
    const answer = toHex(certificateObject(pair.certificate));
    const { key, channel } = scripted({
      '00cb3fff055c035fc10a': `${answer} 9000`,
      '00f7009c': `010111 02020301 030101 0443 8641 ${point} 9000`,
      '0087119c': `7c0a 8208 3006 020101 020101 9000`,
    });
    await key.readContainer(ref('9C'));
    await key.logOut().catch(() => undefined);
    channel.sent.length = 0;

    await key.verifyPassword('PIV', password);
    await key.sign(ref('9C'), message);

    expect(channel.sent.map((command) => toHex(command.subarray(0, 4)))).toEqual(['00200080', '00200080', '0087119c']);
  });
});

describe('closing', () => {
  it('ends the login and releases the device, once', async () => {
    const { key, channel, count } = scripted();

    await Promise.all([key.close(), key.close()]);

    expect(count('0020ff80')).toBe(1);
    expect(channel.closed).toBe(true);
    await expect(key.listContainers()).rejects.toMatchObject({ code: 'disconnected' });
  });

  it('says nothing to a key that is gone', async () => {
    const { key, channel } = scripted();
    channel.unplug();

    await key.close();

    expect(channel.sent).toEqual([]);
    expect(channel.closed).toBe(true);
  });
});

describe('a key that answers anything at all', () => {
  const word = fc.constantFrom(
    '9000',
    '9000',
    '9000',
    '6a82',
    '6a88',
    '6982',
    '63c1',
    '6983',
    '6d00',
    '6a80',
    '6100',
    '6c10',
    '6f00',
  );
  const tag = fc.constantFrom(
    0x01,
    0x02,
    0x04,
    0x05,
    0x06,
    0x4f,
    0x53,
    0x61,
    0x70,
    0x72,
    0x7c,
    0x7f49,
    0x80,
    0x81,
    0x82,
    0x86,
  );
  const { tree } = fc.letrec<{ tree: Uint8Array }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.uint8Array({ maxLength: 40 }),
      fc.constant(new TextEncoder().encode(fresh.container)),
      fc.array(fc.tuple(tag, tie('tree')), { maxLength: 3 }).map((list) => {
        const parts = list.map(([each, value]) => encodeTlv(each, value));
        return Uint8Array.from(parts.flatMap((part) => [...part]));
      }),
    ),
  }));
  // What 61xx with data leads to is the session's to bound.
  const answer = fc.tuple(tree, word).map(([data, status]) => (status === '6100' ? '' : toHex(data)) + status);
  const operations: readonly ((key: PivKey) => Promise<unknown>)[] = [
    (key) => key.start(),
    (key) => key.readInfo(),
    (key) => key.listContainers(),
    (key) => key.readContainer(ref('9A')),
    (key) => key.readContainer(fresh),
    (key) => key.readPasswordTries('PIV'),
    (key) => key.verifyPassword('PIV', password),
    (key) => key.useManagementKey(new Uint8Array(24)),
    (key) => key.createContainer(fresh),
    (key) => key.generateSigningKeyPair(fresh, 'p256'),
    (key) => key.generateSigningKeyPair(fresh, 'rsa2048'),
    (key) => key.sign(ref('9A'), message),
    (key) => key.importCertificate(fresh, 'signing', hex('3000')),
    (key) => key.deleteContainer(fresh),
    (key) => key.promote?.(fresh, ref('9A')) ?? Promise.resolve(),
    (key) => key.logOut(),
    (key) => key.close(),
  ];

  it('gives a value or a typed error, within a bounded number of exchanges', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(answer, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(...operations),
        fc.boolean(),
        async (answers, operate, sane) => {
          let turn = 0;
          const channel = new ScriptedChannel((command) => {
            // Now and then the key is honest as far as selecting goes, so that it is lied to further in.
            if (sane && command[1] === 0xa4) return hex(selected);
            return hex(answers[turn++ % answers.length] ?? '9000');
          });
          const key = new PivKey(new ApduSession(channel, { extendedLength: 'whenNeeded' }), {
            dialect: { ...dialect, sm2Algorithm: 0x54 },
          });
          if (sane) await key.start().catch(() => undefined);

          const outcome = await operate(key).catch((error: unknown) => error);

          if (outcome instanceof Error) {
            const typed = [KeyError, PasswordError, TransportError].some((type) => outcome instanceof type);
            expect(typed ? 'typed' : outcome).toBe('typed');
          }
          expect(channel.sent.length).toBeLessThan(400);
        },
      ),
      { numRuns: 1500 },
    );
  });
});
