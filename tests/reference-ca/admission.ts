import { verifyCsr, type Csr } from '../../src/pki/csr.ts';
import { readSpki, securityBits } from '../../src/pki/algorithms.ts';
import { bytesEqual } from '../../src/pki/bytes.ts';
import type { Certificate } from '../../src/pki/certificate.ts';
import { namesEqual } from '../../src/pki/name.ts';
import { isAcceptedSignatureAlgorithm } from '../../src/pki/signature.ts';
import { backdatedSeconds } from './issue.ts';
import type { AuthorityName } from './hierarchy.ts';
import type { KeyType } from './keys.ts';
import type { RegisteredCertificate } from './ledger.ts';
import type { Policy } from './policy.ts';
import { Refusal } from './refusal.ts';

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
export async function proveRequest(csr: Csr): Promise<void> {
  if (!isAcceptedSignatureAlgorithm(csr.signatureAlgorithm)) {
    throw new Refusal('badAlg', 'the request is signed with an algorithm that is not accepted');
  }
  if (!(await verifyCsr(csr.der))) throw new Refusal('badPOP', 'the request is not signed by the key it is about');
}

/** The kind of key the holder of a certificate of this authority may ask for: the same, or SM2 in an upgrade. */
function wantedKey(authority: AuthorityName): { readonly type: KeyType; readonly authority: Grant['authority'] } {
  return authority === 'p256' ? { type: 'p256', authority: 'p256' } : { type: 'sm2', authority: 'sm2' };
}

/**
 * Whether the request is one this holder may make, by what it asks for.
 * @throws Refusal `badCertTemplate`, `badAlg`
 */
export function checkContent(csr: Csr, old: Certificate, authority: AuthorityName, policy: Policy): void {
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
 * @param transactionId the transaction of the message: the certificate it replaced may finish it
 * @throws Refusal `certRevoked`, `signerNotTrusted`
 */
export function checkSigner(
  registered: RegisteredCertificate,
  certificate: Certificate,
  transactionId: string,
  policy: Policy,
  now: Date,
): void {
  if (registered.status === 'revoked' && registered.supersededBy !== transactionId) {
    throw new Refusal('certRevoked', "the signer's certificate is revoked");
  }
  if (registered.status === 'unconfirmed') {
    throw new Refusal('signerNotTrusted', "the signer's certificate was never confirmed");
  }
  if (certificate.keyUsage?.has('digitalSignature') !== true) {
    throw new Refusal('signerNotTrusted', "the signer's certificate is not for signatures");
  }
  if (now < certificate.notBefore) throw new Refusal('signerNotTrusted', "the signer's certificate is not valid yet");
  if (now <= certificate.notAfter) return;
  const expiredDays = (now.getTime() - certificate.notAfter.getTime()) / dayMilliseconds;
  if (!policy.acceptsExpiredSigner || (policy.maxExpiredDays !== null && expiredDays > policy.maxExpiredDays)) {
    throw new Refusal('signerNotTrusted', "the signer's certificate has expired");
  }
}
