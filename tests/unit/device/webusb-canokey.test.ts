import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import { findCanokeyInterface, openCanokeyChannel } from '../../../src/device/webusb-canokey.ts';
import { hex, toHex } from '../apdu/hex.ts';
import { FakeUsb } from './fakes.ts';
import { type CanokeyScript, ScriptedCanokey, state } from './scripted-canokey.ts';

afterEach(() => void vi.useRealTimers());

const silence = { timeoutMs: 1000 };
const command = hex('00cb3fff055c035fc10500');
const stateRequest = 'in vendor interface 2 0 1';
const responseRequest = 'in vendor interface 1 0 1';
const commandRequest = 'out vendor interface 0 0 1';

async function opened(
  script: CanokeyScript = { onCommand: () => hex('9000') },
  before?: (key: ScriptedCanokey) => void,
) {
  const key = new ScriptedCanokey(script);
  before?.(key);
  const usb = new FakeUsb();
  const channel = await openCanokeyChannel(key.device, usb);
  return { key, usb, channel };
}

describe('finding the interface', () => {
  it('takes the vendor-class one without endpoints', () => {
    expect(findCanokeyInterface(new ScriptedCanokey().device)).toBe(1);
  });

  it.each([
    ['vendor class with endpoints', { class: 0xff, endpoints: 2 }],
    ['another class without endpoints', { class: 0x0b, endpoints: 0 }],
  ])('does not take %s', (_, face) => {
    expect(findCanokeyInterface(new ScriptedCanokey({ interfaces: [face] }).device)).toBeUndefined();
  });
});

describe('opening', () => {
  it('claims the interface and finds the key at rest', async () => {
    const { key, channel } = await opened();

    expect(channel).toMatchObject({ apduLevel: 'short', maxCommandBytes: 1340 });
    expect(key.calls).toEqual(['open', 'selectConfiguration', 'claimInterface 1', stateRequest]);
  });

  it('throws away a response that nobody fetched', async () => {
    const { key, channel } = await opened(undefined, (key) => {
      key.state = state.ready;
      key.response = hex('6f6f6f9000');
    });

    const response = await channel.transmit(command, silence);

    expect(toHex(response)).toBe('9000');
    expect(key.calls.slice(3, 6)).toEqual([stateRequest, responseRequest, stateRequest]);
  });

  it('waits for a command that is still running, and for states that pass', async () => {
    const { processing, sent, receiving } = state;

    const { key } = await opened({ states: [processing, processing, sent, receiving] });

    expect(key.calls.filter((call) => call === stateRequest)).toHaveLength(5);
  });

  it.each([
    ['receives without end', Array.from({ length: 200 }, () => state.receiving)],
    ['stalls the state request', ['stall', 'stall'] as const],
  ])('resets a key that %s', async (_, states) => {
    vi.useFakeTimers();
    const opening = opened({ states, onCommand: () => hex('9000') });
    await vi.advanceTimersByTimeAsync(4000);

    const { key } = await opening;

    expect(key.calls.filter((call) => call === 'reset')).toHaveLength(1);
  });

  it.each<[string, CanokeyScript, string]>([
    ['a refused node', { rejects: { open: 'SecurityError' } }, 'accessDenied'],
    ['another program on the interface', { rejects: { claimInterface: 'NetworkError' } }, 'busy'],
    ['a device just pulled out', { rejects: { open: 'NotFoundError' } }, 'disconnected'],
    ['no such interface', { interfaces: [{ class: 0xff, endpoints: 2 }] }, 'failed'],
    ['a state that is none', { states: [7] }, 'malformed'],
    ['no state at all', { states: [new Uint8Array()] }, 'malformed'],
    ['a babbling endpoint', { states: ['babble'] }, 'malformed'],
    ['stalls where a reset is refused', { states: ['stall', 'stall'], rejects: { reset: 'NetworkError' } }, 'stalled'],
  ])('says what is wrong with %s, and leaves the device closed', async (_, script, code) => {
    const key = new ScriptedCanokey(script);

    await expect(openCanokeyChannel(key.device, new FakeUsb())).rejects.toMatchObject({ name: 'TransportError', code });

    expect(key.opened).toBe(false);
  });

  it('gives up on a key that is busy for too long', async () => {
    vi.useFakeTimers();
    const opening = expect(opened({ states: Array.from({ length: 500 }, () => state.processing) })).rejects;
    const given = opening.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(5000);

    await given;
  });
});

