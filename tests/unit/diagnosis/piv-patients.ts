import { journalPort } from '../../../src/diagnosis/journal-port.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { encodeCertificateObject } from '../../../src/usbkey/piv-objects.ts';
import type { JournalRecord } from '../../../src/renewal/journal.ts';
import { tlv } from '../../virtual-key/ber-tlv.ts';
import { bytesToHex, hexToBytes } from '../../virtual-key/bytes.ts';
import { certificateIn, certificateObject, certificateTag, tagName } from '../../virtual-key/piv-objects.ts';
import type { Attachment, KeyState, PivAlgorithm, PivState, Scenario } from '../../virtual-key/state.ts';
import type { Clinic, Patient } from './clinic.ts';

/* PIV keys after a renewal: the old pair in 9A, the new one in 82 under a name of this site. */

export const pivTransactionId = '5c'.repeat(16);
export const newName = `R${pivTransactionId}`;
export const oldSlot = 0x9a;
export const newSlot = 0x82;

export interface PivKeyKind {
  readonly attachment: Exclude<Attachment, 'longmai-hid' | 'ccid-0b'>;
  readonly algorithm: PivAlgorithm;
  /** Decides the management key too: `expired` keeps it to itself, `old-issuer` has the delivered one. */
  readonly scenario?: Scenario;
}

export const pivOf = ({ piv }: KeyState): PivState => {
  if (!piv) throw new Error('not a PIV key');
  return piv;
};
export const certificateOf = (state: KeyState, slot: number): Uint8Array => {
  const { certificate } = certificateIn(pivOf(state), slot);
  if (!certificate) throw new Error(`no certificate in ${slot.toString(16)}`);
  return certificate;
};

/** What stands in a slot's object, `53 …`; undefined takes it away. */
export function setObject({ objects }: PivState, slot: number, data: Uint8Array | undefined): void {
  const tag = tagName(certificateTag(slot));
  const index = objects.findIndex((one) => one.tag === tag);
  if (index >= 0) objects.splice(index, 1);
  if (data) objects.push({ tag, data: bytesToHex(data) });
}
export const objectOf = (state: KeyState, slot: number): string | undefined =>
  pivOf(state).objects.find(({ tag }) => tag === tagName(certificateTag(slot)))?.data;

/** A key whose renewal is done, as this site leaves it. */
export async function renewedPivKey({ ca }: Clinic, kind: PivKeyKind): Promise<KeyState> {
  const { attachment, algorithm, scenario = 'not-due' } = kind;
  const state = await ca.personalise(scenario, attachment, { commandSet: 'piv', algorithm });
  const another = await ca.personalise('not-due', attachment, { commandSet: 'piv', algorithm });
  const [pair] = pivOf(another).slots;
  if (!pair) throw new Error('no key pair');
  const piv = pivOf(state);
  piv.slots.push({ ...pair, slot: '82' });
  const certificate = certificateOf(another, oldSlot);
  // Of a key that does not tell its public keys they are noted.
  const publicKey = piv.features.metadata ? undefined : parseCertificate(certificate).spki;
  setObject(piv, newSlot, tlv(0x53, ...encodeCertificateObject({ container: newName, certificate, publicKey })));
  return state;
}

/** The journal's record of that renewal. */
export const renewalRecord = (state: KeyState, change: Partial<JournalRecord> = {}): JournalRecord => ({
  ...{ transactionId: pivTransactionId, purpose: 'renewal', stage: 'done' },
  keySerialNumber: serialNumberOf(state),
  oldContainer: { application: 'PIV', container: '9A' },
  oldCertificate: certificateOf(state, oldSlot),
  newContainer: { application: 'PIV', container: newName },
  newPublicKey: parseCertificate(certificateOf(state, newSlot)).spki,
  newCertificate: certificateOf(state, newSlot),
  ...{ startedAt: Date.now(), updatedAt: Date.now() },
  ...change,
});

/** As the key tells it: the last four bytes of what is on the case, as a decimal number. */
export const serialNumberOf = ({ info }: KeyState): string =>
  String(parseInt(info.serialNumber.replaceAll(/[^0-9a-f]/giu, '').slice(-8), 16));

/** What may have happened to a certificate object. */
export const damages = {
  gone: () => undefined,
  cut: (object: Uint8Array) => object.slice(0, object.length - 120),
  'cut at its beginning': (object: Uint8Array) => object.slice(0, 60),
  'filled with something else': (object: Uint8Array) => tlv(0x53, new Uint8Array(object.length - 4).fill(0x5a)),
  'emptied of its certificate': (_object: Uint8Array, name: string | undefined) =>
    certificateObject(new Uint8Array(), name),
} as const;
export type Damage = keyof typeof damages;

/** Breaks a slot's object while the key is out. */
export async function damage({ key }: Patient, slot: number, how: Damage): Promise<void> {
  const state = key.state();
  const name = certificateIn(pivOf(state), slot).name;
  setObject(pivOf(state), slot, damages[how](hexToBytes(objectOf(state, slot) ?? ''), name));
  await key.reset(state);
}

/** The authority knows the transaction, and its certificate; the wire to it has tests of its own. */
export function authorityKnows(patient: Patient, certificate: Uint8Array): void {
  const lookUp = (id: Uint8Array): Promise<never> =>
    Promise.resolve(
      bytesToHex(id) === pivTransactionId
        ? { kind: 'confirmed', certificate, reply: new Uint8Array() }
        : { kind: 'unknown' },
    ) as Promise<never>;
  const { service } = patient.ports;
  patient.ports = { ...patient.ports, service: { ...service, authority: () => Promise.resolve({ lookUp }) } };
}

/** A renewed key on the desk, one certificate of which is broken, and which is remembered where it is said. */
export async function pivPatient(
  clinic: Clinic,
  kind: PivKeyKind,
  broken: { readonly slot: number; readonly how: Damage; readonly known: 'journal' | 'authority' | 'nobody' },
): Promise<{ readonly patient: Patient; readonly healthy: KeyState }> {
  const healthy = await renewedPivKey(clinic, kind);
  const patient = await clinic.patient(healthy, kind.attachment);
  if (broken.known === 'journal') await journalPort.put(renewalRecord(healthy));
  if (broken.known === 'authority') authorityKnows(patient, certificateOf(healthy, newSlot));
  await damage(patient, broken.slot, broken.how);
  return { patient, healthy };
}
