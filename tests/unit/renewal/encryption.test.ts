import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CaError, type EnrolmentAnswer } from '../../../src/ca/authority.ts';
import { parseMessage } from '../../../src/ca/cmp-messages.ts';
import { toHex } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { sm2GenerateKeyPair, sm2PublicKey } from '../../../src/pki/sm2.ts';
import { encryptionTransactionId, maxEncryptionAttempts } from '../../../src/renewal/encryption-id.ts';
import { leavesEncryption, wantsEncryption } from '../../../src/renewal/encryption.ts';
import type { JournalRecord } from '../../../src/renewal/journal.ts';
import type { Outcome } from '../../../src/renewal/outcome.ts';
import type { Ports } from '../../../src/renewal/procedure.ts';
import { KeyError } from '../../../src/usbkey/usbkey.ts';
import { readSent } from '../../faults/sent.ts';
import { substitute } from '../../faults/substitute.ts';
import { MemoryJournal, Office, recordsOf, World, type WorldOptions } from '../../faults/world.ts';
import type { KeyState, Scenario } from '../../virtual-key/state.ts';

const minute = 60_000;

let skew = 0;
const now = (): Date => new Date(Date.now() + skew);
let office: Office;
beforeAll(async () => {
  office = await Office.open({ now, policy: { encryptionCertificate: 'ifOldHas' } });
}, 30_000);
afterAll(() => office.close());

const policy = { encryptionCertificate: 'ifOldHas' } as const;
function open(scenario: Scenario | KeyState = 'due-30-days', options: WorldOptions = {}): Promise<World> {
  skew = 0;
  return World.open(office, scenario, 'ccid-extended', { now, policy, ...options });
}
type Changed = (ports: Ports) => Ports;
const withAuthority =
  (methods: (ports: Ports) => Partial<Ports['authority']>): Changed =>
  (ports) => ({ ...ports, authority: substitute(ports.authority, methods(ports)) });
const withKey =
  (methods: (ports: Ports) => Partial<Ports['key']>): Changed =>
  (ports) => ({ ...ports, key: substitute(ports.key, methods(ports)) });
const press = (world: World, change?: Changed): Promise<Outcome> => world.press('renewal', undefined, change);

const containers = (state: KeyState): KeyState['applications'][number]['containers'] =>
  state.applications.flatMap(({ containers: all }) => all);
const newContainer = (world: World) => containers(world.key.state())[1];
const oldIsAsItWas = (world: World): void =>
  expect(containers(world.key.state())[0]).toEqual(containers(world.initial)[0]);
const recordOf = (world: World): JournalRecord | undefined => [...recordsOf(world).values()][0];
const status = (id: string): string | undefined => office.ca.ledger.transaction(id)?.status;
/** What the authority says of the two transactions of a renewal. */
async function statuses(transactionId = '', attempt = 0): Promise<readonly (string | undefined)[]> {
  return [status(transactionId), status(await encryptionTransactionId(transactionId, attempt))];
}
/** Both certificates on the key, each for its own pair, and the private key for decryption the right one. */
function expectBoth(world: World, outcome: Outcome): void {
  expect(outcome).toMatchObject({ kind: 'success' });
  if (outcome.kind !== 'success') return;
  const { encryptionCertificate = new Uint8Array() } = outcome;
  const { signing, encryption } = newContainer(world) ?? {};
  expect(signing?.certificate).toBe(toHex(outcome.newCertificate));
  expect(encryption?.certificate).toBe(toHex(encryptionCertificate));
  const point = toHex(sm2PublicKey(Uint8Array.from(Buffer.from(encryption?.privateKey ?? '', 'hex'))).subarray(1));
  expect(point).toBe(encryption?.publicKey);
  expect(toHex(parseCertificate(encryptionCertificate).spki)).toContain(point);
  oldIsAsItWas(world);
}
const isCr = (request: Uint8Array): boolean => readSent(request).kind === 'encryption';
/** The authority's answer to the request for the encryption certificate, changed. */
const delivering = (change: (answer: Extract<EnrolmentAnswer, { kind: 'issued' }>) => EnrolmentAnswer): Changed =>
  withAuthority((ports) => ({
    submit: async (request, signal) => {
      const answer = await ports.authority.submit(request, signal);
      return isCr(request) && answer.kind === 'issued' ? change(answer) : answer;
    },
  }));

