/** Byte helpers of the virtual key's own, so that it shares nothing with the code it checks. */
export type Bytes = Uint8Array<ArrayBuffer>;

export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** @throws RangeError when the text is not an even number of hex digits */
export function hexToBytes(hex: string): Bytes {
  if (!/^(?:[0-9a-f]{2})*$/i.test(hex)) throw new RangeError('not hex');
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}

export function bytesToHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The text in UTF-8, zero padded to `length` bytes; longer text is cut. */
export function paddedText(text: string, length: number): Bytes {
  const field = new Uint8Array(length);
  field.set(new TextEncoder().encode(text).subarray(0, length));
  return field;
}

/** `length` bytes, least significant first. */
export function littleEndian(value: number, length: 1 | 2 | 4): Bytes {
  return Uint8Array.from({ length }, (_, index) => (value >>> (8 * index)) & 0xff);
}

/** A copy of whatever a page hands to a device. */
export function copyOf(source: BufferSource): Bytes {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice()
    : new Uint8Array(source.slice(0));
}
