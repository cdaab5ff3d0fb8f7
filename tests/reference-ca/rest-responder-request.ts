import { CertificateError, parseCertificate, type Certificate } from '../../src/pki/certificate.ts';
import { namesEqual } from '../../src/pki/name.ts';
import { signatureOidFor, verifySignature } from '../../src/pki/signature.ts';
import { admitSigner, type Sender } from './authentication.ts';
import type { Authority } from './hierarchy.ts';
import type { Issuance } from './issuance.ts';
import { fingerprint, isOfRest, type RestTransaction } from './ledger.ts';
import { Refusal } from './refusal.ts';
import { readContent, type RequestContent, type RequestType, type SignedRequest } from './rest-documents.ts';

/** Where a request was sent. */
export interface Route {
  readonly type: RequestType;
  /** The transaction in the path. */
  readonly transactionId?: string;
}

/** A request whose form and sender are proven. */
export interface Received {
  readonly request: SignedRequest;
  readonly sender: Sender;
  /** The one that answers this sender. */
  readonly authority: Authority;
  /** The transaction it belongs to, if that has begun. */
  readonly transaction: RestTransaction | undefined;
  /** The very same bytes were answered before. */
  readonly isRepeat: boolean;
}

/**
 * Proves that a request is what its address says, from whom it says, and of now.
 * @param idempotencyKey the header of that name
 * @throws Refusal
 */
export async function receive(
  request: SignedRequest,
  route: Route,
  idempotencyKey: string | undefined,
  issuance: Issuance,
): Promise<{ readonly received: Received; readonly content: RequestContent }> {
  const { head, document } = request;
  const content = readContent(document);
  const named = content.type === 'encryption' ? content.of : head.transactionId;
  if (content.type !== route.type || (route.transactionId ?? named) !== named) {
    throw new Refusal('badRequest', 'the document belongs to another address');
  }
  if (idempotencyKey !== head.transactionId) {
    throw new Refusal('badRequest', 'the Idempotency-Key must be the transactionId');
  }
  const received = await authenticate(request, named, issuance);
  const { transaction, isRepeat } = received;
  const { policy } = issuance;
  const { time = issuance.now() } = content;
  const isLate = Math.abs(time.getTime() - issuance.now().getTime()) > policy.maxSkewSeconds * 1000;
  // However late, the holder of what was withdrawn is told so.
  if (isLate && !isRepeat && transaction?.status !== 'withdrawn') {
    throw new Refusal('badTime', 'the time is too far from the time here');
  }
  return { received, content };
}

/**
 * Proves who sent a request.
 * @param named the transaction it is about, which may be that of the signing certificate
 * @throws Refusal `badMessageCheck`, `signerNotTrusted`, `badCertId`, `certRevoked`, `transactionIdInUse`
 */
async function authenticate(request: SignedRequest, named: string, issuance: Issuance): Promise<Received> {
  const { hierarchy, ledger, policy } = issuance;
  const known = ledger.transaction(request.head.transactionId);
  const certificate = readCertificate(request.certificate);
  const { spki, keyAlgorithm } = certificate;
  const { signedBytes: message, signature } = request;
  if (!(await verifySignature({ spki, algorithm: signatureOidFor(keyAlgorithm), message, signature }))) {
    throw new Refusal('badMessageCheck', 'the signature does not verify');
  }
  const transactions = [request.head.transactionId, named, known?.signingTransaction];
  const now = issuance.now();
  const sender = await admitSigner(certificate, transactions, { hierarchy, ledger, policy, now });
  if (known && !isOfRest(known)) {
    throw new Refusal('transactionIdInUse', 'the transaction was begun in another protocol');
  }
  return {
    request,
    sender,
    authority: issuance.answering(sender.registered.authority),
    transaction: known,
    isRepeat: known?.replies.has(fingerprint(request.body)) === true,
  };
}

/** Who answers a request whose sender is not proven: one whose signature such a sender can probably check. */
export function authorityFor({ certificate }: SignedRequest, { hierarchy }: Issuance): Authority {
  const { sm2, p256, rsa } = hierarchy;
  const issuer = issuerName(certificate);
  return [p256, rsa].find(({ read }) => issuer && namesEqual(read.issuing.subject, issuer)) ?? sm2;
}

/** @throws Refusal `signerNotTrusted` */
function readCertificate(der: Uint8Array): Certificate {
  try {
    return parseCertificate(der);
  } catch (cause) {
    if (!(cause instanceof CertificateError)) throw cause;
    throw new Refusal('signerNotTrusted', "the signer's certificate is malformed", { cause });
  }
}

function issuerName(der: Uint8Array): Certificate['issuer'] | undefined {
  try {
    return parseCertificate(der).issuer;
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}
