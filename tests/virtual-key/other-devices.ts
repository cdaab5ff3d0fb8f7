import type { HidDeviceModel, UsbDeviceModel, UsbIdentity, UsbInterfaceModel } from './device-models.ts';
import { ccidDescriptor } from './ccid-device.ts';
import { longmaiCollections } from './longmai-device.ts';

/** A device whose bytes nobody reaches: it has descriptors and stalls everything. */
export function silentUsbDevice(identity: UsbIdentity, interfaces: readonly UsbInterfaceModel[]): UsbDeviceModel {
  return {
    identity,
    interfaces,
    powerUp: () => undefined,
    powerDown: () => undefined,
    reset: () => undefined,
    receive: () => false,
    controlIn: () => undefined,
    controlOut: () => false,
    idle: () => Promise.resolve(),
  };
}

const bulkPair = [
  { endpointNumber: 1, direction: 'out', type: 'bulk', packetSize: 64 },
  { endpointNumber: 1, direction: 'in', type: 'bulk', packetSize: 64 },
] as const;

const interruptPair = [
  { endpointNumber: 1, direction: 'in', type: 'interrupt', packetSize: 64 },
  { endpointNumber: 1, direction: 'out', type: 'interrupt', packetSize: 64 },
] as const;

/** The USB side of a HID device: what WebUSB shows of it, and refuses to claim. */
export function hidOverUsb(identity: UsbIdentity): UsbDeviceModel {
  return silentUsbDevice(identity, [
    { interfaceNumber: 0, interfaceClass: 0x03, interfaceSubclass: 0, interfaceProtocol: 0, endpoints: interruptPair },
  ]);
}

/** A key of the smart-card class 0B: listed, opened, never claimed. */
export function smartCardDevice(): UsbDeviceModel {
  const identity = {
    vendorId: 0x096e,
    productId: 0x0807,
    manufacturerName: 'Feitian',
    productName: 'ePass2003',
    serialNumber: 'EP2003-0001',
  };
  return silentUsbDevice(identity, [
    {
      interfaceNumber: 0,
      interfaceClass: 0x0b,
      interfaceSubclass: 0,
      interfaceProtocol: 0,
      classDescriptor: ccidDescriptor('short'),
      endpoints: [...bulkPair, { endpointNumber: 2, direction: 'in', type: 'interrupt', packetSize: 8 }],
    },
  ]);
}

/** A key that shows itself as a disk (class 08): Chrome's chooser hides it. */
export function massStorageDevice(): UsbDeviceModel {
  const identity = {
    vendorId: 0x14d6,
    productId: 0xa002,
    manufacturerName: 'TaxUKey',
    productName: 'Tax UKey',
    serialNumber: 'MSC-0001',
  };
  return silentUsbDevice(identity, [
    { interfaceNumber: 0, interfaceClass: 0x08, interfaceSubclass: 6, interfaceProtocol: 0x50, endpoints: bulkPair },
  ]);
}

/** A security key with nothing but the FIDO page, which WebHID hides. */
export function fidoDevice(): HidDeviceModel {
  return {
    identity: {
      vendorId: 0x1050,
      productId: 0x0120,
      manufacturerName: 'Yubico',
      productName: 'Security Key',
      serialNumber: null,
    },
    collections: longmaiCollections.map((collection) => ({ ...collection, usagePage: 0xf1d0 })),
    outputReportBytes: 64,
    powerUp: () => undefined,
    powerDown: () => undefined,
    receive: () => undefined,
    idle: () => Promise.resolve(),
  };
}
