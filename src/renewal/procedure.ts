import { CaError } from '../ca/authority.ts';
import { bytesEqual, toHex } from '../pki/bytes.ts';
import { CertificateError, parseCertificate, type Certificate } from '../pki/certificate.ts';
import { DerError } from '../pki/der.ts';
import { readSpki } from '../pki/algorithms.ts';
import { signatureOidFor, verifySignature } from '../pki/signature.ts';
import {
  KeyError,
  type Container,
  type ContainerRef,
  type KeyPairAlgorithm,
  type StoredKeyPair,
} from '../usbkey/usbkey.ts';
import { acceptanceFailures } from './acceptance.ts';
import { activeUnlessRevoked, type ActiveCertificate } from './active-certificate.ts';
import { containerNameFor, transactionIdBytes, transactionIdOf } from './container-name.ts';
import { EncryptionPart, holdsEncryption, wantsEncryption } from './encryption.ts';
import { Enquiry, type Found, type Issued } from './enquiry.ts';
import type { JournalRecord, Purpose } from './journal.ts';
import {
  chooseActive,
  readKeyContents,
  sameContainer,
  type CertificateOnKey,
  type KeyContents,
} from './key-contents.ts';
import { newKeyAlgorithm } from './new-key.ts';
import { explain, Stop, type Explanation, type Outcome, type Stopped, type Success } from './outcome.ts';
import { findLeftover, findPending, isBare, type Pending } from './pending.ts';
import { Work, type Ports, type RunOptions } from './work.ts';

export type { AskPassword, ManagementKeyQuestion, PasswordQuestion, Question } from './login.ts';
export type { Ports, Progress, Rules, RunOptions } from './work.ts';

/**
 * Renewal and upgrade of the certificate on a key.
 *
 * Order of safety: the new key pair is made in a new container; the CSR is signed by the new key and the request
 * protected by the old one; the answer is checked before anything is written; what was written is read back and
 * compared; the new key signs a challenge that verifies; only then the authority gets its confirmation. The old
 * container is not touched. Every step is journaled before it has an effect, and `run` begins by reading the key and
 * the journal, so that running again after any interruption goes on where the last run ended.
 */
export class RenewalProcedure {
  private readonly ports: Ports;

  constructor(ports: Ports) {
    this.ports = ports;
  }

  /** Runs, or goes on, to an outcome. Never rejects. The user is logged out of the key at the end. */
  async run(options: RunOptions): Promise<Outcome> {
    const run = new Run(this.ports, options);
    try {
      return await run.toTheEnd();
    } catch (error) {
      return run.stopped(error);
    } finally {
      await this.ports.key.logOut().catch(() => undefined);
    }
  }
}

/** One run: what it has found out and done so far. */
class Run {
  private readonly ports: Ports;
  private readonly options: RunOptions;
  private readonly work: Work;
  /** The key was read back and has signed in this run. */
  private checked = false;
  /** A request, or a confirmation, of an earlier run was signed anew in this one. Once is enough to make it fresh. */
  private renewed = false;

  constructor(ports: Ports, options: RunOptions) {
    this.ports = ports;
    this.options = options;
    this.work = new Work(ports, options);
  }

  stopped(error: unknown): Stopped {
    const { record, step } = this.work;
    const open = record !== undefined && record.stage !== 'ended' && record.stage !== 'done';
    const { transactionId, confirmBy } = record ?? {};
    const stopped = { kind: 'stopped', ...this.explain(error, open), step, resumable: open, transactionId } as const;
    return open && confirmBy !== undefined ? { ...stopped, confirmBy } : stopped;
  }

  /** Who stops while something is under way has not given it up. */
  private explain(error: unknown, open: boolean): Explanation {
    const explained = explain(error);
    if (explained.reason !== 'cancelled' || !open || this.options.signal?.aborted !== true) return explained;
    return { reason: 'paused', comeBackAt: this.work.waitingUntil ?? Date.now() };
  }

