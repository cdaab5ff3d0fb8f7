import { describe, expect, it } from 'vitest';
import { bytesToHex, concatBytes, hexToBytes } from '../../virtual-key/bytes.ts';
import type { FakeUsbDevice } from '../../virtual-key/fake-usb.ts';
import type { Operation } from '../../virtual-key/latency.ts';
import { splitIntoReports } from '../../virtual-key/longmai-device.ts';
import { samplePivState, sampleState } from '../../virtual-key/make-state.ts';
import { attachments, type KeyState } from '../../virtual-key/state.ts';
import { readKeyState } from '../../virtual-key/state-schema.ts';
import { VirtualKey } from '../../virtual-key/virtual-key.ts';
import { extended, proof } from './support.ts';

/** Sends one CCID message and returns the next one that comes, as hex. */
async function ccid(device: FakeUsbDevice, message: string): Promise<string> {
  await device.transferOut(1, hexToBytes(message.replaceAll(' ', '')));
  const { data } = await device.transferIn(1, 512);
  return bytesToHex(new Uint8Array(data.buffer));
}

async function apdu(device: FakeUsbDevice, command: string): Promise<string> {
  const length = (command.length / 2).toString(16).padStart(2, '0');
  return (await ccid(device, `6f ${length}000000 00 00 00 0000 ${command}`)).slice(20);
}

async function openUsb(key: VirtualKey): Promise<FakeUsbDevice> {
  const [device] = await key.usb.getDevices();
  if (!device) throw new Error('no device');
  await device.open();
  await device.claimInterface(0);
  await ccid(device, '62 00000000 00 00 00 0000');
  return device;
}

const openApplication = extended('80260000', '43464341');
const wrongProof = extended('80180001', `0201${'00'.repeat(16)}`, '');
const triesOf = (state: KeyState): number | undefined => state.applications[0]?.remainingTries;

