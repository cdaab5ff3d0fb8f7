import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import { type CcidQuirks, openCcidChannel } from '../../../src/device/webusb-ccid.ts';
import { hex, toHex } from '../apdu/hex.ts';
import { FakeUsb, type Packet, ScriptedUsbDevice, type UsbScript } from './fakes.ts';

afterEach(() => void vi.useRealTimers());

const silence = { timeoutMs: 1000 };
const command = hex('80040000000000');

/** A bulk-IN message to the command with this header. */
function reply(to: Uint8Array, type: number, data = '', { status = 0, error = 0, chain = 0, seq = to[6] ?? 0 } = {}) {
  const body = hex(data);
  const message = new Uint8Array(10 + body.length);
  message[0] = type;
  new DataView(message.buffer).setUint32(1, body.length, true);
  message.set([0, seq, status, error, chain], 5);
  message.set(body, 10);
  return message;
}
const packets = (message: Uint8Array): Uint8Array[] =>
  Array.from({ length: Math.ceil(message.length / 64) }, (_, i) => message.slice(64 * i, 64 * i + 64));

/** A reader that powers up and lets `transfer` answer XfrBlock; other messages go to `other` first. */
function reader(
  transfer: (message: Uint8Array) => readonly Packet[],
  other: (message: Uint8Array) => readonly Packet[] | undefined = () => undefined,
  script: UsbScript = {},
) {
  const onMessage = (message: Uint8Array): readonly Packet[] => {
    const answer = other(message);
    if (answer) return answer;
    if (message[0] === 0x62) return [reply(message, 0x80, '3b800181')];
    return message[0] === 0x6f ? transfer(message) : [reply(message, 0x81)];
  };
  return new ScriptedUsbDevice({ onMessage, ...script });
}
async function opened(device: ScriptedUsbDevice, quirks?: CcidQuirks) {
  const usb = new FakeUsb();
  return { usb, channel: await openCcidChannel(device.device, usb, quirks) };
}
const transfers = (device: ScriptedUsbDevice) => device.written.filter((message) => message.startsWith('6f'));

describe('opening', () => {
  it('claims the interface, reads the level and powers on with automatic voltage', async () => {
    const device = reader(() => []);

    const { channel } = await opened(device);

    expect(channel).toMatchObject({ apduLevel: 'extended', maxCommandBytes: 65_544 });
    expect(device.calls.slice(0, 3)).toEqual(['open', 'selectConfiguration', 'claimInterface']);
    expect(device.written).toEqual(['65000000000000000000', '62000000000001000000']);
  });

  it('knows a reader of short APDUs', async () => {
    const { channel } = await opened(reader(() => [], undefined, { features: 0x0002_04fe }));

    expect(channel).toMatchObject({ apduLevel: 'short', maxCommandBytes: 261 });
  });

  it('tries a chosen voltage when the automatic one is refused', async () => {
    const refuseAutomatic = (message: Uint8Array) =>
      message[0] === 0x62 && message[7] === 0 ? [reply(message, 0x80, '', { status: 0x41, error: 7 })] : undefined;
    const device = reader(() => [], refuseAutomatic);

    await opened(device);

    expect(device.written.slice(1)).toEqual(['62000000000001000000', '62000000000002010000']);
  });

  it.each<[string, UsbScript, string]>([
    ['a refused node', { rejects: { open: 'SecurityError' } }, 'accessDenied'],
    ['a driver on the device', { rejects: { open: 'NetworkError' } }, 'busy'],
    ['a protected class', { rejects: { claimInterface: 'SecurityError' } }, 'protectedClass'],
    ['another program on the interface', { rejects: { claimInterface: 'NetworkError' } }, 'busy'],
    ['a device just pulled out', { rejects: { open: 'NotFoundError' } }, 'disconnected'],
    ['no vendor interface', { interfaceClasses: [0x0b] }, 'failed'],
    ['a reader at character level', { features: 0 }, 'failed'],
    ['no class descriptor', { configuration: hex('09021200010100803209040000020000') }, 'malformed'],
    ['an empty configuration descriptor', { configuration: hex('') }, 'malformed'],
  ])('says what is wrong with %s, and leaves the device closed', async (_, script, code) => {
    const device = reader(() => [], undefined, script);

    await expect(opened(device)).rejects.toMatchObject({ name: 'TransportError', code });

    expect(device.opened).toBe(false);
  });

  it('refuses a slot without a chip', async () => {
    const absent = (message: Uint8Array) =>
      message[0] === 0x65 ? [reply(message, 0x81, '', { status: 2 })] : undefined;

    await expect(opened(reader(() => [], absent))).rejects.toMatchObject({ code: 'failed' });
  });
});

