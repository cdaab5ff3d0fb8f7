import { bytesEqual, fromHex, toHex } from '../../src/pki/bytes.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { transactionIdOf } from '../../src/renewal/container-name.ts';
import type { JournalRecord } from '../../src/renewal/journal.ts';
import type { Success } from '../../src/renewal/outcome.ts';
import { fingerprint, type Ledger, type LedgerEntry, type Transaction } from '../reference-ca/ledger.ts';
import { parseCommandApdu } from '../virtual-key/command-apdu.ts';
import type { KeyState } from '../virtual-key/state.ts';
import type { Situation } from './fault.ts';
import { besideOf, insideOf, serialNumberOf, type Inside } from './inside.ts';
import { encryptionIdsOf, readSent } from './sent.ts';
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
  readonly #situation: Situation;
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
  /** Private keys for decryption that were imported by right. */
  readonly #imported = new Set<string>();
  /** Certificates issued to replace one of this key's, less those withdrawn. */
  #issued = 0;
  /** Encryption certificates beside them, by the transaction that delivered them. */
  readonly #delivered = new Map<string, string>();

  constructor(
    initial: KeyState,
    situation: Situation,
    ledger: Ledger,
    records: () => ReadonlyMap<string, JournalRecord>,
  ) {
    this.#situation = situation;
    this.#ledger = ledger;
    this.#records = records;
    this.#state = structuredClone(initial);
    this.#serialNumber = serialNumberOf(initial);
    const containers = insideOf(initial);
    this.#initial = new Map(containers.map(({ place, content }) => [place, content]));
    this.#beside = besideOf(initial);
    this.#encryptionKeys = containers.flatMap(({ encryption }) => encryption?.privateKey ?? []);
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
      const isIn = record !== undefined && ['write', 'encryption', 'confirm', 'done'].includes(record.stage);
      // A certificate is written once it is in the journal, and so accepted; what a cut tore off is a part of it.
      if (!isIn || !accepted?.startsWith(certificate.slice(0, 8))) this.#lose('a certificate written unaccepted');
    }
    for (const { name, encryption } of insideOf(state)) {
      const id = transactionIdOf(name);
      if (id === undefined || encryption === undefined) continue;
      const { stage, certificate } = this.#records().get(id)?.encryption ?? {};
      const isIn = stage === 'import' || stage === 'confirm' || stage === 'done';
      const isAccepted = isIn || this.#imported.has(encryption.privateKey);
      if (isIn) this.#imported.add(encryption.privateKey);
      if (!isAccepted) this.#lose('an encryption key pair imported unaccepted');
      const accepted = certificate && toHex(certificate);
      if (isIn && encryption.certificate && !accepted?.startsWith(encryption.certificate.slice(0, 8)))
        this.#lose('an encryption certificate written unaccepted');
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
    if (isOurs && transaction.signingTransaction !== undefined) this.#onDelivery(entry.type, transaction);
    else if (isOurs && entry.type === 'issued') {
      this.#issued += 1;
      if (this.#issued > 1) this.doubleIssued.push(`${this.#issued} certificates of one press at a time`);
    } else if (isOurs && entry.type === 'withdrawn') this.#issued -= 1;
    this.#checkKey(`after the authority's entry ${entry.type}`);
  };

  /** Delivered again it is the same certificate; another one only once nothing came of the first. */
  #onDelivery(type: LedgerEntry['type'], { transactionId, certificate }: Transaction): void {
    if (type === 'issued' && certificate) this.#delivered.set(transactionId, fingerprint(certificate));
    if (type === 'withdrawn') this.#delivered.delete(transactionId);
    const different = new Set(this.#delivered.values()).size;
    if (different > 1) this.doubleIssued.push(`${different} encryption certificates of one press at a time`);
  }

  /** A message to the authority, before it leaves the page. */
  readonly onMessage = (body: Uint8Array): void => {
    const { kind, transactionId: id, asksForImplicitConfirmation } = readSent(body);
    const records = [...this.#records().values()];
    const record = records.find(({ transactionId }) => transactionId === id);
    const beside = records.find(({ transactionId }) => encryptionIdsOf(transactionId).includes(id));
    const isJournaled = (bytes: Uint8Array | undefined): boolean => bytes !== undefined && bytesEqual(bytes, body);
    if (asksForImplicitConfirmation) this.#lose('implicit confirmation asked for');
    if (kind === 'signing' && !isJournaled(record?.request)) this.#lose('a request sent that is not in the journal');
    if (kind === 'encryption' && !isJournaled(beside?.encryption?.request))
      this.#lose('a request for an encryption certificate sent that is not in the journal');
    if (kind !== 'accepted') return;
    if (!isJournaled(beside ? beside.encryption?.confirmation : record?.confirmation))
      this.#lose('a confirmation sent that is not in the journal');
    const { newContainer, transactionId } = beside ?? record ?? {};
    const container = insideOf(this.#state).find(({ name }) => name === newContainer?.container);
    const decrypts = container !== undefined && this.#decrypts(container, transactionId);
    if (beside) {
      if (!decrypts) this.#lose('an encryption certificate confirmed that is not on the key with its key pair');
      return;
    }
    const issued = this.#ledger.transaction(id)?.certificate;
    if (!issued || container?.certificate !== toHex(issued))
      this.#lose('a certificate confirmed that is not on the key');
    else if (!this.#signed.has(container.name)) this.#lose('a certificate confirmed whose key has not signed');
    else if (this.#situation.encryption && !decrypts)
      this.#lose('a certificate confirmed before its encryption key pair');
  };

  /** The container holds an encryption certificate that was given beside its signing certificate, and its key pair. */
  #decrypts({ encryption }: Inside, transactionId: string | undefined): boolean {
    if (transactionId === undefined || encryption?.certificate === undefined || !encryption.isPair()) return false;
    const der = fromHex(encryption.certificate);
    const registered = this.#ledger.certificate(der);
    const given = this.#ledger.encryptionTransactions(transactionId).some(({ certificate, status }) => {
      const stands = status === 'issued' || status === 'confirmed';
      return stands && certificate !== undefined && bytesEqual(certificate, der);
    });
    return (
      given && registered?.status !== 'revoked' && toHex(parseCertificate(der).spki).endsWith(encryption.publicKey)
    );
  }

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
    const keys = [...now.values()].flatMap(({ encryption }) => encryption?.privateKey ?? []);
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
  checkEnd({ transactionId, encryptionCertificate }: Success): void {
    const issued = this.#ledger.transaction(transactionId);
    const container = insideOf(this.#state).find(({ name }) => transactionIdOf(name) === transactionId);
    if (issued?.status !== 'confirmed') this.#lose('success without confirmation');
    else if (!container || container.certificate !== toHex(issued.certificate ?? new Uint8Array()))
      this.#lose('success without the certificate on the key');
    else if (!this.#works(container)) this.#lose('success with a certificate that does not work');
    else if (this.#situation.encryption && !this.#decrypts(container, transactionId))
      this.#lose('success without the encryption certificate and its key pair');
    else if (container.encryption?.certificate !== (encryptionCertificate && toHex(encryptionCertificate)))
      this.#lose('success that says something else of the encryption certificate');
  }
}
