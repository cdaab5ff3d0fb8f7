import {
  CaError,
  type CertificateAuthority,
  type Credential,
  type EnrolmentAnswer,
  type EnrolmentState,
} from '../ca/authority.ts';
import { bytesEqual, toHex } from '../pki/bytes.ts';
import { CertificateError, parseCertificate, type Certificate } from '../pki/certificate.ts';
import { DerError } from '../pki/der.ts';
import { readSpki } from '../pki/algorithms.ts';
import { signatureOidFor, verifySignature } from '../pki/signature.ts';
import type { Policy } from '../service/config.ts';
import type { Enrolment } from '../device/models.ts';
import { KeyError, type Container, type ContainerRef, type KeyPairAlgorithm, type UsbKey } from '../usbkey/usbkey.ts';
import { acceptanceFailures } from './acceptance.ts';
import { containerNameFor, transactionIdBytes, transactionIdOf } from './container-name.ts';
import type { EndReason, Journal, JournalRecord, Purpose } from './journal.ts';
import { chooseActive, readKeyContents, sameContainer, type KeyContents } from './key-contents.ts';
import { Login, type AskPassword, type PasswordReason } from './login.ts';
import { explain, Stop, type Outcome, type Step, type StopReason, type Stopped, type Success } from './outcome.ts';
import { findLeftover, findPending, isBare, type Pending } from './pending.ts';
import { withRetry, type Wait } from './retry.ts';
import type { Trust } from './trust.ts';

export type { AskPassword, ManagementKeyQuestion, PasswordQuestion, Question } from './login.ts';

/** What a run needs from the world. */
export interface Ports {
  readonly key: UsbKey;
  readonly authority: CertificateAuthority;
  readonly journal: Journal;
  readonly trust: Trust;
  readonly policy: Policy;
  /** What may be done with this key (`enrolmentMode`): unless `on`, nothing is written to it. */
  readonly enrolment: Enrolment;
  /** Server time. */
  readonly now: () => Date;
  readonly wait: Wait;
  /** Fills with random bytes (`crypto.getRandomValues`). */
  readonly randomBytes: (length: number) => Uint8Array;
}

export interface Progress {
  readonly step: Step;
  /** Something is being written to the key: pulling it out now costs a repetition. */
  readonly writing: boolean;
  /** The authority asked us to come back; milliseconds since 1970. */
  readonly waitingUntil?: number;
}

export interface RunOptions {
  readonly purpose: Purpose;
  readonly askPassword: AskPassword;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

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
  private step: Step = 'password';
  private record: JournalRecord | undefined;
  private readonly login: Login;
  /** The key wants the password anew for every signature of the old key pair. */
  private asksAnew = false;
  /** The key pair was made in this run: what the container holds need not be read to be known. */
  private made = false;
  /** The key was read back and has signed in this run. */
  private checked = false;
  /** A request, or a confirmation, of an earlier run was signed anew in this one. Once is enough to make it fresh. */
  private renewed = false;

  constructor(ports: Ports, options: RunOptions) {
    this.ports = ports;
    this.options = options;
    this.login = new Login(ports.key, options.askPassword);
  }

  stopped(error: unknown): Stopped {
    const { record, step } = this;
    const open = record !== undefined && record.stage !== 'ended' && record.stage !== 'done';
    return { kind: 'stopped', ...explain(error), step, resumable: open, transactionId: record?.transactionId };
  }

