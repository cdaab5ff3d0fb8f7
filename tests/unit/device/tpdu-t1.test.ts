import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import { T1Link } from '../../../src/device/tpdu-t1.ts';
import type { Turn } from '../../../src/device/turns.ts';
import { hex, toHex } from '../apdu/hex.ts';
import { type Mishap, T1Card } from './t1-card.ts';

/** A turn that is never over; what it is asked for is kept. */
function patience(): Turn & { readonly restarts: (number | undefined)[] } {
  const restarts: (number | undefined)[] = [];
  return {
    over: false,
    timeoutMs: 1000,
    restarts,
    restart: (timeoutMs) => void restarts.push(timeoutMs),
    part: () => Promise.reject(new Error('not used')),
  };
}

/** A chip whose side of the conversation is written down, line by line: what the host must send, what comes back. */
function scripted(lines: readonly (readonly [sent: string, answer: string | undefined])[]) {
  const rest = [...lines];
  const waitings: number[] = [];
  const transfer = (block: Uint8Array, waiting: number) => {
    const [sent, answer] = rest.shift() ?? ['nothing more', undefined];
    expect(toHex(block)).toBe(sent.replaceAll(' ', ''));
    waitings.push(waiting);
    return Promise.resolve(answer === undefined ? undefined : hex(answer));
  };
  return { rest, waitings, transfer };
}

const select = '00 00 04 00a40400 a4';
const command = hex('00a40400');
const ok = '00 00 02 9000 92';

