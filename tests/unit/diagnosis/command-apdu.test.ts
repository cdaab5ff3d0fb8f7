import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCommand } from '../../../src/apdu/command.ts';
import { parseCommand } from '../../../src/diagnosis/command-apdu.ts';
import { hex } from '../apdu/hex.ts';

const byte = fc.integer({ min: 0, max: 255 });
const command = (maxData: number, maxNe: number) =>
  fc.record(
    {
      cla: byte,
      ins: byte,
      p1: byte,
      p2: byte,
      data: fc.uint8Array({ minLength: 1, maxLength: maxData }),
      ne: fc.integer({ min: 1, max: maxNe }),
    },
    { requiredKeys: ['cla', 'ins', 'p1', 'p2'] },
  );

describe('a command on the wire', () => {
  it.each([
    ['case 1', '80 28 00 00', { data: '', ne: undefined }],
    ['case 2 short', '80 04 00 00 00', { data: '', ne: 256 }],
    ['case 3 short', '80 28 00 00 02 01 02', { data: '0102', ne: undefined }],
    ['case 4 short', '80 26 00 00 02 01 02 10', { data: '0102', ne: 16 }],
    ['case 2 extended', '80 04 00 00 00 00 00', { data: '', ne: 65_536 }],
    ['case 3 extended', '80 28 00 00 00 00 02 01 02', { data: '0102', ne: undefined }],
    ['case 4 extended', '80 26 00 00 00 00 02 01 02 01 00', { data: '0102', ne: 256 }],
  ])('of %s is read (ISO/IEC 7816-4 §5.1)', (_, bytes, { data, ne }) => {
    const read = parseCommand(hex(bytes));

    expect(read).toMatchObject({ cla: 0x80, ne });
    expect(read?.data).toEqual(hex(data));
  });

  it('is what was encoded, in the short form and in the extended one', () => {
    const isRead = (form: 'short' | 'extended') => (given: Parameters<typeof encodeCommand>[0]) => {
      const { data = new Uint8Array(), ...rest } = given;

      const read = parseCommand(encodeCommand(given, form));

      expect(read).toMatchObject(rest);
      expect(read?.data).toEqual(data);
      expect(read?.ne).toBe(given.ne);
    };
    fc.assert(fc.property(command(255, 256), isRead('short')));
    fc.assert(fc.property(command(2000, 65_536), isRead('extended')), { numRuns: 50 });
  });

  it('of other bytes is none, or one that ends with them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const read = parseCommand(bytes);

        if (read) expect(bytes.length - read.data.length).toBeLessThanOrEqual(9);
        else expect(bytes.length === 4 || bytes.length === 5).toBe(false);
      }),
    );
  });
});
