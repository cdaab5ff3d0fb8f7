import { type ApduChannel, TransportError } from '../apdu/channel.ts';
import { concatBytes } from '../apdu/bytes.ts';
import { chainCommand, type CommandApdu, maxCommandData } from '../apdu/command.ts';
import type { ResponseApdu } from '../apdu/response.ts';
import { ApduSession } from '../apdu/session.ts';
import { swMoreToExport, swSuccess } from '../apdu/status-words.ts';
import { bytesEqual, fromHex, toHex } from '../pki/bytes.ts';
import { parseCommand } from './command-apdu.ts';
import { effectsOf } from './effects.ts';
import { layoutsFor, type CommandHeader } from './layouts.ts';
import { fillPlaceholder, LiveValues, type ReplaySecrets } from './live-values.ts';
import { recordingChannel } from './recording-channel.ts';
import { slicesOf } from './slices.ts';
import {
  partBytes,
  type Transcript,
  type TranscriptApdu,
  type TranscriptExchange,
  type TranscriptPart,
} from './transcript.ts';

export type { ReplaySecrets } from './live-values.ts';

export interface ReplayPorts {
  /** The key, plugged in anew: called once for each of the transcript's sessions. */
  readonly open: (session: number) => Promise<ApduChannel>;
  readonly secrets: ReplaySecrets;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  /** Milliseconds of silence of one APDU. */
  readonly timeoutMs?: number;
}

/** In what the key at hand does something else than the one of the transcript. */
export type DifferenceKind =
  /** Another last status word. */
  | 'statusWord'
  /** The same answer, in other parts. */
  | 'parts'
  /** An answer of another length, where nothing of variable length is in it. */
  | 'length'
  /** It gives back something else than was written. */
  | 'value'
  /** It does not answer. */
  | 'noAnswer';

/** One exchange, then and now. */
export interface ReplayedExchange {
  readonly session: number;
  /** Its place in the session, from 0. */
  readonly index: number;
  readonly recorded: TranscriptExchange;
  /** What went over the wire now. */
  readonly apdus: readonly TranscriptApdu[];
  readonly difference: DifferenceKind | undefined;
}

export interface Replay {
  readonly exchanges: readonly ReplayedExchange[];
  /** Exchanges that were left out: they build on one that went otherwise, were cut short, or carry what cannot be made. */
  readonly leftOut: number;
}

const defaultTimeoutMs = 120_000;
/** More parts than the longest certificate has. */
const maxParts = 1000;

/**
 * Does again, with the key at hand, what a transcript tells: the same commands in the same order, with live values in
 * the places of hidden ones. What follows from a difference, or needs what could not be done, is left out, so that every
 * difference is one of its own.
 */
export async function replay(transcript: Transcript, ports: ReplayPorts): Promise<Replay> {
  const exchanges: ReplayedExchange[] = [];
  const values = new LiveValues();
  const lost = new Set<string>();
  let leftOut = 0;
  for (const [session, { exchanges: recorded, apduLevel, maxCommandBytes }] of transcript.sessions.entries()) {
    const channel = await ports.open(session);
    try {
      const sameWire = channel.apduLevel === apduLevel && channel.maxCommandBytes === maxCommandBytes;
      const wire = new ReplayWire(channel, ports);
      for (const [index, one] of recorded.entries()) {
        const header = headerOf(one.header);
        const { needs, makes } = effectsOf(header, one.command);
        const data = needs.some((need) => lost.has(need))
          ? undefined
          : await commandData(one, transcript, values, ports);
        if (!data || one.sw === undefined) {
          leftOut += 1;
          makes.forEach((made) => lost.add(made));
          continue;
        }
        const result = await wire.exchange({ ...header, data, ne: one.ne });
        const difference = result.response ? differenceOf(one, result, values, sameWire) : 'noAnswer';
        exchanges.push({ session, index, recorded: one, apdus: result.apdus, difference });
        const done = result.response?.sw === swSuccess;
        if (done) values.learn(one.answer ?? [], slicesOf(result.response.data, layoutsFor(header).answer));
        for (const made of makes) {
          if (done) lost.delete(made);
          else if (difference !== undefined) lost.add(made);
        }
      }
    } finally {
      await channel.close();
    }
  }
  return { exchanges, leftOut };
}

export const headerOf = (header: string): CommandHeader => {
  const [cla = 0, ins = 0, p1 = 0, p2 = 0] = fromHex(header);
  return { cla, ins, p1, p2 };
};

interface Result {
  /** Undefined: none came. */
  readonly response: ResponseApdu | undefined;
  readonly apdus: readonly TranscriptApdu[];
}

/** Sends whole commands and notes what went over the wire. */
class ReplayWire {
  readonly #gmt0017: ApduSession;
  readonly #piv: ApduSession;
  readonly #timeoutMs: number;
  #apdus: TranscriptApdu[] = [];

