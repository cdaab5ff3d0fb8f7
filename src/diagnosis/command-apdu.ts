import { neAll, type LengthForm } from '../apdu/command.ts';

/** A command APDU as it was on the wire. */
export interface WireCommand {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data: Uint8Array;
  /** 1..65536; undefined without an Le field. */
  readonly ne: number | undefined;
  /** `short` for a command without data and Le too. */
  readonly form: LengthForm;
}

/**
 * Reads a command APDU (ISO/IEC 7816-4 §5.1, cases 1 to 4, short and extended).
 * @returns undefined for bytes that are none
 */
export function parseCommand(bytes: Uint8Array): WireCommand | undefined {
  const [cla, ins, p1, p2, first, ...rest] = bytes.subarray(0, 7);
  if (cla === undefined || ins === undefined || p1 === undefined || p2 === undefined) return undefined;
  const header = { cla, ins, p1, p2 };
  const none = new Uint8Array();
  if (first === undefined) return { ...header, data: none, ne: undefined, form: 'short' };
  const extended = first === 0 && bytes.length > 5;
  if (!extended) {
    if (bytes.length === 5) return { ...header, data: none, ne: first || neAll.short, form: 'short' };
    const ends = 5 + first;
    const data = bytes.subarray(5, ends);
    if (bytes.length === ends) return { ...header, data, ne: undefined, form: 'short' };
    if (bytes.length !== ends + 1) return undefined;
    return { ...header, data, ne: (bytes[ends] ?? 0) || neAll.short, form: 'short' };
  }
  const [high, low] = rest;
  if (high === undefined || low === undefined) return undefined;
  const length = (high << 8) | low;
  if (bytes.length === 7) return { ...header, data: none, ne: length || neAll.extended, form: 'extended' };
  const ends = 7 + length;
  const data = bytes.subarray(7, ends);
  if (length === 0) return undefined;
  if (bytes.length === ends) return { ...header, data, ne: undefined, form: 'extended' };
  if (bytes.length !== ends + 2) return undefined;
  const ne = ((bytes[ends] ?? 0) << 8) | (bytes[ends + 1] ?? 0);
  return { ...header, data, ne: ne || neAll.extended, form: 'extended' };
}
