import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CaError } from '../../../src/ca/authority.ts';
import { parseMessage } from '../../../src/ca/cmp-messages.ts';
import type { Ports } from '../../../src/renewal/procedure.ts';
import { traceExchanges } from '../../../src/usbkey/connect.ts';
import { KeyError } from '../../../src/usbkey/usbkey.ts';
import { substitute } from '../../faults/substitute.ts';
import { Office, recordsOf, World, type WorldOptions } from '../../faults/world.ts';
import type { KeyState } from '../../virtual-key/state.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** The time of day of everybody in these tests. */
let skew = 0;
const now = (): Date => new Date(Date.now() + skew);
let office: Office;
beforeAll(async () => {
  office = await Office.open({ now, policy: { confirmWaitSeconds: 20 * 86_400 } });
}, 30_000);
afterAll(() => office.close());
beforeEach(() => {
  skew = 0;
});

const open = (scenario: Parameters<typeof World.open>[1], options: WorldOptions = {}): Promise<World> =>
  World.open(office, scenario, 'ccid-extended', { now, ...options });
const containers = (state: KeyState): KeyState['applications'][number]['containers'] =>
  state.applications.flatMap(({ containers: all }) => all);
const unplugging =
  (world: World, method: 'importCertificate' | 'createContainer' | 'generateSigningKeyPair') =>
  (ports: Ports): Ports => ({
    ...ports,
    key: substitute(ports.key, {
      [method]: async () => {
        await world.key.unplug();
        return ports.key.readInfo().then(() => undefined);
      },
    }),
  });
const withAuthority =
  (methods: (ports: Ports) => Partial<Ports['authority']>) =>
  (ports: Ports): Ports => ({ ...ports, authority: substitute(ports.authority, methods(ports)) });
const unreachable = (): Promise<never> => Promise.reject(new CaError('unreachable', 'nobody there'));

/** How many certificates the authority has out for the transactions in a journal. */
const issued = (world: World): number =>
  [...recordsOf(world).keys()].filter((id) =>
    ['issued', 'confirmed'].includes(office.ca.ledger.transaction(id)?.status ?? ''),
  ).length;

test('a clean renewal takes exactly the commands and messages it needs', async () => {
  const world = await open('due-30-days');
  const commands: number[] = [];
  const messages: string[] = [];
  const end = traceExchanges(({ ins }) => commands.push(ins));
  const posting: typeof fetch = (url, init) => {
    messages.push(init?.body instanceof Uint8Array ? parseMessage(init.body).body.type : 'GET');
    return fetch(url, init);
  };
  const clean = await World.open(office, world.key.state(), 'ccid-extended', { now, fetch: posting });
  expect(await clean.press()).toMatchObject({ kind: 'success' });
  end();

  // The least there could be: p10cr and certConf, one answer each. There is nothing beyond it.
  expect(messages).toEqual(['p10cr', 'certConf']);
  const hex = (list: readonly number[]): string => list.map((ins) => ins.toString(16).padStart(2, '0')).join(' ');
  const steps = [
    // Whatever login an earlier page left is ended: applications, open, clear, close.
    '22 26 1c 28',
    // Serial number and algorithms; room in the application that holds containers.
    '04 22 26 46',
    // All containers, for one that an earlier run has made.
    '22 46',
    // The one container: what it holds, two public keys, two certificates.
    '4a 42 88 4e 88 4e 44',
    // The counter for the question; again right before VERIFY, since a person may take any time; challenge, VERIFY.
    '14 14 50 18',
    // New container, its key pair.
    '40 44',
    '42 70 44',
    // CSR by the new key, p10cr by the old one.
    '42 74 44',
    '42 74 44',
    // The certificate, written and read back.
    '42 4c 44',
    '4a 42 88 4e 44',
    // The old container, whole, as it was: the last moment at which a damage would not yet matter.
    '4a 42 88 4e 88 4e 44',
    // A challenge by the new key, certConf by the old one.
    '42 74 44',
    '42 74 44',
    // The login ends with the run.
    '1c 28',
  ];
  expect(hex(commands)).toBe(steps.join(' '));
  expect(commands).toHaveLength(55);
});

