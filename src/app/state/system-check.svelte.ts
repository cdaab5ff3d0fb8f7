import { causes, type Cause, type RepairId } from '../../diagnosis/causes.ts';
import type { CheckId, Details } from '../../diagnosis/check.ts';
import { restoreCertificates, tidyLeftovers, type KeyRepair } from '../../diagnosis/repair-key.ts';
import { allChecks, runChecks, type CheckResult, type CheckRun } from '../../diagnosis/run-checks.ts';
import { findModel } from '../../device/models.ts';
import { enrolmentMode } from '../../renewal/enrolment.ts';
import { indexedDbJournal } from '../../renewal/indexeddb-journal.ts';
import { wait } from '../../renewal/retry.ts';
import { clock } from '../../service/clock.ts';
import { loadPolicy } from '../../service/config.ts';
import { authorisedKeys, traceExchanges, type AttachedKey, type TraceEntry } from '../../usbkey/connect.ts';
import type { UsbKey } from '../../usbkey/usbkey.ts';
import { checkCode } from '../fault-codes.ts';
import { go } from '../router.svelte.ts';
import { activity } from './activity.svelte.ts';
import { askOnPage, type OpenQuestion } from './ask-password.ts';
import { checkPorts } from './check-ports.ts';
import { rebuildCache, refreshContent, resetDevice, updateApp } from './check-repairs.ts';
import { holdPage } from './hold-page.ts';
import { usbkey } from './usbkey.svelte.ts';

export interface Trouble {
  readonly id: CheckId;
  readonly cause: Cause;
  readonly details: Details;
  readonly code: string;
}

type Doing = 'idle' | 'checking' | 'waitingForTab' | 'repairing';
type Asked = 'signature' | 'restoreCertificate' | 'tidy';

const path = '/check';
const groupOf = (id: CheckId): (typeof allChecks)[number]['group'] =>
  allChecks.find((check) => check.id === id)?.group ?? 'browser';

/** The system check of this page: what was found, and what is being done about it. */
class SystemCheckState {
  results = $state.raw<readonly CheckResult[]>([]);
  doing = $state<Doing>('idle');
  question = $state.raw<OpenQuestion | undefined>();
  /** What a password is being asked for. */
  asked = $state<Asked>('signature');
  /** The check that was mended last, and whether it is content now. */
  mended = $state.raw<{ readonly id: CheckId; readonly ok: boolean } | undefined>();
  /** What the last writing to a key has come to. */
  written = $state.raw<KeyRepair | undefined>();
  /** Of several keys, those to choose from. */
  candidates = $state.raw<readonly AttachedKey[]>([]);
  /** The last run, once it is over. */
  run = $state.raw<CheckRun | undefined>();
  cancelled = $state(false);
  trace: readonly TraceEntry[] = [];
  #chosen: AttachedKey | undefined;
  #abort = new AbortController();

  get busy(): boolean {
    return this.doing !== 'idle';
  }

  /** What is to be dealt with, the most serious first; in the order of the checks. */
  readonly troubles: readonly Trouble[] = $derived.by(() => {
    const way = this.run?.notes.attached?.way ?? 'none';
    const found = this.results.flatMap(({ id, finding }) =>
      finding?.outcome === 'found'
        ? [
            {
              id,
              cause: finding.cause,
              details: finding.details ?? {},
              code: checkCode(groupOf(id), finding.cause, way),
            },
          ]
        : [],
    );
    const of = (severity: string): readonly Trouble[] =>
      found.filter(({ cause }) => causes[cause].severity === severity);
    return [...of('bad'), ...of('warn')];
  });

  /** Looks at everything. */
  async start(): Promise<void> {
    if (this.busy) return;
    this.#forgetRepair();
    await this.#check();
  }

  /** The person has enough; also when the page is left. */
  stop(): void {
    this.#abort.abort();
    this.question?.giveUp();
  }

  /** Of several keys this one is to be looked at. */
  async choose(attached: AttachedKey): Promise<void> {
    this.#chosen = attached;
    await this.start();
  }

  /** The test signature, at the person's word: everything once more, and the key signs. */
  async trySign(): Promise<void> {
    if (this.busy) return;
    this.#forgetRepair();
    this.asked = 'signature';
    await this.#check(['signature', ...allChecks.map(({ id }) => id)]);
  }

