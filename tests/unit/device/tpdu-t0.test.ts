import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import { encodeCommand } from '../../../src/apdu/command.ts';
import { exchangeT0 } from '../../../src/device/tpdu-t0.ts';
import type { Turn } from '../../../src/device/turns.ts';
import { hex, toHex } from '../apdu/hex.ts';

const turn: Turn = {
  over: false,
  timeoutMs: 1000,
  restart: () => undefined,
  part: () => Promise.reject(new Error('not used')),
};

/** Exchanges with a chip that answers in order; gives what it was sent and what came up. */
async function exchange(command: string, ...answers: readonly string[]) {
  const sent: string[] = [];
  const transfer = (tpdu: Uint8Array) => {
    sent.push(toHex(tpdu));
    return Promise.resolve(hex(answers[sent.length - 1] ?? ''));
  };
  return { response: toHex(await exchangeT0(hex(command), transfer, turn)), sent };
}

describe('T=0, by hand from ISO/IEC 7816-3 §12.2', () => {
  it.each<[string, string, readonly string[], readonly string[], string]>([
    ['case 1 has a P3 of zero', '00a40400', ['9000'], ['00a4040000'], '9000'],
    ['case 2 has Le in P3', '00b0000004', ['010203049000'], ['00b0000004'], '010203049000'],
    [
      'case 2 is sent again with the right Le',
      '00b0000000',
      ['6c02', '01029000'],
      ['00b0000000', '00b0000002'],
      '01029000',
    ],
    ['case 3 has its data', '00d6000002aabb', ['9000'], ['00d6000002aabb'], '9000'],
    ['case 3 fetches nothing', '00d6000002aabb', ['6110'], ['00d6000002aabb'], '6110'],
    [
      'case 4 leaves its Le out and fetches',
      '00a4040002a00000',
      ['9000', '6f009000'],
      ['00a4040002a000', '00c0000000'],
      '6f009000',
    ],
    ['case 4 hands 61xx up', '00a4040002a00008', ['6104'], ['00a4040002a000'], '6104'],
    [
      'case 4 fetches with the right Le',
      '00a4040002a00010',
      ['9000', '6c01', 'aa9000'],
      ['00a4040002a000', '00c0000010', '00c0000001'],
      'aa9000',
    ],
    [
      'case 4 that has nothing to fetch stays a success',
      '00a4040002a00010',
      ['9000', '6f00'],
      ['00a4040002a000', '00c0000010'],
      '9000',
    ],
    [
      'case 4 is not repeated for a Le that stays wrong',
      '00a4040002a00010',
      ['9000', '6c01', '6c01'],
      ['00a4040002a000', '00c0000010', '00c0000001'],
      '9000',
    ],
    ['case 4 that is refused fetches nothing', '00a4040002a00010', ['6a82'], ['00a4040002a000'], '6a82'],
    ['a wrong Le is put right once', '00b0000000', ['6c02', '6c03'], ['00b0000000', '00b0000002'], '6c03'],
  ])('%s', async (_, command, answers, sent, response) => {
    expect(await exchange(command, ...answers)).toEqual({ sent, response });
  });

  it.each([
    ['an extended-length one', '00a4040000000000'],
    ['one with an extended Le', '00b00000000100'],
    ['one cut short', '00d6000005aabb'],
    ['less than a header', '00a404'],
  ])('carries no APDU like %s', async (_, command) => {
    await expect(exchange(command)).rejects.toMatchObject({ name: 'TransportError', code: 'failed' });
  });

  it('carries every short APDU, in at most three TPDUs', async () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const parts = fc.record({
      ...{ cla: byte, ins: byte, p1: byte, p2: byte },
      data: fc.uint8Array({ maxLength: 255 }),
      ne: fc.option(fc.integer({ min: 1, max: 256 }), { nil: undefined }),
    });
    const answers = fc.array(
      fc.constantFrom('9000', '6c05', '6100', '6a82', '019000', '6f').map((text) => hex(text)),
      { minLength: 4, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(parts, answers, async (command, script) => {
        const sent: Uint8Array[] = [];
        const transfer = (tpdu: Uint8Array) => Promise.resolve(script[sent.push(tpdu) - 1] ?? hex(''));

        const outcome = await exchangeT0(encodeCommand(command, 'short'), transfer, turn).catch(
          (error: unknown) => error,
        );

        expect(outcome instanceof Uint8Array || outcome instanceof TransportError).toBe(true);
        expect(sent.length).toBeLessThanOrEqual(3);
        expect(sent.every((tpdu) => tpdu.length >= 5 && tpdu.length <= 260)).toBe(true);
        expect(sent[0]?.slice(5)).toEqual(new Uint8Array(command.data));
      }),
    );
  });
});
