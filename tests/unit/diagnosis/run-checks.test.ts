import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { causes } from '../../../src/diagnosis/causes.ts';
import { checkGroups, checkIds } from '../../../src/diagnosis/check.ts';
import { allChecks, runChecks, withDependents, withNeeds } from '../../../src/diagnosis/run-checks.ts';
import { samplePassword } from '../../virtual-key/make-state.ts';
import { Clinic } from './clinic.ts';

let clinic: Clinic;
beforeAll(async () => {
  clinic = await Clinic.open();
});
afterAll(() => clinic.close());
afterEach(() => {
  vi.useRealTimers();
});

describe('the checks', () => {
  test('are one of each name, every group has some, and each is bounded in time', () => {
    expect(allChecks.map(({ id }) => id)).toEqual([...checkIds]);
    expect(new Set(allChecks.map(({ group }) => group))).toEqual(new Set(checkGroups));
    for (const { limitMs, onRequest } of allChecks) expect(limitMs).toBeLessThanOrEqual(onRequest ? 300_000 : 30_000);
  });

  test('wait for no check that waits for them', () => {
    for (const { id, needs, after } of allChecks) {
      const before = withNeeds([...needs, ...after]);
      expect(before, `${id} waits for itself`).not.toContain(id);
    }
  });

  test('know what builds on them', () => {
    expect(withDependents(['password'])).toEqual(['password', 'signature']);
    expect(withDependents(['network'])).toContain('status');
    expect(withNeeds(['model'])).toEqual(expect.arrayContaining(['permission', 'interfaces', 'secureContext']));
  });

  test('without a key say all that can be said without one', async () => {
    const patient = await clinic.patient();

    const { said, apdus } = await patient.examine();

    expect(Object.values(said).filter((word) => word === 'ok')).toHaveLength(11);
    expect(said).toMatchObject({
      permission: 'notPermitted',
      model: 'skipped: permission',
      leftovers: 'skipped: application',
    });
    expect(apdus).toEqual([]);
  });

  test.each(['longmai-hid', 'ccid-extended', 'ccid-short'] as const)(
    'find nothing wrong with a sound key on %s',
    async (attachment) => {
      const patient = await clinic.patient('not-due', attachment);

      const { said, causes: found } = await patient.examine();

      expect(found).toEqual([]);
      expect(Object.keys(said)).toHaveLength(checkIds.length - 1);
    },
  );

  test('spend no try, write nothing, and leave the key released', async () => {
    const patient = await clinic.patient('last-try');
    const before = patient.key.state();

    const { apdus } = await patient.examine();
    await patient.examine();

    expect(patient.key.state()).toEqual(before);
    expect(patient.key.writes).toBe(0);
    expect(apdus.length).toBeGreaterThan(0);
    expect(apdus.map(({ ins }) => ins).filter((ins) => !reading.has(ins))).toEqual([]);
    expect((await patient.key.hid.getDevices()).map(({ opened }) => opened)).toEqual([false]);
  });

  test('find nothing wrong with a sound PIV key, and leave it as it is', async () => {
    const patient = await clinic.patient(
      await clinic.ca.personalise('not-due', 'canokey', { commandSet: 'piv' }),
      'canokey',
    );
    const before = patient.key.state();

    const { causes: found } = await patient.examine();

    expect(found).toEqual([]);
    expect(patient.key.state()).toEqual(before);
  });

  test('are told of as they go', async () => {
    const patient = await clinic.patient('not-due');
    const seen: string[] = [];

    await patient.examine({
      onProgress: (results) => {
        const running = results.filter(({ at }) => at === 'running').map(({ id }) => id);
        seen.push(`${running.join(' ')} of ${results.length}`);
      },
    });

    expect(seen.some((line) => line.startsWith('secureContext browser'))).toBe(true);
    expect(seen.at(-1)).toBe(` of ${checkIds.length - 1}`);
  });

  test('can be asked for one by one, and bring what they need', async () => {
    const patient = await clinic.patient('not-due');

    const { said } = await patient.examine({ only: ['exchange'] });

    expect(said['exchange']).toBe('ok');
    expect(Object.keys(said)).not.toContain('status');
  });

  test('end when the person has enough', async () => {
    const patient = await clinic.patient('not-due');
    const enough = new AbortController();
    const slow = new Promise<never>(() => undefined);
    patient.ports = {
      ...patient.ports,
      service: { ...patient.ports.service, fetch: () => slow, loadConfig: () => slow },
    };

    const running = patient.examine({
      signal: enough.signal,
      onProgress: (results) => {
        if (results.some(({ id, at }) => id === 'network' && at === 'running')) queueMicrotask(() => enough.abort());
      },
    });
    const { said } = await running;

    expect(said['network']).toBe('skipped: cancelled');
    expect(said['authority']).toBe('skipped: network');
  });

  test('that never end are given up', async () => {
    const patient = await clinic.patient();
    patient.browser({ storage: () => new Promise(() => undefined) });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });

    const running = runChecks(patient.ports, { only: ['storage'] });
    await vi.advanceTimersByTimeAsync(4_000);

    expect((await running).results.at(-1)?.finding).toEqual({ outcome: 'found', cause: 'timedOut' });
  });

  test('that fail by themselves say so, and the others go on', async () => {
    const patient = await clinic.patient();
    patient.browser({ serviceWorker: () => Promise.reject(new TypeError('a defect')) });

    const { said } = await patient.examine();

    expect(said).toMatchObject({ serviceWorker: 'failed', storage: 'ok', network: 'ok' });
  });
});