// The scenarios of ISO/IEC 7816-3 annex A, with a command of four bytes and IFSC 4, or 2 where a chain is wanted.
describe('T=1 in the scenarios of the standard', () => {
  it.each<[string, number, readonly (readonly [string, string | undefined])[]]>([
    ['one block each way', 4, [[select, ok]]],
    [
      'a waiting time extension',
      4,
      [
        [select, '00 c3 01 05 c7'],
        ['00 e3 01 05 e7', ok],
      ],
    ],
    [
      'a chip that announces another IFSC',
      4,
      [
        [select, '00 c1 01 10 d0'],
        ['00 e1 01 10 f0', ok],
      ],
    ],
    [
      'a chained command',
      2,
      [
        ['00 20 02 00a4 86', '00 90 00 90'],
        ['00 40 02 0400 46', ok],
      ],
    ],
    [
      'a chained response',
      4,
      [
        [select, '00 20 01 90 b1'],
        ['00 90 00 90', '00 40 01 00 41'],
      ],
    ],
    [
      'a block that the chip could not read',
      4,
      [
        [select, '00 81 00 81'],
        [select, ok],
      ],
    ],
    [
      'an answer that the host could not read',
      4,
      [
        [select, '00 00 02 9000 93'],
        ['00 81 00 81', ok],
      ],
    ],
    [
      'an answer that did not come',
      4,
      [
        [select, undefined],
        ['00 82 00 82', ok],
      ],
    ],
    [
      'an unreadable request for repetition',
      4,
      [
        [select, '00 00 02 9000 93'],
        ['00 81 00 81', '00 81 00 81'],
        [select, ok],
      ],
    ],
    [
      'a lost link of a chained command',
      2,
      [
        ['00 20 02 00a4 86', undefined],
        ['00 82 00 82', '00 80 00 80'],
        ['00 20 02 00a4 86', '00 90 00 90'],
        ['00 40 02 0400 46', ok],
      ],
    ],
    [
      'a lost acknowledgement of a chained command',
      2,
      [
        ['00 20 02 00a4 86', undefined],
        ['00 82 00 82', '00 90 00 90'],
        ['00 40 02 0400 46', ok],
      ],
    ],
    [
      'a lost link of a chained response',
      4,
      [
        [select, '00 20 01 90 b1'],
        ['00 90 00 90', undefined],
        ['00 92 00 92', '00 40 01 00 41'],
      ],
    ],
    [
      'an unreadable answer to a time extension',
      4,
      [
        [select, '00 c3 01 05 c7'],
        ['00 e3 01 05 e7', '00 c3 01 05 00'],
        ['00 81 00 81', '00 c3 01 05 c7'],
        ['00 e3 01 05 e7', ok],
      ],
    ],
  ])('%s', async (_, ifsc, lines) => {
    const { rest, transfer } = scripted(lines);

    const response = await new T1Link(transfer, ifsc, 32, false).exchange(command, patience());

    expect(toHex(response)).toBe('9000');
    expect(rest).toEqual([]);
  });

  it('counts its blocks on from one exchange to the next', async () => {
    const { transfer } = scripted([
      [select, ok],
      ['00 40 04 00a40400 e4', '00 40 02 9000 d2'],
      [select, ok],
    ]);
    const link = new T1Link(transfer, 32, 32, false);

    for (let exchange = 0; exchange < 3; exchange++) await link.exchange(command, patience());
  });

  it('tells the chip what the reader takes, once', async () => {
    const { rest, transfer } = scripted([
      ['00 c1 01 fe 3e', '00 e1 01 fe 1e'],
      [select, ok],
      ['00 40 04 00a40400 e4', '00 40 02 9000 d2'],
    ]);
    const link = new T1Link(transfer, 32, 254, false);

    await link.exchange(command, patience());
    await link.exchange(command, patience());

    expect(rest).toEqual([]);
  });

  it('leaves that to a reader which does it', async () => {
    const { rest, transfer } = scripted([[select, ok]]);

    await new T1Link(transfer, 32, 254, true).exchange(command, patience());

    expect(rest).toEqual([]);
  });

  it('hands a waiting time extension on to the reader, for one block, and waits itself', async () => {
    const { waitings, transfer } = scripted([
      [select, '00 c3 01 05 c7'],
      ['00 e3 01 05 e7', '00 20 01 90 b1'],
      ['00 90 00 90', '00 40 01 00 41'],
    ]);
    const turn = patience();

    await new T1Link(transfer, 32, 32, false).exchange(command, turn);

    expect(waitings).toEqual([0, 5, 0]);
    expect(turn.restarts).toContain(5000);
  });

  it('begins anew after three faults, gives the exchange up and goes on with the next', async () => {
    const { rest, transfer } = scripted([
      [select, undefined],
      ['00 82 00 82', undefined],
      ['00 82 00 82', undefined],
      ['00 c0 00 c0', undefined],
      ['00 c0 00 c0', '00 e0 00 e0'],
      [select, ok],
    ]);
    const link = new T1Link(transfer, 32, 32, false);
    await expect(link.exchange(command, patience())).rejects.toMatchObject({ name: 'TransportError', code: 'failed' });

    expect(toHex(await link.exchange(command, patience()))).toBe('9000');

    expect(rest).toEqual([]);
    expect(link.broken).toBe(false);
  });

  it('is broken when even that does not help', async () => {
    const link = new T1Link(() => Promise.resolve(undefined), 32, 32, false);

    await expect(link.exchange(command, patience())).rejects.toMatchObject({ code: 'failed' });

    expect(link.broken).toBe(true);
  });

  it('ends when the chip aborts', async () => {
    const { rest, transfer } = scripted([
      [select, '00 c2 00 c2'],
      ['00 e2 00 e2', '00 80 00 80'],
      ['00 c0 00 c0', '00 e0 00 e0'],
    ]);

    await expect(new T1Link(transfer, 32, 32, false).exchange(command, patience())).rejects.toMatchObject({
      code: 'failed',
    });
    expect(rest).toEqual([]);
  });

  it('resynchronises before it speaks again to a chip that it left in the middle', async () => {
    const { rest, transfer } = scripted([
      ['00 c0 00 c0', '00 e0 00 e0'],
      [select, ok],
    ]);
    let leave = true;
    const link = new T1Link(
      (block, waiting) => {
        if (!leave) return transfer(block, waiting);
        leave = false;
        return Promise.reject(new TransportError('timeout', 'given up'));
      },
      32,
      32,
      false,
    );
    await expect(link.exchange(command, patience())).rejects.toMatchObject({ code: 'timeout' });

    await link.exchange(command, patience());

    expect(rest).toEqual([]);
  });

  it('leaves no copy of the command behind', async () => {
    const blocks: Uint8Array[] = [];
    const card = new T1Card({ ifsc: 5, respond: () => hex('9000') });
    const link = new T1Link(
      (block) => {
        blocks.push(block);
        return Promise.resolve(card.transfer(block));
      },
      5,
      32,
      false,
    );

    await link.exchange(hex('00200080083132333435363738'), patience());

    expect(card.executed.map(toHex)).toEqual(['00200080083132333435363738']);
    expect(blocks.map((block) => toHex(block).replaceAll('00', ''))).toEqual(blocks.map(() => ''));
  });
});

