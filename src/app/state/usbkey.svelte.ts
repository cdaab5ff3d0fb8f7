import { untrack } from 'svelte';
import { setModelAdditions } from '../../device/models.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { clock } from '../../service/clock.ts';
import { loadConfig } from '../../service/config.ts';
import {
  authorisedKeys,
  requestKey,
  watchKeys,
  type AttachedKey,
  type Choice,
  type OpenOptions,
} from '../../usbkey/connect.ts';
import type { UsbKey } from '../../usbkey/usbkey.ts';
import { browserTrouble } from '../environment.ts';
import { forgetWrongPasswords } from '../wrong-passwords.ts';
import { certificateStatuses } from './certificate-status.svelte.ts';
import { keyLocks, lockOf } from './key-lock.svelte.ts';
import {
  askOperator,
  mayOpen,
  readKey,
  readKeyFacts,
  type KeyFacts,
  type OperatorsWord,
  type Reading,
} from './key-reading.ts';
import { OwnTask, provesNoKey, troubleOf, unpluggedTrouble, type KeyTrouble } from './key-trouble.ts';
import { recall, remember } from './local-store.ts';

export { workElsewhere } from './key-lock.svelte.ts';
export { trustOf, type Reading } from './key-reading.ts';
export { isAnsweredByConnecting, troubleOf, type KeyTrouble } from './key-trouble.ts';

export type KeyView =
  /** Looking for a key that was granted before. */
  | { readonly at: 'looking' }
  | { readonly at: 'none' }
  | { readonly at: 'choosing' }
  | { readonly at: 'reading' }
  | { readonly at: 'ready'; readonly reading: Reading }
  | { readonly at: 'trouble'; readonly trouble: KeyTrouble; readonly device?: AttachedKey };

/** One of several keys that are plugged in, as far as it is known which it is. */
export interface Candidate {
  readonly attached: AttachedKey;
  /** `waiting`: its turn to be read has not come. */
  readonly known: 'waiting' | 'reading' | KeyFacts | KeyTrouble;
}

const freshMs = 30_000;

/** The key that is plugged in, as the pages see it. The device is open only while a task runs. */
class UsbKeyState {
  view = $state.raw<KeyView>({ at: 'looking' });
  /** Keys of this site that are plugged in, refused ones included. */
  attached = $state.raw<readonly AttachedKey[]>([]);
  /** Which of the browser's two choosers to open first: the one for the key that was there last. */
  way = $state<'usb' | 'hid'>(recall('way') === 'usb' || !('hid' in navigator) ? 'usb' : 'hid');
  /** The chooser that was opened last. */
  asked = $state<'usb' | 'hid'>(this.way);
  /** While the view says `several`: what is known of each. */
  candidates = $state.raw<readonly Candidate[]>([]);
  /** The last four of the key that was read before the present one was put in its place; undefined: the same key. */
  insteadOf = $state<string | undefined>();

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
  /** Of several keys the one that was chosen; until it is unplugged. */
  #picked: AttachedKey | undefined;
  /** The serial number of the key a renewal was begun with: of several, it is the one to go on with. */
  #inWork: string | undefined;
  /** The serial number of the key that was shown until it was unplugged. */
  #unplugged: string | undefined;
  /** Whether the operator's models are known, or being asked for. */
  #models: Promise<void> | undefined;
  /** Guessed to be keys, tried, and found to be none. */
  #noKeys = $state.raw<readonly AttachedKey[]>([]);

