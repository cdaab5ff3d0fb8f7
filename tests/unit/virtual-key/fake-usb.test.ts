import { describe, expect, it } from 'vitest';
import { bytesToHex, hexToBytes } from '../../virtual-key/bytes.ts';
import { chooseNothing } from '../../virtual-key/chooser.ts';
import type { PacketSink, UsbDeviceModel, UsbInterfaceModel } from '../../virtual-key/device-models.ts';
import { FakeUsb, type FakeUsbDevice } from '../../virtual-key/fake-usb.ts';
import { FaultPlan } from '../../virtual-key/faults.ts';
import { hidOverUsb, massStorageDevice, silentUsbDevice, smartCardDevice } from '../../virtual-key/other-devices.ts';

const bulk: UsbInterfaceModel = {
  interfaceNumber: 0,
  interfaceClass: 0xff,
  interfaceSubclass: 0,
  interfaceProtocol: 0,
  endpoints: [
    { endpointNumber: 1, direction: 'out', type: 'bulk', packetSize: 64 },
    { endpointNumber: 1, direction: 'in', type: 'bulk', packetSize: 64 },
  ],
};

/** A device that keeps what it receives, and sends what it is told to. */
function bulkDevice(
  options: { serialNumber?: string | null; face?: Partial<UsbInterfaceModel>; notOpenable?: boolean } = {},
) {
  const received: string[] = [];
  let sink: PacketSink = () => undefined;
  const identity = {
    vendorId: 0x1209,
    productId: 1,
    manufacturerName: 'Test',
    productName: 'Bulk',
    serialNumber: options.serialNumber === undefined ? 'B1' : options.serialNumber,
  };
  const model: UsbDeviceModel = {
    ...silentUsbDevice(identity, [{ ...bulk, ...options.face }]),
    notOpenable: options.notOpenable ?? false,
    powerUp: (send) => (sink = send),
    receive: (_, data) => {
      received.push(bytesToHex(data));
      return true;
    },
  };
  return { model, received, send: (hex: string) => sink(1, hexToBytes(hex)) };
}

async function opened(options: Parameters<typeof bulkDevice>[0] = {}) {
  const made = bulkDevice(options);
  const usb = new FakeUsb();
  const faults = new FaultPlan();
  faults.cut = () => void usb.unplug(made.model);
  usb.grant(made.model);
  await usb.plug(made.model, faults);
  const device = await only(usb);
  await device.open();
  await device.claimInterface(0);
  return { ...made, usb, device, faults };
}

async function only(usb: FakeUsb): Promise<FakeUsbDevice> {
  const [device, ...more] = await usb.getDevices();
  if (!device || more.length > 0) throw new Error('not exactly one device');
  return device;
}

const named = (name: string) => expect.objectContaining({ name }) as unknown;
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
    const usb = new FakeUsb({ hasGesture: () => false });

    await expect(usb.requestDevice({ filters: [] })).rejects.toMatchObject({
      name: 'SecurityError',
      message: expect.stringContaining('Must be handling a user gesture') as unknown,
    });
  });

  it('ends with NotFoundError when it is cancelled', async () => {
    const { model } = bulkDevice();
    const usb = new FakeUsb({ chooser: chooseNothing });
    await usb.plug(model);

    await expect(usb.requestDevice({ filters: [] })).rejects.toEqual(named('NotFoundError'));
    expect(await usb.getDevices()).toEqual([]);
  });

  it('lists what a filter matches, and gives the page a grant for what was chosen', async () => {
    const lists: string[][] = [];
    const { model } = bulkDevice();
    const usb = new FakeUsb({
      chooser: (devices) => {
        lists.push(devices.map(({ name }) => name));
        return Promise.resolve(0);
      },
    });
    for (const each of [model, smartCardDevice(), massStorageDevice()]) await usb.plug(each);

    const device = await usb.requestDevice({ filters: [{ classCode: 0xff }] });
    await usb.requestDevice({ filters: [{ vendorId: 0x096e, productId: 0x0807 }, { vendorId: 0x14d6 }] });
    await usb.requestDevice({ filters: [] });
    await usb.requestDevice({ filters: [], exclusionFilters: [{ classCode: 0x0b }] });

    expect(device.productName).toBe('Bulk');
    expect(lists).toEqual([['Bulk'], ['ePass2003'], ['Bulk', 'ePass2003'], ['Bulk']]);
    expect((await usb.getDevices()).includes(device)).toBe(true);
  });

  it.each([{ productId: 1 }, { subclassCode: 0 }, { classCode: 0xff, protocolCode: 0 }])(
    'refuses the filter %o, which lacks its other half',
    async (filter) => {
      await expect(new FakeUsb().requestDevice({ filters: [filter] })).rejects.toThrow(TypeError);
    },
  );
});

