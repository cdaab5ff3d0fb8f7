import type { CaErrorCode } from '../../src/ca/authority.ts';
import { maxMessageBytes } from '../../src/ca/cmp-messages.ts';
import { concat, fromHex, type Bytes } from '../../src/pki/bytes.ts';
import { copyTree, partOf, readTree, writeTree, type DerNode } from '../fuzz/der-tree.ts';
import type { Authority, Hierarchy } from '../reference-ca/hierarchy.ts';
import { issueCertificate, keyIdentifier } from '../reference-ca/issue.ts';
import { generateKey, type SoftwareKey } from '../reference-ca/keys.ts';
import { attributeTypes, encodeName } from '../reference-ca/subject.ts';
import { constructed, primitive } from './certificate-changes.ts';

/*
 * Answers that are wrong in one thing, each protected, where it is, as well as whoever sends it can: by the authority's own
 * key, or by another that tries to pass for it.
 */

export interface MessageKit {
  readonly hierarchy: Hierarchy;
  /** An answer of the authority to somebody else, earlier. */
  readonly earlier: Bytes;
}

export interface HostileMessage {
  readonly name: string;
  /** As what the client of the authority refuses it. */
  readonly code: CaErrorCode;
  /**
   * The answer by which the authority says what became of a transaction is changed as well, or does not come: where the
   * change is in what only an answer to a message of ours has.
   */
  readonly lookUps: 'changed' | 'missing';
  /** @param answer the right one, DER PKIMessage */
  readonly make: (answer: Bytes, kit: MessageKit) => Promise<Bytes>;
}

/** PKIMessage: header, body, protection [0], extraCerts [1] (RFC 9810 §5.1). */
export class MessageDraft {
  readonly message: DerNode;

  constructor(der: Uint8Array) {
    this.message = readTree(new Uint8Array(der));
  }

  get #header(): DerNode[] {
    return (partOf(this.message, 0).parts ??= []);
  }

  /** A header option, by its tag [n]. */
  #option(tag: number): DerNode {
    const found = this.#header.find(({ identifier }, index) => index > 2 && identifier === (0xa0 | tag));
    if (!found) throw new RangeError(`no option ${tag}`);
    return found;
  }

  setOption(tag: number, value: DerNode): void {
    this.#option(tag).parts = [value];
  }

  /** GeneralName, directoryName [4]. @param name DER Name */
  set sender(name: Uint8Array) {
    this.#header[1] = constructed(0xa4, readTree(new Uint8Array(name)));
  }

  set body(body: DerNode) {
    (this.message.parts ??= [])[1] = body;
  }

  /** The CertifiedKeyPair of what issues one. */
  get #keyPair(): DerNode[] {
    return (partOf(this.message, 1, 0, 0, 0, 2).parts ??= []);
  }

  /** The encryption key pair beside the certificate. @param value DER EncryptedValue */
  set encryptedKey(value: Uint8Array | undefined) {
    this.#keyPair.splice(1, 1, ...(value ? [constructed(0xa0, readTree(new Uint8Array(value)))] : []));
  }

  /** Without protection, its algorithm, its key's identifier and certificates. */
  unprotected(): Bytes {
    for (const tag of [1, 2]) this.#header.splice(this.#header.indexOf(this.#option(tag)), 1);
    return writeTree({ ...this.message, parts: (this.message.parts ?? []).slice(0, 2) });
  }

  /** @param certificates DER, in front of those that are there */
  async protectedBy(key: SoftwareKey, ...certificates: readonly Uint8Array[]): Promise<Bytes> {
    const [header, body, , extraCerts = constructed(0xa1, constructed(0x30))] = this.message.parts ?? [];
    if (!header || !body) throw new RangeError('no message');
    const signature = await key.sign(writeTree(constructed(0x30, header, body)));
    const protection = constructed(0xa0, primitive(0x03, concat(Uint8Array.of(0), signature)));
    (partOf(extraCerts, 0).parts ??= []).unshift(...certificates.map((der) => readTree(new Uint8Array(der))));
    return writeTree(constructed(0x30, header, body, protection, copyTree(extraCerts)));
  }
}

const option = { protectionAlg: 1, senderKid: 2, transactionId: 4, recipNonce: 6 } as const;
const sm2WithSm3 = fromHex('300a06082a811ccf55018375');
const randomOctets = (): DerNode => primitive(0x04, crypto.getRandomValues(new Uint8Array(16)));

