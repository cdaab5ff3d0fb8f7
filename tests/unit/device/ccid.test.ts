import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import {
  abortMessage,
  announcedLength,
  answers,
  ccidFailure,
  getParameters,
  getSlotStatus,
  iccPowerOff,
  iccPowerOn,
  isSlotBusy,
  parseNotification,
  parseReply,
  replyType,
  ResponseJoiner,
  segmentCommand,
  setParameters,
  xfrBlock,
} from '../../../src/device/ccid.ts';
import { findCcidDescriptor, parseCcidDescriptor } from '../../../src/device/ccid-descriptor.ts';
import { hex, toHex } from '../apdu/hex.ts';
import { ccidDescriptor, configurationDescriptor } from './ccid-bytes.ts';

describe('messages to the reader, by hand from CCID 1.1 §6.1', () => {
  it.each([
    ['IccPowerOn, automatic', iccPowerOn(0, 1), '62 00000000 00 01 00 0000'],
    ['IccPowerOn, 3 V', iccPowerOn(0, 2, 2), '62 00000000 00 02 02 0000'],
    ['IccPowerOff', iccPowerOff(0, 3), '63 00000000 00 03 000000'],
    ['GetSlotStatus', getSlotStatus(0, 255), '65 00000000 00 ff 000000'],
    ['Abort', abortMessage(0, 7), '72 00000000 00 07 000000'],
    ['XfrBlock, whole', xfrBlock(0, 4, hex('00a40400'), 0), '6f 04000000 00 04 00 0000 00a40400'],
    ['XfrBlock, begin', xfrBlock(0, 5, hex('aa'), 1), '6f 01000000 00 05 00 0100 aa'],
    ['XfrBlock, end', xfrBlock(0, 6, hex('bb'), 2), '6f 01000000 00 06 00 0200 bb'],
    ['XfrBlock, empty', xfrBlock(0, 7, hex(''), 0x10), '6f 00000000 00 07 00 1000'],
    ['XfrBlock, waiting longer', xfrBlock(0, 7, hex('cc'), 0, 3), '6f 01000000 00 07 03 0000 cc'],
    ['GetParameters', getParameters(0, 9), '6c 00000000 00 09 000000'],
    ['SetParameters, T=0', setParameters(0, 9, 0, hex('1100000a00')), '61 05000000 00 09 00 0000 1100000a00'],
    ['SetParameters, T=1', setParameters(0, 9, 1, hex('11100045002000')), '61 07000000 00 09 01 0000 11100045002000'],
    ['XfrBlock of 258 bytes', xfrBlock(0, 8, new Uint8Array(258), 0).subarray(0, 10), '6f 02010000 00 08 00 0000'],
  ])('%s', (_, message, expected) => {
    expect(toHex(message)).toBe(expected.replaceAll(' ', ''));
  });
});

describe('messages from the reader, by hand from CCID 1.1 §6.2', () => {
  it('reads an answer to reset in a DataBlock', () => {
    expect(parseReply(hex('80 04000000 00 01 00 00 00 3b800181'))).toEqual({
      ...{ type: 0x80, slot: 0, seq: 1, icc: 'active', command: 'done', error: 0, specific: 0, data: hex('3b800181') },
    });
  });

  it.each([
    ['00', 'active', 'done'],
    ['01', 'inactive', 'done'],
    ['02', 'absent', 'done'],
    ['41', 'inactive', 'failed'],
    ['80', 'active', 'timeExtension'],
    ['c3', 'unknown', 'unknown'],
  ])('reads bStatus %s as %s, %s', (status, icc, command) => {
    expect(parseReply(hex(`81 00000000 00 05 ${status} 00 00`))).toMatchObject({ icc, command });
  });

  it.each([
    ['no header', '80 00000000 00 01 00 00'],
    ['less than announced', '80 02000000 00 01 00 00 00 90'],
    ['more than announced', '80 01000000 00 01 00 00 00 9000'],
  ])('refuses a message with %s', (_, bytes) => {
    expect(() => parseReply(hex(bytes))).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('refuses a dwLength beyond what the reader may send before reading it', () => {
    expect(announcedLength(hex('80 0500000000'), 271)).toBeUndefined();
    expect(announcedLength(hex('80 05010000 00 01 00 00 00'), 271)).toBe(271);
    expect(() => announcedLength(hex('80 06010000 00 01 00 00 00'), 271)).toThrow(TransportError);
    expect(() => announcedLength(hex('80 ffffffff 00 01 00 00 00'), 65_554)).toThrow(TransportError);
  });

  it.each([
    ['the same sequence number', '80 00000000 00 05 00 00 00', true],
    ['another one', '80 00000000 00 04 00 00 00', false],
    ['another slot', '80 00000000 01 05 00 00 00', false],
    ['a leftover of another kind', '82 00000000 00 05 00 00 00', false],
    ['a leftover slot status that went well', '81 00000000 00 05 00 00 00', false],
    ['a refusal in a slot status', '81 00000000 00 05 40 00 00', true],
    ['a time extension in a slot status', '81 00000000 00 05 80 01 00', true],
  ])('tells whether a reply answers: %s', (_, bytes, expected) => {
    expect(answers(parseReply(hex(bytes)), 0, 5, replyType.dataBlock)).toBe(expected);
  });

  it.each([
    ['ff', 'cancelled'],
    ['fe', 'timeout'],
    ['f0', 'timeout'],
    ['ef', 'cancelled'],
    ['fb', 'failed'],
    ['07', 'failed'],
    ['90', 'failed'],
    ['e0', 'failed'],
    ['fd', 'failed'],
  ])('turns bError %s into %s', (error, code) => {
    expect(ccidFailure(parseReply(hex(`80 00000000 00 05 40 ${error} 00`))).code).toBe(code);
  });

  it('turns any failure of an absent chip into its being gone', () => {
    expect(ccidFailure(parseReply(hex('80 00000000 00 05 42 fe 00'))).code).toBe('disconnected');
  });

  it.each([
    ['40 e0', true],
    ['40 f2', true],
    ['40 fe', false],
    ['80 e0', false],
    ['00 e0', false],
  ])('tells by bStatus and bError %s whether the reader was busy', (bytes, expected) => {
    expect(isSlotBusy(parseReply(hex(`80 00000000 00 05 ${bytes} 00`)))).toBe(expected);
  });

  it('meets any bytes with a message or a typed error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          expect(parseReply(bytes).data).toHaveLength(bytes.length - 10);
        } catch (error) {
          expect(error).toBeInstanceOf(TransportError);
        }
      }),
    );
  });
});

