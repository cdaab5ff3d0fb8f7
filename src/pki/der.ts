import * as asn1js from 'asn1js';
import { concat, copyBytes, type Bytes } from './bytes.ts';

/** Bytes that are not the DER they should be (ITU-T X.690), or that go beyond our bounds. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** One value with its tag, as asn1js holds it. */
export type DerBlock = asn1js.BaseBlock;

export interface DerLimits {
  /** The most bytes looked at; 65 536 unless told otherwise. */
  readonly maxBytes?: number;
  /** How deep values may nest; 32 unless told otherwise. */
  readonly maxDepth?: number;
}
const defaultMaxBytes = 65_536;
const defaultMaxDepth = 32;

const universal = { boolean: 1, integer: 2, bitString: 3, octetString: 4, null: 5, oid: 6, enumerated: 10 } as const;
const utf8StringTag = 12;
const sequenceTag = 16;
const setTag = 17;
const utcTimeTag = 23;
const generalizedTimeTag = 24;
const universalStringTag = 28;
const bmpStringTag = 30;
/** NumericString, PrintableString, TeletexString, IA5String, VisibleString. */
const otherStringTags: ReadonlySet<number> = new Set([18, 19, 20, 22, 26]);

const byteAt = (bytes: Uint8Array, index: number): number => {
  const byte = bytes[index];
  if (byte === undefined) throw new DerError('the bytes end inside a value');
  return byte;
};

interface Header {
  /** 0 universal, 1 application, 2 context-specific, 3 private. */
  readonly tagClass: number;
  readonly tagNumber: number;
  readonly constructed: boolean;
  readonly contentStart: number;
  readonly end: number;
}

/** Reads identifier and length octets (X.690 §8.1, §10.1), with the value's end inside `limit`. */
function readHeader(bytes: Uint8Array, start: number, limit: number): Header {
  const identifier = byteAt(bytes, start);
  const tagNumber = identifier & 0x1f;
  if (tagNumber === 0x1f) throw new DerError('tag numbers above 30 are not used in certificates or CMP');
  const first = byteAt(bytes, start + 1);
  let contentStart = start + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError('indefinite or oversized length');
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + byteAt(bytes, contentStart + i);
    if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError('length not in its shortest form');
    contentStart += count;
  }
  const end = contentStart + length;
  if (end > limit) throw new DerError('a value is longer than what holds it');
  return { tagClass: identifier >>> 6, tagNumber, constructed: (identifier & 0x20) !== 0, contentStart, end };
}

/** DER's restrictions on the contents of primitive universal types (X.690 §8, §10, §11). */
function assertPrimitive(tagNumber: number, content: Uint8Array): void {
  switch (tagNumber) {
    case universal.boolean:
      if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new DerError('not a DER BOOLEAN');
      return;
    case universal.integer:
    case universal.enumerated: {
      const [first, second = 0] = content;
      if (first === undefined) throw new DerError('INTEGER without contents');
      if (content.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
        throw new DerError('INTEGER not in its shortest form');
      }
      return;
    }
    case universal.bitString: {
      const unusedBits = byteAt(content, 0);
      const last = content.length > 1 ? (content.at(-1) ?? 0) : 0;
      if (unusedBits > 7 || (content.length === 1 && unusedBits > 0) || (last & ((1 << unusedBits) - 1)) !== 0) {
        throw new DerError('not a DER BIT STRING');
      }
      return;
    }
    case universal.null:
      if (content.length !== 0) throw new DerError('NULL with contents');
      return;
    case universal.oid:
      if (content.length === 0 || (content.at(-1) ?? 0) >= 0x80) throw new DerError('OBJECT IDENTIFIER cut short');
      content.forEach((byte, i) => {
        if (byte === 0x80 && (i === 0 || (content[i - 1] ?? 0) < 0x80))
          throw new DerError('arc not in its shortest form');
      });
      return;
    case utcTimeTag:
      if (!/^\d{12}Z$/u.test(latin1(content))) throw new DerError('not a DER UTCTime');
      return;
    case generalizedTimeTag:
      if (!/^\d{14}(?:\.\d*[1-9])?Z$/u.test(latin1(content))) throw new DerError('not a DER GeneralizedTime');
      return;
    case universal.octetString:
    case utf8StringTag:
      return;
    case bmpStringTag:
    case universalStringTag:
      if (content.length % (tagNumber === bmpStringTag ? 2 : 4) !== 0) throw new DerError('a character cut short');
      return;
    default:
      if (!otherStringTags.has(tagNumber)) throw new DerError(`unexpected universal tag ${tagNumber}`);
  }
}

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 64));

