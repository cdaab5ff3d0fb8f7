import type { CommandApdu } from '../virtual-key/command-apdu.ts';
import type { KeyState } from '../virtual-key/state.ts';

/*
 * What the commands at the chip's edge mean, by command set: GM/T 0017, or PIV (NIST SP 800-73-4 part 2).
 */

/** The command brings a password. */
export const isVerify = ({ piv }: KeyState, { ins, data }: CommandApdu): boolean =>
  piv ? ins === 0x20 && data.length > 0 : ins === 0x18;

/** The command asks for the password's counter. */
export const isCounter = ({ piv }: KeyState, { ins, p1, data }: CommandApdu): boolean =>
  piv ? ins === 0x20 && p1 === 0 && data.length === 0 : ins === 0x14;

/** Where the key pair is that the command, the last of its chain, signs with. */
export function signingPlace(state: KeyState, { cla, ins, p2, data }: CommandApdu): string | undefined {
  if (state.piv) {
    const isLast = (cla & 0x10) === 0;
    return ins === 0x87 && isLast && p2 !== 0x9b ? `PIV/${p2.toString(16).toUpperCase()}` : undefined;
  }
  if (ins !== 0x74 && ins !== 0x58) return undefined;
  const [application = 0, , low = 0, high = 0] = data;
  const owner = state.applications.find(({ id }) => (id & 0xff) === application);
  const container = owner?.containers.find(({ id }) => id === (low | (high << 8)));
  return owner && container && `${owner.name}/${container.name}`;
}

/** The answer to a question for the counter with something else in it. @param change gets and gives tries left */
export function falsify(state: KeyState, answer: Uint8Array, change: (remaining: number) => number): Uint8Array {
  if (state.piv) {
    const [high, low] = answer.slice(-2);
    // 9000 says that the PIN is verified, and nothing of tries.
    if (high !== 0x63 || low === undefined) return answer;
    const tries = Math.max(0, Math.min(15, change(low & 0x0f)));
    return tries === 0 ? Uint8Array.of(0x69, 0x83) : Uint8Array.of(0x63, 0xc0 | tries);
  }
  const [maximum = 0, remaining = 0, ...rest] = answer;
  return rest.length < 3 ? answer : Uint8Array.of(maximum, change(remaining) & 0xff, ...rest);
}

/** An answer to a question for the counter that makes no sense. */
export function nonsense(state: KeyState, answer: Uint8Array): Uint8Array {
  if (state.piv) return Uint8Array.of(0x63, 0x00);
  return answer.length < 5 ? answer : Uint8Array.of(0xff, 0x90, 0x00);
}