describe('transactionIDs', () => {
  test('are those of SHA-256, one for each attempt', async () => {
    const id = '00112233445566778899aabbccddeeff';
    const { createHash } = await import('node:crypto');
    const hashed = (attempt: number): string =>
      createHash('sha256')
        .update(Buffer.concat([Buffer.from('encryption'), Buffer.from(id, 'hex'), Buffer.from([attempt])]))
        .digest('hex')
        .slice(0, 32);

    expect(await encryptionTransactionId(id, 0)).toBe(hashed(0));
    expect(await encryptionTransactionId(id, 15)).toBe(hashed(15));
    await expect(encryptionTransactionId(id, maxEncryptionAttempts)).rejects.toThrow(RangeError);
  });
});

test.each([
  ['none', true, 'sm2', true, false],
  ['ifOldHas', true, 'sm2', true, true],
  ['ifOldHas', true, 'sm2', false, false],
  ['ifOldHas', false, 'sm2', true, false],
  ['ifOldHas', true, 'rsa2048', true, false],
  ['always', true, 'sm2', false, true],
  ['always', false, 'sm2', true, 'impossible'],
  ['always', false, 'p256', true, false],
] as const)('policy %s, key can import %s, %s, old one had a pair %s: %s', (say, canImport, algorithm, had, wants) => {
  const encryption = had ? { publicKey: new Uint8Array(), certificate: undefined } : undefined;
  expect(wantsEncryption({ encryptionCertificate: say }, canImport, algorithm, { encryption })).toBe(wants);
});

test.each([
  ['ifOldHas', false, 'sm2', true, true],
  ['ifOldHas', true, 'sm2', true, false],
  ['ifOldHas', false, 'sm2', false, false],
  ['ifOldHas', false, 'rsa2048', true, false],
  ['ifOldHas', false, undefined, true, false],
  ['none', false, 'sm2', true, false],
  ['always', false, 'sm2', true, false],
] as const)(
  'policy %s, key can import %s, %s, old one had a pair %s: left alone %s',
  (say, canImport, algorithm, had, left) => {
    const encryption = had ? { publicKey: new Uint8Array(), certificate: undefined } : undefined;
    const asked = [{ encryptionCertificate: say }, canImport, algorithm, { encryption }] as const;
    expect(leavesEncryption(...asked)).toBe(left);
    // What is told beforehand is what is done: one certificate, without an end in between.
    if (left) expect(wantsEncryption(...asked)).toBe(false);
  },
);

test('where the key takes no encryption key pair, the signing certificate is renewed alone, the old pair untouched', async () => {
  const world = await open();

  const outcome = await press(
    world,
    withKey(() => ({ importEncryptionKeyPair: undefined })),
  );

  expect(outcome).toMatchObject({ kind: 'success' });
  expect(outcome).not.toHaveProperty('encryptionCertificate');
  expect(containers(world.initial)[0]?.encryption).toBeDefined();
  oldIsAsItWas(world);
  expect(newContainer(world)?.encryption).toBeUndefined();
});

