/** A command APDU, taken apart (ISO/IEC 7816-4 §5.1). */
export interface CommandApdu {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data: Uint8Array;
  /** Ne, the most bytes of answer the host takes: 1–256 short, 1–65536 extended; undefined when there is no Le field. */
  readonly expected: number | undefined;
  readonly extended: boolean;
}

const nothing = new Uint8Array(0);

/** The seven cases 1, 2S, 3S, 4S, 2E, 3E, 4E; undefined for bytes that are none of them. */
export function parseCommandApdu(bytes: Uint8Array): CommandApdu | undefined {
  const [cla, ins, p1, p2, p3] = bytes;
  if (cla === undefined || ins === undefined || p1 === undefined || p2 === undefined) return undefined;
  const header = { cla, ins, p1, p2 };
  if (p3 === undefined) return { ...header, data: nothing, expected: undefined, extended: false };
  if (bytes.length === 5) return { ...header, data: nothing, expected: p3 || 256, extended: false };
  if (p3 !== 0) {
    const data = bytes.slice(5, 5 + p3);
    if (bytes.length === 5 + p3) return { ...header, data, expected: undefined, extended: false };
    if (bytes.length === 6 + p3) return { ...header, data, expected: bytes[5 + p3] || 256, extended: false };
    return undefined;
  }
  if (bytes.length < 7) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint16(5);
  if (bytes.length === 7) return { ...header, data: nothing, expected: length || 65536, extended: true };
  if (length === 0) return undefined;
  const data = bytes.slice(7, 7 + length);
  if (bytes.length === 7 + length) return { ...header, data, expected: undefined, extended: true };
  if (bytes.length === 9 + length)
    return { ...header, data, expected: view.getUint16(7 + length) || 65536, extended: true };
  return undefined;
}
