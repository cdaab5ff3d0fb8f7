import { encodeTlv } from '../apdu/tlv.ts';
import { ecSpki, readSpki, signatureAlgorithmFor, type KeyAlgorithm } from '../pki/algorithms.ts';
import { concat, type Bytes } from '../pki/bytes.ts';
import { extensionOids } from '../pki/certificate.ts';
import {
  bitString,
  boolean,
  certificateTime,
  encode,
  explicit,
  integer,
  octetString,
  oid,
  raw,
  sequence,
  set,
  unsignedInteger,
  utf8String,
} from '../pki/der.ts';

const commonName = 'Key acceptance run';
/** nsComment, an IA5String: harmless, and as long as one likes. */
const commentOid = '2.16.840.1.113730.1.13';
const ia5String = 0x16;
const sentence = 'Made by a key for itself, to try out whether it keeps what it is given. ';
/** Makes the certificate about as long as those of holders, so that it comes and goes in as many parts. */
const commentLength = 700;
const lifeMs = 86_400_000;

export interface TestCertificateContent {
  /** DER SubjectPublicKeyInfo of the key that signs. */
  readonly spki: Uint8Array;
  /** 16 bytes. */
  readonly serialNumber: Uint8Array;
  readonly notBefore: Date;
  /** Signs with the key itself; the signature as a certificate carries it. */
  readonly sign: (tbs: Uint8Array) => Promise<Uint8Array>;
}

/**
 * A certificate that a key signs for itself (RFC 5280 §4.1): valid for a day, of nobody, trusted by nobody.
 * @returns DER, about 1200 bytes
 * @throws DerError for a public key of a kind that is not known
 */
export async function makeTestCertificate({
  spki,
  serialNumber,
  notBefore,
  sign,
}: TestCertificateContent): Promise<Bytes> {
  const { algorithm } = readSpki(spki);
  const tbs = tbsCertificate({ spki, algorithm, serialNumber, notBefore, comment: commentLength });
  return certificate(tbs, algorithm, await sign(tbs));
}

/**
 * Bytes with the outline of a certificate, of exactly this length, for a key that looks no closer.
 * @param length in bytes; one too short for a certificate gives a SEQUENCE of zeros
 */
export function fillerCertificate(length: number): Bytes {
  const spki = ecSpki('p256', concat(Uint8Array.of(4), new Uint8Array(64)));
  const of = (comment: number, signature: number): Bytes => {
    const serialNumber = Uint8Array.of(1);
    const tbs = tbsCertificate({ spki, algorithm: 'p256', serialNumber, notBefore: new Date(0), comment });
    return certificate(tbs, 'p256', new Uint8Array(signature));
  };
  // Where a length field grows by a byte, one length is skipped: another signature brings it back.
  for (let signature = 64; signature < 72; signature++) {
    let comment = 0;
    for (let tries = 0; tries < 4 && comment >= 0; tries++) {
      const made = of(comment, signature);
      if (made.length === length) return made;
      comment += length - made.length;
    }
  }
  const filler = new Uint8Array(length);
  const headed = encodeTlv(0x30, filler);
  return headed.slice(0, length);
}

function tbsCertificate(content: {
  readonly spki: Uint8Array;
  readonly algorithm: KeyAlgorithm;
  readonly serialNumber: Uint8Array;
  readonly notBefore: Date;
  readonly comment: number;
}): Bytes {
  const { spki, algorithm, serialNumber, notBefore, comment } = content;
  const name = (): ReturnType<typeof sequence> => sequence(set(sequence(oid('2.5.4.3'), utf8String(commonName))));
  const text = sentence.repeat(Math.ceil(comment / sentence.length)).slice(0, comment);
  const digitalSignature = Uint8Array.of(0x03, 0x02, 0x07, 0x80);
  return encode(
    sequence(
      explicit(0, integer(2)),
      unsignedInteger(serialNumber),
      raw(signatureAlgorithmFor(algorithm)),
      name(),
      sequence(certificateTime(notBefore), certificateTime(new Date(notBefore.getTime() + lifeMs))),
      name(),
      raw(spki),
      explicit(
        3,
        sequence(
          sequence(oid(extensionOids.keyUsage), boolean(true), octetString(digitalSignature)),
          sequence(oid(commentOid), octetString(encodeTlv(ia5String, new TextEncoder().encode(text)))),
        ),
      ),
    ),
  );
}

function certificate(tbs: Uint8Array, algorithm: KeyAlgorithm, signature: Uint8Array): Bytes {
  return encode(sequence(raw(tbs), raw(signatureAlgorithmFor(algorithm)), bitString(signature)));
}
