import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import {
  buildRequest,
  maxLongmaiCommandBytes,
  parseLongmaiReply,
  ReportJoiner,
  segmentMessage,
} from '../../../src/device/longmai-report.ts';
import vectors from '../../vectors/longmai-hid.json' with { type: 'json' };
import { hex, toHex } from '../apdu/hex.ts';

const join = (reports: readonly Uint8Array[]) => {
  const joiner = new ReportJoiner();
  return reports.map((report) => joiner.push(report));
};

describe('requests', () => {
  it.each(vectors.requests)('writes $apdu as recorded from a GM3000-class key', ({ apdu, report }) => {
    const reports = segmentMessage(buildRequest(hex(apdu), 0));

    expect(reports.map(toHex)).toEqual([report.padEnd(128, '0')]);
  });

  it('writes the length in 16 bits, the body little-endian and the APDU big-endian, and the counter', () => {
    const message = buildRequest(new Uint8Array(0x0102), 0xab);

    expect(toHex(message.subarray(16, 23))).toBe('050100ab120102');
  });

  it('refuses an APDU longer than its length field', () => {
    expect(() => buildRequest(new Uint8Array(maxLongmaiCommandBytes + 1), 0)).toThrow(TransportError);
  });
});

describe('reports', () => {
  it('carry flags and length in the first byte', () => {
    const sizes = [1, 63, 64, 126, 127].map((length) =>
      segmentMessage(new Uint8Array(length)).map((r) => toHex(r.subarray(0, 1))),
    );

    expect(sizes).toEqual([['c1'], ['ff'], ['bf', '41'], ['bf', '7f'], ['bf', '3f', '41']]);
  });

  it('join to what was cut, for every length up to 3000', () => {
    const message = Uint8Array.from({ length: 3000 }, (_, index) => (index * 5) & 0xff);
    const lengths = Array.from(message, (_, index) => index + 1);

    const broken = lengths.filter((length) => {
      const reports = segmentMessage(message.subarray(0, length));
      const joined = join(reports).at(-1);
      return (
        !joined || Buffer.compare(joined, message.subarray(0, length)) !== 0 || reports.some((r) => r.length !== 64)
      );
    });

    expect(broken).toEqual([]);
  });

  it('may carry the header alone', () => {
    const header = hex('94 aaaa4000 000000000000000000000000000000 07');
    const middle = new Uint8Array(64).fill(0x11);
    middle[0] = 0x3f;

    const [, , message] = join([header, middle, hex('41 22')]);

    expect(message && parseLongmaiReply(message)).toEqual({
      counter: 7,
      response: hex(`${'11'.repeat(63)}22`),
    });
  });

  it('begin anew at a first report, and ignore the rest of a message whose beginning was missed', () => {
    expect(join([hex('01 aa'), hex('82 0102'), hex('c1 55')])).toEqual([undefined, undefined, hex('55')]);
  });

  it.each([
    ['an empty report', ''],
    ['an empty payload', '80 00'],
    ['a payload longer than the report', 'c3 0102'],
  ])('are refused with %s', (_, report) => {
    expect(() => join([hex(report)])).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('are refused when a message never ends', () => {
    const first = new Uint8Array(64).fill(1);
    first[0] = 0xbf;
    const middle = new Uint8Array(64).fill(1);
    middle[0] = 0x3f;
    expect(() => join([first, ...Array.from({ length: 1100 }, () => middle)])).toThrow(TransportError);
  });

  it('of any bytes give a message or a typed error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 40 }), (reports) => {
        try {
          for (const message of join(reports)) if (message) parseLongmaiReply(message);
        } catch (error) {
          expect(error).toBeInstanceOf(TransportError);
        }
      }),
    );
  });
});

describe('replies', () => {
  it('carry AA AA, the length, the counter and the response', () => {
    expect(parseLongmaiReply(hex('aaaa0300 000000000000000000000000000000 2a 01 9000'))).toEqual({
      counter: 0x2a,
      response: hex('019000'),
    });
  });

  it.each([
    ['another header', 'aaab0200 000000000000000000000000000000 2a 9000'],
    ['no whole header', 'aaaa0000'],
    ['a length beyond what arrived', 'aaaa0300 000000000000000000000000000000 2a 9000'],
    ['a length short of what arrived', 'aaaa0100 000000000000000000000000000000 2a 9000'],
  ])('are refused with %s', (_, message) => {
    expect(() => parseLongmaiReply(hex(message))).toThrow(expect.objectContaining({ code: 'malformed' }));
  });
});
