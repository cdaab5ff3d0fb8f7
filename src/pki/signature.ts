import { oids, readSpki } from './algorithms.ts';
import { copyBytes, type Bytes } from './bytes.ts';
import { DerError, ecdsaSignatureFromDer } from './der.ts';
import { sm2Digest, sm2VerifyDigest } from './sm2.ts';
import { sm3 } from './sm3.ts';

export { signatureOidFor } from './algorithms.ts';

type ShaName = 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';
type Scheme =
  | { readonly kind: 'sm2' }
  | { readonly kind: 'ecdsa'; readonly hash: ShaName }
  | { readonly kind: 'rsa'; readonly hash: ShaName };

/** Every signature algorithm that is accepted. SHA-1 is not among them (SP 800-131A). */
const schemes: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  [oids.sm2WithSm3, { kind: 'sm2' }],
  [oids.ecdsaWithSha256, { kind: 'ecdsa', hash: 'SHA-256' }],
  [oids.ecdsaWithSha384, { kind: 'ecdsa', hash: 'SHA-384' }],
  [oids.ecdsaWithSha512, { kind: 'ecdsa', hash: 'SHA-512' }],
  [oids.sha256WithRsa, { kind: 'rsa', hash: 'SHA-256' }],
  [oids.sha384WithRsa, { kind: 'rsa', hash: 'SHA-384' }],
  [oids.sha512WithRsa, { kind: 'rsa', hash: 'SHA-512' }],
]);

/** Accepted as well, for saying whose certificate an old one is. */
const identifyingSchemes: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  [oids.sha1WithRsa, { kind: 'rsa', hash: 'SHA-1' }],
]);

/**
 * SHA-1 signatures are accepted for naming the authority that an old certificate comes from, and only so: anybody with
 * the means for a collision can have one made.
 */
export interface Sha1Exception {
  readonly acceptSha1For?: 'identification' | undefined;
}

function schemeOf(algorithm: string, { acceptSha1For }: Sha1Exception): Scheme | undefined {
  return schemes.get(algorithm) ?? (acceptSha1For === 'identification' ? identifyingSchemes.get(algorithm) : undefined);
}

/** A signature algorithm that is not accepted here. */
export class SignatureAlgorithmError extends Error {
  override readonly name = 'SignatureAlgorithmError';
}

/** Whether signatures of this algorithm are accepted at all. */
export function isAcceptedSignatureAlgorithm(algorithm: string, exception: Sha1Exception = {}): boolean {
  return schemeOf(algorithm, exception) !== undefined;
}

export interface SignatureToVerify extends Sha1Exception {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** The signature algorithm's OID, dotted. */
  readonly algorithm: string;
  readonly message: Uint8Array;
  /** As certificates carry it: DER SEQUENCE {r, s} for SM2 and ECDSA, PKCS #1 v1.5 for RSA. */
  readonly signature: Uint8Array;
}

/**
 * Verifies a signature: SM2 with SM3 and the default id, ECDSA on P-256 and P-384, RSA PKCS #1 v1.5, with SHA-2.
 * An unknown algorithm, a key of another kind and malformed bytes are simply not a valid signature.
 */
export async function verifySignature(claim: SignatureToVerify): Promise<boolean> {
  const { spki, algorithm, message, signature } = claim;
  const scheme = schemeOf(algorithm, claim);
  if (!scheme) return false;
  try {
    const key = readSpki(spki);
    if (scheme.kind === 'sm2') {
      if (key.algorithm !== 'sm2') return false;
      return sm2VerifyDigest(sm2Digest(message, key.publicKey), ecdsaSignatureFromDer(signature), key.publicKey);
    }
    if (scheme.kind === 'rsa') {
      if (key.algorithm !== 'rsa') return false;
      const parameters = { name: 'RSASSA-PKCS1-v1_5', hash: scheme.hash };
      return await verifyByPlatform(spki, parameters, parameters, message, signature);
    }
    if (key.algorithm !== 'p256' && key.algorithm !== 'p384') return false;
    const [namedCurve, scalarBytes] = key.algorithm === 'p256' ? (['P-256', 32] as const) : (['P-384', 48] as const);
    const rs = ecdsaSignatureFromDer(signature, scalarBytes);
    return await verifyByPlatform(
      spki,
      { name: 'ECDSA', namedCurve },
      { name: 'ECDSA', hash: scheme.hash },
      message,
      rs,
    );
  } catch (error) {
    // DataError, NotSupportedError or OperationError of WebCrypto: a key or signature it cannot work with.
    if (error instanceof DerError || error instanceof DOMException) return false;
    throw error;
  }
}

async function verifyByPlatform(
  spki: Uint8Array,
  keyParameters: RsaHashedImportParams | EcKeyImportParams,
  parameters: AlgorithmIdentifier | EcdsaParams,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const key = await crypto.subtle.importKey('spki', copyBytes(spki), keyParameters, false, ['verify']);
  return crypto.subtle.verify(parameters, key, copyBytes(signature), copyBytes(message));
}

/**
 * The hash of a message by the hash function of a signature algorithm: what CMP's certHash is made with
 * (RFC 9810 §5.3.18).
 * @param algorithm OID, dotted
 * @throws SignatureAlgorithmError
 */
export async function digestForSignatureAlgorithm(algorithm: string, message: Uint8Array): Promise<Bytes> {
  const scheme = schemes.get(algorithm);
  if (!scheme) throw new SignatureAlgorithmError(`signature algorithm ${algorithm} is not accepted`);
  if (scheme.kind === 'sm2') return sm3(message);
  return new Uint8Array(await crypto.subtle.digest(scheme.hash, copyBytes(message)));
}
