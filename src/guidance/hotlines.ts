import { text, type Text } from './text.ts';

export interface Hotline {
  /** Exactly as the service writes it. */
  readonly number: string;
  /** RFC 3966; a comma is the pause before the extension. */
  readonly href: string;
  /** What to press once connected. Our reading of the written number, hence a hint. */
  readonly hint: Text | undefined;
  readonly hintIsAssumption: boolean;
}

export type Hotlines = readonly [Hotline, ...Hotline[]];

/** The guide's two hot-lines (R-1-5). */
export const guideHotlines: readonly [Hotline, Hotline] = [
  { number: '400-880-9888', href: 'tel:4008809888', hint: undefined, hintIsAssumption: false },
  {
    number: '95105345-2',
    href: 'tel:95105345,2',
    // Some telephones ignore the comma, so the words must be there as well.
    hint: text('接通后按 2', 'press 2 once connected'),
    hintIsAssumption: true,
  },
];

/** The hot-lines that hold: the guide's, or the operator's. */
export let hotlines: Hotlines = guideHotlines;

/** Takes the operator's hot-lines in the place of the guide's, for every page that opens from now on. */
export function useHotlines(lines: Hotlines): void {
  hotlines = lines;
}
