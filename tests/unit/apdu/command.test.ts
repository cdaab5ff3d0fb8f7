import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chainCommand,
  type CommandApdu,
  CommandApduError,
  encodeCommand,
  fitsShort,
} from '../../../src/apdu/command.ts';
import { hex, toHex } from './hex.ts';

const header = { cla: 0x00, ins: 0xa4, p1: 0x04, p2: 0x00 };
const bytes = (length: number) => new Uint8Array(length).fill(0xab);

describe('encodeCommand', () => {
  it.each([
    ['case 1', 'short', {}, '00a40400'],
    ['case 2S', 'short', { ne: 1 }, '00a4040001'],
    ['case 2S, all', 'short', { ne: 256 }, '00a4040000'],
    ['case 3S', 'short', { data: hex('a000') }, '00a4040002a000'],
    ['case 4S', 'short', { data: hex('a000'), ne: 256 }, '00a4040002a00000'],
    ['case 1 in the extended form', 'extended', {}, '00a40400'],
    ['case 2E', 'extended', { ne: 258 }, '00a40400000102'],
    ['case 2E, all', 'extended', { ne: 65_536 }, '00a40400000000'],
    ['case 3E', 'extended', { data: hex('a000') }, '00a40400000002a000'],
    ['case 4E', 'extended', { data: hex('a000'), ne: 256 }, '00a40400000002a0000100'],
  ] as const)('writes %s (ISO/IEC 7816-4 §5.1)', (_, form, fields, expected) => {
    expect(toHex(encodeCommand({ ...header, ...fields }, form))).toBe(expected);
  });

  it('writes the longest data of each form', () => {
    expect(toHex(encodeCommand({ ...header, data: bytes(255) }, 'short').subarray(4, 6))).toBe('ffab');
    expect(toHex(encodeCommand({ ...header, data: bytes(65_535) }, 'extended').subarray(4, 8))).toBe('00ffffab');
  });

  it.each([
    ['header', { cla: 256 }, 'short'],
    ['header', { ins: -1 }, 'extended'],
    ['header', { p1: 0.5 }, 'short'],
    ['data', { data: bytes(256) }, 'short'],
    ['data', { data: bytes(65_536) }, 'extended'],
    ['ne', { ne: 257 }, 'short'],
    ['ne', { ne: 0 }, 'short'],
    ['ne', { ne: 65_537 }, 'extended'],
    ['ne', { ne: Number.NaN }, 'extended'],
  ] as const)('refuses a wrong %s: %o', (code, fields, form) => {
    expect(() => encodeCommand({ ...header, ...fields }, form)).toThrow(expect.objectContaining({ code }));
    expect(() => encodeCommand({ ...header, ...fields }, form)).toThrow(CommandApduError);
  });
});

describe('chainCommand', () => {
  it('marks all but the last link with CLA bit 5 and asks for a response only at the end', () => {
    const links = chainCommand({ ...header, cla: 0x80, data: hex('0102030405'), ne: 256 }, 2);

    expect(links.map((link) => toHex(encodeCommand(link, 'short')))).toEqual([
      '90a40400020102',
      '90a40400020304',
      '80a40400010500',
    ]);
  });

  it('loses, adds and reorders nothing, for any data and chunk', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 1, max: 255 }), (data, chunk) => {
        const command: CommandApdu = { ...header, data, ne: 7 };

        const links = chainCommand(command, chunk);

        expect(links.flatMap((link) => [...(link.data ?? [])])).toEqual([...data]);
        expect(links.every((link) => fitsShort(link) && (link.data?.length ?? 0) <= chunk)).toBe(true);
        expect(links.map((link) => link.cla)).toEqual([...links.slice(1).map(() => 0x10), 0]);
      }),
    );
  });

  it('refuses a wire that carries no data at all', () => {
    expect(() => chainCommand({ ...header, data: bytes(3) }, -2)).toThrow(CommandApduError);
  });
});
