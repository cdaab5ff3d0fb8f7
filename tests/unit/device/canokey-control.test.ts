import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import {
  canokeyResponseBytes,
  CanokeyResponse,
  commandRequest,
  parseCanokeyState,
  pollPauseMs,
  responseRequest,
  stateRequest,
} from '../../../src/device/canokey-control.ts';
import { hex } from '../apdu/hex.ts';

const malformed: unknown = expect.objectContaining({ name: 'TransportError', code: 'malformed' });

it.each([
  [0, commandRequest(1)],
  [1, responseRequest(1)],
  [2, stateRequest(1)],
])('writes bRequest %i as a vendor request to the interface', (request, setup) => {
  expect(setup).toEqual({ requestType: 'vendor', recipient: 'interface', request, value: 0, index: 1 });
});

describe('a state', () => {
  it.each([
    ['00', 'ready'],
    ['01', 'processing'],
    ['02', 'sent'],
    ['03', 'receiving'],
    ['04', 'holding'],
    ['ff', 'idle'],
  ])('%s is %s', (byte, expected) => {
    expect(parseCanokeyState(hex(byte))).toBe(expected);
  });

  it('is one of those or a typed error, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3 }), (bytes) => {
        const known = bytes.length === 1 && [0, 1, 2, 3, 4, 255].includes(bytes[0] ?? -1);
        if (known) expect(parseCanokeyState(bytes)).toBeTypeOf('string');
        else expect(() => parseCanokeyState(bytes)).toThrow(malformed);
      }),
    );
  });
});

describe('a response', () => {
  it('is whole when the key has no more', () => {
    expect(new CanokeyResponse().push(hex('019000'), false)).toEqual(hex('019000'));
  });

  it('goes on while the key has more', () => {
    const response = new CanokeyResponse();

    expect(response.push(new Uint8Array(canokeyResponseBytes), true)).toBeUndefined();
    expect(response.push(hex('9000'), false)).toHaveLength(canokeyResponseBytes + 2);
  });

  it.each([
    ['nothing', ''],
    ['half a status word', '90'],
  ])('is refused when it is %s', (_, bytes) => {
    expect(() => new CanokeyResponse().push(hex(bytes), false)).toThrow(malformed);
  });

  it('ends, whatever the key sends', () => {
    const part = fc.tuple(fc.uint8Array({ maxLength: 4 }), fc.integer({ min: 0, max: 1500 }), fc.boolean());
    fc.assert(
      fc.property(fc.infiniteStream(part), (parts) => {
        const response = new CanokeyResponse();
        let bytes = 0;
        for (const [head, length, more] of parts) {
          const padded = new Uint8Array(Math.max(head.length, length));
          bytes += padded.length;
          try {
            const whole = response.push(padded, more);
            if (!whole) continue;
            expect(whole).toHaveLength(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(TransportError);
          }
          break;
        }
        // Nothing is taken in beyond the longest response APDU and the part that overstepped it.
        expect(bytes).toBeLessThanOrEqual(65_538 + 1500);
      }),
    );
  });
});

it('asks for the state at once at first, then ever more rarely', () => {
  const pauses = Array.from({ length: 100 }, (_, attempt) => pollPauseMs(attempt));

  expect(pauses.slice(0, 5)).toEqual([0, 0, 0, 1, 1.5]);
  expect(pauses.slice(1).every((pause, index) => pause >= (pauses[index] ?? 0))).toBe(true);
  expect(pauses.slice(13)).toEqual(Array.from({ length: 87 }, () => 50));
});
