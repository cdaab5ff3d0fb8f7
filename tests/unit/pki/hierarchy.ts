import { ecSpki, signatureAlgorithmFor, type KeyAlgorithm } from '../../../src/pki/algorithms.ts';
import { concat, copyBytes, toBase64, type Bytes } from '../../../src/pki/bytes.ts';
import {
  bitString,
  boolean,
  certificateTime,
  ecdsaSignatureToDer,
  encode,
  explicit,
  implicitPrimitive,
  integer,
  octetString,
  oid,
  printableString,
  raw,
  sequence,
  set,
  utf8String,
  type DerBlock,
} from '../../../src/pki/der.ts';
import { sm2Digest, sm2GenerateKeyPair, sm2SignDigest } from '../../../src/pki/sm2.ts';

/** A software key of a test. */
export interface TestKey {
  readonly algorithm: KeyAlgorithm;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes;
  /** The signature as a certificate carries it. */
  readonly sign: (message: Uint8Array) => Promise<Bytes>;
  /** DER PKCS #8, where the platform made the key. */
  readonly pkcs8?: Bytes;
}

export async function makeKey(algorithm: KeyAlgorithm): Promise<TestKey> {
  if (algorithm === 'sm2') {
    const { privateKey, publicKey } = sm2GenerateKeyPair();
    const sign = (message: Uint8Array): Bytes =>
      ecdsaSignatureToDer(sm2SignDigest(sm2Digest(message, publicKey), privateKey));
    return { algorithm, spki: ecSpki('sm2', publicKey), sign: (message) => Promise.resolve(sign(message)) };
  }
  const isRsa = algorithm === 'rsa';
  const generation = isRsa
    ? {
        name: 'RSASSA-PKCS1-v1_5',
        hash: 'SHA-256',
        modulusLength: 2048,
        publicExponent: Uint8Array.of(1, 0, 1),
      }
    : { name: 'ECDSA', namedCurve: algorithm === 'p256' ? 'P-256' : 'P-384' };
  const { privateKey, publicKey } = await crypto.subtle.generateKey(generation, true, ['sign', 'verify']);
  const parameters = isRsa ? generation : { name: 'ECDSA', hash: algorithm === 'p256' ? 'SHA-256' : 'SHA-384' };
  return {
    algorithm,
    spki: new Uint8Array(await crypto.subtle.exportKey('spki', publicKey)),
    pkcs8: new Uint8Array(await crypto.subtle.exportKey('pkcs8', privateKey)),
    sign: async (message) => {
      const signature = new Uint8Array(await crypto.subtle.sign(parameters, privateKey, copyBytes(message)));
      return isRsa ? signature : ecdsaSignatureToDer(signature);
    },
  };
}

/** Name of one country and one common name. */
export function makeName(commonName: string): Bytes {
  return encode(
    sequence(
      set(sequence(oid('2.5.4.6'), printableString('CN'))),
      set(sequence(oid('2.5.4.3'), utf8String(commonName))),
    ),
  );
}

export interface CertificateContent {
  readonly subject: Uint8Array;
  readonly issuer: Uint8Array;
  readonly key: Pick<TestKey, 'spki'>;
  readonly issuerKey: TestKey;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly serialNumber?: number;
  readonly isCa?: boolean;
  readonly pathLength?: number;
  /** Bit numbers of keyUsage; absent without. */
  readonly keyUsage?: readonly number[];
  readonly extendedKeyUsage?: readonly string[];
  readonly subjectKeyIdentifier?: Uint8Array;
  readonly authorityKeyIdentifier?: Uint8Array;
  readonly criticalExtension?: string;
  /** Further ones; values in DER. */
  readonly extensions?: readonly { readonly type: string; readonly critical?: boolean; readonly value: Uint8Array }[];
  /** The AlgorithmIdentifier to write instead of the issuer's own. */
  readonly signatureAlgorithm?: Uint8Array;
}

const extension = (type: string, critical: boolean, value: DerBlock): DerBlock =>
  sequence(oid(type), critical ? boolean(true) : undefined, octetString(encode(value)));

function keyUsageBits(bits: readonly number[]): DerBlock {
  const last = Math.max(...bits);
  const bytes = new Uint8Array((last >>> 3) + 1);
  for (const bit of bits) bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) | (0x80 >>> (bit & 7));
  return bitString(bytes, 7 - (last & 7));
}

export async function issueCertificate(content: CertificateContent): Promise<Bytes> {
  const algorithm = content.signatureAlgorithm ?? signatureAlgorithmFor(content.issuerKey.algorithm);
  const extensions = [
    content.isCa === undefined
      ? undefined
      : extension(
          '2.5.29.19',
          true,
          sequence(
            content.isCa ? boolean(true) : undefined,
            content.pathLength === undefined ? undefined : integer(content.pathLength),
          ),
        ),
    content.keyUsage && extension('2.5.29.15', true, keyUsageBits(content.keyUsage)),
    content.extendedKeyUsage &&
      extension('2.5.29.37', false, sequence(...content.extendedKeyUsage.map((purpose) => oid(purpose)))),
    content.subjectKeyIdentifier && extension('2.5.29.14', false, octetString(content.subjectKeyIdentifier)),
    content.authorityKeyIdentifier &&
      extension('2.5.29.35', false, sequence(implicitPrimitive(0, content.authorityKeyIdentifier))),
    content.criticalExtension ? extension(content.criticalExtension, true, integer(1)) : undefined,
    ...(content.extensions ?? []).map(({ type, critical, value }) => extension(type, critical ?? false, raw(value))),
  ].filter((part) => part !== undefined);
  const tbs = encode(
    sequence(
      explicit(0, integer(2)),
      integer(content.serialNumber ?? 1),
      raw(algorithm),
      raw(content.issuer),
      sequence(
        certificateTime(content.notBefore ?? new Date('2026-01-01T00:00:00Z')),
        certificateTime(content.notAfter ?? new Date('2027-01-01T00:00:00Z')),
      ),
      raw(content.subject),
      raw(content.key.spki),
      extensions.length > 0 ? explicit(3, sequence(...extensions)) : undefined,
    ),
  );
  return encode(sequence(raw(tbs), raw(algorithm), bitString(await content.issuerKey.sign(tbs))));
}

export function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${toBase64(der).replace(/.{64}(?=.)/gu, '$&\n')}\n-----END ${label}-----\n`;
}

/** A copy with one byte changed, counted from the end if negative. */
export function changed(bytes: Uint8Array, index: number): Bytes {
  const copy = concat(bytes);
  const at = index < 0 ? copy.length + index : index;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