describe('a renewal with two certificates', () => {
  test('puts both on the key and confirms the signing certificate last', async () => {
    const world = await open();
    const messages: string[] = [];
    const posting: typeof fetch = (url, init) => {
      messages.push(init?.body instanceof Uint8Array ? parseMessage(init.body).body.type : 'GET');
      return fetch(url, init);
    };
    const clean = await open(world.key.state(), { fetch: posting });

    const outcome = await press(clean);

    expectBoth(clean, outcome);
    expect(messages).toEqual(['p10cr', 'cr', 'certConf', 'certConf']);
    expect(await statuses(outcome.transactionId)).toEqual(['confirmed', 'confirmed']);
    expect(clean.passwordsTyped).toBe(1);
    expect(clean.progress.map(({ step }) => step)).toContain('encryption');
    expect(await press(clean)).toEqual(outcome);
  });

  test('is done in an upgrade from RSA as well', async () => {
    const world = await open('old-issuer');
    expectBoth(world, await world.press('upgrade'));
  });

  test('is one with a single certificate where the policy wants no other', async () => {
    const world = await open('due-30-days', { policy: { encryptionCertificate: 'none' } });
    const outcome = await press(world);
    expect(outcome).toMatchObject({ kind: 'success' });
    expect(outcome).not.toHaveProperty('encryptionCertificate');
    expect(newContainer(world)?.encryption).toBeUndefined();
  });

  test('waits for both where the authority wants time', async () => {
    const world = await open('ca-waits');
    expectBoth(world, await press(world));
    const waiting = world.progress.filter(({ waitingUntil }) => waitingUntil !== undefined).map(({ step }) => step);
    expect(new Set(waiting)).toEqual(new Set(['request', 'encryption']));
  });

  test('begins nothing on a key that cannot have what everybody must have', async () => {
    const world = await open('due-30-days', { policy: { encryptionCertificate: 'always' } });
    const outcome = await press(
      world,
      withKey(() => ({ importEncryptionKeyPair: undefined })),
    );
    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'encryptionUnsupported', resumable: false });
    expect(containers(world.key.state())).toEqual(containers(world.initial));
  });
});

describe('what the authority delivers is refused', () => {
  const refused = async (world: World, change: Changed): Promise<Outcome> => {
    const outcome = await press(world, change);
    expect(newContainer(world)?.encryption?.certificate).toBeUndefined();
    oldIsAsItWas(world);
    expect(await statuses(outcome.transactionId)).toEqual(['issued', 'withdrawn']);
    expect(recordOf(world)).toMatchObject({ stage: 'encryption', encryption: { stage: 'ended', attempt: 0 } });
    const again = await press(world);
    expectBoth(world, again);
    expect(await statuses(again.transactionId, 1)).toEqual(['confirmed', 'confirmed']);
    expect(again.transactionId).toBe(outcome.transactionId);
    return outcome;
  };

  test('when its certificate is not for the key pair in the envelope', async () => {
    const { publicKey } = sm2GenerateKeyPair();
    const change = delivering((answer) => ({
      ...answer,
      ...(answer.encryption && {
        encryption: { ...answer.encryption, envelope: { ...answer.encryption.envelope, publicKey } },
      }),
    }));
    const outcome = await refused(await open(), change);
    expect(outcome).toMatchObject({
      ...{ kind: 'stopped', reason: 'notAcceptable', resumable: true, step: 'encryption' },
      acceptance: ['otherPublicKey'],
    });
  });

  test('when it sends no key pair', async () => {
    const outcome = await refused(
      await open(),
      delivering(({ kind, certificate, chain, reply }) => ({ kind, certificate, chain, reply })),
    );
    expect(outcome).toMatchObject({ reason: 'notAcceptable', acceptance: ['noKeyPair'] });
  });

  test('when the key does not open the envelope', async () => {
    const outcome = await refused(
      await open(),
      delivering((answer) => {
        if (!answer.encryption) return answer;
        const { certificate, envelope } = answer.encryption;
        const wrappedKey = { ...envelope.wrappedKey, hash: new Uint8Array(32) };
        return { ...answer, encryption: { certificate, envelope: { ...envelope, wrappedKey } } };
      }),
    );
    expect(outcome).toMatchObject({ reason: 'notAcceptable', acceptance: ['notOpened'] });
  });

  test('when the key then shows another public key', async () => {
    const change = withKey(({ key }) => ({
      importEncryptionKeyPair: async (ref, envelope) => {
        const spki = (await key.importEncryptionKeyPair?.(ref, envelope)) ?? new Uint8Array();
        return spki.fill(7, -1);
      },
    }));
    const outcome = await refused(await open(), change);
    expect(outcome).toMatchObject({ reason: 'notAcceptable', acceptance: ['otherKeyPair'] });
  });
});

test('a key that writes into the old container gets no confirmation', async () => {
  const world = await open();
  const outcome = await press(
    world,
    withKey(({ key }) => ({
      importCertificate: async (ref, usage, certificate) => {
        await key.importCertificate(ref, usage, certificate);
        const { name = '' } = containers(world.initial)[0] ?? {};
        if (usage === 'encryption') await key.importCertificate({ ...ref, container: name }, usage, certificate);
      },
    })),
  );
  expect(outcome).toMatchObject({ kind: 'stopped', reason: 'checkFailed', resumable: true });
  expect(status(outcome.transactionId ?? '')).toBe('issued');
});