describe('the test signature', () => {
  const ask =
    (password: string | undefined) => () => async (_question: unknown, use: (bytes: Uint8Array) => Promise<void>) => {
      if (password === undefined) return false;
      const bytes = new TextEncoder().encode(password);
      await use(bytes);
      bytes.fill(0);
      return true;
    };

  test('is made only where the person asks for it', async () => {
    const patient = await clinic.patient('not-due');
    patient.ports = { ...patient.ports, askPassword: ask(samplePassword) };

    const unasked = await patient.examine();
    const asked = await patient.examine({ only: ['signature'] });

    expect(Object.keys(unasked.said)).not.toContain('signature');
    expect(asked.said['signature']).toBe('ok');
    expect(patient.key.writes).toBe(0);
  });

  test('says so where the private key is another', async () => {
    const patient = await clinic.patient('not-due');
    const { sm2KeyPair } = await import('../../virtual-key/make-state.ts');
    const state = patient.key.state();
    const pair = state.applications[0]?.containers[0]?.signing;
    // The key shows the public key of the certificate, and signs with something else.
    if (pair) Object.assign(pair, { privateKey: sm2KeyPair({ withCertificate: false }).privateKey });
    await patient.key.reset(state);
    patient.ports = { ...patient.ports, askPassword: ask(samplePassword) };

    expect((await patient.examine({ only: ['signature'] })).said['signature']).toBe('badSignature');
  });

  test('is not made where the person gives up, and no try is spent', async () => {
    const patient = await clinic.patient('not-due');
    const before = patient.key.state();
    patient.ports = { ...patient.ports, askPassword: ask(undefined) };

    const { said } = await patient.examine({ only: ['signature'] });

    expect(said['signature']).toBe('noTestSignature');
    expect(causes.noTestSignature.severity).toBe('note');
    expect(patient.key.state()).toEqual(before);
  });
});

/** GM/T 0017: what the checks may send. Neither VerifyPIN (18) nor anything that writes is among them. */
const reading = new Set([
  ...[0x04, 0x14, 0x22, 0x26, 0x28, 0x42, 0x44, 0x46, 0x4a, 0x4e, 0x88],
  // ClearSecureState: ends a login that another program has left.
  0x1c,
]);
