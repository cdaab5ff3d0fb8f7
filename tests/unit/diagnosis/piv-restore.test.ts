import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { journalPort } from '../../../src/diagnosis/journal-port.ts';
import { tlv } from '../../virtual-key/ber-tlv.ts';
import { bytesToHex } from '../../virtual-key/bytes.ts';
import { sm2KeyPair } from '../../virtual-key/make-state.ts';
import type { KeyState } from '../../virtual-key/state.ts';
import { Clinic, type Patient } from './clinic.ts';
import {
  certificateOf,
  damage,
  type Damage,
  newName,
  newSlot,
  objectOf,
  oldSlot,
  pivOf,
  pivPatient,
  type PivKeyKind,
  renewalRecord,
  renewedPivKey,
  setObject,
} from './piv-patients.ts';
import { certificateIn } from '../../virtual-key/piv-objects.ts';
import { repair, repairWith } from './repairs.ts';

let clinic: Clinic;
beforeAll(async () => {
  clinic = await Clinic.open();
});
afterAll(() => clinic.close());

const extended: PivKeyKind = { attachment: 'ccid-extended', algorithm: 'p256' };
const short: PivKeyKind = { attachment: 'ccid-short', algorithm: 'p256' };
const canokey: PivKeyKind = { attachment: 'canokey', algorithm: 'p256' };
const canokeyRsa: PivKeyKind = { attachment: 'canokey', algorithm: 'rsa2048' };
/** Has to be asked for its management key. */
const secretive: PivKeyKind = { ...extended, scenario: 'expired' };

/** All that a repair of one slot must leave as it is. */
const others = (state: KeyState, slot: number): unknown => {
  const rest = structuredClone(pivOf(state));
  setObject(rest, slot, undefined);
  const byTag = (a: { tag: string }, b: { tag: string }): number => a.tag.localeCompare(b.tag);
  return { ...rest, objects: rest.objects.sort(byTag) };
};

describe('a certificate that is lost from a PIV slot', () => {
  const cases: readonly [PivKeyKind, string, number, Damage][] = [
    [extended, 'new', newSlot, 'gone'],
    [extended, 'new', newSlot, 'cut'],
    [extended, 'new', newSlot, 'filled with something else'],
    [extended, 'new', newSlot, 'emptied of its certificate'],
    [extended, 'old', oldSlot, 'gone'],
    [extended, 'old', oldSlot, 'cut'],
    [{ ...extended, algorithm: 'rsa2048' }, 'new', newSlot, 'gone'],
    [short, 'new', newSlot, 'gone'],
    [short, 'old', oldSlot, 'filled with something else'],
    [canokey, 'new', newSlot, 'cut'],
    [canokey, 'new', newSlot, 'cut at its beginning'],
    [canokey, 'old', oldSlot, 'cut'],
    [canokeyRsa, 'new', newSlot, 'cut at its beginning'],
    [canokeyRsa, 'old', oldSlot, 'filled with something else'],
    [{ ...canokey, algorithm: 'sm2' }, 'new', newSlot, 'cut'],
  ];

  test.each(cases)('%o, the %s one in %i, %s: is written back from the journal', async (kind, which, slot, how) => {
    const { patient, healthy } = await pivPatient(clinic, kind, { slot, how, known: 'journal' });
    const broken = patient.key.state();

    const examined = await patient.examine();
    expect(examined.said['certificates'], JSON.stringify(examined.said)).toBe('lostCertificate');
    expect(patient.key.state()).toEqual(broken);
    expect(patient.key.writes).toBe(0);
    const outcome = await repairWith(patient, 'restore', examined.notes);

    expect(outcome).toMatchObject({ kind: 'mended', count: 1 });
    const mended = patient.key.state();
    expect(certificateOf(mended, slot)).toEqual(certificateOf(healthy, slot));
    expect(certificateIn(pivOf(mended), slot).name).toBe(which === 'new' ? newName : undefined);
    expect(others(mended, slot)).toEqual(others(healthy, slot));
    const again = await patient.examine();
    expect(again.said).toMatchObject({ certificates: 'ok', keyPair: 'ok', chain: 'ok', leftovers: 'ok' });
  });

  test.each<[PivKeyKind, Damage]>([
    [extended, 'emptied of its certificate'],
    [canokey, 'cut'],
    [canokeyRsa, 'cut at its beginning'],
  ])('%o, %s: is written back from the authority where the journal is gone', async (kind, how) => {
    const { patient, healthy } = await pivPatient(clinic, kind, { slot: newSlot, how, known: 'authority' });

    const examined = await patient.examine();
    expect(examined.said['leftovers'], JSON.stringify(examined.said)).toBe('lostCertificate');
    const outcome = await repairWith(patient, 'restore', examined.notes);

    expect(outcome).toMatchObject({ kind: 'mended', count: 1 });
    const mended = patient.key.state();
    expect(certificateOf(mended, newSlot)).toEqual(certificateOf(healthy, newSlot));
    expect(certificateIn(pivOf(mended), newSlot).name).toBe(newName);
    expect(others(mended, newSlot)).toEqual(others(healthy, newSlot));
    expect((await patient.examine()).said['leftovers']).toBe('ok');
  });

  test('whose name is gone too is asked for by the transaction that the journal knows its key pair by', async () => {
    const { patient, healthy } = await pivPatient(clinic, extended, { slot: newSlot, how: 'gone', known: 'authority' });
    const { newCertificate, ...record } = renewalRecord(healthy);
    expect(newCertificate).toBeDefined();
    await journalPort.put({ ...record, stage: 'ended', endedBecause: 'goneFromKey' });

    const outcome = await repair(patient, 'restore');

    expect(outcome).toMatchObject({ kind: 'mended', count: 1 });
    expect(objectOf(patient.key.state(), newSlot)).toBe(objectOf(healthy, newSlot));
  });

  test('wants the management key from the person where the key neither keeps nor was delivered with it', async () => {
    const { patient, healthy } = await pivPatient(clinic, secretive, { slot: newSlot, how: 'gone', known: 'journal' });
    const questions: string[] = [];

    const outcome = await repair(patient, 'restore', { onQuestion: ({ kind }) => questions.push(kind) });

    expect(outcome).toEqual({ kind: 'mended', count: 1, managementKey: 'asked' });
    expect(questions).toEqual(['password', 'managementKey']);
    expect(objectOf(patient.key.state(), newSlot)).toBe(objectOf(healthy, newSlot));
  });

  test('says so where the writing was allowed by the management key that keys are delivered with', async () => {
    const { patient } = await pivPatient(clinic, canokey, { slot: newSlot, how: 'cut', known: 'journal' });

    expect(await repair(patient, 'restore')).toMatchObject({ managementKey: 'default' });
  });

  test('is written into a slot that wants the password before each signature', async () => {
    const healthy = await renewedPivKey(clinic, extended);
    const piv = pivOf(healthy);
    const [first] = piv.slots;
    if (!first) throw new Error('no key pair');
    piv.slots.splice(0, 1, { ...first, pinPolicy: 'always' });
    const patient = await clinic.patient(healthy, 'ccid-extended');
    await journalPort.put(renewalRecord(healthy));
    await damage(patient, oldSlot, 'gone');

    const outcome = await repair(patient, 'restore');

    expect(outcome).toMatchObject({ kind: 'mended', count: 1 });
    expect(certificateOf(patient.key.state(), oldSlot)).toEqual(certificateOf(healthy, oldSlot));
  });
});