  async toTheEnd(): Promise<Outcome> {
    this.at('password');
    const contents = await readKeyContents(this.ports.key, this.ports.trust, this.ports.now());
    const pending = await findPending(contents, this.ports, this.options);
    this.record = pending.record;
    const finished = this.record ? undefined : this.finished(contents, pending);
    if (finished) return finished;
    if (this.record?.stage !== 'confirm') {
      this.mustMayWrite();
      const application = this.record?.oldContainer.application ?? contents.application;
      await this.login.logIn(application, application === contents.application ? contents.tries : undefined);
    }
    const record = this.record ?? (await this.begin(contents, pending.notActive));
    const old = contents.containers.find(({ ref }) => sameContainer(ref, record.oldContainer));
    this.asksAnew = old?.signing?.passwordForEverySignature === true;
    switch (record.stage) {
      case 'generate':
        return this.generate(record, contents);
      case 'request':
        return this.recover(record);
      case 'write':
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
    const { policy, now } = this.ports;
    const { purpose } = this.options;
    const active = chooseActive(contents.certificates, now(), notActive);
    const done = active && confirmed.find(({ container }) => sameContainer(container, active.container.ref));
    const transactionId = active && transactionIdOf(active.container.ref.container);
    if (!done || transactionId === undefined) return undefined;
    const { generation, certificate } = active;
    const daysLeft = (certificate.notAfter.getTime() - now().getTime()) / 86_400_000;
    if (purpose === 'upgrade' ? generation === 'old' : daysLeft <= policy.windowDays) return undefined;
    const before = chooseActive(contents.certificates, now(), [...notActive, active.container.ref]);
    const oldCertificate = done.record?.oldCertificate ?? before?.certificate.der;
    if (!oldCertificate) return undefined;
    const success = {
      kind: 'success',
      purpose,
      transactionId,
      oldCertificate,
      newCertificate: certificate.der,
    } as const;
    const managementKey = done.record?.managementKey;
    return managementKey ? { ...success, managementKey } : success;
  }

  /** A new transaction, from the active certificate. Nothing has an effect yet. */
  private async begin(contents: KeyContents, notActive: readonly ContainerRef[]): Promise<JournalRecord> {
    const { policy, now, randomBytes } = this.ports;
    const { purpose } = this.options;
    const active = chooseActive(contents.certificates, now(), notActive);
    if (!active) throw this.stop('noCertificate');
    if (policy.enrolment === 'closed') throw this.stop('closed');
    const expiredDays = (now().getTime() - active.certificate.notAfter.getTime()) / 86_400_000;
    if (expiredDays > 0 && policy.maxExpiredDays !== null && expiredDays > policy.maxExpiredDays)
      throw this.stop('expiredTooLong');
    const { application } = active.container.ref;
    const used = contents.containers.filter(({ ref }) => ref.application === application).length;
    if (!contents.info.algorithms.includes(this.algorithmFor(purpose, active.certificate)))
      throw this.stop('unsupportedAlgorithm');
    const isFull = contents.info.maxContainers !== undefined && used >= contents.info.maxContainers;
    if (isFull && !(await this.clearOne(contents, application))) throw this.stop('noRoom');
    const transactionId = toHex(randomBytes(16));
    const at = now().getTime();
    return this.put({
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
    const { upgradePlan, renewalAlgorithm } = this.ports.policy;
    const wanted = purpose === 'upgrade' ? upgradePlan.algorithm : renewalAlgorithm;
    if (wanted !== 'sameAsOld') return wanted;
    switch (old.keyAlgorithm) {
      case 'sm2':
      case 'p256':
        return old.keyAlgorithm;
      case 'rsa':
        return 'rsa2048';
      default:
        throw this.stop('unsupportedAlgorithm');
    }
  }

  /** A model that is stopped gets nothing more written; only a confirmation that is complete may still be sent. */
  private mustMayWrite(): void {
    if (this.ports.enrolment !== 'on') throw this.stop('modelStopped');
  }

  /**
   * New container, new key pair. What an earlier run left is used; a key pair that the key cannot show, and that nobody
   * has been told of, is made once more.
   */
  private async generate(record: JournalRecord, contents: KeyContents): Promise<Outcome> {
    this.at('newKey', true);
    const left =
      contents.containers.find(({ ref }) => sameContainer(ref, record.newContainer)) ??
      (await this.createContainer(record, contents));
    return this.ask(record, await this.keyPairIn(record, left));
  }

  private async keyPairIn(record: JournalRecord, container: Container | undefined): Promise<Uint8Array> {
    const { key } = this.ports;
    if (container?.signing) return container.signing.publicKey;
    const algorithm = this.algorithmFor(record.purpose, parseCertificate(record.oldCertificate));
    this.made = true;
    return this.asUser(record, () => key.generateSigningKeyPair(record.newContainer, algorithm));
  }

  /** @returns undefined for a new, empty container; the container when its name turns out to be taken */
  private async createContainer(record: JournalRecord, contents: KeyContents): Promise<Container | undefined> {
    const { key } = this.ports;
    const create = (): Promise<void> => this.asUser(record, () => key.createContainer(record.newContainer));
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
      return isBare(taken) ? taken : this.end(record, 'goneFromKey');
    }
    return undefined;
  }

  /** Nothing was made, so there is nothing to come back to. */
  private async forget(record: JournalRecord): Promise<void> {
    await this.ports.journal.remove(record.transactionId);
    this.record = undefined;
  }

  /** Makes room on a full key: deletes one container that a broken attempt left and that can never be of use again. */
  private async clearOne(contents: KeyContents, application: string): Promise<boolean> {
    const { key } = this.ports;
    const leftover = await findLeftover(contents, application, this.ports, this.options);
    // What is on the key now counts, not what was there when the run began.
    if (!leftover || !isBare(await key.readContainer(leftover))) return false;
    await this.login.asUser(application, () => key.deleteContainer(leftover));
    return true;
  }

  /** Signs the request, journals it, sends it. */
  private async ask(record: JournalRecord, newPublicKey: Uint8Array): Promise<Outcome> {
    const { key, authority } = this.ports;
    this.at('request');
    const sign = (message: Uint8Array): Promise<Uint8Array> => key.sign(record.newContainer, message);
    const newKey = {
      publicKey: newPublicKey,
      // Where the old key's signature does not keep the login of its own, the new key's has to.
      sign: this.asksAnew ? (message: Uint8Array) => this.asUser(record, () => sign(message)) : sign,
    };
    const id = transactionIdBytes(record.transactionId);
    const request = await this.asOld(record, 'request', (old) => authority.prepareRequest(id, newKey, old));
    const requested = await this.put({ ...record, stage: 'request', newPublicKey, request });
    let answer: EnrolmentAnswer;
    try {
      answer = await authority.submit(request, this.options.signal);
    } catch (error) {
      if (!(error instanceof CaError) || error.code === 'cancelled') throw error;
      if (error.code === 'rejected' && !error.failInfo.includes('transactionIdInUse'))
        return this.rejected(requested, error);
      return this.recover(requested);
    }
    return this.request(requested, answer);
  }

  /**
   * A request whose answer is not in the journal: the authority is asked what became of it, and only when it never
   * arrived the same bytes are sent again. Never a new transaction while a certificate may have been issued.
   */
  private async recover(record: JournalRecord): Promise<Outcome> {
    const { request } = record;
    this.at('request');
    const answer = await this.retrying(async () => {
      const state = await this.lookUp(record);
      if (state.kind === 'confirmed') return { ...state, kind: 'issued', chain: [] } as const;
      return state.kind === 'unknown' && request ? this.resubmit(request) : state;
    });
    switch (answer.kind) {
      case 'withdrawn':
        return this.end(record, 'withdrawn');
      case 'rejected':
        // The authority knows nothing of it and does not take these bytes: their time may just have passed. Signed
        // once more, under the same transaction, they are the only request there is.
        if (this.renewed) return this.rejected(record, answer.error);
        this.renewed = true;
        return this.askAgain(record);
      case 'unknown':
        // The bytes are not here (another computer sent them, and they never arrived).
        return this.askAgain(record);
      default:
        return this.request(record, answer);
    }
  }

  /**
   * A new request for a transaction of which the authority knows nothing, for the key pair that is there. One that the
   * key cannot show cannot sign the request either: it is made once more.
   */
  private async askAgain(record: JournalRecord): Promise<Outcome> {
    const container = await this.findNewContainer(record);
    if (!container) return this.end(record, 'goneFromKey');
    if (container.signing) return this.ask(record, container.signing.publicKey);
    const again = await this.put({ ...record, stage: 'generate' });
    this.at('newKey', true);
    return this.ask(again, await this.keyPairIn(again, undefined));
  }

  private lookUp(record: JournalRecord): Promise<EnrolmentState> {
    return this.ports.authority.lookUp(transactionIdBytes(record.transactionId), this.options.signal);
  }

  private async resubmit(
    request: Uint8Array,
  ): Promise<EnrolmentAnswer | { readonly kind: 'rejected'; readonly error: CaError }> {
    try {
      return await this.ports.authority.submit(request, this.options.signal);
    } catch (error) {
      if (!(error instanceof CaError) || error.code !== 'rejected') throw error;
      // transactionIdInUse here means that the first copy arrived after all: ask again (RFC 9810 §5.1.1).
      if (error.failInfo.includes('transactionIdInUse'))
        throw new CaError('unavailable', 'the request arrived late', {}, { cause: error });
      return { kind: 'rejected', error };
    }
  }

  private async rejected(record: JournalRecord, error: CaError): Promise<never> {
    await this.put({ ...record, stage: 'ended', endedBecause: 'rejected' });
    throw error;
  }

  /** Waits for the certificate where the authority wants time, then checks it. */
  private async request(record: JournalRecord, first: EnrolmentAnswer): Promise<Outcome> {
    let answer = first;
    let current = record;
    while (answer.kind === 'waiting') {
      const { reply, checkAfterSeconds } = answer;
      current = await this.put({ ...current, reply });
      const until = Date.now() + checkAfterSeconds * 1_000;
      this.options.onProgress?.({ step: 'request', writing: false, waitingUntil: until });
      await this.waitWithKey(checkAfterSeconds * 1_000);
      answer = await this.poll(current, reply);
    }
    return this.accept(current, answer);
  }

  private async poll(record: JournalRecord, reply: Uint8Array): Promise<EnrolmentAnswer> {
    const { authority } = this.ports;
    try {
      return await this.asOld(record, 'poll', (old) => {
        const poll = (): Promise<EnrolmentAnswer> => authority.poll(reply, old, this.options.signal);
        // Each try is signed anew, and nobody wants to type a password because the network is slow.
        return this.asksAnew ? poll() : this.retrying(poll);
      });
    } catch (error) {
      if (!(error instanceof CaError) || error.code !== 'rejected') throw error;
      // A poll that is refused does not end the transaction: what became of that, the authority says elsewhere.
      const state = await this.retrying(() => this.lookUp(record));
      switch (state.kind) {
        case 'withdrawn':
          return this.end(record, 'withdrawn');
        case 'confirmed':
          return { ...state, kind: 'issued', chain: [] };
        case 'issued':
          return state;
        default:
          throw error;
      }
    }
  }

  /** Waits, and stops as soon as the key is gone: without it no poll can be signed. */
  private async waitWithKey(milliseconds: number): Promise<void> {
    const { key, wait } = this.ports;
    const either = new AbortController();
    const abort = (): void => {
      either.abort();
    };
    const signals = [key.gone, this.options.signal].filter((signal) => signal !== undefined);
    for (const signal of signals) {
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
    }
    try {
      await wait(milliseconds, either.signal);
    } catch (error) {
      if (key.gone.aborted) throw this.stop('unplugged');
      throw error;
    } finally {
      for (const signal of signals) signal.removeEventListener('abort', abort);
    }
  }

  /** Checks the certificate; one that does not pass is refused at the authority and never written. */
  private async accept(record: JournalRecord, answer: Extract<EnrolmentAnswer, { kind: 'issued' }>): Promise<Outcome> {
    const { policy, trust, now } = this.ports;
    const { certificate, chain, reply } = answer;
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
      await this.refuse({ ...record, reply });
      await this.put({ ...record, stage: 'ended', endedBecause: 'notAcceptable', reply });
      throw new Stop({ reason: 'notAcceptable', acceptance });
    }
    return this.write(await this.put({ ...record, stage: 'write', newPublicKey, reply, newCertificate: certificate }));
  }

  /** Writes the certificate into the new container, unless an earlier run already has. */
  private async write(record: JournalRecord): Promise<Outcome> {
    const { key } = this.ports;
    const { newCertificate, newPublicKey } = record;
    if (!newCertificate || !newPublicKey) throw this.stop('goneFromKey');
    this.mustMayWrite();
    this.at('write', true);
    const there = this.made ? undefined : (await this.newContainer(record, newPublicKey)).signing?.certificate;
    if (!there || !bytesEqual(there, newCertificate)) {
      try {
        await this.asUser(record, () => key.importCertificate(record.newContainer, 'signing', newCertificate));
      } catch (error) {
        if (!isWithoutKeyPair(error)) throw error;
        return await this.giveBack(record);
      }
    }
    return this.check(record, newCertificate, newPublicKey);
  }

  /** Reads back, compares, and lets the new key sign a challenge. */
  private async check(record: JournalRecord, newCertificate: Uint8Array, newPublicKey: Uint8Array): Promise<Outcome> {
    const { key, authority } = this.ports;
    const { reply } = record;
    if (!reply) throw this.stop('goneFromKey');
    this.at('check');
    const written = await this.newContainer(record, newPublicKey);
    if (!written.signing?.certificate || !bytesEqual(written.signing.certificate, newCertificate))
      throw this.stop('checkFailed');
    const old = await key.readContainer(record.oldContainer);
    if (!old.signing?.certificate || !bytesEqual(old.signing.certificate, record.oldCertificate))
      throw this.stop('checkFailed');
    if (!(await this.newKeySigns(record, newPublicKey))) {
      if (this.made) throw this.stop('checkFailed');
      // It is not the key pair that was made: after an interruption a key that cannot show it only tells so now.
      return this.giveBack(record);
    }
    const confirmation = await this.asOld(record, 'confirmation', (old) =>
      authority.prepareConfirmation(reply, true, old),
    );
    this.checked = true;
    return this.confirm(await this.put({ ...record, stage: 'confirm', confirmation }));
  }

  /** Lets the new key sign a challenge. */
  private async newKeySigns(record: JournalRecord, spki: Uint8Array): Promise<boolean> {
    const { key, randomBytes } = this.ports;
    const message = randomBytes(32);
    try {
      const signature = await this.asUser(record, () => key.sign(record.newContainer, message));
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
    if (!newCertificate || !newPublicKey || !confirmation) throw this.stop('goneFromKey');
    this.at('finish');
    if (!this.checked) {
      const written = await this.newContainer(record, newPublicKey);
      if (!written.signing?.certificate || !bytesEqual(written.signing.certificate, newCertificate)) {
        // The key lost what an earlier run had checked: write and check again, the journal has all of it.
        this.mustMayWrite();
        return this.write(await this.put({ ...record, stage: 'write' }));
      }
    }
    try {
      await this.retrying(() => authority.confirm(confirmation, this.options.signal));
    } catch (error) {
      if (!(error instanceof CaError) || error.code !== 'rejected') throw error;
      const state = await this.retrying(() => this.lookUp(record));
      if (state.kind === 'withdrawn') return this.end(record, 'withdrawn');
      if (state.kind === 'issued' && !this.checked && !this.renewed) {
        // The bytes of an earlier run are not taken: too old, perhaps. Checked and signed once more they are fresh.
        this.renewed = true;
        this.mustMayWrite();
        return this.check(record, newCertificate, newPublicKey);
      }
      if (state.kind !== 'confirmed') throw error;
    }
    const { transactionId, purpose, oldCertificate, managementKey } = await this.put({ ...record, stage: 'done' });
    const success = { kind: 'success', purpose, transactionId, oldCertificate, newCertificate } as const;
    return managementKey ? { ...success, managementKey } : success;
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
    this.mustMayWrite();
    await this.refuse(record);
    return this.end(record, 'goneFromKey');
  }

  /** Tells the authority that a certificate it issued is not wanted, so that it does not stay without an owner. */
  private async refuse(record: JournalRecord): Promise<void> {
    const { authority } = this.ports;
    const { reply } = record;
    if (!reply) return;
    const refusal = await this.asOld(record, 'confirmation', (old) => authority.prepareConfirmation(reply, false, old));
    try {
      await this.retrying(() => authority.confirm(refusal, this.options.signal));
    } catch (error) {
      // It has withdrawn it by itself.
      if (!(error instanceof CaError) || error.code !== 'rejected') throw error;
    }
  }

  private async end(record: JournalRecord, why: Extract<EndReason, StopReason>): Promise<never> {
    await this.put({ ...record, stage: 'ended', endedBecause: why });
    throw this.stop(why);
  }

  /** Lets the old certificate and its key, which protect every message of the transaction, sign one. */
  private asOld<T>(
    record: JournalRecord,
    reason: PasswordReason,
    message: (old: Credential) => Promise<T>,
  ): Promise<T> {
    const { oldContainer, oldCertificate: certificate } = record;
    const sign = (bytes: Uint8Array): Promise<Uint8Array> => this.ports.key.sign(oldContainer, bytes);
    if (!this.asksAnew) return this.asUser(record, () => message({ certificate, sign }));
    const signAnew = (bytes: Uint8Array): Promise<Uint8Array> =>
      this.login.signAnew(oldContainer.application, reason, () => sign(bytes));
    return message({ certificate, sign: signAnew });
  }

  private asUser<T>(record: JournalRecord, action: () => Promise<T>): Promise<T> {
    return this.login.asUser(record.newContainer.application, action);
  }

  private retrying<T>(exchange: () => Promise<T>): Promise<T> {
    const { wait, randomBytes } = this.ports;
    const random = (): number => (randomBytes(1)[0] ?? 0) / 256;
    return withRetry(exchange, { wait, random, signal: this.options.signal });
  }

  private async put(record: JournalRecord): Promise<JournalRecord> {
    const { managementKey = record.managementKey } = this.ports.key;
    const stamped = {
      ...record,
      ...(managementKey && { managementKey }),
      updatedAt: this.ports.now().getTime(),
    };
    await this.ports.journal.put(stamped);
    this.record = stamped;
    return stamped;
  }

  private at(step: Step, writing = false): void {
    this.step = step;
    this.options.onProgress?.({ step, writing });
  }

  private stop(reason: StopReason): Stop {
    return new Stop({ reason });
  }
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
