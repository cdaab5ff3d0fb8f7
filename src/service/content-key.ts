import type { Bytes } from '../pki/bytes.ts';

/** An operator's public key for content, pinned in the configuration. */
export interface ContentKey {
  readonly keyId: string;
  readonly algorithm: 'ed25519' | 'sm2';
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Bytes;
}

/** AlgorithmIdentifier and BIT STRING header of an Ed25519 key (RFC 8410, 4); 32 bytes of the key follow. */
const ed25519Prefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00] as const;

/** The 32 bytes of an Ed25519 key; undefined when it is something else. */
function ed25519PublicKey(spki: Uint8Array): Uint8Array | undefined {
  const fits = spki.length === ed25519Prefix.length + 32 && ed25519Prefix.every((byte, at) => spki[at] === byte);
  return fits ? spki.subarray(ed25519Prefix.length) : undefined;
}

/** Whether a pinned key is a key of its algorithm at all. */
export async function isContentKey({ algorithm, publicKey }: ContentKey): Promise<boolean> {
  if (algorithm === 'ed25519') return ed25519PublicKey(publicKey) !== undefined;
  const { readSpki } = await import('../pki/algorithms.ts');
  try {
    return readSpki(publicKey).algorithm === 'sm2';
  } catch {
    return false;
  }
}

/**
 * Verifies a signature over content: Ed25519 (RFC 8032, 64 bytes), or SM2 with SM3 and the default identity
 * (GB/T 32918.2-2016, DER SEQUENCE {r, s}). Both by our own choice of strict rules: nothing malleable passes for Ed25519.
 * Chrome 109 has neither, so the arithmetic is fetched when it is needed.
 * @returns false for a signature or a key of any wrong form too
 */
export async function verifyContent(
  { algorithm, publicKey }: ContentKey,
  signature: Uint8Array,
  content: Uint8Array,
): Promise<boolean> {
  if (algorithm === 'ed25519') {
    const key = ed25519PublicKey(publicKey);
    if (!key || signature.length !== 64) return false;
    const { ed25519 } = await import('@noble/curves/ed25519.js');
    try {
      return ed25519.verify(signature, content, key, { zip215: false });
    } catch {
      return false;
    }
  }
  const [{ readSpki }, { ecdsaSignatureFromDer }, { sm2Digest, sm2VerifyDigest }] = await Promise.all([
    import('../pki/algorithms.ts'),
    import('../pki/der.ts'),
    import('../pki/sm2.ts'),
  ]);
  try {
    const key = readSpki(publicKey);
    if (key.algorithm !== 'sm2') return false;
    const rs = ecdsaSignatureFromDer(signature);
    return sm2VerifyDigest(sm2Digest(content, key.publicKey), rs, key.publicKey);
  } catch {
    return false;
  }
}
