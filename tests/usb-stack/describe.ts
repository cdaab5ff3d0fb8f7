import type { FakeHidDevice } from '../virtual-key/fake-hid.ts';
import type { FakeUsbDevice } from '../virtual-key/fake-usb.ts';

/** What a page can know of a USB device, as plain data. Runs in the page too, so it stands alone. */
export const describeUsb = (device: USBDevice | FakeUsbDevice | undefined): unknown =>
  device && {
    names: [device.manufacturerName, device.productName, device.serialNumber],
    ids: [device.vendorId, device.productId],
    classes: [device.deviceClass, device.deviceSubclass, device.deviceProtocol],
    usbVersion: [device.usbVersionMajor, device.usbVersionMinor, device.usbVersionSubminor],
    deviceVersion: [device.deviceVersionMajor, device.deviceVersionMinor, device.deviceVersionSubminor],
    configurations: device.configurations.length,
    opened: device.opened,
    interfaces: device.configuration?.interfaces.map(({ interfaceNumber, claimed, alternates }) => ({
      interfaceNumber,
      claimed,
      alternates: alternates.map((each) => ({
        alternateSetting: each.alternateSetting,
        classes: [each.interfaceClass, each.interfaceSubclass, each.interfaceProtocol],
        name: each.interfaceName,
        endpoints: each.endpoints.map(({ endpointNumber, direction, type, packetSize }) => ({
          ...{ endpointNumber, direction, type, packetSize },
        })),
      })),
    })),
  };

/** What a page can know of a HID, as plain data. Runs in the page too, so it stands alone. */
export const describeHid = (device: HIDDevice | FakeHidDevice | undefined): unknown =>
  device && {
    productName: device.productName,
    ids: [device.vendorId, device.productId],
    opened: device.opened,
    collections: device.collections.map(({ usagePage, usage, type, children, ...reports }) => ({
      ...{ usagePage, usage, type, children },
      reports: [reports.inputReports, reports.outputReports, reports.featureReports].map((each) =>
        (each ?? []).map(({ reportId, items = [] }) => ({
          reportId,
          items: items.map(({ isAbsolute, usages, reportSize, reportCount }) => ({
            ...{ isAbsolute, usages, reportSize, reportCount },
          })),
        })),
      ),
    })),
  };
