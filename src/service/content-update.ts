import type { PackKind, StoredPack } from '../storage/database.ts';
import { dropPacks, keepPackCheck, recallPackCheck, recallPacks, switchPack } from '../storage/packs.ts';
import { clock } from './clock.ts';
import type { ContentKey } from './content-key.ts';
import {
  keyForNewer,
  manifestSchema,
  maxPackBytes,
  PackError,
  readPack,
  verifyPack,
  type Pack,
} from './content-pack.ts';
import { ServiceError } from './errors.ts';
import { askService, checkJson, textOf } from './request.ts';

const packTimeoutMs = 120_000;

/** Checks the content of a pack before it is taken. @throws anything when it does not have its form */
export type CheckContent = (content: unknown) => void;

export type PackOutcome =
  /** A newer pack is in use from the next start of the page. */
  | { readonly outcome: 'switched'; readonly version: number }
  /** What is in use is the newest there is, or the operator publishes none. */
  | { readonly outcome: 'current' }
  /** The network did not answer: nothing is known and nothing has changed. */
  | { readonly outcome: 'unreachable' }
  /** Something was announced that is not taken; nothing has changed. */
  | { readonly outcome: 'refused'; readonly error: PackError };

/**
 * Looks for a newer content pack of a kind, verifies it and makes it the current one. Whatever is wrong with it leaves
 * the one in use where it is, and is kept to be told to the operator.
 * @throws StorageError when it cannot be kept here
 */
export async function updatePack(
  api: string,
  kind: PackKind,
  keys: readonly ContentKey[],
  check: CheckContent,
): Promise<PackOutcome> {
  // A key taken out of the configuration takes what it has signed with it.
  await dropPacks(kind, (keyId) => keys.some((key) => key.keyId === keyId));
  if (keys.length === 0) return { outcome: 'current' };
  const { current } = await recallPacks(kind);
  const last = await recallPackCheck(kind);
  const known = last?.etag !== undefined && current ? { 'If-None-Match': last.etag } : undefined;
  const checkedAt = (): number => clock.now().getTime();
  try {
    const { found, etag } = await look(api, kind, { current, keys, check, ...(known && { headers: known }) });
    const switched = found !== undefined && (await switchPack(kind, { ...found, storedAt: checkedAt() }));
    await keepPackCheck({ kind, checkedAt: checkedAt(), ...(etag !== undefined && { etag }) });
    return switched ? { outcome: 'switched', version: found.version } : { outcome: 'current' };
  } catch (error) {
    if (error instanceof PackError) {
      const { reason, version } = error;
      await keepPackCheck({ kind, checkedAt: checkedAt(), refused: { reason, version } });
      return { outcome: 'refused', error };
    }
    if (!(error instanceof ServiceError)) throw error;
    if (error.status !== 404) return { outcome: 'unreachable' };
    await keepPackCheck({ kind, checkedAt: checkedAt() });
    return { outcome: 'current' };
  }
}

interface Look {
  readonly current: StoredPack | undefined;
  readonly keys: readonly ContentKey[];
  readonly check: CheckContent;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the service announces, verified; `found` is undefined when that is in use already. */
async function look(
  api: string,
  kind: PackKind,
  { current, keys, check, headers }: Look,
): Promise<{ readonly found: Omit<StoredPack, 'storedAt'> | undefined; readonly etag: string | undefined }> {
  const url = `${api}/content/${kind}`;
  const answer = await askService(url, headers && { headers });
  if (answer.status === 304) return { found: undefined, etag: headers?.['If-None-Match'] };
  const etag = answer.headers.get('ETag') ?? undefined;
  const manifest = readManifest(url, answer.body);
  const key = keyForNewer(manifest, kind, current?.version ?? 0, keys);
  if (!key) return { found: undefined, etag };
  const { version, keyId } = manifest;
  const bytes = await fetchPack(manifest);
  const pack = await verifyPack(manifest, bytes, key);
  try {
    check(pack.content);
  } catch (cause) {
    throw new PackError('content', version, cause instanceof Error ? cause.message : undefined, { cause });
  }
  return { found: { version, keyId, bytes }, etag };
}

function readManifest(url: string, body: Uint8Array): ReturnType<typeof checkJson<typeof manifestSchema>> {
  try {
    return checkJson(url, manifestSchema, textOf(url, body));
  } catch (cause) {
    throw new PackError('manifest', undefined, cause instanceof Error ? cause.message : undefined, { cause });
  }
}

/** @throws ServiceError for a network that fails, PackError for a pack that is not there or longer than it may be */
async function fetchPack({ url, version, size }: { url: string; version: number; size: number }) {
  try {
    return (await askService(url, { timeoutMs: packTimeoutMs, maxBytes: Math.min(size, maxPackBytes) })).body;
  } catch (cause) {
    if (!(cause instanceof ServiceError) || cause.code === 'unreachable') throw cause;
    throw new PackError(cause.code === 'malformed' ? 'size' : 'missing', version, cause.message, { cause });
  }
}

/**
 * The content in use: of the current pack, else of the former, checked again since another version of the site may have
 * stored it. Undefined: the site's own.
 */
export async function contentInUse<Content>(
  kind: PackKind,
  read: (content: unknown) => Content,
): Promise<{ readonly pack: Pack; readonly content: Content } | undefined> {
  const { current, former } = await recallPacks(kind);
  for (const stored of [current, former]) {
    if (!stored) continue;
    try {
      const pack = readPack(stored.bytes);
      return { pack, content: read(pack.content) };
    } catch {
      // Of no use to this version: the one before may be.
    }
  }
  return undefined;
}
