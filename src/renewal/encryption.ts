import { CaError, type EncryptionDelivery } from '../ca/authority.ts';
import { bytesEqual } from '../pki/bytes.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { decodeEnvelopedKey, encodeEnvelopedKey } from '../pki/enveloped-key.ts';
import type { Policy } from '../service/config.ts';
import { KeyError, type Container, type KeyPairAlgorithm, type UsbKey } from '../usbkey/usbkey.ts';
import { encryptionAcceptanceFailures } from './acceptance-encryption.ts';
import { transactionIdBytes } from './container-name.ts';
import { encryptionTransactionId, maxEncryptionAttempts } from './encryption-id.ts';
import { Enquiry, type Found, type Issued } from './enquiry.ts';
import type { EncryptionRecord, JournalRecord } from './journal.ts';
import { Stop, type Unacceptable } from './outcome.ts';
import type { Work } from './work.ts';

/** A record whose encryption certificate and key pair are at hand. */
type Delivered = JournalRecord & { readonly encryption: EncryptionRecord & Delivery };
interface Delivery {
  readonly reply: Uint8Array;
  readonly certificate: Uint8Array;
  readonly envelope: Uint8Array;
}

/**
 * Whether an encryption certificate is to go with a new signing certificate: only SM2 has them here.
 * @param algorithm of the new signing key
 * @param old the container of the certificate being replaced
 * @returns `impossible` where every holder is to have one and this key cannot take its key pair
 */
export function wantsEncryption(
  { encryptionCertificate }: Pick<Policy, 'encryptionCertificate'>,
  canImport: boolean,
  algorithm: KeyPairAlgorithm | undefined,
  old: Pick<Container, 'encryption'> | undefined,
): boolean | 'impossible' {
  if (algorithm !== 'sm2' || encryptionCertificate === 'none') return false;
  if (encryptionCertificate === 'always') return canImport || 'impossible';
  return canImport && old?.encryption !== undefined;
}

/**
 * Whether the old certificate has an encryption certificate beside it that is to be replaced and cannot be, since this key
 * takes no encryption key pair: the signing certificate is renewed alone, and the person is told beforehand.
 * @param algorithm of the new signing key
 * @param old the container of the certificate being replaced
 */
export function leavesEncryption(
  policy: Pick<Policy, 'encryptionCertificate'>,
  canImport: boolean,
  algorithm: KeyPairAlgorithm | undefined,
  old: Pick<Container, 'encryption'> | undefined,
): boolean {
  return (
    !canImport && policy.encryptionCertificate === 'ifOldHas' && wantsEncryption(policy, true, algorithm, old) === true
  );
}

/** The encryption certificate of a container is the given one and for the key pair that is there. */
export const holdsEncryption = ({ encryption }: Container, certificate: Uint8Array): boolean =>
  encryption?.certificate !== undefined &&
  bytesEqual(encryption.certificate, certificate) &&
  bytesEqual(encryption.publicKey, parseCertificate(certificate).spki);

/**
 * The second half of a transaction with two certificates: once the new signing certificate is on the key and works, the
 * encryption certificate is asked for, accepted, its key pair imported into the new container and compared, and, where
 * the authority wants that, confirmed. Only then the signing certificate is confirmed, by whoever called.
 */
export class EncryptionPart {
  readonly #work: Work;
  /** What an earlier run had signed was signed anew. Once is enough to make it fresh. */
  #renewed = false;

  constructor(work: Work) {
    this.#work = work;
  }

  /**
   * Goes on, from wherever an earlier run has come to, until the encryption certificate is on the key and confirmed.
   * @throws Stop, KeyError (`noKeyPair` where the new signing key is gone), CaError
   */
  async bring(record: JournalRecord): Promise<JournalRecord> {
    let current = record.stage === 'encryption' ? record : await this.#work.put({ ...record, stage: 'encryption' });
    for (;;) {
      this.#work.at('encryption');
      const delivered = isDelivered(current) ? current : await this.#ask(current);
      await this.#import(delivered);
      const done = await this.#confirm(delivered);
      if (done) return done;
      await this.#mustStillStand(delivered);
      current = this.#work.record ?? delivered;
    }
  }

  /** The signing certificate is given back: what was delivered beside it goes with it. */
  async giveBack(record: JournalRecord): Promise<void> {
    if (!isDelivered(record) || record.encryption.stage === 'done') return;
    await (await this.#enquiry(record, record.encryption.attempt)).refuse(record, record.encryption.reply);
  }

  // --- the certificate ------------------------------------------------------------------------------------------------

  /** Asks under one transactionID after the other, each only once nothing can come of the one before. */
  async #ask(record: JournalRecord): Promise<Delivered> {
    const { encryption } = record;
    let attempt = encryption ? encryption.attempt + (encryption.stage === 'ended' ? 1 : 0) : 0;
    for (; attempt < maxEncryptionAttempts; attempt++) {
      const delivered = await this.#attempt(this.#work.record ?? record, attempt);
      if (delivered) return delivered;
      await this.#mustStillStand(record);
    }
    throw this.#work.stop('encryptionGivenUp');
  }

