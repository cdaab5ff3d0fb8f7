import { afterAll, beforeAll, expect, test } from 'vitest';
import { toHex } from '../../../src/pki/bytes.ts';
import type { Certificate } from '../../../src/pki/certificate.ts';
import { activeUnlessRevoked } from '../../../src/renewal/active-certificate.ts';
import { readKeyContents } from '../../../src/renewal/key-contents.ts';
import type { Ports } from '../../../src/renewal/procedure.ts';
import { KeyError } from '../../../src/usbkey/usbkey.ts';
import { substitute } from '../../faults/substitute.ts';
import { MemoryJournal, Office, recordsOf, World } from '../../faults/world.ts';
import type { KeyState } from '../../virtual-key/state.ts';

/* What is known to be taken back is not renewed, neither by what a page shows nor by what a run does. */

let office: Office;
beforeAll(async () => {
  office = await Office.open();
}, 30_000);
afterAll(() => office.close());

const signingOf = (state: KeyState): (string | undefined)[] =>
  state.applications.flatMap(({ containers }) => containers).map(({ signing }) => signing?.certificate);

const knowing =
  (...revoked: readonly (string | undefined)[]) =>
  (ports: Ports): Ports => ({
    ...ports,
    isRevoked: ({ der }: Certificate) => revoked.includes(toHex(der)),
  });

/** A key that was renewed once, on a computer that remembers nothing of it. */
async function renewedKey(): Promise<World> {
  const world = await World.open(office, 'due-30-days', 'longmai-hid');
  expect(await world.press()).toMatchObject({ kind: 'success' });
  return World.open(office, world.key.state(), 'longmai-hid', { journal: new MemoryJournal() });
}

test('the only certificate is taken back: said without a password, and nothing is done', async () => {
  const world = await World.open(office, 'due-30-days', 'longmai-hid');

  const outcome = await world.press('renewal', undefined, knowing(...signingOf(world.initial)));

  expect(outcome).toMatchObject({ kind: 'stopped', reason: 'certificateRevoked', resumable: false });
  expect(world.passwordsTyped).toBe(0);
  expect(world.key.state()).toEqual(world.initial);
  expect(recordsOf(world).size).toBe(0);
});

test('the newer of two is taken back: the run replaces the one that a page shows', async () => {
  const world = await renewedKey();
  const [old, newer] = signingOf(world.initial);
  const contents = await readKeyContents(await world.connect(), office.trust, new Date());
  const isNewer = ({ der }: Certificate): boolean => toHex(der) === newer;
  const shown = activeUnlessRevoked(contents.certificates, new Date(), [], isNewer);
  expect(shown).toMatchObject({ isRevoked: false });

  const outcome = await world.press('renewal', undefined, knowing(newer));

  expect(outcome).toMatchObject({ kind: 'success' });
  if (outcome.kind !== 'success') return;
  expect(toHex(outcome.oldCertificate)).toBe(old);
  expect(outcome.oldCertificate).toEqual(shown.active?.certificate.der);
  expect(signingOf(world.key.state())).toEqual([old, newer, toHex(outcome.newCertificate)]);
});

test('the old one was taken back for the new one: what is done stays done', async () => {
  const world = await renewedKey();
  const [old, newer] = signingOf(world.initial);

  const outcome = await world.press('renewal', undefined, knowing(old));

  expect(outcome).toMatchObject({ kind: 'success' });
  if (outcome.kind !== 'success') return;
  expect([toHex(outcome.oldCertificate), toHex(outcome.newCertificate)]).toEqual([old, newer]);
  expect(world.passwordsTyped).toBe(0);
  expect(world.key.state()).toEqual(world.initial);
});

test('on another computer, what is issued is finished although the old one was taken back for it', async () => {
  const world = await World.open(office, 'due-30-days', 'longmai-hid');
  const first = await world.press('renewal', undefined, (ports) => ({
    ...ports,
    key: substitute(ports.key, { importCertificate: () => Promise.reject(new KeyError('refused', 'not now')) }),
  }));
  expect(first).toMatchObject({ reason: 'keyRefused', resumable: true });
  const elsewhere = await World.open(office, world.key.state(), 'longmai-hid', { journal: new MemoryJournal() });

  const second = await elsewhere.press('renewal', undefined, knowing(...signingOf(world.initial)));

  expect(second).toMatchObject({ kind: 'success', transactionId: first.transactionId });
});