describe('VirtualKey', () => {
  it.each(['ccid-extended', 'ccid-short'] as const)('answers over WebUSB as %s', async (attachment) => {
    const key = new VirtualKey(sampleState({ attachment }));
    key.grant();
    await key.plug();
    const device = await openUsb(key);

    expect(await apdu(device, '8022000000')).toBe('43464341' + '0000' + '9000');
  });

  it('answers over WebHID as longmai-hid', async () => {
    const key = new VirtualKey(sampleState({ attachment: 'longmai-hid' }));
    key.grant();
    await key.plug();
    const [device] = await key.hid.getDevices();
    await device?.open();
    const answer = new Promise<string>((resolve) => {
      device?.addEventListener('inputreport', (event) => {
        resolve(bytesToHex(new Uint8Array((event as Event & { readonly data: DataView<ArrayBuffer> }).data.buffer)));
      });
    });
    const body = hexToBytes('12000780220000000000');
    const header = hexToBytes(`fe01${'00'.repeat(14)}0a000005`);
    for (const report of splitIntoReports(concatBytes(header, body)))
      await device?.sendReport(0, new Uint8Array(report));

    expect(await answer).toBe(`dcaaaa0800${'00'.repeat(15)}05434643410000 9000`.replace(' ', '').padEnd(128, '0'));
  });

  it('shows a HID key to WebUSB too, which cannot claim it', async () => {
    const key = new VirtualKey(sampleState({ attachment: 'longmai-hid' }));
    await key.plug();

    const device = await key.usb.requestDevice({ filters: [{ vendorId: 0x055c }] });

    await device.open();
    await expect(device.claimInterface(0)).rejects.toMatchObject({ name: 'SecurityError' });
  });

  it('keeps the password counter over unplugging, and forgets the open application', async () => {
    const saved: KeyState[] = [];
    const key = new VirtualKey(sampleState(), { persist: (state) => saved.push(structuredClone(state)) });
    key.grant();
    await key.plug();
    const before = await openUsb(key);
    await apdu(before, openApplication);
    await apdu(before, '8050000008');
    const wrong = await apdu(before, wrongProof);
    await key.unplug();
    await key.plug();
    const after = await openUsb(key);

    expect(wrong).toBe('63c5');
    expect(saved.map(triesOf)).toEqual([5]);
    expect(await apdu(after, extended('80140001', '0201'))).toBe('698a');
    await apdu(after, openApplication);
    expect(await apdu(after, extended('80140001', '0201'))).toBe('0605009000');
  });

  it('has counted a wrong password whose answer was lost', async () => {
    const key = new VirtualKey(sampleState());
    key.grant();
    await key.plug();
    const device = await openUsb(key);
    await apdu(device, openApplication);
    await apdu(device, '8050000008');
    key.unplugAt(1, 'after');

    await expect(apdu(device, wrongProof)).rejects.toMatchObject({ name: 'NetworkError' });

    expect(key.plugged).toBe(false);
    expect(triesOf(key.state())).toBe(5);
  });

  it('has not counted a password that never arrived', async () => {
    const key = new VirtualKey(sampleState());
    key.grant();
    await key.plug();
    const device = await openUsb(key);
    await apdu(device, openApplication);
    await apdu(device, '8050000008');
    key.unplugAt(1, 'before');

    await expect(apdu(device, wrongProof)).rejects.toMatchObject({ name: 'NetworkError' });

    expect(triesOf(key.state())).toBe(6);
  });

  it('can lose its power at a write', async () => {
    const key = new VirtualKey(sampleState());
    key.grant();
    await key.plug();
    const device = await openUsb(key);
    await apdu(device, openApplication);
    await apdu(device, '8050000008');
    key.unplugAtWrite(1, 'before');

    await expect(apdu(device, wrongProof)).rejects.toMatchObject({ name: 'NetworkError' });

    expect([triesOf(key.state()), key.plugged, key.writes]).toEqual([6, false, 1]);
  });

  it('waits as long as it is told to for each kind of work', async () => {
    const waited: Operation[] = [];
    const key = new VirtualKey(sampleState(), {
      latency: (operation) => {
        waited.push(operation);
        return Promise.resolve();
      },
    });
    key.grant();
    await key.plug();
    const device = await openUsb(key);
    await apdu(device, openApplication);
    await apdu(device, extended('80420000', '02014331'));
    const challenge = (await apdu(device, '8050000008')).slice(0, 16);
    await apdu(device, extended('80180001', `0201${proof('12345678', challenge)}`, ''));
    const extension = await apdu(device, extended('80740200', `02010100${'11'.repeat(32)}`));

    expect(extension).toBe('');
    expect(waited).toEqual(['apdu', 'apdu', 'apdu', 'apdu', 'apdu', 'sign']);
  });

  it('becomes another key on reset, plugged and granted as before', async () => {
    const key = new VirtualKey(sampleState({ serialNumber: 'ONE' }));
    key.grant();
    await key.plug();
    const events: string[] = [];
    key.usb.ondisconnect = () => events.push('usb disconnect');
    key.hid.onconnect = () => events.push('hid connect');

    await key.reset(sampleState({ serialNumber: 'TWO', attachment: 'longmai-hid' }));

    expect(events).toEqual(['usb disconnect', 'hid connect']);
    expect(await key.usb.getDevices()).toEqual([]);
    expect(await key.hid.getDevices()).toHaveLength(1);
    expect(key.state().info.serialNumber).toBe('TWO');
  });

  it('gives out copies of its state only', () => {
    const given = sampleState();
    const key = new VirtualKey(given);
    const taken = key.state();

    given.applications.length = 0;
    taken.applications.length = 0;

    expect(key.state().applications).toHaveLength(1);
  });
});

