import { createHash } from 'node:crypto';
import * as asn1js from 'asn1js';
import {
  AlgorithmIdentifier,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  Extension,
  PublicKeyInfo,
  Time,
  TimeType,
} from 'pkijs';
import { copyBytes, type Bytes } from '../../src/pki/bytes.ts';
import type { KeyType, SoftwareKey } from './keys.ts';
import { readName } from './subject.ts';

/** What a certificate is for; decides its keyUsage and whether it is an authority's. */
export type Profile = 'root' | 'issuing' | 'signing' | 'encryption' | 'ocspResponder';

/** Bits of KeyUsage in the order of RFC 5280 §4.2.1.3, the first the highest. */
const keyUsages: Readonly<Record<Profile, number>> = {
  // keyCertSign, cRLSign
  root: 0b0000_0110,
  // digitalSignature too: the issuing authority signs its CMP messages.
  issuing: 0b1000_0110,
  // digitalSignature, nonRepudiation
  signing: 0b1100_0000,
  // keyEncipherment, dataEncipherment
  encryption: 0b0011_0000,
  // digitalSignature
  ocspResponder: 0b1000_0000,
};

const signatureAlgorithms: Readonly<Record<KeyType, string>> = {
  sm2: '1.2.156.10197.1.501',
  p256: '1.2.840.10045.4.3.2',
  rsa: '1.2.840.113549.1.1.11',
};

const extensionOids = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  ocspNoCheck: '1.3.6.1.5.5.7.48.1.5',
} as const;
const ocspSigning = '1.3.6.1.5.5.7.3.9';

/** How far notBefore lies before the moment of issue: holders' clocks are not ours. */
export const backdatedSeconds = 300;

/** 16 random bytes, positive and of full length as a DER INTEGER. */
function randomSerialNumber(): Bytes {
  const serial = crypto.getRandomValues(new Uint8Array(16));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/** The first 160 bits of SHA-256 over the subjectPublicKey's bits (RFC 7093 §2, method 1). */
export function keyIdentifier(spki: Uint8Array): Bytes {
  const bits = PublicKeyInfo.fromBER(copyBytes(spki)).subjectPublicKey.valueBlock.valueHexView;
  return copyBytes(createHash('sha256').update(bits).digest().subarray(0, 20));
}

function time(date: Date): Time {
  const seconds = new Date(Math.floor(date.getTime() / 1000) * 1000);
  // RFC 5280 §4.1.2.5: UTCTime through 2049.
  const type = seconds.getUTCFullYear() < 2050 ? TimeType.UTCTime : TimeType.GeneralizedTime;
  return new Time({ type, value: seconds });
}

function extension(extnID: string, critical: boolean, value: asn1js.BaseBlock): Extension {
  return new Extension({ extnID, critical, extnValue: value.toBER() });
}

function keyUsageBits(bits: number): asn1js.BitString {
  let unusedBits = 0;
  while (((bits >> unusedBits) & 1) === 0) unusedBits++;
  return new asn1js.BitString({ valueHex: Uint8Array.of(bits).buffer, unusedBits });
}

export interface IssueParameters {
  readonly profile: Profile;
  /** DER Name. */
  readonly subject: Uint8Array;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** Who signs: its DER Name and its key. For a root: itself. */
  readonly issuer: { readonly name: Uint8Array; readonly key: SoftwareKey };
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * Issues an X.509 v3 certificate (RFC 5280; GM/T 0015 for SM2).
 * @returns DER
 */
export async function issueCertificate(parameters: IssueParameters): Promise<Bytes> {
  const { profile, issuer } = parameters;
  const isAuthority = profile === 'root' || profile === 'issuing';
  const algorithm = new AlgorithmIdentifier({
    algorithmId: signatureAlgorithms[issuer.key.type],
    // RFC 4055 §5: RSA's parameters are NULL; ECDSA's and SM2's are absent.
    ...(issuer.key.type === 'rsa' ? { algorithmParams: new asn1js.Null() } : {}),
  });
  const certificate = new Certificate({
    version: 2,
    serialNumber: new asn1js.Integer({ valueHex: randomSerialNumber().buffer }),
    signature: algorithm,
    signatureAlgorithm: algorithm,
    issuer: readName(issuer.name),
    notBefore: time(parameters.notBefore),
    notAfter: time(parameters.notAfter),
    subject: readName(parameters.subject),
    subjectPublicKeyInfo: PublicKeyInfo.fromBER(copyBytes(parameters.spki)),
    extensions: [
      ...(isAuthority
        ? [
            extension(
              extensionOids.basicConstraints,
              true,
              new BasicConstraints({
                cA: true,
                ...(profile === 'issuing' ? { pathLenConstraint: 0 } : {}),
              }).toSchema(),
            ),
          ]
        : []),
      extension(extensionOids.keyUsage, true, keyUsageBits(keyUsages[profile])),
      extension(
        extensionOids.subjectKeyIdentifier,
        false,
        new asn1js.OctetString({ valueHex: keyIdentifier(parameters.spki).buffer }),
      ),
      extension(
        extensionOids.authorityKeyIdentifier,
        false,
        new AuthorityKeyIdentifier({
          keyIdentifier: new asn1js.OctetString({ valueHex: keyIdentifier(issuer.key.spki).buffer }),
        }).toSchema(),
      ),
      // RFC 6960 §4.2.2.2: what makes it a delegate, and why nobody need ask about the delegate itself.
      ...(profile === 'ocspResponder'
        ? [
            extension(
              extensionOids.extendedKeyUsage,
              false,
              new asn1js.Sequence({ value: [new asn1js.ObjectIdentifier({ value: ocspSigning })] }),
            ),
            extension(extensionOids.ocspNoCheck, false, new asn1js.Null()),
          ]
        : []),
    ],
  });
  const tbs = new Uint8Array(certificate.encodeTBS().toBER());
  certificate.tbsView = tbs;
  certificate.signatureValue = new asn1js.BitString({ valueHex: (await issuer.key.sign(tbs)).buffer });
  return new Uint8Array(certificate.toSchema(true).toBER());
}
