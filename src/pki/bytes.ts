/** Byte strings as this room works with them: always on a plain ArrayBuffer, so that WebCrypto and WebUSB take them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Joins byte strings in the given order into a new one. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** A copy that shares no memory with its source. (`slice` on a Node Buffer would share it.) */
export function copyBytes(source: Uint8Array): Bytes {
  return new Uint8Array(source);
}

/** Whether two byte strings are the same. The time taken depends on the length alone. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  a.forEach((byte, index) => (difference |= byte ^ (b[index] ?? 0)));
  return difference === 0;
}

/** Lower-case hexadecimal, two digits a byte, no separators. */
export function toHex(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex;
}

/**
 * Reads hexadecimal, upper or lower case, no separators.
 * @throws SyntaxError on anything else
 */
export function fromHex(hex: string): Bytes {
  if (!/^(?:[0-9a-f]{2})*$/iu.test(hex)) throw new SyntaxError('not hexadecimal');
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Base64 of RFC 4648 §4, padded, on one line. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/**
 * Reads padded base64 of RFC 4648 §4.
 * @throws SyntaxError on any other character, white space included
 */
export function fromBase64(base64: string): Bytes {
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/u.test(base64)) throw new SyntaxError('not base64');
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
