import { CmpAuthority } from '../../src/ca/cmp-client.ts';
import { buildMessage, parseMessage } from '../../src/ca/cmp-messages.ts';
import type { EnrolmentAnswer } from '../../src/ca/authority.ts';
import { signatureAlgorithmFor } from '../../src/pki/algorithms.ts';
import { concat, type Bytes } from '../../src/pki/bytes.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { acceptanceFailures, type AcceptanceContext, type AcceptanceFailure } from '../../src/renewal/acceptance.ts';
import { policy } from '../faults/policy.ts';
import { openHierarchy, type Authority, type Hierarchy } from '../reference-ca/hierarchy.ts';
import { issueCertificate } from '../reference-ca/issue.ts';
import { generateKey, type SoftwareKey } from '../reference-ca/keys.ts';
import { sampleTaxpayer, taxpayerSubject } from '../reference-ca/subject.ts';
import { copyTree, partOf, readTree, writeTree, type DerNode } from './der-tree.ts';

export const now = new Date('2026-11-22T09:00:00Z');
export const dayMs = 86_400_000;
export const daysFromNow = (days: number): Date => new Date(now.getTime() + days * dayMs);

/** An authority's answer as a tree that a case changes, and with which keys it is signed and protected afterwards. */
export interface Draft {
  readonly message: DerNode;
  /** Signs the certificate again after the change. */
  issuer: SoftwareKey | undefined;
  /** Protects the message again after the change. */
  protector: SoftwareKey | undefined;
}

export const headerOf = ({ message }: Draft): DerNode => partOf(message, 0);
export const bodyOf = ({ message }: Draft): DerNode => partOf(message, 1);
/** CertResponse: certReqId, PKIStatusInfo, CertifiedKeyPair. */
export const responseOf = (draft: Draft): DerNode => partOf(bodyOf(draft), 0, 0, 0);
export const certificateOf = (draft: Draft): DerNode => partOf(responseOf(draft), 2, 0, 0);
/** TBSCertificate: version, serial number, signature, issuer, validity, subject, key, extensions. */
export const tbsOf = (draft: Draft): DerNode => partOf(certificateOf(draft), 0);

const signatureNode = (signature: Uint8Array): DerNode => ({
  identifier: 0x03,
  content: concat(Uint8Array.of(0), signature),
  parts: undefined,
});

/** A renewal under way: what was asked, and who answers. */
export class Renewal {
  readonly authority: Authority;
  readonly newKey: SoftwareKey;
  readonly oldKey: SoftwareKey;
  /** Public keys that are not the one asked for, DER. */
  readonly otherKeys: readonly Bytes[];
  readonly foreign: Authority;
  /** Pinned, and to be left behind. */
  readonly old: Authority;
  readonly oldCertificate: Bytes;
  readonly context: AcceptanceContext;
  readonly #answer: DerNode;
  readonly #request: Bytes;

  private constructor(
    authority: Authority,
    { foreign, oldRsa }: Hierarchy,
    keys: readonly [old: SoftwareKey, asked: SoftwareKey, ...others: SoftwareKey[]],
    certificates: { readonly old: Bytes; readonly answer: Bytes; readonly request: Bytes },
  ) {
    this.authority = authority;
    this.foreign = foreign;
    this.old = oldRsa;
    const [oldKey, newKey, ...others] = keys;
    this.oldKey = oldKey;
    this.newKey = newKey;
    this.otherKeys = [oldKey, ...others].map(({ spki }) => spki);
    this.oldCertificate = certificates.old;
    this.#answer = readTree(certificates.answer);
    this.#request = certificates.request;
    this.context = {
      purpose: 'renewal',
      oldCertificate: parseCertificate(certificates.old),
      newPublicKey: newKey.spki,
      chain: [],
      trust: {
        anchors: [authority.root, oldRsa.root],
        intermediates: [authority.issuing.certificate, oldRsa.issuing.certificate],
        oldIssuers: [oldRsa.root],
        taxpayerNumberTypes: ['1.2.156.10260.4.1.5', '1.2.86.11.7.5'],
      },
      policy,
      now,
    };
  }