test('what other programs have stored with a damaged certificate stays with it', async () => {
  const healthy = await renewedPivKey(clinic, extended);
  const certificate = certificateOf(healthy, oldSlot);
  const theirs = [tlv(0x72, Uint8Array.of(1, 2, 3, 4)), tlv(0xdf4a, Uint8Array.of(5, 6))];
  const object = (der: Uint8Array): Uint8Array =>
    tlv(0x53, tlv(0x70, der), tlv(0x71, Uint8Array.of(0)), ...theirs, tlv(0xfe));
  const broken = structuredClone(healthy);
  setObject(pivOf(broken), oldSlot, object(certificate.slice(0, 200)));
  const patient = await clinic.patient(broken, 'ccid-extended');
  await journalPort.put(renewalRecord(healthy));

  const outcome = await repair(patient, 'restore');

  expect(outcome).toMatchObject({ kind: 'mended', count: 1 });
  expect(objectOf(patient.key.state(), oldSlot)).toBe(bytesToHex(object(certificate)));
});

describe('nothing is written to a PIV key', () => {
  test.each([
    ['that tells its public keys', extended, 'gone'],
    ['that does not', canokeyRsa, 'cut at its beginning'],
  ] as const)('%s, whose slot holds another key pair', async (_name, kind, how) => {
    const { patient } = await pivPatient(clinic, kind, { slot: newSlot, how, known: 'journal' });
    const { notes } = await patient.examine();
    expect(notes.restorable).toHaveLength(1);
    const state = patient.key.state();
    const stranger = pivOf(await renewedPivKey(clinic, kind)).slots[1];
    if (!stranger) throw new Error('no key pair');
    pivOf(state).slots.splice(1, 1, stranger);
    await patient.key.reset(state);

    const outcome = await repairWith(patient, 'restore', notes);

    expect(outcome.kind).not.toBe('mended');
    expect(patient.key.state()).toEqual(state);
    expect(patient.key.writes).toBe(0);
  });

  test('whose slot has no key pair any more', async () => {
    const { patient } = await pivPatient(clinic, extended, { slot: newSlot, how: 'gone', known: 'journal' });
    const state = patient.key.state();
    pivOf(state).slots.splice(1, 1);
    await patient.key.reset(state);

    expect((await patient.examine()).said['certificates']).toBe('ok');
  });

  test('whose slot has a certificate by then', async () => {
    const { patient, healthy } = await pivPatient(clinic, extended, { slot: newSlot, how: 'gone', known: 'journal' });
    const { notes } = await patient.examine();
    await patient.key.reset(healthy);

    expect(await repairWith(patient, 'restore', notes)).toEqual({ kind: 'changed' });
    expect(patient.key.writes).toBe(0);
  });

  test.each([
    ['the person gives up', { givesUp: true }, 'cancelled'],
    ['the model may only be read', { enrolment: 'readOnly' }, 'modelStopped'],
  ] as const)('where %s', async (_name, attempt, reason) => {
    const { patient } = await pivPatient(clinic, secretive, { slot: newSlot, how: 'gone', known: 'journal' });
    const before = patient.key.state();

    expect(await repair(patient, 'restore', attempt)).toEqual({ kind: 'stopped', reason });

    expect(patient.key.state()).toEqual(before);
  });

  test('of a certificate that nobody knows', async () => {
    const { patient } = await pivPatient(clinic, extended, { slot: oldSlot, how: 'gone', known: 'nobody' });

    const { notes, said } = await patient.examine();

    expect(notes.restorable).toEqual([]);
    expect(said['certificates']).toBe('ok');
  });

  test('whose key pairs are changing places: that is the procedure’s to finish', async () => {
    const { patient, healthy } = await pivPatient(clinic, extended, { slot: oldSlot, how: 'gone', known: 'nobody' });
    await journalPort.put(renewalRecord(healthy, { promotion: 'chosen' }));

    expect((await patient.examine()).notes.restorable).toEqual([]);
  });
});