  constructor(channel: ApduChannel, { now, timeoutMs = defaultTimeoutMs }: ReplayPorts) {
    this.#timeoutMs = timeoutMs;
    const recorded = recordingChannel(
      channel,
      ({ command, response, ms }) => {
        const { data } = parseCommand(command) ?? {};
        this.#apdus.push({
          header: toHex(command.subarray(0, 4)),
          sent: data?.length ?? 0,
          ...(response ? { answered: response.length - 2, sw: toHex(response.slice(-2)) } : {}),
          ms: Math.max(0, ms),
        });
      },
      now,
    );
    this.#gmt0017 = new ApduSession(recorded, { extendedLength: 'wherePossible' });
    this.#piv = new ApduSession(recorded, { extendedLength: 'whenNeeded' });
  }

  async exchange(command: CommandApdu): Promise<Result> {
    this.#apdus = [];
    const session = command.cla === 0x80 ? this.#gmt0017 : this.#piv;
    const answers: Uint8Array[] = [];
    try {
      for (;;) {
        const { data, sw } = await this.#send(session, command);
        answers.push(data);
        // A certificate goes on in the answer to the same command; a key that never ends is cut off.
        if (sw === swMoreToExport && data.length > 0 && answers.length < maxParts) continue;
        return { response: { data: concatBytes(...answers), sw }, apdus: this.#apdus };
      }
    } catch (error) {
      if (error instanceof TransportError) return { response: undefined, apdus: this.#apdus };
      throw error;
    }
  }

  /** PIV chains what is long on any wire (SP 800-73-4 part 2, §2.3). */
  async #send(session: ApduSession, command: CommandApdu): Promise<ResponseApdu> {
    const links = command.cla === 0x80 ? [command] : chainCommand(command, maxCommandData.short);
    for (const link of links.slice(0, -1)) {
      const response = await session.exchange(link, { timeoutMs: this.#timeoutMs });
      if (response.sw !== swSuccess) return response;
    }
    return session.exchange(links.at(-1) ?? command, { timeoutMs: this.#timeoutMs });
  }
}

/** The command's data with live values; undefined where one cannot be had. */
async function commandData(
  { header, command, sw }: TranscriptExchange,
  transcript: Transcript,
  values: LiveValues,
  { secrets, randomBytes }: ReplayPorts,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let before = '';
  for (const part of command) {
    if (typeof part === 'string') {
      parts.push(fromHex(part));
      before = part;
      continue;
    }
    const wrong = sw?.startsWith('63') === true && hasLogin(transcript);
    const filled = await fillPlaceholder(part, {
      header: headerOf(header),
      before,
      wrong,
      values,
      secrets,
      randomBytes,
    });
    // PIV has lengths in front of its values, GM/T 0017 takes what is there.
    if (!filled || (header.startsWith('00') && filled.length !== part.bytes)) return undefined;
    parts.push(filled);
  }
  return concatBytes(...parts);
}

/** A password was accepted at some time: one that was refused was a wrong one. */
function hasLogin({ sessions }: Transcript): boolean {
  return sessions.some(({ exchanges }) =>
    exchanges.some(
      ({ command, sw }) =>
        sw === '9000' && command.some((part) => typeof part !== 'string' && /^password/.test(part.is)),
    ),
  );
}

function differenceOf(
  recorded: TranscriptExchange,
  { response, apdus }: Result,
  values: LiveValues,
  sameWire: boolean,
): DifferenceKind | undefined {
  if (!response || recorded.sw === undefined) return undefined;
  const header = headerOf(recorded.header);
  if (fromHex(recorded.sw).reduce((value, byte) => value * 256 + byte, 0) !== response.sw) return 'statusWord';
  const parts = recorded.answer ?? [];
  const slices = slicesOf(response.data, layoutsFor(header).answer);
  const certificates = slices.filter(({ kind }) => kind === 'certificate');
  for (const [index, part] of hidden(parts, 'certificate').entries()) {
    const written = values.written(part);
    const read = certificates[index]?.bytes;
    if (written && !(read && bytesEqual(written, read))) return 'value';
  }
  const length = parts.reduce((sum, part) => sum + partBytes(part), 0);
  if (length !== response.data.length) return parts.some((part) => varies(part, header, values)) ? undefined : 'length';
  if (!sameWire) return undefined;
  const pattern = (list: readonly TranscriptApdu[]): string =>
    list.map(({ sw, answered }) => `${sw ?? ''}:${answered ?? ''}`).join(' ');
  return pattern(recorded.apdus) === pattern(apdus) ? undefined : 'parts';
}

type Placeholder = Exclude<TranscriptPart, string>;
const hidden = (parts: readonly TranscriptPart[], kind: Placeholder['is']): Placeholder[] =>
  parts.filter((part) => typeof part !== 'string').filter(({ is }) => is === kind);

/** Values whose length another key, or the same one another time, may have otherwise. */
function varies(part: TranscriptPart, { cla }: CommandHeader, values: LiveValues): boolean {
  if (typeof part === 'string') return false;
  if (part.is === 'certificate') return values.written(part) === undefined;
  // DER of ECDSA leaves out leading zeros.
  if (part.is === 'signature') return cla === 0;
  return ['applicationName', 'containerName', 'object'].includes(part.is);
}
