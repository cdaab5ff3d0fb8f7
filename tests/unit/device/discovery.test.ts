import { afterEach, describe, expect, it, vi } from 'vitest';
import { chooseDevice, grantedDevices, watchDevices } from '../../../src/device/discovery.ts';
import {
  defaultDialect,
  defaultPivDialect,
  findModel,
  keyModels,
  setModelAdditions,
} from '../../../src/device/models.ts';
import { FakeHid, FakeUsb, ScriptedHidDevice, ScriptedUsbDevice } from './fakes.ts';

afterEach(() => void vi.unstubAllGlobals());

function browser(userActivation?: { isActive: boolean }) {
  const usb = new FakeUsb();
  const hid = new FakeHid();
  vi.stubGlobal('navigator', { usb, hid, userActivation });
  return { usb, hid };
}

describe('the table of models', () => {
  it('names every device once', () => {
    const ids = keyModels.map(({ vendorId, productId }) => `${vendorId}:${productId}`);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each([
    [0x055c, 0xe618, 'longmaiHid', 'gmt0017'],
    [0x1209, 0x0001, 'vendorCcid', 'gmt0017'],
    [0x1209, 0x0002, 'vendorCcid', 'piv'],
    [0x20a0, 0x42d4, 'canokey', 'piv'],
    [0x096e, 0x0807, 'smartCardClass', undefined],
    [0x14d6, 0xa002, 'massStorage', undefined],
  ])('knows %i:%i', (vendorId, productId, attachment, commandSet) => {
    expect(findModel(vendorId, productId)).toMatchObject({ attachment, commandSet });
  });
});

describe('the operator’s models', () => {
  afterEach(() => setModelAdditions([]));

  it('are keys as most are, where their row says nothing else', () => {
    setModelAdditions([
      { vendorId: 1, productId: 2, name: 'A', attachment: 'longmaiHid', dialect: { pinDigest: 'sm3' } },
      { vendorId: 1, productId: 3, name: 'B', attachment: 'vendorCcid', piv: { sm2Algorithm: 0x54 } },
      { vendorId: 1, productId: 4, name: 'C', attachment: 'smartCardClass', enrolment: 'off', note: 'n' },
    ]);

    expect(findModel(1, 2)).toEqual({
      ...{ vendorId: 1, productId: 2, name: 'A', attachment: 'longmaiHid', commandSet: 'gmt0017', enrolment: 'on' },
      dialect: { ...defaultDialect, pinDigest: 'sm3' },
    });
    expect(findModel(1, 3)).toMatchObject({ commandSet: 'piv', piv: { ...defaultPivDialect, sm2Algorithm: 0x54 } });
    expect(findModel(1, 4)).toMatchObject({ commandSet: undefined, enrolment: 'off', note: 'n' });
  });

  it('go before the table’s own, until others are given', () => {
    setModelAdditions([
      { vendorId: 0x055c, productId: 0xe618, name: 'Held back', attachment: 'longmaiHid', enrolment: 'readOnly' },
    ]);
    expect(findModel(0x055c, 0xe618)).toMatchObject({ name: 'Held back', enrolment: 'readOnly' });

    setModelAdditions([]);
    expect(findModel(0x055c, 0xe618)).toMatchObject({ name: 'Longmai mToken GM3000', enrolment: 'on' });
  });

  it('leave CanoKey its own way of being PIV', () => {
    expect(findModel(0x20a0, 0x42d4)?.piv).toEqual({
      ...{ sm2Algorithm: 0x54, spareSlot: 'noCertificate', retiredSlots: [0x82, 0x83] },
    });
  });
});

describe('granted devices', () => {
  it('are found both ways, and are the same objects every time', async () => {
    const { usb, hid } = browser();
    usb.devices = [new ScriptedUsbDevice().device];
    hid.devices = [new ScriptedHidDevice().device];

    const first = await grantedDevices();
    const second = await grantedDevices();

    expect(first).toMatchObject([
      { way: 'hid', vendorId: 0x055c, productId: 0xe618, productName: 'Scripted key', refusal: undefined },
      { way: 'usb', vendorId: 0x1209, productId: 0x0001, productName: 'Scripted key', refusal: undefined },
    ]);
    expect(first.every((device, index) => device === second[index])).toBe(true);
  });

  it('are none in a browser without WebUSB and WebHID, or under a policy that forbids them', async () => {
    vi.stubGlobal('navigator', {});
    expect(await grantedDevices()).toEqual([]);
    const { usb, hid } = browser();
    const forbidden = () => Promise.reject(new DOMException('', 'SecurityError'));
    usb.getDevices = forbidden;
    hid.getDevices = forbidden;
    expect(await grantedDevices()).toEqual([]);
  });

  it('that cannot be used are recognised without opening them', async () => {
    const { usb, hid } = browser();
    const card = new ScriptedUsbDevice({ ids: [0x096e, 0x0807], interfaceClasses: [0x0b] });
    usb.devices = [card.device];
    hid.devices = [new ScriptedHidDevice([0x1050, 0x0407], []).device];

    const [overHid, overUsb] = await grantedDevices();

    expect(overHid).toMatchObject({ way: 'hid', refusal: 'fidoOnly' });
    expect(overUsb).toMatchObject({ way: 'usb', refusal: 'protectedClass' });
    for (const device of [overHid, overUsb]) {
      await expect(device?.openChannel()).rejects.toMatchObject({ name: 'TransportError', code: 'protectedClass' });
    }
    expect(card.calls).toEqual([]);
  });

  it('come with what they say of themselves, and are guesses where no table knows them', async () => {
    const { usb } = browser();
    usb.devices = [new ScriptedUsbDevice().device, new ScriptedUsbDevice({ ids: [1, 2] }).device];

    expect(await grantedDevices()).toMatchObject([
      { guessed: false, model: { name: 'Virtual USBKEY' }, description: { vendorId: 0x1209 } },
      { guessed: true, model: undefined, description: { vendorId: 1, product: 'Scripted key' } },
    ]);
  });

  it('are looked at anew when the operator says something else of their model, and only then', async () => {
    const { usb } = browser();
    usb.devices = [new ScriptedUsbDevice({ ids: [1, 2] }).device];
    const [before] = await grantedDevices();
    const rows = [{ vendorId: 1, productId: 2, name: 'Ours', attachment: 'vendorCcid' }] as const;

    setModelAdditions(rows);
    const [after] = await grantedDevices();
    setModelAdditions([...rows]);
    const [again] = await grantedDevices();
    setModelAdditions([]);

    expect(before).toMatchObject({ guessed: true });
    expect(after).toMatchObject({ guessed: false, model: { name: 'Ours' } });
    expect(again).toBe(after);
  });

  it('hide the unusable face of a key that has a usable one', async () => {
    const { usb, hid } = browser();
    hid.devices = [new ScriptedHidDevice([0x055c, 0xf603]).device];
    usb.devices = [new ScriptedUsbDevice({ ids: [0x055c, 0xf603], interfaceClasses: [3, 0x0b] }).device];

    expect(await grantedDevices()).toMatchObject([{ way: 'hid', refusal: undefined }]);
  });
});

describe('the chooser', () => {
  it('offers the known keys and those to be explained, and returns the chosen one', async () => {
    const { usb } = browser();
    usb.chosen = [new ScriptedUsbDevice().device];

    const device = await chooseDevice('usb');

    expect(device).toMatchObject({ way: 'usb', refusal: undefined });
    expect(usb.asked).toMatchObject({
      filters: expect.arrayContaining([{ vendorId: 0x1209, productId: 0x0001 }, { classCode: 0x0b }]) as unknown,
    });
  });

  it('takes the usable interface of a HID key that has several', async () => {
    const { hid } = browser();
    const usable = new ScriptedHidDevice().device;
    hid.chosen = [new ScriptedHidDevice([0x055c, 0xe618], []).device, usable];

    expect(await chooseDevice('hid')).toMatchObject({ refusal: undefined });
    expect(hid.asked).toEqual({ filters: [{ vendorId: 0x055c }] });
  });

  it('asks for the operator’s models too', async () => {
    const { usb, hid } = browser();
    usb.chosen = [new ScriptedUsbDevice().device];
    hid.chosen = [new ScriptedHidDevice().device];
    setModelAdditions([{ vendorId: 0x1234, productId: 0x5678, name: 'Ours', attachment: 'longmaiHid' }]);

    await chooseDevice('usb');
    await chooseDevice('hid');
    setModelAdditions([]);

    expect(usb.asked).toMatchObject({
      filters: expect.arrayContaining([{ vendorId: 0x1234, productId: 0x5678 }]) as unknown,
    });
    expect(hid.asked).toEqual({ filters: [{ vendorId: 0x1234 }, { vendorId: 0x055c }] });
  });

  it.each(['usb', 'hid'] as const)('over %s lists everything when it is asked to', async (way) => {
    const doors = browser();
    doors.usb.chosen = [new ScriptedUsbDevice().device];
    doors.hid.chosen = [new ScriptedHidDevice().device];

    await chooseDevice(way, 'all');

    expect(doors[way].asked).toEqual({ filters: [] });
  });

  it.each([
    ['usb', 'NotFoundError', false, 'nothingChosen'],
    ['hid', [], false, 'nothingChosen'],
    ['usb', 'SecurityError', false, 'noGesture'],
    ['hid', 'SecurityError', false, 'noGesture'],
    ['usb', 'SecurityError', true, 'unsupported'],
    ['usb', 'TypeError', true, 'failed'],
  ] as const)('over %s that ends with %s (fresh click: %s) is %s', async (way, outcome, isActive, code) => {
    const doors = browser({ isActive });
    doors[way].chosen = typeof outcome === 'string' ? outcome : [];

    await expect(chooseDevice(way)).rejects.toMatchObject({ name: 'TransportError', code });
  });

  it.each(['usb', 'hid'] as const)('is unsupported in a browser without %s', async (way) => {
    vi.stubGlobal('navigator', {});
    await expect(chooseDevice(way)).rejects.toMatchObject({ code: 'unsupported' });
  });
});

it('reports devices that come and go as the objects they are, until it is stopped', async () => {
  const { usb, hid } = browser();
  const seen: string[] = [];
  const [key, other] = [new ScriptedUsbDevice().device, new ScriptedHidDevice().device];
  const stop = watchDevices({
    onConnect: (device) => seen.push(`+${device.way}`),
    onDisconnect: (device) => seen.push(`-${device.way}`),
  });

  usb.announce('connect', key);
  hid.announce('connect', other);
  const granted = await grantedDevices();
  hid.announce('disconnect', other);
  stop();
  usb.announce('disconnect', key);

  expect(seen).toEqual(['+usb', '+hid', '-hid']);
  expect(granted).toHaveLength(2);
});
