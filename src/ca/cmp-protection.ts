import { bytesEqual } from '../pki/bytes.ts';
import { CertificateError, parseCertificate, type Certificate } from '../pki/certificate.ts';
import { namesEqual } from '../pki/name.ts';
import { verifySignature } from '../pki/signature.ts';
import type { PkiMessage } from './cmp-messages.ts';

/** The most certificates tried as the one that protects a message. */
const maxCandidates = 24;

/**
 * The certificate whose key protects a message by a signature, or undefined: among the message's own extraCerts and
 * further ones, the first that the header names as sender (RFC 9810 §5.1.1, §5.1.3.3), that may sign and whose key
 * verifies the protection. Whether that certificate is to be trusted is another question.
 * @param further DER certificates
 */
export async function findProtector(
  message: PkiMessage,
  further: readonly Uint8Array[] = [],
): Promise<Certificate | undefined> {
  const { header, protection, protectedPart } = message;
  const algorithm = header.protectionAlgorithm;
  if (!protection || algorithm === undefined) return undefined;
  for (const der of [...message.extraCerts, ...further].slice(0, maxCandidates)) {
    const certificate = readable(der);
    if (!certificate || !isNamedAsSender(certificate, message)) continue;
    if (certificate.keyUsage && !certificate.keyUsage.has('digitalSignature')) continue;
    const { spki } = certificate;
    if (await verifySignature({ spki, algorithm, message: protectedPart, signature: protection })) return certificate;
  }
  return undefined;
}

function readable(der: Uint8Array): Certificate | undefined {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

function isNamedAsSender({ subject, subjectKeyIdentifier }: Certificate, { header }: PkiMessage): boolean {
  if (!namesEqual(subject, header.sender)) return false;
  return !header.senderKid || !subjectKeyIdentifier || bytesEqual(header.senderKid, subjectKeyIdentifier);
}
