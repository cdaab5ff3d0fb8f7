import { CaError } from '../../ca/authority.ts';
import { openAuthority } from '../../ca/open-authority.ts';
import { leavesEncryption, wantsEncryption } from '../../renewal/encryption.ts';
import { indexedDbJournal } from '../../renewal/indexeddb-journal.ts';
import type { Purpose } from '../../renewal/journal.ts';
import { newKeyAlgorithm } from '../../renewal/new-key.ts';
import type { Step, Stopped, Success } from '../../renewal/outcome.ts';
import { RenewalProcedure, type Progress, type Rules } from '../../renewal/procedure.ts';
import { wait } from '../../renewal/retry.ts';
import { clock } from '../../service/clock.ts';
import type { Policy } from '../../service/config.ts';
import { askToPersist } from '../../storage/database.ts';
import type { UsbKey } from '../../usbkey/usbkey.ts';
import { activity } from './activity.svelte.ts';
import { askOnPage, type OpenQuestion } from './ask-password.ts';
import { certificateStatuses } from './certificate-status.svelte.ts';
import { holdPage } from './hold-page.ts';
import { enrolmentUnder, latestPolicy } from './operators-policy.ts';
import { troubleOf, usbkey, type KeyTrouble, type Reading } from './usbkey.svelte.ts';

export type RenewalView =
  | { readonly at: 'idle' }
  | { readonly at: 'running'; readonly progress: Progress }
  | { readonly at: 'password'; readonly question: OpenQuestion }
  /** `awaitsKey`: as soon as the key is in again the run goes on. */
  | { readonly at: 'stopped'; readonly outcome: Stopped; readonly awaitsKey: boolean }
  /** The key could not be opened. */
  | { readonly at: 'trouble'; readonly trouble: KeyTrouble }
  /** Another key was plugged in than the one the run was about. */
  | { readonly at: 'otherKey'; readonly tail: string }
  | { readonly at: 'success'; readonly outcome: Success };

const answerTimeoutMs = 30_000;

/** The renewal or upgrade that is running, or has run, in this page. It lives on while the person looks elsewhere. */
class RenewalState {
  view = $state.raw<RenewalView>({ at: 'idle' });
  purpose = $state<Purpose>('renewal');
  /** The step that is under way, or was last. */
  step = $state<Step>('password');
  /** A signing and an encryption certificate are to be had. */
  twoCertificates = $state(false);
  /** The encryption certificate beside the old one is not replaced: this key takes no new one. */
  leavesEncryption = $state(false);
  /** What was read before the last run. */
  reading = $state.raw<Reading | undefined>();
  /** As last reported: a question in between does not change how far the run is. */
  #progress: Progress = { step: 'password', writing: false };
  /** The key the run is about: its serial number. */
  #serialNumber: string | undefined;
  #pause: AbortController | undefined;

  get busy(): boolean {
    return this.view.at === 'running' || this.view.at === 'password';
  }

  /** Begins, or goes on after an interruption, with the key of a reading. */
  async start(reading: Reading): Promise<void> {
    if (this.busy) return;
    const { serialNumber } = reading.contents.info;
    this.reading = reading;
    if (this.#serialNumber !== undefined && this.#serialNumber !== serialNumber) {
      this.#show({ at: 'otherKey', tail: this.#serialNumber.slice(-4) });
      return;
    }
    this.#serialNumber = serialNumber;
    this.purpose = purposeOf(reading);
    this.#progress = { step: 'password', writing: false };
    this.#show({ at: 'running', progress: this.#progress });
    try {
      await usbkey.withKey(reading.attached, (key) => this.#run(key, reading));
    } catch (error) {
      const trouble = troubleOf(error);
      this.#show({ at: 'trouble', trouble });
      if (trouble === 'otherTab') void this.#afterOtherTab();
    }
  }

  /** The key has been read after the interruption this run waits for. */
  keyIsBack(reading: Reading): void {
    if (this.awaitsKey && reading !== this.reading) void this.start(reading);
  }

  get awaitsKey(): boolean {
    return (this.view.at === 'stopped' && this.view.awaitsKey) || this.view.at === 'otherKey';
  }

  /** 插拔后重试: goes on once the key has been out and in. */
  afterReplug(): void {
    if (this.view.at === 'stopped') this.#show({ ...this.view, awaitsKey: true });
  }

  /** Tries again without unplugging. */
  again(): void {
    this.afterReplug();
    void usbkey.again();
  }

  /** Nothing is under way but the wait for the authority. */
  get canPause(): boolean {
    return this.view.at === 'running' && this.view.progress.waitingUntil !== undefined;
  }

  /** 先停下: the journal keeps where it was, and the run goes on from there another time. */
  pause(): void {
    if (this.canPause) this.#pause?.abort();
  }

  /** Forgets what is over, so that the page begins anew. */
  reset(): void {
    if (this.busy) return;
    this.#serialNumber = undefined;
    usbkey.endWork();
    this.#show({ at: 'idle' });
  }

  /** The other tab is done or closed: what it has left on the key is read before anything begins here. */
  async #afterOtherTab(): Promise<void> {
    const { view } = this;
    await usbkey.whenFree();
    if (this.view !== view) return;
    await usbkey.again();
    if (this.view === view) this.reset();
  }