function assertValue(bytes: Uint8Array, start: number, limit: number, depth: number): number {
  if (depth <= 0) throw new DerError('nested too deep');
  const { tagClass, tagNumber, constructed, contentStart, end } = readHeader(bytes, start, limit);
  if (tagClass === 0 && constructed !== (tagNumber === sequenceTag || tagNumber === setTag)) {
    throw new DerError('primitive where constructed is meant, or the other way round');
  }
  if (constructed) {
    for (let offset = contentStart; offset < end;) offset = assertValue(bytes, offset, end, depth - 1);
  } else if (tagClass === 0) {
    assertPrimitive(tagNumber, bytes.subarray(contentStart, end));
  }
  return end;
}

/**
 * Checks that the bytes are exactly one DER value (X.690 §10, §11), however deep, within bounds. The order of a SET OF,
 * which deployed names get wrong, and components equal to their DEFAULT, which need the type, are not looked at.
 * @throws DerError
 */
export function assertDer(bytes: Uint8Array, limits: DerLimits = {}): void {
  if (bytes.length > (limits.maxBytes ?? defaultMaxBytes)) throw new DerError('too long');
  if (assertValue(bytes, 0, bytes.length, limits.maxDepth ?? defaultMaxDepth) !== bytes.length) {
    throw new DerError('bytes left over after the value');
  }
}

/**
 * Reads exactly one DER value. The result holds its own copy of the bytes.
 * @throws DerError
 */
export function parseDer(bytes: Uint8Array, limits: DerLimits = {}): DerBlock {
  assertDer(bytes, limits);
  let parsed: ReturnType<typeof asn1js.fromBER>;
  try {
    parsed = asn1js.fromBER(copyBytes(bytes), { parseEmbedded: false });
  } catch (cause) {
    // Some of its types decode their contents on reading, and throw.
    throw new DerError('not readable', { cause });
  }
  if (parsed.offset !== bytes.length) throw new DerError(`not readable: ${parsed.result.error}`);
  return parsed.result;
}

/**
 * Where the contents of the value at `start` begin. For lists too long to be held as objects: only among bytes that
 * `assertDer` has passed.
 */
export function derContentStart(bytes: Uint8Array, start: number): number {
  const first = bytes[start + 1] ?? 0;
  return start + 2 + (first < 0x80 ? 0 : first & 0x7f);
}

/** Where the value at `start` ends; only among bytes that `assertDer` has passed. */
export function derEnd(bytes: Uint8Array, start: number): number {
  const contentStart = derContentStart(bytes, start);
  if (contentStart === start + 2) return contentStart + (bytes[start + 1] ?? 0);
  let length = 0;
  for (let i = start + 2; i < contentStart; i++) length = length * 256 + (bytes[i] ?? 0);
  return contentStart + length;
}

/** The DER of a value built here. */
export function encode(block: DerBlock): Bytes {
  return new Uint8Array(block.toBER());
}

/** The bytes a parsed value was read from, tag and length included: what a signature or a comparison is about. */
export function sourceBytes(block: DerBlock): Bytes {
  return copyBytes(block.valueBeforeDecodeView);
}

/* Building */

