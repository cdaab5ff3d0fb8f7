import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CaError } from '../../../src/ca/authority.ts';
import { fromHex } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import type { AskPassword, Ports, Question } from '../../../src/renewal/procedure.ts';
import { retireOld } from '../../../src/renewal/retirement.ts';
import type { Face } from '../../faults/fault.ts';
import { besideOf, insideOf, type Inside } from '../../faults/inside.ts';
import { prepared } from '../../faults/prepared.ts';
import { substitute } from '../../faults/substitute.ts';
import { Office, recordsOf, samplePassword, World, type WorldOptions } from '../../faults/world.ts';
import type { KeyState, Scenario } from '../../virtual-key/state.ts';

let office: Office;
/** The time of day of everybody in these tests. */
let skew = 0;
const now = (): Date => new Date(Date.now() + skew);
beforeAll(async () => {
  office = await Office.open({ now });
}, 30_000);
afterAll(() => office.close());

const ccid: Face = { attachment: 'ccid-short', commandSet: 'piv', algorithm: 'p256' };
const canokey: Face = { attachment: 'canokey', commandSet: 'piv', algorithm: 'p256' };

async function open(face: Face, scenario: Scenario = 'due-30-days', options: WorldOptions = {}): Promise<World> {
  const { algorithm = 'p256' } = face;
  const state = await office.ca.personalise(scenario, face.attachment, { commandSet: 'piv', algorithm });
  return World.open(office, prepared(state, { face }), face.attachment, { now, ...options });
}

const at = (state: KeyState, place: string): Inside | undefined =>
  insideOf(state).find((container) => container.place === `PIV/${place}`);
const ours = (state: KeyState): readonly Inside[] => insideOf(state).filter(({ name }) => name.startsWith('R'));
const algorithmOf = ({ certificate = '' }: Inside): string => parseCertificate(fromHex(certificate)).keyAlgorithm;

/** Everything that was on the key is on it as it was. */
function expectOldIntact(world: World): void {
  const contents = (state: KeyState): [string, string][] =>
    insideOf(state).map(({ place, content }) => [place, content]);
  expect(contents(world.key.state())).toEqual(expect.arrayContaining(contents(world.initial)));
  expect(besideOf(world.key.state())).toBe(besideOf(world.initial));
}

/** Types what it is asked for, and keeps what it was asked. */
function answering(answers: { readonly passwords?: readonly string[]; readonly managementKeys?: readonly string[] }): {
  readonly ask: AskPassword;
  readonly asked: Question[];
  readonly given: Uint8Array[];
} {
  const passwords = [...(answers.passwords ?? Array.from({ length: 20 }, () => samplePassword))];
  const managementKeys = [...(answers.managementKeys ?? [])];
  const asked: Question[] = [];
  const given: Uint8Array[] = [];
  const ask: AskPassword = async (question, use) => {
    asked.push(question);
    const answer = question.kind === 'password' ? passwords.shift() : managementKeys.shift();
    if (answer === undefined) return false;
    const bytes = question.kind === 'password' ? new TextEncoder().encode(answer) : fromHex(answer);
    given.push(bytes);
    await use(bytes);
    bytes.fill(0);
    return true;
  };
  return { ask, asked, given };
}
const kinds = (asked: readonly Question[]): string[] =>
  asked.map((question) => (question.kind === 'password' ? question.reason : question.kind));

