import * as v from 'valibot';
import { fromBase64, toHex, type Bytes } from '../pki/bytes.ts';
import type { PackKind } from '../storage/database.ts';
import { verifyContent, type ContentKey } from './content-key.ts';
import { momentSchema } from './slot.ts';

/** The largest pack that is fetched, in bytes: tens of thousands of questions in two languages. */
export const maxPackBytes = 64 * 1024 * 1024;

const refusals = [
  /** The manifest is not one, or of another kind. */
  'manifest',
  'olderVersion',
  'unknownKey',
  /** The pack could not be fetched, though the manifest names it. */
  'missing',
  /** Shorter or longer than the manifest says. */
  'size',
  'hash',
  'signature',
  /** Signed, but no pack, or not the one that the manifest announces. */
  'envelope',
  /** Signed, but its content is not as this version of the site can show it. */
  'content',
] as const;
/** Why a pack is not taken; the operator is told, and nothing changes. */
export type PackRefusal = (typeof refusals)[number];
export const isPackRefusal = (value: string): value is PackRefusal => (refusals as readonly string[]).includes(value);

export class PackError extends Error {
  override readonly name = 'PackError';
  readonly reason: PackRefusal;
  /** Of the pack that was announced, where that much could be read. */
  readonly version: number | undefined;
  constructor(reason: PackRefusal, version: number | undefined, detail?: string, options?: ErrorOptions) {
    super(`content pack ${version ?? ''}: ${detail ?? reason}`, options);
    this.reason = reason;
    this.version = version;
  }
}

const kindSchema = v.picklist(['guidance', 'faq']);
const versionSchema = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0x7fff_ffff));

export const manifestSchema = v.object({
  kind: kindSchema,
  version: versionSchema,
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits')),
  size: v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(maxPackBytes)),
  url: v.pipe(v.string(), v.maxLength(500), v.regex(/^\/(?![/\\])/, 'must be a path on this origin')),
  signature: v.pipe(v.string(), v.maxLength(200), v.base64()),
  keyId: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,64}$/)),
});
export type Manifest = v.InferOutput<typeof manifestSchema>;

const packSchema = v.strictObject({
  kind: kindSchema,
  version: versionSchema,
  publishedAt: momentSchema,
  content: v.unknown(),
});
/** What a pack says, its content not yet looked at. */
export type Pack = v.InferOutput<typeof packSchema>;

/**
 * Reads a pack's JSON.
 * @throws PackError `envelope`
 */
export function readPack(bytes: Uint8Array): Pack {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const result = v.safeParse(packSchema, JSON.parse(text));
    if (result.success) return result.output;
  } catch {
    // Neither UTF-8 nor JSON: told below.
  }
  throw new PackError('envelope', undefined);
}

/**
 * The key a manifest names, if its pack is newer than what is in use.
 * @param current version in use; 0 is the site's own content
 * @returns undefined when the pack is the one in use
 * @throws PackError `manifest`, `olderVersion`, `unknownKey`
 */
export function keyForNewer(
  manifest: Manifest,
  kind: PackKind,
  current: number,
  keys: readonly ContentKey[],
): ContentKey | undefined {
  const { version, keyId } = manifest;
  if (manifest.kind !== kind) throw new PackError('manifest', version, `${manifest.kind} instead of ${kind}`);
  if (version === current) return undefined;
  if (version < current) throw new PackError('olderVersion', version, `version ${current} is in use`);
  const key = keys.find((candidate) => candidate.keyId === keyId);
  if (!key) throw new PackError('unknownKey', version, `key ${keyId} is not pinned`);
  return key;
}

/**
 * Checks that bytes are the pack a manifest announces, signed by that key: size, SHA-256, signature over the exact bytes,
 * and only then what they say.
 * @throws PackError `size`, `hash`, `signature`, `envelope`
 */
export async function verifyPack(manifest: Manifest, bytes: Bytes, key: ContentKey): Promise<Pack> {
  const { version } = manifest;
  if (bytes.length !== manifest.size) throw new PackError('size', version, `${bytes.length} bytes of ${manifest.size}`);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  if (toHex(hash) !== manifest.sha256) throw new PackError('hash', version);
  if (!(await verifyContent(key, fromBase64(manifest.signature), bytes))) throw new PackError('signature', version);
  let pack: Pack;
  try {
    pack = readPack(bytes);
  } catch (cause) {
    throw new PackError('envelope', version, undefined, { cause });
  }
  if (pack.kind !== manifest.kind || pack.version !== version)
    throw new PackError('envelope', version, `it says ${pack.kind} ${pack.version}`);
  return pack;
}
