/*
 * Triple DES on single blocks (FIPS 46-3; NIST SP 800-67): what a PIV key's management key 9B is by default. Neither
 * WebCrypto nor the libraries here have it. Made for two blocks in a login: plain, bit by bit, and not constant-time.
 */

/** Bit numbers as the standard prints them: from 1, the leftmost. */
type BitTable = readonly number[];
type Bits = readonly number[];

const initialPermutation: BitTable = [
  [58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4],
  [62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8],
  [57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3],
  [61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7],
].flat();
/** IP⁻¹. */
const finalPermutation: BitTable = initialPermutation.map((_, index) => initialPermutation.indexOf(index + 1) + 1);
/** E: for each S-box its four bits of the half block, and one neighbour on either side. */
const expansion: BitTable = Array.from({ length: 48 }, (_, index) => {
  const position = 4 * Math.floor(index / 6) + (index % 6);
  return ((position + 31) % 32) + 1;
});
/** P. */
const roundPermutation: BitTable = [
  [16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10],
  [2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25],
].flat();
/** PC-1: C₀, then D₀. The eighth bit of each byte, a parity, is not used. */
const keyChoice1: BitTable = [
  [57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36],
  [63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4],
].flat();
/** PC-2. */
const keyChoice2: BitTable = [
  [14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2],
  [41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32],
].flat();
/** Left shifts of C and D before each round. */
const keyShifts = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1] as const;
/** S₁ … S₈: four rows of sixteen hex digits each. */
const substitutions: readonly string[] = [
  'e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d',
  'f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9',
  'a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c',
  '7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e',
  '2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453',
  'c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d',
  '4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c',
  'd2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b',
];

/** @param key 24 bytes: K₁ ‖ K₂ ‖ K₃ (parity bits are not looked at) @param block 8 bytes @returns E(K₃, D(K₂, E(K₁, block))) */
export function tripleDesEncryptBlock(key: Uint8Array, block: Uint8Array): Uint8Array<ArrayBuffer> {
  const [first, second, third] = keySchedules(key);
  return toBytes(des(third, des([...second].reverse(), des(first, blockBits(block)))));
}

/** The inverse of `tripleDesEncryptBlock`. */
export function tripleDesDecryptBlock(key: Uint8Array, block: Uint8Array): Uint8Array<ArrayBuffer> {
  const [first, second, third] = keySchedules(key);
  return toBytes(des([...first].reverse(), des(second, des([...third].reverse(), blockBits(block)))));
}

/** Sixteen round keys of 48 bits. In reverse order they decrypt. */
type KeySchedule = readonly Bits[];

function keySchedules(key: Uint8Array): readonly [KeySchedule, KeySchedule, KeySchedule] {
  if (key.length !== 24) throw new RangeError('a triple-DES key has 24 bytes');
  const schedule = (start: number) => keySchedule(toBits(key.subarray(start, start + 8)));
  return [schedule(0), schedule(8), schedule(16)];
}

function keySchedule(key: Bits): KeySchedule {
  const chosen = permute(key, keyChoice1);
  let [c, d] = [chosen.slice(0, 28), chosen.slice(28)];
  return keyShifts.map((shift) => {
    c = [...c.slice(shift), ...c.slice(0, shift)];
    d = [...d.slice(shift), ...d.slice(0, shift)];
    return permute([...c, ...d], keyChoice2);
  });
}

function des(schedule: KeySchedule, block: Bits): Bits {
  const permuted = permute(block, initialPermutation);
  let [left, right]: [Bits, Bits] = [permuted.slice(0, 32), permuted.slice(32)];
  for (const roundKey of schedule) [left, right] = [right, exclusiveOr(left, mix(right, roundKey))];
  return permute([...right, ...left], finalPermutation);
}

/** f(R, K). */
function mix(half: Bits, roundKey: Bits): Bits {
  const input = exclusiveOr(permute(half, expansion), roundKey);
  const output = substitutions.flatMap((rows, box) => {
    const [b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0, b6 = 0] = input.slice(6 * box, 6 * box + 6);
    const row = 2 * b1 + b6;
    const column = 8 * b2 + 4 * b3 + 2 * b4 + b5;
    const value = Number.parseInt(rows.charAt(16 * row + column), 16);
    return [value >> 3, (value >> 2) & 1, (value >> 1) & 1, value & 1];
  });
  return permute(output, roundPermutation);
}

const permute = (bits: Bits, table: BitTable): Bits => table.map((number) => bits[number - 1] ?? 0);
const exclusiveOr = (a: Bits, b: Bits): Bits => a.map((bit, index) => bit ^ (b[index] ?? 0));

function blockBits(block: Uint8Array): Bits {
  if (block.length !== 8) throw new RangeError('a DES block has 8 bytes');
  return toBits(block);
}
const toBits = (bytes: Uint8Array): Bits =>
  Array.from({ length: 8 * bytes.length }, (_, index) => ((bytes[index >> 3] ?? 0) >> (7 - (index & 7))) & 1);
const toBytes = (bits: Bits): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: bits.length / 8 }, (_, index) =>
    bits.slice(8 * index, 8 * index + 8).reduce((byte, bit) => 2 * byte + bit, 0),
  );
