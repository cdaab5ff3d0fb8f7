import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import documents from '../../fuzz/corpus/documents.json' with { type: 'json' };
import { contentPackTarget, joinOffer } from '../../fuzz/content-pack-target.ts';
import { runSlice } from '../../fuzz/slice.ts';
import { makePack, newSigner } from '../service/pack-maker.ts';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

function offered(kind: 'guidance' | 'faq', content: unknown, spki?: Uint8Array): Uint8Array<ArrayBuffer> {
  const signer = newSigner('k1');
  const { manifest, bytes: pack } = makePack(signer, kind, 3, content);
  const pinned = spki ?? signer.pinned.publicKey;
  return joinOffer({ ...{ kind, pack, algorithm: 'ed25519', current: 0, spki: pinned }, manifest: bytes(manifest) });
}
const sources = [
  ...documents.guidanceContent.map((content) => ['guidance', content] as const),
  ...documents.faqContent.map((content) => ['faq', content] as const),
];

describe('content packs in the fuzzer', () => {
  it.each(sources)('takes what its mutants are made of: %s', async (kind, content) => {
    expect(await contentPackTarget().run(offered(kind, content))).toBe('accepted');
  });

  it('keeps apart what another key has signed', async () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const another = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
    const target = contentPackTarget();
    const input = offered('guidance', {}, another);

    expect(await target.run(input)).toBe('rejected');
    expect(target.fate?.(input)).toBe('given\tsignature');
    expect(target.gate?.passes(input)).toBe(false);
  });

  it('gets most mutants past the signature, and by every way it makes them', async () => {
    const { findings, passed, count, tally } = await runSlice(contentPackTarget(), 20_261_122, 0, 300);

    expect(findings).toEqual([]);
    expect(passed / count).toBeGreaterThan(0.5);
    const came = new Set(Array.from(tally.keys(), (fate) => fate.split('\t')[1]));
    for (const fate of ['taken', 'content', 'envelope', 'signature', 'manifest', 'olderVersion']) {
      expect(came).toContain(fate);
    }
  }, 60_000);
});
