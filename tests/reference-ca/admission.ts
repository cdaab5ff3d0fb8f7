import type { CertReqMessage } from '../../src/ca/crmf.ts';
import { readSpki, securityBits } from '../../src/pki/algorithms.ts';
import { bytesEqual, toHex } from '../../src/pki/bytes.ts';
import { parseCertificate, type Certificate } from '../../src/pki/certificate.ts';
import { parseDer } from '../../src/pki/der.ts';
import { namesEqual, readName } from '../../src/pki/name.ts';
import { isAcceptedSignatureAlgorithm } from '../../src/pki/signature.ts';
import { backdatedSeconds } from './issue.ts';
import type { AuthorityName } from './hierarchy.ts';
import type { KeyType } from './keys.ts';
import { fingerprint, type Ledger, type RegisteredCertificate, type Transaction } from './ledger.ts';
import type { Policy } from './policy.ts';
import { Refusal } from './refusal.ts';
import type { EncryptionRequest, SigningRequest } from './request.ts';

const dayMilliseconds = 24 * 60 * 60 * 1000;
/** What a renewal adds to the old certificate's end, or to now; and the least that an upgrade gives. */
const yearDays = 365;

/** What the authority is ready to issue. */
export interface Grant {
  readonly authority: Exclude<AuthorityName, 'oldRsa' | 'foreign'>;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * That the sender of a request holds the key it is about.
 * @throws Refusal `badAlg`, `badPOP`
 */
export async function proveRequest({
  proofAlgorithm,
  isProven,
}: Pick<SigningRequest, 'proofAlgorithm' | 'isProven'>): Promise<void> {
  if (proofAlgorithm === undefined) throw new Refusal('badPOP', 'possession of the key is to be proven by a signature');
  if (!isAcceptedSignatureAlgorithm(proofAlgorithm)) {
    throw new Refusal('badAlg', 'the request is signed with an algorithm that is not accepted');
  }
  if (!(await isProven())) throw new Refusal('badPOP', 'the request is not signed by the key it is about');
}

/** The issuer [3]: old requests name it, and whoever issues is decided here. */
const issuerField = 3;

/**
 * The parts of a CertReqMsg that a PKCS #10 has not: nothing may be asked for that would not be given, and the
 * certificate to be updated is the one that protects the message (RFC 9483 §4.1.3).
 * @throws Refusal `badCertTemplate`, `badRequest`, `badCertId`
 */
export function checkUpdate({ message }: SigningRequest, old: Certificate): void {
  if (!message) return;
  checkTemplate(message);
  const { oldCertId } = message;
  if (!oldCertId) return;
  const issuer = readName(parseDer(oldCertId.issuer));
  if (!namesEqual(issuer, old.issuer) || toHex(oldCertId.serialNumber) !== old.serialNumber) {
    throw new Refusal('badCertId', 'the certificate to be updated is not the one that protects the message');
  }
}

function checkTemplate({ otherFields, otherControls }: CertReqMessage): void {
  if (otherFields.some((tag) => tag !== issuerField)) {
    throw new Refusal('badCertTemplate', 'only subject, public key and issuer may be asked for');
  }
  if (otherControls.length > 0) throw new Refusal('badRequest', 'a control that is not known');
}

/**
 * Whether a cr is one for an encryption certificate that this holder may have: for the holder of a signing key that was
 * certified here, to be wrapped for that very key.
 * @returns the transaction that certified the signing key
 * @throws Refusal `badCertTemplate`, `badPOP`, `badRequest`, `badAlg`, `duplicateCertReq`, `notAuthorized`
 */
export function checkEncryptionRequest(
  { subject, message }: EncryptionRequest,
  sender: {
    readonly certificate: Certificate;
    readonly fingerprint: string;
    readonly registered: RegisteredCertificate;
  },
  { ledger, policy }: { readonly ledger: Ledger; readonly policy: Policy },
): Transaction {
  if (message.publicKey) throw new Refusal('badCertTemplate', 'encryption keys are made by the authority');
  if (message.proof) throw new Refusal('badPOP', 'nobody can possess a key that is not made yet');
  checkTemplate(message);
  if (message.oldCertId) throw new Refusal('badRequest', 'no certificate is updated by this request');
  const { protocolEncrKey } = message;
  if (!protocolEncrKey) throw new Refusal('badRequest', 'the control protocolEncrKey is needed');
  if (!namesEqual(subject, sender.certificate.subject)) {
    throw new Refusal('badCertTemplate', 'the subject is not that of the old certificate');
  }
  const signing = ledger.transactionOfPublicKey(fingerprint(protocolEncrKey));
  const isCertified = signing?.status === 'issued' || signing?.status === 'confirmed';
  const isSigning = signing?.kind === 'p10cr' || signing?.kind === 'kur';
  if (!isCertified || !isSigning || signing.oldCertificate !== sender.fingerprint) {
    throw new Refusal('badCertTemplate', 'the key to wrap for is none that was certified for this holder');
  }
  if (readSpki(protocolEncrKey).algorithm !== 'sm2') throw new Refusal('badAlg', 'only an SM2 key can unwrap');
  checkMayHaveEncryption(sender, { ledger, policy });
  const others = ledger.encryptionTransactions(signing.transactionId);
  if (others.some(({ status }) => status !== 'withdrawn' && status !== 'refused')) {
    throw new Refusal('duplicateCertReq', 'the encryption certificate was asked for before');
  }
  return signing;
}

/**
 * Whether the policy gives this holder an encryption certificate.
 * @throws Refusal `notAuthorized`
 */
export function checkMayHaveEncryption(
  { certificate, registered }: { readonly certificate: Certificate; readonly registered: RegisteredCertificate },
  { ledger, policy }: { readonly ledger: Ledger; readonly policy: Policy },
): void {
  const { subject } = certificate;
  const hadOne = (): boolean =>
    ledger
      .certificatesOf(registered.authority)
      // What was issued and taken back may have been no certificate at all.
      .filter(({ usage, status }) => usage === 'encryption' && status === 'valid')
      .some((one) => namesEqual(parseCertificate(one.certificate).subject, subject));
  const { encryptionCertificate } = policy;
  const may = encryptionCertificate === 'always' || (encryptionCertificate === 'ifOldHas' && hadOne());
  if (registered.holder.refuses || !may) {
    throw new Refusal('notAuthorized', 'no encryption certificate is given to this holder');
  }
}

/** The kind of key the holder of a certificate of this authority may ask for: the same, or SM2 in an upgrade. */
function wantedKey(authority: AuthorityName): { readonly type: KeyType; readonly authority: Grant['authority'] } {
  return authority === 'p256' || authority === 'rsa'
    ? { type: authority, authority }
    : { type: 'sm2', authority: 'sm2' };
}

/**
 * Whether the request is one this holder may make, by what it asks for.
 * @throws Refusal `badCertTemplate`, `badAlg`
 */
export function checkContent(
  csr: Pick<SigningRequest, 'subject' | 'spki'>,
  old: Certificate,
  authority: AuthorityName,
  policy: Policy,
): void {
  if (!namesEqual(csr.subject, old.subject)) {
    throw new Refusal('badCertTemplate', 'the subject is not that of the old certificate');
  }
  if (securityBits(csr.spki) < policy.minSecurityBits) throw new Refusal('badAlg', 'the new key is too weak');
  // The P-256 authority has holders whose USBKEYs do RSA: they stay with it.
  const type = authority === 'p256' && old.keyAlgorithm === 'rsa' ? 'rsa' : wantedKey(authority).type;
  if (readSpki(csr.spki).algorithm !== type) throw new Refusal('badAlg', `the new key must be of type ${type}`);
  if (bytesEqual(csr.spki, old.spki)) throw new Refusal('badCertTemplate', 'the new key is the old one');
}

/**
 * Decides on a request that is in order. A renewal goes on from the old certificate's end, or from now if that has
 * passed; an upgrade keeps the old end, but gives a year at least.
 * @throws Refusal `notAuthorized`
 */
export function decide(registered: RegisteredCertificate, old: Certificate, policy: Policy, now: Date): Grant {
  if (registered.holder.refuses) {
    throw new Refusal('notAuthorized', '证书中心不予在线办理，请携带USBKEY到证书服务中心办理');
  }
  const { authority } = wantedKey(registered.authority);
  const notBefore = new Date(now.getTime() - backdatedSeconds * 1000);
  const oldEnd = old.notAfter.getTime();
  const year = yearDays * dayMilliseconds;
  const isUpgrade = registered.authority === 'oldRsa';
  if (!isUpgrade && oldEnd - now.getTime() > (policy.windowDays + 1) * dayMilliseconds) {
    throw new Refusal('notAuthorized', `renewal opens ${policy.windowDays} days before the old certificate's end`);
  }
  const end = isUpgrade ? Math.max(oldEnd, now.getTime() + year) : Math.max(oldEnd, now.getTime()) + year;
  // Times in certificates are whole seconds; cutting them off must not end a certificate before the old one.
  const notAfter = new Date(Math.ceil(end / 1000) * 1000);
  if (notAfter.getTime() - notBefore.getTime() > policy.maxLifeDays * dayMilliseconds) {
    throw new Refusal('notAuthorized', `certificates live ${policy.maxLifeDays} days at most`);
  }
  return { authority, notBefore, notAfter };
}

/**
 * Whether a certificate of ours may still sign.
 * @param transactions what the message belongs to: the certificate replaced there may finish it
 * @throws Refusal `certRevoked`, `signerNotTrusted`
 */
export function checkSigner(
  registered: RegisteredCertificate,
  certificate: Certificate,
  transactions: readonly (string | undefined)[],
  policy: Policy,
  now: Date,
): void {
  const mayFinish = registered.supersededBy !== undefined && transactions.includes(registered.supersededBy);
  if (registered.status === 'revoked' && !mayFinish) {
    throw new Refusal('certRevoked', "the signer's certificate is revoked");
  }
  if (registered.status === 'unconfirmed') {
    throw new Refusal('signerNotTrusted', "the signer's certificate was never confirmed");
  }
  if (certificate.keyUsage?.has('digitalSignature') !== true) {
    throw new Refusal('signerNotTrusted', "the signer's certificate is not for signatures");
  }
  if (now < certificate.notBefore) throw new Refusal('signerNotTrusted', "the signer's certificate is not valid yet");
  checkEnd(certificate.notAfter, "the signer's certificate has expired", policy, now);
}

/**
 * Whether what has ended still counts.
 * @param text what is said if it does not
 * @throws Refusal `signerNotTrusted`
 */
export function checkEnd(notAfter: Date, text: string, policy: Policy, now: Date): void {
  if (now <= notAfter) return;
  const { acceptsExpiredSigner, maxExpiredDays } = policy;
  const expiredDays = (now.getTime() - notAfter.getTime()) / dayMilliseconds;
  if (!acceptsExpiredSigner || (maxExpiredDays !== null && expiredDays > maxExpiredDays)) {
    throw new Refusal('signerNotTrusted', text);
  }
}