describe('renewal into a spare slot', () => {
  test.each<[string, Face, string, string, string]>([
    ['P-256 on a key that tells what is in its slots', ccid, 'p256', '84', 'protected'],
    ['RSA-2048', { ...ccid, algorithm: 'rsa2048' }, 'rsa', '84', 'protected'],
    ['P-256 on a key that does not', canokey, 'p256', '82', 'default'],
    ['SM2', { ...canokey, algorithm: 'sm2' }, 'sm2', '82', 'default'],
  ])(
    '%s',
    async (_what, face, algorithm, slot, managementKey) => {
      const world = await open(face);
      const outcome = await world.press();
      expect(outcome).toMatchObject({ kind: 'success', managementKey });
      const [fresh, ...others] = ours(world.key.state());
      expect(others).toEqual([]);
      expect(fresh?.place).toBe(`PIV/${slot}`);
      expect(fresh?.name).toBe(`R${outcome.transactionId ?? ''}`);
      expect(fresh?.signing?.isPair()).toBe(true);
      expect(fresh && algorithmOf(fresh)).toBe(algorithm);
      expectOldIntact(world);
    },
    60_000,
  );

  test('the old authority’s RSA certificate is upgraded to SM2', async () => {
    const world = await open({ ...canokey, algorithm: 'rsa2048' }, 'old-issuer');
    expect(await world.press('upgrade')).toMatchObject({ kind: 'success', purpose: 'upgrade' });
    expect(ours(world.key.state()).map(algorithmOf)).toEqual(['sm2']);
    expectOldIntact(world);
  }, 60_000);

  test('what the key cannot make is said before anything is written', async () => {
    const world = await open({ ...ccid, algorithm: 'rsa2048' }, 'old-issuer');
    expect(await world.press('upgrade')).toMatchObject({ reason: 'unsupportedAlgorithm', resumable: false });
    expect(world.key.state()).toEqual(world.initial);
  }, 60_000);

  test('a run whose end nobody saw is recognised as finished, on another computer too', async () => {
    const world = await open(canokey);
    const first = await world.press();
    expect(await world.press()).toEqual(first);
    const elsewhere = await World.open(office, world.key.state(), 'canokey', { now });
    expect(await elsewhere.press()).toMatchObject({ kind: 'success', transactionId: first.transactionId });
    expect(elsewhere.passwordsTyped).toBe(0);
  });
});

describe('a key that cannot show a key pair without a certificate', () => {
  /** Ends a run, as a closed page would, at the first call of a method. */
  const endsAt =
    (method: 'generateSigningKeyPair' | 'importCertificate') =>
    (ports: Ports): Ports => ({
      ...ports,
      key: substitute(ports.key, { [method]: () => Promise.reject(new CaError('cancelled', 'the page was closed')) }),
    });
  /** As a key forgets what nobody noted: the object is as it was when the slot was taken. */
  function forgetKeyPair(state: KeyState): void {
    const [fresh] = ours(state);
    const object = state.piv?.objects.find(({ data }) => fresh && data.includes(nameInHex(fresh.name)));
    const index = object && state.piv?.objects.indexOf(object);
    if (!state.piv || !object || index === undefined) throw new Error('no object of ours');
    const content = `7221${nameInHex(fresh?.name ?? '')}7000710100fe00`;
    state.piv.objects[index] = { ...object, data: `53${(content.length / 2).toString(16)}${content}` };
  }
  const nameInHex = (name: string): string => Buffer.from(name).toString('hex');

  test('makes it once more where nobody was told of it, in the same slot under the same transaction', async () => {
    const world = await open({ ...canokey, algorithm: 'sm2' });
    const first = await world.press('renewal', undefined, (ports) => ({
      ...ports,
      key: substitute(ports.key, { sign: () => Promise.reject(new CaError('cancelled', 'the page was closed')) }),
    }));
    const state = world.key.state();
    const [made] = state.piv?.slots.slice(-1) ?? [];
    forgetKeyPair(state);
    await world.key.reset(state);
    const second = await world.press();
    expect(second).toMatchObject({ kind: 'success', transactionId: first.transactionId });
    const after = world.key.state().piv?.slots ?? [];
    expect(after.map(({ slot }) => slot)).toEqual(state.piv?.slots.map(({ slot }) => slot));
    expect(after.find(({ slot }) => slot === made?.slot)?.privateKey).not.toBe(made?.privateKey);
    expectOldIntact(world);
  });

  test.each([
    ['with the journal', true],
    ['on another computer', false],
  ])('gets the certificate that was issued for it, and proves it by its signature: %s', async (_what, journal) => {
    const world = await open({ ...canokey, algorithm: 'sm2' });
    const first = await world.press('renewal', undefined, endsAt('importCertificate'));
    expect(first).toMatchObject({ kind: 'stopped', resumable: true });
    const state = world.key.state();
    forgetKeyPair(state);
    const later = await World.open(office, state, 'canokey', { now, ...(journal && { journal: world.journal }) });
    expect(await later.press()).toMatchObject({ kind: 'success', transactionId: first.transactionId });
    expect(ours(later.key.state())).toHaveLength(1);
    expect(ours(later.key.state())[0]?.signing?.isPair()).toBe(true);
  });

  test('gives the certificate back when the key pair in the slot turns out to be another', async () => {
    const world = await open(canokey);
    const first = await world.press('renewal', undefined, endsAt('importCertificate'));
    const other = await open(canokey);
    await other.press('renewal', undefined, endsAt('importCertificate'));
    const state = world.key.state();
    const slots = state.piv?.slots ?? [];
    const strange = other.key.state().piv?.slots.at(-1);
    const index = slots.findIndex(({ slot }) => slot === strange?.slot);
    if (strange) slots[index] = strange;
    forgetKeyPair(state);
    await world.key.reset(state);
    expect(await world.press()).toMatchObject({ kind: 'stopped', reason: 'goneFromKey', resumable: false });
    expect(office.ca.ledger.transaction(first.transactionId ?? '')?.status).toBe('withdrawn');
    const next = await world.press();
    expect(next.kind).toBe('success');
    expect(next.transactionId).not.toBe(first.transactionId);
    expectOldIntact(world);
  });
});

