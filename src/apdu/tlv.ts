import { concatBytes } from './bytes.ts';

/*
 * BER-TLV data objects as ISO/IEC 7816-4 §5.2.2 restricts them: tags of one to three bytes, definite lengths of at most
 * four bytes after the first.
 */

/** One BER-TLV data object. */
export interface Tlv {
  /** The tag's bytes, big-endian, class and constructed bits included: 0x53, 0x7f49, 0x5fc105. */
  readonly tag: number;
  /** The value field: a view into the decoded bytes, not a copy. */
  readonly value: Uint8Array;
}

/** Bytes that are no sequence of data objects, or a tag that is none. */
export class TlvError extends RangeError {
  override readonly name = 'TlvError';
  readonly code: 'tag' | 'length' | 'truncated';
  constructor(code: TlvError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const maxTagBytes = 3;
const maxLengthBytes = 4;

/** Bits 5 to 1 of a tag's first byte: all set when more bytes follow. */
const tagNumberMask = 0x1f;
/** Bit 8: another tag byte follows; in the first length byte: the length is in the bytes that follow. */
const moreBit = 0x80;

/**
 * Encodes one data object, with the shortest length field (DER).
 * @param tag the tag's bytes as one big-endian number
 * @param value the parts of the value field, joined in order
 * @throws TlvError `tag` when the number is no tag, `length` when the value is longer than a length field can say
 */
export function encodeTlv(tag: number, ...value: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = value.reduce((sum, part) => sum + part.length, 0);
  return concatBytes(Uint8Array.from([...tagField(tag), ...lengthField(length)]), ...value);
}

/**
 * Decodes one level of data objects; the whole input is used up. Length fields may be longer than they need be, as some
 * cards write them, and bytes 00 between objects mean nothing.
 * @throws TlvError `tag` or `length` for a field the standard does not allow, `truncated` when the input ends too early
 */
export function decodeTlvs(bytes: Uint8Array): readonly Tlv[] {
  const list: Tlv[] = [];
  for (let offset = 0; offset < bytes.length;) {
    if (bytes[offset] === 0) {
      offset += 1;
      continue;
    }
    const tag = readTag(bytes, offset);
    const length = readLength(bytes, tag.end);
    const end = length.end + length.value;
    if (end > bytes.length) throw new TlvError('truncated', `a value of ${length.value} bytes does not end here`);
    list.push({ tag: tag.value, value: bytes.subarray(length.end, end) });
    offset = end;
  }
  return list;
}

/** The value of the first data object with this tag. */
export function findTlv(list: readonly Tlv[], tag: number): Uint8Array | undefined {
  return list.find((object) => object.tag === tag)?.value;
}

interface Field {
  readonly value: number;
  /** The offset of the byte after the field. */
  readonly end: number;
}

function readTag(bytes: Uint8Array, start: number): Field {
  const first = byteAt(bytes, start);
  if ((first & tagNumberMask) !== tagNumberMask) return { value: first, end: start + 1 };
  let value = first;
  for (let end = start + 1; end < start + maxTagBytes;) {
    const next = byteAt(bytes, end++);
    value = (value << 8) | next;
    if (next & moreBit) continue;
    checkTag(value);
    return { value, end };
  }
  throw new TlvError('tag', `a tag of more than ${maxTagBytes} bytes`);
}

function readLength(bytes: Uint8Array, start: number): Field {
  const first = byteAt(bytes, start);
  if (first < moreBit) return { value: first, end: start + 1 };
  const count = first & ~moreBit;
  if (count === 0 || count > maxLengthBytes) throw new TlvError('length', 'no definite length of at most four bytes');
  let value = 0;
  // Not by shifting: four bytes may be more than a signed 32-bit number holds.
  for (let index = 1; index <= count; index++) value = value * 256 + byteAt(bytes, start + index);
  return { value, end: start + 1 + count };
}

function byteAt(bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined) throw new TlvError('truncated', 'the input ends inside a tag or a length');
  return byte;
}

function tagField(tag: number): readonly number[] {
  checkTag(tag);
  return bigEndian(tag);
}

/** ISO/IEC 7816-4 §5.2.2.1: which numbers are the bytes of a tag. */
function checkTag(tag: number): void {
  const [first = 0, second, ...others] = Number.isInteger(tag) && tag > 0 && tag <= 0xff_ffff ? bigEndian(tag) : [];
  const continues = (first & tagNumberMask) === tagNumberMask;
  const valid =
    second === undefined
      ? first !== 0 && !continues
      : continues &&
        // A number below 1F belongs into one byte, and 80 would be a leading zero.
        second >= tagNumberMask &&
        second !== moreBit &&
        ((second & moreBit) !== 0) === others.length > 0 &&
        others.every((byte) => byte < moreBit);
  if (!valid) throw new TlvError('tag', 'not a tag of one to three bytes');
}

function lengthField(length: number): readonly number[] {
  if (length < moreBit) return [length];
  const bytes = bigEndian(length);
  if (bytes.length > maxLengthBytes) throw new TlvError('length', `a value of ${length} bytes`);
  return [moreBit | bytes.length, ...bytes];
}

/** The bytes of a number, most significant first, without leading zeros. */
function bigEndian(value: number): readonly number[] {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return bytes;
}
