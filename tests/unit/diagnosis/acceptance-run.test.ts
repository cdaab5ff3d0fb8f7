import { X509Certificate } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type AcceptanceStep, acceptanceSteps } from '../../../src/diagnosis/acceptance-run.ts';
import { sampleState } from '../../virtual-key/make-state.ts';
import type { KeyState } from '../../virtual-key/state.ts';
import { corruptsCertificates, refuses, refusesRawSignatures, spoilsSignatures } from './changed-cards.ts';
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

it('takes the kind of key pair that the key names first, unless told otherwise', async () => {
  const virtual = await onTheDesk(sampleState());

  await runAcceptance(virtual, { remove: false });

  const own = containersOf(virtual.state()).at(-1);
  expect(own?.name).toMatch(/^T[0-9a-f]{32}$/);
  expect(own?.signing?.algorithm).toBe('sm2');
});

it('makes a certificate that the key has signed for itself and that OpenSSL accepts', async () => {
  const virtual = await onTheDesk(sampleState());

  await runAcceptance(virtual, { algorithm: 'rsa2048', remove: false });

  const certificate = containersOf(virtual.state()).at(-1)?.signing?.certificate ?? '';
  const read = new X509Certificate(Buffer.from(certificate, 'hex'));
  expect(read.verify(read.publicKey)).toBe(true);
  expect(read.subject).toBe('CN=Key acceptance run');
  expect(read.ca).toBe(false);
  expect(certificate.length / 2).toBeGreaterThan(1000);
});

it('works on a key that has an application and nothing in it', async () => {
  const virtual = await onTheDesk(sampleState({ containers: [] }));

  const { outcomes } = await runAcceptance(virtual);

  expect(outcomes['remove']).toBe('passed');
  expect(containersOf(virtual.state())).toEqual([]);
});

it('writes nothing to a container that was there before it', async () => {
  const before = sampleState();
  const virtual = await onTheDesk(before);

  const { transcript } = await runAcceptance(virtual, { remove: false });

  expect(containersOf(virtual.state()).slice(0, 1)).toEqual(containersOf(before));
  // Create, delete, import, generate, sign: by name or by number, always the run's own container.
  const writes = transcript.sessions
    .flatMap(({ exchanges }) => exchanges)
    .filter(({ header }) => /^80(?:40|48|4c|54|58|70|72|74)/.test(header));
  const targets = writes.flatMap(({ command }) =>
    command.filter((part) => typeof part !== 'string').filter(({ is }) => /^container/.test(is)),
  );
  expect(writes.length).toBeGreaterThan(4);
  expect(new Set(targets.map(({ is, n }) => `${is} ${n ?? ''}`))).toEqual(
    new Set(['containerName 2', 'containerId 2']),
  );
});