  /** @returns undefined when nothing can come of this attempt any more */
  async #attempt(record: JournalRecord, attempt: number): Promise<Delivered | undefined> {
    const known = record.encryption?.attempt === attempt ? record.encryption : undefined;
    const enquiry = await this.#enquiry(record, attempt);
    // Nobody has asked for it where the signing key was made a moment ago; anywhere else somebody may have.
    const isNew = known === undefined && attempt === 0 && this.#work.made;
    let found: Found = isNew ? { kind: 'unknown' } : await enquiry.find(known?.request);
    let isOurs = false;
    if (found.kind === 'unknown' || (found.kind === 'rejected' && !this.#renewed)) {
      this.#renewed ||= found.kind === 'rejected';
      isOurs = true;
      found = await this.#request(record, attempt, enquiry);
    }
    switch (found.kind) {
      case 'rejected':
        await this.#end(attempt);
        await this.#mustStillStand(record);
        throw found.error;
      case 'unknown':
        throw new CaError('unavailable', 'the request for the encryption certificate does not arrive');
      case 'withdrawn':
        await this.#end(attempt);
        return undefined;
      default:
    }
    const issued = await enquiry.issued(record, found);
    if (issued.kind === 'issued') return this.#accept(record, attempt, issued, enquiry, isOurs);
    await this.#end(attempt);
    return undefined;
  }