describe('an exchange', () => {
  it('is one XfrBlock and one DataBlock', async () => {
    const device = reader((message) => [reply(message, 0x80, '01029000')]);
    const { channel } = await opened(device);

    const response = await channel.transmit(command, silence);

    expect(toHex(response)).toBe('01029000');
    expect(transfers(device)).toEqual(['6f070000000002000000' + '80040000000000']);
  });

  it.each([
    ['without an empty packet', []],
    ['with an empty packet', [new Uint8Array()]],
  ])('takes replies that fill their last packet, %s after them', async (_, after) => {
    const body = '00'.repeat(52) + '9000';
    const device = reader((message) => [...packets(reply(message, 0x80, body)), ...after]);
    const { channel } = await opened(device);

    const responses = [await channel.transmit(command, silence), await channel.transmit(command, silence)];

    expect(responses.map((response) => response.length)).toEqual([54, 54]);
  });

  it('chains command blocks out and response blocks in', async () => {
    const apdu = Uint8Array.from({ length: 600 }, (_, index) => index & 0xff);
    const device = reader((message) => {
      const level = message[8];
      if (level === 1 || level === 3) return [reply(message, 0x80, '', { chain: 0x10 })];
      if (level === 2) return [reply(message, 0x80, '0a', { chain: 1 })];
      return [reply(message, 0x80, '0b9000', { chain: 2 })];
    });
    const { channel } = await opened(device);

    const response = await channel.transmit(apdu, silence);

    expect(toHex(response)).toBe('0a0b9000');
    const sent = transfers(device).map((message) => hex(message));
    expect(sent.map((message) => [message.length - 10, message[8]])).toEqual([
      [261, 1],
      [261, 3],
      [78, 2],
      [0, 0x10],
    ]);
    expect(sent.flatMap((message) => [...message.subarray(10)])).toEqual([...apdu]);
  });

  it('reads on through time extensions and discards replies to other commands', async () => {
    const device = reader((message) => [
      reply(message, 0x80, '6f00', { seq: ((message[6] ?? 0) + 255) & 0xff }),
      reply(message, 0x80, '', { status: 0x80, error: 4 }),
      reply(message, 0x80, '9000'),
    ]);
    const { channel } = await opened(device);

    expect(toHex(await channel.transmit(command, silence))).toBe('9000');
  });

  it('takes a time extension that comes as a slot status', async () => {
    const device = reader((message) => [
      reply(message, 0x81, '', { status: 0x80, error: 1 }),
      reply(message, 0x80, '9000'),
    ]);
    const { channel } = await opened(device);

    expect(toHex(await channel.transmit(command, silence))).toBe('9000');
  });

  it('does not read a chain into what is reserved at the level of short APDUs', async () => {
    const device = reader((message) => [reply(message, 0x80, '9000', { chain: 7 })], undefined, {
      features: 0x0002_04fe,
    });
    const { channel } = await opened(device);

    expect(toHex(await channel.transmit(command, silence))).toBe('9000');
  });

  it.each([
    ['slot busy', 0xe0],
    ['busy with its automatic sequence', 0xf2],
  ])('is tried again, with a new number, while the reader says: %s', async (_, error) => {
    vi.useFakeTimers();
    let refusals = 3;
    const device = reader((message) =>
      refusals-- > 0 ? [reply(message, 0x80, '', { status: 0x40, error })] : [reply(message, 0x80, '9000')],
    );
    const { channel } = await opened(device);
    const exchange = channel.transmit(command, silence);
    await vi.advanceTimersByTimeAsync(300);

    expect(toHex(await exchange)).toBe('9000');
    expect(transfers(device).map((message) => message.slice(12, 14))).toEqual(['02', '03', '04', '05']);
  });

  it('powers a chip on again that has lost its power', async () => {
    let lost = true;
    const device = reader((message) => {
      const answer = lost ? reply(message, 0x80, '', { status: 0x41, error: 0xfe }) : reply(message, 0x80, '9000');
      lost = false;
      return [answer];
    });
    const { channel } = await opened(device);
    await expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'timeout' });

    expect(toHex(await channel.transmit(command, silence))).toBe('9000');

    expect(device.written.map((message) => message.slice(0, 2))).toEqual(['65', '62', '6f', '65', '62', '6f']);
  });

  it('leaves no copy of the command behind in what it handed to the browser', async () => {
    const device = reader((message) => [reply(message, 0x80, '9000')]);
    const { channel } = await opened(device);
    const handed: Uint8Array[] = [];
    const original = device.transferOut.bind(device);
    device.transferOut = (endpoint, data) => {
      handed.push(data);
      return original(endpoint, data);
    };

    await channel.transmit(hex('00200080083132333435363738'), silence);

    expect(transfers(device).at(-1)?.slice(20)).toBe('00200080083132333435363738');
    expect(handed.map(toHex)).toEqual(['00'.repeat(23)]);
  });

  it.each([
    ['with an empty packet where the model asks for it', { zeroLengthPacket: true }, [64, 0]],
    ['with nothing otherwise', {}, [64]],
  ])('ends a message that fills its last packet %s', async (_, quirks, expected) => {
    const device = reader((message) => (message.length > 0 ? [reply(message, 0x80, '9000')] : []));
    const { channel } = await opened(device, quirks);
    const before = device.written.length;

    await channel.transmit(new Uint8Array(54), silence);

    expect(device.written.slice(before).map((message) => message.length / 2)).toEqual(expected);
  });

  it('goes on after a stall of the bulk-IN endpoint that clears', async () => {
    const device = reader((message) => ['stall', reply(message, 0x80, '9000')]);
    const { channel } = await opened(device);

    expect(toHex(await channel.transmit(command, silence))).toBe('9000');
    expect(device.calls).toContain('clearHalt in');
  });

  it('lets only one run at a time', async () => {
    const device = reader(() => []);
    const { channel } = await opened(device);
    const controller = new AbortController();
    const first = channel.transmit(command, { ...silence, signal: controller.signal });

    await expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'busy' });

    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('sends nothing for a caller who has already given up', async () => {
    const device = reader(() => []);
    const { channel } = await opened(device);

    await expect(channel.transmit(command, { ...silence, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(transfers(device)).toEqual([]);
  });
});

describe('a lying or failing reader', () => {
  const liar = (answer: (message: Uint8Array) => readonly Packet[]) => reader(answer);
  const forEver = <T>(one: T) => Array.from({ length: 2000 }, () => one);

  it.each<[string, (message: Uint8Array) => readonly Packet[], string]>([
    ['a refusal', (m) => [reply(m, 0x80, '', { status: 0x40, error: 0xfe })], 'timeout'],
    ['a reserved command status', (m) => [reply(m, 0x80, '9000', { status: 0xc0 })], 'malformed'],
    ['a response without a status word', (m) => [reply(m, 0x80, '90')], 'malformed'],
    ['a chip that is not there any more', (m) => [reply(m, 0x80, '', { status: 0x42, error: 0xfe })], 'disconnected'],
    ['a message cut short', (m) => [reply(m, 0x80, '01029000').slice(0, 12)], 'malformed'],
    ['a message longer than announced', (m) => [new Uint8Array([...reply(m, 0x80, '9000'), 0])], 'malformed'],
    ['a dwLength beyond all bounds', () => [hex('80 ffffff7f 00 02 00 00 00')], 'malformed'],
    [
      'a message that ends after full packets',
      (m) => [reply(m, 0x80, '00'.repeat(200)).slice(0, 64), hex('')],
      'malformed',
    ],
    ['endless time extensions', (m) => forEver(reply(m, 0x80, '', { status: 0x80, error: 255 })), 'timeout'],
    ['endless replies to other commands', (m) => forEver(reply(m, 0x80, '9000', { seq: 99 })), 'malformed'],
    ['endless empty transfers', () => forEver(new Uint8Array()), 'malformed'],
    [
      'endless response blocks',
      (m) => [reply(m, 0x80, '00'.repeat(200), { chain: m[8] === 0 ? 1 : 3 })].flatMap(packets),
      'malformed',
    ],
    ['a babbling endpoint', () => ['babble'], 'malformed'],
    ['an endpoint that stalls again', () => ['stall', 'stall'], 'stalled'],
    ['a transfer the browser gives up', () => ['error:NetworkError'], 'failed'],
  ])('with %s ends in a typed error', async (_, answer, code) => {
    const { channel } = await opened(liar(answer));

    await expect(channel.transmit(command, silence)).rejects.toMatchObject({ name: 'TransportError', code });
  });

  it('that answers before the command is whole ends in a typed error', async () => {
    const { channel } = await opened(liar((message) => [reply(message, 0x80, '9000')]));

    await expect(channel.transmit(new Uint8Array(600), silence)).rejects.toMatchObject({ code: 'malformed' });
  });

  it('with any bytes at all ends in a response or a typed error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 64 }), { minLength: 40, maxLength: 60 }),
        async (garbage) => {
          const { channel } = await opened(liar(() => [...garbage, 'stall', 'stall']));
          await channel.transmit(command, silence).then(
            (response) => expect(response.length).toBeGreaterThanOrEqual(2),
            (error: unknown) => expect(error).toBeInstanceOf(TransportError),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it('that stays busy ends in a typed error', async () => {
    vi.useFakeTimers();
    const device = liar((message) => [reply(message, 0x80, '', { status: 0x40, error: 0xe0 })]);
    const { channel } = await opened(device);
    const given = expect(channel.transmit(command, { timeoutMs: 60_000 })).rejects.toMatchObject({ code: 'failed' });

    await vi.advanceTimersByTimeAsync(10_000);

    await given;
    expect(transfers(device)).toHaveLength(21);
  });

  it('is not sent again what stalled on its way out', async () => {
    const device = reader(() => [], undefined, { outStatus: (m) => (m[0] === 0x6f ? 'stall' : 'ok') });
    const { channel } = await opened(device);

    await expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'stalled' });

    expect(transfers(device)).toHaveLength(1);
    expect(device.calls).toContain('clearHalt out');
  });
});

describe('silence', () => {
  it('ends at the timeout; the next exchange aborts the old command and takes no late reply for its own', async () => {
    vi.useFakeTimers();
    let first: Uint8Array | undefined;
    const device = reader((message) => {
      if (first) return [reply(message, 0x80, '029000')];
      first = message;
      return [];
    });
    const { channel } = await opened(device);
    const given = expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(1000);
    await given;
    if (first) device.send(reply(first, 0x80, '019000'));

    const response = await channel.transmit(command, silence);

    expect(toHex(response)).toBe('029000');
    expect(device.calls).toContain('control class 1 200');
    expect(device.written.slice(-2, -1)).toEqual(['72000000000002000000']);
  });

  it('of the abort itself does not keep the next command from being sent', async () => {
    vi.useFakeTimers();
    let count = 0;
    const device = reader(
      (message) => (count++ === 0 ? [] : [reply(message, 0x80, '9000')]),
      (message) => (message[0] === 0x72 ? [] : undefined),
    );
    const { channel } = await opened(device);
    const given = expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(1000);
    await given;

    const second = channel.transmit(command, silence);
    await vi.advanceTimersByTimeAsync(1000);

    expect(toHex(await second)).toBe('9000');
  });

  it('starts anew at a time extension, multiplied by bError', async () => {
    vi.useFakeTimers();
    const device = reader((message) => [reply(message, 0x80, '', { status: 0x80, error: 4 })]);
    const { channel } = await opened(device);
    const exchange = channel.transmit(command, silence);
    await vi.advanceTimersByTimeAsync(3900);

    device.send(reply(hex(transfers(device)[0] ?? ''), 0x80, '9000'));

    expect(toHex(await exchange)).toBe('9000');
  });

  it('is over after minutes of time extensions, however slowly they come', async () => {
    vi.useFakeTimers();
    const device = reader(() => []);
    const { channel } = await opened(device);
    const given = expect(channel.transmit(command, { timeoutMs: 60_000 })).rejects.toMatchObject({ code: 'timeout' });

    for (let minute = 0; minute <= 6; minute++) {
      device.send(reply(hex(transfers(device)[0] ?? ''), 0x80, '', { status: 0x80, error: 1 }));
      await vi.advanceTimersByTimeAsync(59_000);
    }

    await given;
  });
});

describe('unplugging', () => {
  it('in the middle ends the exchange and every later one, and closes quietly', async () => {
    const device = reader(() => []);
    const { usb, channel } = await opened(device);
    const exchange = channel.transmit(command, silence);
    device.unplug(usb);

    await expect(exchange).rejects.toMatchObject({ code: 'disconnected' });

    expect(channel.gone.reason).toMatchObject({ code: 'disconnected' });
    await expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'disconnected' });
    await expect(channel.close()).resolves.toBeUndefined();
  });

  it('is recognised when the failed transfer is reported first, as on Windows', async () => {
    vi.useFakeTimers();
    const device = reader(() => ['error:NetworkError']);
    const { usb, channel } = await opened(device);
    const ended = expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'disconnected' });
    await vi.advanceTimersByTimeAsync(100);

    usb.announce('disconnect', device.device);

    await ended;
  });

  it('of another device changes nothing', async () => {
    const { usb, channel } = await opened(reader((message) => [reply(message, 0x80, '9000')]));

    usb.announce('disconnect', new ScriptedUsbDevice().device);

    expect(toHex(await channel.transmit(command, silence))).toBe('9000');
  });
});

