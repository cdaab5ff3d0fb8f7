import type { PkiMessage } from '../../src/ca/cmp-messages.ts';
import { bytesEqual, toHex } from '../../src/pki/bytes.ts';
import { CertificateError, parseCertificate, type Certificate } from '../../src/pki/certificate.ts';
import { namesEqual } from '../../src/pki/name.ts';
import { isAcceptedSignatureAlgorithm, verifySignature } from '../../src/pki/signature.ts';
import { checkEnd, checkSigner } from './admission.ts';
import type { Authority, Hierarchy } from './hierarchy.ts';
import { fingerprint, type Ledger, type RegisteredCertificate, type Transaction } from './ledger.ts';
import type { Policy } from './policy.ts';
import { Refusal } from './refusal.ts';
import { readRequest } from './request.ts';

/** Who sent a message, proven by a signature. */
export interface Sender {
  readonly certificate: Certificate;
  /** Of the certificate's DER. */
  readonly fingerprint: string;
  readonly registered: RegisteredCertificate;
}

/** What every message must bring (RFC 9483 §3.1). */
export interface CheckedHeader {
  /** 32 hex digits. */
  readonly transactionId: string;
  readonly senderNonce: string;
}

/** PasswordBasedMac, DHBasedMac, PBMAC1 and the KEM-based MAC: protection by a shared secret (RFC 9481 §6). */
const macAlgorithms: readonly string[] = [
  '1.2.840.113533.7.66.13',
  '1.2.840.113533.7.66.30',
  '1.2.840.113549.1.5.14',
  '1.2.840.113533.7.66.16',
];

const ours = ['sm2', 'p256', 'rsa', 'oldRsa'] as const;

/**
 * The parts of a header that concern no one transaction.
 * @throws Refusal `unsupportedVersion`, `badDataFormat`, `badSenderNonce`, `wrongAuthority`
 */
export function checkHeader({ header }: PkiMessage, hierarchy: Hierarchy): CheckedHeader {
  if (header.pvno !== 2) throw new Refusal('unsupportedVersion', 'only CMP version 2 here');
  const { transactionId, senderNonce, recipient } = header;
  if (transactionId?.length !== 16) throw new Refusal('badDataFormat', 'a transactionID of 16 bytes is needed');
  if (senderNonce === undefined || senderNonce.length < 16) {
    throw new Refusal('badSenderNonce', 'a senderNonce of at least 16 bytes is needed');
  }
  // The empty name: any authority (RFC 9483 §3.1). Roots and issuing authorities are all in one house.
  const isOurs = ours.some((name) => {
    const { root, issuing } = hierarchy[name].read;
    return [root, issuing].some(({ subject }) => recipient && namesEqual(subject, recipient));
  });
  if (!isOurs && recipient?.attributes.length !== 0) {
    throw new Refusal('wrongAuthority', 'the message is addressed to another authority');
  }
  return { transactionId: toHex(transactionId), senderNonce: toHex(senderNonce) };
}

/** Which of our authorities issued a certificate, by name, key identifier and signature. */
async function issuerOf(certificate: Certificate, hierarchy: Hierarchy): Promise<Authority | undefined> {
  for (const name of ours) {
    const { issuing } = hierarchy[name].read;
    const { authorityKeyIdentifier, signatureAlgorithm, tbs, signature } = certificate;
    if (!namesEqual(certificate.issuer, issuing.subject)) continue;
    if (!authorityKeyIdentifier || !bytesEqual(authorityKeyIdentifier, hierarchy[name].issuing.keyIdentifier)) continue;
    const signed = { spki: issuing.spki, algorithm: signatureAlgorithm, message: tbs, signature };
    if (await verifySignature(signed)) return hierarchy[name];
  }
  return undefined;
}

/**
 * The certificate a message says it is protected with: the first of its extraCerts (RFC 9483 §3.3), or, once a
 * transaction has begun, the one that began it.
 */
function claimedSigner(message: PkiMessage, begunWith: Uint8Array | undefined): Certificate {
  const der = message.extraCerts[0] ?? begunWith;
  if (!der) throw new Refusal('signerNotTrusted', "the signer's certificate must come first in extraCerts");
  try {
    return parseCertificate(der);
  } catch (cause) {
    if (cause instanceof CertificateError) {
      throw new Refusal('signerNotTrusted', "the signer's certificate is malformed", { cause });
    }
    throw cause;
  }
}