describe('a run whose end nobody saw', () => {
  test('is recognised as finished: no password, no second certificate', async () => {
    const world = await open('due-30-days');
    const first = await world.press();
    const typed = world.passwordsTyped;
    const second = await world.press();
    expect(second).toEqual(first);
    expect(world.passwordsTyped).toBe(typed);
    expect(issued(world)).toBe(1);
  });

  test('is recognised on another computer as well', async () => {
    const world = await open('due-30-days');
    const first = await world.press();
    const elsewhere = await open(world.key.state());
    expect(await elsewhere.press()).toEqual(first);
    expect(elsewhere.passwordsTyped).toBe(0);
  });

  test('is not taken for finished when the certificate is due again', async () => {
    const world = await open('due-30-days');
    const first = await world.press();
    skew = 370 * day;
    const second = await world.press();
    expect(second.kind).toBe('success');
    expect(second.transactionId).not.toBe(first.transactionId);
  });
});

describe('bytes that have grown old', () => {
  test('a request that never arrived is signed once more, for the same key and transaction', async () => {
    const world = await open('due-30-days');
    const away = withAuthority(() => ({ submit: unreachable, lookUp: unreachable }));
    const first = await world.press('renewal', undefined, away);
    expect(first).toMatchObject({ kind: 'stopped', reason: 'caUnreachable', resumable: true });
    const [, made] = containers(world.key.state());
    skew = 30 * hour;
    const second = await world.press();
    expect(second).toMatchObject({ kind: 'success', transactionId: first.transactionId });
    expect(containers(world.key.state())[1]?.signing?.privateKey).toBe(made?.signing?.privateKey);
    expect(issued(world)).toBe(1);
  });

  test('a confirmation that never arrived is checked and signed once more', async () => {
    const world = await open('due-30-days');
    const away = withAuthority(() => ({ confirm: unreachable }));
    const first = await world.press('renewal', undefined, away);
    expect(first).toMatchObject({ kind: 'stopped', reason: 'caUnreachable', resumable: true });
    skew = 30 * hour;
    expect(await world.press()).toMatchObject({ kind: 'success', transactionId: first.transactionId });
  });
});

test('a key pair that is gone from the key: its certificate is given back, and the next run begins anew', async () => {
  const world = await open('due-30-days');
  const first = await world.press('renewal', undefined, unplugging(world, 'importCertificate'));
  const state = world.key.state();
  const [, made] = containers(state);
  if (made) delete made.signing;
  await world.key.reset(state);
  await world.key.plug();
  expect(await world.press()).toMatchObject({ kind: 'stopped', reason: 'goneFromKey', resumable: false });
  expect(office.ca.ledger.transaction(first.transactionId ?? '')?.status).toBe('withdrawn');
  const third = await world.press();
  expect(third.kind).toBe('success');
  expect(third.transactionId).not.toBe(first.transactionId);
  expect(issued(world)).toBe(1);
});

test('without the old container the last message still goes out', async () => {
  const world = await open('due-30-days');
  const first = await world.press(
    'renewal',
    undefined,
    withAuthority(() => ({ confirm: unreachable })),
  );
  const state = world.key.state();
  state.applications[0]?.containers.shift();
  await world.key.unplug();
  await world.key.reset(state);
  await world.key.plug();
  expect(await world.press()).toMatchObject({ kind: 'success', transactionId: first.transactionId });
});

test.each([
  ['a request was sent', withAuthority(() => ({ submit: unreachable, lookUp: unreachable }))],
  ['a certificate was confirmed, it is not known whether', withAuthority(() => ({ confirm: unreachable }))],
])('two keys that share a serial number do not disturb each other after %s', async (_what, broken) => {
  const world = await open('due-30-days');
  const first = await world.press('renewal', undefined, broken);
  expect(first).toMatchObject({ kind: 'stopped', resumable: true });
  const twin = await office.ca.personalise('due-30-days', 'ccid-extended');
  const { serialNumber } = world.initial.info;
  const other = await open({ ...twin, info: { ...twin.info, serialNumber } }, { journal: world.journal });
  const between = await other.press();
  expect(between).toMatchObject({ kind: 'success' });
  expect(between.transactionId).not.toBe(first.transactionId);
  expect(await world.press()).toMatchObject({ kind: 'success', transactionId: first.transactionId });
  expect(containers(world.key.state())).toHaveLength(2);
});

test('a request that only another computer had, and that never arrived, is made anew with the same key', async () => {
  const world = await open('ca-waits');
  const first = await world.press('renewal', undefined, (ports) => ({
    ...ports,
    wait: () => Promise.reject(new CaError('cancelled', 'the page was closed')),
  }));
  expect(first).toMatchObject({ kind: 'stopped', reason: 'cancelled', resumable: true });
  const elsewhere = await open(world.key.state());
  let asked = 0;
  // Known when the key is read, forgotten when the run goes on: an authority restored from a copy.
  const forgetful = withAuthority((ports) => ({
    lookUp: (id) => (asked++ === 0 ? ports.authority.lookUp(id) : Promise.resolve({ kind: 'unknown' })),
  }));
  const second = await elsewhere.press('renewal', undefined, forgetful);
  expect(second.transactionId).toBe(first.transactionId);
  expect(second).toMatchObject({ kind: 'stopped', reason: 'caUnreachable', resumable: true });
  expect(await elsewhere.press()).toMatchObject({ kind: 'success', transactionId: first.transactionId });
});