/** Bytes that go into a larger value as they are; asn1js would parse and encode them anew. */
class VerbatimBlock extends asn1js.BaseBlock {
  readonly #bytes: Bytes;
  constructor(bytes: Uint8Array) {
    super();
    this.#bytes = copyBytes(bytes);
    this.valueBeforeDecodeView = this.#bytes;
  }
  override toBER(_sizeOnly?: boolean, writer?: asn1js.ViewWriter): ArrayBuffer {
    writer?.write(this.#bytes.buffer);
    return this.#bytes.buffer;
  }
}

/** A ready DER value as a part of a larger one, byte for byte. */
export function raw(der: Uint8Array): DerBlock {
  return new VerbatimBlock(der);
}

type Part = DerBlock | undefined;
const present = (parts: readonly Part[]): DerBlock[] => parts.filter((part) => part !== undefined);

/** SEQUENCE or SEQUENCE OF; undefined parts are absent OPTIONALs. */
export function sequence(...parts: readonly Part[]): DerBlock {
  return new asn1js.Sequence({ value: present(parts) });
}

/** SET of the parts in the given order (one, in every SET this project makes). */
export function set(...parts: readonly Part[]): DerBlock {
  return new asn1js.Set({ value: present(parts) });
}

/** [n] EXPLICIT; without parts an empty constructed [n]. */
export function explicit(tagNumber: number, ...parts: readonly Part[]): DerBlock {
  return new asn1js.Constructed({ idBlock: { tagClass: 3, tagNumber }, value: present(parts) });
}

/** [n] IMPLICIT of a primitive type, by its contents octets. */
export function implicitPrimitive(tagNumber: number, content: Uint8Array): DerBlock {
  return new asn1js.Primitive({ idBlock: { tagClass: 3, tagNumber }, valueHex: copyBytes(content).buffer });
}

/**
 * [n] IMPLICIT of a ready DER value: the tag in place of its own (X.690 §8.14.3). Not for a CHOICE, which is tagged
 * explicitly whatever its module says (X.680 §31.2.7).
 */
export function implicit(tagNumber: number, der: Uint8Array): DerBlock {
  const bytes = copyBytes(der);
  bytes[0] = 0x80 | ((bytes[0] ?? 0) & 0x20) | tagNumber;
  return raw(bytes);
}

export function oid(dotted: string): DerBlock {
  return new asn1js.ObjectIdentifier({ value: dotted });
}

export function octetString(bytes: Uint8Array): DerBlock {
  return new asn1js.OctetString({ valueHex: copyBytes(bytes).buffer });
}

export function bitString(bytes: Uint8Array, unusedBits = 0): DerBlock {
  return raw(tlv(universal.bitString, concat(Uint8Array.of(unusedBits), bytes)));
}

/** INTEGER of a safe integer of either sign. */
export function integer(value: number): DerBlock {
  if (!Number.isSafeInteger(value)) throw new RangeError('not a safe integer');
  const content: number[] = [];
  let rest = BigInt(value);
  do {
    content.unshift(Number(rest & 0xffn));
    rest >>= 8n;
  } while (rest !== (((content[0] ?? 0) & 0x80) === 0 ? 0n : -1n));
  return raw(tlv(universal.integer, Uint8Array.from(content)));
}

/** INTEGER of an unsigned big-endian number of any length. */
export function unsignedInteger(bytes: Uint8Array): DerBlock {
  return raw(tlv(universal.integer, unsignedContent(bytes)));
}

/** INTEGER of its contents octets, as `readIntegerContent` gives them. */
export function integerOfContent(content: Uint8Array): DerBlock {
  return raw(tlv(universal.integer, content));
}

export function boolean(value: boolean): DerBlock {
  return new asn1js.Boolean({ value });
}

export function nullValue(): DerBlock {
  return new asn1js.Null();
}

export function utf8String(value: string): DerBlock {
  return raw(tlv(utf8StringTag, new TextEncoder().encode(value)));
}

/** PrintableString; the caller keeps to its letters (X.680 §41.4). */
export function printableString(value: string): DerBlock {
  return raw(tlv(19, new TextEncoder().encode(value)));
}

const digits = (value: number, length: number): string => String(value).padStart(length, '0');

/** GeneralizedTime in UTC, to the second: YYYYMMDDhhmmssZ. */
export function generalizedTime(date: Date): DerBlock {
  return raw(
    tlv(generalizedTimeTag, new TextEncoder().encode(`${digits(date.getUTCFullYear(), 4)}${monthToSecond(date)}`)),
  );
}

/** Time as certificates carry it: UTCTime through 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). */
export function certificateTime(date: Date): DerBlock {
  const year = date.getUTCFullYear();
  if (year < 1950 || year > 2049) return generalizedTime(date);
  return raw(tlv(utcTimeTag, new TextEncoder().encode(`${digits(year % 100, 2)}${monthToSecond(date)}`)));
}

function monthToSecond(date: Date): string {
  const fields = [
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ];
  return `${fields.map((field) => digits(field, 2)).join('')}Z`;
}

/** Identifier octet, length and contents. */
function tlv(identifier: number, content: Uint8Array): Bytes {
  const { length } = content;
  if (length < 0x80) return concat(Uint8Array.of(identifier, length), content);
  const lengthBytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) lengthBytes.unshift(rest % 256);
  return concat(Uint8Array.of(identifier, 0x80 | lengthBytes.length, ...lengthBytes), content);
}

