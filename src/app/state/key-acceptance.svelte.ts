import { TransportError } from '../../apdu/channel.ts';
import { AcceptanceRun, type AcceptanceStep, type StepResult } from '../../diagnosis/acceptance-run.ts';
import { TranscriptRecorder } from '../../diagnosis/transcript-recorder.ts';
import { type Transcript, transcriptFormat, transcriptSteps, transcriptVersion } from '../../diagnosis/transcript.ts';
import { clock } from '../../service/clock.ts';
import type { AttachedKey } from '../../usbkey/connect.ts';
import { KeyError, type KeyPairAlgorithm, type UsbKey } from '../../usbkey/usbkey.ts';
import { activity } from './activity.svelte.ts';
import { askOnPage, type OpenQuestion } from './ask-password.ts';
import { holdPage } from './hold-page.ts';
import { usbkey } from './usbkey.svelte.ts';
import { OwnTask, troubleOf, type KeyTrouble } from './key-trouble.ts';

/** A run's three parts, between which the person has the key in hand. */
type Part = 'write' | 'check' | 'remove';

export type AcceptanceView =
  /** Says what it will do. */
  | { readonly at: 'asking' }
  | { readonly at: 'running'; readonly step: AcceptanceStep }
  | { readonly at: 'question'; readonly question: OpenQuestion }
  /** The key is to be pulled out, or, once it is `out`, to be plugged in again. */
  | { readonly at: 'replug'; readonly out: boolean; readonly wrongKey: boolean }
  | { readonly at: 'trouble'; readonly trouble: KeyTrouble; readonly part: Part }
  | { readonly at: 'done' };

const path = '/operator/key-acceptance';
const writingSteps: readonly AcceptanceStep[] = [
  'container',
  'keyPair',
  'signDigest',
  'signRaw',
  'certificate',
  'remove',
];

/** The acceptance run of this page. It lives on while the person looks elsewhere. */
class KeyAcceptanceState {
  view = $state.raw<AcceptanceView>({ at: 'asking' });
  results = $state.raw<readonly StepResult[]>([]);
  /** A container of the run is, or may be, on the key. */
  hasContainer = $state(false);
  #run: AcceptanceRun | undefined;
  #recorder = new TranscriptRecorder();
  /** The key as it was last opened. */
  #attached: AttachedKey | undefined;
  #commandSet: UsbKey['commandSet'] | undefined;
  #step: AcceptanceStep = 'read';

  get busy(): boolean {
    return this.view.at === 'running' || this.view.at === 'question';
  }

  /** Begins with a key that may be sacrificed. @param algorithm without it the first that the key names */
  start(attached: AttachedKey, algorithm: KeyPairAlgorithm | undefined): Promise<void> {
    this.#recorder = new TranscriptRecorder();
    this.#commandSet = undefined;
    this.results = [];
    const run = new AcceptanceRun({
      algorithm,
      askPassword: (key) =>
        askOnPage(
          { key, attached: this.#attached ?? attached },
          {
            show: (question) => this.#show({ at: 'question', question }),
            answered: () => this.#show({ at: 'running', step: this.#step }),
          },
        ),
      onStep: (step) => {
        this.#step = step;
        this.#recorder.step = step;
        this.#show({ at: 'running', step });
      },
      onResult: () => this.#results(run),
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      now: () => clock.now(),
      elapsed: () => performance.now(),
    });
    this.#run = run;
    this.#step = 'read';
    return this.#work('write', attached);
  }

  /**
   * Told what is plugged in while the run waits for the key to be pulled out and plugged in again.
   * @param attached the only key, at rest; undefined for none
   */
  seen(attached: AttachedKey | undefined): void {
    const { view } = this;
    if (view.at !== 'replug') return;
    // A key that is plugged in again is another object, or at least was away.
    const isBack = attached !== undefined && (view.out || attached !== this.#attached);
    if (!attached && !view.out) this.#show({ ...view, out: true });
    else if (isBack) void this.#work('check', attached);
  }

  remove(attached: AttachedKey): Promise<void> {
    return this.#work('remove', attached);
  }

  /** Tries again to open the key. */
  again(attached: AttachedKey): void {
    if (this.view.at === 'trouble') void this.#work(this.view.part, attached);
  }

  /** The person wants no more of it. */
  end(): void {
    this.#show({ at: 'done' });
  }

  reset(): void {
    if (!this.busy) this.#show({ at: 'asking' });
  }

  /** What went over the wire so far, and the results. */
  transcript(): Transcript {
    const { vendorId = 0, productId = 0 } = this.#attached ?? {};
    return {
      ...{ format: transcriptFormat, version: transcriptVersion, build: __BUILD_ID__ },
      ...(this.#commandSet ? { commandSet: this.#commandSet } : {}),
      ...{ vendorId, productId },
      steps: transcriptSteps(this.results),
      sessions: [...this.#recorder.sessions],
    };
  }

  async #work(part: Part, attached: AttachedKey): Promise<void> {
    const run = this.#run;
    if (!run || this.busy) return;
    const before = this.view;
    this.#attached = attached;
    this.#show({ at: 'running', step: part === 'write' ? 'read' : part === 'check' ? 'replug' : 'remove' });
    try {
      const task = async (key: UsbKey): Promise<void> => {
        usbkey.announceWork();
        this.#commandSet = key.commandSet;
        await run[part](key);
      };
      await usbkey.withKey(attached, task, { wrap: (channel) => this.#recorder.record(channel) });
    } catch (error) {
      this.#notOpened(part, before, error);
      return;
    }
    this.#show(this.#after(part));
  }

  /** The key could not be opened. With a new key that is a result; later it is something to do about. */
  #notOpened(part: Part, before: AcceptanceView, error: unknown): void {
    if (error instanceof OwnTask && part === 'check') {
      // The site is reading it; it says when it is done.
      this.#show(before);
    } else if (part === 'write' && (error instanceof TransportError || error instanceof KeyError)) {
      this.#run?.notOpened(error);
      this.#show({ at: 'done' });
    } else this.#show({ at: 'trouble', trouble: troubleOf(error), part });
  }

  #after(part: Part): AcceptanceView {
    const otherKey = this.results.some(({ detail }) => detail === 'otherKey');
    if (part === 'check' && otherKey) return { at: 'replug', out: false, wrongKey: true };
    if (part === 'write' && this.hasContainer) return { at: 'replug', out: false, wrongKey: false };
    return { at: 'done' };
  }

  #results(run: AcceptanceRun): void {
    this.results = [...run.results];
    this.hasContainer = run.hasContainer;
  }

  #show(view: AcceptanceView): void {
    this.view = view;
    activity.page = this.busy ? path : undefined;
    activity.running = view.at === 'running';
    if (view.at === 'done' || view.at === 'asking') usbkey.endWork();
    holdPage(view.at === 'running' && writingSteps.includes(view.step));
  }
}

export const keyAcceptanceRun = new KeyAcceptanceState();
