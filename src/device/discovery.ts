import { type ApduChannel, TransportError } from '../apdu/channel.ts';
import { transportErrorFrom } from './browser-errors.ts';
import { describeHid, describeUsb, type DeviceDescription } from './descriptor-report.ts';
import { allModels, findModel, type KeyModel } from './models.ts';
import { probeCanokey } from './probe-canokey.ts';
import { recogniseHid, recogniseUsb, type RefusalReason, type Sender } from './recognise.ts';
import { resetUsbDevice } from './reset-device.ts';
import { openCanokeyChannel } from './webusb-canokey.ts';
import { openLongmaiChannel } from './webhid-longmai.ts';
import { openCcidChannel } from './webusb-ccid.ts';

export type { RefusalReason };

export type Way = 'usb' | 'hid';

/** What the browser's chooser is to list: devices that may be keys, or every one that a page may be given. */
export type Choice = 'keys' | 'all';

/** A device the person has granted to this site. One object per device for as long as it is plugged in. */
export interface GrantedDevice {
  readonly way: Way;
  readonly vendorId: number;
  readonly productId: number;
  /** The name the device itself gives; empty when it gives none. */
  readonly productName: string;
  /** iSerialNumber (USB 2.0 §9.6.1); empty when it has none, and over WebHID, which does not tell. */
  readonly serialNumber: string;
  readonly model: KeyModel | undefined;
  /** Its descriptors allow what no table of models promises: it may turn out not to be a key. */
  readonly guessed: boolean;
  readonly refusal: RefusalReason | undefined;
  readonly description: DeviceDescription;
  /**
   * Opens it. Of a guessed device no more than its descriptors, and what is harmless whatever it is, is asked before it
   * has answered as a key of its kind would.
   * @throws TransportError `protectedClass` for a refused device, else what opening throws
   */
  openChannel(): Promise<ApduChannel>;
  /**
   * Has the computer reset it, as after plugging in anew: what was stuck is over, and so is a login. Nothing on it changes.
   * Only over WebUSB. @throws TransportError
   */
  readonly reset?: () => Promise<void>;
}

/** The browser's two doors, where it has them: not every browser does, and a policy may take them away. */
function doors(): { readonly usb?: USB; readonly hid?: HID } {
  return navigator;
}

const known = new WeakMap<USBDevice | HIDDevice, GrantedDevice>();

/** The device as it was made before, unless the table of models has changed its mind about it. */
function remember(device: USBDevice | HIDDevice, make: (model: KeyModel | undefined) => GrantedDevice): GrantedDevice {
  const model = findModel(device.vendorId, device.productId);
  const before = known.get(device);
  if (before && before.model === model) return before;
  const granted = make(model);
  known.set(device, granted);
  return granted;
}

function refuse(refusal: RefusalReason): Promise<never> {
  return Promise.reject(new TransportError('protectedClass', `this device cannot be used: ${refusal}`));
}

function fromUsb(device: USBDevice, usb: USB): GrantedDevice {
  return remember(device, (model) => {
    const { vendorId, productId } = device;
    const { senders, guessed, refusal } = recogniseUsb(device, model);
    const open = async (sender: Sender): Promise<ApduChannel> => {
      if (sender !== 'canokey') return openCcidChannel(device, usb);
      if (guessed) await probeCanokey(device, usb);
      return openCanokeyChannel(device, usb);
    };
    return {
      ...{ way: 'usb', vendorId, productId, model, guessed, refusal },
      productName: device.productName ?? '',
      serialNumber: device.serialNumber ?? '',
      description: describeUsb(device),
      openChannel: () => (refusal ? refuse(refusal) : firstThatOpens(senders, open)),
      reset: () => resetUsbDevice(device),
    };
  });
}

function fromHid(device: HIDDevice, hid: HID): GrantedDevice {
  return remember(device, (model) => {
    const { vendorId, productId, productName } = device;
    const { guessed, refusal } = recogniseHid(device, model);
    return {
      ...{ way: 'hid', vendorId, productId, productName, serialNumber: '', model, guessed, refusal },
      description: describeHid(device),
      openChannel: () => (refusal ? refuse(refusal) : openLongmaiChannel(device, hid)),
    };
  });
}

/** Errors that say nothing of the device but that it does not speak this way. */
const otherLanguage = new Set(['malformed', 'failed', 'stalled', 'timeout']);

async function firstThatOpens(
  senders: readonly Sender[],
  open: (sender: Sender) => Promise<ApduChannel>,
): Promise<ApduChannel> {
  for (const [index, sender] of senders.entries()) {
    try {
      return await open(sender);
    } catch (error) {
      const isLast = index === senders.length - 1;
      if (isLast || !(error instanceof TransportError) || !otherLanguage.has(error.code)) throw error;
    }
  }
  throw new TransportError('failed', 'nothing can speak to this device');
}

