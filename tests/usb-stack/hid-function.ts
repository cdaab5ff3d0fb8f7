import type { HidDeviceModel, PacketSink, UsbDeviceModel } from '../virtual-key/device-models.ts';

const reportBytes = 64;
const endpointNumber = 1;

/** bDescriptorType of HID's descriptors, and its class requests (HID 1.11 §7.1, §7.2). */
const descriptorType = { hid: 0x21, report: 0x22 } as const;
const getDescriptor = 6;
const classRequest = { setReport: 0x09, setIdle: 0x0a, setProtocol: 0x0b } as const;
const outputReport = 2;

/** Short items of a report descriptor: tag and type in the upper six bits, the data's size in the lower two (HID 1.11 §6.2.2.2). */
const item = {
  usagePage: 0x06,
  usage: 0x0a,
  collection: 0xa1,
  endCollection: 0xc0,
  logicalMinimum: 0x15,
  logicalMaximum: 0x26,
  reportSize: 0x75,
  reportCount: 0x95,
  input: 0x81,
  output: 0x91,
} as const;
const application = 0x01;
const dataVariableAbsolute = 0x02;

const le16 = (value: number): readonly [number, number] => [value & 0xff, (value >> 8) & 0xff];

/** The report descriptor of collections whose reports are plain bytes without an id. */
export function reportDescriptor(collections: readonly HIDCollectionInfo[]): Uint8Array {
  const reports = (main: number, infos: readonly HIDReportInfo[] = []): number[] =>
    infos.flatMap(({ items = [] }) =>
      items.flatMap(({ usages = [], reportSize = 8, reportCount = 0 }) => [
        ...usages.flatMap((usage) => [item.usage, ...le16(usage)]),
        ...[item.logicalMinimum, 0, item.logicalMaximum, ...le16(0xff)],
        ...[item.reportSize, reportSize, item.reportCount, reportCount, main, dataVariableAbsolute],
      ]),
    );
  return Uint8Array.from(
    collections.flatMap(({ usagePage = 0, usage = 0, inputReports, outputReports }) => [
      ...[item.usagePage, ...le16(usagePage), item.usage, ...le16(usage), item.collection, application],
      ...[...reports(item.input, inputReports), ...reports(item.output, outputReports), item.endCollection],
    ]),
  );
}

/** A HID on the bus: class 03, an interrupt endpoint each way, HID and report descriptors. */
export function hidFunction(model: HidDeviceModel): UsbDeviceModel {
  const descriptor = reportDescriptor(model.collections);
  const endpoint = { endpointNumber, type: 'interrupt', packetSize: reportBytes } as const;
  return {
    identity: model.identity,
    interfaces: [
      {
        ...{ interfaceNumber: 0, interfaceClass: 0x03, interfaceSubclass: 0, interfaceProtocol: 0 },
        endpoints: [
          { ...endpoint, direction: 'in' },
          { ...endpoint, direction: 'out' },
        ],
        // bcdHID 1.11, no country, one report descriptor.
        classDescriptor: Uint8Array.of(
          ...[9, descriptorType.hid, ...le16(0x0111), 0, 1],
          ...[descriptorType.report, ...le16(descriptor.length)],
        ),
      },
    ],
    powerUp: (send: PacketSink) => model.powerUp((report) => send(endpointNumber, report)),
    powerDown: () => model.powerDown(),
    reset: () => undefined,
    receive: (endpoint, data) => {
      if (endpoint !== endpointNumber) return false;
      model.receive(data);
      return true;
    },
    controlIn: ({ requestType, recipient, request, value }) =>
      requestType === 'standard' &&
      recipient === 'interface' &&
      request === getDescriptor &&
      value === descriptorType.report << 8
        ? descriptor
        : undefined,
    controlOut: ({ requestType, request, value }, data) => {
      if (requestType !== 'class') return false;
      if (request !== classRequest.setReport)
        return request === classRequest.setIdle || request === classRequest.setProtocol;
      if (value >> 8 !== outputReport) return false;
      model.receive(data);
      return true;
    },
    idle: () => model.idle(),
  };
}
