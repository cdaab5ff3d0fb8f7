import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import { parseAtr, protocolParameters, takesExtendedLength } from '../../../src/device/tpdu-atr.ts';
import { hex, toHex } from '../apdu/hex.ts';

const defaults = {
  ...{ convention: 'direct', specific: undefined, fiDi: 0x11, guardTime: 0, waitingInteger: 10 },
  ...{ ifsc: 32, waitingIntegers: 0x4d, check: 'lrc' },
};

// Answers to reset of cards in the field, as public lists of them have them, taken apart by hand (ISO/IEC 7816-3 §8.2).
const cardos = hex('3bd218008131fe58c90114');
const yubikey = hex('3bfd1300008131fe158073c021c057597562694b657940');
const gemxpresso = hex('3b6b00008065b0830104748300 9000');
const inverse = hex('3f6525002209699000');

/** Adds the check byte TCK: the exclusive or of all bytes after TS. */
function checked(text: string): Uint8Array {
  const bytes = hex(text);
  return Uint8Array.of(
    ...bytes,
    bytes.subarray(1).reduce((sum, byte) => sum ^ byte, 0),
  );
}
const specific = checked('3b90 18 11 81');

describe('an answer to reset', () => {
  it.each([
    ['of CardOS, T=1', cardos, { protocols: [1], fiDi: 0x18, ifsc: 254, waitingIntegers: 0x58 }],
    ['of a YubiKey, T=1', yubikey, { protocols: [1], fiDi: 0x13, ifsc: 254, waitingIntegers: 0x15 }],
    ['of a GemXpresso, T=0', gemxpresso, { protocols: [0] }],
    ['in inverse convention', inverse, { convention: 'inverse', protocols: [0] }],
    ['of nothing but T=1', hex('3b800181'), { protocols: [1] }],
    ['of T=0 with a waiting integer', hex('3b8040 2f'), { protocols: [0], waitingInteger: 0x2f }],
    ['of T=0 and T=1, with a CRC', checked('3b80 80 41 01'), { protocols: [0, 1], check: 'crc' }],
    ['in specific mode', specific, { protocols: [1], fiDi: 0x18, specific: 1 }],
  ])('%s', (_, bytes, expected) => {
    const atr = parseAtr(bytes);
    expect(atr).toEqual({ ...defaults, historicalBytes: atr.historicalBytes, ...expected });
  });

  it('carries historical bytes', () => {
    expect(toHex(parseAtr(cardos).historicalBytes)).toBe('c901');
    expect(toHex(parseAtr(yubikey).historicalBytes)).toBe('8073c021c057597562694b6579');
  });

  it.each([
    ['nothing', ''],
    ['another first byte', '3c800181'],
    ['an end in the interface bytes', '3bd21800'],
    ['an end in the historical bytes', '3bd218008131fe58c9'],
    ['no check byte', '3bd218008131fe58c901'],
    ['a wrong check byte', '3bd218008131fe58c90115'],
    ['more than 33 bytes', `3b00${'00'.repeat(32)}`],
  ])('is refused with %s', (_, bytes) => {
    expect(() => parseAtr(hex(bytes))).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('of any bytes is one or a typed error', () => {
    const start = fc.constantFrom(0x3b, 0x3f);
    const bytes = fc.tuple(start, fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 33 }));
    fc.assert(
      fc.property(bytes, ([ts, rest]) => {
        try {
          const { ifsc, historicalBytes, protocols } = parseAtr(Uint8Array.of(ts, ...rest));
          expect(ifsc >= 1 && ifsc <= 254 && historicalBytes.length <= 15 && protocols.length > 0).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(TransportError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('extended length', () => {
  it.each([
    ['is in the card capabilities', yubikey, true],
    ['is in them, behind another object', checked('3b88 80 01 80 31 80 73 000040 00'), true],
    ['is not in them', checked('3b85 80 01 80 73 c02100'), false],
    ['is in none, because they are shorter', checked('3b84 80 01 80 72 c040'), false],
    ['is in none, because nothing is in compact TLV', cardos, false],
    ['is in none, because there are no historical bytes', hex('3b800181'), false],
  ])('%s', (_, bytes, expected) => {
    expect(takesExtendedLength(parseAtr(bytes))).toBe(expected);
  });
});

describe('the parameters set at the reader, by hand from CCID 1.1 §6.1.7', () => {
  it.each([
    ['T=1, at the default speed', cardos, 1, '11 10 00 58 00 fe 00'],
    ['T=1, in specific mode', specific, 1, '18 10 00 4d 00 20 00'],
    ['T=0', gemxpresso, 0, '11 00 00 0a 00'],
    ['T=0, inverse', inverse, 0, '11 02 00 0a 00'],
  ] as const)('%s', (_, bytes, protocol, expected) => {
    expect(toHex(protocolParameters(parseAtr(bytes), protocol))).toBe(expected.replaceAll(' ', ''));
  });
});
