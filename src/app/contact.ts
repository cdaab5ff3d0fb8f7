/** The two hot-lines (R-1-5). 95105345 asks for a choice once connected: 2. */
export const hotlines = [
  { number: '400-880-9888', href: 'tel:4008809888', press: undefined },
  { number: '95105345-2', href: 'tel:95105345,2', press: '2' },
] as const;
