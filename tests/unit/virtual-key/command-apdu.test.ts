import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexToBytes } from '../../virtual-key/bytes.ts';
import { parseCommandApdu } from '../../virtual-key/command-apdu.ts';

const parse = (hex: string) => parseCommandApdu(hexToBytes(hex));
const nothing = new Uint8Array(0);

describe('parseCommandApdu', () => {
  it.each([
    ['1', '80040000', nothing, undefined, false],
    ['2S', '8050000008', nothing, 8, false],
    ['2S with Le 00', '8050000000', nothing, 256, false],
    ['3S', '801c0000020201', hexToBytes('0201'), undefined, false],
    ['4S', '80140001020201ff', hexToBytes('0201'), 255, false],
    ['4S with Le 00', '8014000102020100', hexToBytes('0201'), 256, false],
    ['2E', '80040000000120', nothing, 0x120, true],
    ['2E with Le 0000', '80040000000000', nothing, 65536, true],
    ['3E', '801c00000000020201', hexToBytes('0201'), undefined, true],
    ['4E', '801400010000020201 0003'.replace(' ', ''), hexToBytes('0201'), 3, true],
    ['4E with Le 0000', '8014000100000202010000', hexToBytes('0201'), 65536, true],
  ])('reads case %s', (_, hex, data, expected, extended) => {
    const command = parse(hex);

    expect(command).toMatchObject({ cla: 0x80, data, expected, extended });
  });

  it.each([
    '',
    '80',
    '800400',
    '801c00000202',
    '801c000002020100ff',
    '800400000000',
    '8004000000000002',
    '801c0000000002020100',
  ])('refuses %s, which is no case of ISO 7816-4', (hex) => {
    expect(parse(hex)).toBeUndefined();
  });

  it('reads back any extended command with data', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 3000 }), fc.integer({ min: 1, max: 65536 }), (data, ne) => {
        const { length } = data;
        const le = ne % 65536;
        const bytes = [0x80, 0x4c, 0, 0, 0, length >> 8, length & 255, ...data, le >> 8, le & 255];

        const command = parseCommandApdu(Uint8Array.from(bytes));

        expect(command?.data).toEqual(data);
        expect(command?.expected).toBe(ne);
      }),
    );
  });

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const command = parseCommandApdu(bytes);

        expect(command === undefined || command.data.length <= bytes.length).toBe(true);
      }),
    );
  });
});