/** Everything that names the protector. */
function signedAs(draft: MessageDraft, name: Uint8Array, { spki }: SoftwareKey): void {
  draft.sender = name;
  draft.setOption(option.senderKid, primitive(0x04, keyIdentifier(spki)));
  draft.setOption(option.protectionAlg, readTree(sm2WithSm3));
}

/** ErrorMsgContent: rejection, with badCertId. */
const errorBody = (): DerNode =>
  constructed(
    0xb7,
    constructed(0x30, constructed(0x30, primitive(0x02, Uint8Array.of(2)), primitive(0x03, Uint8Array.of(3, 8)))),
  );

async function byEndEntity(answer: Bytes, { issuing }: Authority): Promise<Bytes> {
  const key = await generateKey('sm2');
  const subject = encodeName([[attributeTypes.commonName, '某某商贸有限公司(示例)']]);
  const certificate = await issueCertificate({
    profile: 'signing',
    subject,
    spki: key.spki,
    issuer: { name: issuing.subject, key: issuing.key },
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
  });
  const draft = new MessageDraft(answer);
  signedAs(draft, subject, key);
  return draft.protectedBy(key, certificate);
}

const changed = (name: string, code: CaErrorCode, make: HostileMessage['make']): HostileMessage => ({
  name,
  code,
  lookUps: 'changed',
  make,
});

/** In which message it was answered, what became of a transaction does not say. */
const toAnotherMessage: HostileMessage = {
  name: 'to another message',
  code: 'mismatch',
  lookUps: 'missing',
  make: (answer, { hierarchy }) => {
    const draft = new MessageDraft(answer);
    draft.setOption(option.recipNonce, randomOctets());
    return draft.protectedBy(hierarchy.sm2.issuing.key);
  },
};

export const hostileMessages: readonly HostileMessage[] = [
  changed('about another transaction', 'mismatch', (answer, { hierarchy }) => {
    const draft = new MessageDraft(answer);
    draft.setOption(option.transactionId, randomOctets());
    return draft.protectedBy(hierarchy.sm2.issuing.key);
  }),
  toAnotherMessage,
  changed('that issues without protection', 'notTrusted', (answer) =>
    Promise.resolve(new MessageDraft(answer).unprotected()),
  ),
  changed('that is an error without protection', 'notTrusted', (answer) => {
    const draft = new MessageDraft(answer);
    draft.body = errorBody();
    return Promise.resolve(draft.unprotected());
  }),
  changed('protected by a key of which nothing is known', 'notTrusted', async (answer) =>
    new MessageDraft(answer).protectedBy(await generateKey('sm2')),
  ),
  changed('protected under a certificate of nobody’s', 'notTrusted', async (answer, { hierarchy: { sm2 } }) => {
    const key = await generateKey('sm2');
    const draft = new MessageDraft(answer);
    signedAs(draft, sm2.issuing.subject, key);
    const certificate = await issueCertificate({
      profile: 'issuing',
      subject: sm2.issuing.subject,
      spki: key.spki,
      issuer: { name: sm2.issuing.subject, key },
      notBefore: new Date(Date.now() - 86_400_000),
      notAfter: new Date(Date.now() + 86_400_000),
    });
    return draft.protectedBy(key, certificate);
  }),
  changed('protected by an authority that is not pinned', 'notTrusted', (answer, { hierarchy: { foreign } }) => {
    const draft = new MessageDraft(answer);
    signedAs(draft, foreign.issuing.subject, foreign.issuing.key);
    return draft.protectedBy(foreign.issuing.key, foreign.issuing.certificate, foreign.root);
  }),
  changed('protected by another holder', 'notTrusted', (answer, { hierarchy }) => byEndEntity(answer, hierarchy.sm2)),
  changed('that is random', 'malformed', () => Promise.resolve(crypto.getRandomValues(new Uint8Array(300)))),
  changed('that is nothing', 'malformed', () => Promise.resolve(new Uint8Array())),
  changed('longer than any answer', 'malformed', (answer) =>
    Promise.resolve(concat(answer, new Uint8Array(maxMessageBytes))),
  ),
  changed('nested deeper than any answer', 'malformed', async (answer, { hierarchy }) => {
    let node = primitive(0x05, new Uint8Array());
    for (let depth = 0; depth < 2_000; depth += 1) node = constructed(0x30, node);
    const draft = new MessageDraft(answer);
    draft.body = constructed(0xa3, node);
    return draft.protectedBy(hierarchy.sm2.issuing.key);
  }),
  changed('that was given to somebody else before', 'mismatch', (_answer, { earlier }) => Promise.resolve(earlier)),
];
