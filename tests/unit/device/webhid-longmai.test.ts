import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import { segmentMessage } from '../../../src/device/longmai-report.ts';
import { openLongmaiChannel } from '../../../src/device/webhid-longmai.ts';
import { hex, toHex } from '../apdu/hex.ts';
import { FakeHid, ScriptedHidDevice } from './fakes.ts';

afterEach(() => void vi.useRealTimers());

const silence = { timeoutMs: 1000 };
const command = hex('80040000000000');

/** The reports of a reply, written out from the framing's description. */
function reply(counter: number, response: Uint8Array): readonly Uint8Array[] {
  const message = new Uint8Array(20 + response.length);
  message.set([0xaa, 0xaa, response.length & 0xff, response.length >> 8]);
  message[19] = counter;
  message.set(response, 20);
  return segmentMessage(message);
}
/** The counter in a first report. */
const counterOf = (report: Uint8Array) => report[20] ?? 0;

async function opened(onReport: (report: Uint8Array) => readonly Uint8Array[]) {
  const device = new ScriptedHidDevice();
  device.onReport = onReport;
  const hid = new FakeHid();
  return { device, hid, channel: await openLongmaiChannel(device.device, hid) };
}

describe('an exchange', () => {
  it('sends 64-byte reports and returns the response APDU', async () => {
    const { device, channel } = await opened((report) => reply(counterOf(report), hex('019000')));

    const response = await channel.transmit(command, silence);

    expect(toHex(response)).toBe('019000');
    expect(device.written.map((report) => report.length)).toEqual([64]);
    expect(toHex(device.written[0]?.subarray(0, 20) ?? hex(''))).toBe('defe01' + '00'.repeat(14) + '0a0000');
  });

  it('counts its messages', async () => {
    const { device, channel } = await opened((report) => reply(counterOf(report), hex('9000')));

    await channel.transmit(command, silence);
    await channel.transmit(command, silence);

    const [first, second] = device.written.map(counterOf);
    expect(second).toBe(((first ?? 0) + 1) & 0xff);
  });

  it('takes a long response, and ignores replies to other programs and reports of another id', async () => {
    const long = new Uint8Array(2000).fill(0x5a);
    const { device, channel } = await opened((report) => {
      device.send(hex('c101'), 7);
      const counter = counterOf(report);
      return [...reply((counter + 1) & 0xff, hex('6982')), ...reply(counter, long)];
    });

    expect(toHex(await channel.transmit(command, silence))).toBe(toHex(long));
  });

  it('drops what lay there before it was sent', async () => {
    const { device, channel } = await opened((report) => reply(counterOf(report), hex('9000')));
    await channel.transmit(command, silence);
    // A late copy of the reply to the next counter would be taken for it, were it kept.
    for (const report of reply((counterOf(device.written[0] ?? hex('')) + 1) & 0xff, hex('6f00'))) device.send(report);

    expect(toHex(await channel.transmit(command, silence))).toBe('9000');
  });

  it('is possible with a device that this page already opened', async () => {
    const device = new ScriptedHidDevice();
    await device.open();

    await expect(openLongmaiChannel(device.device, new FakeHid())).resolves.toMatchObject({ apduLevel: 'extended' });
  });
});