/** A non-negative number's contents octets: no leading zeros but the one that keeps it positive. */
function unsignedContent(bytes: Uint8Array): Bytes {
  const start = bytes.findIndex((byte) => byte !== 0);
  if (start < 0) return Uint8Array.of(0);
  const significant = bytes.subarray(start);
  return (significant[0] ?? 0) >= 0x80 ? concat(Uint8Array.of(0), significant) : copyBytes(significant);
}

/* Reading: each throws DerError when the value is of another type. */

function isUniversal(block: DerBlock, tagNumber: number): boolean {
  return block.idBlock.tagClass === 1 && block.idBlock.tagNumber === tagNumber;
}

/** Whether the value carries the context-specific tag [n]. */
export function isContext(block: DerBlock | undefined, tagNumber: number): boolean {
  return block?.idBlock.tagClass === 3 && block.idBlock.tagNumber === tagNumber;
}

/** The number of a context-specific tag, or undefined for any other class. */
export function contextTag(block: DerBlock): number | undefined {
  return block.idBlock.tagClass === 3 ? block.idBlock.tagNumber : undefined;
}

/** The contents octets, as received. */
export function contentBytes(block: DerBlock): Bytes {
  const source = block.valueBeforeDecodeView;
  const { contentStart, end } = readHeader(source, 0, source.length);
  return copyBytes(source.subarray(contentStart, end));
}

function contentOf(block: DerBlock, tagNumber: number, what: string): Bytes {
  if (!isUniversal(block, tagNumber)) throw new DerError(`${what} expected`);
  return contentBytes(block);
}

/** The parts of any constructed value. */
export function children(block: DerBlock): readonly DerBlock[] {
  const { valueBlock } = block;
  if (!block.idBlock.isConstructed || !('value' in valueBlock) || !Array.isArray(valueBlock.value)) {
    throw new DerError('constructed value expected');
  }
  return valueBlock.value.filter((part): part is DerBlock => part instanceof asn1js.BaseBlock);
}

/** The parts of a SEQUENCE, at least `atLeast` and at most `atMost` of them. */
export function readSequence(block: DerBlock | undefined, atLeast = 0, atMost = Infinity): readonly DerBlock[] {
  if (!block || !isUniversal(block, sequenceTag)) throw new DerError('SEQUENCE expected');
  const parts = children(block);
  if (parts.length < atLeast || parts.length > atMost) throw new DerError('SEQUENCE with too few or too many parts');
  return parts;
}

/** The parts of a SET. */
export function readSet(block: DerBlock): readonly DerBlock[] {
  if (!isUniversal(block, setTag)) throw new DerError('SET expected');
  return children(block);
}

