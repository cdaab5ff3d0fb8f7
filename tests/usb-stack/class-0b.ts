import type { UsbDeviceModel } from '../virtual-key/device-models.ts';

/** A CCID key as most are made: on an interface of the smart-card class 0B, under an id that libccid knows. */
export function asSmartCard(model: UsbDeviceModel): UsbDeviceModel {
  return {
    identity: { ...model.identity, vendorId: 0x096e, productId: 0x0807 },
    interfaces: model.interfaces.map((face) => ({ ...face, interfaceClass: 0x0b })),
    powerUp: (send) => model.powerUp(send),
    powerDown: () => model.powerDown(),
    reset: () => model.reset(),
    receive: (endpointNumber, data) => model.receive(endpointNumber, data),
    controlIn: (setup, length) => model.controlIn(setup, length),
    controlOut: (setup, data) => model.controlOut(setup, data),
    idle: () => model.idle(),
  };
}
