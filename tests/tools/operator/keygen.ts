import { writeFile } from 'node:fs/promises';
import { configRow, contentAlgorithms, newPrivateKey, readSigningKey } from './content-key.ts';
import { readArgs, UsageError, type Console } from './console.ts';

/** Makes a key for content packs: the private one into a new file only its owner reads, the public one as a row to pin. */
export async function keygen(args: readonly string[], { out }: Console): Promise<number> {
  const { files, values } = readArgs(args, ['id', 'out', 'algorithm']);
  const { id, out: target, algorithm: asked = 'ed25519' } = values;
  const algorithm = contentAlgorithms.find((one) => one === asked);
  if (files.length > 0 || id === undefined || target === undefined) throw new UsageError('keygen needs --id and --out');
  if (!/^[A-Za-z0-9._-]{1,64}$/u.test(id)) throw new UsageError('--id has letters, digits, dots and dashes only');
  if (!algorithm) throw new UsageError(`--algorithm is one of ${contentAlgorithms.join(', ')}`);
  const pem = newPrivateKey(algorithm);
  // Never over another key: what it has signed could not be followed by anything.
  await writeFile(target, pem, { mode: 0o600, flag: 'wx' });
  out(`private key written to ${target}; keep it off the server, and a copy of it in a safe`);
  out('add to "contentKeys" in config.json:');
  out(configRow(id, readSigningKey(pem)));
  return 0;
}