describe('opening and claiming', () => {
  it.each([
    ['smart card class', smartCardDevice()],
    ['HID class', hidOverUsb(bulkDevice().model.identity)],
  ])('opens a device of %s but does not claim it', async (_, model) => {
    const usb = new FakeUsb();
    usb.grant(model);
    await usb.plug(model);
    const device = await only(usb);
    await device.open();
    await device.selectConfiguration(1);

    await expect(device.claimInterface(0)).rejects.toMatchObject({
      name: 'SecurityError',
      message: expect.stringContaining('protected class') as unknown,
    });
    const setup = { requestType: 'vendor', recipient: 'interface', request: 1, value: 0, index: 0 } as const;
    expect(await failure(device.controlTransferIn(setup, 8))).toBe('SecurityError');
  });

  it('reads descriptors without a claim', async () => {
    const usb = new FakeUsb();
    const model = smartCardDevice();
    usb.grant(model);
    await usb.plug(model);
    const device = await only(usb);
    await device.open();
    const setup = { requestType: 'standard', recipient: 'device', request: 6, value: 0x0200, index: 0 } as const;

    const result = await device.controlTransferIn(setup, 9);
    const unknown = await device.controlTransferIn({ ...setup, value: 0x2200 }, 9);

    expect(result.status).toBe('ok');
    expect(bytesToHex(new Uint8Array(result.data.buffer))).toBe('09025d000101008032');
    expect(unknown.status).toBe('stall');
  });

  it('is busy when somebody else holds the interface, and closed to all when the system says so', async () => {
    await expect(opened({ face: { heldElsewhere: true } })).rejects.toEqual(named('NetworkError'));
    await expect(opened({ notOpenable: true })).rejects.toEqual(named('SecurityError'));
  });

  it('wants open before claim, and claim before transfer', async () => {
    const { model } = bulkDevice();
    const usb = new FakeUsb();
    usb.grant(model);
    await usb.plug(model);
    const device = await only(usb);

    expect(await failure(device.claimInterface(0))).toBe('InvalidStateError');
    await device.open();
    expect(await failure(device.transferOut(1, new Uint8Array(1)))).toBe('NotFoundError');
    expect(await failure(device.claimInterface(3))).toBe('NotFoundError');
    expect(await failure(Promise.all([device.claimInterface(0), device.close()]))).toBe('InvalidStateError');
  });
});

