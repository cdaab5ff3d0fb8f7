import type { PacketSink, UsbDeviceModel } from '../virtual-key/device-models.ts';

/** Vendor requests to the interface without endpoints. */
export const echoRequests = { store: 0, fetch: 1 } as const;
/** Interfaces: one that hears control transfers only, one with endpoints. */
export const echoInterfaces = { control: 0, endpoints: 1 } as const;

/**
 * A device that gives back what it got: by vendor requests to an interface of its own, and what comes over the bulk pipe on
 * the interrupt pipe. It stalls everything else.
 */
export function echoDevice(serialNumber: string): UsbDeviceModel {
  let send: PacketSink = () => undefined;
  let stored: Uint8Array | undefined;
  const isOurs = ({ requestType, recipient, index }: USBControlTransferParameters): boolean =>
    requestType === 'vendor' && recipient === 'interface' && index === echoInterfaces.control;
  const face = { interfaceClass: 0xff, interfaceSubclass: 0, interfaceProtocol: 0 };
  return {
    identity: { vendorId: 0x1209, productId: 0x000e, manufacturerName: 'Bench', productName: 'Echo', serialNumber },
    interfaces: [
      { ...face, interfaceNumber: echoInterfaces.control, endpoints: [] },
      {
        ...face,
        interfaceNumber: echoInterfaces.endpoints,
        endpoints: [
          { endpointNumber: 1, direction: 'out', type: 'bulk', packetSize: 64 },
          { endpointNumber: 2, direction: 'in', type: 'interrupt', packetSize: 8 },
        ],
      },
    ],
    powerUp: (sink) => (send = sink),
    powerDown: () => (send = () => undefined),
    reset: () => undefined,
    receive: (_, data) => {
      for (let offset = 0; offset < data.length; offset += 8) send(2, data.slice(offset, offset + 8));
      return true;
    },
    controlIn: (setup) => (isOurs(setup) && setup.request === echoRequests.fetch ? stored : undefined),
    controlOut: (setup, data) => {
      if (!isOurs(setup) || setup.request !== echoRequests.store) return false;
      stored = data;
      return true;
    },
    idle: () => Promise.resolve(),
  };
}
