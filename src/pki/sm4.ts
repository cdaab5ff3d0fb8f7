import { fromHex, type Bytes } from './bytes.ts';

/** GB/T 32907-2016 §6.2, table 1. */
const sBox = fromHex(
  'd690e9fecce13db716b614c228fb2c052b679a762abe04c3aa44132649860699' +
    '9c4250f491ef987a33540b43edcfac62e4b31ca9c908e89580df94fa758f3fa6' +
    '4707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35' +
    '1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89e' +
    'eabf8ad240c738b5a3f7f2cef96115a1e0ae5da49b341a55ad933230f58cb1e3' +
    '1df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51' +
    '8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b0' +
    '8969974a0c96777e65b9f109c56ec68418f07dec3adc4d2079ee5f3ed7cb3948',
);
/** The system parameter FK, §7.3. */
const fk = [0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc] as const;
const blockBytes = 16;
const rounds = 32;

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** The nonlinear transformation τ: the S-box on each of the four bytes. */
function substitute(word: number): number {
  return (
    ((sBox[word >>> 24] ?? 0) << 24) |
    ((sBox[(word >>> 16) & 0xff] ?? 0) << 16) |
    ((sBox[(word >>> 8) & 0xff] ?? 0) << 8) |
    (sBox[word & 0xff] ?? 0)
  );
}

/** The round keys rk_0 … rk_31 in the order of encryption, §7.3. */
function expandKey(key: Uint8Array): Int32Array {
  if (key.length !== blockBytes) throw new RangeError('an SM4 key has 16 bytes');
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  let k0 = view.getInt32(0) ^ fk[0];
  let k1 = view.getInt32(4) ^ fk[1];
  let k2 = view.getInt32(8) ^ fk[2];
  let k3 = view.getInt32(12) ^ fk[3];
  // Signed: words above 2^31 would be slow.
  const roundKeys = new Int32Array(rounds);
  for (let i = 0; i < rounds; i++) {
    // The fixed parameter CK_i: byte j is (4i + j) · 7 mod 256.
    let ck = 0;
    for (let j = 0; j < 4; j++) ck = (ck << 8) | (((4 * i + j) * 7) & 0xff);
    const b = substitute(k1 ^ k2 ^ k3 ^ ck);
    const next = k0 ^ b ^ rotate(b, 13) ^ rotate(b, 23);
    [k0, k1, k2, k3] = [k1, k2, k3, next];
    roundKeys[i] = next;
  }
  return roundKeys;
}

/** One block, §7.1: with the round keys reversed the same function decrypts. */
function cryptBlock(roundKeys: Int32Array, input: DataView, output: DataView, offset: number): void {
  let x0 = input.getInt32(offset);
  let x1 = input.getInt32(offset + 4);
  let x2 = input.getInt32(offset + 8);
  let x3 = input.getInt32(offset + 12);
  for (let i = 0; i < rounds; i++) {
    const b = substitute(x1 ^ x2 ^ x3 ^ (roundKeys[i] ?? 0));
    const next = x0 ^ b ^ rotate(b, 2) ^ rotate(b, 10) ^ rotate(b, 18) ^ rotate(b, 24);
    x0 = x1;
    x1 = x2;
    x2 = x3;
    x3 = next;
  }
  output.setInt32(offset, x3);
  output.setInt32(offset + 4, x2);
  output.setInt32(offset + 8, x1);
  output.setInt32(offset + 12, x0);
}

function cryptBlocks(roundKeys: Int32Array, data: Uint8Array): Bytes {
  if (data.length % blockBytes !== 0) throw new RangeError('SM4 takes whole blocks of 16 bytes');
  const result = new Uint8Array(data.length);
  const input = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const output = new DataView(result.buffer);
  for (let offset = 0; offset < data.length; offset += blockBytes) cryptBlock(roundKeys, input, output, offset);
  roundKeys.fill(0);
  return result;
}

/**
 * Encrypts one block with SM4 (GB/T 32907-2016).
 * @param key 16 bytes
 * @param block 16 bytes
 * @returns 16 bytes
 */
export function sm4EncryptBlock(key: Uint8Array, block: Uint8Array): Bytes {
  if (block.length !== blockBytes) throw new RangeError('an SM4 block has 16 bytes');
  return cryptBlocks(expandKey(key), block);
}

/**
 * SM4 in ECB mode, without padding: what GM/T 0016 wraps keys with. Not for messages.
 * @param key 16 bytes
 * @param data whole blocks of 16 bytes
 */
export function sm4EcbEncrypt(key: Uint8Array, data: Uint8Array): Bytes {
  return cryptBlocks(expandKey(key), data);
}

/** Undoes `sm4EcbEncrypt`. */
export function sm4EcbDecrypt(key: Uint8Array, data: Uint8Array): Bytes {
  return cryptBlocks(expandKey(key).reverse(), data);
}
