import { describe, expect, test } from 'vitest';
import { aboutPcscd, readWanted, udevRule } from '../../usb-stack/desktop.ts';
import { allAttachments } from '../../virtual-key/state.ts';

describe('the options', () => {
  test.each([
    [{}, 'longmai-hid', 'gmt0017', 'p256'],
    [{ attachment: 'ccid-0b' }, 'ccid-0b', 'gmt0017', 'p256'],
    [{ attachment: 'canokey', algorithm: 'sm2' }, 'canokey', 'piv', 'sm2'],
    [{ 'command-set': 'piv' }, 'ccid-extended', 'piv', 'p256'],
    [{ 'command-set': 'piv', attachment: 'ccid-0b', algorithm: 'rsa2048' }, 'ccid-0b', 'piv', 'rsa2048'],
  ] as const)('%j choose %s with %s and %s', (options, attachment, commandSet, algorithm) => {
    expect(readWanted(options)).toEqual({ scenario: 'due-30-days', attachment, commandSet, algorithm });
  });

  test.each([
    { attachment: 'usb' },
    { scenario: 'sunny' },
    { 'command-set': 'openpgp' },
    { algorithm: 'p384' },
    { attachment: 'longmai-hid', 'command-set': 'piv' },
    { attachment: 'canokey', 'command-set': 'gmt0017' },
  ])('%j choose nothing', (options) => {
    expect(() => readWanted(options)).toThrow(RangeError);
  });
});

test('the udev rule is for hidraw where the key is a HID, and for the USB device otherwise', () => {
  const identity = { productName: '', manufacturerName: '', serialNumber: null };

  expect(udevRule({ ...identity, vendorId: 0x055c, productId: 0xe618 }, 'longmai-hid')).toBe(
    'KERNEL=="hidraw*", ATTRS{idVendor}=="055c", ATTRS{idProduct}=="e618", TAG+="uaccess"',
  );
  expect(udevRule({ ...identity, vendorId: 0x1209, productId: 2 }, 'ccid-extended')).toBe(
    'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="1209", ATTR{idProduct}=="0002", TAG+="uaccess"',
  );
});

test('pcscd is to be stopped only where it would be in the way', () => {
  const stops = allAttachments.filter((attachment) =>
    aboutPcscd(attachment).some((line) => line.startsWith('sudo systemctl stop pcscd')),
  );

  expect(stops).toEqual(['canokey']);
});
