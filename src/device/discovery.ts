import { type ApduChannel, TransportError } from '../apdu/channel.ts';
import { transportErrorFrom } from './browser-errors.ts';
import { findModel, type KeyModel, keyModels } from './models.ts';
import { openLongmaiChannel } from './webhid-longmai.ts';
import { findCcidEndpoints, openCcidChannel } from './webusb-ccid.ts';

export type Way = 'usb' | 'hid';

/** Why a device that the person can see in the chooser cannot be used from a web page. */
export type RefusalReason = 'protectedClass' | 'massStorage' | 'fidoOnly' | 'unknownDevice';

/** A device the person has granted to this site. One object per device for as long as it is plugged in. */
export interface GrantedDevice {
  readonly way: Way;
  readonly vendorId: number;
  readonly productId: number;
  /** The name the device itself gives; empty when it gives none. */
  readonly productName: string;
  readonly model: KeyModel | undefined;
  readonly refusal: RefusalReason | undefined;
  /** @throws TransportError `protectedClass` for a refused device, else what opening throws */
  openChannel(): Promise<ApduChannel>;
}

const usbClass = { hid: 0x03, massStorage: 0x08, smartCard: 0x0b } as const;
const fidoUsagePage = 0xf1d0;

/** The browser's two doors, where it has them: not every browser does, and a policy may take them away. */
function doors(): { readonly usb?: USB; readonly hid?: HID } {
  return navigator;
}

function usbRefusal(device: USBDevice, model: KeyModel | undefined): RefusalReason | undefined {
  if (model?.attachment === 'vendorCcid' && findCcidEndpoints(device)) return undefined;
  if (model?.attachment === 'massStorage') return 'massStorage';
  if (model?.attachment === 'smartCardClass') return 'protectedClass';
  const interfaces = (device.configuration ?? device.configurations[0])?.interfaces ?? [];
  const classes = new Set(interfaces.flatMap(({ alternates }) => alternates.map((each) => each.interfaceClass)));
  if (classes.has(usbClass.smartCard) || classes.has(usbClass.hid)) return 'protectedClass';
  return classes.has(usbClass.massStorage) ? 'massStorage' : 'unknownDevice';
}

function hidRefusal(device: HIDDevice, model: KeyModel | undefined): RefusalReason | undefined {
  // The browser hides protected collections, so a FIDO-only device shows none at all.
  if (device.collections.every(({ usagePage }) => usagePage === fidoUsagePage)) return 'fidoOnly';
  return model?.attachment === 'longmaiHid' ? undefined : 'unknownDevice';
}

const known = new WeakMap<USBDevice | HIDDevice, GrantedDevice>();

function remember(device: USBDevice | HIDDevice, make: () => GrantedDevice): GrantedDevice {
  const granted = known.get(device) ?? make();
  known.set(device, granted);
  return granted;
}

function refuse(refusal: RefusalReason): Promise<never> {
  return Promise.reject(new TransportError('protectedClass', `this device cannot be used: ${refusal}`));
}

function fromUsb(device: USBDevice, usb: USB): GrantedDevice {
  return remember(device, () => {
    const { vendorId, productId } = device;
    const model = findModel(vendorId, productId);
    const refusal = usbRefusal(device, model);
    const openChannel = () => (refusal ? refuse(refusal) : openCcidChannel(device, usb));
    return { way: 'usb', vendorId, productId, productName: device.productName ?? '', model, refusal, openChannel };
  });
}

function fromHid(device: HIDDevice, hid: HID): GrantedDevice {
  return remember(device, () => {
    const { vendorId, productId, productName } = device;
    const model = findModel(vendorId, productId);
    const refusal = hidRefusal(device, model);
    const openChannel = () => (refusal ? refuse(refusal) : openLongmaiChannel(device, hid));
    return { way: 'hid', vendorId, productId, productName, model, refusal, openChannel };
  });
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

/**
 * Lets the person choose a device. Refused models are offered too, so that they can be recognised and explained.
 * Must be called in a click.
 * @throws TransportError `nothingChosen`, `noGesture`, `unsupported`
 */
export async function chooseDevice(way: Way): Promise<GrantedDevice> {
  const { usb, hid } = doors();
  try {
    if (way === 'usb') {
      if (!usb) throw new TransportError('unsupported', 'this browser has no WebUSB');
      const ids = keyModels.map(({ vendorId, productId }) => ({ vendorId, productId }));
      const filters = [...ids, { classCode: usbClass.smartCard }, { classCode: 0xff }];
      return fromUsb(await usb.requestDevice({ filters }), usb);
    }
    if (!hid) throw new TransportError('unsupported', 'this browser has no WebHID');
    const vendors = new Set(
      keyModels.filter((model) => model.attachment === 'longmaiHid').map((model) => model.vendorId),
    );
    const chosen = await hid.requestDevice({ filters: Array.from(vendors, (vendorId) => ({ vendorId })) });
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