  async #run(key: UsbKey, reading: Reading): Promise<void> {
    usbkey.announceWork();
    const { config, trust } = reading;
    if (!config.ca) {
      this.#show(stopped('closed'));
      return;
    }
    const now = (): Date => clock.now();
    const authority = await openAuthority(config.ca, {
      anchors: config.anchors,
      intermediates: config.intermediates,
      fetch: clock.fetch,
      now,
      timeIsKnown: () => clock.known,
      timeoutMs: answerTimeoutMs,
    }).catch((error: unknown) => {
      if (error instanceof CaError) return undefined;
      throw error;
    });
    if (!authority) {
      this.#show(stopped('caUnreachable'));
      return;
    }
    const { policy, enrolment } = await rulesFor(reading);
    const procedure = new RenewalProcedure({
      key,
      authority,
      journal: indexedDbJournal,
      trust,
      policy,
      enrolment,
      rulesNow: () => rulesFor({ ...reading, policy }),
      isRevoked: (certificate) => certificateStatuses.isRevoked(certificate),
      now,
      wait,
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    });
    const encryption = encryptionQuestion(reading, policy, this.purpose, key);
    this.twoCertificates = wantsEncryption(...encryption) === true;
    this.leavesEncryption = leavesEncryption(...encryption);
    void askToPersist();
    this.#pause = new AbortController();
    const outcome = await procedure.run({
      purpose: this.purpose,
      signal: this.#pause.signal,
      askPassword: askOnPage(
        { key, attached: reading.attached },
        {
          show: (question) => this.#show({ at: 'password', question }),
          answered: () => this.#show({ at: 'running', progress: this.#progress }),
        },
      ),
      onProgress: (progress) => {
        this.#progress = progress;
        this.twoCertificates ||= progress.step === 'encryption';
        this.#show({ at: 'running', progress });
      },
    });
    if (outcome.kind === 'success') {
      this.#serialNumber = undefined;
      usbkey.endWork();
      this.#show({ at: 'success', outcome });
      return;
    }
    const unplugged = key.gone.aborted;
    const reason = unplugged && outcome.reason === 'cancelled' ? 'unplugged' : outcome.reason;
    if (oldCertificateRefused(outcome, reading)) usbkey.oldCertificateRefused(reading.contents.info.serialNumber);
    this.#show({ at: 'stopped', outcome: { ...outcome, reason }, awaitsKey: reason === 'unplugged' });
  }

  #show(view: RenewalView): void {
    this.view = view;
    if (view.at === 'running') this.step = view.progress.step;
    activity.page = this.busy ? '/renew' : undefined;
    activity.running = view.at === 'running';
    // Nothing has an effect before the password, and while the authority takes its time nothing is under way.
    holdPage(view.at === 'running' && view.progress.step !== 'password' && view.progress.waitingUntil === undefined);
  }
}

const stopped = (reason: Stopped['reason']): RenewalView => ({
  at: 'stopped',
  outcome: { kind: 'stopped', reason, step: 'password', resumable: false, transactionId: undefined },
  awaitsKey: false,
});

/** What the person is told beforehand of an encryption certificate follows from this; the procedure looks for itself. */
function encryptionQuestion(
  { contents: { active } }: Reading,
  policy: Policy,
  purpose: Purpose,
  key: UsbKey,
): Parameters<typeof wantsEncryption> {
  const algorithm = active && newKeyAlgorithm(policy, purpose, active.certificate);
  return [policy, key.importEncryptionKeyPair !== undefined, algorithm, active?.container];
}

/** Out of reach, they are those of the reading. */
async function rulesFor(reading: Reading): Promise<Rules> {
  const policy = await latestPolicy(reading);
  return { policy, enrolment: enrolmentUnder(policy, reading) };
}

function purposeOf({ recommendation }: Reading): Purpose {
  if (recommendation.action === 'resume' && recommendation.pending) return recommendation.pending.purpose;
  return recommendation.action === 'onlineUpgrade' ? 'upgrade' : 'renewal';
}

/** The authority turns the signer away and the certificate has expired: asking again would go round in circles. */
function oldCertificateRefused({ reason, failInfo = [] }: Stopped, { contents, readAt }: Reading): boolean {
  const refused = ['signerNotTrusted', 'notAuthorized', 'certRevoked', 'badCertId'] as const;
  const notAfter = contents.active?.certificate.notAfter;
  const expired = notAfter !== undefined && notAfter < readAt;
  return reason === 'caRejected' && expired && refused.some((info) => failInfo.includes(info));
}

export const renewal = new RenewalState();
