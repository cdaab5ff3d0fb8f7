import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/apdu/bytes.ts';
import { TransportError } from '../../../src/apdu/channel.ts';
import { ApduSession, type TraceEntry } from '../../../src/apdu/session.ts';
import vectors from '../../vectors/longmai-hid.json' with { type: 'json' };
import { hex, toHex } from './hex.ts';
import { ScriptedChannel } from './scripted-channel.ts';

const options = { timeoutMs: 1000 };
const ok = hex('9000');
const read = { cla: 0x80, ins: 0x04, p1: 0, p2: 0, ne: 65_536 };

/** Answers in order; afterwards the last one for ever. */
function inOrder(...answers: readonly string[]): () => Uint8Array {
  let next = 0;
  return () => hex(answers[Math.min(next++, answers.length - 1)] ?? '');
}

describe('form of the APDU', () => {
  it.each([
    [vectors.requests[0], read],
    [vectors.requests[1], { cla: 0x80, ins: 0x02, p1: 0, p2: 0, data: hex('756b6579') }],
  ])('is extended wherever possible, as recorded from a GM/T key: %o', async (recorded, command) => {
    const channel = new ScriptedChannel(() => ok);
    const session = new ApduSession(channel, { extendedLength: 'wherePossible' });

    await session.exchange(command, options);

    expect(channel.sent.map(toHex)).toEqual([recorded?.apdu]);
  });

  it('is short when that is enough and nothing else is wished', async () => {
    const channel = new ScriptedChannel(() => ok);
    const session = new ApduSession(channel, { extendedLength: 'whenNeeded' });

    await session.exchange({ ...read, ne: 8 }, options);
    await session.exchange({ ...read, data: new Uint8Array(300), ne: undefined }, options);

    expect(channel.sent.map((apdu) => toHex(apdu.subarray(0, 7)))).toEqual(['8004000008', '8004000000012c']);
  });

  it('is short on a short-only wire, with Ne cut to what that can say', async () => {
    const channel = new ScriptedChannel(() => ok, { apduLevel: 'short', maxCommandBytes: 261 });
    const session = new ApduSession(channel, { extendedLength: 'wherePossible' });

    await session.exchange(read, options);

    expect(channel.sent.map(toHex)).toEqual(['8004000000']);
  });
});

describe('command chaining on a short-only wire', () => {
  const data = Uint8Array.from({ length: 600 }, (_, index) => index & 0xff);
  const write = { cla: 0x80, ins: 0x4c, p1: 0, p2: 0, data };

  it('sends 255 bytes at a time and the rest at the end', async () => {
    const channel = new ScriptedChannel(() => ok, { apduLevel: 'short', maxCommandBytes: 261 });

    await new ApduSession(channel, { extendedLength: 'wherePossible' }).exchange(write, options);

    expect(channel.sent.map((apdu) => toHex(apdu.subarray(0, 5)))).toEqual(['904c0000ff', '904c0000ff', '804c00005a']);
    expect(channel.sent.flatMap((apdu) => [...apdu.subarray(5)])).toEqual([...data]);
  });

  it('stops at a refusal in the middle and returns it', async () => {
    const channel = new ScriptedChannel(() => hex('6884'), { apduLevel: 'short', maxCommandBytes: 261 });

    const response = await new ApduSession(channel, { extendedLength: 'wherePossible' }).exchange(write, options);

    expect(response.sw).toBe(0x6884);
    expect(channel.sent).toHaveLength(1);
  });

  it('chains on an extended wire too when the command is longer than the wire carries', async () => {
    const channel = new ScriptedChannel(() => ok, { maxCommandBytes: 309 });

    await new ApduSession(channel, { extendedLength: 'wherePossible' }).exchange(write, options);

    expect(channel.sent.map((apdu) => toHex(apdu.subarray(0, 7)))).toEqual(['904c000000012c', '804c000000012c']);
  });
});