  /** The keys to choose from. Guesses count only where there is no key that is known to be one. */
  readonly usable = $derived.by(() => {
    const open = this.attached.filter((key) => !key.refusal && !this.#noKeys.includes(key));
    const known = open.filter(({ device }) => !device.guessed);
    return known.length > 0 ? known : open;
  });

  constructor() {
    keyLocks.onWork = (lock) => {
      // What this tab shows is about to be out of date.
      if (this.view.at !== 'ready' || this.#task) return;
      const { attached } = this.view.reading;
      if (lockOf(attached) !== lock) return;
      this.view = { at: 'trouble', trouble: 'otherTab', device: attached };
      keyLocks.want(lock);
      this.#takeOver();
    };
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
  async connect(way: 'usb' | 'hid', choice: Choice = 'keys'): Promise<void> {
    if (this.#task) return;
    const before = this.view;
    // What was about to be read is not opened while the person chooses.
    this.#turn += 1;
    this.view = { at: 'choosing' };
    this.asked = way;
    let chosen: AttachedKey;
    try {
      chosen = await requestKey(way, choice);
    } catch (error) {
      const trouble = troubleOf(error);
      this.view = trouble === 'nothingChosen' && before.at === 'ready' ? before : { at: 'trouble', trouble };
      return;
    }
    if (!chosen.refusal) {
      this.way = way;
      remember('way', way);
    }
    this.#noKeys = this.#noKeys.filter((key) => key !== chosen);
    await this.#learnModels();
    this.attached = await authorisedKeys();
    // The operator's models, when they have come only now, make it another object.
    const same = this.attached.includes(chosen) ? chosen : this.attached.find((key) => isSame(key, chosen));
    const now = same ?? chosen;
    this.#picked = now;
    await this.#read(now);
  }

  /** Looks again for keys and reads the one that is there. */
  again(): Promise<void> {
    return untrack(() => this.#look());
  }

  /** Of several keys the person wants this one. */
  async pick(attached: AttachedKey): Promise<void> {
    this.#picked = attached;
    // Ends the reading of the others.
    const turn = ++this.#turn;
    this.view = { at: 'reading' };
    await this.#task;
    if (turn === this.#turn) await this.#read(attached);
  }

  /** Shows all keys again, to take another. */
  async pickAgain(): Promise<void> {
    this.#picked = undefined;
    this.endWork();
    await this.again();
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
    if (this.view.at === 'ready') {
      this.#picked = this.view.reading.attached;
      this.#inWork = this.view.reading.contents.info.serialNumber;
    }
    keyLocks.announceWork();
  }

  /** What was begun with a key is over, or given up: of several, none is the one to go on with. */
  endWork(): void {
    this.#inWork = undefined;
  }

  /** Resolves once no tab is at the key any more that this one wanted: it is done, or it was closed. */
  whenFree(): Promise<void> {
    return keyLocks.whenFree();
  }

  /** The authority has turned down a request because the old certificate is not good any more. */
  oldCertificateRefused(serialNumber: string): void {
    this.#refusedOld.add(serialNumber);
  }

  /**
   * Opens the attached key for one task and closes it afterwards. Nothing else touches the key meanwhile.
   * @throws TransportError; OwnTask when this page is at a key, OtherTab when another tab is at it
   */
  withKey<T>(attached: AttachedKey, task: (key: UsbKey) => Promise<T>, options: OpenOptions = {}): Promise<T> {
    if (this.#task) return Promise.reject(new OwnTask('this page is at the key already'));
    const running = keyLocks.run(lockOf(attached), async () => {
      const key = await attached.open(options);
      try {
        return await task(key);
      } finally {
        await key.close();
      }
    });
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

  /** Resolves once no task of this page is at a key. */
  async whenIdle(): Promise<void> {
    await this.#task;
  }

  /** What was pulled out or plugged in while a task was at a key: what came of it is only seen now. */
  async #afterTask(attached: AttachedKey): Promise<void> {
    this.attached = await authorisedKeys();
    if (this.#isBusy()) return;
    if (this.attached.includes(attached)) {
      const another = this.usable.length > 1 && !this.#picked && !this.#isAsking();
      if (another && this.#pages > 0) this.#lookWhenSeen();
      return;
    }
    this.#forget(attached);
    if (this.usable.length > 0 && this.#pages > 0) await this.#look();
    else if (this.view.at === 'ready' || this.#isAsking()) this.#showUnplugged(attached);
  }

  #isAsking(): boolean {
    return this.view.at === 'trouble' && this.view.trouble === 'several';
  }

  #showUnplugged(key: AttachedKey): void {
    if (this.view.at === 'ready') this.#unplugged = this.view.reading.contents.info.serialNumber;
    this.view = { at: 'trouble', trouble: unpluggedTrouble(key) };
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
    await this.#learnModels();
    this.attached = await authorisedKeys();
    if (turn !== this.#turn || this.#isBusy()) return;
    const { usable } = this;
    const one = usable.find((key) => key === this.#picked) ?? (usable.length === 1 ? usable[0] : undefined);
    if (one) await this.#read(one);
    else if (usable.length > 1) await this.#compare(usable);
    else this.#showUnusable();
  }

  #showUnusable(): void {
    const [noKey] = this.#noKeys.filter((key) => this.attached.includes(key));
    const refused = this.attached.find(({ refusal }) => refusal);
    if (refused?.refusal) this.view = { at: 'trouble', trouble: refused.refusal.reason, device: refused };
    else this.view = noKey ? { at: 'trouble', trouble: 'notAKey', device: noKey } : { at: 'none' };
  }

  /** The operator's models, before it is judged what is plugged in. Without the operator the site knows its own. */
  #learnModels(): Promise<void> {
    this.#models ??= loadConfig().then(
      ({ models }) => setModelAdditions(models),
      () => {
        this.#models = undefined;
      },
    );
    return this.#models;
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
        this.#forget(key);
        // A task that is at the key ends by itself and says so; without one the page does.
        if (this.#task) return;
        const { view } = this;
        if (this.#isAsking() && this.#pages > 0) void this.#look();
        else if (concerns(view, key)) this.#showUnplugged(key);
      },
    });
  }

  /** Nothing that was said of this key holds for the next one. */
  #forget(key: AttachedKey): void {
    forgetWrongPasswords(key);
    if (this.putOff === key) this.putOff = undefined;
    if (this.#picked === key) this.#picked = undefined;
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
      const word = await askOperator();
      if (turn !== this.#turn) return;
      mayOpen(attached, word);
      const marks = {
        oldCertificateRefused: (serialNumber: string) => this.#refusedOld.has(serialNumber),
        lastTryConfirmed: (serialNumber: string) => this.#sure.has(serialNumber),
        isRevoked: (certificate: Certificate) => certificateStatuses.isRevoked(certificate),
      };
      view = { at: 'ready', reading: await this.withKey(attached, (key) => readKey(key, attached, word, marks)) };
    } catch (error) {
      view = { at: 'trouble', trouble: this.#judge(error, attached), device: attached };
    }
    if (turn !== this.#turn) return;
    this.view = view;
    if (view.at === 'ready') {
      this.way = attached.way;
      this.#compareWithLast(view.reading);
    } else if (view.trouble === 'otherTab') this.#takeOver();
  }

  /** Says so when the key that was pulled out comes back as another. */
  #compareWithLast({ contents }: Reading): void {
    const last = this.#unplugged;
    this.#unplugged = undefined;
    this.insteadOf = last === undefined || last === contents.info.serialNumber ? undefined : last.slice(-4);
  }

  #judge(error: unknown, attached: AttachedKey): KeyTrouble {
    const trouble = troubleOf(error, attached);
    if (!attached.device.guessed || !provesNoKey(trouble)) return trouble;
    this.#noKeys = [...this.#noKeys, attached];
    return 'notAKey';
  }

  /** Tells several keys apart: reads which each is, one after the other, until the person takes one. */
  async #compare(keys: readonly AttachedKey[]): Promise<void> {
    const turn = ++this.#turn;
    this.candidates = keys.map((attached) => ({ attached, known: 'waiting' }));
    this.view = { at: 'trouble', trouble: 'several' };
    const word = await askOperator().catch((error: unknown) => troubleOf(error));
    for (const key of keys) {
      if (turn !== this.#turn) return;
      this.#know(key, 'reading');
      const known = typeof word === 'string' ? word : await this.#whichIs(key, word);
      if (turn !== this.#turn) return;
      if (known === 'notAKey' || this.#isListed(known)) {
        // One key that shows itself twice, as composite ones do, is one key.
        this.candidates = this.candidates.filter(({ attached }) => attached !== key);
      } else {
        this.#know(key, known);
      }
      if (typeof known === 'object' && known.serialNumber !== '' && known.serialNumber === this.#inWork) {
        await this.pick(key);
        return;
      }
    }
    const [only, another] = this.candidates;
    if (only && !another) await this.pick(only.attached);
    else if (!only) this.#showUnusable();
  }

  #know(key: AttachedKey, known: Candidate['known']): void {
    this.candidates = this.candidates.map((one) => (one.attached === key ? { attached: key, known } : one));
  }

  #isListed(facts: Candidate['known']): boolean {
    if (typeof facts === 'string' || facts.serialNumber === '') return false;
    return this.candidates.some(({ known }) => typeof known === 'object' && known.serialNumber === facts.serialNumber);
  }

  async #whichIs(attached: AttachedKey, word: OperatorsWord): Promise<KeyFacts | KeyTrouble> {
    try {
      mayOpen(attached, word);
      return await this.withKey(attached, (key) => readKeyFacts(key, word.config));
    } catch (error) {
      return this.#judge(error, attached);
    }
  }
}

/** Whether both are the same device, as far as it can be told from outside. */
function isSame(a: AttachedKey, b: AttachedKey): boolean {
  const { way, vendorId, productId, device } = a;
  return (
    way === b.way &&
    vendorId === b.vendorId &&
    productId === b.productId &&
    device.serialNumber === b.device.serialNumber
  );
}

/** Whether what is shown is of this key, so that it is over when the key is pulled out. */
function concerns(view: KeyView, key: AttachedKey): boolean {
  if (view.at === 'ready') return view.reading.attached === key;
  if (view.at !== 'trouble' || view.trouble === 'unplugged' || view.trouble === 'unpluggedForgotten') return false;
  return view.device === undefined || view.device === key;
}

export const usbkey = new UsbKeyState();
