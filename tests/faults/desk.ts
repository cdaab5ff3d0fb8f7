import { setInterval as realInterval, clearInterval as clearReal } from 'node:timers';
import { TransportError } from '../../src/apdu/channel.ts';
import { CaError } from '../../src/ca/authority.ts';
import {
  RenewalProcedure,
  type AskPassword,
  type Ports,
  type Progress,
  type Rules,
} from '../../src/renewal/procedure.ts';
import type { Outcome } from '../../src/renewal/outcome.ts';
import { fromHex } from '../../src/pki/bytes.ts';
import { CertificateError, parseCertificate } from '../../src/pki/certificate.ts';
import { DerError } from '../../src/pki/der.ts';
import { transactionIdOf } from '../../src/renewal/container-name.ts';
import type { Policy } from '../../src/service/config.ts';
import { StorageError } from '../../src/storage/errors.ts';
import { KeyError, type UsbKey } from '../../src/usbkey/usbkey.ts';
import type { ReferenceCa } from '../reference-ca/reference-ca.ts';
import type { Card } from '../virtual-key/card.ts';
import { parseCommandApdu } from '../virtual-key/command-apdu.ts';
import type { KeyState } from '../virtual-key/state.ts';
import { VirtualKey } from '../virtual-key/virtual-key.ts';
import { situations, type Fault, type Profile, type Situation, type Trial, type Verdict } from './fault.ts';
import { authorityAt } from './authority.ts';
import type { FaultOffice } from './office.ts';
import { insideOf, setTries, tearNewest } from './inside.ts';
import { Page } from './page.ts';
import { policy } from './policy.ts';
import { substitute } from './substitute.ts';
import type { VirtualTime } from './virtual-time.ts';
import { Watch } from './watch.ts';
import { falsify, isCounter, nonsense } from './wire.ts';
import { MemoryJournal } from './world.ts';

/** A deliberate defect: other ports than those the procedure should have, or a lock that does not lock. */
export interface Defect {
  readonly change?: (ports: Ports, desk: Desk) => Ports;
  /** As a driver would make it: another command than was meant, or none at all and its answer made up. */
  readonly rewrite?: (
    command: Uint8Array,
    state: KeyState,
  ) => { readonly command: Uint8Array } | { readonly answer: Uint8Array };
  readonly ignoresLock?: boolean;
}

/** How one press of the button ended. */
type Press =
  | Outcome
  | { readonly kind: 'trouble'; readonly reason: string }
  | { readonly kind: 'otherTab' }
  | { readonly kind: 'pageDied' }
  | { readonly kind: 'hung' };

const sayPress = (press: Press): string => ('reason' in press ? press.reason : press.kind);

/** The person gives up after so many questions in one press; more where the key wants the password for every signature. */
const patience = { usual: 4, everySignature: 20 } as const;
/**
 * A press that takes a hundred times the processor's time it should goes round in circles; one in which nothing has
 * stirred for this long stands still. A slow machine does neither.
 */
const hungAfter = { processorMs: 20_000, stillMs: 120_000, lookEveryMs: 2_000 } as const;
const hourMs = 3_600_000;
/** Hours that go by. */
const laps: Readonly<Record<string, number>> = { late: 2, nextDay: 30, month: 40 * 24 };
const wrongPassword = '87654321';
/** A software key has no secrets from its owner. */
const passwordOf = ({ piv, applications }: KeyState): string => piv?.pin ?? applications[0]?.userPassword ?? '';

/** A key with everything that watches it and can go wrong in it. */
class KeyOnDesk {
  readonly key: VirtualKey;
  readonly watch: Watch;
  readonly #initial: KeyState;
  counterReads = 0;
  lie: { readonly at: number; readonly kind: string } | undefined;
  /** Pulls the key out as soon as it holds such a whole certificate of ours: what that leaves is torn afterwards. */
  tearing: 'signing' | 'encryption' | undefined;
  readonly #rewrite: Defect['rewrite'];

  constructor(state: KeyState, desk: Desk, browser?: VirtualKey) {
    this.#initial = state;
    this.#rewrite = desk.defect.rewrite;
    this.watch = new Watch(state, desk.situation, desk.ca.ledger, () => desk.journal.records);
    this.key = new VirtualKey(state, {
      persist: (now) => this.#persisted(now),
      hasGesture: () => true,
      through: (card) => this.#between(card),
      ...(browser && { usb: browser.usb, hid: browser.hid }),
    });
    this.key.grant();
  }

