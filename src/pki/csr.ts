import { readSignatureAlgorithm, readSpki, type KeyAlgorithm } from './algorithms.ts';
import { bytesEqual, type Bytes } from './bytes.ts';
import { DerError, isContext, parseDer, readBitString, readInteger, readSequence, sourceBytes } from './der.ts';
import { readName, type DistinguishedName } from './name.ts';
import { verifySignature } from './signature.ts';

/** Bytes that are not a certification request, or a request that could not be made. */
export class CsrError extends Error {
  override readonly name = 'CsrError';
}

/** A PKCS #10 CertificationRequest (RFC 2986 §4), read but not verified. */
export interface Csr {
  readonly der: Bytes;
  /** CertificationRequestInfo: what is signed. */
  readonly info: Bytes;
  readonly subject: DistinguishedName;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes;
  readonly keyAlgorithm: KeyAlgorithm;
  /** OID. */
  readonly signatureAlgorithm: string;
  readonly signature: Bytes;
}

export interface CsrContent {
  /** DER Name, taken over byte for byte. */
  readonly subject: Uint8Array;
  /** DER SubjectPublicKeyInfo of the key that signs. */
  readonly spki: Uint8Array;
  /** Signs a message with that key; the signature as a certificate carries it. */
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
}

/**
 * Makes a CertificationRequest without attributes. Loads pkijs on first use.
 * What `sign` throws comes through unchanged.
 * @returns DER
 * @throws CsrError if the subject or the key cannot be taken over as they are
 */
export async function createCsr({ subject, spki, sign }: CsrContent): Promise<Bytes> {
  const [{ CertificationRequest, PublicKeyInfo, RelativeDistinguishedNames }, { ExternalKey, ExternalKeyEngine }] =
    await Promise.all([import('pkijs'), import('./engine.ts')]);
  const request = new CertificationRequest();
  request.version = 0;
  // An empty [0] is mandatory (RFC 2986 §4.1); without an array pkijs leaves it out.
  request.attributes = [];
  let key: InstanceType<typeof ExternalKey>;
  try {
    key = new ExternalKey(readSpki(spki).algorithm, sign);
    request.subject = new RelativeDistinguishedNames({ schema: parseDer(subject) });
    request.subjectPublicKeyInfo = new PublicKeyInfo({ schema: parseDer(spki) });
  } catch (cause) {
    throw new CsrError('the subject or the public key is malformed', { cause });
  }
  await request.sign(key, undefined, new ExternalKeyEngine());
  const csr = parseCsr(new Uint8Array(request.toSchema().toBER()));
  // The authority compares the subject with the old certificate's: a re-encoding on the way would not be noticed here.
  if (!bytesEqual(csr.subject.der, subject) || !bytesEqual(csr.spki, spki)) {
    throw new CsrError('the request does not carry the subject and the key as given');
  }
  return csr.der;
}

/**
 * Reads a CertificationRequest. Attributes are not looked at.
 * @throws CsrError
 */
export function parseCsr(der: Uint8Array): Csr {
  try {
    const request = parseDer(der);
    const [info, algorithm, signature] = readSequence(request, 3, 3);
    if (!info || !algorithm) throw new DerError('CertificationRequest of three parts expected');
    const [version, subject, spki, attributes] = readSequence(info, 4, 4);
    if (readInteger(version) !== 0) throw new DerError('version 1 expected');
    if (!subject || !spki || !isContext(attributes, 0)) throw new DerError('CertificationRequestInfo expected');
    const publicKey = sourceBytes(spki);
    return {
      der: sourceBytes(request),
      info: sourceBytes(info),
      subject: readName(subject),
      spki: publicKey,
      keyAlgorithm: readSpki(publicKey).algorithm,
      signatureAlgorithm: readSignatureAlgorithm(sourceBytes(algorithm)),
      signature: readBitString(signature),
    };
  } catch (cause) {
    if (cause instanceof DerError) throw new CsrError(cause.message, { cause });
    throw cause;
  }
}

/**
 * Whether a request is signed by the very key it asks a certificate for: its proof of possession.
 * @throws CsrError if it is not a request
 */
export async function verifyCsr(der: Uint8Array): Promise<boolean> {
  const { spki, signatureAlgorithm, info, signature } = parseCsr(der);
  return verifySignature({ spki, algorithm: signatureAlgorithm, message: info, signature });
}
