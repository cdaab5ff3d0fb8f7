import { afterAll, beforeAll, expect, test } from 'vitest';
import { Office, recordsOf, World } from '../../faults/world.ts';
import { hostileMessages, type MessageKit } from '../../hostile/messages.ts';
import { HostileLine } from '../../hostile/rig.ts';
import type { KeyState } from '../../virtual-key/state.ts';

const containersOf = (state: KeyState): KeyState['applications'][number]['containers'] =>
  state.applications.flatMap(({ containers }) => containers);

let office: Office;
let kit: MessageKit;
beforeAll(async () => {
  office = await Office.open();
  // Somebody else was here before.
  const world = await World.open(office, 'due-30-days', 'longmai-hid');
  const outcome = await world.press();
  const reply = recordsOf(world).get(outcome.transactionId ?? '')?.reply;
  if (!reply) throw new Error('no earlier answer');
  kit = { hierarchy: office.ca.hierarchy, earlier: new Uint8Array(reply) };
}, 30_000);
afterAll(() => office.close());

test.each(hostileMessages)(
  'an answer $name stops the run before anything is written; the next one, from an honest line, ends well',
  async (message) => {
    const line = new HostileLine();
    const world = await World.open(office, 'due-30-days', 'longmai-hid', { fetch: line.fetch });
    const [before] = containersOf(world.initial);
    line.hostile = { message, kit };

    const outcome = await world.press();

    expect(outcome).toMatchObject({
      kind: 'stopped',
      reason: 'caUntrusted',
      step: 'request',
      resumable: true,
    });
    if (outcome.kind === 'stopped' && message.lookUps === 'changed') {
      expect(outcome.cause).toMatchObject({ name: 'CaError', code: message.code });
    }
    const [old, begun, ...others] = containersOf(world.key.state());
    expect(old).toEqual(before);
    expect(begun?.signing).toMatchObject({ publicKey: expect.any(String) as string });
    expect(begun?.signing?.certificate).toBeUndefined();
    expect(begun?.encryption).toBeUndefined();
    expect(others).toEqual([]);
    expect(office.ca.ledger.transaction(outcome.transactionId ?? '')?.status).toBe('issued');

    line.hostile = undefined;
    const next = await world.press();

    expect(next).toMatchObject({ kind: 'success', transactionId: outcome.transactionId });
    expect(containersOf(world.key.state())[0]).toEqual(before);
  },
);