describe('a key that wants the password for every signature', () => {
  const inSlot9C: Face = { ...ccid, passwordForEverySignature: true };

  test('request and confirmation each ask for it, with the reason, after the login', async () => {
    const world = await open(inSlot9C);
    const { ask, asked } = answering({});
    expect(await world.press('renewal', ask)).toMatchObject({ kind: 'success' });
    expect(kinds(asked)).toEqual(['login', 'request', 'confirmation']);
    expectOldIntact(world);
  });

  test('and so does each question to an authority that takes its time', async () => {
    const world = await open(inSlot9C, 'ca-waits');
    const { ask, asked } = answering({});
    expect(await world.press('renewal', ask)).toMatchObject({ kind: 'success' });
    const [login, request, ...rest] = kinds(asked);
    expect([login, request, rest.pop()]).toEqual(['login', 'request', 'confirmation']);
    expect(new Set(rest)).toEqual(new Set(['poll']));
  });

  test('a wrong one in between costs one try and is asked for again; giving up leaves the transaction to go on', async () => {
    const world = await open(inSlot9C);
    const wrong = answering({ passwords: [samplePassword, '87654321'] });
    const first = await world.press('renewal', wrong.ask);
    expect(first).toMatchObject({ kind: 'stopped', reason: 'cancelled', resumable: true, step: 'request' });
    expect(wrong.asked.slice(-1)).toMatchObject([{ reason: 'request', wrongBefore: true }]);
    expect(await world.press('renewal', answering({}).ask)).toMatchObject({
      kind: 'success',
      transactionId: first.transactionId,
    });
  });

  test('an authority that cannot be reached for a poll does not ask for the password again and again', async () => {
    const world = await open(inSlot9C, 'ca-waits');
    const { ask, asked } = answering({});
    const outcome = await world.press('renewal', ask, (ports) => ({
      ...ports,
      authority: substitute(ports.authority, {
        poll: async (reply, credential) => {
          await credential.sign(reply);
          throw new CaError('unreachable', 'nobody there');
        },
      }),
    }));
    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'caUnreachable', resumable: true });
    expect(kinds(asked)).toEqual(['login', 'request', 'poll']);
  });
});

