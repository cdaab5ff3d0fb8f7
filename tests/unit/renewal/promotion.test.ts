import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AskPassword, Ports } from '../../../src/renewal/procedure.ts';
import { promoteNew, type Promotion } from '../../../src/renewal/promotion.ts';
import { readKeyContents } from '../../../src/renewal/key-contents.ts';
import { KeyError } from '../../../src/usbkey/usbkey.ts';
import type { Face } from '../../faults/fault.ts';
import { insideOf, type Inside } from '../../faults/inside.ts';
import { prepared } from '../../faults/prepared.ts';
import { substitute } from '../../faults/substitute.ts';
import { Office, recordsOf, samplePassword, World } from '../../faults/world.ts';
import type { KeyState } from '../../virtual-key/state.ts';

/** So many that a renewed certificate may be renewed at once. */
const windowDays = 10_000;

let office: Office;
beforeAll(async () => {
  office = await Office.open({ policy: { windowDays } });
}, 30_000);
afterAll(() => office.close());

const ccid: Face = { attachment: 'ccid-short', commandSet: 'piv', algorithm: 'p256' };

interface Renewed {
  readonly world: World;
  readonly transactionId: string;
}

/** A PIV key, renewed: the old certificate in 9A or 9C, the new one in 84. */
async function renewed(face: Face = ccid): Promise<Renewed> {
  const { attachment, algorithm = 'p256' } = face;
  const state = await office.ca.personalise('due-30-days', attachment, { commandSet: 'piv', algorithm });
  const world = await World.open(office, prepared(state, { face }), attachment);
  const { transactionId = '' } = await world.press('renewal', world.typing(...Array<string>(9).fill(samplePassword)));
  return { world, transactionId };
}

async function promote(
  { world, transactionId }: Renewed,
  change: (ports: Ports) => Ports = (ports) => ports,
): Promise<Promotion> {
  const key = await world.connect();
  const askPassword = world.typing(samplePassword, samplePassword);
  try {
    return await promoteNew(change(world.ports(key)), { transactionId, askPassword });
  } finally {
    await key.close();
  }
}

/** Renewed, and once more; `between` the new pair may take the place of the old one. */
async function renewedTwice(between: (made: Renewed) => Promise<unknown> = () => Promise.resolve()): Promise<Renewed> {
  const state = await office.ca.personalise('due-30-days', 'ccid-short', { commandSet: 'piv', algorithm: 'p256' });
  const world = await World.open(office, state, 'ccid-short', { policy: { windowDays } });
  const { transactionId = '' } = await world.press();
  await between({ world, transactionId });
  const again = await world.press();
  return { world, transactionId: again.transactionId ?? '' };
}

/** The key pairs with their certificates, by place. */
const pairs = (state: KeyState): ReadonlyMap<string, string> =>
  new Map(
    insideOf(state)
      .filter(({ certificate, signing }) => certificate !== undefined && signing !== undefined)
      .map(({ place, certificate, signing }) => [place.slice(-2), `${signing?.publicKey ?? ''} ${certificate ?? ''}`]),
  );
const pairAt = (state: KeyState, slot: string): string => pairs(state).get(slot) ?? '';

test.each<[string, Face, string]>([
  ['9A', ccid, '9A'],
  ['9C', { ...ccid, passwordForEverySignature: true }, '9C'],
])(
  'by choice the new pair comes to %s and the old one into another slot, both whole',
  async (_what, face, slot) => {
    const { world, transactionId } = await renewed(face);
    const before = world.key.state();

    expect(await promote({ world, transactionId })).toEqual({ kind: 'promoted' });

    const after = world.key.state();
    expect(pairAt(after, slot)).toBe(pairAt(before, '84'));
    expect([...pairs(after).values()].sort()).toEqual([...pairs(before).values()].sort());
    const record = recordsOf(world).get(transactionId);
    expect(record?.promotion).toBe('done');
    const key = await world.connect();
    const { active } = await readKeyContents(key, office.trust, new Date());
    await key.close();
    expect(active?.container.ref).toEqual(record?.newContainer);
    expect(active?.container.slot).toBe(slot);
    // Done is done.
    expect(await promote({ world, transactionId })).toEqual({ kind: 'promoted' });
    expect(world.key.state()).toEqual(after);
  },
  60_000,
);

