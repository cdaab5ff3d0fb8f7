import type { Bytes } from '../../src/pki/bytes.ts';
import { CertificateError, parseCertificate } from '../../src/pki/certificate.ts';
import { digestForSignatureAlgorithm, SignatureAlgorithmError } from '../../src/pki/signature.ts';
import { oids } from '../../src/pki/algorithms.ts';

/**
 * The certHash by which a holder names a certificate (RFC 9810 §5.3.18): by the hash of its signature algorithm. What was
 * issued wrongly may have none; it is named by SHA-256, and can only be refused.
 */
export async function certHashOf(certificate: Uint8Array): Promise<Bytes> {
  try {
    return await digestForSignatureAlgorithm(parseCertificate(certificate).signatureAlgorithm, certificate);
  } catch (error) {
    if (!(error instanceof CertificateError) && !(error instanceof SignatureAlgorithmError)) throw error;
    return digestForSignatureAlgorithm(oids.sha256WithRsa, certificate);
  }
}
