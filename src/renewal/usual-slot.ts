/** The PIV slots where other programs look for a signing certificate (NIST SP 800-73-4 part 1 table 4b). */
export type UsualSlot = '9A' | '9C';

export const usualSlots: readonly UsualSlot[] = ['9A', '9C'];

/** @param slot key reference, upper-case hex @returns undefined for any other slot, and for none */
export const usualSlot = (slot: string | undefined): UsualSlot | undefined =>
  usualSlots.find((usual) => usual === slot);
