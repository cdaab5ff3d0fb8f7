import { gmt0017Layouts } from './gmt0017-layouts.ts';
import { pivLayouts } from './piv-layouts.ts';
import type { Layout } from './slices.ts';

/** CLA, INS, P1, P2 of a whole command: without the chaining bit, before GET RESPONSE. */
export interface CommandHeader {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
}

/** The fields of a command's data and of its answer's. Absent: nothing is known of them. */
export interface CommandLayout {
  readonly command?: Layout;
  readonly answer?: Layout;
}

/** The fields of a command set's commands, by their headers. */
export type CommandLayouts = (header: CommandHeader) => CommandLayout;

/** CLA says which command set speaks: 80 is GM/T 0017's, 00 ISO/IEC 7816-4's and so PIV's. */
export const layoutsFor: CommandLayouts = (header) => {
  if (header.cla === 0x80) return gmt0017Layouts(header);
  return header.cla === 0 ? pivLayouts(header) : {};
};
