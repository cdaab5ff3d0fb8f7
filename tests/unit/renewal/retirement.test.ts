import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Ports } from '../../../src/renewal/procedure.ts';
import { promoteNew } from '../../../src/renewal/promotion.ts';
import { retireOld, whyKept, type Kept, type Retirement } from '../../../src/renewal/retirement.ts';
import { substitute } from '../../faults/substitute.ts';
import { Office, recordsOf, samplePassword, World } from '../../faults/world.ts';
import type { KeyState } from '../../virtual-key/state.ts';

/** So many that a renewed certificate may be renewed at once. */
const windowDays = 10_000;
const ourName = `R${'0'.repeat(32)}`;

let office: Office;
beforeAll(async () => {
  office = await Office.open({ policy: { windowDays } });
}, 30_000);
afterAll(() => office.close());

const containers = (state: KeyState): KeyState['applications'][number]['containers'] =>
  state.applications.flatMap(({ containers: all }) => all);

/** A key with a signing key pair only, renewed. */
async function renewed(withEncryption = false): Promise<{ readonly world: World; readonly transactionId: string }> {
  const state = await office.ca.personalise('due-30-days', 'longmai-hid');
  if (!withEncryption) for (const container of containers(state)) delete container.encryption;
  const world = await World.open(office, state, 'longmai-hid');
  const { transactionId = '' } = await world.press();
  return { world, transactionId };
}

async function retire(
  world: World,
  transactionId: string,
  change: (ports: Ports) => Ports = (ports) => ports,
): Promise<Retirement> {
  const key = await world.connect();
  const retirement = await retireOld(change(world.ports(key)), {
    transactionId,
    askPassword: world.typing(samplePassword, samplePassword),
  });
  await key.close();
  return retirement;
}

test('by choice, after everything is done, the old container goes and the new one stays', async () => {
  const { world, transactionId } = await renewed();
  const [, fresh] = containers(world.key.state());
  expect(await retire(world, transactionId)).toEqual({ kind: 'retired' });
  expect(containers(world.key.state())).toEqual([fresh]);
  expect(recordsOf(world).get(transactionId)?.retirement).toBe('done');
});

test.each<[string, Kept | undefined, 'piv' | 'gmt0017', string, string | undefined, string | undefined]>([
  ['another’s slot', 'notOurs', 'piv', '9A', '9A', '82'],
  ['a slot of ours that nobody else looks into', undefined, 'piv', ourName, '83', '82'],
  ['a slot of ours that others look into', 'notPromoted', 'piv', ourName, '9A', '82'],
  ['a slot of ours that others look into, without the new one', 'notPromoted', 'piv', ourName, '9C', undefined],
  ['a slot of ours, the new one being where others look', undefined, 'piv', ourName, '83', '9A'],
  ['any container of a key without slots', undefined, 'gmt0017', '0123456789ABCDEF', undefined, undefined],
])('%s: kept because %s', (_what, because, commandSet, container, slot, freshSlot) => {
  const old = { ref: { application: 'A', container }, signing: undefined, encryption: undefined };
  expect(whyKept(commandSet, slot ? { ...old, slot } : old, freshSlot ? { slot: freshSlot } : {})).toBe(because);
});

test('on a PIV key our old pair stays in 9A until the new one has come there, and then may go', async () => {
  const state = await office.ca.personalise('due-30-days', 'ccid-short', { commandSet: 'piv', algorithm: 'p256' });
  const world = await World.open(office, state, 'ccid-short', { policy: { windowDays } });
  const promote = async (transactionId: string): Promise<string> => {
    const key = await world.connect();
    const askPassword = world.typing(samplePassword, samplePassword);
    const { kind } = await promoteNew(world.ports(key), { transactionId, askPassword });
    await key.close();
    return kind;
  };
  const { transactionId: first = '' } = await world.press();
  expect(await promote(first)).toBe('promoted');
  const { transactionId: second = '' } = await world.press();
  const before = world.key.state();

  expect(await retire(world, second)).toEqual({ kind: 'kept', because: 'notPromoted' });
  expect(world.key.state()).toEqual(before);

  const record = recordsOf(world).get(second);
  if (record) recordsOf(world).set(second, { ...record, promotion: 'chosen', promotionSlot: '9A' });
  world.key.unplugAtWrite(2, 'after');
  await promote(second).catch(() => undefined);
  await world.key.plug();
  const halfWay = world.key.state();
  expect(await retire(world, second)).toEqual({ kind: 'kept', because: 'notPromoted' });
  expect(world.key.state()).toEqual(halfWay);

  expect(await promote(second)).toBe('promoted');
  const pairs = world.key.state().piv?.slots.length ?? 0;
  expect(await retire(world, second)).toEqual({ kind: 'retired' });
  expect(world.key.state().piv?.slots).toHaveLength(pairs - 1);
  expect(world.key.state().piv?.slots.some(({ slot }) => slot === '9a')).toBe(true);
}, 60_000);

