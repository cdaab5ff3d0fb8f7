import type { PivDialect, SkfDialect } from '../device/models.ts';
import type { Transcript, TranscriptApdu, TranscriptExchange } from './transcript.ts';
import { headerOf, type Replay, type ReplayedExchange } from './replay.ts';

/** How a key behaves, where keys behave differently: fields of the model's dialect, and what only the virtual key must know. */
export interface Behaviour {
  readonly pinDigest: SkfDialect['pinDigest'];
  readonly triesNibble: SkfDialect['triesNibble'];
  readonly passwordForImport: SkfDialect['passwordForImport'];
  readonly signSeconds: SkfDialect['signSeconds'];
  readonly spareSlot: PivDialect['spareSlot'];
  /** The most bytes one answer to ExportCertificate has; 0: all at once. The driver takes any. */
  readonly certificateAnswerBytes: number;
}

/** One way in which the key of the transcript and the one it was replayed with are not alike, as data for a model's row. */
export type DialectDifference = {
  readonly [Field in keyof Behaviour]: {
    readonly field: Field;
    readonly recorded: Behaviour[Field];
    readonly replayed: Behaviour[Field];
  };
}[keyof Behaviour];

export interface DialectDifferences {
  /** Each once, however often it was seen. */
  readonly known: readonly DialectDifference[];
  /** Differences for which no field of a dialect is the reason: for a person to look at. */
  readonly unexplained: readonly ReplayedExchange[];
}

/** A chip signs in less than this; what takes longer has waited for a finger. */
const pressMs = 4000;
/** Seconds to give a person who has to press a button. */
const pressSeconds = 60;
const chipSeconds = 15;

/**
 * What a replay's differences say of the two keys.
 * @param pinDigest how the replay made the password's proof
 */
export function dialectDifferences(
  { exchanges }: Replay,
  { pinDigest }: Pick<Behaviour, 'pinDigest'>,
): DialectDifferences {
  const known = new Map<string, DialectDifference>();
  const unexplained: ReplayedExchange[] = [];
  const note = (difference: DialectDifference): void => void known.set(JSON.stringify(difference), difference);
  for (const exchange of exchanges) {
    if (exchange.difference === undefined) continue;
    const difference = explain(exchange, pinDigest);
    if (difference) note(difference);
    else unexplained.push(exchange);
  }
  const [recorded, replayed] = [
    signSeconds(exchanges.map((exchange) => exchange.recorded)),
    signSeconds(exchanges.map(({ recorded: { header }, apdus }) => ({ header, apdus }))),
  ];
  if (recorded !== replayed) note({ field: 'signSeconds', recorded, replayed });
  return { known: [...known.values()], unexplained };
}

/** What a transcript alone says of its key. Fields of which it says nothing are absent. */
export function behaviourOf({ sessions }: Transcript): Partial<Behaviour> {
  const exchanges = sessions.flatMap((session) => session.exchanges);
  const signs = exchanges.some(isSignature);
  const nibbles = exchanges.flatMap((exchange, index) => triesNibbleOf(exchange, exchanges[index + 1]) ?? []);
  const exports = exchanges.filter(({ header, sw }) => insOf(header) === 0x4e && sw === '9000');
  const [triesNibble] = nibbles;
  const parts = exports.filter(({ apdus }) => certificateParts(apdus) > 0).map(({ apdus }) => certificateParts(apdus));
  return {
    ...(signs ? { signSeconds: signSeconds(exchanges) } : {}),
    ...(triesNibble ? { triesNibble } : {}),
    ...(exports.length > 0 ? { certificateAnswerBytes: Math.max(0, ...parts) } : {}),
  };
}