describe('everything stays', () => {
  const stays = (because: string): unknown => ({ kind: 'stays', because });

  test('on a key that cannot move key pairs, and on one that has no places of its own', async () => {
    const canokey = await renewed({ attachment: 'canokey', commandSet: 'piv', algorithm: 'p256' });
    const before = canokey.world.key.state();
    expect(await promote(canokey)).toEqual(stays('unsupported'));
    expect(canokey.world.key.state()).toEqual(before);
    const gmt = await World.open(office, 'due-30-days', 'longmai-hid');
    const { transactionId = '' } = await gmt.press();
    expect(await promote({ world: gmt, transactionId })).toEqual(stays('unsupported'));
  });

  test('without a second spare slot, and the choice is forgotten', async () => {
    const made = await renewed();
    const full = made.world.key.state();
    for (let slot = 0x85; slot <= 0x95; slot++)
      full.piv?.objects.push({ tag: (0x5fc10d + slot - 0x82).toString(16), data: '5303710100' });
    await made.world.key.reset(full);
    expect(await promote(made)).toEqual(stays('noRoom'));
    expect(made.world.key.state()).toEqual(full);
    expect(recordsOf(made.world).get(made.transactionId)?.promotion).toBeUndefined();
  });

  test('while the authority has not acknowledged, or this browser knows of nothing', async () => {
    const made = await renewed();
    const records = recordsOf(made.world);
    const record = records.get(made.transactionId);
    if (record) records.set(made.transactionId, { ...record, stage: 'confirm' });
    expect(await promote(made)).toEqual(stays('notFinished'));
    expect(await promote({ ...made, transactionId: '00'.repeat(16) })).toEqual(stays('notFinished'));
  });

  test('when another key is in, when the old certificate is another, when the new key does not sign', async () => {
    const made = await renewed();
    const { world, transactionId } = made;
    const before = world.key.state();
    expect(
      await promote(made, (ports) => ({
        ...ports,
        key: substitute(ports.key, {
          readInfo: async () => ({ ...(await ports.key.readInfo()), serialNumber: 'another' }),
        }),
      })),
    ).toEqual(stays('otherKey'));
    const record = recordsOf(world).get(transactionId);
    const newCertificate = record?.newCertificate ?? new Uint8Array();
    if (record) recordsOf(world).set(transactionId, { ...record, oldCertificate: newCertificate });
    expect(await promote(made)).toEqual(stays('changed'));
    if (record) recordsOf(world).set(transactionId, record);
    expect(
      await promote(made, (ports) => ({
        ...ports,
        key: substitute(ports.key, { sign: () => Promise.resolve(new Uint8Array(70)) }),
      })),
    ).toEqual(stays('newKeyFails'));
    expect(await promote(made, (ports) => ({ ...ports, now: () => new Date('2040-01-01') }))).toEqual(
      stays('newNotUsable'),
    );
    expect(world.key.state()).toEqual(before);
    expect(recordsOf(world).get(transactionId)?.promotion).toBeUndefined();
  });

  test('when the person gives up at the password', async () => {
    const { world, transactionId } = await renewed();
    const before = world.key.state();
    const key = await world.connect();
    const giveUp = (): Promise<boolean> => Promise.resolve(false);
    const promotion = await promoteNew(world.ports(key), { transactionId, askPassword: giveUp });
    await key.close();
    expect(promotion).toMatchObject({ kind: 'stopped', reason: 'cancelled' });
    expect(world.key.state()).toEqual(before);
  });

  test('when what was moved does not read back, which is not called done', async () => {
    const made = await renewed();
    const promotion = await promote(made, (ports) => ({
      ...ports,
      key: substitute(ports.key, {
        promote: (fresh, former) => Promise.resolve({ fresh, former: { ...former, container: '95' } }),
      }),
    }));
    expect(promotion).toEqual(stays('changed'));
    expect(recordsOf(made.world).get(made.transactionId)?.promotion).toBe('chosen');
  });

  test('a key that says only when asked that it cannot', async () => {
    const made = await renewed();
    const refuses = (ports: Ports): Ports => ({
      ...ports,
      key: substitute(ports.key, {
        promote: () => Promise.reject(new KeyError('unsupported', 'INS f6: 6d00', 0x6d00)),
      }),
    });
    expect(await promote(made, refuses)).toEqual(stays('unsupported'));
    expect(recordsOf(made.world).get(made.transactionId)?.promotion).toBeUndefined();
  });
});