  /** Changes the key's memory while it is not plugged in, as somebody else's program or a torn write would. */
  async meddle(change: (state: KeyState) => void): Promise<void> {
    const state = this.key.state();
    change(state);
    await this.key.unplug();
    await this.key.reset(state);
    this.counterReads = 0;
  }

  setTries(remaining: number | undefined): Promise<void> {
    return this.meddle((state) => setTries(state, remaining));
  }

  #persisted(state: KeyState): void {
    this.watch.onPersist(state);
    const { tearing } = this;
    if (!tearing) return;
    const ours = insideOf(state).filter(({ name }) => isOurs(name));
    if (!ours.some((one) => isWhole(tearing === 'signing' ? one.certificate : one.encryption?.certificate))) return;
    this.tearing = undefined;
    void this.key.unplug();
  }

  get initial(): KeyState {
    return this.#initial;
  }

  #between(card: Card): Card {
    return {
      apduLevel: card.apduLevel,
      maxCommandBytes: card.maxCommandBytes,
      answerToReset: card.answerToReset,
      powerUp: () => card.powerUp(),
      powerDown: () => card.powerDown(),
      transmit: async (bytes, onSlow) => {
        const sent = this.#rewrite?.(bytes, this.key.state()) ?? { command: bytes };
        if ('answer' in sent) return sent.answer;
        this.watch.onCommand(sent.command);
        const answer = await card.transmit(sent.command, onSlow);
        this.watch.onAnswer(sent.command, answer);
        const command = parseCommandApdu(sent.command);
        return command && isCounter(this.#initial, command) ? this.#counter(answer) : answer;
      },
    };
  }

  #counter(answer: Uint8Array): Uint8Array {
    this.counterReads += 1;
    const { lie } = this;
    const always = lie?.kind.startsWith('always') === true;
    if (!lie || (always ? this.counterReads < lie.at : this.counterReads !== lie.at)) return answer;
    const says = (change: (remaining: number) => number): Uint8Array => falsify(this.#initial, answer, change);
    switch (lie.kind) {
      case 'zero':
      case 'alwaysZero':
        return says(() => 0);
      case 'one':
        return says(() => 1);
      case 'most':
        return says(() => 15);
      case 'more':
      case 'alwaysMore':
        return says((remaining) => Math.min(15, remaining + (lie.kind === 'more' ? 1 : this.counterReads)));
      case 'less':
      case 'alwaysLess':
        return says((remaining) => Math.max(0, remaining - (lie.kind === 'less' ? 1 : this.counterReads)));
      default:
        return nonsense(this.#initial, answer);
    }
  }
}

/** All that is in a key's containers, as text. */
const contentOf = ({ key }: KeyOnDesk): string =>
  JSON.stringify(insideOf(key.state()).map(({ place, content }) => [place, content]));

const isOurs = (name: string): boolean => transactionIdOf(name) !== undefined;

function isWhole(certificate: string | undefined): boolean {
  if (certificate === undefined) return false;
  try {
    parseCertificate(fromHex(certificate));
    return true;
  } catch (error) {
    if (error instanceof CertificateError || error instanceof DerError) return false;
    throw error;
  }
}

/** One trial: a person with a key at a computer, an authority, and the faults of the trial. */
export class Desk {
  readonly situation: Situation;
  readonly time: VirtualTime;
  readonly office: FaultOffice;
  readonly defect: Defect;
  ca!: ReferenceCa;
  journal = new MemoryJournal();
  mine!: KeyOnDesk;
  other!: KeyOnDesk;
  /** The key that is plugged in. */
  current!: KeyOnDesk;
  #page!: Page;
  #skewMs = 0;
  #lockedBy: Page | undefined;
  #exchanges = 0;
  #puts = 0;
  #waits = 0;
  #ruled = 0;
  #armed: Fault | undefined;
  #struck = false;

  private constructor(situation: Situation, office: FaultOffice, time: VirtualTime, defect: Defect) {
    this.situation = situation;
    this.office = office;
    this.time = time;
    this.defect = defect;
  }