  async toTheEnd(): Promise<Outcome> {
    this.work.at('password');
    const contents = await readKeyContents(this.ports.key, this.ports.trust, this.ports.now());
    const pending = await findPending(contents, this.ports, this.options);
    this.work.record = pending.record;
    const finished = this.work.record ? undefined : this.finished(contents, pending);
    if (finished) return finished;
    const { stage } = this.work.record ?? {};
    if (stage !== 'confirm') {
      this.work.mustMayWrite();
      const makesKeyPair = stage === undefined || stage === 'generate';
      // What is certain to come to nothing is said before anybody types a password; what holds then may hold no more
      // afterwards.
      if (makesKeyPair) this.work.mustMayBegin(contents.info.serialNumber);
      const old = this.work.record?.oldContainer ?? this.toReplace(contents, pending.notActive).container.ref;
      const { application } = old;
      await this.work.login.logIn(application, application === contents.application ? contents.tries : undefined);
      if (makesKeyPair) await this.work.askRules(contents.info);
    }
    const record = this.work.record ?? (await this.begin(contents, pending.notActive));
    const old = contents.containers.find(({ ref }) => sameContainer(ref, record.oldContainer));
    this.work.asksAnew = old?.signing?.passwordForEverySignature === true;
    switch (record.stage) {
      case 'generate':
        return this.generate(record, contents);
      case 'request':
        return this.recover(record);
      case 'write':
      case 'encryption':
        return this.write(record);
      default:
        return this.confirm(record);
    }
  }

  /**
   * What was to be done has been done: by a run whose end nobody saw, because the page died, or on another computer. A
   * certificate of ours that is active and not due needs no second one.
   */
  private finished(contents: KeyContents, { notActive, confirmed }: Pending): Success | undefined {
    const { now } = this.ports;
    const { policy } = this.work;
    const { purpose } = this.options;
    const { active } = this.activeIn(contents, notActive);
    const done = active && confirmed.find(({ container }) => sameContainer(container, active.container.ref));
    const transactionId = active && transactionIdOf(active.container.ref.container);
    if (!done || transactionId === undefined) return undefined;
    const { generation, certificate } = active;
    const daysLeft = (certificate.notAfter.getTime() - now().getTime()) / 86_400_000;
    if (purpose === 'upgrade' ? generation === 'old' : daysLeft <= policy.windowDays) return undefined;
    // The authority may have taken it back for the new one.
    const before = chooseActive(contents.certificates, now(), [...notActive, active.container.ref]);
    const oldCertificate = done.record?.oldCertificate ?? before?.certificate.der;
    if (!oldCertificate) return undefined;
    const { managementKey } = done.record ?? {};
    const { encryptionCertificate } = active;
    return {
      ...{ kind: 'success', purpose, transactionId, oldCertificate, newCertificate: certificate.der },
      ...(encryptionCertificate && { encryptionCertificate: encryptionCertificate.der }),
      ...(managementKey && { managementKey }),
    };
  }

  private activeIn({ certificates }: KeyContents, except: readonly ContainerRef[]): ActiveCertificate {
    const { now, isRevoked = () => false } = this.ports;
    return activeUnlessRevoked(certificates, now(), except, isRevoked);
  }

  /** The certificate that a new transaction replaces. @throws Stop where there is none, or none that may be */
  private toReplace(contents: KeyContents, notActive: readonly ContainerRef[]): CertificateOnKey {
    const { active, isRevoked } = this.activeIn(contents, notActive);
    if (!active) throw this.work.stop('noCertificate');
    if (isRevoked) throw this.work.stop('certificateRevoked');
    return active;
  }

  /** A new transaction, from the active certificate. Nothing has an effect yet. */
  private async begin(contents: KeyContents, notActive: readonly ContainerRef[]): Promise<JournalRecord> {
    const { now, randomBytes } = this.ports;
    const { policy } = this.work;
    const { purpose } = this.options;
    const active = this.toReplace(contents, notActive);
    const expiredDays = (now().getTime() - active.certificate.notAfter.getTime()) / 86_400_000;
    if (expiredDays > 0 && policy.maxExpiredDays !== null && expiredDays > policy.maxExpiredDays)
      throw this.work.stop('expiredTooLong');
    const { application } = active.container.ref;
    const used = contents.containers.filter(({ ref }) => ref.application === application).length;
    const algorithm = this.algorithmFor(purpose, active.certificate);
    if (!contents.info.algorithms.includes(algorithm)) throw this.work.stop('unsupportedAlgorithm');
    this.wantsEncryption(algorithm, active.container);
    const isFull = contents.info.maxContainers !== undefined && used >= contents.info.maxContainers;
    if (isFull && !(await this.clearOne(contents, application))) throw this.work.stop('noRoom');
    const transactionId = toHex(randomBytes(16));
    const at = now().getTime();
    return this.work.put({
      transactionId,
      purpose,
      stage: 'generate',
      keySerialNumber: contents.info.serialNumber,
      oldContainer: active.container.ref,
      oldCertificate: active.certificate.der,
      newContainer: { application, container: containerNameFor(transactionId) },
      startedAt: at,
      updatedAt: at,
    });
  }

