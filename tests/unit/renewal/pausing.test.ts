import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Office, recordsOf, World, type WorldOptions } from '../../faults/world.ts';
import type { AuthorityKind } from '../../faults/fault.ts';
import type { KeyState, Scenario } from '../../virtual-key/state.ts';

/* 先停下: leaving it for later while the authority takes its time. */

const busySeconds = 10;
let office: Office;
beforeAll(async () => {
  office = await Office.open({ policy: { encryptionCertificate: 'ifOldHas' } });
}, 30_000);
afterAll(() => office.close());

/** An authority that is busy from the n-th exchange until it is let go. */
function busyFrom(n: number): {
  readonly fetch: typeof fetch;
  readonly calm: () => void;
  readonly asked: () => number;
} {
  let asked = 0;
  let isCalm = false;
  return {
    fetch: (url, init) =>
      isCalm || ++asked < n
        ? fetch(url, init)
        : Promise.resolve(new Response(null, { status: 503, headers: { 'Retry-After': String(busySeconds) } })),
    calm: () => (isCalm = true),
    asked: () => asked,
  };
}

const open = (scenario: Scenario, options: WorldOptions): Promise<World> =>
  World.open(office, scenario, 'ccid-extended', { policy: { encryptionCertificate: 'ifOldHas' }, ...options });
const containers = (state: KeyState): KeyState['applications'][number]['containers'] =>
  state.applications.flatMap(({ containers: all }) => all);
const issuedTo = (world: World): unknown[] => {
  const [record] = recordsOf(world).values();
  const all = office.ca.ledger.certificatesOf('sm2');
  return all.filter(({ usage, transactionId }) => usage === 'signing' && transactionId === record?.transactionId);
};

describe.each<AuthorityKind>(['cmp', 'rest'])('while the authority is busy, at %s', (authority) => {
  test('stopping at any exchange keeps the transaction, and pressing again finishes the same one', async () => {
    let stops = 0;
    for (let n = 1; ; n++) {
      const line = busyFrom(n);
      const world = await open('due-30-days', { authority, fetch: line.fetch });
      const begun = Date.now();

      const first = await world.press('renewal', undefined, undefined, 1);

      if (first.kind === 'success') {
        expect(line.asked()).toBeLessThan(n);
        break;
      }
      expect(first, `exchange ${n}`).toMatchObject({ reason: 'paused', resumable: true });
      const { comeBackAt = 0, transactionId } = first;
      expect(comeBackAt).toBeGreaterThanOrEqual(begun + busySeconds * 1_000);
      expect(containers(world.key.state())[0]).toEqual(containers(world.initial)[0]);
      expect([...recordsOf(world).values()]).toMatchObject([{ transactionId }]);
      stops += 1;

      line.calm();
      expect(await world.press(), `exchange ${n}`).toMatchObject({ kind: 'success', transactionId });
      expect(containers(world.key.state())).toHaveLength(2);
      expect(issuedTo(world)).toHaveLength(1);
    }
    // The request, the encryption certificate's, and the confirmations: each can be stopped at.
    expect(stops).toBeGreaterThanOrEqual(3);
  });
});

test.each<AuthorityKind>(['cmp', 'rest'])('stopping at each wait for a slow authority, at %s', async (authority) => {
  const clean = await open('ca-waits', { authority });
  expect(await clean.press()).toMatchObject({ kind: 'success' });
  const waits = clean.progress.filter(({ waitingUntil }) => waitingUntil !== undefined).length;
  expect(waits).toBeGreaterThanOrEqual(2);
  for (let n = 1; n <= waits; n++) {
    const world = await open('ca-waits', { authority });

    const first = await world.press('renewal', undefined, undefined, n);

    expect(first, `wait ${n}`).toMatchObject({ kind: 'stopped', reason: 'paused', resumable: true });
    expect(containers(world.key.state())[0]).toEqual(containers(world.initial)[0]);
    expect(await world.press()).toMatchObject({ kind: 'success', transactionId: first.transactionId });
    expect(issuedTo(world)).toHaveLength(1);
  }
});

test('a key that goes away in the same moment is what is said', async () => {
  const world = await open('ca-waits', {});

  const outcome = await world.press(
    'renewal',
    undefined,
    (ports) => ({
      ...ports,
      wait: async (milliseconds, signal) => {
        await world.key.unplug();
        await ports.wait(milliseconds, signal);
      },
    }),
    1,
  );

  expect(outcome).toMatchObject({ kind: 'stopped', reason: 'unplugged', resumable: true });
});

test('giving up at the password, with nothing under way, is no pause', async () => {
  const world = await open('due-30-days', {});
  expect(await world.press('renewal', () => Promise.resolve(false))).toMatchObject({
    reason: 'cancelled',
    resumable: false,
  });
});
