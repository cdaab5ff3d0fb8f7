import { OctetString } from 'asn1js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/apdu/bytes.ts';
import { decodeTlvs, encodeTlv, findTlv, type Tlv, TlvError } from '../../../src/apdu/tlv.ts';
import { hex, toHex } from './hex.ts';

const readable = (list: readonly Tlv[]) => list.map(({ tag, value }) => [tag.toString(16), toHex(value)]);
const code = (expected: TlvError['code']): unknown => expect.objectContaining({ name: 'TlvError', code: expected });

/** Every tag that ISO/IEC 7816-4 §5.2.2.1 allows: one byte, two (second 1F..7F), three (second 81..FF). */
const tags = fc.oneof(
  fc.integer({ min: 1, max: 0xff }).filter((tag) => (tag & 0x1f) !== 0x1f),
  fc
    .tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0x1f, max: 0x7f }))
    .map(([top, second]) => (((top << 5) | 0x1f) << 8) | second),
  fc
    .tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0x81, max: 0xff }), fc.integer({ min: 0, max: 0x7f }))
    .map(([top, second, third]) => (((top << 5) | 0x1f) << 16) | (second << 8) | third),
);

describe('encodeTlv', () => {
  // SP 800-73-4: tag list of GET DATA, key generation's control reference template, public key, challenge.
  it.each([
    ['5c035fc105', 0x5c, '5fc105'],
    ['ac03800111', 0xac, '800111'],
    ['7f4902860a', 0x7f49, '860a'],
    ['5fc10500', 0x5fc105, ''],
    ['7e00', 0x7e, ''],
  ])('writes %s', (expected, tag, value) => {
    expect(toHex(encodeTlv(tag, hex(value)))).toBe(expected);
  });

  it.each([
    [0x7f, '537f'],
    [0x80, '538180'],
    [0xff, '5381ff'],
    [0x100, '53820100'],
    [0xffff, '5382ffff'],
    [0x1_0000, '5383010000'],
  ])('writes the length %i in as few bytes as DER does', (length, expected) => {
    const encoded = encodeTlv(0x53, new Uint8Array(length));

    expect(toHex(encoded.subarray(0, encoded.length - length))).toBe(expected);
  });

  it('joins the parts of a value, nested objects among them', () => {
    const encoded = encodeTlv(0x53, encodeTlv(0x70, hex('3003'), hex('020100')), encodeTlv(0x71, hex('00')));

    expect(toHex(encoded)).toBe('530a70053003020100710100');
  });

  it('writes what an independent ASN.1 library writes, for any value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), (value) => {
        const theirs = new Uint8Array(new OctetString({ valueHex: value }).toBER());

        expect(toHex(encodeTlv(0x04, value))).toBe(toHex(theirs));
      }),
    );
  });

  it.each([
    0,
    -1,
    0.5,
    Number.NaN,
    0x1f,
    0x7f,
    0x5380,
    0x5f1e,
    0x5f80,
    0x5fc1,
    0x5f4901,
    0x5f8001,
    0x5fc181,
    0x5fc10580,
  ])('refuses %d, which is no tag', (tag) => {
    expect(() => encodeTlv(tag)).toThrow(code('tag'));
  });
});

describe('decodeTlvs', () => {
  it('reads one level of objects in order, with tags of one to three bytes', () => {
    const list = decodeTlvs(hex('7f4903860141 5fc105 0102 5300'));

    expect(readable(list)).toEqual([
      ['7f49', '860141'],
      ['5fc105', '02'],
      ['53', ''],
    ]);
  });

  it.each([
    ['a length longer than it need be', '53 82 0001 aa'],
    ['a length of four bytes', '53 84 00000001 aa'],
    ['meaningless zeros around objects', '0000 53 01 aa 00'],
  ])('reads %s, as cards write it', (_, bytes) => {
    expect(readable(decodeTlvs(hex(bytes)))).toEqual([['53', 'aa']]);
  });

  it('reads nothing from nothing', () => {
    expect(decodeTlvs(new Uint8Array())).toEqual([]);
  });

  it.each<[TlvError['code'], string, string]>([
    ['tag', '5f1e00', 'a second tag byte below 1F'],
    ['tag', '5f800100', 'a leading zero in the tag number'],
    ['tag', '5f81818100', 'a tag of four bytes'],
    ['length', '5380', 'an indefinite length'],
    ['length', '53850000000000', 'a length of five bytes'],
    ['length', '53ff', 'the reserved length FF'],
    ['truncated', '53', 'no length'],
    ['truncated', '5f', 'half a tag'],
    ['truncated', '5382 00', 'half a length'],
    ['truncated', '5302 aa', 'half a value'],
    ['truncated', '5384 ffffffff aa', 'a value of four gibibytes'],
  ])('refuses (%s) %s: %s', (expected, bytes) => {
    expect(() => decodeTlvs(hex(bytes))).toThrow(code(expected));
  });

  it('gives back what was encoded, for any objects', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ tag: tags, value: fc.uint8Array({ maxLength: 400 }) })), (objects) => {
        const encoded = concatBytes(...objects.map(({ tag, value }) => encodeTlv(tag, value)));

        expect(readable(decodeTlvs(encoded))).toEqual(readable(objects));
      }),
    );
  });

  it('ends every byte string in objects that fit into it, or in a TlvError', () => {
    const likely = fc.constantFrom(0x00, 0x01, 0x53, 0x5f, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xc1, 0xff);
    const byte = fc.oneof(likely, fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 300 }), (bytes) => {
        try {
          const list = decodeTlvs(Uint8Array.from(bytes));
          const used = list.reduce((sum, { value }) => sum + 2 + value.length, 0);
          expect(used).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(TlvError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('findTlv', () => {
  const list = decodeTlvs(hex('700141 710100 7001ff'));

  it('gives the value of the first object with the tag', () => {
    expect(findTlv(list, 0x70)).toEqual(hex('41'));
  });

  it('gives nothing for a tag that is not there', () => {
    expect(findTlv(list, 0x72)).toBeUndefined();
  });
});
