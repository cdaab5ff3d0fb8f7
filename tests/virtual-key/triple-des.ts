import type { Bytes } from './bytes.ts';

/*
 * The data encryption algorithm of FIPS PUB 46-3, bit by bit as its tables say: a key's chip is not in a hurry.
 * Positions in the tables count from 1, as in the standard; a bit is one element of an array.
 */
type Bits = readonly number[];

const initialPermutation = [58, 60, 62, 64, 57, 59, 61, 63].flatMap((first) =>
  Array.from({ length: 8 }, (_, column) => first - 8 * column),
);
const finalPermutation = initialPermutation.map((_, index) => initialPermutation.indexOf(index + 1) + 1);
/** E: eight times the last bit of the four before, the four, and the first of the four after. */
const expansion = Array.from({ length: 48 }, (_, index) => ((Math.floor(index / 6) * 4 + (index % 6) + 31) % 32) + 1);
const permutation = [
  ...[16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10],
  ...[2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25],
];
const permutedChoice1 = [
  ...[57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36],
  ...[63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4],
];
const permutedChoice2 = [
  ...[14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2],
  ...[41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32],
];
const shifts = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
/** S1 to S8: four rows of sixteen hexadecimal digits each. */
const selectionTables = [
  'e4d12fb83a6c5907 0f74e2d1a6cb9538 41e8d62bfc973a50 fc8249175b3ea06d',
  'f18e6b34972dc05a 3d47f28ec01a69b5 0e7ba4d158c6932f d8a13f42b67c05e9',
  'a09e63f51dc7b428 d709346a285ecbf1 d6498f30b12c5ae7 1ad069874fe3b52c',
  '7de3069a1285bc4f d8b56f03472c1ae9 a690cb7df13e5284 3f06a1d8945bc72e',
  '2c417ab6853fd0e9 eb2c47d150fa3986 421bad78f9c5630e b8c71e2d6f09a453',
  'c1af92680d34e75b af427c9561de0b38 9ef528c3704a1db6 432c95fabe17608d',
  '4b2ef08d3c975a61 d0b7491ae35c2f86 14bdc37eaf680592 6bd814a7950fe23c',
  'd2846fb1a93e50c7 1fd8a374c56b0e92 7b419ce206adf358 21e74a8dfc90356b',
].map((rows) => rows.split(' ').map((row) => Array.from(row, (digit) => parseInt(digit, 16))));

const bitsOf = (bytes: Uint8Array): number[] =>
  Array.from(bytes).flatMap((byte) => Array.from({ length: 8 }, (_, index) => (byte >> (7 - index)) & 1));

const bytesOf = (bits: Bits): Bytes =>
  Uint8Array.from({ length: bits.length / 8 }, (_, index) =>
    bits.slice(index * 8, index * 8 + 8).reduce((byte, bit) => byte * 2 + bit, 0),
  );

const select = (bits: Bits, table: readonly number[]): number[] => table.map((position) => bits[position - 1] ?? 0);
const xor = (a: Bits, b: Bits): number[] => a.map((bit, index) => bit ^ (b[index] ?? 0));

/** The sixteen round keys of 48 bits. @param key 8 bytes; the parity bits do not count */
function roundKeys(key: Uint8Array): readonly Bits[] {
  let halves = select(bitsOf(key), permutedChoice1);
  return shifts.map((shift) => {
    const [c, d] = [halves.slice(0, 28), halves.slice(28)];
    halves = [c, d].flatMap((half) => [...half.slice(shift), ...half.slice(0, shift)]);
    return select(halves, permutedChoice2);
  });
}

/** f(R, K). */
function cipherFunction(right: Bits, roundKey: Bits): number[] {
  const mixed = xor(select(right, expansion), roundKey);
  const substituted = selectionTables.flatMap((table, index) => {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mixed.slice(index * 6, index * 6 + 6);
    const value = table[a * 2 + f]?.[b * 8 + c * 4 + d * 2 + e] ?? 0;
    return [value >> 3, (value >> 2) & 1, (value >> 1) & 1, value & 1];
  });
  return select(substituted, permutation);
}

function des(keys: readonly Bits[], block: Uint8Array): Bytes {
  const start = select(bitsOf(block), initialPermutation);
  let [left, right] = [start.slice(0, 32), start.slice(32)];
  for (const key of keys) [left, right] = [right, xor(left, cipherFunction(right, key))];
  return bytesOf(select([...right, ...left], finalPermutation));
}

/** One block under TDEA, E(K3, D(K2, E(K1, block))) (NIST SP 800-67). @param key 24 bytes @param block 8 bytes */
export function tripleDesEncrypt(key: Uint8Array, block: Uint8Array): Bytes {
  const [first, second, third] = [0, 8, 16].map((offset) => roundKeys(key.subarray(offset, offset + 8)));
  return des(third ?? [], des([...(second ?? [])].reverse(), des(first ?? [], block)));
}