  /** Signs the request, journals it, sends it. */
  async #request(record: JournalRecord, attempt: number, enquiry: Enquiry): Promise<Found> {
    const { authority } = this.#work.ports;
    const { transactionId, newPublicKey: publicKey, newCertificate: signingCertificate } = record;
    if (!publicKey || !signingCertificate) throw this.#work.stop('goneFromKey');
    const id = transactionIdBytes(await encryptionTransactionId(transactionId, attempt));
    const certified = { transactionId: transactionIdBytes(transactionId), publicKey, signingCertificate };
    const request = await this.#work.asOld(record, 'request', (old) =>
      authority.prepareEncryptionRequest(id, certified, old),
    );
    await this.#note({ stage: 'request', attempt, request });
    return (await enquiry.send(request)) ?? enquiry.find(request);
  }

  /**
   * Checks what was delivered; what does not pass is refused at the authority, and nothing of it is imported.
   * @param isOurs this run has asked for it: of an earlier run's the key pair may be lost, without anybody's fault
   */
  async #accept(
    record: JournalRecord,
    attempt: number,
    { chain, reply, encryption }: Issued,
    enquiry: Enquiry,
    isOurs: boolean,
  ): Promise<Delivered | undefined> {
    const failures = encryption ? await this.#failures(record, encryption, chain) : (['noKeyPair'] as const);
    if (encryption && failures.length === 0) {
      const { certificate } = encryption;
      const envelope = encodeEnvelopedKey(encryption.envelope);
      return delivered(await this.#note({ stage: 'import', attempt, reply, certificate, envelope }));
    }
    await enquiry.refuse(record, reply);
    await this.#end(attempt);
    if (!encryption && !isOurs) return undefined;
    throw new Stop({ reason: 'notAcceptable', acceptance: failures });
  }

  #failures(
    { oldCertificate, newCertificate }: JournalRecord,
    delivery: EncryptionDelivery,
    chain: readonly Uint8Array[],
  ): Promise<readonly Unacceptable[]> {
    const { policy } = this.#work;
    const { trust, now } = this.#work.ports;
    if (!newCertificate) throw this.#work.stop('goneFromKey');
    return encryptionAcceptanceFailures(delivery, {
      signingCertificate: parseCertificate(newCertificate),
      oldCertificate: parseCertificate(oldCertificate),
      chain,
      trust,
      policy,
      now: now(),
    });
  }

  /** More is not asked for beside a signing certificate that the authority has taken back meanwhile. */
  async #mustStillStand(record: JournalRecord): Promise<void> {
    const current = this.#work.record ?? record;
    const { kind } = await new Enquiry(this.#work, record.transactionId, 'encryption', nothing).lookUp();
    if (kind === 'withdrawn') await this.#work.end(current, 'withdrawn');
  }

  // --- the key --------------------------------------------------------------------------------------------------------

  /** Puts key pair and certificate into the new container, unless an earlier run already has, and reads both back. */
  async #import(record: Delivered): Promise<void> {
    const { key } = this.#work.ports;
    const { newContainer, encryption } = record;
    const { certificate } = encryption;
    const there = this.#work.made ? undefined : await key.readContainer(newContainer);
    if (there && holdsEncryption(there, certificate)) return;
    this.#work.mustMayWrite();
    this.#work.at('encryption', true);
    const wanted = parseCertificate(certificate).spki;
    if (!there?.encryption || !bytesEqual(there.encryption.publicKey, wanted)) {
      const imported = await this.#importKeyPair(record);
      if (!bytesEqual(imported, wanted)) await this.#refuse(record, 'otherKeyPair');
    }
    await this.#work.asUser(record, () => key.importCertificate(newContainer, 'encryption', certificate));
    const written = await key.readContainer(newContainer);
    const isWhole = written.signing?.certificate !== undefined && holdsEncryption(written, certificate);
    if (!isWhole) throw this.#work.stop('checkFailed');
  }

  /** @returns DER SubjectPublicKeyInfo, as the key shows it */
  async #importKeyPair(record: Delivered): Promise<Uint8Array> {
    const { key } = this.#work.ports;
    const envelope = decodeEnvelopedKey(record.encryption.envelope);
    try {
      return await this.#work.asUser(record, () => importing(key)(record.newContainer, envelope));
    } catch (error) {
      if (error instanceof KeyError && error.code === 'refused') return await this.#refuse(record, 'notOpened');
      if (error instanceof KeyError && error.code === 'unsupported') throw this.#work.stop('encryptionUnsupported');
      throw error;
    }
  }

  /** What was delivered is of no use: said to the authority, so that it can be asked anew. */
  async #refuse(record: Delivered, failure: Unacceptable): Promise<never> {
    const { attempt, reply } = record.encryption;
    await (await this.#enquiry(record, attempt)).refuse(record, reply);
    await this.#end(attempt);
    throw new Stop({ reason: 'notAcceptable', acceptance: [failure] });
  }

  // --- the confirmation -----------------------------------------------------------------------------------------------

  /** @returns undefined when the authority has taken the certificate back: another one is needed */
  async #confirm(record: Delivered): Promise<JournalRecord | undefined> {
    const { authority } = this.#work.ports;
    const { encryption } = record;
    if (encryption.stage === 'done') return record;
    if (!authority.confirmsEncryption) return this.#note({ ...encryption, stage: 'done' });
    const known = encryption.stage === 'confirm' ? encryption.confirmation : undefined;
    const confirmation = known ?? (await this.#signConfirmation(record));
    const current = await this.#note({ ...encryption, stage: 'confirm', confirmation });
    try {
      await this.#work.retrying(() => authority.confirm(confirmation, this.#work.options.signal));
    } catch (error) {
      if (!(error instanceof CaError) || error.code !== 'rejected') throw error;
      const { kind } = await (await this.#enquiry(current, encryption.attempt)).lookUp();
      if (kind === 'withdrawn') {
        await this.#end(encryption.attempt);
        return undefined;
      }
      if (kind === 'issued' && known) {
        // The bytes of an earlier run are not taken: too old, perhaps. Signed once more they are fresh.
        return this.#confirm({ ...record, encryption: { ...encryption, stage: 'import' } });
      }
      if (kind !== 'confirmed') throw error;
    }
    return this.#note({ ...encryption, stage: 'done', confirmation });
  }

  #signConfirmation(record: Delivered): Promise<Uint8Array> {
    const { authority } = this.#work.ports;
    return this.#work.asOld(record, 'confirmation', (old) =>
      authority.prepareConfirmation(record.encryption.reply, true, old),
    );
  }

  // --- the journal ----------------------------------------------------------------------------------------------------

  async #enquiry({ transactionId }: JournalRecord, attempt: number): Promise<Enquiry> {
    const id = await encryptionTransactionId(transactionId, attempt);
    return new Enquiry(this.#work, id, 'encryption', (reply) => {
      const known = this.#work.record?.encryption;
      return this.#note({ ...(known?.attempt === attempt ? known : { stage: 'request', attempt }), reply });
    });
  }

  /** Nothing can come of it any more. */
  #end(attempt: number): Promise<JournalRecord> {
    return this.#note({ stage: 'ended', attempt });
  }

  async #note(encryption: EncryptionRecord): Promise<JournalRecord> {
    const { record } = this.#work;
    if (!record) throw this.#work.stop('goneFromKey');
    return this.#work.put({ ...record, encryption });
  }
}

const nothing = (): Promise<void> => Promise.resolve();

function isDelivered(record: JournalRecord): record is Delivered {
  const { encryption } = record;
  return encryption?.stage !== 'ended' && encryption?.stage !== 'request' && encryption?.envelope !== undefined;
}

function delivered(record: JournalRecord): Delivered {
  if (!isDelivered(record)) throw new TypeError('a delivery that is not in the record');
  return record;
}

/** @throws KeyError `unsupported` for a key that takes no encryption key pairs */
function importing({ importEncryptionKeyPair }: UsbKey): NonNullable<UsbKey['importEncryptionKeyPair']> {
  if (!importEncryptionKeyPair) throw new KeyError('unsupported', 'the key takes no encryption key pairs');
  return importEncryptionKeyPair;
}
