import { vi } from 'vitest';
import { grantedDevices } from '../../../src/device/discovery.ts';
import { AcceptanceRun, type AcceptanceStep, type StepResult } from '../../../src/diagnosis/acceptance-run.ts';
import { dialectDifferences, type DialectDifferences } from '../../../src/diagnosis/dialect-differences.ts';
import { replay, type Replay, type ReplaySecrets } from '../../../src/diagnosis/replay.ts';
import { TranscriptRecorder } from '../../../src/diagnosis/transcript-recorder.ts';
import {
  type Transcript,
  transcriptFormat,
  transcriptSteps,
  transcriptVersion,
} from '../../../src/diagnosis/transcript.ts';
import type { Question } from '../../../src/renewal/login.ts';
import { ciphersFor } from '../../../src/usbkey/management-key.ts';
import { fromHex } from '../../../src/pki/bytes.ts';
import { authorisedKeys, type AttachedKey } from '../../../src/usbkey/connect.ts';
import type { KeyPairAlgorithm, UsbKey } from '../../../src/usbkey/usbkey.ts';
import { samplePassword } from '../../virtual-key/make-state.ts';
import type { KeyState } from '../../virtual-key/state.ts';
import { VirtualKey, type VirtualKeyOptions } from '../../virtual-key/virtual-key.ts';

export const randomBytes = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));

/** A virtual key in the browser's USB, permitted and plugged in. */
export async function onTheDesk(state: KeyState, options: VirtualKeyOptions = {}): Promise<VirtualKey> {
  const virtual = new VirtualKey(state, options);
  vi.stubGlobal('navigator', { usb: virtual.usb, hid: virtual.hid });
  virtual.grant();
  await virtual.plug();
  return virtual;
}

export async function onlyKey(): Promise<AttachedKey> {
  const [attached, ...others] = await authorisedKeys();
  if (!attached || others.length > 0) throw new Error('exactly one key is expected');
  return attached;
}

export interface RunOptions {
  readonly algorithm?: KeyPairAlgorithm;
  /** What the person answers, question by question; the right password when nothing is left. Undefined: gives up. */
  readonly answers?: (string | undefined)[];
  readonly now?: () => number;
  /** Called before each step. */
  readonly onStep?: (step: AcceptanceStep) => void;
  readonly remove?: boolean;
  /** Puts another key in before the check. */
  readonly exchange?: () => Promise<void>;
}

export interface Ran {
  readonly run: AcceptanceRun;
  readonly results: Readonly<Record<string, StepResult>>;
  readonly outcomes: Readonly<Record<string, string>>;
  readonly questions: readonly Question[];
  readonly transcript: Transcript;
}

/** A whole acceptance run as the page does it: writes, has the key pulled and plugged, checks, removes. */
export async function runAcceptance(virtual: VirtualKey, options: RunOptions = {}): Promise<Ran> {
  const recorder = new TranscriptRecorder(options.now);
  const questions: Question[] = [];
  const answers = [...(options.answers ?? [])];
  const run = new AcceptanceRun({
    algorithm: options.algorithm,
    askPassword: () => async (question, use) => {
      questions.push(question);
      const answer = answers.length > 0 ? answers.shift() : samplePassword;
      if (answer === undefined) return false;
      const password = new TextEncoder().encode(answer);
      await use(password);
      password.fill(0);
      return true;
    },
    onStep: (step) => {
      recorder.step = step;
      options.onStep?.(step);
    },
    onResult: () => undefined,
    randomBytes,
    now: () => new Date(),
    elapsed: () => performance.now(),
  });
  const part = async (work: (key: UsbKey) => Promise<void>): Promise<void> => {
    const key = await (await onlyKey()).open({ wrap: (channel) => recorder.record(channel) });
    try {
      await work(key);
    } finally {
      await key.close();
    }
  };

  const { vendorId, productId } = await onlyKey();
  await part((key) => run.write(key));
  if (run.hasContainer) {
    await virtual.unplug();
    await options.exchange?.();
    await virtual.plug();
    await part((key) => run.check(key));
    if (options.remove !== false) await part((key) => run.remove(key));
  }

  const transcript: Transcript = {
    ...{ format: transcriptFormat, version: transcriptVersion, build: 'test', vendorId, productId },
    steps: transcriptSteps(run.results),
    sessions: [...recorder.sessions],
  };
  const results = Object.fromEntries(run.results.map((result) => [result.step, result]));
  const outcomes = Object.fromEntries(run.results.map(({ step, outcome }) => [step, outcome]));
  return { run, results, outcomes, questions, transcript };
}

export interface Replayed extends Replay {
  readonly dialect: DialectDifferences;
}

const managementAlgorithms = { '3des': 0x03, aes128: 0x08, aes192: 0x0a, aes256: 0x0c } as const;

/** A laboratory key's management key, as a replay needs it. */
function managementOf({ piv }: KeyState): Pick<ReplaySecrets, 'management'> {
  if (!piv) return {};
  const key = fromHex(piv.managementKey.key);
  const [cipher] = ciphersFor(key.length, managementAlgorithms[piv.managementKey.algorithm]);
  if (!cipher) return {};
  return {
    management: { encrypt: (block) => cipher.encrypt(key, block), decrypt: (block) => cipher.decrypt(key, block) },
  };
}

/** Replays a transcript with a virtual key, pulled and plugged before each session. */
export async function replayOn(
  virtual: VirtualKey,
  transcript: Transcript,
  options: { readonly secrets?: Partial<ReplaySecrets>; readonly now?: () => number } = {},
): Promise<Replayed> {
  const secrets: ReplaySecrets = {
    password: new TextEncoder().encode(samplePassword),
    pinDigest: 'sha1',
    ...managementOf(virtual.state()),
    ...options.secrets,
  };
  const replayed = await replay(transcript, {
    open: async () => {
      await virtual.unplug();
      await virtual.plug();
      const [device] = await grantedDevices();
      if (!device) throw new Error('no key');
      return device.openChannel();
    },
    secrets,
    randomBytes,
    ...(options.now ? { now: options.now } : {}),
  });
  return { ...replayed, dialect: dialectDifferences(replayed, secrets) };
}

/** All that is told of data, command and answer alike, as bytes in hexadecimal. */
export const toldBytes = ({ sessions }: Transcript): string[] =>
  sessions
    .flatMap(({ exchanges }) => exchanges)
    .flatMap(({ command, answer = [] }) => [...command, ...answer])
    .filter((part) => typeof part === 'string');
