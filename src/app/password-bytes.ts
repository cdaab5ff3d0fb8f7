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