describe('transfers', () => {
  it('ends a transfer at a short packet, or when it is full', async () => {
    const { device, send } = await opened();
    const packet = 'aa'.repeat(64);
    for (const each of [packet, 'bb', packet, '', packet]) send(each);

    const short = await device.transferIn(1, 512);
    const withEmpty = await device.transferIn(1, 512);
    const full = await device.transferIn(1, 64);

    expect([short, withEmpty, full].map(({ data }) => data.byteLength)).toEqual([65, 64, 64]);
  });

  it('babbles when a packet is larger than what was asked for', async () => {
    const { device, send } = await opened();
    send('aabb');

    expect(await device.transferIn(1, 1)).toMatchObject({ status: 'babble' });
  });

  it('waits until the device sends', async () => {
    const { device, send } = await opened();
    const waiting = device.transferIn(1, 64);

    expect(await isPending(waiting)).toBe(true);
    send('01');
    expect((await waiting).data.getUint8(0)).toBe(1);
  });

  it('ends waiting transfers on close with AbortError, on release and reset with NetworkError', async () => {
    const close = await opened();
    const release = await opened();
    const reset = await opened();
    const waiting = [close, release, reset].map(({ device }) => failure(device.transferIn(1, 64)));
    await Promise.resolve();
    await Promise.resolve();

    await Promise.all([close.device.close(), release.device.releaseInterface(0), reset.device.reset()]);

    expect(await Promise.all(waiting)).toEqual(['AbortError', 'NetworkError', 'NetworkError']);
  });

  it('stays stalled until the halt is cleared, and counts stalled bytes as written', async () => {
    const { device, received, faults } = await opened();
    faults.arm({ place: 'transfer', n: 1, kind: 'stall' });

    const stalled = [await device.transferOut(1, new Uint8Array(3)), await device.transferOut(1, new Uint8Array(3))];
    await device.clearHalt('out', 1);
    const after = await device.transferOut(1, Uint8Array.of(7));

    expect(stalled).toEqual([
      { status: 'stall', bytesWritten: 3 },
      { status: 'stall', bytesWritten: 3 },
    ]);
    expect(after).toEqual({ status: 'ok', bytesWritten: 1 });
    expect(received).toEqual(['07']);
  });

  it('can lose a transfer without telling', async () => {
    const { device, received, faults, send } = await opened();
    faults.arm({ place: 'transfer', n: 1, kind: 'lost' });
    faults.arm({ place: 'transfer', n: 2, kind: 'lost' });

    const written = await device.transferOut(1, Uint8Array.of(1));
    const waiting = device.transferIn(1, 64);
    await Promise.resolve();
    send('01');

    expect(written.status).toBe('ok');
    expect(received).toEqual([]);
    expect(await isPending(waiting)).toBe(true);
    send('02');
    expect((await waiting).data.getUint8(0)).toBe(2);
  });
});

describe('unplugging', () => {
  it('fails waiting transfers first, then fires disconnect, and finds no device afterwards', async () => {
    const { device, usb, model } = await opened();
    const order: string[] = [];
    usb.addEventListener('disconnect', (event) => {
      order.push(`disconnect ${(event as Event & { device?: unknown }).device === device}`);
    });
    void device.transferIn(1, 64).catch((error: unknown) => order.push((error as Error).name));
    await Promise.resolve();
    await Promise.resolve();

    await usb.unplug(model);

    expect(order).toEqual(['NetworkError', 'disconnect true']);
    expect(device.opened).toBe(false);
    expect(await failure(device.transferIn(1, 64))).toBe('NotFoundError');
    expect(await failure(device.close())).toBe('NotFoundError');
    expect(await failure(device.open())).toBe('NotFoundError');
    expect(await usb.getDevices()).toEqual([]);
  });

  it('comes back as a new object with its grant when it has a serial number', async () => {
    const { device, usb, model } = await opened();
    const connected: unknown[] = [];
    usb.onconnect = (event) => connected.push((event as Event & { device?: unknown }).device);
    await usb.unplug(model);

    await usb.plug(model);

    const again = await only(usb);
    expect(again).not.toBe(device);
    expect(connected).toEqual([again]);
  });

  it('comes back unknown, without an event, when it has none', async () => {
    const { usb, model } = await opened({ serialNumber: null });
    let events = 0;
    usb.onconnect = () => (events += 1);
    await usb.unplug(model);

    await usb.plug(model);

    expect(await usb.getDevices()).toEqual([]);
    expect(events).toBe(0);
  });

  it('tells a page without a grant nothing', async () => {
    const { model } = bulkDevice();
    const usb = new FakeUsb();
    let events = 0;
    usb.addEventListener('connect', () => (events += 1));
    usb.addEventListener('disconnect', () => (events += 1));

    await usb.plug(model);
    await usb.unplug(model);

    expect(events).toBe(0);
  });

  it.each([
    ['before', []],
    ['after', ['0a']],
  ] as const)('can happen %s a transfer has its effect', async (kind, arrived) => {
    const { device, received, faults, usb } = await opened();
    faults.arm({ place: 'transfer', n: 1, kind });

    expect(await failure(device.transferOut(1, Uint8Array.of(10)))).toBe('NetworkError');
    expect(received).toEqual(arrived);
    expect(await usb.getDevices()).toEqual([]);
  });
});

it('forget() takes the grant back', async () => {
  const { device, usb, model } = await opened();

  await device.forget();

  expect(usb.isGranted(model)).toBe(false);
  expect(await usb.getDevices()).toEqual([]);
});

