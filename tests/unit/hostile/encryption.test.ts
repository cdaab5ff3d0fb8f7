import { afterAll, beforeAll, expect, test } from 'vitest';
import { fromHex, toHex } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { encryptionTransactionId } from '../../../src/renewal/encryption-id.ts';
import type { Outcome } from '../../../src/renewal/outcome.ts';
import { Office, recordsOf, World, type WorldOptions } from '../../faults/world.ts';
import { hostileEncryptionCertificates } from '../../hostile/encryption-certificates.ts';
import { hostileEnvelopes } from '../../hostile/envelopes.ts';
import { HostileLine } from '../../hostile/rig.ts';
import type { KeyState } from '../../virtual-key/state.ts';

const containersOf = (state: KeyState): KeyState['applications'][number]['containers'] =>
  state.applications.flatMap(({ containers }) => containers);

let office: Office;
beforeAll(async () => {
  office = await Office.open({ policy: { encryptionCertificate: 'ifOldHas' } });
}, 30_000);
afterAll(() => office.close());

const openWorld = (options: WorldOptions = {}): Promise<World> =>
  World.open(office, 'due-30-days', 'ccid-extended', { policy: { encryptionCertificate: 'ifOldHas' }, ...options });

const status = (id: string): string | undefined => office.ca.ledger.transaction(id)?.status;

/** Nothing for encryption is on the key, nothing is confirmed, and the old container is what it was. */
async function expectHeld(world: World, outcome: Outcome): Promise<void> {
  expect(outcome).toMatchObject({ kind: 'stopped', reason: 'notAcceptable', step: 'encryption', resumable: true });
  const [before] = containersOf(world.initial);
  const [old, begun, ...others] = containersOf(world.key.state());
  expect(old).toEqual(before);
  expect(begun?.signing?.certificate).toBeTruthy();
  expect(begun?.encryption).toBeUndefined();
  expect(others).toEqual([]);
  const { transactionId = '' } = outcome;
  expect([status(transactionId), status(await encryptionTransactionId(transactionId, 0))]).toEqual([
    'issued',
    'withdrawn',
  ]);
}

/** The next press asks anew, under the next transactionID, and both certificates are there. */
async function expectEndsWell(world: World, first: Outcome): Promise<void> {
  const outcome = await world.press();
  expect(outcome).toMatchObject({ kind: 'success', transactionId: first.transactionId });
  const { transactionId = '' } = outcome;
  expect([status(transactionId), status(await encryptionTransactionId(transactionId, 1))]).toEqual([
    'confirmed',
    'confirmed',
  ]);
  const [old, renewed] = containersOf(world.key.state());
  expect(old).toEqual(containersOf(world.initial)[0]);
  const { spki } = parseCertificate(fromHex(renewed?.encryption?.certificate ?? ''));
  expect(toHex(spki)).toContain(renewed?.encryption?.publicKey);
}

test.each(hostileEncryptionCertificates)(
  'an encryption certificate $name is refused, and nothing is imported or confirmed',
  async ({ make, stoppedBy, overCmp }) => {
    const world = await openWorld();
    const [old] = containersOf(world.initial);
    const oldCertificate = parseCertificate(fromHex(old?.signing?.certificate ?? ''));
    let signingCertificate = oldCertificate;
    office.ca.faults.certify(
      (perfect) => {
        signingCertificate = parseCertificate(perfect);
        return Promise.resolve(perfect);
      },
      (perfect) =>
        make(perfect, { hierarchy: office.ca.hierarchy, oldCertificate, signingCertificate, now: new Date() }),
    );

    const outcome = await world.press();

    expect(outcome).toMatchObject({ acceptance: overCmp ?? stoppedBy });
    await expectHeld(world, outcome);
    await expectEndsWell(world, outcome);
  },
);

const envelopes = hostileEnvelopes(() => new Uint8Array());
test.each(envelopes.map(({ name }, index) => ({ name, index })))(
  'an encryption key pair $name is refused by the USBKEY or before it, and nothing is confirmed',
  async ({ index }) => {
    const line = new HostileLine();
    const world = await openWorld({ fetch: line.fetch });
    const newSigningKey = (): Uint8Array => {
      const [record] = recordsOf(world).values();
      if (!record?.newPublicKey) throw new Error('no new signing key');
      return record.newPublicKey;
    };
    const envelope = hostileEnvelopes(newSigningKey)[index];
    if (!envelope) throw new RangeError('no such envelope');
    const kit = { hierarchy: office.ca.hierarchy, earlier: new Uint8Array() };
    line.hostile = { message: envelope.message, kit };

    const outcome = await world.press();

    expect(outcome).toMatchObject({ acceptance: envelope.stoppedBy });
    await expectHeld(world, outcome);
    line.hostile = undefined;
    await expectEndsWell(world, outcome);
  },
);