describe('notifications, by hand from CCID 1.1 §6.3', () => {
  it.each([
    ['50 03', { kind: 'slotChange', present: [true, false, false, false] }],
    ['50 02', { kind: 'slotChange', present: [false, false, false, false] }],
    ['50 05', { kind: 'slotChange', present: [true, true, false, false] }],
    ['50 00 40', { kind: 'slotChange', present: [...Array<boolean>(7).fill(false), true] }],
    ['51 00 07 01', { kind: 'hardwareError', slot: 0, seq: 7, error: 1 }],
    ['50', undefined],
    ['51 00 07', undefined],
    ['52 00 00 00', undefined],
    ['', undefined],
  ])('reads %s', (bytes, expected) => {
    expect(parseNotification(hex(bytes))).toEqual(expected);
  });

  it('meets any bytes without an error', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 16 }), (bytes) => void parseNotification(bytes)));
  });
});

describe('class descriptor', () => {
  it.each([
    [0x0004_0000, 'extendedApdu'],
    [0x0002_04fe, 'shortApdu'],
    [0x0001_0000, 'tpdu'],
    [0x0000_0000, 'character'],
  ] as const)('reads dwFeatures %i as %s', (features, level) => {
    expect(parseCcidDescriptor(ccidDescriptor(features, 4010))).toMatchObject({
      ...{ level, maxMessageBytes: 4010, voltages: 7, maxSlotIndex: 0 },
    });
  });

  it('assumes the room every reader has, and no more than an APDU needs', () => {
    expect(parseCcidDescriptor(ccidDescriptor(0x0004_0000, 0)).maxMessageBytes).toBe(271);
    expect(parseCcidDescriptor(ccidDescriptor(0x0004_0000, 0xffff_ffff)).maxMessageBytes).toBe(65_554);
  });

  it('refuses anything else', () => {
    expect(() => parseCcidDescriptor(ccidDescriptor(0, 0).subarray(1))).toThrow(TransportError);
  });

  it('is found under its own interface inside the configuration', () => {
    const configuration = configurationDescriptor(ccidDescriptor(0x0002_0000, 271), 1);

    expect(findCcidDescriptor(configuration, 1)).toEqual(ccidDescriptor(0x0002_0000, 271));
    expect(findCcidDescriptor(configuration, 0)).toBeUndefined();
  });

  it('is looked for in any bytes without an endless loop', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const found = findCcidDescriptor(bytes, 0);
        expect(found === undefined || found.length === 54).toBe(true);
      }),
    );
  });
});

describe('block chaining', () => {
  it.each([
    ['010203', 3, ['0:010203']],
    ['01020304', 3, ['1:010203', '2:04']],
    ['01020304050607', 3, ['1:010203', '3:040506', '2:07']],
  ])('cuts %s into blocks of %i with their wLevelParameter', (apdu, size, expected) => {
    expect(segmentCommand(hex(apdu), size).map(({ level, data }) => `${level}:${toHex(data)}`)).toEqual(expected);
  });

  it('keeps every byte, for every length up to 3000', () => {
    const apdu = Uint8Array.from({ length: 3000 }, (_, index) => (index * 7) & 0xff);
    const lengths = Array.from(apdu, (_, index) => index + 1);

    const broken = lengths.filter((length) => {
      const blocks = segmentCommand(apdu.subarray(0, length), 261);
      return Buffer.compare(Buffer.concat(blocks.map(({ data }) => data)), apdu.subarray(0, length)) !== 0;
    });

    expect(broken).toEqual([]);
  });

  it('joins begin, middle and end of a response', () => {
    const joiner = new ResponseJoiner();

    expect(joiner.push(1, hex('01'))).toBeUndefined();
    expect(joiner.push(3, hex('02'))).toBeUndefined();
    expect(joiner.push(2, hex('9000'))).toEqual(hex('01029000'));
  });

  it.each([
    ['an end without a beginning', [[2, '9000']]],
    ['a middle without a beginning', [[3, '00']]],
    [
      'a second beginning',
      [
        [1, '00'],
        [1, '00'],
      ],
    ],
    [
      'a whole response inside another',
      [
        [1, '00'],
        [0, '9000'],
      ],
    ],
    ['an empty block that promises more', [[1, '']]],
    ['an unknown chain parameter', [[0x44, '9000']]],
  ] as const)('refuses %s', (_, blocks) => {
    const joiner = new ResponseJoiner();
    expect(() => blocks.forEach(([chain, data]) => joiner.push(chain, hex(data)))).toThrow(TransportError);
  });

  it('refuses a response without end', () => {
    const joiner = new ResponseJoiner();
    joiner.push(1, new Uint8Array(60_000));
    expect(() => joiner.push(3, new Uint8Array(6000))).toThrow(TransportError);
  });
});
