import { concat, type Bytes } from './bytes.ts';

const initialValue = [
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
] as const;
const blockBytes = 64;

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** T_j <<< (j mod 32), GB/T 32905-2016 §4.2. Signed, like everything here: unsigned words above 2^31 would be slow. */
const roundConstants = Int32Array.from({ length: 64 }, (_, j) => rotate(j < 16 ? 0x79cc4519 : 0x7a879d8a, j % 32));

/** The compression function CF, GB/T 32905-2016 §5.3. `state` holds V(i) and then V(i+1). */
function compress(state: Int32Array, view: DataView, offset: number, w: Int32Array): void {
  for (let j = 0; j < 16; j++) w[j] = view.getInt32(offset + 4 * j);
  for (let j = 16; j < 68; j++) {
    const x = (w[j - 16] ?? 0) ^ (w[j - 9] ?? 0) ^ rotate(w[j - 3] ?? 0, 15);
    w[j] = x ^ rotate(x, 15) ^ rotate(x, 23) ^ rotate(w[j - 13] ?? 0, 7) ^ (w[j - 6] ?? 0);
  }
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let d = state[3] ?? 0;
  let e = state[4] ?? 0;
  let f = state[5] ?? 0;
  let g = state[6] ?? 0;
  let h = state[7] ?? 0;
  for (let j = 0; j < 64; j++) {
    const a12 = rotate(a, 12);
    const ss1 = rotate((a12 + e + (roundConstants[j] ?? 0)) | 0, 7);
    const ff = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = j < 16 ? e ^ f ^ g : (e & f) | (~e & g);
    const word = w[j] ?? 0;
    const tt1 = (ff + d + (ss1 ^ a12) + (word ^ (w[j + 4] ?? 0))) | 0;
    const tt2 = (gg + h + ss1 + word) | 0;
    d = c;
    c = rotate(b, 9);
    b = a;
    a = tt1;
    h = g;
    g = rotate(f, 19);
    f = e;
    e = tt2 ^ rotate(tt2, 9) ^ rotate(tt2, 17);
  }
  state[0] = (state[0] ?? 0) ^ a;
  state[1] = (state[1] ?? 0) ^ b;
  state[2] = (state[2] ?? 0) ^ c;
  state[3] = (state[3] ?? 0) ^ d;
  state[4] = (state[4] ?? 0) ^ e;
  state[5] = (state[5] ?? 0) ^ f;
  state[6] = (state[6] ?? 0) ^ g;
  state[7] = (state[7] ?? 0) ^ h;
}

/**
 * The SM3 hash (GB/T 32905-2016) of the parts one after another.
 * @returns 32 bytes
 */
export function sm3(...parts: readonly Uint8Array[]): Bytes {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  // One bit 1, zeros, and the length in bits as a 64-bit number fill the last block (§5.2).
  const padding = new Uint8Array(blockBytes - ((length + 8) % blockBytes) + 8);
  padding[0] = 0x80;
  const paddingView = new DataView(padding.buffer);
  paddingView.setUint32(padding.length - 8, Math.floor(length / 0x2000_0000));
  paddingView.setUint32(padding.length - 4, length << 3);
  const message = concat(...parts, padding);
  const view = new DataView(message.buffer);
  const state = Int32Array.from(initialValue);
  const schedule = new Int32Array(68);
  for (let offset = 0; offset < message.length; offset += blockBytes) compress(state, view, offset, schedule);
  // The message may be a password's; so may what was expanded from it.
  message.fill(0);
  schedule.fill(0);
  const digest = new Uint8Array(32);
  const digestView = new DataView(digest.buffer);
  state.forEach((word, index) => {
    digestView.setInt32(4 * index, word);
  });
  return digest;
}