  private algorithmFor(purpose: Purpose, old: Certificate): KeyPairAlgorithm {
    const algorithm = newKeyAlgorithm(this.work.policy, purpose, old);
    if (!algorithm) throw this.work.stop('unsupportedAlgorithm');
    return algorithm;
  }

  /** Whether an encryption certificate is to go with the new one. @throws Stop for a key that cannot have one and must */
  private wantsEncryption(algorithm: KeyPairAlgorithm | undefined, old: Container): boolean {
    const { key } = this.ports;
    const wants = wantsEncryption(this.work.policy, key.importEncryptionKeyPair !== undefined, algorithm, old);
    if (wants === 'impossible') throw this.work.stop('encryptionUnsupported');
    return wants;
  }

  /**
   * New container, new key pair. What an earlier run left is used; a key pair that the key cannot show, and that nobody
   * has been told of, is made once more.
   */
  private async generate(record: JournalRecord, contents: KeyContents): Promise<Outcome> {
    this.work.at('newKey', true);
    const left =
      contents.containers.find(({ ref }) => sameContainer(ref, record.newContainer)) ??
      (await this.createContainer(record, contents));
    return this.ask(record, await this.keyPairIn(record, left));
  }

  private async keyPairIn(record: JournalRecord, container: Container | undefined): Promise<Uint8Array> {
    const { key } = this.ports;
    if (container?.signing) return container.signing.publicKey;
    const algorithm = this.algorithmFor(record.purpose, parseCertificate(record.oldCertificate));
    this.work.made = true;
    return this.work.asUser(record, () => key.generateSigningKeyPair(record.newContainer, algorithm));
  }

  /** @returns undefined for a new, empty container; the container when its name turns out to be taken */
  private async createContainer(record: JournalRecord, contents: KeyContents): Promise<Container | undefined> {
    const { key } = this.ports;
    const create = (): Promise<void> => this.work.asUser(record, () => key.createContainer(record.newContainer));
    try {
      await create();
    } catch (error) {
      // The person gave no answer, or not the right one, to what the key wanted first.
      if (error instanceof Stop) await this.forget(record);
      if (!(error instanceof KeyError)) throw error;
      if (error.code === 'noRoom') {
        if (await this.clearOne(contents, record.newContainer.application)) {
          await create();
          return undefined;
        }
        await this.forget(record);
      }
      if (error.code !== 'containerExists') throw error;
      // No list named it, and yet it is there. What holds nothing that counts is used; anything else is not ours.
      const taken = await key.readContainer(record.newContainer);
      return isBare(taken) ? taken : this.work.end(record, 'goneFromKey');
    }
    return undefined;
  }

  /** Nothing was made, so there is nothing to come back to. */
  private async forget(record: JournalRecord): Promise<void> {
    await this.ports.journal.remove(record.transactionId);
    this.work.record = undefined;
  }

  /** Makes room on a full key: deletes one container that a broken attempt left and that can never be of use again. */
  private async clearOne(contents: KeyContents, application: string): Promise<boolean> {
    const { key } = this.ports;
    const leftover = await findLeftover(contents, application, this.ports, this.options);
    // What is on the key now counts, not what was there when the run began.
    if (!leftover || !isBare(await key.readContainer(leftover))) return false;
    await this.work.login.asUser(application, () => key.deleteContainer(leftover));
    return true;
  }