test('a poll that is turned down does not end the transaction: the authority says what became of it', async () => {
  const world = await open('ca-waits');
  let polls = 0;
  const impatient = withAuthority((ports) => ({
    poll: async (reply, credential, signal) => {
      polls += 1;
      const answer = await ports.authority.poll(reply, credential, signal);
      if (answer.kind === 'issued') throw new CaError('rejected', 'nothing is waiting', { failInfo: ['badRequest'] });
      return answer;
    },
  }));
  expect(await world.press('renewal', undefined, impatient)).toMatchObject({ kind: 'success' });
  expect(polls).toBeGreaterThan(1);
});

describe('room on the key', () => {
  const full = async (scenario: 'due-30-days' | 'ca-refuses', room: number): Promise<KeyState> => {
    const state = await office.ca.personalise(scenario, 'ccid-extended');
    return { ...state, info: { ...state.info, maxContainers: containers(state).length + room } };
  };

  test('what a refused attempt left makes room for the next one', async () => {
    const world = await open(await full('ca-refuses', 1));
    const first = await world.press();
    expect(first).toMatchObject({ kind: 'stopped', reason: 'caRejected' });
    const second = await world.press();
    expect(second).toMatchObject({ kind: 'stopped', reason: 'caRejected' });
    expect(containers(world.key.state()).map(({ name }) => name)).toEqual([
      containers(world.initial)[0]?.name,
      `R${second.transactionId ?? ''}`,
    ]);
  });

  test.each([
    [
      'a certificate',
      (container: KeyState['applications'][number]['containers'][number] | undefined): void => {
        if (container?.signing) container.signing.certificate = '3000';
      },
    ],
    [
      'an encryption key pair',
      (container: KeyState['applications'][number]['containers'][number] | undefined): void => {
        if (container?.signing) container.encryption = structuredClone(container.signing);
      },
    ],
  ])('a container of ours with %s is never deleted, not even a full key’s', async (_what, put) => {
    const world = await open(await full('ca-refuses', 1));
    await world.press();
    const state = world.key.state();
    put(containers(state)[1]);
    await world.key.reset(state);
    await world.key.plug();
    expect(await world.press()).toMatchObject({ kind: 'stopped', reason: 'noRoom', resumable: false });
    expect(world.key.state().applications).toEqual(state.applications);
  });

  test('somebody else’s container is never deleted, whatever it lacks', async () => {
    const state = await full('due-30-days', 1);
    state.applications[0]?.containers.push({ name: 'R-somebody-else', id: 77 });
    const world = await open(state);
    expect(await world.press()).toMatchObject({ kind: 'stopped', reason: 'noRoom' });
    expect(world.key.state()).toEqual(state);
  });

  test('a key that only says when asked that it is full makes room the same way', async () => {
    const world = await open(await full('ca-refuses', 1));
    await world.press();
    const second = await world.press('renewal', undefined, (ports) => ({
      ...ports,
      key: substitute(ports.key, {
        readInfo: async () => ({ ...(await ports.key.readInfo()), maxContainers: undefined }),
      }),
    }));
    expect(second).toMatchObject({ kind: 'stopped', reason: 'caRejected' });
    expect(containers(world.key.state())).toHaveLength(2);
  });

  test('a run that was cut before it could make room makes it the next time', async () => {
    const world = await open(await full('ca-refuses', 1));
    await world.press();
    const silent = (ports: Ports): Ports['key'] =>
      substitute(ports.key, {
        readInfo: async () => ({ ...(await ports.key.readInfo()), maxContainers: undefined }),
      });
    const cut = await world.press('renewal', undefined, (ports) =>
      unplugging(world, 'createContainer')({ ...ports, key: silent(ports) }),
    );
    expect(cut).toMatchObject({ kind: 'stopped', reason: 'unplugged', resumable: true });
    await world.key.plug();
    const next = await world.press('renewal', undefined, (ports) => ({ ...ports, key: silent(ports) }));
    expect(next).toMatchObject({ kind: 'stopped', reason: 'caRejected', transactionId: cut.transactionId });
    expect(containers(world.key.state())).toHaveLength(2);
  });

  test('a container’s name that is taken after all is used when nothing is in it', async () => {
    const world = await open('due-30-days');
    const outcome = await world.press('renewal', undefined, (ports) => ({
      ...ports,
      key: substitute(ports.key, {
        createContainer: async (ref) => {
          await ports.key.createContainer(ref);
          throw new KeyError('containerExists', 'INS 40: 6e02', 0x6e02);
        },
      }),
    }));
    expect(outcome).toMatchObject({ kind: 'success' });
    expect(containers(world.key.state())).toHaveLength(2);
  });

  test('a container’s name that is taken by something that counts is left alone', async () => {
    const world = await open('due-30-days');
    const outcome = await world.press('renewal', undefined, (ports) => ({
      ...ports,
      key: substitute(ports.key, {
        createContainer: () => Promise.reject(new KeyError('containerExists', 'INS 40: 6e02', 0x6e02)),
        readContainer: async (ref) => {
          if (!ref.container.startsWith('R')) return ports.key.readContainer(ref);
          const signing = { publicKey: Uint8Array.of(1), certificate: Uint8Array.of(2) };
          return { ref, signing, encryption: undefined };
        },
      }),
    }));
    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'goneFromKey', resumable: false });
    expect(world.key.state()).toEqual(world.initial);
  });
});

