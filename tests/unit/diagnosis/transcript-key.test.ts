import { afterEach, describe, expect, it, vi } from 'vitest';
import { compare } from '../../tools/replay-transcript.ts';
import { keyLike } from '../../tools/transcript-key.ts';
import { sampleState, sm2KeyPair } from '../../virtual-key/make-state.ts';
import type { KeyState } from '../../virtual-key/state.ts';
import { pairs, stateWith } from '../usbkey/piv-open.ts';
import { certificateObject } from '../usbkey/piv-samples.ts';
import { refuses } from './changed-cards.ts';
import { onTheDesk, replayOn, runAcceptance } from './laboratory.ts';

afterEach(() => vi.unstubAllGlobals());

const pair = sm2KeyPair;
const withoutCertificate = () => sm2KeyPair({ withCertificate: false });

describe('a key made after a transcript', () => {
  it.each<[string, () => KeyState]>([
    ['one container', () => sampleState()],
    ['nothing on it', () => sampleState({ containers: [] })],
    [
      'containers of all kinds',
      () =>
        sampleState({
          attachment: 'longmai-hid',
          maxContainers: 9,
          containers: [
            { name: 'both', id: 1, signing: pair(), encryption: pair() },
            { name: 'signing only', id: 2, signing: pair() },
            { name: 'no certificate yet', id: 3, signing: withoutCertificate() },
            { name: 'empty', id: 4 },
          ],
        }),
    ],
    ['short APDUs and tries used up', () => sampleState({ attachment: 'ccid-short', remainingTries: 3 })],
    ['PIV in 9A', () => stateWith('p256')],
    ['PIV over short APDUs, RSA in 9A', () => stateWith('rsa2048', { attachment: 'ccid-short' })],
    [
      'PIV in 9A and 9C',
      () =>
        stateWith('p256', {
          slots: [pairs.p256.inSlot('9c')],
          objects: { '5fc10a': certificateObject(pairs.p256.certificate) },
        }),
    ],
    ['PIV without GET METADATA', () => stateWith('p256', { attachment: 'canokey', features: { sm2Algorithm: 0x54 } })],
  ])('does what the key of the transcript did: %s', { timeout: 30_000 }, async (_, state) => {
    const { transcript } = await runAcceptance(await onTheDesk(state()));

    const { dialect, leftOut } = await replayOn(await onTheDesk(await keyLike(transcript)), transcript);

    expect(dialect).toEqual({ known: [], unexplained: [] });
    expect(leftOut).toBe(0);
  });
});

describe('the replaying tool', () => {
  it('says that a key is like the virtual one', async () => {
    const { transcript } = await runAcceptance(await onTheDesk(sampleState()));

    const { lines, alike } = await compare(transcript);

    expect(alike).toBe(true);
    expect(lines).toEqual([
      `${transcript.sessions.flatMap(({ exchanges }) => exchanges).length} exchanges replayed, 0 left out`,
      'the key: signSeconds = 15',
      'the key: certificateAnswerBytes = 0',
    ]);
  });

  it('names the fields of a dialect, and what none of them is the reason of', async () => {
    const virtual = await onTheDesk(sampleState(), { answerLimit: 300, through: refuses(0x44, 0x6d00) });
    const { transcript } = await runAcceptance(virtual);

    const { lines, alike } = await compare(transcript);

    expect(alike).toBe(false);
    expect(lines).toContain('dialect: certificateAnswerBytes = 300');
    expect(lines).toContainEqual(expect.stringMatching(/80440000: statusWord: the key 0 bytes 6d00; .* 0 bytes 9000$/));
  });
});
