import { concatBytes } from './bytes.ts';

/** A command APDU before it is encoded (ISO/IEC 7816-4 §5.1). */
export interface CommandApdu {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  /** The command data field, Nc bytes; absent or empty: no Lc field. */
  readonly data?: Uint8Array | undefined;
  /** Ne, the most response bytes expected: 1..65536. Absent: no Le field. */
  readonly ne?: number | undefined;
}

export type LengthForm = 'short' | 'extended';

/** Ne for "all that is there" (Le coded as zeros): 256 in the short form, 65536 in the extended form. */
export const neAll: Readonly<Record<LengthForm, number>> = { short: 256, extended: 65_536 };
/** The most command data bytes of one APDU. */
export const maxCommandData: Readonly<Record<LengthForm, number>> = { short: 255, extended: 65_535 };

/** CLA bit 5: the command is not the last of a chain (ISO/IEC 7816-4 §5.1.1.1). */
const chainingBit = 0x10;

/** What was asked for cannot be written as a command APDU: the caller's mistake, nothing was sent. */
export class CommandApduError extends RangeError {
  override readonly name = 'CommandApduError';
  readonly code: 'header' | 'data' | 'ne';
  constructor(code: CommandApduError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Encodes a command APDU (ISO/IEC 7816-4 §5.1, cases 1, 2S, 3S, 4S or 1, 2E, 3E, 4E); Lc and Le are big-endian.
 * @throws CommandApduError when a header byte is no byte, or the data or Ne do not fit the form
 */
export function encodeCommand(command: CommandApdu, form: LengthForm): Uint8Array<ArrayBuffer> {
  const header = [command.cla, command.ins, command.p1, command.p2];
  if (!header.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 0xff)) {
    throw new CommandApduError('header', 'CLA, INS, P1 and P2 are one byte each');
  }
  const data = command.data ?? new Uint8Array();
  if (data.length > maxCommandData[form]) {
    throw new CommandApduError('data', `${data.length} data bytes do not fit one ${form} APDU`);
  }
  const { ne } = command;
  if (ne !== undefined && !(Number.isInteger(ne) && ne >= 1 && ne <= neAll[form])) {
    throw new CommandApduError('ne', `Ne ${ne} does not fit a ${form} APDU`);
  }
  const extended = form === 'extended';
  const lc = data.length === 0 ? [] : extended ? [0, data.length >> 8, data.length & 0xff] : [data.length];
  // The largest Ne is coded as zero, which is what masking makes of 256 and of 65536.
  const leField = (value: number) => (extended ? [(value >> 8) & 0xff, value & 0xff] : [value & 0xff]);
  const le = ne === undefined ? [] : extended && data.length === 0 ? [0, ...leField(ne)] : leField(ne);
  return concatBytes(Uint8Array.from([...header, ...lc]), data, Uint8Array.from(le));
}

/** Whether the command fits one short APDU as it is. */
export function fitsShort(command: CommandApdu): boolean {
  return (command.data?.length ?? 0) <= maxCommandData.short && (command.ne ?? 1) <= neAll.short;
}

/**
 * Cuts a command into a chain (ISO/IEC 7816-4 §5.1.1.1): every command but the last carries CLA | 10h, full data and no
 * Ne. A command that fits stays alone and unchanged.
 * @param chunkBytes the most data bytes of one command
 */
export function chainCommand(command: CommandApdu, chunkBytes: number): readonly CommandApdu[] {
  const { data, ...header } = command;
  if (data === undefined || data.length <= chunkBytes) return [command];
  if (!(Number.isInteger(chunkBytes) && chunkBytes >= 1)) {
    throw new CommandApduError('data', 'a link of a chain carries at least one byte');
  }
  const links: CommandApdu[] = [];
  let offset = 0;
  for (; data.length - offset > chunkBytes; offset += chunkBytes) {
    const link = data.subarray(offset, offset + chunkBytes);
    links.push({ ...header, cla: command.cla | chainingBit, data: link, ne: undefined });
  }
  links.push({ ...header, data: data.subarray(offset) });
  return links;
}
