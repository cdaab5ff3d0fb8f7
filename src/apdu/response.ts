import { TransportError } from './channel.ts';

/** A response APDU (ISO/IEC 7816-4 §5.1). */
export interface ResponseApdu {
  readonly data: Uint8Array;
  /** SW1 SW2 as one 16-bit number. */
  readonly sw: number;
}

/** The most bytes of a response APDU: 65536 data bytes and the status word. */
export const maxResponseBytes = 65_538;

/**
 * What a channel hands on as a response APDU.
 * @throws TransportError `malformed` when it is shorter than a status word or longer than any response
 */
export function wholeResponse(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= 2 && bytes.length <= maxResponseBytes) return bytes;
  throw new TransportError('malformed', `a response APDU of ${bytes.length} bytes`);
}

/**
 * Splits a response APDU into data and status word. The data is a copy of its own.
 * @throws TransportError `malformed` when it is shorter than a status word or longer than any response
 */
export function parseResponse(bytes: Uint8Array): ResponseApdu {
  const [sw1 = 0, sw2 = 0] = wholeResponse(bytes).subarray(-2);
  return { data: bytes.slice(0, -2), sw: (sw1 << 8) | sw2 };
}