describe('an exchange', () => {
  it('is a command, its state and its response', async () => {
    const { key, channel } = await opened({ onCommand: () => hex('53009000') });
    key.calls.length = 0;

    const response = await channel.transmit(command, silence);

    expect(toHex(response)).toBe('53009000');
    expect(key.commands).toEqual([toHex(command)]);
    expect(key.calls).toEqual([commandRequest, stateRequest, responseRequest]);
  });

  it('asks for the state less and less often while the key works', async () => {
    vi.useFakeTimers();
    const { key, channel } = await opened({ onCommand: () => undefined });
    key.calls.length = 0;
    const exchange = expect(channel.transmit(command, { timeoutMs: 10_000 })).rejects.toMatchObject({
      code: 'timeout',
    });

    await vi.advanceTimersByTimeAsync(10_000);

    await exchange;
    const polls = key.calls.filter((call) => call === stateRequest).length;
    expect(polls).toBeGreaterThan(100);
    expect(polls).toBeLessThan(220);
  });

  it('takes a response that comes in more than one part', async () => {
    const long = Uint8Array.from({ length: 3200 }, (_, index) => index & 0xff);
    const { key, channel } = await opened({ onCommand: () => long });

    expect(await channel.transmit(command, silence)).toEqual(long);
    expect(key.calls.filter((call) => call === responseRequest)).toHaveLength(3);
  });

  it('takes a response that just fills its request', async () => {
    const { channel } = await opened({ onCommand: () => new Uint8Array(1500) });

    expect(await channel.transmit(command, silence)).toHaveLength(1500);
  });

  it('waits while another program holds the buffer over CCID, and sends the command once', async () => {
    vi.useFakeTimers();
    const { key, channel } = await opened();
    key.heldByCcid = 8;
    const exchange = channel.transmit(command, { timeoutMs: 5000 });
    await vi.advanceTimersByTimeAsync(2000);

    expect(toHex(await exchange)).toBe('9000');
    expect(key.commands).toHaveLength(1);
  });

  it('says that another program is in the way when the hold does not end', async () => {
    vi.useFakeTimers();
    const { key, channel } = await opened();
    key.heldByCcid = Infinity;
    const exchange = expect(channel.transmit(command, { timeoutMs: 5000 })).rejects.toMatchObject({ code: 'busy' });
    await vi.advanceTimersByTimeAsync(5000);

    await exchange;
    expect(key.commands).toEqual([]);
  });

  it('is not sent again when the state does not prove that the key took nothing', async () => {
    const { key, channel } = await opened();
    key.stalls = [0];
    key.queueStates(state.processing);

    await expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'stalled' });

    expect(key.calls.filter((call) => call === commandRequest)).toHaveLength(1);
  });

  it.each([
    ['state', 2],
    ['response', 1],
  ])('asks once more for a %s that stalled', async (_, request) => {
    const { key, channel } = await opened();
    key.stalls = [request];

    expect(toHex(await channel.transmit(command, silence))).toBe('9000');
  });

  it.each([
    ['loses the command', [state.idle], 'malformed'],
    ['stalls its state', ['stall', 'stall'] as const, 'stalled'],
    ['answers with another state', [9], 'malformed'],
  ])('ends in a typed error with a key that %s, and the next one is clean', async (_, states, code) => {
    const { key, channel } = await opened({ onCommand: (bytes) => hex(bytes[0] === 0 ? '6f00' : '9000') });
    key.queueStates(...states);
    await expect(channel.transmit(command, silence)).rejects.toMatchObject({ name: 'TransportError', code });

    expect(toHex(await channel.transmit(hex('80040000'), silence))).toBe('9000');
  });

  it('refuses a response shorter than a status word', async () => {
    const { channel } = await opened({ onCommand: () => hex('90') });

    await expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'malformed' });
  });

  it('refuses a command longer than the buffer before anything is sent', async () => {
    const { key, channel } = await opened();

    await expect(channel.transmit(new Uint8Array(1341), silence)).rejects.toMatchObject({ code: 'failed' });
    expect(key.commands).toEqual([]);
  });

  it('runs alone', async () => {
    const { channel } = await opened();
    const first = channel.transmit(command, silence);

    await expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'busy' });
    expect(toHex(await first)).toBe('9000');
  });

  it('does not begin for a caller who has already given up', async () => {
    const { key, channel } = await opened();

    await expect(channel.transmit(command, { ...silence, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(key.commands).toEqual([]);
  });

  it('given up in the middle does nothing more, and its response is not taken for the next one', async () => {
    vi.useFakeTimers();
    const { key, channel } = await opened({
      processing: 20,
      onCommand: (bytes) => hex(bytes[0] === 0 ? '019000' : '029000'),
    });
    const controller = new AbortController();
    const first = channel.transmit(command, { ...silence, signal: controller.signal });
    const given = expect(first).rejects.toMatchObject({ code: 'cancelled' });
    await vi.advanceTimersByTimeAsync(20);
    controller.abort();
    await given;
    const calls = key.calls.length;
    await vi.advanceTimersByTimeAsync(1000);
    expect(key.calls).toHaveLength(calls);

    const second = channel.transmit(hex('80040000'), { timeoutMs: 5000 });
    await vi.advanceTimersByTimeAsync(3000);

    expect(toHex(await second)).toBe('029000');
  });

  it("hands the caller's own bytes to the browser, so that no copy is left when they are cleared", async () => {
    const { key, channel } = await opened();
    const handed: Uint8Array[] = [];
    const original = key.controlTransferOut.bind(key);
    key.controlTransferOut = (setup, data) => {
      handed.push(data);
      return original(setup, data);
    };
    const verify = hex('00200080083132333435363738');

    await channel.transmit(verify, silence);

    expect(key.commands).toEqual(['00200080083132333435363738']);
    expect(handed).toHaveLength(1);
    expect(handed[0]).toBe(verify);
  });

  it('ends in a response or a typed error whatever states and bytes the key sends', async () => {
    vi.useFakeTimers();
    const told = fc.oneof(
      fc.constantFrom(0, 1, 2, 3, 4, 255),
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom('stall' as const, 'babble' as const),
      fc.uint8Array({ maxLength: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(told, { maxLength: 30 }), fc.uint8Array({ maxLength: 40 }), async (states, bytes) => {
        const { key, channel } = await opened({ onCommand: () => bytes });
        key.queueStates(...states);
        for (const timeoutMs of [1000, 2000]) {
          const exchange = channel.transmit(command, { timeoutMs }).catch((error: unknown) => error);
          await vi.advanceTimersByTimeAsync(timeoutMs);
          const outcome = await exchange;
          if (outcome instanceof Uint8Array) expect(outcome).toEqual(bytes);
          else expect(outcome).toBeInstanceOf(TransportError);
        }
        // Pauses of at least 1, 1.5, 2.25 … ms bound how often a key can be asked within the time.
        expect(key.calls.length).toBeLessThan(150);
      }),
      { numRuns: 200 },
    );
  });
});

describe('unplugging', () => {
  it('in the middle ends the exchange and every later one, and closes quietly', async () => {
    const { key, usb, channel } = await opened();
    key.hang();
    const exchange = channel.transmit(command, silence);
    await Promise.resolve();
    key.unplug(usb);

    await expect(exchange).rejects.toMatchObject({ code: 'disconnected' });
    await expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'disconnected' });
    await expect(channel.close()).resolves.toBeUndefined();
  });
});

it('ends what runs when it is closed in the middle', async () => {
  const { channel } = await opened({ onCommand: () => undefined });
  const exchange = expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'cancelled' });

  await channel.close();

  await exchange;
});

it('closes the device, once', async () => {
  const { key, channel } = await opened();

  await Promise.all([channel.close(), channel.close()]);

  expect(key.calls.filter((call) => call === 'close')).toHaveLength(1);
  await expect(channel.transmit(command, silence)).rejects.toMatchObject({ code: 'disconnected' });
});
