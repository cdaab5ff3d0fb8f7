import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ApduChannel, TransportError } from '../../../src/apdu/channel.ts';
import { encodeCommand } from '../../../src/apdu/command.ts';
import { parseReply, ResponseJoiner, segmentCommand, xfrBlock } from '../../../src/device/ccid.ts';
import { buildRequest, ReportJoiner, segmentMessage } from '../../../src/device/longmai-report.ts';
import { openCanokeyChannel } from '../../../src/device/webusb-canokey.ts';
import { openCcidChannel } from '../../../src/device/webusb-ccid.ts';
import { openLongmaiChannel } from '../../../src/device/webhid-longmai.ts';
import { parseCommandApdu } from '../../virtual-key/command-apdu.ts';
import { hex, toHex } from '../apdu/hex.ts';
import { FakeHid, FakeUsb, ScriptedHidDevice, ScriptedUsbDevice } from './fakes.ts';
import { ScriptedCanokey } from './scripted-canokey.ts';

/*
 * A key that answers at once, for ever, with whatever a generator makes: every exchange with it ends in a response or a
 * typed error, after a bounded number of calls into the device and a bounded number of bytes taken from it. Time is
 * counted by a clock that only the test moves.
 */

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const command = hex('80040000000000');
const timeoutMs = 1000;
/** No framing allows for more answers than this without progress, whatever they are made of. */
const maxCalls = 20_000;
/** The longest response, and one more message of the longest kind in each framing. */
const maxBytes = 2 * 65_554 + 64 * 4096;
const maxSeconds = 120;

/** What a key was asked and gave so far. */
interface Account {
  calls: number;
  bytes: number;
}

/** Moves the clock until the exchange has ended. */
async function outcomeOf(channel: ApduChannel): Promise<unknown> {
  const outcomes: unknown[] = [];
  const keep = (outcome: unknown) => void outcomes.push(outcome);
  void channel.transmit(command, { timeoutMs }).then(keep, keep);
  for (let seconds = 0; outcomes.length === 0 && seconds < maxSeconds; seconds++) {
    await vi.advanceTimersByTimeAsync(1000);
  }
  return outcomes[0];
}
function expectBounded(outcome: unknown, account: Account): void {
  if (outcome instanceof Uint8Array) expect(outcome.length).toBeGreaterThanOrEqual(2);
  else expect(outcome).toBeInstanceOf(TransportError);
  expect(account.calls).toBeLessThan(maxCalls);
  expect(account.bytes).toBeLessThan(maxBytes);
}

interface InResult {
  readonly status: USBTransferStatus;
  readonly data?: DataView;
}
const ok = (bytes: Uint8Array): InResult => ({ status: 'ok', data: new DataView(bytes.slice().buffer) });
function draw<T>(stream: Iterator<T, unknown>): T {
  const drawn = stream.next();
  if (drawn.done === true) throw new Error('an endless stream has ended');
  return drawn.value;
}
const status = fc.constantFrom<USBTransferStatus>('stall', 'babble');
const noise = fc.uint8Array({ maxLength: 64 });

