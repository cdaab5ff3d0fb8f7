import type { ApduChannel } from '../apdu/channel.ts';
import { concatBytes } from '../apdu/bytes.ts';
import { parseResponse } from '../apdu/response.ts';
import { swMoreToExport, swSuccess } from '../apdu/status-words.ts';
import { bytesEqual, toHex } from '../pki/bytes.ts';
import { sm3 } from '../pki/sm3.ts';
import { parseCommand, type WireCommand } from './command-apdu.ts';
import { layoutsFor, type CommandHeader } from './layouts.ts';
import { recordingChannel, type WireExchange } from './recording-channel.ts';
import { slicesOf, type HiddenKind, type Slice } from './slices.ts';
import type { TranscriptApdu, TranscriptExchange, TranscriptPart, TranscriptSession } from './transcript.ts';

const chainingBit = 0x10;
const insGetResponse = 0xc0;

/** Kinds whose values can come again: they are numbered, so that a replay can put the right live value in their place. */
const numbered: ReadonlySet<HiddenKind> = new Set([
  'applicationId',
  'containerId',
  'applicationName',
  'containerName',
  'certificate',
]);

/** What the next command must be to belong to the same exchange. */
type Continuation = 'link' | 'getResponse' | 'otherLe' | 'repeat';

/** A command that is not answered to the end yet, with its data as it is: it is redacted and cleared once it is. */
interface Unfinished {
  readonly step: string | undefined;
  readonly header: CommandHeader;
  command: Uint8Array;
  ne: number | undefined;
  answer: Uint8Array;
  readonly apdus: TranscriptApdu[];
  expects: Continuation | undefined;
}

/** Replaces the values of hidden fields. Equal values of numbered kinds get the same number, for as long as it lives. */
export class Redaction {
  readonly #numbers = new Map<HiddenKind, Map<string, number>>();

