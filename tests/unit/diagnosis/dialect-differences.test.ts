import { expect, it } from 'vitest';
import { behaviourOf, dialectDifferences } from '../../../src/diagnosis/dialect-differences.ts';
import type { DifferenceKind, ReplayedExchange } from '../../../src/diagnosis/replay.ts';
import type { Transcript, TranscriptApdu, TranscriptExchange } from '../../../src/diagnosis/transcript.ts';

type Wire = readonly (readonly [sw: string, answered?: number, ms?: number])[];
const apdusOf = (header: string, wire: Wire): TranscriptApdu[] =>
  wire.map(([sw, answered = 0, ms = 1]) => ({ header, sent: 0, answered, sw, ms }));
function exchange(header: string, wire: Wire, answer: TranscriptExchange['answer'] = []): TranscriptExchange {
  return { header, command: [], answer, sw: wire.at(-1)?.[0] ?? '', apdus: apdusOf(header, wire) };
}
const transcriptOf = (...exchanges: TranscriptExchange[]): Transcript => ({
  ...{ format: 'casupport.key-transcript', version: 1, build: '', vendorId: 1, productId: 2, steps: [] },
  sessions: [{ apduLevel: 'extended', maxCommandBytes: 4096, exchanges }],
});
const replayed = (header: string, then: Wire, now: Wire, difference?: DifferenceKind): ReplayedExchange => ({
  ...{ session: 0, index: 0, recorded: exchange(header, then), apdus: apdusOf(header, now), difference },
});

it.each([
  ['that a signature waits for a press', [exchange('80740200', [['9000', 68, 9000]])], { signSeconds: 60 }],
  ['that one does not', [exchange('80740200', [['9000', 68, 900]])], { signSeconds: 15 }],
  ['that a PIV key waits for a touch', [exchange('0087119a', [['9000', 75, 8000]])], { signSeconds: 60 }],
  ['nothing of a slow management key', [exchange('0087039b', [['9000', 12, 8000]])], {}],
  ['which nibble counts', [exchange('80180001', [['63c5']])], { triesNibble: 'low' }],
  ['which nibble counts', [exchange('80180001', [['635c']])], { triesNibble: 'high' }],
  [
    'which nibble counts where only the counter can tell',
    [exchange('80180001', [['6350']]), exchange('80140001', [['9000', 3]], ['0605', { is: 'other', bytes: 1 }])],
    { triesNibble: 'high' },
  ],
  [
    'in what parts certificates come',
    [
      exchange('804e0100', [
        ['6a9e', 512],
        ['9000', 90],
      ]),
    ],
    { certificateAnswerBytes: 512 },
  ],
  [
    'in what parts they come over short APDUs',
    [
      exchange('804e0100', [
        ['6100', 256],
        ['6a9e', 256],
        ['9000', 90],
      ]),
    ],
    { certificateAnswerBytes: 512 },
  ],
  ['that certificates come at once', [exchange('804e0100', [['9000', 900]])], { certificateAnswerBytes: 0 }],
  ['nothing of a key that was only read', [exchange('80040000', [['9000', 288]])], {}],
] as const)('a transcript alone says %s', (_, exchanges, expected) => {
  expect(behaviourOf(transcriptOf(...exchanges))).toEqual(expected);
});

it.each([
  [
    'no GET METADATA',
    'statusWord',
    '00f7009a',
    [['9000', 80]],
    [['6d00']],
    { field: 'spareSlot', recorded: 'provenEmpty', replayed: 'noCertificate' },
  ],
  [
    'a password proof of another digest',
    'statusWord',
    '80180001',
    [['63c5']],
    [['9000']],
    { field: 'pinDigest', recorded: 'sm3', replayed: 'sha1' },
  ],
  [
    'a login for importing',
    'statusWord',
    '804c0000',
    [['6982']],
    [['9000']],
    { field: 'passwordForImport', recorded: true, replayed: false },
  ],
  [
    'parts of another size',
    'parts',
    '804e0100',
    [
      ['6a9e', 512],
      ['9000', 90],
    ],
    [
      ['6a9e', 400],
      ['9000', 202],
    ],
    { field: 'certificateAnswerBytes', recorded: 512, replayed: 400 },
  ],
] as const)('%s is told once, however often it is seen', (_, difference, header, then, now, expected) => {
  const exchanges = [1, 2, 3].map(() => replayed(header, then, now, difference));

  expect(dialectDifferences({ exchanges, leftOut: 0 }, { pinDigest: 'sha1' })).toEqual({
    known: [expected],
    unexplained: [],
  });
});

it('keeps what no field of a dialect is the reason of', () => {
  const strange = replayed('80440000', [['9000']], [['6d00']], 'statusWord');
  const alike = replayed('80040000', [['9000', 288]], [['9000', 288]]);

  expect(dialectDifferences({ exchanges: [alike, strange], leftOut: 0 }, { pinDigest: 'sha1' })).toEqual({
    known: [],
    unexplained: [strange],
  });
});