function explain(
  { recorded, apdus, difference }: ReplayedExchange,
  pinDigest: SkfDialect['pinDigest'],
): DialectDifference | undefined {
  const { ins, cla } = headerOf(recorded.header);
  const then = recorded.sw ?? '';
  const now = apdus.at(-1)?.sw ?? '';
  if (cla === 0x80 && difference === 'statusWord') {
    const other = pinDigest === 'sha1' ? 'sm3' : 'sha1';
    if (ins === 0x18 && then === '9000' && now.startsWith('63'))
      return { field: 'pinDigest', recorded: pinDigest, replayed: other };
    if (ins === 0x18 && then.startsWith('63') && now === '9000')
      return { field: 'pinDigest', recorded: other, replayed: pinDigest };
    const [before, after] = [nibbleOf(then), nibbleOf(now)];
    if (ins === 0x18 && before && after && before !== after)
      return { field: 'triesNibble', recorded: before, replayed: after };
    if (ins === 0x4c && [then, now].includes('6982') && [then, now].includes('9000'))
      return { field: 'passwordForImport', recorded: then === '6982', replayed: now === '6982' };
  }
  if (cla === 0x80 && ins === 0x4e && difference === 'parts') {
    const [before, after] = [certificateParts(recorded.apdus), certificateParts(apdus)];
    if (before !== after) return { field: 'certificateAnswerBytes', recorded: before, replayed: after };
  }
  // GET METADATA: a key that has it can prove that a slot is empty.
  if (cla === 0x00 && ins === 0xf7 && difference === 'statusWord' && (then === '6d00') !== (now === '6d00')) {
    const of = (sw: string): PivDialect['spareSlot'] => (sw === '6d00' ? 'noCertificate' : 'provenEmpty');
    return { field: 'spareSlot', recorded: of(then), replayed: of(now) };
  }
  return undefined;
}

const insOf = (header: string): number => headerOf(header).ins;

/** RSASignData and ECCSignData; GENERAL AUTHENTICATE of any key but the management key. */
function isSignature({ header }: Timed): boolean {
  const { cla, ins, p2 } = headerOf(header);
  return cla === 0x80 ? ins === 0x58 || ins === 0x74 : cla === 0 && ins === 0x87 && p2 !== 0x9b;
}

interface Timed {
  readonly header: string;
  readonly apdus: readonly TranscriptApdu[];
}
function signSeconds(exchanges: readonly Timed[]): number {
  const times = exchanges.filter(isSignature).flatMap(({ apdus }) => apdus.map(({ ms }) => ms));
  return Math.max(0, ...times) > pressMs ? pressSeconds : chipSeconds;
}

/** 63Cx counts in the low nibble (ISO/IEC 7816-4 §5.6), 63xC in the high one; 63CC says nothing. */
function nibbleOf(sw: string): SkfDialect['triesNibble'] | undefined {
  if (!/^63(?:c[0-9a-f]|[0-9a-f]c)$/.test(sw) || sw === '63cc') return undefined;
  return sw[2] === 'c' ? 'low' : 'high';
}

function triesNibbleOf(
  { header, sw = '' }: TranscriptExchange,
  next: TranscriptExchange | undefined,
): SkfDialect['triesNibble'] | undefined {
  if (insOf(header) !== 0x18 || !sw.startsWith('63')) return undefined;
  const plain = nibbleOf(sw);
  if (plain) return plain;
  // What counter there is, GetPINInfo says: maximum, remaining.
  const [info] = next && insOf(next.header) === 0x14 ? (next.answer ?? []) : [];
  const remaining = typeof info === 'string' && info.length === 4 ? info[3] : undefined;
  if (remaining === undefined || sw[2] === sw[3]) return undefined;
  return sw[3] === remaining ? 'low' : sw[2] === remaining ? 'high' : undefined;
}

/** The size of the parts that ExportCertificate answers with (6A9E); 0 for a certificate that came at once. */
function certificateParts(apdus: readonly TranscriptApdu[]): number {
  let bytes = 0;
  for (const { answered = 0, sw } of apdus) {
    bytes += answered;
    if (sw === '6a9e') return bytes;
    if (sw === '9000') return 0;
  }
  return 0;
}