describe('interrupted', () => {
  const unreachable = (): Promise<never> => Promise.reject(new CaError('unreachable', 'nobody there'));
  /** Everything a run does in its second half, each of which can be its last. */
  const cuts: readonly (readonly [string, Changed])[] = [
    [
      'before the request is sent',
      withAuthority(({ authority }) => ({
        submit: (request, signal) => (isCr(request) ? unreachable() : authority.submit(request, signal)),
        lookUp: unreachable,
      })),
    ],
    [
      'before the answer is read',
      withAuthority(({ authority }) => ({
        submit: async (request, signal) => {
          const answer = await authority.submit(request, signal);
          return isCr(request) ? unreachable() : answer;
        },
        lookUp: unreachable,
      })),
    ],
    [
      'before the import',
      withKey(() => ({ importEncryptionKeyPair: () => Promise.reject(new KeyError('writeFailed', 'cut')) })),
    ],
    [
      'after the import',
      withKey(({ key }) => ({
        importEncryptionKeyPair: async (ref, envelope) => {
          await key.importEncryptionKeyPair?.(ref, envelope);
          throw new KeyError('writeFailed', 'cut');
        },
      })),
    ],
    [
      'before its certificate is written',
      withKey(({ key }) => ({
        importCertificate: (ref, usage, certificate) =>
          usage === 'encryption'
            ? Promise.reject(new KeyError('writeFailed', 'cut'))
            : key.importCertificate(ref, usage, certificate),
      })),
    ],
    ['before its confirmation arrives', withAuthority(() => ({ confirm: unreachable }))],
    [
      'after its confirmation has arrived',
      withAuthority(({ authority }) => ({
        confirm: async (confirmation, signal) => {
          await authority.confirm(confirmation, signal);
          return unreachable();
        },
      })),
    ],
    [
      'before the last confirmation arrives',
      (ports) => {
        let confirmations = 0;
        return withAuthority(({ authority }) => ({
          confirm: (bytes, signal) => (++confirmations > 1 ? unreachable() : authority.confirm(bytes, signal)),
        }))(ports);
      },
    ],
  ];

  test.each(cuts)('%s, the same two transactions go on', async (_when, change) => {
    const world = await open();
    const first = await press(world, change);
    expect(first).toMatchObject({ kind: 'stopped', resumable: true });
    expect(status(first.transactionId ?? '')).toBe('issued');

    const outcome = await press(world);

    expectBoth(world, outcome);
    expect(outcome.transactionId).toBe(first.transactionId);
    expect(await statuses(outcome.transactionId)).toEqual(['confirmed', 'confirmed']);
  });

  test.each(cuts)('%s, another computer goes on', async (_when, change) => {
    const world = await open();
    const first = await press(world, change);
    const elsewhere = await open(world.key.state(), { journal: new MemoryJournal() });

    const outcome = await press(elsewhere);

    expectBoth(elsewhere, outcome);
    expect(outcome.transactionId).toBe(first.transactionId);
    expect(await statuses(outcome.transactionId)).toEqual(['confirmed', 'confirmed']);
  });

  const others = (['rest', 'restCfca'] as const).flatMap((authority) =>
    cuts.map(([when, change]) => [authority, when, change] as const),
  );
  test.each(others)(
    'at an authority of another kind (%s), %s, the transaction goes on',
    async (authority, _when, change) => {
      const world = await open('due-30-days', { authority });
      const first = await press(world, change);
      expect(first.kind === 'success' || first.resumable).toBe(true);

      const outcome = await press(world);

      expectBoth(world, outcome);
      expect(outcome.transactionId).toBe(first.transactionId);
      expect(status(outcome.transactionId ?? '')).toBe('confirmed');
    },
  );

  test('a delivery that only the former page could open is asked for once more', async () => {
    const world = await open('due-30-days', { authority: 'restCfca' });
    const [, change] = cuts.find(([when]) => when === 'before the answer is read') ?? [];
    const first = await press(world, change);
    expect(recordOf(world)?.encryption).toMatchObject({ stage: 'request', attempt: 0 });

    const outcome = await press(world);

    expectBoth(world, outcome);
    expect(recordOf(world)?.encryption).toMatchObject({ stage: 'done', attempt: 1 });
    expect(await statuses(first.transactionId, 1)).toEqual(['confirmed', 'confirmed']);
  });

  test('a key that has lost the pair before the last word is given it once more', async () => {
    const world = await open();
    const [, cut] = cuts.at(-1) ?? [];
    await press(world, cut);
    expect(recordOf(world)).toMatchObject({ stage: 'confirm' });
    const state = world.key.state();
    delete containers(state)[1]?.encryption;
    await world.key.unplug();
    await world.key.reset(state);
    await world.key.plug();

    expectBoth(world, await press(world));
  });
});