test('a model that the operator has stopped is not begun with, and what is half-way is finished', async () => {
  const made = await renewed();
  const { world, transactionId } = made;
  const stop = (ports: Ports): Ports => ({ ...ports, enrolment: 'readOnly' });
  const before = world.key.state();
  expect(await promote(made, stop)).toMatchObject({ kind: 'stopped', reason: 'modelStopped' });
  expect(world.key.state()).toEqual(before);
  expect(recordsOf(world).get(transactionId)?.promotion).toBeUndefined();

  // The copy is written, and nothing is out of its place.
  const cutAt = async (write: number): Promise<void> => {
    world.key.unplugAtWrite(write, 'after');
    await promote(made).catch(() => undefined);
    world.key.disarm();
    await world.key.plug();
  };
  await cutAt(1);
  expect(await promote(made, stop)).toMatchObject({ kind: 'stopped', reason: 'modelStopped' });
  // The old key pair has left, and other programs find nothing.
  await cutAt(1);
  expect(pairAt(world.key.state(), '9A')).toBe('');
  expect(await promote(made, stop)).toEqual({ kind: 'promoted' });
  expect(pairAt(world.key.state(), '9A')).toBe(pairAt(before, '84'));
}, 60_000);

test('a choice of which nothing came is forgotten, and a wrong management key is said', async () => {
  const made = await renewed();
  const { world, transactionId } = made;
  const own = world.key.state();
  const { piv } = own;
  const managementKey = piv && { ...piv.managementKey, key: '5a'.repeat(24), pinProtected: false };
  const locked: KeyState = managementKey ? { ...own, piv: { ...piv, managementKey } } : own;
  await world.key.reset(locked);
  const before = recordsOf(world).get(transactionId);
  const promoteWith = async (managementKey: Uint8Array | undefined): Promise<Promotion> => {
    const key = await world.connect();
    const typing = world.typing(samplePassword);
    const askPassword: AskPassword = async (question, use) => {
      if (question.kind === 'password') return typing(question, use);
      if (managementKey) await use(managementKey);
      return managementKey !== undefined;
    };
    const promotion = await promoteNew(world.ports(key), { transactionId, askPassword });
    await key.close();
    return promotion;
  };

  expect(await promoteWith(undefined)).toMatchObject({ kind: 'stopped', reason: 'cancelled' });
  expect(recordsOf(world).get(transactionId)).toEqual(before);
  expect(await promoteWith(new Uint8Array(24))).toMatchObject({ kind: 'stopped', reason: 'managementKeyNeeded' });
  expect(recordsOf(world).get(transactionId)).toEqual(before);
  expect(world.key.state()).toEqual(locked);
  expect(await promoteWith(new Uint8Array(24).fill(0x5a))).toEqual({ kind: 'promoted' });
}, 60_000);

describe('a move that leads nowhere is told from one that may be finished', () => {
  test.each(['notFound', 'noKeyPair'] as const)('the key says %s, and nothing has moved', async (code) => {
    const made = await renewed();
    const promotion = await promote(made, (ports) => ({
      ...ports,
      key: substitute(ports.key, { promote: () => Promise.reject(new KeyError(code, 'not from here')) }),
    }));
    expect(promotion).toEqual({ kind: 'stays', because: 'impossible' });
    expect(recordsOf(made.world).get(made.transactionId)?.promotion).toBeUndefined();
  });

  test('the old certificate is not where other programs look: no password is asked for', async () => {
    const made = await renewedTwice();
    const before = made.world.key.state();
    const typed = made.world.passwordsTyped;
    expect(await promote(made)).toEqual({ kind: 'stays', because: 'impossible' });
    expect(made.world.passwordsTyped).toBe(typed);
    expect(made.world.key.state()).toEqual(before);
  });
});