  static async open(name: 'sm2' | 'p256', hierarchy: Hierarchy, rsa: SoftwareKey): Promise<Renewal> {
    const authority = hierarchy[name];
    const [oldKey, newKey, otherKey] = await Promise.all([generateKey(name), generateKey(name), generateKey(name)]);
    const subject = taxpayerSubject(sampleTaxpayer(), 'current');
    const issue = ({ spki }: SoftwareKey, from: number, to: number): Promise<Bytes> =>
      issueCertificate({
        profile: 'signing',
        subject,
        spki,
        issuer: { name: authority.issuing.subject, key: authority.issuing.key },
        notBefore: daysFromNow(from),
        notAfter: daysFromNow(to),
      });
    const old = await issue(oldKey, -335, 30);
    const request = await clientOf(authority, () => Promise.reject(new Error('nothing is sent'))).prepareRequest(
      crypto.getRandomValues(new Uint8Array(16)),
      { publicKey: newKey.spki, sign: newKey.sign },
      { certificate: old, sign: oldKey.sign },
    );
    const { header } = parseMessage(request);
    const answer = await buildMessage(
      {
        sender: authority.issuing.subject,
        recipient: subject,
        messageTime: now,
        senderKid: authority.issuing.keyIdentifier,
        transactionId: header.transactionId,
        senderNonce: crypto.getRandomValues(new Uint8Array(16)),
        recipNonce: header.senderNonce,
        confirmWaitTime: daysFromNow(1),
        protectionAlgorithm: signatureAlgorithmFor(name),
        extraCerts: [authority.issuing.certificate],
        body: {
          type: 'cp',
          responses: [{ certReqId: -1, status: { status: 'accepted' }, certificate: await issue(newKey, -1, 395) }],
        },
      },
      authority.issuing.key.sign,
    );
    return new Renewal(authority, hierarchy, [oldKey, newKey, otherKey, rsa], { old, answer, request });
  }

  draft(): Draft {
    const { key } = this.authority.issuing;
    return { message: copyTree(this.#answer), issuer: undefined, protector: key };
  }

  /** Signs and protects what the draft has become. */
  async finish(draft: Draft): Promise<Bytes> {
    const { message, issuer, protector } = draft;
    if (issuer) {
      const certificate = certificateOf(draft);
      const parts = (certificate.parts ??= []);
      parts[2] = signatureNode(await issuer.sign(writeTree(partOf(certificate, 0))));
    }
    if (protector) {
      const protectedPart = { identifier: 0x30, content: new Uint8Array(), parts: message.parts?.slice(0, 2) };
      const parts = (message.parts ??= []);
      const signature = signatureNode(await protector.sign(writeTree(protectedPart)));
      parts[2] = { identifier: 0xa0, content: new Uint8Array(), parts: [signature] };
    }
    return writeTree(message);
  }

  /** What the authority's client makes of an answer that came over HTTP. @throws CaError */
  receive(answer: Bytes): Promise<EnrolmentAnswer> {
    const headers = { 'content-type': 'application/pkixcmp' };
    return clientOf(this.authority, () => Promise.resolve(new Response(answer, { headers }))).submit(this.#request);
  }

  /** What speaks against writing the certificate of an answer to the key. */
  judge({ certificate, chain }: Extract<EnrolmentAnswer, { kind: 'issued' }>): Promise<readonly AcceptanceFailure[]> {
    return acceptanceFailures(certificate, { ...this.context, chain });
  }
}

function clientOf({ root, issuing }: Authority, fetch: () => Promise<Response>): CmpAuthority {
  return new CmpAuthority({
    url: 'https://ca.example/cmp',
    enrolmentsUrl: 'https://ca.example/enrolments',
    anchors: [root],
    intermediates: [issuing.certificate],
    fetch,
    now: () => now,
    timeoutMs: 30_000,
  });
}

/** Made once, for both kinds of keys. */
export async function openRenewals(): Promise<{ readonly p256: Renewal; readonly sm2: Renewal }> {
  const hierarchy = await openHierarchy(undefined);
  const rsa = await generateKey('rsa');
  return { p256: await Renewal.open('p256', hierarchy, rsa), sm2: await Renewal.open('sm2', hierarchy, rsa) };
}