describe('when something does not go as it should', () => {
  const after = (outcome: string, ...steps: AcceptanceStep[]) =>
    Object.fromEntries(steps.map((step) => [step, outcome]));

  it('stops at a password that nobody gives, with nothing written', async () => {
    const before = sampleState();
    const virtual = await onTheDesk(before);

    const { outcomes, results, run } = await runAcceptance(virtual, { answers: [undefined] });

    expect(outcomes).toEqual({
      ...after('passed', 'read'),
      ...after('failed', 'password'),
      ...after('notRun', 'container', 'keyPair', 'signDigest', 'signRaw', 'certificate', 'readBack'),
    });
    expect(results['password']?.detail).toBe('cancelled');
    expect(run.hasContainer).toBe(false);
    expect(containersOf(virtual.state())).toEqual(containersOf(before));
  });

  it('asks again after a wrong password, with the tries that are left', async () => {
    const virtual = await onTheDesk(sampleState());

    const { outcomes, questions } = await runAcceptance(virtual, { answers: ['87654321'], remove: false });

    expect(outcomes['readBack']).toBe('passed');
    expect(questions).toMatchObject([
      { tries: { remaining: 6 }, wrongBefore: false },
      { tries: { remaining: 5 }, wrongBefore: true },
    ]);
  });

  it('asks for no password that is locked', async () => {
    const virtual = await onTheDesk(sampleState({ remainingTries: 0 }));

    const { results, questions } = await runAcceptance(virtual);

    expect(results['password']).toMatchObject({ outcome: 'failed', detail: 'locked' });
    expect(questions).toEqual([]);
  });

  it.each([
    [
      'no room for a container',
      0x40,
      0x6a84,
      'container',
      'noRoom',
      ['keyPair', 'signDigest', 'certificate', 'readBack'],
    ],
    ['no key pair made', 0x70, 0x6915, 'keyPair', 'keyGenerationFailed', ['signDigest', 'signRaw', 'certificate']],
    ['no signature', 0x74, 0x6a9c, 'signDigest', 'signFailed', ['readBack']],
    ['no certificate taken', 0x4c, 0x6a97, 'certificate', 'writeFailed', ['readBack']],
  ] as const)('tells the status word of %s, and does not go on with what needs it', async (...row) => {
    const [, ins, statusWord, step, detail, notRun] = row;
    const before = sampleState();
    const virtual = await onTheDesk(before, { through: refuses(ins, statusWord) });

    const { results, outcomes } = await runAcceptance(virtual);

    expect(results[step]).toMatchObject({ outcome: 'refused', detail, statusWord });
    for (const skipped of notRun) expect(outcomes[skipped]).toBe('notRun');
    expect(containersOf(virtual.state())).toEqual(containersOf(before));
  });

  it('says when a key does not hash itself', async () => {
    const virtual = await onTheDesk(sampleState(), { through: refusesRawSignatures });

    const { results, outcomes } = await runAcceptance(virtual);

    expect(results['signRaw']).toMatchObject({ outcome: 'refused', statusWord: 0x6a86 });
    expect(outcomes['remove']).toBe('passed');
  });

  it('says when a signature does not verify', async () => {
    const virtual = await onTheDesk(sampleState(), { through: spoilsSignatures });

    const { results } = await runAcceptance(virtual);

    expect(results['signDigest']).toMatchObject({ outcome: 'differs', detail: 'signatureInvalid' });
    expect(results['signRaw']).toMatchObject({ outcome: 'differs', detail: 'signatureInvalid' });
  });

  it('says when a certificate comes back otherwise', async () => {
    const virtual = await onTheDesk(sampleState(), { through: corruptsCertificates() });

    const { results } = await runAcceptance(virtual);

    expect(results['readBack']).toMatchObject({ outcome: 'differs', detail: 'otherCertificate' });
    expect(results['stillThere']).toMatchObject({ outcome: 'differs', detail: 'othersChanged' });
  });

  it('says when another key is plugged in, and leaves that alone', async () => {
    const virtual = await onTheDesk(sampleState());
    const other = sampleState({ serialNumber: 'VK0000000002' });

    const { results, outcomes } = await runAcceptance(virtual, { exchange: () => virtual.reset(other) });

    expect(results['replug']).toMatchObject({ outcome: 'differs', detail: 'otherKey' });
    expect(outcomes).toMatchObject(after('notRun', 'stillThere', 'remove'));
    expect(containersOf(virtual.state())).toEqual(containersOf(other));
  });
});

describe('a key that is pulled out in the middle', () => {
  it.each(['container', 'keyPair', 'signDigest', 'certificate', 'readBack'] as const)(
    'at %s keeps what was there, and can be cleaned up once it is back',
    async (at) => {
      for (const when of ['before', 'after'] as const) {
        const before = sampleState();
        const virtual = await onTheDesk(before);

        const { outcomes, results } = await runAcceptance(virtual, {
          onStep: (step) => {
            if (step === at) virtual.unplugAt(3, when);
          },
        });

        expect(results[at]).toMatchObject({ outcome: 'failed', detail: 'disconnected' });
        expect(outcomes['stillThere']).toBe('passed');
        expect(outcomes['remove']).toBe('passed');
        expect(containersOf(virtual.state())).toEqual(containersOf(before));
      }
    },
  );
});

it('keeps what was there whichever transfer the key is pulled at', { timeout: 60_000 }, async () => {
  const failed = new Set<string>();
  for (const attachment of attachments)
    for (let n = 1; n <= 120; n += 7) {
      const before = sampleState({ attachment });
      const virtual = await onTheDesk(before);

      const { outcomes } = await runAcceptance(virtual, {
        onStep: (step) => {
          if (step === 'read') virtual.unplugAt(n, n % 2 === 0 ? 'before' : 'after');
        },
      });

      // Of a pull while the key is tidied up after the last step, nothing is noticed.
      for (const [step, outcome] of Object.entries(outcomes)) if (outcome === 'failed') failed.add(step);
      expect(outcomes['remove']).not.toBe('failed');
      expect(containersOf(virtual.state())).toEqual(containersOf(before));
    }
  expect([...failed]).toEqual(expect.arrayContaining(['read', 'password', 'container', 'keyPair', 'certificate']));
});
