import type { ApduChannel } from '../apdu/channel.ts';
import { ApduSession, type TraceEntry } from '../apdu/session.ts';
import {
  chooseDevice,
  type Choice,
  type GrantedDevice,
  grantedDevices,
  type RefusalReason,
  watchDevices,
  type Way,
} from '../device/discovery.ts';
import { defaultDialect, defaultPivDialect, type KeyModel } from '../device/models.ts';
import { PivKey } from './piv-key.ts';
import { SkfKey } from './skf-key.ts';
import { KeyError, type UsbKey } from './usbkey.ts';

export type { Choice, RefusalReason, TraceEntry, Way };

export interface OpenOptions {
  /**
   * Puts something between the key's driver and its wire. Whole APDUs pass through it, what must be kept secret
   * included: for the acceptance run's recorder, which redacts before it keeps anything. Without effect on an open key.
   */
  readonly wrap?: ((channel: ApduChannel) => ApduChannel) | undefined;
}

/** A key that is plugged in and granted to this site. The same key is the same object for as long as it is plugged in. */
export interface AttachedKey {
  /** What it is before it is opened: its model, its descriptors. */
  readonly device: GrantedDevice;
  readonly way: Way;
  /** The name the device gives itself; empty when it gives none. */
  readonly productName: string;
  readonly vendorId: number;
  readonly productId: number;
  /** Undefined for a key that no table knows. */
  readonly model: KeyModel | undefined;
  /** Why a web page cannot use it: to be explained, not tried. */
  readonly refusal: undefined | { readonly reason: RefusalReason };
  /**
   * Opens the key and ends whatever login was left on it. While it is open, the same `UsbKey`.
   * @throws TransportError `protectedClass` for a refused one, `accessDenied`, `busy`, `disconnected`, …
   * @throws KeyError `unsupported` or another when what answers speaks neither GM/T 0017 nor PIV
   */
  open(options?: OpenOptions): Promise<UsbKey>;
}

const attached = new WeakMap<GrantedDevice, AttachedKey>();
const tracers = new Set<(entry: TraceEntry) => void>();

/**
 * Reports every APDU of every key by INS and status word, for a fault report.
 * @returns ends the reporting
 */
export function traceExchanges(tracer: (entry: TraceEntry) => void): () => void {
  tracers.add(tracer);
  return () => void tracers.delete(tracer);
}

/** The keys granted to this site and plugged in, refused ones included. Asks for nothing; never throws. */
export async function authorisedKeys(): Promise<AttachedKey[]> {
  return (await grantedDevices()).map(attachedKey);
}

/**
 * Lets the person choose a key in the browser's chooser. Must be called in a click.
 * @throws TransportError `nothingChosen`, `noGesture`, `unsupported`
 */
export async function requestKey(way: Way, choice: Choice = 'keys'): Promise<AttachedKey> {
  return attachedKey(await chooseDevice(way, choice));
}

/**
 * Reports granted keys that are plugged in or out.
 * @returns ends the watching
 */
export function watchKeys(handlers: {
  readonly onConnect: (key: AttachedKey) => void;
  readonly onDisconnect: (key: AttachedKey) => void;
}): () => void {
  return watchDevices({
    onConnect: (device) => handlers.onConnect(attachedKey(device)),
    onDisconnect: (device) => handlers.onDisconnect(attachedKey(device)),
  });
}

function attachedKey(device: GrantedDevice): AttachedKey {
  const known = attached.get(device);
  if (known) return known;
  const { way, productName, vendorId, productId, model, refusal } = device;
  let current: Promise<UsbKey> | undefined;
  // Opening anew waits until the device is released.
  let released: Promise<void> = Promise.resolve();
  const onClosing = (closed: Promise<void>) => {
    current = undefined;
    released = closed;
  };
  const open = (options: OpenOptions = {}) => {
    if (current) return current;
    const opening = released.then(() => openKey(device, onClosing, options));
    current = opening;
    opening.catch(() => {
      if (current === opening) current = undefined;
    });
    return opening;
  };
  const key: AttachedKey = {
    ...{ device, way, productName, vendorId, productId, model },
    refusal: refusal && { reason: refusal },
    open,
  };
  attached.set(device, key);
  return key;
}

async function openKey(
  device: GrantedDevice,
  onClosing: (closed: Promise<void>) => void,
  { wrap = (wire) => wire }: OpenOptions,
): Promise<UsbKey> {
  const channel = wrap(await device.openChannel());
  try {
    const key = await startKey(channel, device, onClosing);
    // A key that is gone cannot be opened again; the next one is another object, or the same one plugged in anew.
    channel.gone.addEventListener('abort', () => void key.close());
    return key;
  } catch (error) {
    const closed = channel.close();
    onClosing(closed);
    await closed;
    throw error;
  }
}

/** By the model's command set; a key that no table knows is asked for PIV first, which is the cheaper question. */
async function startKey(
  channel: ApduChannel,
  { model, serialNumber }: GrantedDevice,
  onClosing: (closed: Promise<void>) => void,
): Promise<UsbKey> {
  const trace = (entry: TraceEntry) => tracers.forEach((tracer) => tracer(entry));
  if (model?.commandSet !== 'gmt0017') {
    try {
      const session = new ApduSession(channel, { extendedLength: 'whenNeeded', trace });
      const key = new PivKey(session, {
        dialect: model?.piv ?? defaultPivDialect,
        deviceSerialNumber: serialNumber,
        onClosing,
      });
      await key.start();
      return key;
    } catch (error) {
      if (model?.commandSet === 'piv' || !(error instanceof KeyError)) throw error;
    }
  }
  const session = new ApduSession(channel, { extendedLength: 'wherePossible', trace });
  const key = new SkfKey(session, { dialect: model?.dialect ?? defaultDialect, onClosing });
  if (model?.commandSet === undefined) await checkSpeaksSkf(key);
  await key.clearLeftoverLogin();
  return key;
}

async function checkSpeaksSkf(key: SkfKey): Promise<void> {
  try {
    await key.readInfo();
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    throw new KeyError('unsupported', 'the key speaks neither PIV nor GM/T 0017', cause.statusWord, { cause });
  }
}
