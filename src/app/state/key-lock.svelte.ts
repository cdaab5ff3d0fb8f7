import type { AttachedKey } from '../../usbkey/connect.ts';
import { OtherTab } from './key-trouble.ts';

/** Before the names of all locks, and the name of the channel on which tabs speak of them. */
const prefix = 'casupport.key';

/** What a tab does with a key: has it open for a moment, or works on its certificate. */
type Task = 'use' | 'work';

interface Holding {
  readonly lock: string;
  readonly task: Task;
  /** Unix time, milliseconds. */
  readonly since: number;
}

/** Said among the tabs: asks who has a key, or says that one has it. */
type Message = { readonly say: 'whose'; readonly lock: string } | ({ readonly say: 'mine' } & Holding);

function readMessage(data: unknown): Message | undefined {
  const { say, lock, task, since } = (data ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof lock !== 'string') return undefined;
  if (say === 'whose') return { say, lock };
  if (say !== 'mine' || typeof since !== 'number' || (task !== 'use' && task !== 'work')) return undefined;
  return { say, lock, task, since };
}

const hex = (id: number): string => id.toString(16).padStart(4, '0');

/**
 * The lock of a key. WebHID tells no serial number: there, keys of one model share a lock, and the second tab waits longer
 * than it must.
 */
export const lockOf = ({ vendorId, productId, device }: AttachedKey): string =>
  `${prefix} ${hex(vendorId)}:${hex(productId)}:${device.serialNumber}`;

/** Which tab of this site is at which key. */
class KeyLocks {
  /** What the tab said that has the key this one wanted; undefined where none has answered. */
  holder = $state.raw<Pick<Holding, 'task' | 'since'> | undefined>();
  /** Called when another tab begins to work on a key. */
  onWork: (lock: string) => void = () => undefined;
  #wanted: string | undefined;
  #holding: Holding | undefined;
  readonly #channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(prefix) : undefined;

  constructor() {
    this.#channel?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      const message = readMessage(data);
      if (message?.say === 'whose') {
        if (message.lock === this.#holding?.lock) this.#say({ say: 'mine', ...this.#holding });
      } else if (message) {
        if (message.task === 'work') this.onWork(message.lock);
        if (message.lock === this.#wanted) this.holder = message;
      }
    });
  }

  /** Runs a task at a key that no other tab is at. @throws OtherTab */
  run<T>(lock: string, task: () => Promise<T>): Promise<T> {
    return navigator.locks.request(lock, { ifAvailable: true }, async (got) => {
      if (!got) {
        this.want(lock);
        throw new OtherTab();
      }
      this.#holding = { lock, task: 'use', since: Date.now() };
      try {
        return await task();
      } finally {
        this.#holding = undefined;
      }
    });
  }

  /** This tab waits for a key: whoever has it says so. */
  want(lock: string): void {
    this.#wanted = lock;
    this.holder = undefined;
    this.#say({ say: 'whose', lock });
  }

  /** This tab has a key and begins to work on its certificate: the others say so and wait. */
  announceWork(): void {
    if (!this.#holding) return;
    this.#holding = { ...this.#holding, task: 'work', since: Date.now() };
    this.#say({ say: 'mine', ...this.#holding });
  }

  /** Resolves once the key that was last wanted is free: its tab is done with it, or was closed. */
  async whenFree(): Promise<void> {
    if (this.#wanted !== undefined) await navigator.locks.request(this.#wanted, () => undefined);
  }

  #say(message: Message): void {
    this.#channel?.postMessage(message);
  }
}

/** Whether any tab, this one too, is at a key. */
export async function workElsewhere(): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name?.startsWith(prefix));
}

export const keyLocks = new KeyLocks();