  /** Signs the request, journals it, sends it. */
  private async ask(record: JournalRecord, newPublicKey: Uint8Array): Promise<Outcome> {
    const { key, authority } = this.ports;
    this.work.at('request');
    const sign = (message: Uint8Array): Promise<Uint8Array> => key.sign(record.newContainer, message);
    const newKey = {
      publicKey: newPublicKey,
      // Where the old key's signature does not keep the login of its own, the new key's has to.
      sign: this.work.asksAnew ? (message: Uint8Array) => this.work.asUser(record, () => sign(message)) : sign,
    };
    const id = transactionIdBytes(record.transactionId);
    const request = await this.work.asOld(record, 'request', (old) => authority.prepareRequest(id, newKey, old));
    const requested = await this.work.put({ ...record, stage: 'request', newPublicKey, request });
    const answer = await this.enquiry(requested).send(request);
    return answer ? this.goOn(requested, answer) : this.recover(requested);
  }

  private enquiry(record: JournalRecord): Enquiry {
    return new Enquiry(this.work, record.transactionId, 'request', (reply) =>
      this.work.put({ ...(this.work.record ?? record), reply }),
    );
  }

  /**
   * A request whose answer is not in the journal. Never a new transaction while a certificate may have been issued.
   */
  private async recover(record: JournalRecord): Promise<Outcome> {
    this.work.at('request');
    const found = await this.enquiry(record).find(record.request);
    if (found.kind !== 'rejected' || this.renewed) return this.goOn(record, found);
    // The authority knows nothing of it and does not take these bytes: their time may just have passed. Signed once
    // more, under the same transaction, they are the only request there is.
    this.renewed = true;
    return this.askAgain(record);
  }

  private async goOn(record: JournalRecord, found: Found): Promise<Outcome> {
    switch (found.kind) {
      case 'rejected':
        await this.work.put({ ...record, stage: 'ended', endedBecause: 'rejected' });
        throw found.error;
      case 'withdrawn':
        return this.work.end(record, 'withdrawn');
      case 'unknown':
        // The bytes are not here (another computer sent them, and they never arrived).
        return this.askAgain(record);
      default: {
        const issued = await this.enquiry(record).issued(record, found);
        const current = this.work.record ?? record;
        return issued.kind === 'issued' ? this.accept(current, issued) : this.work.end(current, 'withdrawn');
      }
    }
  }

  /**
   * A new request for a transaction of which the authority knows nothing, for the key pair that is there. One that the
   * key cannot show cannot sign the request either: it is made once more.
   */
  private async askAgain(record: JournalRecord): Promise<Outcome> {
    const container = await this.findNewContainer(record);
    if (!container) return this.work.end(record, 'goneFromKey');
    if (container.signing) return this.ask(record, container.signing.publicKey);
    const again = await this.work.put({ ...record, stage: 'generate' });
    this.work.at('newKey', true);
    return this.ask(again, await this.keyPairIn(again, undefined));
  }

  /** Checks the certificate; one that does not pass is refused at the authority and never written. */
  private async accept(record: JournalRecord, answer: Issued): Promise<Outcome> {
    const { trust, now } = this.ports;
    const { policy } = this.work;
    const { certificate, chain, reply, confirmBy } = answer;
    // Where neither the journal knows the new public key nor the key can show it, the key's signature under the
    // certificate, before anything is confirmed, is the proof.
    const newPublicKey = record.newPublicKey ?? publicKeyOf(certificate);
    const oldCertificate = parseCertificate(record.oldCertificate);
    const acceptance = await acceptanceFailures(certificate, {
      purpose: record.purpose,
      oldCertificate,
      newPublicKey,
      chain,
      trust,
      policy,
      now: now(),
    });
    if (acceptance.length > 0) {
      await this.enquiry(record).refuse(record, reply);
      await this.work.put({ ...record, stage: 'ended', endedBecause: 'notAcceptable', reply });
      throw new Stop({ reason: 'notAcceptable', acceptance });
    }
    const accepted = { stage: 'write', newPublicKey, reply, newCertificate: certificate } as const;
    const until = confirmBy ? { confirmBy: confirmBy.getTime() } : {};
    return this.write(await this.work.put({ ...record, ...accepted, ...until }));
  }

