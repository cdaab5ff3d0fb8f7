import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromHex } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { Office, World } from '../../faults/world.ts';
import { openHierarchy, type Hierarchy } from '../../reference-ca/hierarchy.ts';
import { dayMs, TestClock } from './holder.ts';

/* Certificates of 2017, through the whole procedure, in front of the authority that is to upgrade them. */

const keyMaking = { timeout: 60_000 };
/** When the sample key with a certificate of 2017 is handed out; its certificate ends 150 days later. */
const handedOut = new TestClock().now();
const later = (days: number): Date => new Date(handedOut.getTime() + days * dayMs);

let hierarchies: Readonly<Record<'standing' | 'ended', Hierarchy>>;
beforeAll(async () => {
  const standing = await openHierarchy(undefined);
  const { oldRsa } = await openHierarchy(undefined, { oldRsaEnds: later(140) });
  hierarchies = { standing, ended: { ...standing, oldRsa } };
}, keyMaking.timeout);

let office: Office | undefined;
afterAll(() => office?.close());

interface Scenario {
  readonly hierarchy: keyof typeof hierarchies;
  /** Days from handing out to the upgrade. */
  readonly after: number;
  readonly acceptsExpiredSigner: boolean;
}

async function deskIn({ hierarchy, after, acceptsExpiredSigner }: Scenario): Promise<World> {
  await office?.close();
  let time = handedOut;
  const now = (): Date => time;
  office = await Office.open({ hierarchy: hierarchies[hierarchy], now, policy: { acceptsExpiredSigner } });
  // What the page was told may be older than what the authority decides by.
  const world = await World.open(office, 'old-issuer', 'longmai-hid', { now });
  time = later(after);
  return world;
}

const containersOf = (world: World) => world.key.state().applications.flatMap(({ containers }) => containers);

describe('a certificate of 2017 is upgraded', keyMaking, () => {
  test.each<[string, Scenario]>([
    ['valid, under an issuer that stands', { hierarchy: 'standing', after: 0, acceptsExpiredSigner: false }],
    ['expired, where that is accepted', { hierarchy: 'standing', after: 170, acceptsExpiredSigner: true }],
    ['expired like its issuer, where that is accepted', { hierarchy: 'ended', after: 400, acceptsExpiredSigner: true }],
  ])('%s', async (_what, scenario) => {
    const world = await deskIn(scenario);

    const outcome = await world.press('upgrade');

    expect(outcome).toMatchObject({ kind: 'success', purpose: 'upgrade' });
    const [old, made] = containersOf(world);
    const certificate = parseCertificate(fromHex(made?.signing?.certificate ?? ''));
    expect(old).toEqual(world.initial.applications[0]?.containers[0]);
    expect([certificate.keyAlgorithm, certificate.issuer.der]).toEqual([
      'sm2',
      hierarchies.standing.sm2.issuing.subject,
    ]);
    expect(office?.ca.ledger.certificate(certificate.der)?.status).toBe('valid');
  });
});

describe('a certificate of 2017 is not upgraded, and stays as it was', keyMaking, () => {
  test.each<[string, Scenario]>([
    ['expired, where that is refused', { hierarchy: 'standing', after: 170, acceptsExpiredSigner: false }],
    ['expired like its issuer, where that is refused', { hierarchy: 'ended', after: 400, acceptsExpiredSigner: false }],
    ['valid, under an issuer that has ended', { hierarchy: 'ended', after: 145, acceptsExpiredSigner: false }],
  ])('%s', async (_what, scenario) => {
    const world = await deskIn(scenario);

    const outcome = await world.press('upgrade');

    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'caRejected', failInfo: ['signerNotTrusted'] });
    expect(containersOf(world)[0]).toEqual(world.initial.applications[0]?.containers[0]);
    expect(office?.ca.ledger.certificatesOf('sm2')).toEqual([]);
  });
});
