import { concat, type Bytes } from './bytes.ts';

const initialValue = [
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
] as const;
const blockBytes = 64;

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** T_j <<< (j mod 32), GB/T 32905-2016 §4.2. */
const roundConstants = Uint32Array.from({ length: 64 }, (_, j) => rotate(j < 16 ? 0x79cc4519 : 0x7a879d8a, j % 32));

/** The compression function CF, GB/T 32905-2016 §5.3. `state` holds V(i) and then V(i+1). */
function compress(state: Uint32Array, view: DataView, offset: number, w: Uint32Array): void {
  const at = (index: number): number => w[index] ?? 0;
  for (let j = 0; j < 16; j++) w[j] = view.getUint32(offset + 4 * j);
  for (let j = 16; j < 68; j++) {
    const x = at(j - 16) ^ at(j - 9) ^ rotate(at(j - 3), 15);
    w[j] = x ^ rotate(x, 15) ^ rotate(x, 23) ^ rotate(at(j - 13), 7) ^ at(j - 6);
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let j = 0; j < 64; j++) {
    const a12 = rotate(a, 12);
    const ss1 = rotate((a12 + e + (roundConstants[j] ?? 0)) | 0, 7);
    const ss2 = ss1 ^ a12;
    const ff = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = j < 16 ? e ^ f ^ g : (e & f) | (~e & g);
    const tt1 = (ff + d + ss2 + (at(j) ^ at(j + 4))) | 0;
    const tt2 = (gg + h + ss1 + at(j)) | 0;
    d = c;
    c = rotate(b, 9);
    b = a;
    a = tt1;
    h = g;
    g = rotate(f, 19);
    f = e;
    e = tt2 ^ rotate(tt2, 9) ^ rotate(tt2, 17);
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => (state[index] = (state[index] ?? 0) ^ word));
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
  const state = Uint32Array.from(initialValue);
  const schedule = new Uint32Array(68);
  for (let offset = 0; offset < message.length; offset += blockBytes) compress(state, view, offset, schedule);
  // The message may be a password's; so may what was expanded from it.
  message.fill(0);
  schedule.fill(0);
  const digest = new Uint8Array(32);
  const digestView = new DataView(digest.buffer);
  state.forEach((word, index) => {
    digestView.setUint32(4 * index, word);
  });
  return digest;
}
