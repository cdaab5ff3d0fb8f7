/** Slots by key reference, upper-case hex (NIST SP 800-73-4 part 1 table 4b). */

/** The slot where other programs look for a signing certificate: 9A or 9C; undefined for any other. */
export const primarySlot = (slot: string | undefined): '9A' | '9C' | undefined =>
  slot === '9A' || slot === '9C' ? slot : undefined;

/** The slot a container is named after; undefined for a name that is none. */
export const slotOfName = (container: string | undefined): string | undefined =>
  container !== undefined && /^(9[ACDE]|8[2-9A-F]|9[0-5])$/.test(container) ? container : undefined;

/** The number of a retired slot, 1 to 20; undefined for any other. */
export function retiredNumber(slot: string): number | undefined {
  const number = parseInt(slot, 16) - 0x81;
  return number >= 1 && number <= 20 ? number : undefined;
}
