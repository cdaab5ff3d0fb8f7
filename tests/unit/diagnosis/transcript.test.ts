import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readTranscript,
  type Transcript,
  TranscriptError,
  transcriptSteps,
  writeTranscript,
} from '../../../src/diagnosis/transcript.ts';

const transcript: Transcript = {
  format: 'casupport.key-transcript',
  version: 1,
  build: '1.0.0',
  commandSet: 'gmt0017',
  vendorId: 0x055c,
  productId: 0xe618,
  steps: [{ step: 'read', outcome: 'passed', ms: 12 }],
  sessions: [
    {
      apduLevel: 'extended',
      maxCommandBytes: 4096,
      exchanges: [
        {
          step: 'read',
          header: '80500000',
          command: [],
          ne: 8,
          answer: [{ is: 'challenge', bytes: 8 }],
          sw: '9000',
          apdus: [{ header: '80500000', sent: 0, answered: 8, sw: '9000', ms: 1.5 }],
        },
        { header: '80040000', command: [], failure: 'timeout', apdus: [{ header: '80040000', sent: 0, ms: 5000 }] },
      ],
    },
    { apduLevel: 'short', maxCommandBytes: 261, exchanges: [] },
  ],
};

describe('a transcript', () => {
  it('is read as it was written', () => {
    expect(readTranscript(writeTranscript(transcript))).toEqual(transcript);
  });

  it('without anything in it is read too', () => {
    const empty = { ...transcript, steps: [], sessions: [] };

    expect(readTranscript(writeTranscript(empty))).toEqual(empty);
  });

  it('has an exchange a line, to be read and compared', () => {
    const lines = writeTranscript(transcript).split('\n');

    expect(lines.filter((line) => line.includes('"apdus"'))).toHaveLength(2);
  });

  it.each([
    ['what is not JSON', 'no JSON'],
    ['another format', JSON.stringify({ ...transcript, format: 'other' })],
    ['a later version', JSON.stringify({ ...transcript, version: 2 })],
    ['a list', '[]'],
    ['upper-case status words', writeTranscript(transcript).replaceAll('"9000"', '"9F0A"')],
    ['a kind of hidden field that is not known', writeTranscript(transcript).replace('challenge', 'pin')],
    ['negative lengths', writeTranscript(transcript).replace('"bytes":8', '"bytes":-8')],
    ['lengths that no APDU has', writeTranscript(transcript).replace('"bytes":8', '"bytes":1000000000')],
    ['half a byte', writeTranscript(transcript).replace('[{"is":"challenge","bytes":8}]', '["abc"]')],
  ])('is not read from %s', (_, text) => {
    expect(() => readTranscript(text)).toThrow(TranscriptError);
  });

  it('is read, or not, from whatever text', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.object().map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(anything, (text) => {
        expect(() => readTranscript(text)).toThrow(TranscriptError);
      }),
    );
  });
});

it('has a run’s results with status words in hexadecimal', () => {
  const steps = transcriptSteps([
    { step: 'read', outcome: 'passed', ms: 3 },
    { step: 'container', outcome: 'refused', detail: 'noRoom', statusWord: 0x6a84, ms: 4 },
    { step: 'keyPair', outcome: 'notRun' },
  ]);

  expect(steps).toEqual([
    { step: 'read', outcome: 'passed', ms: 3 },
    { step: 'container', outcome: 'refused', detail: 'noRoom', statusWord: '6a84', ms: 4 },
    { step: 'keyPair', outcome: 'notRun' },
  ]);
});
