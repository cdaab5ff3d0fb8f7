import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeHid, describeUsb, reportText, shownName } from '../../../src/device/descriptor-report.ts';
import { hidDevice, reports, usbDevice } from './descriptors.ts';

describe('the report of a device', () => {
  it('says over WebUSB who made it and what its interfaces are', () => {
    const device = usbDevice({
      ...{ ids: [0x055c, 0xf605], name: 'mToken', maker: 'Longmai' },
      faces: [
        { interfaceClass: 0x0b, endpoints: ['out bulk', 'in bulk', 'in interrupt'] },
        { interfaceClass: 0xff, endpoints: [] },
      ],
    });

    expect(reportText(describeUsb(device))).toBe(
      [
        'VID:PID 055C:F605 (WebUSB)',
        'product mToken',
        'maker Longmai',
        'interface 0.0 class 0B/00/00',
        '  endpoint 1 out bulk 64',
        '  endpoint 2 in bulk 64',
        '  endpoint 3 in interrupt 64',
        'interface 1.0 class FF/00/00',
        '',
      ].join('\n'),
    );
  });

  it('says over WebHID what its collections are and how long their reports', () => {
    const device = hidDevice(
      [0x055c, 0xe618],
      [
        { usagePage: 0xffa0, usage: 1, inputReports: reports(64), outputReports: reports(64) },
        { usagePage: 0xff00, usage: 0x21, featureReports: reports(3, 4, 7) },
      ],
      'mToken',
    );

    expect(reportText(describeHid(device))).toBe(
      [
        'VID:PID 055C:E618 (WebHID)',
        'product mToken',
        'collection FFA0:0001',
        '  input report 0: 64 bytes',
        '  output report 0: 64 bytes',
        'collection FF00:0021',
        '  feature report 7: 1.5 bytes',
        '',
      ].join('\n'),
    );
  });

  it('holds no serial number', () => {
    const serialNumber = 'SN-4711-CANARY';
    const description = describeUsb(usbDevice({ ids: [1, 2], faces: [], name: 'A key', serialNumber }));
    expect(JSON.stringify(description) + reportText(description)).not.toContain(serialNumber);
  });

  it('is short however much a device says', () => {
    const face = { interfaceClass: 0xff, endpoints: Array.from({ length: 200 }, () => 'in bulk' as const) };
    const device = usbDevice({ ids: [1, 2], faces: Array.from({ length: 200 }, () => face), name: 'x'.repeat(9999) });
    expect(reportText(describeUsb(device)).length).toBeLessThan(10_000);
    const wide = hidDevice(
      [1, 2],
      Array.from({ length: 500 }, () => ({ usagePage: 1 })),
    );
    expect(describeHid(wide).collections).toHaveLength(64);
  });

  it('keeps every line a line, whatever the device calls itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (name) => {
        const shown = shownName(name);
        expect(shown.length).toBeLessThanOrEqual(64);
        expect(shown).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u);
        const lines = reportText(describeUsb(usbDevice({ ids: [1, 2], faces: [], name }))).split('\n');
        expect(lines).toHaveLength(4);
      }),
    );
  });
});
