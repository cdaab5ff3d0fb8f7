import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/pki/bytes.ts';
import { assertDer } from '../../../src/pki/der.ts';
import { openAcceptanceTarget } from '../../fuzz/acceptance-target.ts';
import { copyTree, readTree, writeTree } from '../../fuzz/der-tree.ts';
import { costly } from '../../fuzz/orders.ts';
import { readCorpus } from '../../fuzz/parser-targets.ts';
import { Random } from '../../fuzz/random.ts';
import { reduce } from '../../fuzz/reduce.ts';
import { mutant, runSlice } from '../../fuzz/slice.ts';
import type { Target } from '../../fuzz/target.ts';
import { readingTargets } from '../../fuzz/targets.ts';

const targets = readingTargets();
const seed = 20_261_122;

describe('every reader of bytes from outside', () => {
  it.each(targets.map((target) => [target.name, target] as const))(
    '%s returns a value or its own error for every mutant',
    async (name, target) => {
      const mutants = costly.includes(name) ? 15 : 60;

      const { findings, count } = await runSlice(target, seed, 0, mutants);

      expect(findings).toEqual([]);
      expect(count).toBe(mutants);
    },
    60_000,
  );

  it('takes what the mutants are made of', async () => {
    const corpus = readCorpus();
    const reads = {
      certificate: 'certificate',
      csr: 'csr',
      cmp: 'cmp',
      crmf: 'crmf',
      name: 'name',
      crl: 'crl',
    } as const;
    for (const [kind, name] of Object.entries(reads)) {
      const target = targets.find((candidate) => candidate.name === name);
      const outcomes = await Promise.all(
        corpus[kind as keyof typeof reads].map(async (input) => await target?.run(input)),
      );

      expect(outcomes.filter((outcome) => outcome === 'accepted').length, kind).toBeGreaterThan(0);
    }
  });

  it('makes the same mutant from the same number, and another from another', () => {
    for (const target of targets) {
      const [first, again, other] = [mutant(target, seed, 7), mutant(target, seed, 7), mutant(target, seed, 8)];

      expect(again, target.name).toEqual(first);
      expect(other, target.name).not.toEqual(first);
    }
  });
});

describe('answers that the authority itself signs and protects', () => {
  let target: Target;
  beforeAll(async () => {
    target = await openAcceptanceTarget();
  }, 60_000);

  it('are stopped by the check that is meant for them, or say what the right answer says', async () => {
    const { findings, accepted, rejected, passed, count, tally } = await runSlice(target, seed, 0, 40);

    expect(findings.map(({ what }) => what)).toEqual([]);
    expect(accepted + rejected).toBe(count);
    expect(passed / count).toBeGreaterThan(0.3);
    expect([...tally.values()].reduce((sum, fate) => sum + fate, 0)).toBe(count);
  }, 60_000);
});

describe('the fuzzer', () => {
  const broken = (run: Target['run']): Target => ({
    name: 'broken',
    mutate: (random: Random) => random.bytes(40),
    run,
  });

  it('reports an error that is not of the room, with a smaller input that still does it', async () => {
    const target = broken((input) => {
      if (input.some((byte) => byte > 0xf0)) throw new TypeError('oh');
      return 'accepted';
    });

    const { findings } = await runSlice(target, 1, 0, 50);

    expect(findings.length).toBeGreaterThan(0);
    for (const { what, input } of findings) {
      expect(what).toMatch(/^TypeError: oh/u);
      expect(fromHex(input)).toHaveLength(1);
    }
  });

  it('reports an error that does not come again, too', async () => {
    let calls = 0;
    const target = broken(() => {
      calls++;
      if (calls === 3) throw new TypeError('once');
      return 'accepted';
    });

    const { findings } = await runSlice(target, 1, 0, 10);

    expect(findings).toMatchObject([{ index: 2, what: expect.stringMatching(/^TypeError: once/u) as string }]);
  });

  it('counts no more than it was asked for and keeps apart what was taken and what was not', async () => {
    const target = broken((input) => ((input[0] ?? 0) < 0x80 ? 'accepted' : 'rejected'));

    const { count, accepted, rejected, findings } = await runSlice(target, 1, 10, 60);

    expect([count, accepted + rejected, findings]).toEqual([50, 50, []]);
    expect(Math.min(accepted, rejected)).toBeGreaterThan(0);
  });

  it('reduces DER to what matters', async () => {
    const der = fromHex('3010020101300602010202010304030a0b0c');
    const holdsTen = (input: Uint8Array) => Promise.resolve(toHex(input).includes('0a0b'));

    expect(toHex(await reduce(der, holdsTen))).toBe('0a0b');
  });

  it('reads a value into a tree and writes the same bytes', () => {
    for (const der of Object.values(readCorpus()).flat()) {
      const tree = readTree(der);

      expect(toHex(writeTree(copyTree(tree)))).toBe(toHex(der));
      expect(() => assertDer(writeTree(tree))).not.toThrow();
    }
  });

  it('draws evenly enough from any seed', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (a, b) => {
        const random = new Random(a, b, 0);
        const seen = new Set(Array.from({ length: 200 }, () => random.below(8)));

        expect(seen.size).toBe(8);
      }),
      { numRuns: 30 },
    );
  });
});
