/*
 * AES on single blocks (FIPS 197), with all three key lengths: what a PIV key's management key 9B is on newer keys. Not
 * WebCrypto's, because Chromium has no AES-192 there, and that is what such keys are delivered with. Made for two blocks
 * in a login: plain, and not constant-time.
 */

export const aesBlockBytes = 16;

/** @param key 16, 24 or 32 bytes @param block 16 bytes */
export function aesEncryptBlock(key: Uint8Array, block: Uint8Array): Uint8Array<ArrayBuffer> {
  const [first, ...rest] = roundKeys(key);
  let state = addRoundKey(checkedBlock(block), first);
  for (const [index, roundKey] of rest.entries()) {
    const shifted = permute(substitute(state, sBox), (row, column) => column + row);
    state = addRoundKey(index < rest.length - 1 ? mixColumns(shifted, [2, 3, 1, 1]) : shifted, roundKey);
  }
  return Uint8Array.from(state);
}

/** The inverse of `aesEncryptBlock`. */
export function aesDecryptBlock(key: Uint8Array, block: Uint8Array): Uint8Array<ArrayBuffer> {
  const [first, ...rest] = [...roundKeys(key)].reverse();
  let state = addRoundKey(checkedBlock(block), first);
  for (const [index, roundKey] of rest.entries()) {
    const shifted = permute(state, (row, column) => column - row + 4);
    const added = addRoundKey(substitute(shifted, inverseSBox), roundKey);
    state = index < rest.length - 1 ? mixColumns(added, [14, 11, 13, 9]) : added;
  }
  return Uint8Array.from(state);
}

/** Sixteen bytes, column by column. */
type State = readonly number[];

function checkedBlock(block: Uint8Array): State {
  if (block.length !== aesBlockBytes) throw new RangeError('an AES block has 16 bytes');
  return [...block];
}

// --- the field GF(2⁸) with x⁸ + x⁴ + x³ + x + 1 -----------------------------------------------------------------------

const double = (value: number): number => ((value << 1) ^ (value & 0x80 ? 0x11b : 0)) & 0xff;

function multiply(a: number, b: number): number {
  let product = 0;
  for (let factor = a, rest = b; rest > 0; factor = double(factor), rest >>= 1) if (rest & 1) product ^= factor;
  return product;
}

/** 3⁰ … 3²⁵⁴: all numbers of the field but 0. */
const powersOf3: readonly number[] = Array.from({ length: 254 }).reduce<number[]>(
  (powers) => [...powers, multiply(powers.at(-1) ?? 1, 3)],
  [1],
);
/** The inverse, and 0 for 0. */
const inverse = (value: number): number => (value === 0 ? 0 : (powersOf3[(255 - powersOf3.indexOf(value)) % 255] ?? 0));

const sBox: readonly number[] = Array.from({ length: 256 }, (_, value) => {
  const b = inverse(value);
  const rotated = (count: number) => ((b << count) | (b >> (8 - count))) & 0xff;
  return b ^ rotated(1) ^ rotated(2) ^ rotated(3) ^ rotated(4) ^ 0x63;
});
const inverseSBox: readonly number[] = sBox.map((_, value) => sBox.indexOf(value));

// --- rounds -----------------------------------------------------------------------------------------------------------

const substitute = (bytes: readonly number[], box: readonly number[]): readonly number[] =>
  bytes.map((byte) => box[byte] ?? 0);

/** ShiftRows or its inverse: each byte from another column of its row. */
const permute = (state: State, from: (row: number, column: number) => number): State =>
  state.map((_, index) => state[4 * (from(index % 4, index >> 2) % 4) + (index % 4)] ?? 0);

/** @param factors the first row of the matrix, of which each further row is rotated by one */
function mixColumns(state: State, factors: readonly number[]): State {
  return state.map((_, index) => {
    const [column, row] = [index >> 2, index % 4];
    return factors.reduce(
      (sum, factor, offset) => sum ^ multiply(state[4 * column + ((row + offset) % 4)] ?? 0, factor),
      0,
    );
  });
}

const addRoundKey = (state: State, roundKey: State = []): State =>
  state.map((byte, index) => byte ^ (roundKey[index] ?? 0));

/** KeyExpansion (FIPS 197 §5.2). */
function roundKeys(key: Uint8Array): readonly State[] {
  const keyWords = key.length / 4;
  if (![4, 6, 8].includes(keyWords)) throw new RangeError('an AES key has 16, 24 or 32 bytes');
  const rounds = keyWords + 6;
  const words: (readonly number[])[] = Array.from({ length: keyWords }, (_, i) => [...key.subarray(4 * i, 4 * i + 4)]);
  for (let constant = 1, i = keyWords; i < 4 * (rounds + 1); i++) {
    let word = words[i - 1] ?? [];
    if (i % keyWords === 0) {
      const [first = 0, ...others] = substitute([...word.slice(1), ...word.slice(0, 1)], sBox);
      word = [first ^ constant, ...others];
      constant = double(constant);
    } else if (keyWords > 6 && i % keyWords === 4) {
      word = substitute(word, sBox);
    }
    words.push(addRoundKey(words[i - keyWords] ?? [], word));
  }
  return Array.from({ length: rounds + 1 }, (_, round) => words.slice(4 * round, 4 * round + 4).flat());
}
