import { createHash } from 'node:crypto';
import { readSpki } from '../../src/pki/algorithms.ts';
import { bytesEqual, fromHex, toHex, type Bytes } from '../../src/pki/bytes.ts';
import { CertificateError, parseCertificate } from '../../src/pki/certificate.ts';
import { makeCrl } from './crl.ts';
import type { Authority, Hierarchy } from './hierarchy.ts';
import { backdatedSeconds, issueCertificate } from './issue.ts';
import { generateKey } from './keys.ts';
import { fingerprint, type Ledger, type RegisteredCertificate } from './ledger.ts';
import {
  makeOcspResponse,
  ocspFailure,
  OcspRequestError,
  parseOcspRequest,
  type CertId,
  type CertStatus,
  type OcspAnswer,
  type OcspRequest,
} from './ocsp.ts';
import { attributeTypes, encodeName } from './subject.ts';

const dayMilliseconds = 24 * 60 * 60 * 1000;
/** How long a list or an answer holds. */
const crlLifeMilliseconds = 7 * dayMilliseconds;
const ocspLifeMilliseconds = dayMilliseconds;
const delegateLifeMilliseconds = 30 * dayMilliseconds;

/** Authorities that say what became of their certificates; the first has its answers signed by a delegate. */
const served = ['sm2', 'p256', 'rsa', 'oldRsa'] as const;

interface Delegate {
  /** In the making at first: two who ask at once get one delegate. */
  readonly signer: Promise<OcspAnswer['signer']>;
  /** After this, another one signs. */
  readonly until: number;
}

/** What became of certificates, from the ledger: revocation lists and OCSP answers. */
export class StatusResponder {
  readonly #hierarchy: Hierarchy;
  readonly #ledger: Ledger;
  readonly #now: () => Date;
  /** Serial numbers in hex, by the certificate's fingerprint: certificates do not change. */
  readonly #serials = new Map<string, string>();
  #delegate: Delegate | undefined;

  constructor(hierarchy: Hierarchy, ledger: Ledger, now: () => Date) {
    this.#hierarchy = hierarchy;
    this.#ledger = ledger;
    this.#now = now;
  }

  /**
   * The revocation list of an issuing authority: all it has ever revoked, ended ones too.
   * @param id SHA-256 of its DER SubjectPublicKeyInfo, 64 lower-case hex digits
   * @returns DER; undefined for an authority that keeps none here
   */
  async crl(id: string): Promise<Bytes | undefined> {
    const authority = this.#authorities().find(({ issuing }) => fingerprint(issuing.key.spki) === id);
    if (!authority) return undefined;
    const now = this.#now();
    const revoked = this.#ledger.certificatesOf(authority.name).flatMap((registered) => {
      const { revocation } = registered;
      const serial = this.#serialOf(registered);
      return revocation && serial !== undefined ? [{ serialNumber: fromHex(serial), ...revocation }] : [];
    });
    return makeCrl(authority, {
      revoked,
      thisUpdate: now,
      nextUpdate: new Date(now.getTime() + crlLifeMilliseconds),
      number: now.getTime(),
    });
  }

  /** Answers an OCSPRequest. @returns DER OCSPResponse, for whatever bytes */
  async ocsp(der: Uint8Array): Promise<Bytes> {
    let request: OcspRequest;
    try {
      request = parseOcspRequest(der);
    } catch (error) {
      if (error instanceof OcspRequestError) return ocspFailure('malformedRequest');
      throw error;
    }
    const { certIds, nonce } = request;
    // One answer has one signer: all that is asked must be of one authority.
    const authority = this.#authorities().find((one) => certIds.every((certId) => isOf(certId, one)));
    if (!authority) return ocspFailure('unauthorized');
    const producedAt = this.#now();
    return makeOcspResponse({
      statuses: certIds.map((certId) => ({ certId, status: this.#status(authority, certId) })),
      nonce,
      producedAt,
      nextUpdate: new Date(producedAt.getTime() + ocspLifeMilliseconds),
      signer: await this.#signer(authority),
    });
  }

  #authorities(): readonly Authority[] {
    return served.map((name) => this.#hierarchy[name]);
  }

  #status({ name }: Authority, { serialNumber }: CertId): CertStatus {
    const serial = toHex(serialNumber);
    const registered = this.#ledger.certificatesOf(name).find((one) => this.#serialOf(one) === serial);
    if (!registered) return { status: 'unknown' };
    return registered.revocation ? { status: 'revoked', ...registered.revocation } : { status: 'good' };
  }

  /** Undefined for what was issued wrongly and is no certificate that can be read. */
  #serialOf({ certificate }: RegisteredCertificate): string | undefined {
    const name = fingerprint(certificate);
    const known = this.#serials.get(name);
    if (known !== undefined) return known;
    try {
      const { serialNumber } = parseCertificate(certificate);
      this.#serials.set(name, serialNumber);
      return serialNumber;
    } catch (error) {
      if (error instanceof CertificateError) return undefined;
      throw error;
    }
  }

  async #signer({ name, issuing }: Authority): Promise<OcspAnswer['signer']> {
    if (name !== 'sm2') return { key: issuing.key, id: { keyHash: keyHash('sha1', issuing.key.spki) } };
    const now = this.#now();
    if (!this.#delegate || this.#delegate.until < now.getTime()) {
      const notAfter = new Date(now.getTime() + delegateLifeMilliseconds);
      this.#delegate = {
        signer: makeDelegate(this.#hierarchy.sm2, now, notAfter),
        until: notAfter.getTime() - dayMilliseconds,
      };
    }
    return this.#delegate.signer;
  }
}

/** A responder with a certificate of its own (RFC 6960 §2.6). Its key lives no longer than this process. */
async function makeDelegate({ issuing }: Authority, now: Date, notAfter: Date): Promise<OcspAnswer['signer']> {
  const key = await generateKey(issuing.key.type);
  const name = encodeName([
    [attributeTypes.country, 'CN'],
    [attributeTypes.organization, '示例认证中心'],
    [attributeTypes.commonName, '示例 OCSP'],
  ]);
  const certificate = await issueCertificate({
    profile: 'ocspResponder',
    subject: name,
    spki: key.spki,
    issuer: { name: issuing.subject, key: issuing.key },
    notBefore: new Date(now.getTime() - backdatedSeconds * 1000),
    notAfter,
  });
  return { key, id: { name }, certificate };
}

/** Of the subjectPublicKey's bits, without tag, length and unused-bits byte. */
const keyHash = (hash: 'sha1' | 'sha256', spki: Uint8Array): Bytes =>
  new Uint8Array(createHash(hash).update(readSpki(spki).publicKey).digest());

function isOf({ hash, issuerNameHash, issuerKeyHash }: CertId, { issuing }: Authority): boolean {
  if (!hash) return false;
  const nameHash = createHash(hash).update(issuing.subject).digest();
  return bytesEqual(issuerNameHash, nameHash) && bytesEqual(issuerKeyHash, keyHash(hash, issuing.key.spki));
}