  /** Close to the end of the time in which it must be confirmed, or after it, the authority may have it taken back. */
  private async mustStillStand(record: JournalRecord): Promise<void> {
    const { confirmBy = Infinity } = record;
    if (this.ports.now().getTime() < confirmBy - nearMs) return;
    const { kind } = await this.enquiry(record).lookUp();
    if (kind === 'withdrawn') await this.work.end(record, 'withdrawn');
  }

  /** Writes the certificate into the new container, unless an earlier run already has. */
  private async write(record: JournalRecord): Promise<Outcome> {
    const { key } = this.ports;
    const { newCertificate, newPublicKey } = record;
    if (!newCertificate || !newPublicKey) throw this.work.stop('goneFromKey');
    this.work.mustMayWrite();
    await this.mustStillStand(record);
    this.work.at('write', true);
    const there = this.work.made ? undefined : (await this.newContainer(record, newPublicKey)).signing?.certificate;
    if (!there || !bytesEqual(there, newCertificate)) {
      try {
        await this.work.asUser(record, () => key.importCertificate(record.newContainer, 'signing', newCertificate));
      } catch (error) {
        if (!isWithoutKeyPair(error)) throw error;
        return await this.giveBack(record);
      }
    }
    return this.check(record, newCertificate, newPublicKey);
  }

  /** Reads back, compares, and lets the new key sign a challenge. */
  private async check(record: JournalRecord, newCertificate: Uint8Array, newPublicKey: Uint8Array): Promise<Outcome> {
    const { key } = this.ports;
    this.work.at('check');
    const written = await this.newContainer(record, newPublicKey);
    if (!written.signing?.certificate || !bytesEqual(written.signing.certificate, newCertificate))
      throw this.work.stop('checkFailed');
    const old = await key.readContainer(record.oldContainer);
    if (!old.signing?.certificate || !bytesEqual(old.signing.certificate, record.oldCertificate))
      throw this.work.stop('checkFailed');
    if (!(await this.newKeySigns(record, newPublicKey))) {
      if (this.work.made) throw this.work.stop('checkFailed');
      // It is not the key pair that was made: after an interruption a key that cannot show it only tells so now.
      return this.giveBack(record);
    }
    const isComing = record.encryption !== undefined && record.encryption.stage !== 'ended';
    const isWanted = this.wantsEncryption(algorithmOf(newPublicKey), old);
    return this.conclude(isComing || isWanted ? await this.withEncryption(record, old) : record);
  }

  /** @param old what was in the old container before, and still has to be */
  private async withEncryption(record: JournalRecord, old: Container): Promise<JournalRecord> {
    let brought: JournalRecord;
    try {
      brought = await new EncryptionPart(this.work).bring(record);
    } catch (error) {
      if (!isWithoutKeyPair(error)) throw error;
      return this.giveBack(record);
    }
    const now = await this.ports.key.readContainer(record.oldContainer);
    if (!sameStored(now.signing, old.signing) || !sameStored(now.encryption, old.encryption))
      throw this.work.stop('checkFailed');
    return brought;
  }

  /** All is on the key and has been looked at: that is signed, journaled and sent. */
  private async conclude(record: JournalRecord): Promise<Outcome> {
    const { authority } = this.ports;
    const { reply } = record;
    if (!reply) throw this.work.stop('goneFromKey');
    const confirmation = await this.work.asOld(record, 'confirmation', (old) =>
      authority.prepareConfirmation(reply, true, old),
    );
    this.checked = true;
    return this.confirm(await this.work.put({ ...record, stage: 'confirm', confirmation }));
  }

  /** Lets the new key sign a challenge. */
  private async newKeySigns(record: JournalRecord, spki: Uint8Array): Promise<boolean> {
    const { key, randomBytes } = this.ports;
    const message = randomBytes(32);
    try {
      const signature = await this.work.asUser(record, () => key.sign(record.newContainer, message));
      return await verifySignature({ spki, algorithm: signatureOidFor(readSpki(spki).algorithm), message, signature });
    } catch (error) {
      if (isWithoutKeyPair(error)) return false;
      throw error;
    }
  }

