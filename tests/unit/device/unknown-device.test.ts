import { afterEach, describe, expect, it, vi } from 'vitest';
import { grantedDevices, type GrantedDevice } from '../../../src/device/discovery.ts';
import { ccidDescriptor } from '../../virtual-key/ccid-device.ts';
import type { HidDeviceModel, UsbDeviceModel, UsbInterfaceModel } from '../../virtual-key/device-models.ts';
import { FakeHid } from '../../virtual-key/fake-hid.ts';
import { FakeUsb } from '../../virtual-key/fake-usb.ts';
import { longmaiCollections } from '../../virtual-key/longmai-device.ts';
import { fidoDevice, silentUsbDevice } from '../../virtual-key/other-devices.ts';
import { toHex } from '../apdu/hex.ts';

/* Devices in no table, over interfaces that a page may claim: each is tried as its descriptors allow, with care. */

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const identity = { vendorId: 0x1111, productId: 0x2222, manufacturerName: 'M', productName: 'P', serialNumber: 'S' };
const vendorInterface = (
  endpoints: UsbInterfaceModel['endpoints'],
  classDescriptor?: Uint8Array,
): UsbInterfaceModel => ({
  ...{ interfaceNumber: 0, interfaceClass: 0xff, interfaceSubclass: 0, interfaceProtocol: 0, endpoints },
  ...(classDescriptor ? { classDescriptor } : {}),
});
const bulkPair = [
  { endpointNumber: 1, direction: 'out', type: 'bulk', packetSize: 64 },
  { endpointNumber: 1, direction: 'in', type: 'bulk', packetSize: 64 },
] as const;

/** A device and all that it was sent or asked, its standard descriptors aside. */
function recorded(
  interfaces: readonly UsbInterfaceModel[],
  answer?: Uint8Array,
): { model: UsbDeviceModel; log: string[] } {
  const log: string[] = [];
  const model: UsbDeviceModel = {
    ...silentUsbDevice(identity, interfaces),
    receive: (_endpoint, data) => {
      log.push(`bulk ${toHex(data)}`);
      return true;
    },
    controlIn: ({ requestType, request }, length) => {
      log.push(`${requestType} in ${request} (${length})`);
      return answer;
    },
    controlOut: ({ requestType, request }, data) => {
      log.push(`${requestType} out ${request} ${toHex(data)}`);
      return false;
    },
    reset: () => void log.push('reset'),
  };
  return { model, log };
}

async function granted(way: 'usb' | 'hid', model: UsbDeviceModel | HidDeviceModel): Promise<GrantedDevice | undefined> {
  const doors = { usb: new FakeUsb(), hid: new FakeHid() };
  vi.stubGlobal('navigator', doors);
  if ('interfaces' in model) {
    await doors.usb.plug(model);
    doors.usb.grant(model);
  } else {
    await doors.hid.plug(model);
    doors.hid.grant(model);
  }
  const [device] = await grantedDevices();
  expect(device).toMatchObject({ way, guessed: true, refusal: undefined });
  return device;
}

describe('an unknown device with a vendor’s bulk endpoints', () => {
  it('is sent nothing when no CCID descriptor stands with them', async () => {
    const { model, log } = recorded([vendorInterface(bulkPair)]);
    const device = await granted('usb', model);

    await expect(device?.openChannel()).rejects.toMatchObject({ name: 'TransportError', code: 'malformed' });

    expect(log).toEqual([]);
  });

  it('is asked for its slot’s state when one does, and given up within seconds when it is silent', async () => {
    vi.useFakeTimers();
    const { model, log } = recorded([vendorInterface(bulkPair, ccidDescriptor('short'))]);
    const device = await granted('usb', model);

    const opening = expect(device?.openChannel()).rejects.toMatchObject({ name: 'TransportError', code: 'timeout' });
    await vi.advanceTimersByTimeAsync(10_000);
    await opening;

    expect(log).toEqual(['bulk 65000000000000000000']);
  });
});

describe('an unknown device with a vendor’s interface without endpoints', () => {
  it.each<[string, Uint8Array | undefined, string]>([
    ['stalls', undefined, 'stalled'],
    ['tells no such state', Uint8Array.of(0x55), 'malformed'],
    ['tells nothing', new Uint8Array(), 'malformed'],
  ])('is asked for one byte, and left alone when it %s', async (_what, answer, code) => {
    const { model, log } = recorded([vendorInterface([])], answer);
    const device = await granted('usb', model);

    await expect(device?.openChannel()).rejects.toMatchObject({ name: 'TransportError', code });

    expect(log).toEqual(['vendor in 2 (1)']);
    const [usbDevice] = await navigator.usb.getDevices();
    expect(usbDevice?.opened).toBe(false);
  });

  it('is opened when it tells CanoKey’s idle state', async () => {
    const { model, log } = recorded([vendorInterface([])], Uint8Array.of(0xff));
    const device = await granted('usb', model);

    const channel = await device?.openChannel();

    expect(channel?.apduLevel).toBe('short');
    expect(new Set(log)).toEqual(new Set(['vendor in 2 (1)']));
    await channel?.close();
  });

  it('is tried that way after its bulk endpoints were none of CCID’s', async () => {
    const other = { ...vendorInterface([]), interfaceNumber: 1 };
    const { model, log } = recorded([vendorInterface(bulkPair), other], Uint8Array.of(0xff));
    const device = await granted('usb', model);

    const channel = await device?.openChannel();

    expect(new Set(log)).toEqual(new Set(['vendor in 2 (1)']));
    await channel?.close();
  });
});

it('one that another program holds is not tried another way: busy is busy', async () => {
  const held = { ...vendorInterface(bulkPair), heldElsewhere: true };
  const { model, log } = recorded([held, { ...vendorInterface([]), interfaceNumber: 1 }], Uint8Array.of(0xff));
  const device = await granted('usb', model);

  await expect(device?.openChannel()).rejects.toMatchObject({ code: 'busy' });

  expect(log).toEqual([]);
});

it('an unknown HID device with 64-byte reports is opened and sent nothing of its own', async () => {
  const reports: string[] = [];
  const model: HidDeviceModel = {
    ...fidoDevice(),
    identity,
    collections: longmaiCollections,
    receive: (report) => void reports.push(toHex(report)),
  };
  const device = await granted('hid', model);

  const channel = await device?.openChannel();

  expect(channel?.apduLevel).toBe('extended');
  expect(reports).toEqual([]);
  await channel?.close();
});
