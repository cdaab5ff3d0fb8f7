import { describe, expect, it } from 'vitest';
import { resetUsbDevice } from '../../../src/device/reset-device.ts';
import { pluggedKey, usbDeviceOf } from '../../bench/keys.ts';
import { sampleState } from '../../virtual-key/make-state.ts';
import { smartCardDevice } from '../../virtual-key/other-devices.ts';

describe('resetting a USB device', () => {
  it('frees an endpoint that was halted, and leaves the device closed', async () => {
    const key = await pluggedKey(sampleState());
    const device = await usbDeviceOf(key);
    await device.open();
    await device.claimInterface(0);
    key.disturb(1, 'stall');
    expect((await device.transferOut(1, Uint8Array.of(0))).status).toBe('stall');
    await device.close();
    const before = key.state();

    await resetUsbDevice(device);

    expect(device.opened).toBe(false);
    expect(key.state()).toEqual(before);
    await device.open();
    await device.claimInterface(0);
    const iccPowerOff = Uint8Array.of(0x63, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    expect((await device.transferOut(1, iccPowerOff)).status).toBe('ok');
  });

  it('says so where the device is gone, or the computer refuses', async () => {
    const key = await pluggedKey(sampleState());
    const device = await usbDeviceOf(key);
    await key.unplug();
    await expect(resetUsbDevice(device)).rejects.toMatchObject({ name: 'TransportError', code: 'disconnected' });

    const refused = { ...smartCardDevice(), notOpenable: true };
    key.usb.grant(refused);
    await key.usb.plug(refused);
    const [other] = await key.usb.getDevices();
    if (!other) throw new Error('not there');
    await expect(resetUsbDevice(other as unknown as USBDevice)).rejects.toMatchObject({ code: 'accessDenied' });
  });
});
