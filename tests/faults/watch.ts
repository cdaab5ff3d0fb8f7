import { parseMessage } from '../../src/ca/cmp-messages.ts';
import { bytesEqual, fromHex, toHex } from '../../src/pki/bytes.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { transactionIdOf } from '../../src/renewal/container-name.ts';
import type { JournalRecord } from '../../src/renewal/journal.ts';
import { fingerprint, type Ledger, type LedgerEntry } from '../reference-ca/ledger.ts';
import { parseCommandApdu } from '../virtual-key/command-apdu.ts';
import type { KeyState } from '../virtual-key/state.ts';
import { besideOf, insideOf, serialNumberOf, type Inside } from './inside.ts';
import { isVerify, signingPlace } from './wire.ts';

/** What must hold for one key, whatever happens; checked at every step. */
export class Watch {
  /** Broken promises, in words. */
  readonly lost: string[] = [];
  readonly doubleIssued: string[] = [];
  /** Passwords the person has typed for this key. */
  typed = 0;
  /** VERIFY commands the chip has seen. */
  verified = 0;
  /** The person chose to give up the old container, and may. */
  retired = false;
  readonly #serialNumber: string;
  readonly #ledger: Ledger;
  readonly #records: () => ReadonlyMap<string, JournalRecord>;
  /** What was in each place at the start. */
  readonly #initial: ReadonlyMap<string, string>;
  readonly #beside: string;
  /** The certificates the key had at the start: fingerprints. */
  readonly #old: readonly string[];
  readonly #encryptionKeys: readonly string[];
  #state: KeyState;
  /** Containers of ours by the certificate that was last written into them. */
  readonly #written = new Map<string, string>();
  /** Containers of ours whose key has signed since the certificate was written. */
  readonly #signed = new Set<string>();
  /** Certificates issued to replace one of this key's, less those withdrawn. */
  #issued = 0;

  constructor(initial: KeyState, ledger: Ledger, records: () => ReadonlyMap<string, JournalRecord>) {
    this.#ledger = ledger;
    this.#records = records;
    this.#state = structuredClone(initial);
    this.#serialNumber = serialNumberOf(initial);
    const containers = insideOf(initial);
    this.#initial = new Map(containers.map(({ place, content }) => [place, content]));
    this.#beside = besideOf(initial);
    this.#encryptionKeys = containers.flatMap(({ encryption }) => encryption ?? []);
    this.#old = containers.flatMap(({ certificate }) => (certificate ? [fingerprint(fromHex(certificate))] : []));
  }

