/*
 * Names of applications and containers are bytes on the key. They are read as UTF-8; a name that is none (GBK is seen)
 * keeps its bytes in private-use characters, so that every name goes back to the key exactly as it came.
 */

const escapeBase = 0xf700;
const isEscape = (code: number) => code >= escapeBase + 0x80 && code <= escapeBase + 0xff;

const codePoints = (text: string) => Array.from(text, (character) => character.codePointAt(0) ?? 0);

/** A name's bytes as text. Reversed exactly by `encodeName`. */
export function decodeName(bytes: Uint8Array): string {
  try {
    // ignoreBOM: a leading EF BB BF belongs to the name as well.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!codePoints(text).some(isEscape)) return text;
  } catch {
    // Not UTF-8: kept byte by byte.
  }
  return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : escapeBase + byte)).join('');
}

/**
 * A name's bytes as the key knows them.
 * @throws RangeError when it is empty or has a NUL, which separates names
 */
export function encodeName(name: string): Uint8Array<ArrayBuffer> {
  if (name === '' || name.includes('\0')) throw new RangeError('a name without NUL, at least one character');
  const codes = codePoints(name);
  if (!codes.some(isEscape)) return new TextEncoder().encode(name);
  if (codes.some((code) => code >= 0x80 && !isEscape(code))) throw new RangeError('a name that no key gave');
  return Uint8Array.from(codes, (code) => (isEscape(code) ? code - escapeBase : code));
}

/** NUL-separated names, with or without NULs at the end; the same name once. */
export function decodeNames(list: Uint8Array): readonly string[] {
  const names = new Set<string>();
  let begin = 0;
  for (let end = 0; end <= list.length; end++) {
    if (end < list.length && list[end] !== 0) continue;
    if (end > begin) names.add(decodeName(list.subarray(begin, end)));
    begin = end + 1;
  }
  return [...names];
}
