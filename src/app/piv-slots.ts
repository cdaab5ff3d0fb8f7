/** Slots by key reference, upper-case hex (NIST SP 800-73-4 part 1 table 4b). */

/** The number of a retired slot, 1 to 20; undefined for any other. */
export function retiredNumber(slot: string): number | undefined {
  const number = parseInt(slot, 16) - 0x81;
  return number >= 1 && number <= 20 ? number : undefined;
}
