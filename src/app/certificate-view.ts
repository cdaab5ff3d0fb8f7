import { readSpki } from '../pki/algorithms.ts';
import type { Certificate, DistinguishedName } from '../pki/certificate.ts';
import { holderName, taxpayerNumber, type Trust } from '../renewal/trust.ts';
import { mask } from './mask.ts';

/** A certificate as a person reads it. */
export interface CertificateView {
  readonly holder: string | undefined;
  /** Masked. */
  readonly taxpayerNumber: string | undefined;
  readonly issuer: string;
  readonly algorithm: string;
  /** Hexadecimal in groups of four. */
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export function viewCertificate(certificate: Certificate, trust: Trust | undefined): CertificateView {
  const number = trust && taxpayerNumber(certificate, trust);
  return {
    holder: holderName(certificate),
    taxpayerNumber: number === undefined ? undefined : mask(number),
    issuer: shortName(certificate.issuer),
    algorithm: algorithmName(certificate),
    serialNumber: certificate.serialNumber.toUpperCase().replace(/(....)(?=.)/g, '$1 '),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
  };
}

const commonName = '2.5.4.3';
const organisation = '2.5.4.10';

function shortName({ attributes }: DistinguishedName): string {
  const find = (type: string): string | undefined => attributes.findLast((one) => one.type === type)?.value;
  return find(commonName) ?? find(organisation) ?? attributes.map(({ value }) => value).join(', ');
}

function algorithmName({ keyAlgorithm, spki }: Certificate): string {
  if (keyAlgorithm === 'rsa') return `RSA-${readSpki(spki).bits}`;
  return { sm2: 'SM2', p256: 'ECDSA P-256', p384: 'ECDSA P-384' }[keyAlgorithm];
}