/** One physical key can be granted both ways and show several interfaces; only what can be used of it counts. */
function withoutShadows(devices: readonly GrantedDevice[]): GrantedDevice[] {
  const sameKind = (a: GrantedDevice, b: GrantedDevice) => a.vendorId === b.vendorId && a.productId === b.productId;
  return devices.filter(
    (device) => !device.refusal || !devices.some((other) => !other.refusal && sameKind(other, device)),
  );
}

/** The devices granted to this site and plugged in. A browser without WebUSB and WebHID has none; never throws. */
export async function grantedDevices(): Promise<readonly GrantedDevice[]> {
  const { usb, hid } = doors();
  const [overUsb, overHid] = await Promise.all([
    usb?.getDevices().catch(() => []) ?? [],
    hid?.getDevices().catch(() => []) ?? [],
  ]);
  return withoutShadows([
    ...(hid ? overHid.map((device) => fromHid(device, hid)) : []),
    ...(usb ? overUsb.map((device) => fromUsb(device, usb)) : []),
  ]);
}

function usbFilters(): USBDeviceFilter[] {
  const ids = allModels().map(({ vendorId, productId }) => ({ vendorId, productId }));
  return [...ids, { classCode: 0x0b }, { classCode: 0xff }];
}

/** By maker: of a key that takes turns between several products only some are in the table. */
function hidFilters(): HIDDeviceFilter[] {
  const keys = allModels().filter(({ attachment }) => attachment === 'longmaiHid');
  return Array.from(new Set(keys.map(({ vendorId }) => vendorId)), (vendorId) => ({ vendorId }));
}

/**
 * Lets the person choose a device. Refused models are offered too, so that they can be recognised and explained.
 * Must be called in a click.
 * @throws TransportError `nothingChosen`, `noGesture`, `unsupported`
 */
export async function chooseDevice(way: Way, choice: Choice = 'keys'): Promise<GrantedDevice> {
  const { usb, hid } = doors();
  try {
    if (way === 'usb') {
      if (!usb) throw new TransportError('unsupported', 'this browser has no WebUSB');
      const filters = choice === 'all' ? [] : usbFilters();
      return fromUsb(await usb.requestDevice({ filters }), usb);
    }
    if (!hid) throw new TransportError('unsupported', 'this browser has no WebHID');
    const chosen = await hid.requestDevice({ filters: choice === 'all' ? [] : hidFilters() });
    const granted = chosen.map((device) => fromHid(device, hid));
    const best = granted.find(({ refusal }) => !refusal) ?? granted[0];
    // A cancelled chooser and a device with protected collections only look the same: an empty list.
    if (!best) throw new TransportError('nothingChosen', 'nothing was chosen');
    return best;
  } catch (error) {
    const reason = transportErrorFrom(error, 'choose');
    // SecurityError with a fresh click is not about the click: a permissions policy forbids the interface.
    const clicked = (navigator as { userActivation?: UserActivation }).userActivation?.isActive === true;
    if (reason.code === 'noGesture' && clicked) {
      throw new TransportError('unsupported', 'a policy forbids it', { cause: error });
    }
    throw reason;
  }
}

/**
 * Reports granted devices that are plugged in or out.
 * @returns ends the watching
 */
export function watchDevices(handlers: {
  readonly onConnect: (device: GrantedDevice) => void;
  readonly onDisconnect: (device: GrantedDevice) => void;
}): () => void {
  const { usb, hid } = doors();
  const stops: (() => void)[] = [];
  if (usb) {
    const onConnect = ({ device }: USBConnectionEvent) => handlers.onConnect(fromUsb(device, usb));
    const onDisconnect = ({ device }: USBConnectionEvent) => handlers.onDisconnect(fromUsb(device, usb));
    usb.addEventListener('connect', onConnect);
    usb.addEventListener('disconnect', onDisconnect);
    stops.push(() => {
      usb.removeEventListener('connect', onConnect);
      usb.removeEventListener('disconnect', onDisconnect);
    });
  }
  if (hid) {
    const onConnect = ({ device }: HIDConnectionEvent) => handlers.onConnect(fromHid(device, hid));
    const onDisconnect = ({ device }: HIDConnectionEvent) => handlers.onDisconnect(fromHid(device, hid));
    hid.addEventListener('connect', onConnect);
    hid.addEventListener('disconnect', onDisconnect);
    stops.push(() => {
      hid.removeEventListener('connect', onConnect);
      hid.removeEventListener('disconnect', onDisconnect);
    });
  }
  return () => stops.forEach((stop) => stop());
}
