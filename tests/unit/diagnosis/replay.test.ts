import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Replay } from '../../../src/diagnosis/replay.ts';
import { readTranscript, writeTranscript } from '../../../src/diagnosis/transcript.ts';
import { samplePassword, sampleState, sm2KeyPair } from '../../virtual-key/make-state.ts';
import type { KeyState } from '../../virtual-key/state.ts';
import type { VirtualKeyOptions } from '../../virtual-key/virtual-key.ts';
import {
  corruptsCertificates,
  countsInHighNibble,
  padsPublicKeys,
  refuses,
  waitsForPress,
  wantsSm3,
} from './changed-cards.ts';
import { onTheDesk, replayOn, type Replayed, runAcceptance, type RunOptions } from './laboratory.ts';

afterEach(() => vi.unstubAllGlobals());

const attachments = ['longmai-hid', 'ccid-extended', 'ccid-short'] as const;
const alike = { known: [], unexplained: [] };
const differences = ({ exchanges }: Replay) => exchanges.filter(({ difference }) => difference !== undefined);

/** A clock that stands still unless it is told to go on. */
function stoppedClock() {
  let moment = 0;
  return { now: () => moment, pass: (ms: number) => (moment += ms) };
}

/** Records with a key as it should be and replays with one that is changed. */
async function recordedAndReplayed(
  key: VirtualKeyOptions,
  { state = sampleState(), ...run }: RunOptions & { readonly state?: KeyState } = {},
  now?: () => number,
): Promise<Replayed> {
  const { transcript } = await runAcceptance(await onTheDesk(state), run);
  return replayOn(await onTheDesk(state, key), transcript, now ? { now } : {});
}

describe.each(attachments)('a transcript of a key attached by %s', (attachment) => {
  it('goes again on a fresh one as it went, nothing left out', async () => {
    const state = sampleState({ attachment });
    const { transcript } = await runAcceptance(await onTheDesk(state));
    const fresh = await onTheDesk(state);

    const { exchanges, leftOut, dialect } = await replayOn(fresh, readTranscript(writeTranscript(transcript)));

    expect(dialect).toEqual(alike);
    expect(leftOut).toBe(0);
    expect(exchanges).toHaveLength(transcript.sessions.flatMap((session) => session.exchanges).length);
    expect(fresh.state().applications[0]?.containers).toEqual(state.applications[0]?.containers);
  });

  it('goes on any other wire too', async () => {
    const { transcript } = await runAcceptance(await onTheDesk(sampleState({ attachment })));

    for (const other of attachments) {
      const { leftOut, dialect } = await replayOn(await onTheDesk(sampleState({ attachment: other })), transcript);

      expect(dialect.unexplained).toEqual([]);
      expect(leftOut).toBe(0);
    }
  });
});

it('goes again with an RSA key pair', { timeout: 30_000 }, async () => {
  const { dialect, leftOut } = await recordedAndReplayed({}, { algorithm: 'rsa2048' });

  expect(dialect).toEqual(alike);
  expect(leftOut).toBe(0);
});

it('takes a password that was wrong for a wrong one again', async () => {
  const { dialect, leftOut } = await recordedAndReplayed({}, { answers: ['87654321'] });

  expect(dialect).toEqual(alike);
  expect(leftOut).toBe(0);
});

it('leaves the other containers of a key that holds more alone', async () => {
  const { transcript } = await runAcceptance(await onTheDesk(sampleState()));
  const containers = ['A', 'B'].map((name, index) => ({
    ...{ name, id: index + 1 },
    ...{ signing: sm2KeyPair(), encryption: sm2KeyPair() },
  }));
  const fuller = await onTheDesk(sampleState({ containers, maxContainers: 9 }));

  const { leftOut, dialect } = await replayOn(fuller, transcript);

  expect(fuller.state().applications[0]?.containers).toEqual(containers);
  expect(leftOut).toBe(0);
  expect(dialect).toEqual(alike);
});

