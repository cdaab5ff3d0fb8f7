import { describe, expect, it } from 'vitest';
import { bytesToHex, hexToBytes } from '../../virtual-key/bytes.ts';
import { chooseNothing } from '../../virtual-key/chooser.ts';
import type { HidDeviceModel } from '../../virtual-key/device-models.ts';
import { FakeHid, type FakeHidDevice } from '../../virtual-key/fake-hid.ts';
import { FaultPlan } from '../../virtual-key/faults.ts';
import { longmaiCollections } from '../../virtual-key/longmai-device.ts';
import { fidoDevice } from '../../virtual-key/other-devices.ts';

function reportDevice(serialNumber: string | null = 'H1') {
  const received: string[] = [];
  let sink: (report: Uint8Array) => void = () => undefined;
  const model: HidDeviceModel = {
    identity: { vendorId: 0x055c, productId: 0xe618, manufacturerName: 'Test', productName: 'Reports', serialNumber },
    collections: longmaiCollections,
    outputReportBytes: 64,
    powerUp: (send) => (sink = send),
    powerDown: () => undefined,
    receive: (report) => received.push(bytesToHex(report)),
    idle: () => Promise.resolve(),
  };
  return { model, received, send: (hex: string) => sink(hexToBytes(hex)) };
}

async function opened() {
  const made = reportDevice();
  const hid = new FakeHid();
  const faults = new FaultPlan();
  faults.cut = () => void hid.unplug(made.model);
  hid.grant(made.model);
  await hid.plug(made.model, faults);
  const device = await only(hid);
  await device.open();
  return { ...made, hid, device, faults };
}

async function only(hid: FakeHid): Promise<FakeHidDevice> {
  const [device, ...more] = await hid.getDevices();
  if (!device || more.length > 0) throw new Error('not exactly one device');
  return device;
}

const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'settled',
    (error: unknown) => (error instanceof Error ? error.name : 'not an error'),
  );
const isPending = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol('pending');
  return (await Promise.race([promise, new Promise((resolve) => setImmediate(resolve, pending))])) === pending;
};

describe('the chooser', () => {
  it('wants a click', async () => {
    const hid = new FakeHid({ hasGesture: () => false });

    expect(await failure(hid.requestDevice({ filters: [] }))).toBe('SecurityError');
  });

  it('gives an empty list when it is cancelled', async () => {
    const { model } = reportDevice();
    const hid = new FakeHid({ chooser: chooseNothing });
    await hid.plug(model);

    expect(await hid.requestDevice({ filters: [] })).toEqual([]);
    expect(await hid.getDevices()).toEqual([]);
  });

  it('lists what a filter matches and hides the FIDO page', async () => {
    const lists: string[][] = [];
    const hid = new FakeHid({
      chooser: (devices) => {
        lists.push(devices.map(({ name }) => name));
        return Promise.resolve(devices.length > 0 ? 0 : undefined);
      },
    });
    for (const each of [reportDevice().model, fidoDevice()]) await hid.plug(each);

    await hid.requestDevice({ filters: [] });
    const fido = await hid.requestDevice({ filters: [{ usagePage: 0xf1d0 }, { vendorId: 0x1050 }] });
    await hid.requestDevice({ filters: [{ vendorId: 0x055c, usagePage: 0xff00, usage: 1 }] });

    expect(lists).toEqual([['Reports'], [], ['Reports']]);
    expect(fido).toEqual([]);
  });

  it.each([{}, { productId: 1 }, { usage: 1 }])('refuses the filter %o', async (filter) => {
    await expect(new FakeHid().requestDevice({ filters: [filter] })).rejects.toThrow(TypeError);
  });
});

describe('reports', () => {
  it('go out filled up to their length', async () => {
    const { device, received } = await opened();

    await device.sendReport(0, Uint8Array.of(0xc1, 0x02));

    expect(received).toEqual(['c102'.padEnd(128, '0')]);
  });

  it('come in as events while the device is open', async () => {
    const { device, send } = await opened();
    const reports: number[] = [];
    device.addEventListener('inputreport', (event) => {
      reports.push((event as Event & { readonly data: DataView }).data.getUint8(0));
    });
    send('01');
    await device.close();
    send('02');

    expect(reports).toEqual([1]);
  });

  it('are refused with an id, too long, or before open', async () => {
    const { device } = await opened();

    expect(await failure(device.sendReport(1, new Uint8Array(64)))).toBe('NotAllowedError');
    expect(await failure(device.sendReport(0, new Uint8Array(65)))).toBe('NotAllowedError');
    expect(await failure(device.receiveFeatureReport())).toBe('NotAllowedError');
    await device.close();
    expect(await failure(device.sendReport(0, new Uint8Array(64)))).toBe('InvalidStateError');
    expect(await failure(device.receiveFeatureReport())).toBe('InvalidStateError');
  });
});

describe('unplugging', () => {
  it('leaves the device open, and what is sent afterwards never settles', async () => {
    const { device, hid, model } = await opened();
    let disconnected = 0;
    hid.ondisconnect = () => (disconnected += 1);

    await hid.unplug(model);

    expect(disconnected).toBe(1);
    expect(device.opened).toBe(true);
    expect(await isPending(device.sendReport(0, new Uint8Array(64)))).toBe(true);
    expect(await isPending(device.receiveFeatureReport())).toBe(true);
    expect(await failure(device.open())).toBe('InvalidStateError');
    await device.close();
    expect(device.opened).toBe(false);
    expect(await failure(device.open())).toBe('NotAllowedError');
  });

  it.each([
    ['before', 0],
    ['after', 1],
  ] as const)('%s an output report leaves the report unsettled', async (kind, arrived) => {
    const { device, received, faults, hid } = await opened();
    faults.arm({ place: 'transfer', n: 1, kind });

    expect(await isPending(device.sendReport(0, new Uint8Array(64)))).toBe(true);
    expect(received).toHaveLength(arrived);
    expect(await hid.getDevices()).toEqual([]);
  });

  it.each([
    ['before', 1],
    ['after', 2],
  ] as const)('%s the second input report', async (kind, arrived) => {
    const { device, faults, send } = await opened();
    let reports = 0;
    device.oninputreport = () => (reports += 1);
    faults.arm({ place: 'transfer', n: 2, kind });

    for (const each of ['01', '02', '03']) send(each);

    expect(reports).toBe(arrived);
  });

  it.each(['H1', null])('keeps the grant with the serial number %s and comes back as a new object', async (serial) => {
    const { model } = reportDevice(serial);
    const hid = new FakeHid();
    hid.grant(model);
    await hid.plug(model);
    const before = await only(hid);
    await hid.unplug(model);

    await hid.plug(model);

    expect(await only(hid)).not.toBe(before);
  });
});