/** The one value inside [n] EXPLICIT. */
export function readExplicit(block: DerBlock, tagNumber: number): DerBlock {
  const [inner, ...others] = isContext(block, tagNumber) ? children(block) : [];
  if (!inner || others.length > 0) throw new DerError(`[${tagNumber}] with one value expected`);
  return inner;
}

/** The value inside [n] IMPLICIT of this type, with its own tag again and as strictly as if it had always carried it. */
export function readImplicit(
  block: DerBlock | undefined,
  tagNumber: number,
  type: 'sequence' | 'integer' | 'bitString' | 'octetString' | 'null',
): DerBlock {
  if (!block || !isContext(block, tagNumber)) throw new DerError(`[${tagNumber}] expected`);
  const isConstructed = type === 'sequence';
  const bytes = sourceBytes(block);
  if (((byteAt(bytes, 0) & 0x20) !== 0) !== isConstructed) {
    throw new DerError('primitive where constructed is meant, or the other way round');
  }
  bytes[0] = isConstructed ? 0x20 | sequenceTag : universal[type];
  return parseDer(bytes);
}

/** Dotted decimal. */
export function readOid(block: DerBlock | undefined): string {
  if (!block) throw new DerError('OBJECT IDENTIFIER expected');
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of contentOf(block, universal.oid, 'OBJECT IDENTIFIER')) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    if (arcs.length === 0) {
      const first = arc < 40n ? 0n : arc < 80n ? 1n : 2n;
      arcs.push(first, arc - 40n * first);
    } else arcs.push(arc);
    arc = 0n;
  }
  return arcs.join('.');
}

/** An INTEGER within ±2^47. */
export function readInteger(block: DerBlock | undefined): number {
  return numberIn(block, universal.integer, 'INTEGER');
}

/** An ENUMERATED within ±2^47. */
export function readEnumerated(block: DerBlock | undefined): number {
  return numberIn(block, universal.enumerated, 'ENUMERATED');
}

function numberIn(block: DerBlock | undefined, tag: number, what: string): number {
  if (!block) throw new DerError(`${what} expected`);
  const content = contentOf(block, tag, what);
  if (content.length > 6) throw new DerError(`${what} too large`);
  const magnitude = content.reduce((value, byte) => value * 256 + byte, 0);
  return (content[0] ?? 0) < 0x80 ? magnitude : magnitude - 256 ** content.length;
}

/** A non-negative INTEGER of any length as big-endian bytes without the leading zero. */
export function readUnsignedInteger(block: DerBlock | undefined): Bytes {
  if (!block) throw new DerError('INTEGER expected');
  const content = contentOf(block, universal.integer, 'INTEGER');
  if ((content[0] ?? 0) >= 0x80) throw new DerError('negative INTEGER');
  return content.length > 1 && content[0] === 0 ? content.slice(1) : content;
}

/** The INTEGER's contents octets, two's complement, for numbers that are only compared, such as serial numbers. */
export function readIntegerContent(block: DerBlock | undefined): Bytes {
  if (!block) throw new DerError('INTEGER expected');
  return contentOf(block, universal.integer, 'INTEGER');
}

export function readOctetString(block: DerBlock | undefined): Bytes {
  if (!block) throw new DerError('OCTET STRING expected');
  return contentOf(block, universal.octetString, 'OCTET STRING');
}

/** A BIT STRING of whole bytes, such as a key or a signature. */
export function readBitString(block: DerBlock | undefined): Bytes {
  if (!block) throw new DerError('BIT STRING expected');
  const content = contentOf(block, universal.bitString, 'BIT STRING');
  if (content[0] !== 0) throw new DerError('BIT STRING of whole bytes expected');
  return content.slice(1);
}

/** The numbers of the bits that are set, bit 0 being the first of the string (X.680 §22). */
export function readNamedBits(block: DerBlock): readonly number[] {
  const [, ...bytes] = contentOf(block, universal.bitString, 'BIT STRING');
  const bits: number[] = [];
  bytes.forEach((byte, index) => {
    for (let bit = 0; bit < 8; bit++) if ((byte & (0x80 >>> bit)) !== 0) bits.push(8 * index + bit);
  });
  return bits;
}

