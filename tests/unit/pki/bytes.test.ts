import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesEqual, concat, fromBase64, fromHex, toBase64, toHex } from '../../../src/pki/bytes.ts';

describe('bytes', () => {
  it('joins parts in order', () => {
    expect(concat(Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(3))).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('writes and reads hexadecimal and base64 as Node does', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
        expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes);
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
      }),
    );
  });

  it.each(['0', '0g', ' 00', '00\n'])('refuses %j as hexadecimal', (text) => {
    expect(() => fromHex(text)).toThrow(SyntaxError);
  });

  it.each(['A', 'AA', 'AA=A', 'AA A', 'AAA=\n', '===='])('refuses %j as base64', (text) => {
    expect(() => fromBase64(text)).toThrow(Error);
  });

  it('tells equal from unequal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (a, b) => {
        expect(bytesEqual(a, b)).toBe(toHex(a) === toHex(b));
      }),
    );
  });
});