describe('61xx and 6Cxx', () => {
  it('collects a response in pieces with GET RESPONSE', async () => {
    const channel = new ScriptedChannel(inOrder('0102 6102', '0304 6101', '05 9000'));

    const response = await new ApduSession(channel, { extendedLength: 'whenNeeded' }).exchange(read, options);

    expect(response).toEqual({ data: hex('0102030405'), sw: 0x9000 });
    expect(channel.sent.slice(1).map(toHex)).toEqual(['00c0000002', '00c0000001']);
  });

  it('reads 6100 as 256 bytes or more', async () => {
    const channel = new ScriptedChannel(inOrder('6100', '9000'));

    await new ApduSession(channel, { extendedLength: 'whenNeeded' }).exchange(read, options);

    expect(channel.sent.slice(1).map(toHex)).toEqual(['00c0000000']);
  });

  it('sends again with the Le that 6Cxx names, once', async () => {
    const channel = new ScriptedChannel(() => hex('6c08'));

    const response = await new ApduSession(channel, { extendedLength: 'whenNeeded' }).exchange(
      { ...read, ne: 4 },
      options,
    );

    expect(channel.sent.map(toHex)).toEqual(['8004000004', '8004000008']);
    expect(response.sw).toBe(0x6c08);
  });

  it('asks again with the Le that GET RESPONSE was told', async () => {
    const channel = new ScriptedChannel(inOrder('6110', '6c04', '01020304 9000'));

    const response = await new ApduSession(channel, { extendedLength: 'whenNeeded' }).exchange(read, options);

    expect(channel.sent.slice(1).map(toHex)).toEqual(['00c0000010', '00c0000004']);
    expect(response).toEqual({ data: hex('01020304'), sw: 0x9000 });
  });

  it('never repeats a command without Le, such as a password', async () => {
    const channel = new ScriptedChannel(() => hex('6c08'));

    await new ApduSession(channel, { extendedLength: 'whenNeeded' }).exchange({ ...read, ne: undefined }, options);

    expect(channel.sent).toHaveLength(1);
  });

  it.each([
    ['with nothing', '6110'],
    ['with a byte each time', '00 6110'],
  ])('gives up on a key that announces more without end, %s', async (_, answer) => {
    const channel = new ScriptedChannel(() => hex(answer));
    const session = new ApduSession(channel, { extendedLength: 'whenNeeded' });

    await expect(session.exchange(read, options)).rejects.toMatchObject({ name: 'TransportError', code: 'malformed' });
  });

  it('takes as much as one command can ask for, and not a byte more, not even in the last part', async () => {
    const piece = `${'00'.repeat(256)}6100`;
    const whole = Array.from({ length: 255 }, () => piece);
    const answering = (last: number): ApduSession => {
      const channel = new ScriptedChannel(inOrder(...whole, `${'00'.repeat(last)}9000`));
      return new ApduSession(channel, { extendedLength: 'whenNeeded' });
    };

    expect((await answering(256).exchange(read, options)).data).toHaveLength(65_536);
    await expect(answering(257).exchange(read, options)).rejects.toMatchObject({ code: 'malformed' });
  });
});

describe('one exchange at a time', () => {
  it('refuses a second one while the first is running, and takes it afterwards', async () => {
    let release: (answer: Uint8Array) => void = () => undefined;
    const channel = new ScriptedChannel(() => new Promise<Uint8Array>((resolve) => (release = resolve)));
    const session = new ApduSession(channel, { extendedLength: 'whenNeeded' });
    const first = session.exchange(read, options);

    await expect(session.exchange(read, options)).rejects.toMatchObject({ code: 'busy' });
    release(ok);
    await first;
    const second = session.exchange(read, options);
    release(ok);

    await expect(second).resolves.toMatchObject({ sw: 0x9000 });
  });

  it('is free again after a failure', async () => {
    const channel = new ScriptedChannel(inOrder('90', '9000'));
    const session = new ApduSession(channel, { extendedLength: 'whenNeeded' });

    await expect(session.exchange(read, options)).rejects.toMatchObject({ code: 'malformed' });

    await expect(session.exchange(read, options)).resolves.toMatchObject({ sw: 0x9000 });
  });
});

describe('whatever a key answers', () => {
  const answers = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      // Status words that make a session go on, with and without data.
      fc
        .tuple(fc.uint8Array({ maxLength: 3 }), fc.constantFrom('6100', '6101', '61ff', '6c00', '6c04', '9000', '63c1'))
        .map(([data, sw]) => concatBytes(data, hex(sw))),
    ),
    { minLength: 1, maxLength: 20 },
  );

  it.each(['short', 'extended'] as const)('an exchange on a wire of %s APDUs ends', async (apduLevel) => {
    await fc.assert(
      fc.asyncProperty(answers, fc.nat({ max: 1200 }), fc.boolean(), async (script, length, withNe) => {
        let next = 0;
        const channel = new ScriptedChannel(() => script[next++ % script.length] ?? ok, {
          apduLevel,
          maxCommandBytes: apduLevel === 'short' ? 261 : 65_544,
        });
        const session = new ApduSession(channel, { extendedLength: 'whenNeeded' });
        const command = { ...read, data: new Uint8Array(length), ne: withNe ? 256 : undefined };

        const outcome = await session.exchange(command, options).catch((error: unknown) => error);

        if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'TransportError', code: 'malformed' });
        else expect(outcome).toMatchObject({ sw: expect.any(Number) as number });
        // Links of the chain, the last one twice, and GET RESPONSE as often as is allowed, twice each.
        expect(channel.sent.length).toBeLessThanOrEqual(5 + 2 * 1026);
      }),
      { numRuns: 200 },
    );
  });

  it('takes in no more than the longest response', async () => {
    let bytes = 0;
    const channel = new ScriptedChannel(() => {
      bytes += 256;
      return concatBytes(new Uint8Array(256), hex('6100'));
    });
    const session = new ApduSession(channel, { extendedLength: 'whenNeeded' });

    await expect(session.exchange(read, options)).rejects.toMatchObject({ code: 'malformed' });

    expect(bytes).toBeLessThanOrEqual(65_536 + 256);
  });
});

