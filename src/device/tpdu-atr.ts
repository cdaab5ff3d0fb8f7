import { TransportError } from '../apdu/channel.ts';

/** An answer to reset (ISO/IEC 7816-3 §8), as far as a host that forms TPDUs must know it. */
export interface AnswerToReset {
  readonly convention: 'direct' | 'inverse';
  /** The protocols on offer, the first one first. T=0 where none is named. */
  readonly protocols: readonly number[];
  /** The protocol of specific mode (TA2): nothing else is spoken, and TA1 counts at once. */
  readonly specific: number | undefined;
  /** TA1, Fi and Di; 11h, the default, where there is none. */
  readonly fiDi: number;
  /** TC1, extra guard time N. */
  readonly guardTime: number;
  /** TC2, the waiting integer WI of T=0. */
  readonly waitingInteger: number;
  /** TA of T=1: the longest information field that the chip can receive, bytes. */
  readonly ifsc: number;
  /** TB of T=1: BWI (high nibble) and CWI. */
  readonly waitingIntegers: number;
  /** TC of T=1: how a block is checked. */
  readonly check: 'lrc' | 'crc';
  readonly historicalBytes: Uint8Array;
}

const maxAtrBytes = 33;
const firstByte = { direct: 0x3b, inverse: 0x3f } as const;
/** T=15: not a protocol but "global interface bytes follow". */
const globalBytes = 15;
/** RFU and forbidden values of TA of T=1. */
const validIfsc = (value: number) => value >= 1 && value <= 254;

/** Interface bytes of one level. */
interface InterfaceBytes {
  readonly ta?: number | undefined;
  readonly tb?: number | undefined;
  readonly tc?: number | undefined;
}

/** Which of TA, TB, TC and TD follow T0 or a TD. */
function indicators(byte: number): readonly boolean[] {
  return [0x10, 0x20, 0x40, 0x80].map((bit) => (byte & bit) !== 0);
}

/**
 * Parses an answer to reset.
 * @throws TransportError `malformed` when it is cut short, too long or its check byte is wrong
 */
export function parseAtr(bytes: Uint8Array): AnswerToReset {
  if (bytes.length > maxAtrBytes) throw new TransportError('malformed', `an answer to reset of ${bytes.length} bytes`);
  const take = reader(bytes);
  const ts = take();
  if (ts !== firstByte.direct && ts !== firstByte.inverse) throw new TransportError('malformed', 'no TS');
  const t0 = take();
  const protocols: number[] = [];
  let first: InterfaceBytes = {};
  let second: InterfaceBytes = {};
  let forT1: InterfaceBytes = {};
  let follows: number | undefined = t0;
  for (let level = 1; follows !== undefined; level++) {
    const [ta, tb, tc, td]: (number | undefined)[] = indicators(follows).map((there) => (there ? take() : undefined));
    if (level === 1) first = { ta, tc };
    else if (level === 2) second = { ta, tc };
    // From the third level on they belong to the protocol named last.
    else if (protocols.at(-1) === 1) forT1 = { ta: forT1.ta ?? ta, tb: forT1.tb ?? tb, tc: forT1.tc ?? tc };
    if (td !== undefined) protocols.push(td & 0x0f);
    follows = td;
  }
  const historicalBytes = Uint8Array.from({ length: t0 & 0x0f }, take);
  // T=0 alone has no check byte.
  if (protocols.some((protocol) => protocol !== 0)) {
    take();
    if (take.used().reduce((sum, byte) => sum ^ byte, 0) !== ts) throw new TransportError('malformed', 'wrong TCK');
  }
  const offered = [...new Set(protocols)].filter((protocol) => protocol !== globalBytes);
  return {
    convention: ts === firstByte.direct ? 'direct' : 'inverse',
    protocols: offered.length > 0 ? offered : [0],
    specific: second.ta === undefined ? undefined : second.ta & 0x0f,
    fiDi: first.ta ?? 0x11,
    guardTime: first.tc ?? 0,
    waitingInteger: second.tc ?? 10,
    ifsc: forT1.ta !== undefined && validIfsc(forT1.ta) ? forT1.ta : 32,
    waitingIntegers: forT1.tb ?? 0x4d,
    check: (forT1.tc ?? 0) & 1 ? 'crc' : 'lrc',
    historicalBytes,
  };
}

/** Takes one byte after the other. */
function reader(bytes: Uint8Array): (() => number) & { readonly used: () => Uint8Array } {
  let offset = 0;
  const take = () => {
    const byte = bytes[offset++];
    if (byte === undefined) throw new TransportError('malformed', 'an answer to reset that is cut short');
    return byte;
  };
  return Object.assign(take, { used: () => bytes.subarray(0, offset) });
}

/**
 * Whether the chip says that it takes extended-length APDUs: the third software function byte among its card capabilities
 * (ISO/IEC 7816-4 §8.1.1.2.7).
 */
export function takesExtendedLength({ historicalBytes }: AnswerToReset): boolean {
  const [category] = historicalBytes;
  if (category !== 0x00 && category !== 0x80) return false;
  for (let offset = 1; offset < historicalBytes.length;) {
    const head = historicalBytes[offset] ?? 0;
    const length = head & 0x0f;
    if (head >> 4 === 7 && length === 3) return ((historicalBytes[offset + 3] ?? 0) & 0x40) !== 0;
    offset += 1 + length;
  }
  return false;
}

/**
 * abProtocolDataStructure of SetParameters (CCID 1.1 §6.1.7). Outside specific mode nothing is negotiated, so the default
 * speed stays.
 */
export function protocolParameters(atr: AnswerToReset, protocol: 0 | 1): Uint8Array {
  const fiDi = atr.specific === undefined ? 0x11 : atr.fiDi;
  const inverse = atr.convention === 'inverse' ? 0x02 : 0x00;
  if (protocol === 0) return Uint8Array.of(fiDi, inverse, atr.guardTime, atr.waitingInteger, 0);
  const check = atr.check === 'crc' ? 0x01 : 0x00;
  return Uint8Array.of(fiDi, 0x10 | inverse | check, atr.guardTime, atr.waitingIntegers, 0, atr.ifsc, 0);
}