export function readBoolean(block: DerBlock): boolean {
  return contentOf(block, universal.boolean, 'BOOLEAN')[0] === 0xff;
}

export function isNull(block: DerBlock | undefined): boolean {
  return block !== undefined && isUniversal(block, universal.null);
}

export function isBoolean(block: DerBlock | undefined): boolean {
  return block !== undefined && isUniversal(block, universal.boolean);
}

export function isSequence(block: DerBlock | undefined): boolean {
  return block !== undefined && isUniversal(block, sequenceTag);
}

export function isInteger(block: DerBlock | undefined): boolean {
  return block !== undefined && isUniversal(block, universal.integer);
}

export function isBitString(block: DerBlock | undefined): boolean {
  return block !== undefined && isUniversal(block, universal.bitString);
}

/** UTCTime (its two-digit years 50–99 being 1950–1999, RFC 5280 §4.1.2.5.1) or GeneralizedTime, to the second. */
export function readTime(block: DerBlock | undefined): Date {
  if (!block || !(isUniversal(block, utcTimeTag) || isUniversal(block, generalizedTimeTag))) {
    throw new DerError('UTCTime or GeneralizedTime expected');
  }
  let text = latin1(contentBytes(block));
  if (isUniversal(block, utcTimeTag)) text = (Number(text.slice(0, 2)) < 50 ? '20' : '19') + text;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = ''] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/u.exec(text) ?? [];
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const date = new Date(`${iso}Z`);
  // Date moves 30 February into March: only a time that comes out as it went in exists.
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 19) !== iso) throw new DerError('no such time');
  return date;
}

/** Any of ASN.1's character strings as text; undefined if the value is not one. */
export function readText(block: DerBlock): string | undefined {
  if (block.idBlock.tagClass !== 1) return undefined;
  const { tagNumber } = block.idBlock;
  if (tagNumber === utf8StringTag) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(contentBytes(block));
    } catch (cause) {
      throw new DerError('UTF8String is not UTF-8', { cause });
    }
  }
  if (tagNumber === bmpStringTag) {
    return new TextDecoder('utf-16be', { ignoreBOM: true }).decode(contentBytes(block));
  }
  if (tagNumber === universalStringTag) {
    const view = new DataView(contentBytes(block).buffer);
    let text = '';
    for (let offset = 0; offset + 4 <= view.byteLength; offset += 4) {
      const codePoint = view.getUint32(offset);
      if (codePoint > 0x10ffff) throw new DerError('UniversalString beyond Unicode');
      text += String.fromCodePoint(codePoint);
    }
    return text;
  }
  if (!otherStringTags.has(tagNumber)) return undefined;
  let text = '';
  for (const byte of contentBytes(block)) text += String.fromCharCode(byte);
  return text;
}

/* ECDSA-Sig-Value (RFC 3279 §2.2.3), which SM2 signatures share (GM/T 0009-2012 §7.3) */

/** r ‖ s, each `length / 2` bytes big-endian, as SEQUENCE {r, s}. */
export function ecdsaSignatureToDer(signature: Uint8Array): Bytes {
  if (signature.length === 0 || signature.length % 2 !== 0) throw new RangeError('r and s are of one length');
  const half = signature.length / 2;
  return encode(sequence(unsignedInteger(signature.subarray(0, half)), unsignedInteger(signature.subarray(half))));
}

/**
 * r ‖ s of a DER signature.
 * @param scalarBytes the length of r and of s: 32 for SM2 and P-256, 48 for P-384
 * @throws DerError
 */
export function ecdsaSignatureFromDer(der: Uint8Array, scalarBytes = 32): Bytes {
  const signature = new Uint8Array(2 * scalarBytes);
  readSequence(parseDer(der), 2, 2).forEach((part, index) => {
    const value = readUnsignedInteger(part);
    if (value.length > scalarBytes) throw new DerError('r or s is too large');
    signature.set(value, (index + 1) * scalarBytes - value.length);
  });
  return signature;
}