describe('a PIV key', () => {
  const select = '00a4040005a00000030800';
  const template = '61114f0600001000010079074f05a0000003089000';

  it.each([
    ['ccid-extended', 0x1209, 0x0002],
    ['ccid-short', 0x1209, 0x0002],
  ] as const)('answers over WebUSB as %s', async (attachment, vendorId, productId) => {
    const key = new VirtualKey(samplePivState({ attachment }));
    key.grant();
    await key.plug();
    const device = await openUsb(key);

    expect([device.vendorId, device.productId]).toEqual([vendorId, productId]);
    expect(await apdu(device, select)).toBe(template);
  });

  it('answers over CanoKey’s control transfers', async () => {
    const key = new VirtualKey(samplePivState({ attachment: 'canokey' }));
    key.grant();
    await key.plug();
    const [device] = await key.usb.getDevices();
    await device?.open();
    await device?.claimInterface(1);
    const setup = { requestType: 'vendor', recipient: 'interface', request: 0, value: 0, index: 1 } as const;

    await device?.controlTransferOut(setup, hexToBytes(select));
    let state = 1;
    while (state === 1) state = (await device?.controlTransferIn({ ...setup, request: 2 }, 1))?.data.getUint8(0) ?? 0;
    const answer = await device?.controlTransferIn({ ...setup, request: 1 }, 1500);

    expect(bytesToHex(new Uint8Array(answer?.data.buffer ?? []))).toBe(template);
  });

  it.each(['piv', 'gmt0017'] as const)(
    'of the smart-card class is shown and cannot be claimed, %s',
    async (commandSet) => {
      const attachment = 'ccid-0b';
      const key = new VirtualKey(commandSet === 'piv' ? samplePivState({ attachment }) : sampleState({ attachment }));
      await key.plug();

      const device = await key.usb.requestDevice({ filters: [{ classCode: 0x0b }] });
      await device.open();

      await expect(device.claimInterface(0)).rejects.toMatchObject({ name: 'SecurityError' });
    },
  );

  it('loses power at the n-th write to its memory as any other', async () => {
    const key = new VirtualKey(samplePivState());
    key.grant();
    await key.plug();
    const device = await openUsb(key);
    await apdu(device, select);
    key.unplugAtWrite(1, 'after');

    await expect(apdu(device, '0020008008303030303030ffff')).rejects.toMatchObject({ name: 'NetworkError' });

    expect(key.state().piv?.remainingTries).toBe(2);
    expect(key.plugged).toBe(false);
  });

  it.each([
    ['PIV behind Longmai’s reports', samplePivState({ attachment: 'longmai-hid' })],
    ['GM/T 0017 in a CanoKey', sampleState({ attachment: 'canokey' })],
  ])('is not made of %s', (_, state) => {
    expect(() => new VirtualKey(state)).toThrow(RangeError);
    expect(readKeyState(state)).toBeUndefined();
  });
});

describe('readKeyState', () => {
  it.each(attachments)('reads back a state of %s from JSON', (attachment) => {
    const state = sampleState({ attachment });

    expect(readKeyState(JSON.parse(JSON.stringify(state)))).toEqual(state);
  });

  it.each(['ccid-extended', 'ccid-short', 'ccid-0b', 'canokey'] as const)(
    'reads back a PIV state of %s from JSON',
    (attachment) => {
      const state = samplePivState({ attachment });

      expect(readKeyState(JSON.parse(JSON.stringify(state)))).toEqual(state);
    },
  );

  it.each([
    ['a PIV key without its card', { ...samplePivState(), piv: undefined }],
    ['a card in a GM/T 0017 key', { ...samplePivState(), commandSet: 'gmt0017' }],
    ['nothing', undefined],
    ['another thing', { scenario: 'due-30-days' }],
    ['an unknown scenario', { ...sampleState(), scenario: 'other' }],
    [
      'odd hex',
      {
        ...sampleState({
          containers: [{ name: 'C', id: 1, signing: { algorithm: 'sm2', privateKey: '0', publicKey: '00' } }],
        }),
      },
    ],
  ])('refuses %s', (_, value) => {
    expect(readKeyState(value)).toBeUndefined();
  });
});
