import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Restorable } from '../../../src/diagnosis/restorable.ts';
import { bytesToHex, hexToBytes } from '../../virtual-key/bytes.ts';
import type { KeyState } from '../../virtual-key/state.ts';
import { Clinic, type Patient } from './clinic.ts';
import { repair, repairWith, type Attempt } from './repairs.ts';
import { firstContainer, situations } from './situations.ts';

let clinic: Clinic;
beforeAll(async () => {
  clinic = await Clinic.open();
});
afterAll(() => clinic.close());

const situation = (cause: string): (typeof situations)[number] => {
  const found = situations.find((one) => one.cause === cause);
  if (!found) throw new Error(`nothing has ${cause}`);
  return found;
};

async function brokenBy(cause: string): Promise<Patient> {
  const patient = await clinic.patient('not-due');
  await situation(cause).broken?.(patient);
  return patient;
}

/** All containers but those a repair is about, and of the others what must never change: their key pairs. */
const others = (state: KeyState, except: string): unknown =>
  state.applications.map(({ containers }) => containers.filter(({ name }) => name !== except));

describe('a certificate that is lost beside its key pair', () => {
  test('is written back from the journal, byte for byte, and the check is content', async () => {
    const healthy = await clinic.patient('not-due');
    const certificate = firstContainer(healthy.key.state()).signing?.certificate;
    await situation('lostCertificate').broken?.(healthy);
    const broken = healthy.key.state();

    const outcome = await repair(healthy, 'restore');

    expect(outcome).toEqual({ kind: 'mended', count: 1 });
    const mended = healthy.key.state();
    expect(firstContainer(mended).signing).toEqual({ ...firstContainer(broken).signing, certificate });
    expect(others(mended, firstContainer(mended).name)).toEqual(others(broken, firstContainer(broken).name));
    expect((await healthy.examine()).said).toMatchObject({ certificates: 'ok', chain: 'ok', keyPair: 'ok' });
  });

  test('is written back from the authority where the journal is gone', async () => {
    const patient = await clinic.patient('not-due');
    const state = patient.key.state();
    const first = firstContainer(state);
    const certificate = hexToBytes(first.signing?.certificate ?? '');
    const ours = 'ef'.repeat(16);
    Object.assign(first, { name: `R${ours}` });
    if (first.signing) delete first.signing.certificate;
    await patient.key.reset(state);
    const { service } = patient.ports;
    // The wire to the authority has tests of its own; here it only matters what it says.
    const lookUp = (id: Uint8Array): Promise<never> =>
      (bytesToHex(id) === ours
        ? Promise.resolve({ kind: 'confirmed', certificate, reply: new Uint8Array() })
        : Promise.resolve({ kind: 'unknown' })) as Promise<never>;
    patient.ports = { ...patient.ports, service: { ...service, authority: () => Promise.resolve({ lookUp }) } };

    // Without any certificate the checks of certificates have nothing to stand on; the one of left-overs has.
    const examined = await patient.examine();
    const outcome = await repairWith(patient, 'restore', examined.notes);

    expect(examined.said['leftovers']).toBe('lostCertificate');
    expect(outcome).toEqual({ kind: 'mended', count: 1 });
    expect((await patient.examine()).said).toMatchObject({ certificates: 'ok', leftovers: 'ok' });
  });

  test.each<[string, Attempt, object]>([
    ['the person gives up', { givesUp: true }, { kind: 'stopped', reason: 'cancelled' }],
    ['the model may only be read', { enrolment: 'readOnly' }, { kind: 'stopped', reason: 'modelStopped' }],
  ])('stays lost, and nothing is written, where %s', async (_name, attempt, expected) => {
    const patient = await brokenBy('lostCertificate');
    const before = patient.key.state();

    expect(await repair(patient, 'restore', attempt)).toEqual(expected);

    expect(patient.key.state()).toEqual(before);
  });

  test.each<[string, (one: Restorable, state: KeyState) => Restorable]>([
    ['of another key pair', (one) => ({ ...one, certificate: foreignCertificate })],
    ['that is torn itself', (one) => ({ ...one, certificate: one.certificate.slice(0, 100) })],
    ['for a container that is not there', (one) => ({ ...one, container: { ...one.container, container: 'gone' } })],
  ])('%s is never written', async (_name, change) => {
    const patient = await brokenBy('lostCertificate');
    const before = patient.key.state();
    const { notes } = await patient.examine();
    const [one] = notes.restorable ?? [];
    if (!one) throw new Error('nothing to restore');

    const outcome = await repairWith(patient, 'restore', { ...notes, restorable: [change(one, before)] });

    expect(outcome).toEqual({ kind: 'changed' });
    expect(patient.key.state()).toEqual(before);
  });
  let foreignCertificate = new Uint8Array();
  beforeAll(async () => {
    const state = await clinic.ca.personalise('not-due', 'longmai-hid');
    foreignCertificate = hexToBytes(firstContainer(state).signing?.certificate ?? '');
  });
});

