import { readAppointment } from '../../src/appointments/model.ts';
import { inBeijing } from '../../src/appointments/slots.ts';
import { dueAt, statusOf } from '../../src/appointments/stages.ts';
import { readCode, spoken } from '../../src/app/fault-codes.ts';
import { behaviourOf } from '../../src/diagnosis/dialect-differences.ts';
import { causeCode } from '../../src/diagnosis/fault-code.ts';
import { readTranscript, TranscriptError, writeTranscript } from '../../src/diagnosis/transcript.ts';
import { fromHex, type Bytes } from '../../src/pki/bytes.ts';
import { readRecord } from '../../src/renewal/indexeddb-journal.ts';
import type { StoredTransaction } from '../../src/storage/database.ts';
import { StorageError } from '../../src/storage/errors.ts';
import { documentsLike, type Json } from './json-mutate.ts';
import { mutateBytes } from './mutate.ts';
import type { Target } from './target.ts';
import { readersOf } from './target.ts';

/** The name of the only member of what stands for bytes in a row. */
const bytesMember = '$bytes';

/** A row as the browser's database gives it back: `{"$bytes": hex}` are bytes, all else is as in JSON. */
function rowOf(input: Bytes): StoredTransaction {
  const row: unknown = JSON.parse(new TextDecoder().decode(input), (_name, value: unknown) => {
    if (typeof value !== 'object' || value === null || !(bytesMember in value)) return value;
    const hex = value[bytesMember];
    return typeof hex === 'string' && /^([0-9a-f]{2})*$/u.test(hex) ? fromHex(hex) : hex;
  });
  // The database gives rows, and they have their key.
  if (typeof row !== 'object' || row === null) throw new SyntaxError('no row');
  return row as StoredTransaction;
}

const rowTarget = (name: string, sources: readonly Json[], read: (row: StoredTransaction) => unknown): Target => ({
  name,
  mutate: documentsLike(sources),
  run: readersOf([StorageError, SyntaxError], [(input) => read(rowOf(input))]),
});

const now = Date.parse('2026-11-22T09:00:00Z');

/** What the pages ask about a booking they have read. */
function showAppointment(row: unknown): void {
  const appointment = readAppointment(row);
  if (!appointment) throw new SyntaxError('none');
  statusOf(appointment, now);
  dueAt(appointment, now);
  const { state, slot, createdAt } = appointment;
  const times = [
    createdAt,
    ...('delivery' in state ? [state.delivery.notBefore, state.delivery.sendingSince ?? 0] : []),
  ];
  for (const time of times) new Date(time).toISOString();
  for (const one of [slot, ...(state.stage === 'conflict' ? state.otherSlots : [])]) inBeijing(one);
}

const codes = [
  causeCode('usbkey', 'unplugged', { system: 'windows', browser: 'chrome', way: 'usb' }),
  causeCode('network', 'offline', undefined),
  '４１４０１３',
  '210 106',
  '210-106',
  'K05',
  'r14-3',
  'R15-3-07',
  'P01',
  '999999',
];

/** What a person types or pastes where a fault code is asked for. */
const faultCodes = (): Target => ({
  name: 'fault-codes',
  mutate: (random) => {
    const code = random.pick(codes);
    if (random.once(3)) return mutateBytes(random, new TextEncoder().encode(code));
    if (random.once(2)) return new TextEncoder().encode(String(random.below(1_000_000)).padStart(6, '0'));
    const at = random.below(code.length + 1);
    const put = random.pick([
      '0',
      '9',
      ' ',
      '-',
      '\u2014',
      '\u3000',
      '\uff10',
      '\u0660',
      'K',
      '\ud800',
      '1'.repeat(9999),
    ]);
    return new TextEncoder().encode(code.slice(0, at) + put + code.slice(at + random.below(2)));
  },
  run: (input) => {
    const text = new TextDecoder().decode(input);
    spoken(text);
    return readCode(text) ? 'accepted' : 'rejected';
  },
});

/** The record of a key acceptance run, as a file that somebody else's browser has saved. */
const transcripts = (sources: readonly Json[]): Target => ({
  name: 'transcript',
  mutate: documentsLike(sources),
  run: readersOf(
    [TranscriptError],
    [
      (input) => {
        const read = readTranscript(new TextDecoder().decode(input));
        behaviourOf(read);
        readTranscript(writeTranscript(read));
      },
    ],
  ),
});

/** What comes back from this computer, where another version, another program or a person may have been at it. */
export function storedTargets(sources: {
  readonly journal: readonly Json[];
  readonly keptAppointment: readonly Json[];
  readonly transcript: readonly Json[];
}): readonly Target[] {
  return [
    rowTarget('journal', sources.journal, readRecord),
    rowTarget('kept-appointment', sources.keptAppointment, showAppointment),
    transcripts(sources.transcript),
    faultCodes(),
  ];
}
