import { untrack } from 'svelte';
import { TransportError, type TransportErrorCode } from '../../apdu/channel.ts';
import { indexedDbJournal } from '../../renewal/indexeddb-journal.ts';
import type { JournalRecord } from '../../renewal/journal.ts';
import { chooseActive, readKeyContents, type KeyContents } from '../../renewal/key-contents.ts';
import { recommend, type EnvironmentTrouble, type Recommendation } from '../../renewal/recommend.ts';
import type { Trust } from '../../renewal/trust.ts';
import { clock } from '../../service/clock.ts';
import { loadConfig, loadPolicy, type Config, type Policy } from '../../service/config.ts';
import { ServiceError } from '../../service/errors.ts';
import { saveLastReading } from '../../storage/last-reading.ts';
import {
  authorisedKeys,
  requestKey,
  watchKeys,
  type AttachedKey,
  type OpenOptions,
  type RefusalReason,
} from '../../usbkey/connect.ts';
import { KeyError, type UsbKey } from '../../usbkey/usbkey.ts';
import { browserTrouble, type BrowserTrouble } from '../environment.ts';
import { saveKeySummary } from './key-summary.ts';
import { kiosk } from './kiosk.ts';
import { recall, remember } from './local-store.ts';
import { recommendInput, recommendPolicy } from './recommend-input.ts';

/** What stands between the person and a reading. The words for each are in `messages/key-trouble.ts`. */
export type KeyTrouble =
  | BrowserTrouble
  | 'nothingChosen'
  | 'noGesture'
  | RefusalReason
  /** It was tried, and does not answer as a key would. */
  | 'notAKey'
  | 'accessDenied'
  /** Another program, or a driver: no tab of this site. */
  | 'busy'
  | 'otherTab'
  | 'several'
  | 'unplugged'
  /** Unplugged too, and without a serial number, so that the browser asks for it again. */
  | 'unpluggedForgotten'
  | 'noAnswer'
  | 'stalled'
  | 'badAnswer'
  | 'noConfig'
  | 'unexpected';

/** Everything read from a key, and what follows from it. */
export interface Reading {
  readonly contents: KeyContents;
  readonly attached: AttachedKey;
  readonly keyName: string;
  readonly config: Config;
  /** Undefined where the operator could not be asked. */
  readonly policy: Policy | undefined;
  readonly trust: Trust;
  readonly windowDays: number;
  readonly recommendation: Recommendation;
  readonly readAt: Date;
  /** The browser would not keep it for the next visit: forbidden, or full. */
  readonly notKept: boolean;
}

export type KeyView =
  /** Looking for a key that was granted before. */
  | { readonly at: 'looking' }
  | { readonly at: 'none' }
  | { readonly at: 'choosing' }
  | { readonly at: 'reading' }
  | { readonly at: 'ready'; readonly reading: Reading }
  | { readonly at: 'trouble'; readonly trouble: KeyTrouble; readonly device?: AttachedKey };

/** A key is opened by one tab at a time, and in it by one task at a time. */
const lockName = 'casupport.key';
/** Tells the other tabs that this one has begun to work on the key. */
const channelName = 'casupport.key';
const freshMs = 30_000;
const longestSkewMs = 24 * 3_600_000;

export const trustOf = ({ anchors, intermediates, oldIssuers, holder }: Config): Trust => ({
  anchors,
  intermediates,
  oldIssuers,
  taxpayerNumberTypes: holder.taxpayerNumber,
});

/** The key that is plugged in, as the pages see it. The device is open only while a task runs. */
class UsbKeyState {
  view = $state.raw<KeyView>({ at: 'looking' });
  /** Keys of this site that are plugged in, refused ones included. */
  attached = $state.raw<readonly AttachedKey[]>([]);
  /** Which of the browser's two choosers to open first: the one that worked last. */
  way = $state<'usb' | 'hid'>(recall('way') === 'usb' || !('hid' in navigator) ? 'usb' : 'hid');

  /** The key of which the person does not want to hear now; until it is unplugged. */
  putOff = $state.raw<AttachedKey | undefined>();

  readonly #refusedOld = new Set<string>();
  readonly #sure = new Set<string>();
  #pages = 0;
  #watching = false;
  #task: Promise<unknown> | undefined;
  #turn = 0;
  #waitsForTab = false;
  /** Plugged in while nobody looked at this tab. */
  #unseen = false;
  readonly #channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(channelName) : undefined;

  readonly usable = $derived(this.attached.filter(({ refusal }) => !refusal));