describe('cut', () => {
  /** Both certificates are on the key with their key pairs at every moment, or one is and the other's pair is. */
  function expectNothingLost(made: Renewed, state: KeyState): void {
    const before = made.world.key.state();
    const keys = (of: KeyState): string[] => (of.piv?.slots ?? []).map(({ privateKey }) => privateKey).sort();
    expect(keys(state)).toEqual(keys(before));
    const certificates = (of: KeyState): Set<string> =>
      new Set(insideOf(of).flatMap(({ certificate }: Inside) => certificate ?? []));
    expect(certificates(state)).toEqual(certificates(before));
  }

  async function cutAndFinish(made: Renewed, arm: (world: World) => void, what: string): Promise<void> {
    const { transactionId } = made;
    const again = await World.open(office, made.world.key.state(), 'ccid-short');
    for (const [id, record] of recordsOf(made.world)) recordsOf(again).set(id, structuredClone(record));
    const reference = { world: again, transactionId };
    arm(again);
    const first = await promote(reference).catch(() => undefined);
    expectNothingLost(made, again.key.state());
    again.key.disarm();
    await again.key.plug();
    // The certificate that counts is still found, with its key pair, wherever it is.
    const key = await again.connect();
    const { active } = await readKeyContents(key, office.trust, new Date());
    await key.close();
    expect(active?.container.ref.container, what).toBe(`R${transactionId}`);
    if (first?.kind !== 'promoted') expect(await promote(reference), what).toEqual({ kind: 'promoted' });
    expect(pairAt(again.key.state(), '9A'), what).toBe(pairAt(made.world.key.state(), '84'));
    expectNothingLost(made, again.key.state());
    const kept = again.key.state().piv?.slots.filter(({ slot }) => slot === '84') ?? [];
    expect(kept, what).toEqual([]);
  }

  test('at each write to the key, before and after it, nothing is lost and the same choice goes on', async () => {
    const made = await renewed();
    const clean = await World.open(office, made.world.key.state(), 'ccid-short');
    for (const [id, record] of recordsOf(made.world)) recordsOf(clean).set(id, structuredClone(record));
    const from = clean.key.writes;
    expect(await promote({ world: clean, transactionId: made.transactionId })).toEqual({ kind: 'promoted' });
    const writes = clean.key.writes - from;
    expect(writes).toBeGreaterThanOrEqual(5);
    for (let n = 1; n <= writes; n++)
      for (const when of ['before', 'after'] as const)
        await cutAndFinish(made, (world) => world.key.unplugAtWrite(n, when), `write ${n} ${when}`);
  }, 120_000);

  test('at each write of a second renewal’s move, it is known where the new pair belongs, and it is finished', async () => {
    const made = await renewedTwice(promote);
    const fresh = pairAt(made.world.key.state(), '82');
    expect(fresh).not.toBe('');
    expect(pairAt(made.world.key.state(), '9A')).not.toBe('');
    for (let n = 1; n <= 5; n++) {
      const world = await World.open(office, made.world.key.state(), 'ccid-short');
      for (const [id, record] of recordsOf(made.world)) recordsOf(world).set(id, structuredClone(record));
      const cut = { world, transactionId: made.transactionId };
      world.key.unplugAtWrite(n, 'after');

      await promote(cut).catch(() => undefined);

      expect(recordsOf(world).get(cut.transactionId), `write ${n}`).toMatchObject({
        promotion: 'chosen',
        promotionSlot: '9A',
      });
      world.key.disarm();
      await world.key.plug();
      expect(await promote(cut), `write ${n}`).toEqual({ kind: 'promoted' });
      expect(pairAt(world.key.state(), '9A'), `write ${n}`).toBe(fresh);
    }
  }, 60_000);

  test('at transfers all along, and where only the journal’s last word is missing', async () => {
    const made = await renewed();
    const clean = await World.open(office, made.world.key.state(), 'ccid-short');
    for (const [id, record] of recordsOf(made.world)) recordsOf(clean).set(id, structuredClone(record));
    const from = clean.key.transfers;
    expect(await promote({ world: clean, transactionId: made.transactionId })).toEqual({ kind: 'promoted' });
    const transfers = clean.key.transfers - from;
    for (let n = 20; n <= transfers; n += 37)
      await cutAndFinish(made, (world) => world.key.unplugAt(n, 'after'), `transfer ${n}`);
    const records = recordsOf(clean);
    const record = records.get(made.transactionId);
    const before = recordsOf(made.world).get(made.transactionId);
    if (record && before) records.set(made.transactionId, { ...before, promotion: 'chosen' });
    const state = clean.key.state();
    expect(await promote({ world: clean, transactionId: made.transactionId })).toEqual({ kind: 'promoted' });
    expect(clean.key.state()).toEqual(state);
    expect(records.get(made.transactionId)?.promotion).toBe('done');
  }, 120_000);
});