  static async open(situation: Situation, office: FaultOffice, time: VirtualTime, defect: Defect = {}): Promise<Desk> {
    const desk = new Desk(situation, office, time, defect);
    const { ca, mine, other } = await office.begin(situation, desk.now);
    desk.ca = ca;
    desk.mine = new KeyOnDesk(mine, desk);
    desk.other = new KeyOnDesk(other, desk, desk.mine.key);
    desk.current = desk.mine;
    const append = ca.ledger.append.bind(ca.ledger);
    ca.ledger.append = async (entry) => {
      await append(entry);
      desk.mine.watch.onEntry(entry);
      desk.other.watch.onEntry(entry);
    };
    await desk.mine.key.plug();
    desk.#page = new Page(desk.mine.key, time);
    return desk;
  }

  readonly now = (): Date => new Date(Date.now() + this.#skewMs);

  get page(): Page {
    return this.#page;
  }

  /** Presses the button once and waits for the end, however it ends. */
  async press(page = this.#page): Promise<Press> {
    const watchdog: { timer?: NodeJS.Timeout } = {};
    const hung = new Promise<Press>((resolve) => {
      const from = process.cpuUsage();
      let last = { stirs: this.time.stirs, at: Date.now() };
      watchdog.timer = realInterval(() => {
        if (this.time.stirs !== last.stirs) last = { stirs: this.time.stirs, at: Date.now() };
        const { user, system } = process.cpuUsage(from);
        const endless = (user + system) / 1000 > hungAfter.processorMs;
        if (endless || Date.now() - last.at > hungAfter.stillMs) resolve({ kind: 'hung' });
      }, hungAfter.lookEveryMs);
    });
    const died = page.dead.then((): Press => ({ kind: 'pageDied' }));
    const ended = await Promise.race([this.#alone(page), died, hung]);
    clearReal(watchdog.timer);
    return ended;
  }

  /** As the site does: the key's lock first, then the key, then the procedure. */
  async #alone(page: Page): Promise<Press> {
    if (this.#lockedBy?.alive && !this.defect.ignoresLock) return { kind: 'otherTab' };
    this.#lockedBy = page;
    const stop = new AbortController();
    try {
      const key = await page.connect();
      try {
        const ports = this.#ports(page, key);
        const outcome = await new RenewalProcedure(this.defect.change?.(ports, this) ?? ports).run({
          purpose: this.situation.purpose,
          askPassword: this.#person(page),
          signal: stop.signal,
          onProgress: (progress) => {
            if (this.#stopsAt(progress)) stop.abort();
          },
        });
        const isPaused = outcome.kind === 'stopped' && outcome.reason === 'paused' && outcome.resumable;
        if (stop.signal.aborted && page.alive && !isPaused)
          this.current.watch.lost.push(`stopped at a wait: ${sayPress(outcome)}`);
        return outcome;
      } finally {
        await key.close();
      }
    } catch (error) {
      if (error instanceof TransportError || error instanceof KeyError) return { kind: 'trouble', reason: error.code };
      throw error;
    } finally {
      this.#lockedBy = undefined;
    }
  }

  /** Whether the person leaves it for later now. */
  #stopsAt({ waitingUntil }: Progress): boolean {
    if (waitingUntil === undefined) return false;
    const isNow = this.#due('wait', ++this.#waits) !== undefined;
    return isNow || (this.#struck && this.#armed?.kind === 'busyStopped');
  }

  /** What the operator says now. */
  #rulesNow(policy: Policy): Rules {
    switch (this.#due('rules', ++this.#ruled)) {
      case 'closed':
        return { policy: { ...policy, enrolment: 'closed' }, enrolment: 'on' };
      case 'notRolledOut':
        return { policy: { ...policy, rolloutPercent: 0 }, enrolment: 'on' };
      case 'modelStopped':
        return { policy, enrolment: 'readOnly' };
      default:
        return { policy, enrolment: 'on' };
    }
  }

  #person(page: Page): AskPassword {
    const { passwordForEverySignature = false } = this.situation.face;
    let left = passwordForEverySignature ? patience.everySignature : patience.usual;
    let asked = 0;
    return async (question, use) => {
      if (!page.alive || --left < 0) return false;
      if (question.kind === 'managementKey') {
        await use(fromHex(this.current.initial.piv?.managementKey.key ?? ''));
        return true;
      }
      asked += 1;
      this.current.watch.typed += 1;
      const isWrong = asked === 1 && this.situation.mistypes === true;
      await use(new TextEncoder().encode(isWrong ? wrongPassword : passwordOf(this.current.initial)));
      return true;
    };
  }

  #ports(page: Page, key: UsbKey): Ports {
    const own: Policy = { ...policy, encryptionCertificate: this.situation.encryption ? 'ifOldHas' : 'none' };
    return {
      key,
      authority: authorityAt(this.office.origin, this.situation.authority, {
        anchors: [...this.office.trust.anchors],
        fetch: (url, init) => page.alone(() => this.#exchange(page, url, init)),
        now: this.now,
        timeoutMs: 5_000,
      }),
      journal: this.#journalOf(page),
      trust: this.office.trust,
      policy: own,
      enrolment: 'on',
      rulesNow: () => page.alone(() => Promise.resolve(this.#rulesNow(own))),
      now: this.now,
      wait: (_milliseconds, signal) =>
        page.alone(() =>
          signal?.aborted ? Promise.reject(new CaError('cancelled', 'waiting was cancelled')) : Promise.resolve(),
        ),
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    };
  }

  /** The edge to the authority: what the page sends goes over real HTTP, unless the fault says otherwise. */
  async #exchange(page: Page, url: string, init: RequestInit): Promise<Response> {
    if (init.body instanceof Uint8Array) this.current.watch.onMessage(init.body);
    const fault = this.#due('ca', ++this.#exchanges);
    const dropped = (): TypeError => new TypeError('fetch failed');
    if (fault === 'requestDropped' || fault === 'requestsDropped') throw dropped();
    if (fault === 'busyStopped') return new Response(null, { status: 503, headers: { 'Retry-After': '10' } });
    const response = await this.time.during(this.office.fetch(url, init));
    if (!page.alive) return response;
    switch (fault) {
      case 'answerDropped':
      case 'answersDropped':
        throw dropped();
      case 'error500':
      case 'errors500':
        return new Response('{}', { status: 500, headers: { 'content-type': 'application/problem+json' } });
      case 'garbage':
      case 'allGarbage': {
        const { status, headers } = response;
        return new Response(crypto.getRandomValues(new Uint8Array(300)), { status, headers });
      }
      default:
        return response;
    }
  }

  #journalOf(page: Page): MemoryJournal {
    return substitute(this.journal, {
      put: (record) =>
        page.alone(async () => {
          const { journal } = this;
          this.current.watch.onRecord(record);
          const fault = this.#due('journal', ++this.#puts);
          if (fault === 'killBefore') {
            page.kill();
            return;
          }
          if (fault === 'refused') throw new StorageError('quota', 'no room for the journal');
          if (fault === 'otherTab') await this.press(new Page(this.mine.key, this.time));
          await journal.put(record);
          if (fault === 'killAfter') page.kill();
        }),
      get: (id) => page.alone(() => this.journal.get(id)),
      ofKey: (serial) => page.alone(() => this.journal.ofKey(serial)),
      remove: (id) => page.alone(() => this.journal.remove(id)),
    });
  }

  /** The fault that is due at the n-th of what is counted here. */
  #due(place: 'ca' | 'journal' | 'wait' | 'rules', count: number): string | undefined {
    const fault = this.#armed;
    if (fault?.place !== place) return undefined;
    const lasting = /s(?:Dropped|500)$|^all|^busy/u.test(fault.kind);
    if (lasting ? count < fault.n : count !== fault.n) return undefined;
    this.#struck = true;
    return fault.kind;
  }

  #reached = (): boolean => this.#struck;

  #arm(fault: Fault): void {
    const { key } = this.current;
    const { n, kind } = fault;
    this.#armed = fault;
    this.#struck = false;
    this.#exchanges = 0;
    this.#puts = 0;
    this.#waits = 0;
    this.#ruled = 0;
    this.current.counterReads = 0;
    const from = { transfers: key.transfers, writes: key.writes, calls: this.#page.calls };
    this.#reached = () => this.#struck;
    switch (fault.place) {
      case 'transfer':
        if (kind === 'before' || kind === 'after') key.unplugAt(n, kind);
        else if (kind === 'lost' || kind === 'stall') key.disturb(n, kind);
        this.#reached = () => key.transfers >= from.transfers + n;
        return;
      case 'write':
        if (kind === 'before' || kind === 'after') key.unplugAtWrite(n, kind);
        this.#reached = () => key.writes >= from.writes + n;
        return;
      case 'torn':
        this.current.tearing = tornUsage(n);
        this.#reached = () => this.current.tearing === undefined;
        return;
      case 'call': {
        const page = this.#page;
        page.killAtCall(n, kind === 'killBefore' ? 'before' : 'after');
        this.#reached = () => page.calls >= from.calls + n;
        return;
      }
      case 'counter':
        this.current.lie = { at: n, kind };
        this.#reached = () => this.current.counterReads >= n;
        return;
      default:
    }
  }

  /** All is well again, as far as it was only passing. @returns whether the fault struck */
  async #heal(fault: Fault): Promise<boolean> {
    const { current } = this;
    const struck = this.#reached();
    this.#armed = undefined;
    current.key.disarm();
    current.tearing = undefined;
    this.#page.disarm();
    if (!current.lie?.kind.startsWith('always')) current.lie = undefined;
    if (fault.place === 'torn' && struck) await current.meddle((state) => tear(state, fault.n));
    if (!this.#page.alive) this.#page = new Page(this.mine.key, this.time);
    await current.key.plug();
    return struck;
  }

  /** One press with a fault, and its healing. */
  async #pressWith(fault: Fault): Promise<{ readonly press: Press; readonly struck: boolean }> {
    this.#arm(fault);
    const { current } = this;
    const before = contentOf(current);
    const press = await this.press();
    if (fault.place === 'rules' && this.#struck) {
      // The operator's word counts, and it came in time.
      if (sayPress(press) !== fault.kind) current.watch.lost.push(`${fault.kind}, and the run: ${sayPress(press)}`);
      if (contentOf(current) !== before) current.watch.lost.push(`${fault.kind}, and the key was written to`);
    }
    return { press, struck: await this.#heal(fault) };
  }

  /** Something happens between two presses; then a press, and, where that made a named state of it, its remedy. */
  async #between(fault: Fault): Promise<Press> {
    switch (fault.kind) {
      case 'late':
      case 'nextDay':
      case 'month': {
        this.#skewMs += (laps[fault.kind] ?? 0) * hourMs;
        return this.press();
      }
      case 'otherComputer': {
        this.journal = new MemoryJournal();
        this.#page = new Page(this.mine.key, this.time);
        return this.press();
      }
      case 'locked': {
        await this.mine.setTries(0);
        await this.mine.key.plug();
        const press = await this.press();
        if (press.kind !== 'success') {
          await this.mine.setTries(undefined);
          await this.mine.key.plug();
        }
        return press;
      }
      case 'otherKey': {
        await this.mine.key.unplug();
        this.current = this.other;
        await this.other.key.plug();
        const press = await this.press();
        if (press.kind !== 'success') this.other.watch.lost.push(`the other key: ${sayPress(press)}`);
        await this.other.key.unplug();
        this.current = this.mine;
        await this.mine.key.plug();
        return { kind: 'otherTab' };
      }
      default: {
        await this.#refuseHolder(true);
        const press = await this.press();
        await this.#refuseHolder(false);
        return press;
      }
    }
  }

