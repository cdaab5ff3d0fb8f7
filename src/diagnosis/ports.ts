import type { CertificateAuthority } from '../ca/authority.ts';
import type { Fetch } from '../ca/http.ts';
import type { KindState } from '../guidance/packs/state.ts';
import type { AskPassword } from '../renewal/login.ts';
import type { Journal } from '../renewal/journal.ts';
import type { Config, Policy } from '../service/config.ts';
import type { AttachedKey, OpenOptions } from '../usbkey/connect.ts';
import type { UsbKey } from '../usbkey/usbkey.ts';
import type { BrowserIdentity } from './browser-identity.ts';

/** Whether a page may use one of the browser's two doors. */
export type Door = 'ready' | 'absent' | 'forbidden';

/** What the browser is and allows. */
export interface BrowserPort {
  readonly secureContext: boolean;
  readonly identity: BrowserIdentity;
  /** The browser's belief; `false` is certain. */
  readonly online: () => boolean;
  readonly door: (way: 'usb' | 'hid') => Promise<Door>;
  readonly storage: () => Promise<StorageState>;
  readonly serviceWorker: () => Promise<'unsupported' | 'none' | 'active' | 'waiting'>;
}

export interface StorageState {
  /** Whether the user's database opens: the journal is in it. */
  readonly state: 'ok' | 'unavailable' | 'quota' | 'failed';
  /** Bytes left for this site; undefined where the browser does not say. */
  readonly bytesLeft: number | undefined;
  /** All signs are of a window that forgets. */
  readonly looksPrivate: boolean;
}

/** The operator's and the authority's side. */
export interface ServicePort {
  /** @throws ServiceError */
  readonly loadConfig: () => Promise<Config>;
  /** @throws ServiceError */
  readonly loadPolicy: (config: Config) => Promise<Policy>;
  /** The copy of a document from an earlier visit; undefined where there is none. Throws where copies cannot be read. */
  readonly copyOf: (
    path: string,
  ) => Promise<{ readonly text: string; /** Milliseconds since 1970. */ readonly storedAt: number } | undefined>;
  /** Which content packs are in use here, and how the last look for newer ones ended. */
  readonly contentState: () => Promise<readonly KindState[]>;
  readonly fetch: Fetch;
  /** @throws CaError */
  readonly authority: (config: ConfigWithCa) => Promise<Pick<CertificateAuthority, 'lookUp'>>;
}

export type ConfigWithCa = Config & { readonly ca: NonNullable<Config['ca']> };

export interface ClockPort {
  /** Server time, or this computer's while no server has answered. */
  readonly now: () => Date;
  /** This computer's clock minus the server's, milliseconds. */
  readonly skewMs: () => number | undefined;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsed: () => number;
}

/** The keys of this site. */
export interface KeyPort {
  /** Plugged in and granted, refused ones included. */
  readonly attached: () => Promise<readonly AttachedKey[]>;
  /** A key has been read here on an earlier visit. */
  readonly wasHere: () => Promise<boolean>;
  /** Of several keys, the one that the person has taken. */
  readonly chosen: () => AttachedKey | undefined;
  /** Opens the key for one task and closes it afterwards; no other tab is at it meanwhile. */
  readonly use: <T>(attached: AttachedKey, task: (key: UsbKey) => Promise<T>, options?: OpenOptions) => Promise<T>;
  /** Which of this site's own tasks, here or in another tab, has the key; undefined where the error says something else. */
  readonly holder: (error: unknown) => 'otherTab' | 'ownTask' | undefined;
}

/** What the journal has, record by record. */
export interface JournalPort extends Journal {
  /** Every record that can be read, of every key, and how many cannot. @throws StorageError */
  readonly all: () => Promise<{ readonly records: readonly JournalEntry[]; readonly damaged: number }>;
}
export type JournalEntry = Awaited<ReturnType<Journal['ofKey']>>[number];

export interface CheckPorts {
  readonly browser: BrowserPort;
  readonly service: ServicePort;
  readonly clock: ClockPort;
  readonly keys: KeyPort;
  readonly journal: JournalPort;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Where the person has asked for a test signature. */
  readonly askPassword?: ((key: UsbKey, attached: AttachedKey) => AskPassword) | undefined;
}
