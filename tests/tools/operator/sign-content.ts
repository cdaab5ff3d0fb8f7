import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { ContentError, readContent } from '../../../src/guidance/packs/read.ts';
import {
  manifestSchema,
  maxPackBytes,
  readPack,
  verifyPack,
  type Manifest,
} from '../../../src/service/content-pack.ts';
import { KeyFileError, readSigningKey, type SigningKey } from './content-key.ts';
import { readArgs, UsageError, type Console } from './console.ts';

/** Checks content as the page will, and writes pack and manifest. The manifest last: it makes the pack known. */
export async function signContent(args: readonly string[], { out, error }: Console): Promise<number> {
  const { files, values } = readArgs(args, ['kind', 'version', 'key', 'id', 'out', 'url']);
  const [file] = files;
  const { kind, version: written = '', key: keyFile, id: keyId, out: directory } = values;
  if (file === undefined || files.length > 1 || keyFile === undefined || keyId === undefined || directory === undefined)
    throw new UsageError('sign-content needs one FILE, --kind, --version, --key, --id and --out');
  if (kind !== 'guidance' && kind !== 'faq') throw new UsageError('--kind is guidance or faq');
  const version = Number(written);
  if (!/^[1-9]\d{0,9}$/u.test(written) || version > 0x7fff_ffff)
    throw new UsageError('--version is a whole number from 1');

  let content: unknown;
  try {
    content = JSON.parse((await readFile(file, 'utf8')).replace(/^\ufeff/u, ''));
    readContent[kind](content);
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof ContentError)) throw cause;
    error(`${file}: ${cause.message}`);
    error('nothing was written');
    return 1;
  }
  let key: SigningKey;
  try {
    key = readSigningKey(await readFile(keyFile, 'utf8'));
  } catch (cause) {
    if (!(cause instanceof KeyFileError)) throw cause;
    error(`${keyFile}: ${cause.message}`);
    return 1;
  }

  const pack = `${JSON.stringify({ kind, version, publishedAt: new Date().toISOString(), content })}\n`;
  const bytes = new TextEncoder().encode(pack);
  if (bytes.length > maxPackBytes) {
    error(`${file}: ${bytes.length} bytes are too many; at most ${maxPackBytes}`);
    return 1;
  }
  readPack(bytes);
  const manifest: Manifest = {
    kind,
    version,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    size: bytes.length,
    url: values.url ?? `/api/content/${kind}/${version}`,
    signature: Buffer.from(key.sign(bytes)).toString('base64'),
    keyId,
  };
  const asRead = v.safeParse(manifestSchema, manifest);
  if (!asRead.success) throw new UsageError(`--id or --url: ${asRead.issues[0].message}`);
  // With the code of the page: what does not pass here would be refused there.
  await verifyPack(manifest, bytes, { keyId, algorithm: key.algorithm, publicKey: key.spki });

  await mkdir(directory, { recursive: true });
  const packFile = path.join(directory, `${kind}-${version}.json`);
  const manifestFile = path.join(directory, `${kind}.manifest.json`);
  await writeFile(packFile, bytes);
  await writeFile(manifestFile, `${JSON.stringify(manifest, undefined, 2)}\n`);
  out(`${packFile}: serve it, byte for byte, at ${manifest.url}`);
  out(`${manifestFile}: serve it at /api/content/${kind}, after the pack`);
  return 0;
}