describe('a slot whose chip comes and goes', () => {
  const removable = (transfer: (message: Uint8Array) => readonly Packet[]) =>
    reader(transfer, undefined, { interrupt: true });

  it('ends the exchange at once when the chip is taken out, and the key is gone', async () => {
    const device = removable(() => []);
    const { channel } = await opened(device);
    const exchange = channel.transmit(command, silence);
    device.notify(hex('5002'));

    await expect(exchange).rejects.toMatchObject({ code: 'disconnected' });

    expect(channel.gone.reason).toMatchObject({ code: 'disconnected' });
    await channel.close();
    expect(device.opened).toBe(false);
  });

  it.each([
    ['that the chip is there', hex('5003')],
    ['a hardware error', hex('51000201')],
    ['a change of another slot', hex('5009')],
    ['nothing understandable', hex('')],
    ['a stalled endpoint', 'stall' as const],
  ])('goes on when the reader says %s', async (_, notification) => {
    const device = removable((message) => [reply(message, 0x80, '9000')]);
    const { channel } = await opened(device);
    device.notify(notification);

    expect(toHex(await channel.transmit(command, silence))).toBe('9000');
    expect(channel.gone.aborted).toBe(false);
  });

  it('stops listening to a reader that never stops talking', async () => {
    const device = removable((message) => [reply(message, 0x80, '9000')]);
    const { channel } = await opened(device);
    device.notify(...Array.from({ length: 10_000 }, () => hex('5003')));

    await vi.waitFor(() => expect(listens(device)).toBe(4096));

    expect(toHex(await channel.transmit(command, silence))).toBe('9000');
    expect(listens(device)).toBe(4096);
  });

  it('closes quietly while listening', async () => {
    const device = removable(() => []);
    const { channel } = await opened(device);

    await expect(channel.close()).resolves.toBeUndefined();
  });

  const listens = (device: ScriptedUsbDevice) => device.calls.filter((call) => call === 'transferIn interrupt').length;
});

it('ends what runs when it is closed in the middle', async () => {
  const { channel } = await opened(reader(() => []));
  const exchange = expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'cancelled' });

  await channel.close();

  await exchange;
});

it('powers the chip off and closes the device, once', async () => {
  const device = reader(() => []);
  const { channel } = await opened(device);

  await Promise.all([channel.close(), channel.close()]);

  expect(device.written.at(-1)).toBe('63000000000002000000');
  expect(device.calls.filter((call) => call === 'close')).toHaveLength(1);
  await expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'disconnected' });
});