describe('a locked password', () => {
  const lock = async (world: World, remaining: number): Promise<void> => {
    const state = world.key.state();
    for (const application of state.applications) application.remainingTries = remaining;
    await world.key.unplug();
    await world.key.reset(state);
    await world.key.plug();
  };

  test.each([
    ['within 30 days the journal leads back', 29],
    ['after 30 days the journal is cleaned, and the container’s name leads back', 31],
  ])('%s', async (_what, days) => {
    const world = await open('old-issuer');
    const first = await world.press('upgrade', undefined, unplugging(world, 'importCertificate'));
    await lock(world, 0);
    expect(await world.press('upgrade')).toMatchObject({ kind: 'stopped', reason: 'locked', resumable: true });
    skew = days * day;
    // The authority's patience is 20 days: with it the transaction would be over, and this is about the journal.
    await lock(world, 6);
    const records = recordsOf(world);
    const before = records.get(first.transactionId ?? '')?.stage;
    const outcome = await world.press(
      'upgrade',
      undefined,
      withAuthority(() => ({ lookUp: unreachable })),
    );
    expect(before).toBe('write');
    if (days < 30) {
      expect(outcome.transactionId).toBe(first.transactionId);
      return;
    }
    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'caUnreachable' });
    expect(records.size).toBe(0);
    expect(await world.press('upgrade')).toMatchObject({ kind: 'success' });
  });
});

/** Lets an authority that is busy answer 503 to so many messages, each asking for seven seconds. */
function busyFor(answers: number): typeof fetch {
  let left = answers;
  return (url, init) => {
    const isMessage = init?.body instanceof Uint8Array;
    if (!isMessage || left-- <= 0) return fetch(url, init);
    return Promise.resolve(new Response(null, { status: 503, headers: { 'Retry-After': '7' } }));
  };
}

describe('an authority that is busy', () => {
  test('is queued at, the person is told when it is asked again, and one certificate comes of it', async () => {
    const world = await open('due-30-days', { fetch: busyFor(12) });

    const outcome = await world.press();

    expect(outcome.kind).toBe('success');
    const told = world.progress.filter(({ busy }) => busy === true);
    expect(told.length).toBeGreaterThanOrEqual(10);
    expect(told.every(({ waitingUntil = 0, writing }) => waitingUntil > Date.now() - day && !writing)).toBe(true);
    expect(world.progress.at(-1)?.busy).toBeUndefined();
    expect(issued(world)).toBe(1);
  });

  test('is left with the key that is pulled out meanwhile, and the next press goes on', async () => {
    const world = await open('due-30-days', { fetch: busyFor(6) });
    const pulled = await world.press('renewal', undefined, (ports) => ({
      ...ports,
      wait: async (_milliseconds, signal) => {
        await world.key.unplug();
        if (!signal?.aborted) await new Promise((resolve) => signal?.addEventListener('abort', resolve));
        throw new CaError('cancelled', 'the key is gone');
      },
    }));
    expect(pulled).toMatchObject({ kind: 'stopped', reason: 'unplugged', resumable: true });

    await world.key.plug();
    expect((await world.press()).kind).toBe('success');
    expect(issued(world)).toBe(1);
  });
});
