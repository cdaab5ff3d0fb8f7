import { afterEach, describe, expect, it, vi } from 'vitest';
import { acceptanceSteps } from '../../../src/diagnosis/acceptance-run.ts';
import type { Attachment, KeyState, PivAlgorithm } from '../../virtual-key/state.ts';
import { pairs, stateWith } from '../usbkey/piv-open.ts';
import { samplePassword } from '../../virtual-key/make-state.ts';
import { toHex } from '../apdu/hex.ts';
import { onTheDesk, replayOn, runAcceptance, toldBytes } from './laboratory.ts';

afterEach(() => vi.unstubAllGlobals());

const ways: readonly [Attachment, PivAlgorithm][] = [
  ['ccid-extended', 'p256'],
  ['ccid-short', 'p256'],
  ['canokey', 'p256'],
  ['canokey', 'sm2'],
  ['ccid-short', 'rsa2048'],
];
/** PIV signs digests only. */
const passed = Object.fromEntries(acceptanceSteps.map((step) => [step, step === 'signRaw' ? 'notOffered' : 'passed']));

describe.each(ways)('a PIV key on %s with %s', (attachment, algorithm) => {
  const state = (): KeyState =>
    stateWith(algorithm, { attachment, ...(algorithm === 'sm2' ? { features: { sm2Algorithm: 0x54 } } : {}) });

  it('passes every step, and its transcript goes again as it went', { timeout: 60_000 }, async () => {
    const before = state();
    const virtual = await onTheDesk(before);

    const { outcomes, transcript } = await runAcceptance(virtual, { algorithm });
    const { dialect, leftOut } = await replayOn(await onTheDesk(before), transcript);

    expect(outcomes).toEqual(passed);
    expect(dialect).toEqual({ known: [], unexplained: [] });
    expect(leftOut).toBe(0);
  });

  it('keeps what is in its other slots', { timeout: 60_000 }, async () => {
    const before = state();
    const virtual = await onTheDesk(before);

    await runAcceptance(virtual, { algorithm, remove: false });

    const { slots = [], objects = [] } = virtual.state().piv ?? {};
    expect(slots).toEqual(expect.arrayContaining(before.piv?.slots ?? []));
    expect(objects).toEqual(expect.arrayContaining(before.piv?.objects ?? []));
    expect(slots).toHaveLength(2);
  });
});

it('tells nothing of password, management key, serial number, holder and certificates', async () => {
  const pin = 'canary7!';
  const key = 'c0ffee11223344556677889900aabbccddeeff0102030405';
  const state = stateWith('p256', { serialNumber: 'CANARY-0815' });
  if (!state.piv) throw new Error('no PIV state');
  // Kept on the key behind the password, as management programs do.
  const objects = [
    ...state.piv.objects,
    { tag: '5fff00', data: '53058003810102' },
    { tag: '5fc109', data: `531c881a8918${key}` },
  ];
  const managementKey = { algorithm: '3des', key, pinProtected: true } as const;
  const virtual = await onTheDesk({ ...state, piv: { ...state.piv, pin, managementKey, objects } });

  const { transcript, outcomes } = await runAcceptance(virtual, { answers: [pin, pin] });

  expect(outcomes['remove']).toBe('passed');
  const { certificate, spki } = pairs.p256;
  const canaries = [toHex(new TextEncoder().encode(pin)), key, toHex(certificate).slice(40), toHex(spki).slice(54)];
  for (const canary of canaries)
    for (let at = 0; at + 8 <= canary.length; at += 2)
      expect(toldBytes(transcript).filter((told) => told.includes(canary.slice(at, at + 8)))).toEqual([]);
  expect(JSON.stringify(transcript)).not.toMatch(/canary/i);
});

it('needs the management key from the person where the key has another one and keeps it to itself', async () => {
  const state = stateWith('p256', {
    managementKey: { algorithm: 'aes256', key: '11'.repeat(32), pinProtected: false },
  });
  const virtual = await onTheDesk(state);

  const { results, questions } = await runAcceptance(virtual, { answers: [samplePassword, undefined] });

  expect(questions.map(({ kind }) => kind)).toEqual(['password', 'managementKey']);
  expect(results['container']).toMatchObject({ outcome: 'failed', detail: 'cancelled' });
  expect(virtual.state().piv).toEqual(state.piv);
});

it('shows that a key has no GET METADATA', async () => {
  const state = stateWith('p256');
  const { transcript } = await runAcceptance(await onTheDesk(state));
  const without = stateWith('p256', { features: { metadata: false } });

  const { dialect } = await replayOn(await onTheDesk(without), transcript);

  expect(dialect.known).toEqual([{ field: 'spareSlot', recorded: 'provenEmpty', replayed: 'noCertificate' }]);
});