describe('T=1 with a card of its own', () => {
  const sizes = fc.integer({ min: 1, max: 254 });
  const apdus = fc.uint8Array({ minLength: 4, maxLength: 700 });
  const responses = fc.uint8Array({ minLength: 2, maxLength: 700 });

  it('carries any command and any response, whatever fits into a block', async () => {
    await fc.assert(
      fc.asyncProperty(
        ...([sizes, fc.integer({ min: 32, max: 254 }), apdus, responses, fc.nat({ max: 3 })] as const),
        async (ifsc, ifsd, apdu, response, extensions) => {
          const card = new T1Card({ ifsc, extensions, respond: () => response });
          const link = new T1Link((block) => Promise.resolve(card.transfer(block)), ifsc, ifsd, false);

          for (let exchange = 1; exchange <= 2; exchange++) {
            expect(await link.exchange(apdu, patience())).toEqual(new Uint8Array(response));
            expect(card.executed).toHaveLength(exchange);
          }

          expect(card.executed.every((each) => toHex(each) === toHex(apdu))).toBe(true);
          expect(card.longest).toBeLessThanOrEqual(ifsd);
          expect(Math.max(...card.heard.map((block) => block.length - 4))).toBeLessThanOrEqual(ifsc);
        },
      ),
    );
  });

  it('survives mishaps: the right response or a typed error, and nothing is carried out twice', async () => {
    const way = fc.constantFrom('arrives', 'arrives', 'arrives', 'garbled', 'lost');
    const mishaps: fc.Arbitrary<Mishap[]> = fc.array(fc.record({ there: way, back: way }), { maxLength: 60 });
    const outcomes = { response: 0, error: 0 };
    await fc.assert(
      fc.asyncProperty(mishaps, sizes, apdus, responses, async (list, ifsc, apdu, response) => {
        const card = new T1Card({ ifsc, extensions: 1, respond: () => response });
        const link = new T1Link((block) => Promise.resolve(card.transfer(block)), ifsc, 64, false);
        card.mishaps = [...list];

        const outcome = await link.exchange(apdu, patience()).catch((error: unknown) => error);
        if (outcome instanceof Uint8Array) {
          outcomes.response += 1;
          expect(outcome).toEqual(new Uint8Array(response));
          expect(card.executed).toHaveLength(1);
        } else {
          outcomes.error += 1;
          expect(outcome).toMatchObject({ name: 'TransportError', code: 'failed' });
          expect(card.executed.length).toBeLessThanOrEqual(1);
        }

        // On a sound line it is as good as new, unless only a reset of the chip would help.
        card.mishaps = [];
        if (link.broken) return;
        expect(await link.exchange(apdu, patience())).toEqual(new Uint8Array(response));
      }),
      { numRuns: 500 },
    );
    expect(outcomes.response).toBeGreaterThan(50);
    expect(outcomes.error).toBeGreaterThan(50);
  });

  it('ends with any blocks at all, for ever', async () => {
    const numbered = fc.constantFrom(...['00 20 01 aa 8b', '00 60 01 aa cb', '00 00 02 9000 92', '00 40 02 9000 d2']);
    const supervisory = fc.constantFrom(...['00 c3 01 01 c3', '00 c1 01 01 c1', '00 c2 00 c2', '00 e0 00 e0']);
    const receipts = fc.constantFrom(...['00 80 00 80', '00 90 00 90', '00 81 00 81', '00 92 00 92']);
    const block = fc.oneof(
      { arbitrary: fc.oneof(numbered, receipts, supervisory).map(hex), weight: 20 },
      fc.uint8Array({ maxLength: 20 }),
      fc.constant(undefined),
    );
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(block), async (blocks) => {
        let calls = 0;
        const transfer = () => {
          calls += 1;
          const drawn = blocks.next();
          return Promise.resolve(drawn.done === true ? undefined : drawn.value);
        };
        const link = new T1Link(transfer, 3, 254, false);

        for (let exchange = 0; exchange < 3; exchange++) {
          const outcome = await link.exchange(hex('00a4040002a000'), patience()).catch((error: unknown) => error);
          if (!(outcome instanceof Uint8Array)) expect(outcome).toBeInstanceOf(TransportError);
        }

        expect(calls).toBeLessThan(10_000);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['time extensions', '00 c3 01 01 c3', 'timeout'],
    ['empty links of a response', '00 20 00 20', 'malformed'],
  ])('ends with %s for ever', async (_, answer, code) => {
    let calls = 0;
    const transfer = () => {
      calls += 1;
      return Promise.resolve(hex(answer));
    };

    await expect(new T1Link(transfer, 32, 32, false).exchange(command, patience())).rejects.toMatchObject({ code });

    expect(calls).toBeLessThan(600);
  });

  it('ends with a response that never does', async () => {
    let ns = 0;
    const transfer = () => {
      const pcb = ns ? 0x60 : 0x20;
      ns ^= 1;
      return Promise.resolve(Uint8Array.of(0, pcb, 1, 0xaa, pcb ^ 1 ^ 0xaa));
    };

    await expect(new T1Link(transfer, 32, 32, false).exchange(command, patience())).rejects.toMatchObject({
      code: 'malformed',
    });
  });
});
