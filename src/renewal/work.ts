import type { CertificateAuthority, Credential } from '../ca/authority.ts';
import type { Enrolment } from '../device/models.ts';
import type { Certificate } from '../pki/certificate.ts';
import type { Policy } from '../service/config.ts';
import type { KeyInfo, UsbKey } from '../usbkey/usbkey.ts';
import { whyNothingNew } from './admission.ts';
import type { EndReason, Journal, JournalRecord, Purpose } from './journal.ts';
import { Login, type AskPassword, type PasswordReason } from './login.ts';
import { Stop, type Step, type StopReason } from './outcome.ts';
import { withRetry, type Wait } from './retry.ts';
import type { Trust } from './trust.ts';

/** What the operator lets be done. */
export interface Rules {
  readonly policy: Policy;
  /** What may be done with this key (`enrolmentMode`): unless `on`, nothing is written to it. */
  readonly enrolment: Enrolment;
}

/** What a run needs from the world. */
export interface Ports extends Rules {
  readonly key: UsbKey;
  readonly authority: CertificateAuthority;
  readonly journal: Journal;
  readonly trust: Trust;
  /** The rules anew, right before a new key pair is made; those the run began with where left out. Never rejects. */
  readonly rulesNow?: () => Promise<Rules>;
  /** Whether the authority is known to have taken a certificate back; of none where left out. */
  readonly isRevoked?: (certificate: Certificate) => boolean;
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
  /** The authority is asked again then; milliseconds since 1970. */
  readonly waitingUntil?: number;
  /** It had no time to take the request at all. */
  readonly busy?: boolean;
}

export interface RunOptions {
  readonly purpose: Purpose;
  readonly askPassword: AskPassword;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** A shorter wait for a busy authority is over before anybody has read of it. */
const shownWaitMs = 5_000;

/** What all parts of one run have in common: the world, the person's login, the step, and the record in the journal. */
export class Work {
  readonly ports: Ports;
  readonly options: RunOptions;
  readonly login: Login;
  step: Step = 'password';
  record: JournalRecord | undefined;
  /** The key wants the password anew for every signature of the old key pair. */
  asksAnew = false;
  /** The signing key pair was made in this run: nobody else can have done anything with it. */
  made = false;
  /** Until when the person is shown that the authority takes its time; milliseconds since 1970. */
  waitingUntil: number | undefined;
  #rules: Rules;

  constructor(ports: Ports, options: RunOptions) {
    this.ports = ports;
    this.options = options;
    this.#rules = ports;
    this.login = new Login(ports.key, options.askPassword);
  }

  /** Names the step under way. @param writing something is being written to the key */
  at(step: Step, writing = false): void {
    this.step = step;
    this.waitingUntil = undefined;
    this.options.onProgress?.({ step, writing });
  }

  /** Says until when the authority is left alone. @param busy it had no time to take the request at all */
  waitingAt(step: Step, milliseconds: number, busy = false): void {
    const waitingUntil = Date.now() + milliseconds;
    this.waitingUntil = waitingUntil;
    this.options.onProgress?.({ step, writing: false, waitingUntil, ...(busy && { busy }) });
  }

  /** What holds for this run: as it was at its begin, until it was asked for anew. */
  get policy(): Policy {
    return this.#rules.policy;
  }

  /** The page may have stood open at the password for long. @throws Stop where nothing new is to be begun */
  async askRules({ serialNumber }: KeyInfo): Promise<void> {
    this.#rules = (await this.ports.rulesNow?.()) ?? this.#rules;
    this.mustMayWrite();
    this.mustMayBegin(serialNumber);
  }

  /** Nothing new is made on a key while the operator lets none be enrolled, or not this one yet. @throws Stop */
  mustMayBegin(serialNumber: string): void {
    const reason = whyNothingNew(this.policy, serialNumber);
    if (reason) throw this.stop(reason);
  }

  /** Journals a record; it is the run's from then on. */
  async put(record: JournalRecord): Promise<JournalRecord> {
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

  /** Ends the transaction for good. @throws Stop always */
  async end(record: JournalRecord, why: Extract<EndReason, StopReason>): Promise<never> {
    await this.put({ ...record, stage: 'ended', endedBecause: why });
    throw this.stop(why);
  }

  stop(reason: StopReason): Stop {
    return new Stop({ reason });
  }

  /** A model that is stopped gets nothing more written; only a confirmation that is complete may still be sent. */
  mustMayWrite(): void {
    if (this.#rules.enrolment !== 'on') throw this.stop('modelStopped');
  }

  /** Does something that needs the password in the new container's application. */
  asUser<T>({ newContainer }: JournalRecord, action: () => Promise<T>): Promise<T> {
    return this.login.asUser(newContainer.application, action);
  }

  /** Lets the old certificate and its key, which protect every message of the transaction, sign one. */
  asOld<T>(record: JournalRecord, reason: PasswordReason, message: (old: Credential) => Promise<T>): Promise<T> {
    const { oldContainer, oldCertificate: certificate } = record;
    const sign = (bytes: Uint8Array): Promise<Uint8Array> => this.ports.key.sign(oldContainer, bytes);
    if (!this.asksAnew) return this.asUser(record, () => message({ certificate, sign }));
    const signAnew = (bytes: Uint8Array): Promise<Uint8Array> =>
      this.login.signAnew(oldContainer.application, reason, () => sign(bytes));
    return message({ certificate, sign: signAnew });
  }

  /** Tries an exchange with the authority again while it is unreachable or busy; while it is busy the person is told. */
  retrying<T>(exchange: () => Promise<T>): Promise<T> {
    const { randomBytes } = this.ports;
    return withRetry(
      () => {
        this.at(this.step);
        return exchange();
      },
      {
        wait: (milliseconds) => this.waitWithKey(milliseconds),
        random: () => new DataView(Uint8Array.from(randomBytes(4)).buffer).getUint32(0) / 2 ** 32,
        signal: this.options.signal,
        onWait: (milliseconds) => {
          if (milliseconds >= shownWaitMs) this.waitingAt(this.step, milliseconds, true);
        },
      },
    );
  }

  /** Waits, and stops as soon as the key is gone: without it nothing can be signed. */
  async waitWithKey(milliseconds: number): Promise<void> {
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
}
