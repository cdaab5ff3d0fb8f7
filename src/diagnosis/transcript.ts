import * as v from 'valibot';
import type { StepResult } from './acceptance-run.ts';
import { hiddenKinds } from './slices.ts';

/*
 * What a key acceptance run saves: every APDU by its header, lengths, status word and time, with the data that is no
 * secret in hexadecimal and a named place, with its length, for all other. Read back for replaying.
 */

export const transcriptFormat = 'casupport.key-transcript';
export const transcriptVersion = 1;

const size = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(131_072));
const milliseconds = v.pipe(v.number(), v.minValue(0), v.maxValue(3_600_000));
const bytesOf = (pattern: RegExp) => v.pipe(v.string(), v.regex(pattern, 'must be lower-case hexadecimal'));
const statusWord = bytesOf(/^[0-9a-f]{4}$/);
const header = bytesOf(/^[0-9a-f]{8}$/);

const part = v.union([
  bytesOf(/^(?:[0-9a-f]{2}){1,600}$/),
  v.object({
    is: v.picklist(hiddenKinds),
    bytes: size,
    /** The same number: the same value, wherever it stands. Counted from 1 for each kind. */
    n: v.optional(v.pipe(size, v.minValue(1))),
  }),
]);
const data = v.pipe(v.array(part), v.maxLength(2000));

/** One command APDU on the wire and the answer to it. */
const wireApdu = v.object({
  header,
  /** Bytes of command data. */
  sent: size,
  /** Bytes of answer data. */
  answered: v.optional(size),
  /** Absent where no answer came. */
  sw: v.optional(statusWord),
  ms: milliseconds,
});

const exchange = v.object({
  /** The step of the run. */
  step: v.optional(v.pipe(v.string(), v.maxLength(40))),
  /** CLA INS P1 P2, without the chaining bit. */
  header,
  command: data,
  /** Ne, 1..65536; absent without an Le field. */
  ne: v.optional(v.pipe(size, v.minValue(1))),
  answer: v.optional(data),
  /** The last status word. */
  sw: v.optional(statusWord),
  /** Why no answer came, a `TransportErrorCode`. */
  failure: v.optional(v.pipe(v.string(), v.maxLength(40))),
  /** All that went over the wire: chaining, GET RESPONSE, another Le, and the rest of a certificate. */
  apdus: v.pipe(v.array(wireApdu), v.minLength(1), v.maxLength(1000)),
});

/** From opening the key to closing it. */
const session = v.object({
  apduLevel: v.picklist(['short', 'extended']),
  maxCommandBytes: size,
  exchanges: v.pipe(v.array(exchange), v.maxLength(5000)),
});

const stepResult = v.object({
  step: v.pipe(v.string(), v.maxLength(40)),
  outcome: v.pipe(v.string(), v.maxLength(40)),
  statusWord: v.optional(statusWord),
  detail: v.optional(v.pipe(v.string(), v.maxLength(40))),
  ms: v.optional(milliseconds),
});

const transcriptSchema = v.object({
  format: v.literal(transcriptFormat),
  version: v.literal(transcriptVersion),
  /** Of the software that made it. */
  build: v.pipe(v.string(), v.maxLength(100)),
  commandSet: v.optional(v.picklist(['gmt0017', 'piv'])),
  vendorId: size,
  productId: size,
  steps: v.pipe(v.array(stepResult), v.maxLength(100)),
  sessions: v.pipe(v.array(session), v.maxLength(20)),
});

export type TranscriptPart = v.InferOutput<typeof part>;
export type TranscriptApdu = v.InferOutput<typeof wireApdu>;
export type TranscriptExchange = v.InferOutput<typeof exchange>;
export type TranscriptSession = v.InferOutput<typeof session>;
export type TranscriptStep = v.InferOutput<typeof stepResult>;
export type Transcript = v.InferOutput<typeof transcriptSchema>;

/** A text that is no transcript of a version known here. */
export class TranscriptError extends Error {
  override readonly name = 'TranscriptError';
}

/** The file's contents: an exchange a line. */
export function writeTranscript({ sessions, ...about }: Transcript): string {
  const lines = sessions.map(({ exchanges, ...wire }) => {
    const list = exchanges.map((one) => `   ${JSON.stringify(one)}`).join(',\n');
    return `  {${JSON.stringify(wire).slice(1, -1)},"exchanges":[\n${list}\n  ]}`;
  });
  return `{\n ${JSON.stringify(about).slice(1, -1)},\n "sessions":[\n${lines.join(',\n')}\n ]\n}\n`;
}

/** @throws TranscriptError with the failing path */
export function readTranscript(text: string): Transcript {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new TranscriptError('not JSON', { cause });
  }
  const result = v.safeParse(transcriptSchema, json);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new TranscriptError(`${v.getDotPath(issue) ?? 'transcript'}: ${issue.message}`);
}

export const partBytes = (one: TranscriptPart): number => (typeof one === 'string' ? one.length / 2 : one.bytes);

/** A run's results as a transcript has them. */
export const transcriptSteps = (results: readonly StepResult[]): TranscriptStep[] =>
  results.map(({ step, outcome, detail, statusWord: sw, ms }) => ({
    ...{ step, outcome },
    ...(sw === undefined ? {} : { statusWord: sw.toString(16).padStart(4, '0') }),
    ...(detail === undefined ? {} : { detail }),
    ...(ms === undefined ? {} : { ms }),
  }));