describe('an authority', () => {
  test('that refuses the encryption certificate leaves the signing certificate unconfirmed, and is asked anew', async () => {
    const world = await open();
    const no = new CaError('rejected', 'no', { failInfo: ['notAuthorized'] });
    const outcome = await press(
      world,
      withAuthority(({ authority }) => ({
        submit: (request, signal) => (isCr(request) ? Promise.reject(no) : authority.submit(request, signal)),
      })),
    );
    expect(outcome).toMatchObject({ reason: 'caRejected', failInfo: ['notAuthorized'], resumable: true });
    expect(status(outcome.transactionId ?? '')).toBe('issued');
    expectBoth(world, await press(world));
  });

  test('that takes back whatever it delivers is asked sixteen times, and no more', async () => {
    const world = await open();
    let asked = 0;
    const withdrawing = withAuthority(({ authority }) => ({
      submit: (request, signal) => {
        if (!isCr(request)) return authority.submit(request, signal);
        asked += 1;
        return unreachable();
      },
      lookUp: async (id, signal) => {
        const state = await authority.lookUp(id, signal);
        return state.kind === 'unknown' && asked > 0 ? { kind: 'withdrawn' } : state;
      },
    }));
    const unreachable = (): Promise<never> => Promise.reject(new CaError('unreachable', 'nobody there'));
    const outcome = await press(world, withdrawing);
    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'encryptionGivenUp', resumable: true });
    expect(recordOf(world)?.encryption).toMatchObject({ stage: 'ended', attempt: maxEncryptionAttempts - 1 });
    expect(await press(world)).toMatchObject({ reason: 'encryptionGivenUp' });
  });

  test('that says “waiting” for ever is left after a while, with the time to come back', async () => {
    const world = await open();
    const waiting = { kind: 'waiting', checkAfterSeconds: 100, reply: Uint8Array.of(1) } as const;
    let polls = 0;
    const before = Date.now();
    const outcome = await press(
      world,
      withAuthority(() => ({
        submit: () => Promise.resolve(waiting),
        poll: () => {
          polls += 1;
          return Promise.resolve(waiting);
        },
      })),
    );
    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'caWaits', resumable: true, step: 'request' });
    if (outcome.kind !== 'stopped') return;
    expect(polls).toBe(6);
    expect(outcome.comeBackAt).toBeGreaterThanOrEqual(before + 100_000);
  });

  test('that withdraws an unconfirmed certificate in time is asked before anything is written', async () => {
    const world = await open();
    const cut = withKey(() => ({ importCertificate: () => Promise.reject(new KeyError('writeFailed', 'cut')) }));
    const first = await press(world, cut);
    expect(first).toMatchObject({ kind: 'stopped', resumable: true });
    if (first.kind !== 'stopped') return;
    expect(first.confirmBy).toBeGreaterThan(Date.now() + 50 * minute);
    skew = 61 * minute;

    const second = await press(world);

    expect(second).toMatchObject({ kind: 'stopped', reason: 'withdrawn' });
    expect(newContainer(world)?.signing?.certificate).toBeUndefined();
    expectBothAfter(world, await press(world));
  });
});

function expectBothAfter(world: World, outcome: Outcome): void {
  expect(outcome).toMatchObject({ kind: 'success' });
  expect(containers(world.key.state()).at(-1)?.encryption?.certificate).toBeDefined();
  oldIsAsItWas(world);
}