it('traces INS and status word and nothing else', async () => {
  const entries: TraceEntry[] = [];
  const channel = new ScriptedChannel(inOrder('0102 6101', '03 9000'));
  const session = new ApduSession(channel, { extendedLength: 'whenNeeded', trace: (entry) => entries.push(entry) });

  await session.exchange({ ...read, data: hex('31323334') }, options);

  expect(entries).toEqual([
    { ins: 0x04, sw: 0x6101 },
    { ins: 0xc0, sw: 0x9000 },
  ]);
});

describe('a password', () => {
  const canary = 'Kanarie#';
  const verify = { cla: 0x00, ins: 0x20, p1: 0x00, p2: 0x80, data: new TextEncoder().encode(canary) };
  const traced = async (answer: () => Uint8Array | Error, level: 'short' | 'extended') => {
    const entries: TraceEntry[] = [];
    const channel = new ScriptedChannel(answer, { apduLevel: level });
    const session = new ApduSession(channel, {
      extendedLength: 'wherePossible',
      trace: (entry) => entries.push(entry),
    });
    const error = await session.exchange(verify, options).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return { entries, channel, error };
  };
  /** Every byte and character that can be reached from a value, as text. */
  const everythingIn = (value: unknown) => inspect(value, { depth: Infinity, showHidden: true, maxArrayLength: null });
  const spellings = [
    canary,
    toHex(verify.data),
    toHex(verify.data).toUpperCase(),
    [...verify.data].join(','),
    [...verify.data].join(', '),
    btoa(canary),
  ];

  it.each([
    ['accepted', () => ok],
    ['refused', () => hex('63c2')],
    ['echoed by the key', () => concatBytes(verify.data, hex('9000'))],
    ['asked for again', () => hex('6c08')],
    ['lost on the way', () => new TransportError('timeout', 'no answer')],
    ['answered with nothing', () => hex('')],
  ])('that is %s never shows in the trace, in its JSON or in an error', async (_, answer) => {
    for (const level of ['short', 'extended'] as const) {
      const { entries, channel, error } = await traced(answer, level);

      // The canary was there to be leaked.
      expect(channel.sent.map(toHex).join()).toContain(toHex(verify.data));
      expect(entries.flatMap((entry) => Object.keys(entry)).filter((key) => key !== 'ins' && key !== 'sw')).toEqual([]);
      const seen = [JSON.stringify(entries), everythingIn(entries), everythingIn(error)].join('\n');
      for (const spelling of spellings) expect(seen).not.toContain(spelling);
    }
  });

  it('is not left behind in the bytes that a channel was given', async () => {
    const given: Uint8Array[] = [];
    const channel = new ScriptedChannel((command) => {
      given.push(command);
      return ok;
    });

    await new ApduSession(channel, { extendedLength: 'whenNeeded' }).exchange(verify, options);

    expect(given.map((bytes) => bytes.every((byte) => byte === 0))).toEqual([true]);
    expect(new TextDecoder().decode(verify.data)).toBe(canary);
  });
});

describe('what a key answers', () => {
  it('is in one place only: the copies on the way are cleared', async () => {
    const onTheWire: Uint8Array[] = [];
    const inTurn = inOrder('0102 6102', '0304 9000');
    const channel = new ScriptedChannel(inTurn);
    const transmit = channel.transmit.bind(channel);
    channel.transmit = async (...sent) => {
      const answer = await transmit(...sent);
      onTheWire.push(answer);
      return answer;
    };
    const session = new ApduSession(channel, { extendedLength: 'whenNeeded' });

    const response = await session.exchange({ cla: 0, ins: 0xcb, p1: 0x3f, p2: 0xff, ne: 256 }, { timeoutMs: 1_000 });

    expect(response.data).toEqual(hex('01020304'));
    expect(onTheWire).toEqual([hex('00000000'), hex('00000000')]);
  });
});
