/** Printable ASCII, the characters a USBKEY's password can have. Full-width digits of a Chinese input method are not. */
export const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/**
 * Moves what was typed out of an input: one byte a character, nothing trimmed, and the input is empty afterwards.
 * The caller clears the bytes. Only for text that `isAscii`.
 */
export function takeBytes(input: HTMLInputElement): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(input.value.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = input.value.charCodeAt(i);
  input.value = '';
  return bytes;
}

/** Lengths of a management key, bytes: AES-128, AES-192 and 3DES, AES-256 (NIST SP 800-78-4 table 5). */
const managementKeyBytes: readonly number[] = [16, 24, 32];

/**
 * A management key from hexadecimal digits as typed, without going through a string. Spaces are passed over.
 * @param typed ASCII; the caller clears it, and the key
 * @returns `digits` is undefined where there is anything but digits; `key` where their number is not that of a key
 */
export function hexBytes(typed: Uint8Array): { key: Uint8Array<ArrayBuffer> | undefined; digits: number | undefined } {
  const key = new Uint8Array(Math.max(...managementKeyBytes));
  let digits = 0;
  for (const code of typed) {
    if (code === 0x20) continue;
    const value = nibble(code);
    if (value === undefined) {
      key.fill(0);
      return { key: undefined, digits: undefined };
    }
    const at = digits >> 1;
    if (at < key.length) key[at] = ((key[at] ?? 0) << 4) | value;
    digits += 1;
  }
  const isKey = digits % 2 === 0 && managementKeyBytes.includes(digits / 2);
  const result = isKey ? key.slice(0, digits / 2) : undefined;
  key.fill(0);
  return { key: result, digits };
}

/** `0`–`9`, `A`–`F`, `a`–`f` as a number. */
function nibble(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : undefined;
}
