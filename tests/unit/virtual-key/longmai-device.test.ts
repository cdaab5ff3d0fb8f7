import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import vectors from '../../vectors/longmai-hid.json' with { type: 'json' };
import { bytesToHex, concatBytes, hexToBytes } from '../../virtual-key/bytes.ts';
import { LongmaiDevice, readRequest, splitIntoReports } from '../../virtual-key/longmai-device.ts';
import { paddedText } from '../../virtual-key/bytes.ts';

const identity = {
  vendorId: 0x055c,
  productId: 0xe618,
  manufacturerName: 'Test',
  productName: 'Key',
  serialNumber: 'K1',
};

function key(answer = '9000') {
  const commands: string[] = [];
  const reports: string[] = [];
  const device = new LongmaiDevice(
    {
      apduLevel: 'extended',
      maxCommandBytes: 2000,
      answerToReset: new Uint8Array(0),
      powerUp: () => undefined,
      powerDown: () => undefined,
      transmit: (command) => {
        commands.push(bytesToHex(command));
        return Promise.resolve(hexToBytes(answer));
      },
    },
    identity,
  );
  device.powerUp((report) => reports.push(bytesToHex(report)));
  const send = async (...sent: string[]): Promise<string[]> => {
    reports.length = 0;
    for (const report of sent) device.receive(hexToBytes(report.replaceAll(' ', '').padEnd(128, '0')));
    await device.idle();
    return [...reports];
  };
  return { commands, send };
}

const zeros = (count: number): string => '00'.repeat(count);

describe('LongmaiDevice', () => {
  it.each(vectors.requests)('takes the APDU $apdu out of its recorded report', async ({ apdu, report }) => {
    const { commands, send } = key();

    const reply = await send(report);

    expect(commands).toEqual([apdu]);
    expect(reply).toEqual([`d6aaaa0200${zeros(16)}9000`.padEnd(128, '0')]);
  });

  it('echoes the counter', async () => {
    const { send } = key();

    const [reply] = await send(`db fe01 ${zeros(14)} 0700 00 7f 12 0004 80040000`);

    expect(reply?.slice(2 * 20, 2 * 21)).toBe('7f');
  });

  it('takes a header in a report of its own', async () => {
    const { commands, send } = key();

    await send(
      `94 fe01 ${zeros(14)} 4200 00 00`,
      `3f 12 003f ${'8026000000' + 'ab'.repeat(55)}`,
      `43 ${'cd'.repeat(3)}`,
    );

    expect(commands).toEqual([`8026000000${'ab'.repeat(55)}${'cd'.repeat(3)}`]);
  });

  it('answers in as many reports as it needs', async () => {
    const { send } = key('ee'.repeat(100) + '9000');

    const reply = await send(vectors.requests[0]?.report ?? '');

    expect(reply.map((report) => report.slice(0, 2))).toEqual(['bf', '7b']);
    expect(reply[0]?.slice(2)).toBe(`aaaa6600${zeros(16)}${'ee'.repeat(43)}`);
    expect(reply[1]?.slice(2)).toBe(`${'ee'.repeat(57)}9000${zeros(4)}`);
  });

  it('begins anew with a first report', async () => {
    const { commands, send } = key();

    await send(`94 fe01 ${zeros(14)} 4200 00 00`, vectors.requests[0]?.report ?? '');

    expect(commands).toEqual(['80040000000000']);
  });

  it.each([
    ['another start', `db ff01 ${zeros(14)} 0700 00 00 12 0004 80040000`],
    ['a length in the other byte order', `db fe01 ${zeros(14)} 0007 00 00 12 0004 80040000`],
    ['bytes that should be zero', `db fe01 ${'01'.repeat(14)} 0700 00 00 12 0004 80040000`],
    ['another wrapper', `db fe01 ${zeros(14)} 0700 00 00 13 0004 80040000`],
    ['a wrapped length that does not fit', `db fe01 ${zeros(14)} 0700 00 00 12 0005 80040000`],
    ['no header at all', 'c2 8004'],
    ['a report that continues nothing', '42 8004'],
  ])('leaves %s unanswered', async (_, report) => {
    const { commands, send } = key();

    expect(await send(report)).toEqual([]);
    expect(commands).toEqual([]);
  });
});

describe('splitIntoReports', () => {
  it('keeps every byte, marks first and last, and fills with zeros', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (message) => {
        const reports = splitIntoReports(message);

        const flags = reports.map(([control = 0]) => control & 0xc0);
        const payload = concatBytes(...reports.map((report) => report.slice(1, 1 + ((report[0] ?? 0) & 0x3f))));
        expect(reports.every((report) => report.length === 64)).toBe(true);
        expect(flags.map((flag) => (flag & 0x80) !== 0)).toEqual(flags.map((_, index) => index === 0));
        expect(flags.map((flag) => (flag & 0x40) !== 0)).toEqual(flags.map((_, index) => index === flags.length - 1));
        expect(payload).toEqual(new Uint8Array(message));
      }),
    );
  });
});

it('readRequest never throws on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(readRequest(bytes)).toSatisfy((request) => request === undefined || bytes[0] === 0xfe);
    }),
  );
});

it('paddedText cuts what is too long and fills with zeros', () => {
  expect(bytesToHex(paddedText('ab', 3))).toBe('616200');
  expect(bytesToHex(paddedText('abcd', 3))).toBe('616263');
});