/** The transaction in which the key was certified that a cr wants its new key wrapped for, whoever asks. */
function signingTransactionOf({ body }: PkiMessage, ledger: Ledger): string | undefined {
  if (body.type !== 'cr') return undefined;
  const request = readRequest(body);
  const key = request.kind === 'cr' ? request.message.protocolEncrKey : undefined;
  return key && ledger.transactionOfPublicKey(fingerprint(key))?.transactionId;
}

/**
 * Proves who sent a message: protected by a signature over its original bytes, under a certificate of ours that may
 * still sign.
 * @throws Refusal `badMessageCheck`, `wrongIntegrity`, `badAlg`, `signerNotTrusted`, `badCertId`, `certRevoked`
 */
export async function authenticate(
  message: PkiMessage,
  context: {
    readonly hierarchy: Hierarchy;
    readonly ledger: Ledger;
    readonly policy: Policy;
    readonly now: Date;
    /** The transaction the message belongs to, if it has begun. */
    readonly transaction: Transaction | undefined;
  },
): Promise<Sender> {
  const { header, protection, protectedPart } = message;
  const { ledger, transaction } = context;
  const algorithm = header.protectionAlgorithm;
  if (!protection || algorithm === undefined) throw new Refusal('badMessageCheck', 'the message is not protected');
  if (macAlgorithms.includes(algorithm)) throw new Refusal('wrongIntegrity', 'protect the message by a signature');
  if (!isAcceptedSignatureAlgorithm(algorithm)) throw new Refusal('badAlg', 'protection by an algorithm not accepted');

  const begunWith = transaction && ledger.certificateByFingerprint(transaction.oldCertificate)?.certificate;
  const certificate = claimedSigner(message, begunWith);
  if (!namesEqual(certificate.subject, header.sender)) {
    throw new Refusal('badMessageCheck', "the sender is not the subject of the signer's certificate");
  }
  const { subjectKeyIdentifier } = certificate;
  if (!subjectKeyIdentifier || !header.senderKid || !bytesEqual(subjectKeyIdentifier, header.senderKid)) {
    throw new Refusal('badMessageCheck', "the senderKID is not that of the signer's certificate");
  }
  if (!(await verifySignature({ spki: certificate.spki, algorithm, message: protectedPart, signature: protection }))) {
    throw new Refusal('badMessageCheck', 'the protection does not verify');
  }
  const transactions = [
    header.transactionId && toHex(header.transactionId),
    transaction?.signingTransaction,
    signingTransactionOf(message, ledger),
  ];
  return admitSigner(certificate, transactions, context);
}

/**
 * Who has signed with a certificate, once the signature is verified: its holder, if it is one of ours that may still sign.
 * @param transactions what is signed belongs to these: the certificate replaced in one of them may finish it
 * @throws Refusal `signerNotTrusted`, `badCertId`, `certRevoked`
 */
export async function admitSigner(
  certificate: Certificate,
  transactions: readonly (string | undefined)[],
  {
    hierarchy,
    ledger,
    policy,
    now,
  }: { readonly hierarchy: Hierarchy; readonly ledger: Ledger; readonly policy: Policy; readonly now: Date },
): Promise<Sender> {
  const issuer = await issuerOf(certificate, hierarchy);
  if (!issuer) throw new Refusal('signerNotTrusted', "the signer's certificate is not of this authority");
  const registered = ledger.certificate(certificate.der);
  if (!registered) throw new Refusal('badCertId', "the signer's certificate is not known here");
  checkSigner(registered, certificate, transactions, policy, now);
  for (const { notAfter } of [issuer.read.issuing, issuer.read.root]) {
    checkEnd(notAfter, "the authority over the signer's certificate has ended", policy, now);
  }
  return { certificate, fingerprint: fingerprint(certificate.der), registered };
}

/**
 * That a message is of now, and not one seen before.
 * @throws Refusal `badTime`, `badSenderNonce`
 */
export function checkFreshness(
  { header }: PkiMessage,
  senderNonce: string,
  { ledger, policy, now }: { readonly ledger: Ledger; readonly policy: Policy; readonly now: Date },
): void {
  const { messageTime } = header;
  if (messageTime && Math.abs(messageTime.getTime() - now.getTime()) > policy.maxSkewSeconds * 1000) {
    throw new Refusal('badTime', 'the messageTime is too far from the time here');
  }
  if (ledger.knowsSenderNonce(senderNonce)) throw new Refusal('badSenderNonce', 'the senderNonce was used before');
}
