import { reportBits } from './recognise.ts';

/**
 * What a device says of itself before anybody opens it, as far as it helps to add a model: an allow-list. Its serial number
 * is not in it, nor anything else that would tell one key of a kind from another.
 */
export interface DeviceDescription {
  readonly way: 'usb' | 'hid';
  /** idVendor. */
  readonly vendorId: number;
  /** idProduct. */
  readonly productId: number;
  readonly product: string;
  /** Empty over WebHID, which does not tell. */
  readonly maker: string;
  readonly interfaces: readonly InterfaceDescription[];
  readonly collections: readonly CollectionDescription[];
}

/** USB 2.0 §9.6.5 and §9.6.6, as far as it goes. */
export interface InterfaceDescription {
  /** bInterfaceNumber. */
  readonly number: number;
  /** bAlternateSetting. */
  readonly setting: number;
  /** bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol. */
  readonly classes: readonly [number, number, number];
  readonly endpoints: readonly {
    readonly number: number;
    readonly direction: 'in' | 'out';
    readonly type: string;
    /** wMaxPacketSize. */
    readonly packetBytes: number;
  }[];
}

/** A top-level HID collection. */
export interface CollectionDescription {
  readonly usagePage: number;
  readonly usage: number;
  readonly reports: readonly {
    readonly kind: 'input' | 'output' | 'feature';
    readonly id: number;
    readonly bits: number;
  }[];
}

// A device that describes itself without end is cut short.
const maxNameLength = 64;
const maxParts = 64;
const maxLines = 200;

/** A name from a device, fit to be shown: on one line, without control characters, of bounded length. */
export function shownName(name: string | null | undefined): string {
  return (name ?? '')
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .slice(0, maxNameLength);
}

export function describeUsb(device: USBDevice): DeviceDescription {
  const configuration = device.configuration ?? device.configurations[0];
  const interfaces = (configuration?.interfaces ?? []).flatMap(({ interfaceNumber, alternates }) =>
    alternates.map((alternate) => ({
      number: interfaceNumber,
      setting: alternate.alternateSetting,
      classes: [alternate.interfaceClass, alternate.interfaceSubclass, alternate.interfaceProtocol] as const,
      endpoints: alternate.endpoints.slice(0, maxParts).map(({ endpointNumber, direction, type, packetSize }) => ({
        ...{ number: endpointNumber, direction, type, packetBytes: packetSize },
      })),
    })),
  );
  return {
    ...{ way: 'usb', vendorId: device.vendorId, productId: device.productId, collections: [] },
    product: shownName(device.productName),
    maker: shownName(device.manufacturerName),
    interfaces: interfaces.slice(0, maxParts),
  };
}

export function describeHid(device: HIDDevice): DeviceDescription {
  const collections = device.collections.slice(0, maxParts).map((collection) => {
    const { usagePage = 0, usage = 0, inputReports = [], outputReports = [], featureReports = [] } = collection;
    const kinds = { input: inputReports, output: outputReports, feature: featureReports } as const;
    const reports = (['input', 'output', 'feature'] as const).flatMap((kind) =>
      kinds[kind].map(({ reportId = 0, items = [] }) => ({ kind, id: reportId, bits: reportBits(items) })),
    );
    return { usagePage, usage, reports: reports.slice(0, maxParts) };
  });
  return {
    ...{ way: 'hid', vendorId: device.vendorId, productId: device.productId, interfaces: [], collections },
    product: shownName(device.productName),
    maker: '',
  };
}

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');

/** idVendor and idProduct: `055C-E618`. */
export const deviceId = ({ vendorId, productId }: DeviceDescription, between = '-'): string =>
  `${hex(vendorId, 4)}${between}${hex(productId, 4)}`;

/** The description as lines of text that a person can look through, read out and send; the same in every language. */
export function reportText(description: DeviceDescription): string {
  const { way, product, maker, interfaces, collections } = description;
  const lines = [
    `VID:PID ${deviceId(description, ':')} (${way === 'usb' ? 'WebUSB' : 'WebHID'})`,
    `product ${product || '-'}`,
    ...(way === 'usb' ? [`maker ${maker || '-'}`] : []),
    ...interfaces.flatMap(({ number, setting, classes, endpoints }) => [
      `interface ${number}.${setting} class ${classes.map((each) => hex(each, 2)).join('/')}`,
      ...endpoints.map((each) => `  endpoint ${each.number} ${each.direction} ${each.type} ${each.packetBytes}`),
    ]),
    ...collections.flatMap(({ usagePage, usage, reports }) => [
      `collection ${hex(usagePage, 4)}:${hex(usage, 4)}`,
      ...reports.map(({ kind, id, bits }) => `  ${kind} report ${id}: ${bits / 8} bytes`),
    ]),
  ];
  return `${lines.slice(0, maxLines).join('\n')}\n`;
}
