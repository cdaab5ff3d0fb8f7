import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { ContentKey } from '../../../src/service/content-key.ts';
import type { Manifest } from '../../../src/service/content-pack.ts';

export interface Signer {
  readonly pinned: ContentKey;
  readonly privateKey: KeyObject;
}

/** A key of node:crypto, which the code under test knows nothing of. */
export function newSigner(keyId: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  return { pinned: { keyId, algorithm: 'ed25519', publicKey: spki }, privateKey };
}

export interface MadePack {
  readonly manifest: Manifest;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function makePack(
  { pinned, privateKey }: Signer,
  kind: 'guidance' | 'faq',
  version: number,
  content: unknown,
): MadePack {
  const text = JSON.stringify({ kind, version, publishedAt: '2026-11-22T08:00:00+08:00', content });
  const bytes = new TextEncoder().encode(text);
  return {
    bytes,
    manifest: {
      kind,
      version,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      size: bytes.length,
      url: `/api/content/${kind}/${version}`,
      signature: sign(null, bytes, privateKey).toString('base64'),
      keyId: pinned.keyId,
    },
  };
}
