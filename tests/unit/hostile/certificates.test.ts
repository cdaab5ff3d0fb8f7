import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromHex } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import type { Outcome } from '../../../src/renewal/outcome.ts';
import { Office, World, type WorldOptions } from '../../faults/world.ts';
import { hostileBytes, hostileCertificates, type HostileCertificate } from '../../hostile/certificates.ts';
import type { KeyState } from '../../virtual-key/state.ts';

const containersOf = (state: KeyState): KeyState['applications'][number]['containers'] =>
  state.applications.flatMap(({ containers }) => containers);

let office: Office;
beforeAll(async () => {
  office = await Office.open();
}, 30_000);
afterAll(() => office.close());

/** The authority issues this in place of the next right one. */
function issueNext(hostile: HostileCertificate, { initial }: World): void {
  const [old] = containersOf(initial);
  const oldCertificate = parseCertificate(fromHex(old?.signing?.certificate ?? ''));
  const { hierarchy, faults } = office.ca;
  faults.certify((perfect) => hostile.make(perfect, { hierarchy, oldCertificate, now: new Date() }));
}

/** The old container is what it was, the new one holds a key pair and nothing else, and the authority knows. */
function expectRefused(world: World, outcome: Outcome): void {
  const [before] = containersOf(world.initial);
  const [old, begun, ...others] = containersOf(world.key.state());
  expect(old).toEqual(before);
  expect(begun?.name).toBe(`R${outcome.transactionId ?? ''}`);
  expect(begun?.signing?.publicKey).toBeTruthy();
  expect(begun?.signing?.certificate).toBeUndefined();
  expect(begun?.encryption).toBeUndefined();
  expect(others).toEqual([]);
  const transaction = office.ca.ledger.transaction(outcome.transactionId ?? '');
  expect(transaction?.status).toBe('withdrawn');
}

const openWorld = (options: WorldOptions = {}): Promise<World> =>
  World.open(office, 'due-30-days', 'longmai-hid', options);

describe.each([
  ['cmp', hostileCertificates],
  // Here the certificate is not part of a DER message: bytes of any kind come through.
  ['rest', [...hostileCertificates, ...hostileBytes]],
] as const)('over %s', (authority, certificates) => {
  test.each(certificates)('a certificate $name is refused and leaves the key as it was', async (hostile) => {
    const world = await openWorld({ authority });
    issueNext(hostile, world);

    const outcome = await world.press();

    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'notAcceptable', step: 'request', resumable: false });
    expect(outcome).toMatchObject({ acceptance: hostile.stoppedBy });
    expectRefused(world, outcome);
  });
});

test('a certificate weaker than the policy’s floor is refused and leaves the key as it was', async () => {
  const world = await openWorld({ policy: { minSecurityBits: 192 } });

  const outcome = await world.press();

  expect(outcome).toMatchObject({ kind: 'stopped', reason: 'notAcceptable', acceptance: ['weakerKey'] });
  expectRefused(world, outcome);
});

test('after a refusal the next press asks anew and ends well', async () => {
  const [hostile] = hostileCertificates;
  if (!hostile) throw new Error('nothing hostile');
  const world = await openWorld();
  issueNext(hostile, world);

  const first = await world.press();
  const second = await world.press();

  expect(first).toMatchObject({ kind: 'stopped', reason: 'notAcceptable' });
  expect(second).toMatchObject({ kind: 'success' });
  expect(second.transactionId).not.toBe(first.transactionId);
  const [old] = containersOf(world.key.state());
  expect(old).toEqual(containersOf(world.initial)[0]);
});