describe('the old container stays', () => {
  test('when it holds an encryption key pair, with or without its certificate', async () => {
    const { world, transactionId } = await renewed(true);
    const before = world.key.state();
    expect(await retire(world, transactionId)).toEqual({ kind: 'kept', because: 'holdsEncryptionKey' });
    expect(world.key.state()).toEqual(before);
    const bare = structuredClone(before);
    delete containers(bare)[0]?.encryption?.certificate;
    await world.key.reset(bare);
    await world.key.plug();
    expect(await retire(world, transactionId)).toEqual({ kind: 'kept', because: 'holdsEncryptionKey' });
    expect(world.key.state()).toEqual(bare);
  });

  test('while the authority has not acknowledged', async () => {
    const { world, transactionId } = await renewed();
    const records = recordsOf(world);
    const record = records.get(transactionId);
    if (record) records.set(transactionId, { ...record, stage: 'confirm' });
    expect(await retire(world, transactionId)).toEqual({ kind: 'kept', because: 'notFinished' });
    expect(await retire(world, '00'.repeat(16))).toEqual({ kind: 'kept', because: 'notFinished' });
    expect(containers(world.key.state())).toHaveLength(2);
  });

  test.each<[string, string, (state: KeyState) => KeyState | undefined]>([
    ['another key is plugged in', 'otherKey', (state) => ({ ...state, info: { ...state.info, serialNumber: 'X' } })],
    [
      'it holds another certificate than the one replaced',
      'changed',
      (state) => {
        const [old, fresh] = containers(state);
        if (old?.signing && fresh?.signing?.certificate) old.signing.certificate = fresh.signing.certificate;
        return undefined;
      },
    ],
    [
      'the new container is gone',
      'newNotUsable',
      (state) => {
        state.applications[0]?.containers.pop();
        return undefined;
      },
    ],
    [
      'the new certificate is torn',
      'newNotUsable',
      (state) => {
        const { signing } = containers(state)[1] ?? {};
        if (signing?.certificate) signing.certificate = signing.certificate.slice(0, 200);
        return undefined;
      },
    ],
  ])('when %s', async (_what, because, change) => {
    const { world, transactionId } = await renewed();
    const state = world.key.state();
    const changed = change(state) ?? state;
    await world.key.reset(changed);
    await world.key.plug();
    expect(await retire(world, transactionId)).toEqual({ kind: 'kept', because });
    expect(world.key.state()).toEqual(changed);
    expect(world.passwordsTyped).toBe(1);
  });

  test('when the new key’s signature does not verify, or the new certificate has ended', async () => {
    const { world, transactionId } = await renewed();
    const dumb = await retire(world, transactionId, (ports) => ({
      ...ports,
      key: substitute(ports.key, { sign: () => Promise.resolve(new Uint8Array(70)) }),
    }));
    expect(dumb).toEqual({ kind: 'kept', because: 'newKeyFails' });
    const late = await retire(world, transactionId, (ports) => ({ ...ports, now: () => new Date('2040-01-01') }));
    expect(late).toEqual({ kind: 'kept', because: 'newNotUsable' });
    expect(containers(world.key.state())).toHaveLength(2);
  });

  test.each(['readOnly', 'off'] as const)('of a model that the operator has set to %s', async (enrolment) => {
    const { world, transactionId } = await renewed();
    const before = world.key.state();
    const stopped = await retire(world, transactionId, (ports) => ({ ...ports, enrolment }));
    expect(stopped).toMatchObject({ kind: 'stopped', reason: 'modelStopped' });
    expect(world.key.state()).toEqual(before);
    expect(world.passwordsTyped).toBe(1);
    expect(recordsOf(world).get(transactionId)?.retirement).toBeUndefined();
  });

  test('when the person gives up at the password', async () => {
    const { world, transactionId } = await renewed();
    const key = await world.connect();
    const giveUp = (): Promise<boolean> => Promise.resolve(false);
    const retirement = await retireOld(world.ports(key), { transactionId, askPassword: giveUp });
    await key.close();
    expect(retirement).toMatchObject({ kind: 'stopped', reason: 'cancelled' });
    expect(containers(world.key.state())).toHaveLength(2);
  });
});

test('cut anywhere, it leaves the new certificate, and doing it again ends well', async () => {
  const { world, transactionId } = await renewed();
  const start = world.key.state();
  const records = structuredClone(recordsOf(world));
  const from = world.key.transfers;
  await retire(world, transactionId);
  const transfers = world.key.transfers - from;
  expect(transfers).toBeGreaterThan(80);
  for (let n = 1; n <= transfers; n += 3) {
    for (const when of ['before', 'after'] as const) {
      const again = await World.open(office, start, 'longmai-hid');
      for (const [id, record] of records) recordsOf(again).set(id, structuredClone(record));
      again.key.unplugAt(n, when);
      const first = await retire(again, transactionId).catch(() => undefined);
      expect(containers(again.key.state())).toContainEqual(containers(start)[1]);
      await again.key.plug();
      again.key.disarm();
      if (first?.kind !== 'retired') expect(await retire(again, transactionId)).toEqual({ kind: 'retired' });
      expect(containers(again.key.state()), `${n} ${when}`).toEqual([containers(start)[1]]);
    }
  }
}, 120_000);