describe('a key that is not like the one of the transcript is told by exactly that', () => {
  it('that its password proof is made with SM3', async () => {
    const { dialect, leftOut } = await recordedAndReplayed({ through: wantsSm3(samplePassword) });

    expect(dialect).toEqual({
      known: [{ field: 'pinDigest', recorded: 'sha1', replayed: 'sm3' }],
      unexplained: [],
    });
    // What needs the login says nothing without it.
    expect(leftOut).toBeGreaterThan(10);
  });

  it('that the transcript’s was, when a run went no further for it', async () => {
    const state = sampleState();
    const recorded = await onTheDesk(state, { through: wantsSm3(samplePassword) });
    const { transcript, outcomes } = await runAcceptance(recorded, { answers: [samplePassword, undefined] });

    const { dialect } = await replayOn(await onTheDesk(state), transcript);

    expect(outcomes['password']).toBe('failed');
    expect(dialect).toEqual({
      known: [{ field: 'pinDigest', recorded: 'sm3', replayed: 'sha1' }],
      unexplained: [],
    });
  });

  it('that it counts tries in the other nibble', async () => {
    const { dialect } = await recordedAndReplayed({ through: countsInHighNibble }, { answers: ['87654321'] });

    expect(dialect).toEqual({ known: [{ field: 'triesNibble', recorded: 'low', replayed: 'high' }], unexplained: [] });
  });

  it('that its certificates come in parts (6A9E)', async () => {
    const { dialect, leftOut } = await recordedAndReplayed({ answerLimit: 200 });

    expect(dialect).toEqual({
      known: [{ field: 'certificateAnswerBytes', recorded: 0, replayed: 200 }],
      unexplained: [],
    });
    expect(leftOut).toBe(0);
  });

  it('that it waits for its button', async () => {
    const { now, pass } = stoppedClock();

    const { dialect } = await recordedAndReplayed({ through: waitsForPress(() => pass(9000)) }, { now }, now);

    expect(dialect).toEqual({ known: [{ field: 'signSeconds', recorded: 15, replayed: 60 }], unexplained: [] });
  });

  it.each([
    [
      'ImportCertificate wants a login',
      0x4c,
      0x6982,
      [{ field: 'passwordForImport', recorded: false, replayed: true }],
    ],
    ['it has no ExportPublicKey', 0x88, 0x6d00, []],
    ['it does not generate', 0x70, 0x6915, []],
    ['it has no CloseContainer', 0x44, 0x6d00, []],
  ])('that %s', async (_, ins, statusWord, known) => {
    const replayed = await recordedAndReplayed({ through: refuses(ins, statusWord) });

    expect(replayed.dialect.known).toEqual(known);
    for (const { recorded, difference, apdus } of differences(replayed)) {
      expect(recorded.header.slice(2, 4)).toBe(ins.toString(16));
      expect(difference).toBe('statusWord');
      expect(apdus.at(-1)?.sw).toBe(statusWord.toString(16));
    }
    expect(differences(replayed).length).toBeGreaterThan(0);
  });

  it('that its public keys are padded', async () => {
    const replayed = await recordedAndReplayed({ through: padsPublicKeys });

    const found = differences(replayed);
    expect(new Set(found.map(({ recorded, difference }) => `${recorded.header} ${difference ?? ''}`))).toEqual(
      new Set(['80880100 length', '80880000 length']),
    );
    expect(replayed.dialect).toEqual({ known: [], unexplained: found });
  });

  it('that it gives back another certificate than it was given', async () => {
    const replayed = await recordedAndReplayed({ through: corruptsCertificates() });

    const found = differences(replayed);
    expect(new Set(found.map(({ recorded, difference }) => `${recorded.header} ${difference ?? ''}`))).toEqual(
      new Set(['804e0100 value']),
    );
  });
});

it('leaves out what a cut run did not come to', async () => {
  const state = sampleState();
  const virtual = await onTheDesk(state);
  const { transcript, outcomes } = await runAcceptance(virtual, {
    onStep: (step) => {
      if (step === 'keyPair') virtual.unplugAt(2, 'before');
    },
  });

  const { dialect, leftOut } = await replayOn(await onTheDesk(state), transcript);

  expect(outcomes['keyPair']).toBe('failed');
  expect(dialect).toEqual(alike);
  expect(leftOut).toBe(1);
});
