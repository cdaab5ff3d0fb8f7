import { describe, expect, it } from 'vitest';
import { findModel } from '../../../src/device/models.ts';
import { recogniseHid, recogniseUsb, reportBits } from '../../../src/device/recognise.ts';
import { hidDevice, reports, usbDevice, type Face } from './descriptors.ts';

const ff = (endpoints: Face['endpoints'] = []): Face => ({ interfaceClass: 0xff, endpoints });
const pair = ['in bulk', 'out bulk'] as const;
const hid: Face = { interfaceClass: 3, endpoints: ['in interrupt', 'out interrupt'] };
const disk: Face = { interfaceClass: 8, endpoints: pair };
const card: Face = { interfaceClass: 0x0b, endpoints: pair };

const unknown = [0x1111, 0x2222] as const;
const gm3000 = [0x055c, 0xe618] as const;
const virtual = [0x1209, 0x0001] as const;
const canokey = [0x20a0, 0x42d4] as const;
const ePass = [0x096e, 0x0807] as const;
const taxDisk = [0x14d6, 0xa002] as const;

describe('over WebUSB', () => {
  it.each<[string, readonly [number, number], readonly Face[], readonly string[], boolean]>([
    ['our CCID model', virtual, [ff(pair)], ['vendorCcid'], false],
    ['CanoKey, whose smart card and HID stay with the browser', canokey, [hid, card, ff()], ['canokey'], false],
    ['an unknown device with a vendor’s bulk pair', unknown, [ff(pair)], ['vendorCcid'], true],
    ['an unknown device with a vendor’s interface without endpoints', unknown, [ff()], ['canokey'], true],
    ['an unknown device with both', unknown, [ff(), ff(pair)], ['vendorCcid', 'canokey'], true],
    ['an unknown smart card with a vendor’s interface beside it', unknown, [card, ff(pair)], ['vendorCcid'], true],
    ['a known smart card that has one after all', ePass, [card, ff(pair)], ['vendorCcid'], true],
    ['a known disk that has one after all', taxDisk, [disk, ff(pair)], ['vendorCcid'], true],
  ])('%s can be spoken to', (_what, ids, faces, senders, guessed) => {
    const seen = recogniseUsb(usbDevice({ ids, faces }), findModel(...ids));
    expect(seen).toEqual({ senders, guessed, refusal: undefined });
  });

  it.each<[string, readonly [number, number], readonly Face[], string, string]>([
    ['a known smart card', ePass, [card], 'ePass2003', 'protectedClass'],
    ['an unknown smart card', unknown, [card], '', 'protectedClass'],
    ['a smart card that is a disk as well', unknown, [disk, card], '', 'protectedClass'],
    ['a smart card that is a HID device as well', unknown, [hid, card], '', 'protectedClass'],
    ['a known disk', taxDisk, [disk], 'Tax UKey', 'massStorage'],
    ['an unknown disk', unknown, [disk], '', 'massStorage'],
    ['a known HID key', gm3000, [hid], 'mToken', 'otherWay'],
    ['a known HID key with a smart card beside it', [0x055c, 0xf603], [hid, card], 'mToken', 'otherWay'],
    ['an unknown HID device', unknown, [hid], 'Some key', 'otherWay'],
    ['a security key by its name', unknown, [hid], 'Security Key by Maker', 'fidoOnly'],
    ['a security key by its standard', unknown, [hid], 'ACME FIDO2', 'fidoOnly'],
    ['a vendor’s interface with only one bulk endpoint', unknown, [ff(['in bulk'])], '', 'unknownDevice'],
    [
      'a vendor’s interface with interrupts only',
      unknown,
      [ff(['in interrupt', 'out interrupt'])],
      '',
      'unknownDevice',
    ],
    ['our model without its interface', virtual, [{ interfaceClass: 2, endpoints: [] }], '', 'unknownDevice'],
    ['a device without interfaces', unknown, [], '', 'unknownDevice'],
  ])('%s is refused by its own reason', (_what, ids, faces, name, refusal) => {
    const seen = recogniseUsb(usbDevice({ ids, faces, name }), findModel(...ids));
    expect(seen).toEqual({ senders: [], guessed: false, refusal });
  });

  it('a device without a configuration yet is judged by its first', () => {
    const device = usbDevice({ ids: unknown, faces: [ff(pair)], configured: false });
    expect(recogniseUsb(device, undefined).senders).toEqual(['vendorCcid']);
  });
});

describe('over WebHID', () => {
  const vendorPage = { usagePage: 0xff00, usage: 1, inputReports: reports(64), outputReports: reports(64) };

  it.each<[string, readonly [number, number], HIDCollectionInfo[], boolean]>([
    ['our HID model', gm3000, [{ usagePage: 0xff00 }], false],
    ['a vendor’s page with 64-byte reports', unknown, [{ usagePage: 1 }, vendorPage], true],
    ['one with reports of sixteen words', unknown, [{ ...vendorPage, outputReports: reports(16, 32) }], true],
  ])('%s can be spoken to', (_what, ids, collections, guessed) => {
    const seen = recogniseHid(hidDevice(ids, collections), findModel(...ids));
    expect(seen).toEqual({ senders: ['longmaiHid'], guessed, refusal: undefined });
  });

  it.each<[string, readonly [number, number], HIDCollectionInfo[], string]>([
    ['a device whose collections are hidden', unknown, [], 'fidoOnly'],
    ['a device that shows its FIDO page', unknown, [{ ...vendorPage, usagePage: 0xf1d0 }], 'fidoOnly'],
    ['our HID model with nothing to see', gm3000, [], 'fidoOnly'],
    ['a standard page', unknown, [{ ...vendorPage, usagePage: 0x0c }], 'unknownDevice'],
    ['reports one byte short', unknown, [{ ...vendorPage, inputReports: reports(63) }], 'unknownDevice'],
    ['reports under an id', unknown, [{ ...vendorPage, inputReports: reports(64, 8, 2) }], 'unknownDevice'],
    ['reports one way only', unknown, [{ ...vendorPage, outputReports: [] }], 'unknownDevice'],
    ['collections that say nothing', unknown, [{}], 'unknownDevice'],
    ['a key that is reached over WebUSB', canokey, [vendorPage], 'otherWay'],
  ])('%s is refused by its own reason', (_what, ids, collections, refusal) => {
    const seen = recogniseHid(hidDevice(ids, collections), findModel(...ids));
    expect(seen).toEqual({ senders: [], guessed: false, refusal });
  });

  it('a report is as long as its items', () => {
    expect(reportBits([{ reportSize: 8, reportCount: 63 }, { reportSize: 1, reportCount: 8 }, {}])).toBe(512);
  });
});

it('a model that the table holds back is refused as such, whatever its descriptors allow', () => {
  const model = findModel(...gm3000);
  const off = model && ({ ...model, enrolment: 'off' } as const);
  const seen = recogniseHid(hidDevice(gm3000, [{ usagePage: 0xff00 }]), off);
  expect(seen).toEqual({ senders: [], guessed: false, refusal: 'heldBack' });
  expect(recogniseUsb(usbDevice({ ids: gm3000, faces: [ff(pair)] }), off).refusal).toBe('heldBack');
});