  async #refuseHolder(refuses: boolean): Promise<void> {
    for (const { certificate } of insideOf(this.mine.initial)) {
      const known = certificate === undefined ? undefined : this.ca.ledger.certificate(fromHex(certificate));
      if (known?.status !== 'valid') continue;
      const { authority, holder } = known;
      await this.ca.ledger.append({
        type: 'registered',
        usage: 'signing',
        certificate: known.certificate,
        authority,
        refuses,
        waits: holder.waits,
      });
    }
  }

  /** Runs a trial to its end. */
  async run(trial: Trial): Promise<Verdict> {
    const presses: Press[] = [];
    let struck = true;
    if (trial.first) {
      const first = await this.#pressWith(trial.first);
      struck = first.struck;
      presses.push(first.press);
    }
    if (trial.second && presses.at(-1)?.kind !== 'success') {
      if (trial.second.place === 'between') presses.push(await this.#between(trial.second));
      else {
        const second = await this.#pressWith(trial.second);
        struck &&= second.struck;
        presses.push(second.press);
      }
    } else if (trial.second) struck = false;
    for (let recovery = 1; recovery <= 3 && presses.at(-1)?.kind !== 'success'; recovery++) {
      // Who was not helped by pressing again pulls the key out and reloads the page.
      if (recovery > 1) {
        await this.mine.key.unplug();
        await this.mine.key.plug();
        this.#page.kill();
        this.#page = new Page(this.mine.key, this.time);
      }
      presses.push(await this.press());
    }
    return this.#verdict(trial, presses, struck);
  }

  #verdict(trial: Trial, presses: readonly Press[], struck: boolean): Verdict {
    const last = presses.at(-1);
    if (last?.kind === 'success') this.mine.watch.checkEnd(last);
    const kinds = [trial.first, trial.second].map((fault) => (fault ? `${fault.place} ${fault.kind}` : ''));
    const allowed = kinds.flatMap((kind) => [...(namedStates.find(([pattern]) => pattern.test(kind))?.[1] ?? [])]);
    const named = presses.map(sayPress).find((reason) => allowed.includes(reason));
    const lasts = kinds.some((kind) => kind.startsWith('counter always')) || (last && sayPress(last) === 'noRoom');
    const ending =
      last?.kind === 'success' ? (named ? 'explained' : 'recovered') : named && lasts ? 'explained' : 'stuck';
    const watches = [this.mine.watch, this.other.watch];
    return {
      trial,
      struck,
      ending,
      cause: ending === 'explained' && last?.kind === 'success' ? (named ?? '') : last ? sayPress(last) : 'not pressed',
      lost: watches.flatMap(({ lost }) => lost),
      doubleIssued: watches.flatMap(({ doubleIssued }) => doubleIssued),
      presses: presses.map(sayPress),
    };
  }

  /** What a press without faults passes by. */
  async profile(): Promise<Profile> {
    this.#exchanges = 0;
    this.#puts = 0;
    this.#waits = 0;
    this.#ruled = 0;
    const press = await this.press();
    if (press.kind !== 'success') throw new Error(`a press without faults ends in ${sayPress(press)}`);
    return {
      transfer: this.mine.key.transfers,
      call: this.#page.calls,
      write: this.mine.key.writes,
      ca: this.#exchanges,
      journal: this.#puts,
      wait: this.#waits,
      rules: this.#ruled,
      counter: this.mine.counterReads,
    };
  }

  /** Power off for good. */
  async close(): Promise<void> {
    this.#page.kill();
    await this.mine.key.unplug();
    await this.other.key.unplug();
  }
}