describe('the management key', () => {
  test('kept behind the password, nobody is asked for it', async () => {
    const world = await open({ ...ccid, managementKey: 'protected' });
    const { ask, asked } = answering({});
    expect(await world.press('renewal', ask)).toMatchObject({ kind: 'success', managementKey: 'protected' });
    expect(kinds(asked)).toEqual(['login']);
    expectOldIntact(world);
  });

  test('of the person’s own: asked for, once more after a wrong one, and cleared', async () => {
    const world = await open({ ...ccid, managementKey: 'custom' });
    const key = world.initial.piv?.managementKey.key ?? '';
    const { ask, asked, given } = answering({ managementKeys: ['00'.repeat(24), key] });
    const outcome = await world.press('renewal', ask);
    expect(outcome).toMatchObject({ kind: 'success', managementKey: 'asked' });
    expect(asked.filter(({ kind }) => kind === 'managementKey')).toEqual([
      { kind: 'managementKey', wrongBefore: false },
      { kind: 'managementKey', wrongBefore: true },
    ]);
    expect(given.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
    const record = recordsOf(world).get(outcome.transactionId ?? '');
    expect(record?.managementKey).toBe('asked');
    expect(
      JSON.stringify(record, (_name, value: unknown) => (value instanceof Uint8Array ? [...value] : value)),
    ).not.toContain(String([...fromHex(key)]));
  });

  test.each([
    ['three wrong ones', ['00', '11', '22', '33'].map((byte) => byte.repeat(24)), 'managementKeyNeeded', 3],
    ['none', [], 'cancelled', 1],
  ])('%s: the run stops, and the key is as it was', async (_what, managementKeys, reason, questions) => {
    const world = await open({ ...ccid, managementKey: 'custom' });
    const { ask, asked } = answering({ managementKeys });
    expect(await world.press('renewal', ask)).toMatchObject({ kind: 'stopped', reason, resumable: false });
    expect(asked.filter(({ kind }) => kind === 'managementKey')).toHaveLength(questions);
    expect(world.key.state()).toEqual(world.initial);
    expect(recordsOf(world).size).toBe(0);
  });

  test('a key that goes on wanting it after the right one is not asked for ever', async () => {
    const world = await open({ ...ccid, managementKey: 'custom' });
    const key = world.initial.piv?.managementKey.key ?? '';
    const { ask, asked } = answering({ managementKeys: Array.from({ length: 9 }, () => key) });
    const outcome = await world.press('renewal', ask, (ports) => ({
      ...ports,
      key: substitute(ports.key, { useManagementKey: () => Promise.resolve() }),
    }));
    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'managementKeyNeeded' });
    expect(asked.filter(({ kind }) => kind === 'managementKey')).toHaveLength(1);
  });
});

describe('room on the key', () => {
  test('without a spare slot nothing is begun and nothing is left to go on with', async () => {
    const world = await open(canokey);
    const full = world.key.state();
    for (const tag of ['5fc10d', '5fc10e']) full.piv?.objects.push({ tag, data: '5303710100' });
    await world.key.reset(full);
    expect(await world.press()).toMatchObject({ kind: 'stopped', reason: 'noRoom', resumable: false });
    expect(world.key.state()).toEqual(full);
    expect(recordsOf(world).size).toBe(0);
  });

  test('a slot that this site filled can be given up for the next renewal; one that it did not fill stays', async () => {
    const world = await open(canokey);
    const retire = async (transactionId: string): Promise<unknown> => {
      const key = await world.connect();
      const { ask: askPassword } = answering({});
      const retirement = await retireOld(world.ports(key), { transactionId, askPassword });
      await key.close();
      return retirement;
    };
    const first = await world.press();
    expect(await retire(first.transactionId ?? '')).toEqual({ kind: 'kept', because: 'notOurs' });
    expect(at(world.key.state(), '9A')?.content).toBe(at(world.initial, '9A')?.content);
    skew = 340 * 86_400_000;
    const second = await world.press();
    expect(second.kind).toBe('success');
    expect(ours(world.key.state())).toHaveLength(2);
    expect(await retire(second.transactionId ?? '')).toEqual({ kind: 'retired' });
    expect(ours(world.key.state()).map(({ name }) => name)).toEqual([`R${second.transactionId ?? ''}`]);
    skew = 0;
  });
});