test('a certificate of another key pair in the journal is left there', async () => {
  const { patient, healthy } = await pivPatient(clinic, extended, { slot: newSlot, how: 'gone', known: 'nobody' });
  const foreign = Buffer.from(sm2KeyPair().certificate ?? '', 'hex');
  await journalPort.put(renewalRecord(healthy, { newCertificate: foreign, oldCertificate: foreign }));

  expect((await patient.examine()).notes.restorable).toEqual([]);
});

describe('a restoration on a PIV key that is cut', () => {
  const cases = [
    ['journal', extended, 'gone', 9],
    ['journal', secretive, 'gone', 23],
    ['journal', canokey, 'cut', 3],
    ['journal', canokeyRsa, 'cut at its beginning', 5],
    ['authority', canokey, 'cut', 7],
    ['authority', extended, 'emptied of its certificate', 23],
  ] as const;

  test.each(cases)(
    'from the %s, %o, %s: at every write, and every %ith transfer, makes nothing worse and works the next time',
    async (known, kind, how, every) => {
      const { patient, healthy } = await pivPatient(clinic, kind, { slot: newSlot, how, known });
      const before = patient.key.state();
      const { notes } = await patient.examine();
      const transfersBefore = patient.key.transfers;
      await repairWith(patient, 'restore', notes);
      const transfers = patient.key.transfers - transfersBefore;
      const { writes } = patient.key;
      const healed = patient.key.state();
      expect(certificateOf(healed, newSlot)).toEqual(certificateOf(healthy, newSlot));
      expect(transfers).toBeGreaterThan(30);
      expect(writes).toBeGreaterThan(0);
      const cuts = [
        ...Array.from({ length: writes }, (_, n) => ({ place: 'write', n: n + 1 }) as const),
        ...Array.from(
          { length: Math.floor(transfers / every) },
          (_, n) => ({ place: 'transfer', n: n * every + 1 }) as const,
        ),
      ].flatMap((cut) => (['before', 'after'] as const).map((when) => ({ ...cut, when })));

      for (const { place, n, when } of cuts) {
        const name = `${place} ${n} ${when}`;
        await patient.key.reset(structuredClone(before));
        cutAt(patient, place, n, when);
        await repairWith(patient, 'restore', notes).catch(() => undefined);
        patient.key.disarm();
        expect(others(patient.key.state(), newSlot), name).toEqual(others(before, newSlot));

        await patient.key.unplug();
        await patient.key.plug();
        // What is found now is what there is to go by: the name, or the key pair, still leads to the certificate.
        const again = await patient.examine();
        const outcome = await repairWith(patient, 'restore', again.notes);
        expect(['mended', 'changed'], name).toContain(outcome.kind);
        expect(objectOf(patient.key.state(), newSlot), name).toBe(objectOf(healed, newSlot));
        expect(others(patient.key.state(), newSlot), name).toEqual(others(healed, newSlot));
      }
    },
    180_000,
  );
});

function cutAt({ key }: Patient, place: 'write' | 'transfer', n: number, when: 'before' | 'after'): void {
  if (place === 'transfer') key.unplugAt(n, when);
  else key.unplugAtWrite(n, when);
}