/** Only these may end, or pause, in a named state with a next step; everything else ends in success. */
const namedStates: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^counter/u, ['locked', 'passwordUnknown', 'keyRefused', 'deviceTrouble']],
  // A certificate that was withdrawn stays where it is, in the last container a tight key had.
  [/(?:late|nextDay|month)$/u, ['withdrawn', 'noRoom']],
  [/locked$/u, ['locked']],
  [/^between refused$/u, ['caRejected']],
  [/^rules/u, ['closed', 'notRolledOut', 'modelStopped']],
];

const tears: readonly ((certificate: string) => string)[] = [
  (certificate) => certificate.slice(0, 2),
  (certificate) => certificate.slice(0, 8),
  (certificate) => certificate.slice(0, certificate.length / 2 - ((certificate.length / 2) % 2)),
  (certificate) => certificate.slice(0, -2),
  (certificate) => certificate.slice(0, -128) + 'ff'.repeat(64),
  (certificate) => certificate.slice(0, 64) + '00'.repeat(certificate.length / 2 - 32),
];
/** How many ways there are to tear: each of a container's certificates. */
export const tearCount = ({ encryption }: Situation): number => tears.length * (encryption ? 2 : 1);
const tornUsage = (n: number): 'signing' | 'encryption' => (n > tears.length ? 'encryption' : 'signing');

/** Hex digits of an object that the first command of a chain brings at least: a PIV key writes whole commands. */
const firstCommand = 480;

/** What a torn write leaves of the newest container's certificate. */
function tear(state: KeyState, n: number): void {
  const torn = (whole: string): string => tears[(n - 1) % tears.length]?.(whole) ?? whole;
  tearNewest(state, tornUsage(n), (whole) =>
    state.piv ? whole.slice(0, firstCommand) + torn(whole.slice(firstCommand)) : torn(whole),
  );
}

export const openTrial = (trial: Trial, office: FaultOffice, time: VirtualTime, defect: Defect = {}): Promise<Desk> => {
  const situation = situations[trial.situation];
  if (!situation) throw new Error(`no situation ${trial.situation}`);
  return Desk.open(situation, office, time, defect);
};