describe('CCID', () => {
  /** A message that may well be taken for a reply: every field is likely, and one may be spoilt. */
  const plausible: fc.Arbitrary<(seq: number) => Uint8Array> = fc
    .record({
      type: fc.constantFrom(0x80, 0x80, 0x81, 0x82),
      seqOff: fc.constantFrom(0, 0, 0, 1, -1),
      status: fc.constantFrom(0x00, 0x00, 0x80, 0x80, 0x80, 0x40, 0x41, 0x42, 0xc0, 0x02),
      error: fc.constantFrom(0x00, 0x01, 0xe0, 0xe0, 0xf2, 0xfe, 0xff),
      chain: fc.constantFrom(0, 1, 2, 3, 0x10),
      data: fc.uint8Array({ maxLength: 54 }),
      lie: fc.oneof({ arbitrary: fc.constant(0), weight: 40 }, fc.constantFrom(1, -1, 200, 0x7fff_ffff)),
    })
    .map(({ type, seqOff, status: bStatus, error, chain, data, lie }) => (seq) => {
      const message = new Uint8Array(10 + data.length);
      message.set([type, 0, 0, 0, 0, 0, (seq + seqOff) & 0xff, bStatus, error, chain]);
      new DataView(message.buffer).setUint32(1, Math.max(0, data.length + lie), true);
      message.set(data, 10);
      return message;
    });
  const empty = fc.constant(new Uint8Array());
  const packet = fc.oneof({ arbitrary: plausible, weight: 40 }, { arbitrary: empty, weight: 4 }, noise, status);

  it.each([
    ['extended', 0x0004_0000],
    ['short', 0x0002_0000],
  ])('at the level of %s APDUs', async (_, features) => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(packet), async (packets) => {
        const account = { calls: 0, bytes: 0 };
        const device = new ScriptedUsbDevice({
          features,
          onMessage: (message) => [
            hex(`${message[0] === 0x62 ? '80' : '81'}0000000000${toHex(message.subarray(6, 7))}000000`),
          ],
        });
        const channel = await openCcidChannel(device.device, new FakeUsb());
        device.transferIn = () => {
          const drawn = draw(packets);
          account.calls += 1;
          if (typeof drawn === 'string') return Promise.resolve({ status: drawn });
          const given = drawn instanceof Uint8Array ? drawn : drawn(hex(device.written.at(-1) ?? '')[6] ?? 0);
          account.bytes += given.length;
          return Promise.resolve(ok(given));
        };

        for (let exchange = 0; exchange < 2; exchange++) expectBounded(await outcomeOf(channel), account);
      }),
      { numRuns: 200 },
    );
  });

  it('writes blocks from which the command can be read again, and reads what it writes', () => {
    const blockSizes = fc.integer({ min: 1, max: 300 });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 900 }), blockSizes, (apdu, size) => {
        const joiner = new ResponseJoiner();

        const joined = segmentCommand(apdu, size).map(({ level, data }) => {
          const reply = parseReply(xfrBlock(0, 9, data, 0));
          expect(reply).toMatchObject({ type: 0x6f, slot: 0, seq: 9 });
          return joiner.push(level, reply.data);
        });

        expect(joined.slice(0, -1).every((part) => part === undefined)).toBe(true);
        expect(joined.at(-1)).toEqual(apdu);
      }),
    );
  });
});

describe('Longmai HID', () => {
  const plausible: fc.Arbitrary<(counter: number) => Uint8Array> = fc
    .record({
      flags: fc.constantFrom(0xc0, 0xc0, 0xc0, 0x80, 0x00, 0x00),
      header: fc.oneof({ arbitrary: fc.constant('aaaa'), weight: 40 }, fc.constant('aaab')),
      lie: fc.oneof({ arbitrary: fc.constant(0), weight: 40 }, fc.constantFrom(1, -1, 0x7fff)),
      counterOff: fc.oneof({ arbitrary: fc.constant(1), weight: 20 }, fc.constant(0)),
      body: fc.uint8Array({ maxLength: 43 }),
    })
    .map(({ flags, header, lie, counterOff, body }) => (counter) => {
      const length = (body.length + lie) & 0xffff;
      const report = new Uint8Array(64);
      report[0] = flags | Math.min(63, 20 + body.length);
      report.set([...hex(header), length & 0xff, length >> 8], 1);
      report[20] = (counter + counterOff) & 0xff;
      report.set(body, 21);
      return report;
    });
  const report = fc.oneof({ arbitrary: plausible, weight: 60 }, noise);

  it('in any reports', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(report), async (reports) => {
        const account = { calls: 0, bytes: 0 };
        const device = new ScriptedHidDevice();
        // A flood: more than any exchange takes.
        device.onReport = (sent) => {
          account.calls += 1;
          const make = (drawn: Uint8Array | ((counter: number) => Uint8Array)) =>
            drawn instanceof Uint8Array ? drawn : drawn(sent[20] ?? 0);
          const some = Array.from({ length: 100 }, () => make(draw(reports)));
          return Array.from({ length: 50 }, () => some).flat();
        };
        const channel = await openLongmaiChannel(device.device, new FakeHid());

        for (let exchange = 0; exchange < 2; exchange++) expectBounded(await outcomeOf(channel), account);
      }),
      { numRuns: 15 },
    );
  });

  it('reads back whatever it writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 900 }), fc.nat({ max: 255 }), (apdu, counter) => {
        const request = buildRequest(apdu, counter);
        const joiner = new ReportJoiner();

        const messages = segmentMessage(request).map((each) => joiner.push(each));

        expect(messages.at(-1)).toEqual(request);
        expect(request.subarray(23)).toEqual(apdu);
        expect(request[19]).toBe(counter);
      }),
    );
  });
});