  parts(slices: readonly Slice[]): TranscriptPart[] {
    const parts: TranscriptPart[] = [];
    let kept = '';
    const flush = (): void => {
      if (kept !== '') parts.push(kept);
      kept = '';
    };
    for (const { kind, bytes } of slices) {
      if (kind === 'kept') {
        kept += toHex(bytes);
        continue;
      }
      flush();
      parts.push({ is: kind, bytes: bytes.length, ...(numbered.has(kind) ? { n: this.#numberOf(kind, bytes) } : {}) });
    }
    flush();
    return parts;
  }

  #numberOf(kind: HiddenKind, bytes: Uint8Array): number {
    const numbers = this.#numbers.get(kind) ?? new Map<string, number>();
    this.#numbers.set(kind, numbers);
    const value = toHex(sm3(bytes));
    const number = numbers.get(value) ?? numbers.size + 1;
    numbers.set(value, number);
    return number;
  }
}

/** Makes a transcript's sessions out of what goes over the wire. Nothing that is hidden outlives its exchange here. */
export class TranscriptRecorder {
  /** The step of the run to which what follows belongs. */
  step: string | undefined;
  readonly #sessions: TranscriptSession[] = [];
  readonly #redaction = new Redaction();
  readonly #now: (() => number) | undefined;
  #unfinished: Unfinished | undefined;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now?: () => number) {
    this.#now = now;
  }

  /** What was recorded so far, an exchange under way excepted. */
  get sessions(): readonly TranscriptSession[] {
    return structuredClone(this.#sessions);
  }

  /** Begins a session: the channel of a key that was just opened, recorded. */
  record(channel: ApduChannel): ApduChannel {
    const { apduLevel, maxCommandBytes } = channel;
    const session: TranscriptSession = { apduLevel, maxCommandBytes, exchanges: [] };
    this.#finish();
    this.step = undefined;
    this.#sessions.push(session);
    const recorded = recordingChannel(channel, (exchange) => this.#add(session, exchange), this.#now);
    const close = (): Promise<void> => {
      this.#finish(session);
      return recorded.close();
    };
    return { ...recorded, close };
  }

  #add(session: TranscriptSession, { command: bytes, response, failure, ms }: WireExchange): void {
    const command = parseCommand(bytes);
    if (!command) {
      this.#finish(session);
      return;
    }
    const answer = response && response.length >= 2 ? parseResponse(response) : undefined;
    const { unfinished, continued } = this.#place(session, command);
    unfinished.apdus.push({
      header: toHex(Uint8Array.of(command.cla, command.ins, command.p1, command.p2)),
      sent: command.data.length,
      ...(answer ? { answered: answer.data.length, sw: hex16(answer.sw) } : {}),
      ms: Math.round(ms * 10) / 10,
    });
    if (continued !== 'getResponse') unfinished.ne = command.ne;
    if (answer) {
      unfinished.answer = joined(unfinished.answer, answer.data);
      answer.data.fill(0);
    }
    unfinished.expects = answer && continuation(command, answer.sw);
    if (unfinished.expects === undefined) this.#finish(session, answer ? undefined : (failure ?? 'malformed'));
  }

  /** The exchange a command belongs to: the one under way, or a new one. */
  #place(
    session: TranscriptSession,
    command: WireCommand,
  ): { readonly unfinished: Unfinished; readonly continued: Continuation | undefined } {
    const { cla, ins, p1, p2, data, ne } = command;
    const open = this.#unfinished;
    const continued = open?.expects;
    if (open && continued && belongs(open, continued, command)) {
      if (continued === 'link') open.command = joined(open.command, data);
      return { unfinished: open, continued };
    }
    this.#finish(session);
    const header = { cla: cla & ~chainingBit, ins, p1, p2 };
    const none = new Uint8Array();
    const begun = { step: this.step, header, command: data.slice(), ne, answer: none, apdus: [], expects: undefined };
    this.#unfinished = begun;
    return { unfinished: begun, continued: undefined };
  }

  #finish(session = this.#sessions.at(-1), failure?: string): void {
    const unfinished = this.#unfinished;
    this.#unfinished = undefined;
    if (!session || !unfinished) return;
    const { step, header, command, ne, answer, apdus } = unfinished;
    const layouts = layoutsFor(header);
    const sw = apdus.at(-1)?.sw;
    const exchange: TranscriptExchange = {
      ...(step === undefined ? {} : { step }),
      header: toHex(Uint8Array.of(header.cla, header.ins, header.p1, header.p2)),
      command: this.#redaction.parts(slicesOf(command, layouts.command)),
      ...(ne === undefined ? {} : { ne }),
      ...(sw === undefined ? {} : { answer: this.#redaction.parts(slicesOf(answer, layouts.answer)), sw }),
      ...(failure === undefined ? {} : { failure }),
      apdus,
    };
    command.fill(0);
    answer.fill(0);
    session.exchanges.push(exchange);
  }
}

const hex16 = (value: number): string => value.toString(16).padStart(4, '0');

/** Joins what came before with what came now, and clears the former. */
function joined(before: Uint8Array, now: Uint8Array): Uint8Array {
  const all = concatBytes(before, now);
  before.fill(0);
  return all;
}

/** Whether the answer leaves something to come (ISO/IEC 7816-4 §5.1.1.1, §5.6; GM/T 0017 for certificates). */
function continuation({ cla, ne }: WireCommand, sw: number): Continuation | undefined {
  if ((cla & chainingBit) !== 0) return sw === swSuccess ? 'link' : undefined;
  if (sw >> 8 === 0x61) return 'getResponse';
  if (sw >> 8 === 0x6c && ne !== undefined) return 'otherLe';
  return sw === swMoreToExport ? 'repeat' : undefined;
}

function belongs(open: Unfinished, continued: Continuation, command: WireCommand): boolean {
  const { header } = open;
  if (continued === 'getResponse') return command.ins === insGetResponse;
  const sameHeader =
    header.cla === (command.cla & ~chainingBit) &&
    header.ins === command.ins &&
    header.p1 === command.p1 &&
    header.p2 === command.p2;
  if (!sameHeader || continued === 'link') return sameHeader;
  // Of a chain the last link alone is sent again.
  const { length } = command.data;
  return length <= open.command.length && bytesEqual(open.command.slice(open.command.length - length), command.data);
}