describe('a container that a broken attempt has left', () => {
  test('is deleted, and nothing else', async () => {
    const patient = await brokenBy('leftover');
    const left = patient.key.state().applications[0]?.containers.at(-1)?.name ?? '';
    const before = patient.key.state();

    const outcome = await repair(patient, 'tidy');

    expect(outcome).toEqual({ kind: 'mended', count: 1 });
    expect(others(patient.key.state(), '')).toEqual(others(before, left));
    expect((await patient.examine()).said['leftovers']).toBe('ok');
  });

  test('stays where the authority does not say that its transaction has ended', async () => {
    const patient = await brokenBy('leftover');
    const { notes } = await patient.examine();
    const before = patient.key.state();
    const fresh = await clinic.patient(before);

    const outcome = await repairWith(fresh, 'tidy', notes);

    expect(outcome).toEqual({ kind: 'changed' });
    expect(fresh.key.state()).toEqual(before);
  });
});

describe('a repair that is cut', () => {
  const cases = [
    ['restore', 'lostCertificate'],
    ['tidy', 'leftover'],
  ] as const;

  test.each(cases)(
    '%s: at any transfer or write it makes nothing worse, and works the next time',
    async (what, cause) => {
      const untouched = await brokenBy(cause);
      const before = untouched.key.state();
      const { notes } = await untouched.examine();
      const transfersBefore = untouched.key.transfers;
      await repairWith(untouched, what, notes);
      const transfers = untouched.key.transfers - transfersBefore;
      const writes = untouched.key.writes;
      const healed = untouched.key.state();
      const target =
        what === 'restore' ? firstContainer(before).name : (before.applications[0]?.containers.at(-1)?.name ?? '');
      const cuts = [
        ...Array.from({ length: transfers }, (_, n) => ({ place: 'transfer', n: n + 1 }) as const),
        ...Array.from({ length: writes }, (_, n) => ({ place: 'write', n: n + 1 }) as const),
      ].flatMap((cut) => (['before', 'after'] as const).map((when) => ({ ...cut, when })));
      expect(transfers).toBeGreaterThan(10);
      expect(writes).toBeGreaterThan(0);

      for (const { place, n, when } of cuts) {
        const name = `${place} ${n} ${when}`;
        await untouched.key.reset(structuredClone(before));
        if (place === 'transfer') untouched.key.unplugAt(n, when);
        else untouched.key.unplugAtWrite(n, when);
        await repairWith(untouched, what, notes).catch(() => undefined);
        untouched.key.disarm();
        const cutState = untouched.key.state();
        expect(others(cutState, target), name).toEqual(others(before, target));
        const cutContainer = cutState.applications[0]?.containers.find((one) => one.name === target);
        const container = before.applications[0]?.containers.find((one) => one.name === target);
        if (what === 'restore') expect(cutContainer?.signing?.privateKey, name).toBe(container?.signing?.privateKey);
        expect(cutState.applications[0]?.remainingTries, name).toBe(before.applications[0]?.remainingTries);

        await untouched.key.unplug();
        await untouched.key.plug();
        const outcome = await repairWith(untouched, what, notes);
        expect(['mended', 'changed'], name).toContain(outcome.kind);
        expect(untouched.key.state().applications[0]?.containers, name).toEqual(healed.applications[0]?.containers);
      }
    },
    120_000,
  );
});
