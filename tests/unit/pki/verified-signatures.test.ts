import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { signatureOidFor } from '../../../src/pki/algorithms.ts';
import { concat } from '../../../src/pki/bytes.ts';
import { verifySignature, type SignatureToVerify } from '../../../src/pki/signature.ts';
import { VerifiedSignatures } from '../../../src/pki/verified-signatures.ts';
import { changed, makeKey } from './hierarchy.ts';

/** Remembers, and counts what it had to verify. */
function counting(limit?: number): { readonly signatures: VerifiedSignatures; readonly verified: SignatureToVerify[] } {
  const verified: SignatureToVerify[] = [];
  const signatures = new VerifiedSignatures(limit, (claim) => {
    verified.push(claim);
    return verifySignature(claim);
  });
  return { signatures, verified };
}

const message = new TextEncoder().encode('一段签过名的话');
let claim: SignatureToVerify;
let claims: readonly SignatureToVerify[];
beforeAll(async () => {
  const key = await makeKey('sm2');
  const make = async (text: Uint8Array): Promise<SignatureToVerify> => ({
    spki: key.spki,
    algorithm: signatureOidFor('sm2'),
    message: text,
    signature: await key.sign(text),
  });
  claim = await make(message);
  claims = await Promise.all([1, 2, 3].map((byte) => make(Uint8Array.of(byte))));
});

describe('VerifiedSignatures', () => {
  it('verifies once what is asked again, by value', async () => {
    const { signatures, verified } = counting();
    await expect(signatures.verify(claim)).resolves.toBe(true);
    const copy = { ...claim, spki: concat(claim.spki), message: concat(message), signature: concat(claim.signature) };
    await expect(signatures.verify(copy)).resolves.toBe(true);
    expect(verified).toHaveLength(1);
  });

  it('never takes a claim with a changed byte for the one it knows', async () => {
    const { signatures, verified } = counting();
    await signatures.verify(claim);
    const parts = ['spki', 'message', 'signature'] as const;
    let asked = 1;
    for (const part of parts) {
      for (const index of claim[part].keys()) {
        await expect(signatures.verify({ ...claim, [part]: changed(claim[part], index) })).resolves.toBe(false);
        expect(verified).toHaveLength(++asked);
      }
    }
  });

  it('never takes a claim whose bytes stand elsewhere, or that is for another purpose, for the one it knows', async () => {
    const { signatures, verified } = counting();
    await signatures.verify(claim);
    const shifted = { ...claim, spki: concat(claim.spki, message.subarray(0, 1)), message: message.subarray(1) };
    await expect(signatures.verify(shifted)).resolves.toBe(false);
    await expect(signatures.verify({ ...claim, algorithm: signatureOidFor('p256') })).resolves.toBe(false);
    await signatures.verify({ ...claim, acceptSha1For: 'identification' });
    expect(verified).toHaveLength(4);
  });

  it('asks again about what did not verify', async () => {
    const { signatures, verified } = counting();
    const wrong = { ...claim, signature: changed(claim.signature, -1) };
    await expect(signatures.verify(wrong)).resolves.toBe(false);
    await expect(signatures.verify(wrong)).resolves.toBe(false);
    expect(verified).toHaveLength(2);
  });

  it('keeps the last used and no more', async () => {
    const { signatures, verified } = counting(2);
    const [a, b, c] = claims;
    if (!a || !b || !c) throw new Error('three claims expected');
    for (const one of [a, b, a, c, a]) await signatures.verify(one);
    expect(verified.map((one) => one.message)).toEqual([a.message, b.message, c.message]);
    await signatures.verify(b);
    expect(verified).toHaveLength(4);
  });

  it('says what verifySignature says, whatever is asked and in whatever order', async () => {
    const { signatures } = counting(2);
    const any = fc.record({
      which: fc.nat(2),
      part: fc.constantFrom('spki', 'message', 'signature', undefined),
      at: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(any, { maxLength: 6 }), async (questions) => {
        for (const { which, part, at } of questions) {
          const whole = claims[which] ?? claim;
          const asked = part ? { ...whole, [part]: changed(whole[part], at % whole[part].length) } : whole;
          await expect(signatures.verify(asked)).resolves.toBe(part === undefined);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('verifies the bytes it was given, even if they are written to meanwhile', async () => {
    const { signatures } = counting();
    const bytes = changed(claim.signature, -1);
    const answer = signatures.verify({ ...claim, signature: bytes });
    bytes.set(claim.signature);
    await expect(answer).resolves.toBe(false);
  });
});