describe('CanoKey', () => {
  const state = fc.oneof(
    { arbitrary: fc.constantFrom(...['01', '03'].map(hex)), weight: 40 },
    { arbitrary: fc.constantFrom(...['00', '00', '00', '02', '04', 'ff'].map(hex)), weight: 10 },
    fc.uint8Array({ maxLength: 2 }),
  );
  const part = fc.oneof(noise, fc.constant(new Uint8Array(1500)));
  const answer = fc.record({
    out: fc.constantFrom<USBTransferStatus>('ok', 'ok', 'stall'),
    in: fc.oneof({ arbitrary: fc.constant(undefined), weight: 60 }, status),
    state,
    part,
  });

  it('in any states and responses', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(answer), async (answers) => {
        const account = { calls: 0, bytes: 0 };
        const device = new ScriptedCanokey();
        const channel = await openCanokeyChannel(device.device, new FakeUsb());
        device.controlTransferOut = (_, data) => {
          account.calls += 1;
          return Promise.resolve({ status: draw(answers).out, bytesWritten: data.length });
        };
        device.controlTransferIn = ({ request }) => {
          const given = draw(answers);
          account.calls += 1;
          if (given.in) return Promise.resolve({ status: given.in });
          const bytes = request === 2 ? given.state : given.part;
          account.bytes += bytes.length;
          return Promise.resolve(ok(bytes));
        };

        for (let exchange = 0; exchange < 2; exchange++) expectBounded(await outcomeOf(channel), account);
      }),
      { numRuns: 200 },
    );
  });

  it('in responses that go on for ever', async () => {
    const account = { calls: 0, bytes: 0 };
    const device = new ScriptedCanokey();
    const channel = await openCanokeyChannel(device.device, new FakeUsb());
    device.controlTransferIn = ({ request }) => {
      const bytes = request === 2 ? hex('00') : new Uint8Array(1500);
      account.calls += 1;
      account.bytes += bytes.length;
      return Promise.resolve(ok(bytes));
    };

    const outcome = await outcomeOf(channel);

    expect(outcome).toMatchObject({ code: 'malformed' });
    expectBounded(outcome, account);
  });
});

describe('command APDUs', () => {
  it('are read by an independent parser as what they were written from', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const form = fc.constantFrom('short' as const, 'extended' as const);
    fc.assert(
      fc.property(
        byte,
        byte,
        byte,
        byte,
        form,
        fc.uint8Array({ maxLength: 255 }),
        fc.boolean(),
        fc.integer(),
        (...[cla, ins, p1, p2, length, data, withNe, seed]) => {
          const largest = length === 'short' ? 256 : 65_536;
          const ne = withNe ? 1 + (Math.abs(seed) % largest) : undefined;

          const parsed = parseCommandApdu(encodeCommand({ cla, ins, p1, p2, data, ne }, length));

          expect(parsed).toEqual({
            ...{ cla, ins, p1, p2, expected: ne },
            data: new Uint8Array(data),
            extended: length === 'extended' && (data.length > 0 || ne !== undefined),
          });
        },
      ),
      { numRuns: 1000 },
    );
  });
});
