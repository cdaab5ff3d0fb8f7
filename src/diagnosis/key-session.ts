import { readKeyContents, type KeyContents } from '../renewal/key-contents.ts';
import type { Trust } from '../renewal/trust.ts';
import type { AttachedKey } from '../usbkey/connect.ts';
import type { KeyInfo, PasswordTries, UsbKey } from '../usbkey/usbkey.ts';
import type { KeyPort } from './ports.ts';

/** All that can be read without the password. */
export interface KeyRead {
  readonly contents: KeyContents;
  /** A key that is set up at all has one, empty or not. */
  readonly hasApplication: boolean;
  /** Password tries, of the first application where none holds anything. */
  readonly tries: PasswordTries | undefined;
}

/** One reading of a key, at whose stations several checks wait. */
export interface KeySession {
  /** The interface is ours: nobody else has the key. Rejects with what opening threw. */
  readonly opened: Promise<true>;
  /** It has answered APDUs as a key of its kind does. */
  readonly answered: Promise<KeyInfo>;
  readonly read: Promise<KeyRead>;
  /** Resolves once the key is released again, whatever came of it. */
  readonly released: Promise<void>;
  /** Lets go of the key. */
  readonly end: () => void;
}

interface Station<T> {
  readonly reached: Promise<T>;
  readonly reach: (value: T) => void;
  readonly miss: (error: unknown) => void;
}

function station<T>(): Station<T> {
  let reach: (value: T) => void = () => undefined;
  let miss: (error: unknown) => void = () => undefined;
  const reached = new Promise<T>((resolve, reject) => {
    reach = resolve;
    miss = reject;
  });
  // A check that is skipped does not wait for it.
  reached.catch(() => undefined);
  return { reached, reach, miss };
}

/**
 * Opens a key once and reads all that can be read without the password: its information, containers, certificates and
 * the password's counter. Nothing is written, and no try is spent.
 */
export function openSession(keys: KeyPort, attached: AttachedKey, trust: Trust, now: () => Date): KeySession {
  const opened = station<true>();
  const answered = station<KeyInfo>();
  const wholly = station<KeyRead>();
  let open: UsbKey | undefined;
  let ended = false;
  const read = async (key: UsbKey): Promise<void> => {
    open = key;
    opened.reach(true);
    if (ended) return;
    answered.reach(await key.readInfo());
    wholly.reach(await readWholly(key, trust, now()));
  };
  const running = keys.use(attached, read, {
    // Called once the channel is there; what comes after it is the key's answer.
    wrap: (channel) => {
      opened.reach(true);
      return channel;
    },
  });
  const released = running.then(
    () => undefined,
    (error: unknown) => {
      for (const { miss } of [opened, answered, wholly]) miss(error);
    },
  );
  return {
    opened: opened.reached,
    answered: answered.reached,
    read: wholly.reached,
    released,
    end: () => {
      ended = true;
      void open?.close();
    },
  };
}

async function readWholly(key: UsbKey, trust: Trust, now: Date): Promise<KeyRead> {
  const contents = await readKeyContents(key, trust, now);
  if (contents.application !== undefined || !key.listApplications)
    return { contents, hasApplication: true, tries: contents.tries };
  const [first] = await key.listApplications();
  const tries = first === undefined ? undefined : await key.readPasswordTries(first);
  return { contents, hasApplication: first !== undefined, tries };
}
