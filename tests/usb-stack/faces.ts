import type { UsbDeviceModel } from '../virtual-key/device-models.ts';

/** The same device with other descriptors. */
const withFace = (
  model: UsbDeviceModel,
  face: Partial<Pick<UsbDeviceModel, 'identity' | 'interfaces'>>,
): UsbDeviceModel => ({
  identity: face.identity ?? model.identity,
  interfaces: face.interfaces ?? model.interfaces,
  powerUp: (send) => model.powerUp(send),
  powerDown: () => model.powerDown(),
  reset: () => model.reset(),
  receive: (endpointNumber, data) => model.receive(endpointNumber, data),
  controlIn: (setup, length) => model.controlIn(setup, length),
  controlOut: (setup, data) => model.controlOut(setup, data),
  idle: () => model.idle(),
});

const smartCardClass = 0x0b;

/** A CCID key as most are made: on an interface of the smart-card class, under an id that libccid knows. */
export const asSmartCard = (model: UsbDeviceModel): UsbDeviceModel =>
  withFace(model, {
    identity: { ...model.identity, vendorId: 0x096e, productId: 0x0807 },
    interfaces: model.interfaces.map((face) => ({ ...face, interfaceClass: smartCardClass })),
  });

/** Longmai's GM3000 as it is sold too: a smart-card reader, which pages may not use, beside the HID interface. */
export const besideSmartCard = (model: UsbDeviceModel): UsbDeviceModel =>
  withFace(model, {
    identity: { ...model.identity, productId: 0xf603 },
    interfaces: [
      ...model.interfaces,
      {
        ...{ interfaceNumber: 1, interfaceClass: smartCardClass, interfaceSubclass: 0, interfaceProtocol: 0 },
        endpoints: [
          { endpointNumber: 2, direction: 'out', type: 'bulk', packetSize: 64 },
          { endpointNumber: 2, direction: 'in', type: 'bulk', packetSize: 64 },
        ],
      },
    ],
  });

/** A key that tells the computer no serial number: a browser forgets it when it is pulled. */
export const withoutSerialNumber = (model: UsbDeviceModel): UsbDeviceModel =>
  withFace(model, { identity: { ...model.identity, serialNumber: null } });
