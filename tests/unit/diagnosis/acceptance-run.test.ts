import { afterEach, describe, expect, it, vi } from 'vitest';
import { acceptanceSteps } from '../../../src/diagnosis/acceptance-run.ts';
import { sampleState } from '../../virtual-key/make-state.ts';
import type { KeyState } from '../../virtual-key/state.ts';
import { onTheDesk, runAcceptance } from './laboratory.ts';

afterEach(() => vi.unstubAllGlobals());

const attachments = ['longmai-hid', 'ccid-extended', 'ccid-short'] as const;
const containersOf = ({ applications }: KeyState) => applications.flatMap(({ containers }) => containers);

describe.each(attachments)('a GM/T 0017 key attached by %s', (attachment) => {
  it('passes every step with a password asked for once, and once more to remove', async () => {
    const before = sampleState({ attachment });
    const virtual = await onTheDesk(before);

    const { outcomes, questions } = await runAcceptance(virtual);

    expect(outcomes).toEqual(Object.fromEntries(acceptanceSteps.map((step) => [step, 'passed'])));
    expect(questions).toHaveLength(2);
    expect(containersOf(virtual.state())).toEqual(containersOf(before));
  });
});

it('passes it with an RSA key pair too', { timeout: 30_000 }, async () => {
  const virtual = await onTheDesk(sampleState());

  const { outcomes } = await runAcceptance(virtual, { algorithm: 'rsa2048' });

  expect(outcomes).toEqual(Object.fromEntries(acceptanceSteps.map((step) => [step, 'passed'])));
});
