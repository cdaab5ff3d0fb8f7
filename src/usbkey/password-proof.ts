import { sm3 } from '../pki/sm3.ts';
import { sm4EncryptBlock } from '../pki/sm4.ts';

/** The longest password of a GM/T 0017 key, in bytes. */
export const maxPasswordBytes = 16;
/** The bytes of GenRandom that VerifyPIN's proof answers. */
export const challengeBytes = 8;

/**
 * The proof in VerifyPIN: SM4 under the first 16 bytes of the digest of the password, zero-padded to 16, over the
 * challenge followed by eight zero bytes. The password is not changed; what is made of it here is cleared.
 * @param password 1..16 bytes
 * @param challenge the 8 bytes of GenRandom
 * @returns 16 bytes
 */
export async function passwordProof(
  password: Uint8Array,
  challenge: Uint8Array,
  digest: 'sha1' | 'sm3',
): Promise<Uint8Array> {
  if (password.length > maxPasswordBytes || challenge.length !== challengeBytes) {
    throw new RangeError('a password of at most 16 bytes and a challenge of 8');
  }
  const padded = new Uint8Array(maxPasswordBytes);
  padded.set(password);
  const block = new Uint8Array(16);
  block.set(challenge);
  let hash = new Uint8Array();
  try {
    hash = digest === 'sm3' ? sm3(padded) : new Uint8Array(await crypto.subtle.digest('SHA-1', padded));
    return sm4EncryptBlock(hash.subarray(0, 16), block);
  } finally {
    padded.fill(0);
    hash.fill(0);
  }
}