  /** Tells the authority that the key holds the certificate. Only now the new certificate counts. */
  private async confirm(record: JournalRecord): Promise<Outcome> {
    const { authority } = this.ports;
    const { newCertificate, newPublicKey, confirmation } = record;
    if (!newCertificate || !newPublicKey || !confirmation) throw this.work.stop('goneFromKey');
    this.work.at('finish');
    if (!this.checked) {
      const written = await this.newContainer(record, newPublicKey);
      if (!holdsAll(written, record)) {
        // The key lost what an earlier run had checked: write and check again, the journal has all of it.
        this.work.mustMayWrite();
        return this.write(await this.work.put({ ...record, stage: 'write' }));
      }
    }
    try {
      await this.work.retrying(() => authority.confirm(confirmation, this.options.signal));
    } catch (error) {
      if (!(error instanceof CaError) || error.code !== 'rejected') throw error;
      const state = await this.enquiry(record).lookUp();
      if (state.kind === 'withdrawn') return this.work.end(record, 'withdrawn');
      if (state.kind === 'issued' && !this.checked && !this.renewed) {
        // The bytes of an earlier run are not taken: too old, perhaps. Checked and signed once more they are fresh.
        this.renewed = true;
        this.work.mustMayWrite();
        return this.check(record, newCertificate, newPublicKey);
      }
      if (state.kind !== 'confirmed') throw error;
    }
    return success(await this.work.put({ ...record, stage: 'done' }), newCertificate);
  }

  /**
   * The new container, which must still hold the key pair the transaction is about. Where the key cannot show one
   * (some PIV keys, before there is a certificate), what it holds is only known once it signs.
   */
  private async newContainer(record: JournalRecord, newPublicKey: Uint8Array): Promise<Container> {
    const container = await this.findNewContainer(record);
    if (container && (!container.signing || bytesEqual(container.signing.publicKey, newPublicKey))) return container;
    return this.giveBack(record);
  }

  private async findNewContainer({ newContainer }: JournalRecord): Promise<Container | undefined> {
    try {
      return await this.ports.key.readContainer(newContainer);
    } catch (error) {
      if (!(error instanceof KeyError) || error.code !== 'notFound') throw error;
      return undefined;
    }
  }

  /** The key pair that the certificate is for is not on the key any more. */
  private async giveBack(record: JournalRecord): Promise<never> {
    this.work.mustMayWrite();
    await new EncryptionPart(this.work).giveBack(this.work.record ?? record);
    if (record.reply) await this.enquiry(record).refuse(record, record.reply);
    return this.work.end(this.work.record ?? record, 'goneFromKey');
  }
}

/** So close to the end of the time for confirming, milliseconds, the authority is asked before anything is written. */
const nearMs = 60_000;

const sameBytes = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : bytesEqual(a, b);

const sameStored = (a: StoredKeyPair | undefined, b: StoredKeyPair | undefined): boolean =>
  sameBytes(a?.publicKey, b?.publicKey) && sameBytes(a?.certificate, b?.certificate);

/** What must be on the key before it is confirmed. */
function holdsAll(written: Container, { newCertificate, encryption }: JournalRecord): boolean {
  const { certificate } = written.signing ?? {};
  if (!newCertificate || !certificate || !bytesEqual(certificate, newCertificate)) return false;
  const other = encryption?.stage === 'done' ? encryption.certificate : undefined;
  return other === undefined || holdsEncryption(written, other);
}

function success(record: JournalRecord, newCertificate: Uint8Array): Success {
  const { transactionId, purpose, oldCertificate, managementKey, encryption } = record;
  return {
    ...{ kind: 'success', purpose, transactionId, oldCertificate, newCertificate },
    ...(encryption?.stage === 'done' && encryption.certificate && { encryptionCertificate: encryption.certificate }),
    ...(managementKey && { managementKey }),
  };
}

function algorithmOf(spki: Uint8Array): KeyPairAlgorithm | undefined {
  const { algorithm } = readSpki(spki);
  return algorithm === 'sm2' || algorithm === 'p256' ? algorithm : undefined;
}

const isWithoutKeyPair = (error: unknown): boolean => error instanceof KeyError && error.code === 'noKeyPair';

/** DER SubjectPublicKeyInfo; empty for what is no certificate, which acceptance says. */
function publicKeyOf(der: Uint8Array): Uint8Array {
  try {
    return parseCertificate(der).spki;
  } catch (error) {
    if (error instanceof CertificateError || error instanceof DerError) return new Uint8Array();
    throw error;
  }
}
