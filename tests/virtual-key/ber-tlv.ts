import { type Bytes, concatBytes } from './bytes.ts';

/** A BER-TLV data object (ISO/IEC 7816-4 §5.2.2). */
export interface Tlv {
  /** The tag's bytes as a number: 0x53, 0x7f49, 0x5fc105. */
  readonly tag: number;
  readonly value: Uint8Array;
}

/** Bytes of a number, most significant first, without leading zeros. */
function numberBytes(value: number): number[] {
  return value > 0xff ? [...numberBytes(Math.floor(value / 256)), value % 256] : [value];
}

/** Tag, shortest length, values one after the other. */
export function tlv(tag: number, ...values: readonly Uint8Array[]): Bytes {
  const value = concatBytes(...values);
  const length = numberBytes(value.length);
  const head = value.length < 0x80 ? length : [0x80 | length.length, ...length];
  return concatBytes(Uint8Array.of(...numberBytes(tag), ...head), value);
}

/** The data object at `offset`, and where the next one begins. Up to three tag bytes and lengths up to 65535. */
export function readTlv(bytes: Uint8Array, offset = 0): { readonly object: Tlv; readonly end: number } | undefined {
  let at = offset;
  let tag = bytes[at++];
  if (tag === undefined) return undefined;
  if ((tag & 0x1f) === 0x1f) {
    for (let more = 0x80; more & 0x80;) {
      const next = bytes[at++];
      if (next === undefined || tag > 0xffff) return undefined;
      tag = tag * 256 + next;
      more = next;
    }
  }
  let length = bytes[at++];
  if (length === undefined) return undefined;
  if (length > 0x7f) {
    const digits = length & 0x7f;
    if (digits < 1 || digits > 2 || at + digits > bytes.length) return undefined;
    length = bytes.subarray(at, at + digits).reduce((sum, byte) => sum * 256 + byte, 0);
    at += digits;
  }
  const end = at + length;
  return end <= bytes.length ? { object: { tag, value: bytes.slice(at, end) }, end } : undefined;
}

/** All data objects of one level; undefined when the bytes are not a row of them. */
export function readTlvs(bytes: Uint8Array): readonly Tlv[] | undefined {
  const objects: Tlv[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const read = readTlv(bytes, offset);
    if (!read) return undefined;
    objects.push(read.object);
    offset = read.end;
  }
  return objects;
}

/** The value of the first object with that tag. */
export function valueOf(objects: readonly Tlv[] | undefined, tag: number): Uint8Array | undefined {
  return objects?.find((object) => object.tag === tag)?.value;
}