it('getDevices() waits until the browser is ready', async () => {
  const { model } = bulkDevice();
  let ready = (): void => undefined;
  const usb = new FakeUsb({ ready: new Promise<void>((resolve) => (ready = resolve)) });
  const devices = usb.getDevices();
  expect(await isPending(devices)).toBe(true);
  usb.grant(model);
  await usb.plug(model);

  ready();

  expect(await devices).toHaveLength(1);
});

describe('control transfers to an interface', () => {
  const setup = { requestType: 'vendor', recipient: 'interface', request: 0, value: 0, index: 0 } as const;

  /** A device that keeps commands until it is idle, and then has carried them out. */
  async function controlled(face: Partial<UsbInterfaceModel> = {}) {
    const arrived: string[] = [];
    const done: string[] = [];
    const { model } = bulkDevice({ face: { endpoints: [], ...face } });
    const device: UsbDeviceModel = {
      ...model,
      controlOut: (_, data) => arrived.push(bytesToHex(data)) > 0,
      controlIn: () => hexToBytes('0102'),
      idle: () => {
        done.push(...arrived);
        return Promise.resolve();
      },
    };
    const usb = new FakeUsb();
    const faults = new FaultPlan();
    faults.cut = () => void usb.unplug(device);
    usb.grant(device);
    await usb.plug(device, faults);
    const page = await only(usb);
    await page.open();
    return { page, usb, device, faults, arrived, done };
  }
  const failure = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => undefined,
      (error: unknown) => (error instanceof DOMException ? error.name : error),
    );

  it('need the interface claimed', async () => {
    const { page, arrived } = await controlled();

    expect(await failure(page.controlTransferOut(setup, hexToBytes('aa')))).toBe('InvalidStateError');
    await page.claimInterface(0);
    expect(await page.controlTransferOut(setup, hexToBytes('aa'))).toEqual({ status: 'ok', bytesWritten: 1 });

    expect(arrived).toEqual(['aa']);
  });

  it('are refused to the smart-card class, as claiming it is', async () => {
    const { page, arrived } = await controlled({ interfaceClass: 0x0b });

    expect(await failure(page.claimInterface(0))).toBe('SecurityError');
    expect(await failure(page.controlTransferOut(setup, hexToBytes('aa')))).toBe('SecurityError');

    expect(arrived).toEqual([]);
  });

  it.each([
    ['before', [], []],
    ['after', ['aa'], ['aa']],
  ] as const)(
    'fail when the key is pulled %s one, and what arrived is carried out',
    async (kind, received, finished) => {
      const { page, faults, arrived, done } = await controlled();
      await page.claimInterface(0);
      faults.arm({ place: 'transfer', n: 1, kind });

      expect(await failure(page.controlTransferOut(setup, hexToBytes('aa')))).toBe('NetworkError');

      expect([arrived, done]).toEqual([received, finished]);
    },
  );

  it('stall where a fault says so', async () => {
    const { page, faults, arrived } = await controlled();
    await page.claimInterface(0);
    faults.arm({ place: 'transfer', n: 1, kind: 'stall' });

    expect(await page.controlTransferOut(setup, hexToBytes('aa'))).toEqual({ status: 'stall', bytesWritten: 0 });
    expect(arrived).toEqual([]);
  });

  it('are lost on their way to the device without a word', async () => {
    const { page, faults, arrived } = await controlled();
    await page.claimInterface(0);
    faults.arm({ place: 'transfer', n: 1, kind: 'lost' });

    expect(await page.controlTransferOut(setup, hexToBytes('aa'))).toMatchObject({ status: 'ok' });

    expect(arrived).toEqual([]);
  });

  it('stay unanswered until the key is pulled, when the answer is lost', async () => {
    const { page, usb, device, faults } = await controlled();
    await page.claimInterface(0);
    faults.arm({ place: 'transfer', n: 1, kind: 'lost' });
    const ended: unknown[] = [];

    const reading = failure(page.controlTransferIn(setup, 2)).then((name) => ended.push(name));
    await page.controlTransferIn(setup, 2);
    expect(ended).toEqual([]);
    await usb.unplug(device);
    await reading;

    expect(ended).toEqual(['NetworkError']);
  });
});