  constructor() {
    this.#channel?.addEventListener('message', () => {
      // What this tab shows is about to be out of date.
      if (this.view.at !== 'ready' || this.#task) return;
      this.view = { at: 'trouble', trouble: 'otherTab' };
      this.#takeOver();
    });
  }

  /** A page that shows the key has come; it returns what to call when it goes. A granted key is read at once. */
  use(): () => void {
    this.#pages += 1;
    // Called from an effect, which must not run again because of what the look finds.
    untrack(() => {
      if (!this.#isFresh()) void this.#look();
    });
    return () => {
      this.#pages -= 1;
    };
  }

  /** Just read, on the page before this one. */
  #isFresh(): boolean {
    const { view } = this;
    if (view.at !== 'ready' || !this.attached.includes(view.reading.attached)) return false;
    return clock.now().getTime() - view.reading.readAt.getTime() < freshMs;
  }

  /** Opens the browser's chooser. Call it in a click. */
  async connect(way: 'usb' | 'hid'): Promise<void> {
    if (this.#task) return;
    const before = this.view;
    this.view = { at: 'choosing' };
    let chosen: AttachedKey;
    try {
      chosen = await requestKey(way);
    } catch (error) {
      const trouble = troubleOf(error);
      this.view = trouble === 'nothingChosen' && before.at === 'ready' ? before : { at: 'trouble', trouble };
      return;
    }
    this.way = way;
    remember('way', way);
    this.attached = await authorisedKeys();
    await this.#read(chosen);
  }

  /** Looks again for keys and reads the one that is there. */
  again(): Promise<void> {
    return untrack(() => this.#look());
  }

  /** The person has said to be sure of the password although one try is left. */
  confirmLastTry(): void {
    if (this.view.at !== 'ready') return;
    this.#sure.add(this.view.reading.contents.info.serialNumber);
    void this.#look();
  }

  /** The person has confirmed the last try for this key. */
  isSure(serialNumber: string): boolean {
    return this.#sure.has(serialNumber);
  }

  /** 暂不办理: says nothing more of the key that is in. */
  putOffNow(): void {
    if (this.view.at === 'ready') this.putOff = this.view.reading.attached;
  }

  /** This tab has the key and begins to work on it: the others say so and wait. */
  announceWork(): void {
    this.#channel?.postMessage('work');
  }

  /** Resolves once no tab is at a key any more: it is done, or it was closed. */
  async whenFree(): Promise<void> {
    await navigator.locks.request(lockName, () => undefined);
  }

  /** The authority has turned down a request because the old certificate is not good any more. */
  oldCertificateRefused(serialNumber: string): void {
    this.#refusedOld.add(serialNumber);
  }

  /**
   * Opens the attached key for one task and closes it afterwards. Nothing else touches the key meanwhile.
   * @throws TransportError, and `busy` when another tab is at it
   */
  withKey<T>(attached: AttachedKey, task: (key: UsbKey) => Promise<T>, options?: OpenOptions): Promise<T> {
    if (this.#task) return Promise.reject(new TransportError('busy', 'this page is at the key already'));
    const run = async (lock: Lock | null): Promise<T> => {
      if (!lock) throw new OtherTab();
      const key = await attached.open(options);
      try {
        return await task(key);
      } finally {
        await key.close();
      }
    };
    const running = navigator.locks.request(lockName, { ifAvailable: true }, run);
    const done = running.then(
      () => undefined,
      () => undefined,
    );
    this.#task = done;
    void done.then(() => {
      this.#task = undefined;
      void this.#afterTask(attached);
    });
    return running;
  }

  /** A key that was pulled out, or out and in again, while a task was at it: what came of it is only seen now. */
  async #afterTask(attached: AttachedKey): Promise<void> {
    this.attached = await authorisedKeys();
    if (this.attached.includes(attached) || this.#isBusy()) return;
    if (this.usable.length > 0 && this.#pages > 0) await this.#look();
    else if (this.view.at === 'ready') this.view = { at: 'trouble', trouble: 'unplugged' };
  }

  async #look(): Promise<void> {
    const trouble = browserTrouble();
    if (trouble) {
      this.view = { at: 'trouble', trouble };
      return;
    }
    this.#watch();
    if (this.#task) return;
    const turn = ++this.#turn;
    this.attached = await authorisedKeys();
    if (turn !== this.#turn || this.#isBusy()) return;
    const [first, second] = this.usable;
    const refused = this.attached[0];
    if (second) this.view = { at: 'trouble', trouble: 'several' };
    else if (first) await this.#read(first);
    else if (refused?.refusal) this.view = { at: 'trouble', trouble: refused.refusal.reason, device: refused };
    else this.view = { at: 'none' };
  }

  #isBusy(): boolean {
    return this.#task !== undefined;
  }

  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    const onChange = (): void => {
      void authorisedKeys().then((keys) => (this.attached = keys));
    };
    watchKeys({
      onConnect: () => {
        onChange();
        if (this.#pages > 0) this.#lookWhenSeen();
      },
      onDisconnect: (key) => {
        onChange();
        if (this.putOff === key) this.putOff = undefined;
        // A task that is at the key ends by itself and says so; without one the page does.
        if (!this.#task && (this.view.at === 'ready' || this.view.at === 'trouble'))
          this.view = { at: 'trouble', trouble: 'unplugged' };
      },
    });
  }

  /** Of several tabs the one in front reads. */
  #lookWhenSeen(): void {
    if (!document.hidden) void this.#look();
    else if (!this.#unseen) {
      this.#unseen = true;
      const onSeen = (): void => {
        this.#unseen = false;
        if (this.#pages > 0) void this.#look();
      };
      document.addEventListener('visibilitychange', onSeen, { once: true });
    }
  }

  /** Waits until the other tab is done or closed, then reads what it has left. */
  #takeOver(): void {
    if (this.#waitsForTab) return;
    this.#waitsForTab = true;
    void this.whenFree().then(() => {
      this.#waitsForTab = false;
      if (this.view.at !== 'trouble' || this.view.trouble !== 'otherTab') return;
      this.view = { at: 'looking' };
      if (this.#pages > 0) void this.#look();
    });
  }

  async #read(attached: AttachedKey): Promise<void> {
    if (attached.refusal) {
      this.view = { at: 'trouble', trouble: attached.refusal.reason, device: attached };
      return;
    }
    const turn = ++this.#turn;
    this.view = { at: 'reading' };
    let view: KeyView;
    try {
      view = { at: 'ready', reading: await this.withKey(attached, (key) => this.#readAll(key, attached)) };
    } catch (error) {
      view = { at: 'trouble', trouble: troubleOf(error), device: attached };
    }
    if (turn !== this.#turn) return;
    this.view = view;
    if (view.at === 'trouble' && view.trouble === 'otherTab') this.#takeOver();
  }

  async #readAll(key: UsbKey, attached: AttachedKey): Promise<Reading> {
    const config = await loadConfig();
    const policy = await loadPolicy(config).catch(() => undefined);
    const trust = trustOf(config);
    const now = clock.now();
    const found = await readKeyContents(key, trust, now);
    const { serialNumber } = found.info;
    // A browser without storage has no journal: reading still works, renewing will say why it does not begin.
    const records = await indexedDbJournal.ofKey(serialNumber).catch((): JournalRecord[] => []);
    // What an unfinished or failed run has written does not count: the certificate before it does.
    const unconfirmed = records.filter(({ stage }) => stage !== 'done').map(({ newContainer }) => newContainer);
    const contents = { ...found, active: chooseActive(found.certificates, now, unconfirmed) };
    const environment: EnvironmentTrouble[] = [];
    if (!navigator.onLine || !policy) environment.push('offline');
    if (Math.abs(clock.skewMs ?? 0) > longestSkewMs) environment.push('clockSkew');
    const rules = recommendPolicy(config, policy);
    const recommendation = recommend(
      recommendInput({
        contents,
        records,
        config,
        policy,
        environment,
        oldCertificateRefused: this.#refusedOld.has(serialNumber),
        lastTryConfirmed: this.#sure.has(serialNumber),
        now,
      }),
      rules,
      now,
    );
    const keyName = contents.info.label || attached.productName;
    const notKept = !(await keepReading(contents, keyName, recommendation, now));
    const { windowDays } = rules;
    return { contents, attached, keyName, config, policy, trust, windowDays, recommendation, readAt: now, notKept };
  }
}

/** For the next visit without a key. @returns false where the browser would not keep it, which is no trouble */
async function keepReading(
  { active, info }: KeyContents,
  keyName: string,
  { followUps, action }: Recommendation,
  now: Date,
): Promise<boolean> {
  if (!active || kiosk) return true;
  const { der, notAfter } = active.certificate;
  const needUpgrade = action === 'onlineUpgrade' || followUps.includes('upgrade');
  saveKeySummary({ notAfter: notAfter.getTime(), readAt: now.getTime(), needUpgrade });
  const reading = { keySerialNumber: info.serialNumber, readAt: now.getTime(), certificate: der, keyName };
  return saveLastReading(reading).then(
    () => true,
    () => false,
  );
}

/** Whether any tab, this one too, is at a key. */
export async function workElsewhere(): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === lockName);
}

/** Another tab of this site holds the key's lock. */
class OtherTab extends Error {
  override readonly name = 'OtherTab';
}

const transportTroubles: Record<TransportErrorCode, KeyTrouble> = {
  nothingChosen: 'nothingChosen',
  noGesture: 'noGesture',
  unsupported: 'noApi',
  accessDenied: 'accessDenied',
  protectedClass: 'protectedClass',
  busy: 'busy',
  disconnected: 'unplugged',
  timeout: 'noAnswer',
  stalled: 'stalled',
  malformed: 'badAnswer',
  cancelled: 'noAnswer',
  failed: 'noAnswer',
};

export function troubleOf(error: unknown): KeyTrouble {
  if (error instanceof OtherTab) return 'otherTab';
  if (error instanceof TransportError) return transportTroubles[error.code];
  if (error instanceof KeyError) return 'badAnswer';
  return error instanceof ServiceError ? 'noConfig' : 'unexpected';
}

export const usbkey = new UsbKeyState();
