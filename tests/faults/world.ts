import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CaError } from '../../src/ca/authority.ts';
import type { Journal, JournalRecord, Purpose } from '../../src/renewal/journal.ts';
import { RenewalProcedure, type AskPassword, type Ports, type Progress } from '../../src/renewal/procedure.ts';
import type { Outcome } from '../../src/renewal/outcome.ts';
import type { Trust } from '../../src/renewal/trust.ts';
import type { Policy } from '../../src/service/config.ts';
import { authorisedKeys } from '../../src/usbkey/connect.ts';
import type { UsbKey } from '../../src/usbkey/usbkey.ts';
import { authorityAt } from './authority.ts';
import type { AuthorityKind } from './fault.ts';
import { policy } from './policy.ts';
import { answerWith } from '../reference-ca/http.ts';
import { openReferenceCa, type ReferenceCa, type ReferenceCaOptions } from '../reference-ca/reference-ca.ts';
import type { Attachment, KeyState, Scenario } from '../virtual-key/state.ts';
import { VirtualKey } from '../virtual-key/virtual-key.ts';

/** The password of every personalised key. */
export const samplePassword = '12345678';

/** A journal that outlives the page but not the test; records go in and out as copies, as through a database. */
export class MemoryJournal implements Journal {
  readonly records = new Map<string, JournalRecord>();
  put(record: JournalRecord): Promise<void> {
    this.records.set(record.transactionId, structuredClone(record));
    return Promise.resolve();
  }
  get(transactionId: string): Promise<JournalRecord | undefined> {
    return Promise.resolve(structuredClone(this.records.get(transactionId)));
  }
  ofKey(keySerialNumber: string): Promise<readonly JournalRecord[]> {
    const own = [...this.records.values()].filter((record) => record.keySerialNumber === keySerialNumber);
    return Promise.resolve(structuredClone(own.sort((a, b) => b.updatedAt - a.updatedAt)));
  }
  remove(transactionId: string): Promise<void> {
    this.records.delete(transactionId);
    return Promise.resolve();
  }
}

/** The records of a world that keeps its journal in memory. */
export function recordsOf({ journal }: { readonly journal: Journal }): Map<string, JournalRecord> {
  if (!(journal instanceof MemoryJournal)) throw new Error('this world keeps its journal elsewhere');
  return journal.records;
}

/** An authority, shared by the worlds of a test file: its key hierarchy takes a while to make. */
export class Office {
  readonly ca: ReferenceCa;
  readonly origin: string;
  readonly trust: Trust;
  readonly #server: Server;
  private constructor(ca: ReferenceCa, server: Server, origin: string) {
    this.ca = ca;
    this.#server = server;
    this.origin = origin;
    const { sm2, p256, oldRsa } = ca.hierarchy;
    this.trust = {
      anchors: [sm2.root, p256.root, oldRsa.root],
      intermediates: [sm2, p256, oldRsa].map(({ issuing }) => issuing.certificate),
      oldIssuers: [oldRsa.root],
      taxpayerNumberTypes: ['1.2.156.10260.4.1.5', '1.2.86.11.7.5'],
    };
  }

  static async open(options: ReferenceCaOptions = {}): Promise<Office> {
    const ca = await openReferenceCa(options);
    const server = createServer(answerWith(ca.handler));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Office(ca, server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.ca.close();
  }
}

export interface WorldOptions {
  readonly authority?: AuthorityKind;
  readonly fetch?: typeof fetch;
  readonly policy?: Partial<Policy>;
  readonly now?: () => Date;
  readonly journal?: Journal;
  readonly persist?: (state: KeyState) => void;
}

/** One person's desk: a key in a browser, a journal, an authority at the other end of the line. */
export class World {
  readonly office: Office;
  readonly key: VirtualKey;
  readonly initial: KeyState;
  readonly journal: Journal;
  /** Steps reported by the last run. */
  progress: Progress[] = [];
  passwordsTyped = 0;
  readonly #options: WorldOptions;

  private constructor(office: Office, state: KeyState, options: WorldOptions) {
    this.office = office;
    this.initial = structuredClone(state);
    this.#options = options;
    this.journal = options.journal ?? new MemoryJournal();
    this.key = new VirtualKey(state, { ...(options.persist && { persist: options.persist }), hasGesture: () => true });
    this.key.grant();
  }

  static async open(
    office: Office,
    scenario: Scenario | KeyState,
    attachment: Attachment,
    options: WorldOptions = {},
  ): Promise<World> {
    const state = typeof scenario === 'string' ? await office.ca.personalise(scenario, attachment) : scenario;
    const world = new World(office, state, options);
    await world.key.plug();
    return world;
  }

  /** The key as the page gets it: through discovery, framing, session and driver. */
  async connect(): Promise<UsbKey> {
    Object.defineProperty(globalThis, 'navigator', {
      configurable: true,
      value: { usb: this.key.usb, hid: this.key.hid },
    });
    const [attached] = (await authorisedKeys()).filter(({ refusal }) => !refusal);
    if (!attached) throw new Error('no key is plugged in and granted');
    return attached.open();
  }

  ports(key: UsbKey): Ports {
    return {
      key,
      authority: authorityAt(this.office.origin, this.#options.authority ?? 'cmp', {
        anchors: [...this.office.trust.anchors],
        fetch: this.#options.fetch ?? fetch,
        now: this.#options.now ?? ((): Date => new Date()),
        timeoutMs: 5_000,
      }),
      journal: this.journal,
      trust: this.office.trust,
      policy: { ...policy, ...this.#options.policy },
      enrolment: 'on',
      now: this.#options.now ?? ((): Date => new Date()),
      wait: (_milliseconds, signal) =>
        signal?.aborted ? Promise.reject(new CaError('cancelled', 'waiting was cancelled')) : Promise.resolve(),
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    };
  }

  /** Types the given passwords, one a question; then gives up. A question for the management key ends it as well. */
  typing(...passwords: readonly string[]): AskPassword {
    const left = [...passwords];
    return async (question, use) => {
      const password = question.kind === 'password' ? left.shift() : undefined;
      if (password === undefined) return false;
      this.passwordsTyped += 1;
      const bytes = new TextEncoder().encode(password);
      await use(bytes);
      bytes.fill(0);
      return true;
    };
  }

  /** Connects and runs the procedure once, as pressing the button would. */
  async press(
    purpose: Purpose = 'renewal',
    askPassword: AskPassword = this.typing(samplePassword, samplePassword),
    change: (ports: Ports) => Ports = (ports) => ports,
    /** 先停下, as soon as the page shows the n-th wait for the authority; 1 is the first. */
    stopAtWait?: number,
  ): Promise<Outcome> {
    const stop = new AbortController();
    let waits = 0;
    const key = await this.connect();
    this.progress = [];
    try {
      return await new RenewalProcedure(change(this.ports(key))).run({
        purpose,
        askPassword,
        signal: stop.signal,
        onProgress: (progress) => {
          this.progress.push(progress);
          if (progress.waitingUntil !== undefined && ++waits === stopAtWait) stop.abort();
        },
      });
    } finally {
      await key.close();
    }
  }
}
