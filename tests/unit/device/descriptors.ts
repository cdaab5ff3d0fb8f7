/** Devices that have descriptors and nothing else: whoever calls a method of one finds none. */

export interface Face {
  readonly interfaceClass: number;
  readonly endpoints: readonly `${'in' | 'out'} ${'bulk' | 'interrupt'}`[];
}

export function usbDevice(of: {
  readonly ids: readonly [vendorId: number, productId: number];
  readonly faces: readonly Face[];
  readonly name?: string;
  readonly maker?: string;
  readonly serialNumber?: string;
  readonly configured?: boolean;
}): USBDevice {
  const [vendorId, productId] = of.ids;
  const interfaces = of.faces.map(({ interfaceClass, endpoints }, interfaceNumber) => {
    const alternate = {
      ...{ alternateSetting: 0, interfaceClass, interfaceSubclass: 0, interfaceProtocol: 0 },
      endpoints: endpoints.map((each, index) => {
        const [direction, type] = each.split(' ');
        return { endpointNumber: index + 1, direction, type, packetSize: 64 };
      }),
    };
    return { interfaceNumber, alternate, alternates: [alternate], claimed: false };
  });
  const configurations = [{ configurationValue: 1, interfaces }];
  return {
    ...{ vendorId, productId, productName: of.name ?? null, manufacturerName: of.maker ?? null },
    serialNumber: of.serialNumber ?? null,
    configurations,
    configuration: of.configured === false ? null : configurations[0],
  } as unknown as USBDevice;
}

export function hidDevice(
  [vendorId, productId]: readonly [number, number],
  collections: readonly HIDCollectionInfo[],
  productName = '',
): HIDDevice {
  return { vendorId, productId, productName, collections } as unknown as HIDDevice;
}

/** One report of so many items of so many bits. */
export const reports = (reportCount: number, reportSize = 8, reportId = 0): HIDReportInfo[] => [
  { reportId, items: [{ reportSize, reportCount }] },
];
