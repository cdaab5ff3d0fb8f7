import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNothingNew } from '../../../src/renewal/admission.ts';
import type { Outcome } from '../../../src/renewal/outcome.ts';
import type { Ports, Rules } from '../../../src/renewal/procedure.ts';
import { KeyError } from '../../../src/usbkey/usbkey.ts';
import type { Policy } from '../../../src/service/config.ts';
import { substitute } from '../../faults/substitute.ts';
import { Office, recordsOf, World } from '../../faults/world.ts';
import type { KeyState } from '../../virtual-key/state.ts';

/* What the operator says when the button is pressed, and once the password has been typed. */

let office: Office;
beforeAll(async () => {
  office = await Office.open();
}, 30_000);
afterAll(() => office.close());

const containers = (state: KeyState): KeyState['applications'][number]['containers'] =>
  state.applications.flatMap(({ containers: all }) => all);

test.each<[Pick<Policy, 'enrolment' | 'rolloutPercent'>, ReturnType<typeof whyNothingNew>]>([
  [{ enrolment: 'open' }, undefined],
  [{ enrolment: 'open', rolloutPercent: 100 }, undefined],
  [{ enrolment: 'open', rolloutPercent: 0 }, 'notRolledOut'],
  [{ enrolment: 'closed' }, 'closed'],
  [{ enrolment: 'closed', rolloutPercent: 0 }, 'closed'],
])('%o', (policy, expected) => {
  expect(whyNothingNew(policy, 'TJ00001234')).toBe(expected);
});

const changes: readonly [string, Partial<Policy>, string][] = [
  ['closed', { enrolment: 'closed' }, 'closed'],
  ['a share without this key', { rolloutPercent: 0 }, 'notRolledOut'],
];

describe.each(changes)('%s', (_what, change, reason) => {
  test('known as the button is pressed: nobody is asked for a password, and nothing is done', async () => {
    const world = await World.open(office, 'due-30-days', 'longmai-hid');

    const outcome = await world.press('renewal', undefined, (ports) => ({
      ...ports,
      policy: { ...ports.policy, ...change },
    }));

    expect(outcome).toMatchObject({ kind: 'stopped', reason, resumable: false });
    expect(world.passwordsTyped).toBe(0);
    expect(world.key.state()).toEqual(world.initial);
    expect(recordsOf(world).size).toBe(0);
  });

  test('said while the password was typed: the key is left as it is', async () => {
    const world = await World.open(office, 'due-30-days', 'longmai-hid');

    const outcome = await world.press('renewal', undefined, nowSaying(change));

    expect(outcome).toMatchObject({ kind: 'stopped', reason, resumable: false });
    expect(world.passwordsTyped).toBe(1);
    expect(world.key.state()).toEqual(world.initial);
    expect(recordsOf(world).size).toBe(0);
  });

  test('what has been asked for goes on all the same', async () => {
    const world = await World.open(office, 'ca-waits', 'longmai-hid');
    const first = await world.press('renewal', undefined, undefined, 1);
    expect(first).toMatchObject({ reason: 'paused' });

    const second = await world.press('renewal', undefined, (ports) => ({
      ...ports,
      policy: { ...ports.policy, ...change },
      rulesNow: () => Promise.reject(new Error('nobody asks')),
    }));

    expect(second).toMatchObject({ kind: 'success', transactionId: first.transactionId });
  });

  test('what was begun without a key pair waits, and goes on later', async () => {
    const world = await World.open(office, 'due-30-days', 'longmai-hid');
    const first = await world.press('renewal', undefined, (ports) => ({
      ...ports,
      key: substitute(ports.key, {
        generateSigningKeyPair: () => Promise.reject(new KeyError('refused', 'not now')),
      }),
    }));
    expect(first).toMatchObject({ reason: 'keyRefused', resumable: true });
    const before = world.key.state();

    const second = await world.press('renewal', undefined, nowSaying(change));

    expect(second).toMatchObject({ kind: 'stopped', reason, resumable: true });
    expect(containers(world.key.state())).toEqual(containers(before));
    expect(await world.press()).toMatchObject({ kind: 'success', transactionId: first.transactionId });
  });
});

test('a model that is stopped while the password is typed is left alone', async () => {
  const world = await World.open(office, 'due-30-days', 'longmai-hid');

  const outcome = await world.press('renewal', undefined, nowSaying({}, 'readOnly'));

  expect(outcome).toMatchObject({ kind: 'stopped', reason: 'modelStopped' });
  expect(world.key.state()).toEqual(world.initial);
});

test('what the new rules say otherwise counts too: the days after expiry', async () => {
  const world = await World.open(office, 'expired', 'longmai-hid');

  const outcome = await world.press('renewal', undefined, nowSaying({ maxExpiredDays: 0 }));

  expect(outcome).toMatchObject({ kind: 'stopped', reason: 'expiredTooLong' });
  expect(world.key.state()).toEqual(world.initial);
});

test('they are asked for once in a run, after the password and before anything is made', async () => {
  const world = await World.open(office, 'due-30-days', 'longmai-hid');
  const seen: { typed: number; made: number }[] = [];

  const outcome: Outcome = await world.press('renewal', undefined, (ports) => ({
    ...ports,
    rulesNow: () => {
      seen.push({ typed: world.passwordsTyped, made: containers(world.key.state()).length });
      return Promise.resolve(ports);
    },
  }));

  expect(outcome).toMatchObject({ kind: 'success' });
  expect(seen).toEqual([{ typed: 1, made: containers(world.initial).length }]);
});

/** Changes what the operator says between the press and the end of the password. */
function nowSaying(change: Partial<Policy>, enrolment: Ports['enrolment'] = 'on'): (ports: Ports) => Ports {
  return (ports) => ({
    ...ports,
    rulesNow: (): Promise<Rules> => Promise.resolve({ policy: { ...ports.policy, ...change }, enrolment }),
  });
}