  /** Does what can be done about a finding, then looks again at everything. */
  async repair(id: CheckId, repair: RepairId): Promise<void> {
    if (this.busy) return;
    this.#forgetRepair();
    if (repair === 'resume') {
      await go('/renew');
      return;
    }
    this.doing = repair === 'takeOver' ? 'waitingForTab' : 'repairing';
    this.#abort = new AbortController();
    try {
      await this.#mend(repair);
    } finally {
      this.doing = 'idle';
      this.question = undefined;
      activity.page = undefined;
      activity.running = false;
      holdPage(false);
    }
    if (this.#abort.signal.aborted) return;
    await this.#check();
    const finding = this.results.find((result) => result.id === id)?.finding;
    const isBetter =
      finding?.outcome === 'ok' || (finding?.outcome === 'found' && causes[finding.cause].severity === 'note');
    this.mended = { id, ok: isBetter };
  }

  #forgetRepair(): void {
    this.mended = undefined;
    this.written = undefined;
  }

  async #mend(repair: Exclude<RepairId, 'resume'>): Promise<void> {
    const attached = this.run?.notes.attached;
    switch (repair) {
      case 'lookAgain':
      case 'reopen':
        return;
      case 'connect':
        return usbkey.connect(usbkey.way);
      case 'connectOtherWay':
        return usbkey.connect(attached?.way === 'usb' ? 'hid' : 'usb');
      case 'resetDevice':
        return resetDevice(attached);
      case 'takeOver':
        return Promise.race([usbkey.whenFree(), aborted(this.#abort.signal)]);
      case 'rebuildCache':
        return rebuildCache();
      case 'refreshContent':
        return refreshContent();
      case 'updateApp':
        return updateApp();
      case 'restoreCertificate':
      case 'tidy':
        this.asked = repair;
        this.written = await this.#atTheKey(repair);
    }
  }

  /** Writes to the key, with the password. */
  async #atTheKey(repair: 'restoreCertificate' | 'tidy'): Promise<KeyRepair | undefined> {
    const { attached, contents, config, trust, restorable = [] } = this.run?.notes ?? {};
    if (!attached || !contents || !config?.ca || !trust) return undefined;
    const { ports, ca } = { ports: this.#ports(), ca: config.ca };
    try {
      const policy = await loadPolicy(config);
      const authority = await ports.service.authority({ ...config, ca });
      const { vendorId, productId } = attached;
      const { firmwareVersion, serialNumber } = contents.info;
      const model = findModel(vendorId, productId);
      const enrolment = enrolmentMode({ vendorId, productId, model, firmwareVersion, policy });
      return await usbkey.withKey(attached, (key) => {
        usbkey.announceWork();
        activity.page = path;
        const repairPorts = {
          ...{ key, journal: indexedDbJournal, authority, trust, enrolment, wait },
          askPassword: this.#ask(key, attached),
          now: () => clock.now(),
          randomBytes: ports.randomBytes,
        };
        return repair === 'tidy'
          ? tidyLeftovers(repairPorts, serialNumber)
          : restoreCertificates(repairPorts, serialNumber, restorable);
      });
    } catch {
      // What stands in the way is found, and said, by the check that follows.
      return undefined;
    } finally {
      usbkey.endWork();
    }
  }

  async #check(only?: readonly CheckId[]): Promise<void> {
    this.doing = 'checking';
    this.cancelled = false;
    this.run = undefined;
    this.candidates = [];
    this.#abort = new AbortController();
    const trace: TraceEntry[] = [];
    const stopTracing = traceExchanges((entry) => trace.push(entry));
    try {
      const run = await runChecks(this.#ports(), {
        signal: this.#abort.signal,
        onProgress: (results) => (this.results = results),
        ...(only ? { only } : {}),
      });
      this.results = run.results;
      this.run = run;
      this.cancelled = this.#abort.signal.aborted;
      if (run.results.some(({ finding }) => finding?.outcome === 'found' && finding.cause === 'several'))
        this.candidates = (await authorisedKeys()).filter(({ refusal }) => !refusal);
    } finally {
      stopTracing();
      this.trace = trace;
      this.question = undefined;
      this.doing = 'idle';
    }
  }

  #ports(): ReturnType<typeof checkPorts> {
    return checkPorts(
      () => this.#chosen,
      (key, attached) => this.#ask(key, attached),
    );
  }

  #ask(key: UsbKey, attached: AttachedKey): ReturnType<typeof askOnPage> {
    return askOnPage(
      { key, attached },
      {
        show: (question) => {
          this.question = question;
          holdPage(false);
        },
        answered: () => {
          this.question = undefined;
          if (this.doing === 'repairing') holdPage(true);
        },
        left: this.#abort.signal,
      },
    );
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

export const systemCheck = new SystemCheckState();
