import type { Bytes } from './bytes.ts';

/* AES as FIPS PUB 197 describes it, one block. Browsers' own has no 192-bit keys, which cards like best. */

/** x·02 in GF(2⁸). */
const double = (value: number): number => ((value << 1) ^ (value & 0x80 ? 0x11b : 0)) & 0xff;

/** The S-box: the multiplicative inverse, then an affine transformation (§5.1.1). */
const substitution = ((): Uint8Array => {
  const box = new Uint8Array(256);
  // Powers of the generator 03, and beside them those of its inverse F6.
  let [power, inverse] = [1, 1];
  do {
    power ^= double(power);
    for (const shift of [1, 2, 4]) inverse ^= inverse << shift;
    inverse = (inverse ^ (inverse & 0x80 ? 0x09 : 0)) & 0xff;
    const doubled = inverse | (inverse << 8);
    box[power] = (inverse ^ (doubled >> 7) ^ (doubled >> 6) ^ (doubled >> 5) ^ (doubled >> 4) ^ 0x63) & 0xff;
  } while (power !== 1);
  box[0] = 0x63;
  return box;
})();

const substitute = (bytes: readonly number[]): number[] => bytes.map((byte) => substitution[byte] ?? 0);

/** The round keys one after the other, 16 bytes each (§5.2). */
function expandKey(key: Uint8Array): readonly number[] {
  const words = key.length / 4;
  const expanded = Array.from(key);
  let constant = 1;
  for (let word = words; word < 4 * (words + 7); word += 1) {
    let last = expanded.slice(-4);
    if (word % words === 0) {
      last = substitute([...last.slice(1), ...last.slice(0, 1)]);
      last[0] = (last[0] ?? 0) ^ constant;
      constant = double(constant);
    } else if (words > 6 && word % words === 4) last = substitute(last);
    const before = expanded.slice(expanded.length - key.length, expanded.length - key.length + 4);
    expanded.push(...last.map((byte, index) => byte ^ (before[index] ?? 0)));
  }
  return expanded;
}

/** Byte r of column c comes from column c + r (§5.1.2); the state is column after column. */
const shiftRows = (state: readonly number[]): number[] => state.map((_, index) => state[(index * 5) % 16] ?? 0);

const mixColumns = (state: readonly number[]): number[] =>
  state.map((byte, index) => {
    const at = (step: number): number => state[(index & ~3) | ((index + step) & 3)] ?? 0;
    return double(byte) ^ double(at(1)) ^ at(1) ^ at(2) ^ at(3);
  });

/** One block. @param key 16, 24 or 32 bytes @param block 16 bytes */
export function aesEncrypt(key: Uint8Array, block: Uint8Array): Bytes {
  const keys = expandKey(key);
  const rounds = key.length / 4 + 6;
  const addRoundKey = (state: readonly number[], round: number): number[] =>
    state.map((byte, index) => byte ^ (keys[round * 16 + index] ?? 0));
  let state = addRoundKey(Array.from(block), 0);
  for (let round = 1; round <= rounds; round += 1) {
    state = shiftRows(substitute(state));
    if (round < rounds) state = mixColumns(state);
    state = addRoundKey(state, round);
  }
  return Uint8Array.from(state);
}
