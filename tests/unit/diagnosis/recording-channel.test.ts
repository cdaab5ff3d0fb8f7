import { expect, it } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import { recordingChannel, type WireExchange } from '../../../src/diagnosis/recording-channel.ts';
import { hex, toHex } from '../apdu/hex.ts';
import { ScriptedChannel } from '../apdu/scripted-channel.ts';

const options = { timeoutMs: 1000 };

/** Copies, as a recorder must. */
function recorder() {
  const seen: { command: string; response: string | undefined; failure: string | undefined; ms: number }[] = [];
  const kept: Uint8Array[] = [];
  const record = ({ command, response, failure, ms }: WireExchange) => {
    kept.push(command);
    seen.push({ command: toHex(command), response: response && toHex(response), failure, ms });
  };
  return { seen, kept, record };
}
function clock(...moments: number[]): () => number {
  return () => moments.shift() ?? 0;
}

it('does what the channel does, and shows what went through and how long it took', async () => {
  const wire = new ScriptedChannel(() => hex('1122 9000'), { apduLevel: 'short', maxCommandBytes: 261 });
  const { seen, record } = recorder();
  const channel = recordingChannel(wire, record, clock(100, 130));

  const response = await channel.transmit(hex('8004000000'), options);
  await channel.close();

  expect(toHex(response)).toBe('11229000');
  expect(channel).toMatchObject({ apduLevel: 'short', maxCommandBytes: 261 });
  expect(wire.options).toEqual([options]);
  expect(wire.closed).toBe(true);
  expect(seen).toEqual([{ command: '8004000000', response: '11229000', failure: undefined, ms: 30 }]);
});

it('shows what was sent, although the caller clears it meanwhile', async () => {
  const wire = new ScriptedChannel((command) => {
    command.fill(0);
    return hex('9000');
  });
  const { seen, record } = recorder();

  await recordingChannel(wire, record).transmit(hex('00200080 04 31323334'), options);

  expect(seen[0]?.command).toBe('002000800431323334');
});

it('clears its copy once it was shown', async () => {
  const { kept, record } = recorder();
  const channel = recordingChannel(new ScriptedChannel(() => hex('9000')), record);

  await channel.transmit(hex('00200080 04 31323334'), options);

  expect(kept.map(toHex)).toEqual(['000000000000000000']);
});

it.each([
  ['the code of an error of the wire', new TransportError('timeout', 'no answer'), 'timeout'],
  ['any other as failed', new Error('defect'), 'failed'],
])('shows %s and throws it on', async (_, error, failure) => {
  const { seen, record } = recorder();
  const channel = recordingChannel(new ScriptedChannel(() => error), record, clock(0, 5));

  await expect(channel.transmit(hex('80040000'), options)).rejects.toBe(error);

  expect(seen).toEqual([{ command: '80040000', response: undefined, failure, ms: 5 }]);
});

it('is gone when the channel is', () => {
  const wire = new ScriptedChannel(() => hex('9000'));
  const channel = recordingChannel(wire, () => undefined);

  wire.unplug();

  expect(channel.gone.aborted).toBe(true);
});