describe('a lying or failing key', () => {
  const forEver = (reports: readonly Uint8Array[]) => Array.from({ length: 6000 }, () => reports).flat();

  it.each<[string, (report: Uint8Array) => readonly Uint8Array[], string]>([
    ['a reply without its header', () => [hex('c3010203')], 'malformed'],
    ['an empty report', () => [hex('')], 'malformed'],
    ['a wrong length', (r) => [hex(`d6aaaa0500${'00'.repeat(15)}${toHex(r.subarray(20, 21))}9000`)], 'malformed'],
    ['replies to others only', (r) => forEver(reply((counterOf(r) + 1) & 0xff, hex('9000'))), 'busy'],
    ['a message without end', () => [hex('8100'), ...forEver([hex('0100')])], 'malformed'],
    ['rests of messages without end', () => forEver([hex('0100')]), 'malformed'],
  ])('with %s ends in a typed error', async (_, onReport, code) => {
    const { channel } = await opened(onReport);

    await expect(channel.transmit(command, silence)).rejects.toMatchObject({ name: 'TransportError', code });
  });

  it('with any bytes at all ends in a response or a typed error', async () => {
    vi.useFakeTimers();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 40 }), async (garbage) => {
        const { channel } = await opened(() => garbage);
        const ended = channel.transmit(command, silence).then(
          (response) => expect(response).toBeInstanceOf(Uint8Array),
          (error: unknown) => expect(error).toBeInstanceOf(TransportError),
        );
        await vi.advanceTimersByTimeAsync(1000);
        await ended;
      }),
      { numRuns: 50 },
    );
  });

  it('that is silent ends at the timeout, and its late reply is not taken for the next', async () => {
    vi.useFakeTimers();
    const answers: (readonly Uint8Array[])[] = [];
    const { device, channel } = await opened((report) => {
      answers.push(reply(counterOf(report), hex(answers.length === 0 ? '6f00' : '9000')));
      return answers.length === 1 ? [] : answers.flat();
    });
    const ended = expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(1000);
    await ended;

    expect(toHex(await channel.transmit(command, silence))).toBe('9000');
    expect(device.written).toHaveLength(2);
  });

  it.each([
    ['fails typed', () => undefined, 'failed'],
    [
      'was unplugged when the browser says so a moment later',
      (device: ScriptedHidDevice, hid: FakeHid) => device.unplug(hid),
      'disconnected',
    ],
  ])('that refuses a report %s', async (_, meanwhile, code) => {
    vi.useFakeTimers();
    const { device, hid, channel } = await opened(() => []);
    device.rejects = { sendReport: 'NotAllowedError' };
    const ended = expect(channel.transmit(command, silence)).rejects.toMatchObject({ name: 'TransportError', code });
    await vi.advanceTimersByTimeAsync(100);

    meanwhile(device, hid);
    await vi.advanceTimersByTimeAsync(1000);

    await ended;
  });

  it.each([
    ['SecurityError', 'accessDenied'],
    ['NotAllowedError', 'accessDenied'],
    ['NetworkError', 'busy'],
    ['NotFoundError', 'disconnected'],
  ])('that cannot be opened (%s) is %s', async (name, code) => {
    const device = new ScriptedHidDevice();
    device.rejects = { open: name };

    await expect(openLongmaiChannel(device.device, new FakeHid())).rejects.toMatchObject({ code });
  });
});

describe('unplugging', () => {
  it('ends an exchange that waits for its reply, and closes quietly', async () => {
    const { device, hid, channel } = await opened(() => []);
    const exchange = channel.transmit(command, silence);
    device.unplug(hid);

    await expect(exchange).rejects.toMatchObject({ code: 'disconnected' });

    await expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'disconnected' });
    await expect(channel.close()).resolves.toBeUndefined();
  });

  it('ends an exchange whose sendReport never settles', async () => {
    const { device, hid, channel } = await opened(() => {
      device.unplug(new FakeHid());
      return [];
    });
    const exchange = channel.transmit(new Uint8Array(200), silence);
    await vi.waitFor(() => expect(device.written).toHaveLength(1));

    hid.announce('disconnect', device.device);

    await expect(exchange).rejects.toMatchObject({ code: 'disconnected' });
  });
});

it('ends what runs when it is closed in the middle, and leaves no password in what it handed to the browser', async () => {
  const { device, channel } = await opened(() => []);
  const handed: Uint8Array[] = [];
  const original = device.sendReport.bind(device);
  device.sendReport = (id, data) => {
    handed.push(data);
    return original(id, data);
  };
  const exchange = expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'cancelled' });
  await vi.waitFor(() => expect(device.written).toHaveLength(1));

  await channel.close();

  await exchange;
  expect(toHex(device.written[0] ?? hex(''))).toContain(toHex(command));
  expect(handed.map(toHex)).toEqual(['00'.repeat(64)]);
});

it('refuses a reply without a status word', async () => {
  const { channel } = await opened((report) => reply(counterOf(report), hex('90')));

  await expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'malformed' });
});

it('lets one exchange run at a time, ends it on request, and closes once', async () => {
  const { device, channel } = await opened(() => []);
  const controller = new AbortController();
  const first = channel.transmit(command, { ...silence, signal: controller.signal });

  await expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'busy' });
  controller.abort();
  await expect(first).rejects.toMatchObject({ code: 'cancelled' });
  await channel.close();

  expect(device.opened).toBe(false);
  await expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'disconnected' });
});
