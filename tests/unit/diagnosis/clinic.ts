import 'fake-indexeddb/auto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cause } from '../../../src/diagnosis/causes.ts';
import type { CheckId, Finding } from '../../../src/diagnosis/check.ts';
import { identifyBrowser } from '../../../src/diagnosis/browser-identity.ts';
import { journalPort } from '../../../src/diagnosis/journal-port.ts';
import type { BrowserPort, CheckPorts, KeyPort } from '../../../src/diagnosis/ports.ts';
import { runChecks, type CheckRun, type RunOptions } from '../../../src/diagnosis/run-checks.ts';
import { clockPort, servicePort } from '../../../src/diagnosis/service-port.ts';
import { clearDocuments } from '../../../src/storage/documents.ts';
import { allTransactions, removeTransaction } from '../../../src/storage/transactions.ts';
import { authorisedKeys, traceExchanges, type TraceEntry } from '../../../src/usbkey/connect.ts';
import { toBase64 } from '../../../src/pki/bytes.ts';
import { answerWith, sendJson, type RequestHandler } from '../../reference-ca/http.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';
import type { Attachment, KeyState, Scenario } from '../../virtual-key/state.ts';
import { VirtualKey, type VirtualKeyOptions } from '../../virtual-key/virtual-key.ts';

export const chromeOnWindows =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';

/** A sound browser on an office computer. */
export const soundBrowser: BrowserPort = {
  secureContext: true,
  identity: identifyBrowser(chromeOnWindows),
  online: () => true,
  door: () => Promise.resolve('ready'),
  storage: () => Promise.resolve({ state: 'ok', bytesLeft: 1e9, looksPrivate: false }),
  serviceWorker: () => Promise.resolve('active'),
};

/** `/config.json` of an operator who works with the reference CA over CMP. */
function configOf({ hierarchy }: ReferenceCa): RequestHandler {
  const { sm2, p256, oldRsa } = hierarchy;
  const config = {
    version: 1,
    ca: { protocol: 'cmp', url: '/ca/cmp', enrolments: '/api/enrolments' },
    api: '/api',
    anchors: [sm2.root, p256.root, oldRsa.root].map(toBase64),
    intermediates: [sm2, p256, oldRsa].map(({ issuing }) => toBase64(issuing.certificate)),
    oldIssuers: [toBase64(oldRsa.root)],
    holder: { taxpayerNumber: ['1.2.156.10260.4.1.5', '1.2.86.11.7.5'] },
  };
  return (request, response) => {
    if (request.url !== '/config.json') return Promise.resolve(false);
    sendJson(response, config);
    return Promise.resolve(true);
  };
}

/** The operator's server with the reference CA behind it: a real HTTP server, whose answers can be spoilt. */
export class Clinic {
  readonly ca: ReferenceCa;
  readonly origin: string;
  /** Answers before the operator does. */
  spoil: RequestHandler | undefined;
  readonly requests: string[] = [];
  readonly #server: Server;

  private constructor(ca: ReferenceCa, server: Server, late: { clinic?: Clinic }) {
    this.ca = ca;
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    late.clinic = this;
  }

  static async open(): Promise<Clinic> {
    const ca = await openReferenceCa();
    const late: { clinic?: Clinic } = {};
    const first: RequestHandler = async (request, response) => {
      late.clinic?.requests.push(`${request.method ?? ''} ${(request.url ?? '').replace(/\?.*/, '')}`);
      return (await late.clinic?.spoil?.(request, response)) ?? false;
    };
    const server = createServer(answerWith(first, configOf(ca), ca.handler));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Clinic(ca, server, late);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.ca.close();
  }

  /** A computer on which nothing is kept, with a key or without. */
  async patient(
    scenario?: Scenario | KeyState,
    attachment: Attachment = 'longmai-hid',
    options: VirtualKeyOptions = {},
  ): Promise<Patient> {
    this.spoil = undefined;
    this.requests.length = 0;
    await clearDocuments();
    for (const { transactionId } of await allTransactions()) await removeTransaction(transactionId);
    const { origin } = this;
    setGlobal('fetch', (url: string, init?: RequestInit) => realFetch(new URL(url, origin), init));
    if (scenario === undefined) {
      setGlobal('navigator', {});
      return new Patient(this, undefined);
    }
    const state = typeof scenario === 'string' ? await this.ca.personalise(scenario, attachment) : scenario;
    const key = new VirtualKey(state, { hasGesture: () => true, ...options });
    setGlobal('navigator', { usb: key.usb, hid: key.hid });
    key.grant();
    await key.plug();
    return new Patient(this, key);
  }
}

/** Pages ask for paths; a path is one at the clinic's server. */
const realFetch = globalThis.fetch;
function setGlobal(name: 'fetch' | 'navigator', value: unknown): void {
  Object.defineProperty(globalThis, name, { configurable: true, writable: true, value });
}

export const keysOnDesk: KeyPort = {
  attached: authorisedKeys,
  wasHere: () => Promise.resolve(false),
  chosen: () => undefined,
  use: async (attached, task, options) => {
    const key = await attached.open(options);
    try {
      return await task(key);
    } finally {
      await key.close();
    }
  },
  holder: () => undefined,
};

export interface Examined extends CheckRun {
  /** Outcome or cause by check. */
  readonly said: Readonly<Record<string, string>>;
  readonly findings: Readonly<Partial<Record<CheckId, Finding>>>;
  readonly causes: readonly Cause[];
  readonly apdus: readonly TraceEntry[];
  readonly requests: number;
  readonly ms: number;
}

/** A computer with this site open on it, and perhaps a key. */
export class Patient {
  readonly clinic: Clinic;
  readonly virtual: VirtualKey | undefined;
  ports: CheckPorts;

  constructor(clinic: Clinic, virtual: VirtualKey | undefined) {
    this.clinic = clinic;
    this.virtual = virtual;
    this.ports = {
      browser: soundBrowser,
      service: servicePort,
      clock: clockPort,
      keys: keysOnDesk,
      journal: journalPort,
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    };
  }

  get key(): VirtualKey {
    if (!this.virtual) throw new Error('there is no key on this desk');
    return this.virtual;
  }

  browser(change: Partial<BrowserPort>): void {
    this.ports = { ...this.ports, browser: { ...this.ports.browser, ...change } };
  }

  keys(change: Partial<KeyPort>): void {
    this.ports = { ...this.ports, keys: { ...this.ports.keys, ...change } };
  }

  async examine(options: RunOptions = {}): Promise<Examined> {
    const apdus: TraceEntry[] = [];
    const stop = traceExchanges((entry) => apdus.push(entry));
    const before = this.clinic.requests.length;
    const begun = performance.now();
    const run = await runChecks(this.ports, options);
    const ms = performance.now() - begun;
    stop();
    const findings = Object.fromEntries(run.results.map(({ id, finding }) => [id, finding]));
    const said = Object.fromEntries(run.results.map(({ id, finding }) => [id, sayOf(finding)]));
    const causes = run.results.flatMap(({ finding }) => (finding?.outcome === 'found' ? [finding.cause] : []));
    return { ...run, findings, said, causes, apdus, ms, requests: this.clinic.requests.length - before };
  }
}

const sayOf = (finding: Finding | undefined): string =>
  finding === undefined
    ? 'nothing'
    : finding.outcome === 'found'
      ? finding.cause
      : finding.outcome === 'skipped'
        ? `skipped: ${finding.because}`
        : 'ok';
