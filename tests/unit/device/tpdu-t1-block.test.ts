import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Block, decodeBlock, encodeBlock } from '../../../src/device/tpdu-t1-block.ts';
import { hex, toHex } from '../apdu/hex.ts';

const bit = fc.constantFrom<0 | 1>(0, 1);
const blocks: fc.Arbitrary<Block> = fc.oneof(
  fc.record({
    kind: fc.constant('I' as const),
    ns: bit,
    more: fc.boolean(),
    information: fc.uint8Array({ maxLength: 254 }),
  }),
  fc.record({ kind: fc.constant('R' as const), nr: bit, error: fc.constantFrom('none', 'check', 'other') }),
  fc.record({
    kind: fc.constant('S' as const),
    what: fc.constantFrom('ifs' as const, 'wtx' as const),
    response: fc.boolean(),
    value: fc.integer({ min: 0, max: 255 }),
  }),
  fc.record({
    kind: fc.constant('S' as const),
    what: fc.constantFrom('resynch' as const, 'abort' as const),
    response: fc.boolean(),
    value: fc.constant(0),
  }),
);

describe('blocks, by hand from ISO/IEC 7816-3 §11.3', () => {
  it.each<[string, Block]>([
    ['00 00 04 00a40400 a4', { kind: 'I', ns: 0, more: false, information: hex('00a40400') }],
    ['00 40 01 aa eb', { kind: 'I', ns: 1, more: false, information: hex('aa') }],
    ['00 60 01 aa cb', { kind: 'I', ns: 1, more: true, information: hex('aa') }],
    ['00 80 00 80', { kind: 'R', nr: 0, error: 'none' }],
    ['00 91 00 91', { kind: 'R', nr: 1, error: 'check' }],
    ['00 82 00 82', { kind: 'R', nr: 0, error: 'other' }],
    ['00 c0 00 c0', { kind: 'S', what: 'resynch', response: false, value: 0 }],
    ['00 e0 00 e0', { kind: 'S', what: 'resynch', response: true, value: 0 }],
    ['00 c1 01 fe 3e', { kind: 'S', what: 'ifs', response: false, value: 254 }],
    ['00 e1 01 fe 1e', { kind: 'S', what: 'ifs', response: true, value: 254 }],
    ['00 c2 00 c2', { kind: 'S', what: 'abort', response: false, value: 0 }],
    ['00 c3 01 02 c0', { kind: 'S', what: 'wtx', response: false, value: 2 }],
  ])('%s', (bytes, block) => {
    expect(toHex(encodeBlock(block))).toBe(bytes.replaceAll(' ', ''));
    expect(decodeBlock(hex(bytes))).toEqual(block);
  });

  it.each([
    ['nothing', '', 'check'],
    ['a wrong check', '00 80 00 81', 'check'],
    ['less than announced', '00 00 02 aa a8', 'other'],
    ['more than announced', '00 00 00 aa aa', 'other'],
    ['another node address', '21 80 00 a1', 'other'],
    ['a reserved length', `00 00 ff ${'00'.repeat(255)} ff`, 'other'],
    ['a reserved bit of an I-block', '00 01 00 01', 'other'],
    ['a reserved error of an R-block', '00 83 00 83', 'other'],
    ['an R-block with data', '00 80 01 00 81', 'other'],
    ['a reserved S-block', '00 c4 00 c4', 'other'],
    ['an IFS without its value', '00 c1 00 c1', 'other'],
    ['a RESYNCH with one', '00 c0 01 00 c1', 'other'],
  ])('are none with %s', (_, bytes, fault) => {
    expect(decodeBlock(hex(bytes))).toBe(fault);
  });

  it('are read as what they were written from', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        expect(decodeBlock(encodeBlock(block))).toEqual(block);
      }),
    );
  });

  it('are told from any other bytes without an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const block = decodeBlock(bytes);
        if (typeof block === 'object') expect(encodeBlock(block)).toEqual(new Uint8Array(bytes));
      }),
    );
  });

  it('lose one bit never unnoticed', () => {
    fc.assert(
      fc.property(blocks, fc.nat(), (block, seed) => {
        const bytes = encodeBlock(block);
        const at = seed % (bytes.length * 8);
        bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));

        expect(decodeBlock(bytes)).toBe('check');
      }),
    );
  });
});