  /** The key's memory after a write. */
  readonly onPersist = (state: KeyState): void => {
    this.#state = structuredClone(state);
    this.#checkKey('after a write to the key');
    for (const { name, certificate } of insideOf(state)) {
      const id = transactionIdOf(name);
      if (id === undefined || certificate === undefined || this.#written.get(name) === certificate) continue;
      this.#written.set(name, certificate);
      this.#signed.delete(name);
      const record = this.#records().get(id);
      const accepted = record?.newCertificate && toHex(record.newCertificate);
      const isIn = record !== undefined && ['write', 'confirm', 'done'].includes(record.stage);
      // A certificate is written once it is in the journal, and so accepted; what a cut tore off is a part of it.
      if (!isIn || !accepted?.startsWith(certificate.slice(0, 8))) this.#lose('a certificate written unaccepted');
    }
  };

  /** A write of the journal, while this key is plugged in. */
  onRecord(record: JournalRecord): void {
    if (record.keySerialNumber !== this.#serialNumber) this.#lose('a transaction of another key touched');
  }

  /** An entry of the authority's ledger. */
  readonly onEntry = (entry: Pick<LedgerEntry, 'type'> & { readonly transactionId?: string | undefined }): void => {
    const { transactionId } = entry;
    const transaction = transactionId === undefined ? undefined : this.#ledger.transaction(transactionId);
    const isOurs = transaction !== undefined && this.#old.includes(transaction.oldCertificate);
    if (isOurs && entry.type === 'issued') {
      this.#issued += 1;
      if (this.#issued > 1) this.doubleIssued.push(`${this.#issued} certificates of one press at a time`);
    }
    if (isOurs && entry.type === 'withdrawn') this.#issued -= 1;
    this.#checkKey(`after the authority's entry ${entry.type}`);
  };

  /** A message to the authority, before it leaves the page. */
  readonly onMessage = (body: Uint8Array): void => {
    const { header, body: content } = parseMessage(body);
    const id = toHex(header.transactionId ?? new Uint8Array());
    const record = this.#records().get(id);
    if (header.implicitConfirm) this.#lose('implicit confirmation asked for');
    if (content.type === 'p10cr' && !(record?.request && bytesEqual(record.request, body)))
      this.#lose('a request sent that is not in the journal');
    if (content.type !== 'certConf' || content.statuses.some(({ status }) => status?.status === 'rejection')) return;
    if (!(record?.confirmation && bytesEqual(record.confirmation, body)))
      this.#lose('a confirmation sent that is not in the journal');
    const issued = this.#ledger.transaction(id)?.certificate;
    const container = insideOf(this.#state).find(({ name }) => name === record?.newContainer.container);
    if (!issued || container?.certificate !== toHex(issued))
      this.#lose('a certificate confirmed that is not on the key');
    else if (!this.#signed.has(container.name)) this.#lose('a certificate confirmed whose key has not signed');
  };

  /** A command as the chip gets it. */
  readonly onCommand = (bytes: Uint8Array): void => {
    const command = parseCommandApdu(bytes);
    if (!command || !isVerify(this.#state, command)) return;
    this.verified += 1;
    if (this.verified > this.typed) this.#lose(`${this.verified} VERIFY for ${this.typed} passwords typed`);
  };

  /** What the chip has answered to it. */
  readonly onAnswer = (bytes: Uint8Array, answer: Uint8Array): void => {
    const command = parseCommandApdu(bytes);
    const place = command && signingPlace(this.#state, command);
    if (place === undefined || ![0x90, 0x61].includes(answer.at(-2) ?? 0)) return;
    const container = insideOf(this.#state).find((one) => one.place === place);
    if (container) this.#signed.add(container.name);
  };

  #lose(what: string): void {
    if (!this.lost.includes(what)) this.lost.push(what);
  }

  #checkKey(when: string): void {
    const now = new Map(insideOf(this.#state).map((container) => [container.place, container]));
    let oldIntact = true;
    for (const [place, content] of this.#initial) {
      if (now.get(place)?.content === content) continue;
      oldIntact = false;
      if (!this.retired) this.#lose(`old container changed ${when}`);
    }
    if (besideOf(this.#state) !== this.#beside) this.#lose(`something else on the key changed ${when}`);
    const keys = [...now.values()].flatMap(({ encryption }) => encryption ?? []);
    if (this.#encryptionKeys.some((key) => !keys.includes(key))) this.#lose(`encryption key gone ${when}`);
    // An intact old container signs: its key was checked when it was personalised and has not changed by a bit.
    const oldWorks = oldIntact && this.#old.every((old) => this.#status(old) !== 'revoked');
    if (!oldWorks && ![...now.values()].some((container) => this.#works(container)))
      this.#lose(`no certificate that works ${when}`);
  }

  #status(certificate: string): string | undefined {
    return this.#ledger.certificateByFingerprint(certificate)?.status;
  }

  #works({ name, signing, certificate }: Inside): boolean {
    if (transactionIdOf(name) === undefined || certificate === undefined || !signing?.isPair()) return false;
    const der = fromHex(certificate);
    const status = this.#status(fingerprint(der));
    return (
      status !== undefined && status !== 'revoked' && toHex(parseCertificate(der).spki).endsWith(signing.publicKey)
    );
  }

  /** That the end is a good one: the new certificate confirmed and on the key with its own key. */
  checkEnd(transactionId: string): void {
    const issued = this.#ledger.transaction(transactionId);
    const container = insideOf(this.#state).find(({ name }) => transactionIdOf(name) === transactionId);
    if (issued?.status !== 'confirmed') this.#lose('success without confirmation');
    else if (!container || container.certificate !== toHex(issued.certificate ?? new Uint8Array()))
      this.#lose('success without the certificate on the key');
    else if (!this.#works(container)) this.#lose('success with a certificate that does not work');
  }
}
