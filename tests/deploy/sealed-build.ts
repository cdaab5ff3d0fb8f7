import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Plugin, ResolvedConfig } from 'vite';

/** All files below a folder, as paths with `/` relative to it, in the order of their UTF-16 units on every machine. */
export async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}

/**
 * Gives the tags of index.html that name files of `assets/` the hash those must have (Subresource Integrity, W3C): a file
 * changed behind the page's back is not run. What is imported later cannot be named so; the service worker's list and
 * SHA256SUMS cover it.
 */
export async function withIntegrity(html: string, read: (name: string) => Promise<Uint8Array>): Promise<string> {
  let sealed = '';
  let end = 0;
  for (const tag of html.matchAll(/<(?:script|link)\b[^>]*?\b(?:src|href)="\/(assets\/[^"]+)"[^>]*?(?=\s*\/?>)/gu)) {
    const [text, name = ''] = tag;
    const hash = createHash('sha384')
      .update(await read(name))
      .digest('base64');
    sealed += `${html.slice(end, tag.index)}${text} integrity="sha384-${hash}"`;
    end = tag.index + text.length;
  }
  return sealed + html.slice(end);
}

/** Seals index.html once its files are written, and before the service worker hashes it. */
export function integrity(): Plugin {
  let config: ResolvedConfig;
  return {
    name: 'casupport:integrity',
    apply: 'build',
    enforce: 'post',
    configResolved(resolved) {
      config = resolved;
    },
    async writeBundle() {
      const directory = path.resolve(config.root, config.build.outDir);
      const page = path.join(directory, 'index.html');
      const read = (name: string): Promise<Uint8Array> => readFile(path.join(directory, name));
      await writeFile(page, await withIntegrity(await readFile(page, 'utf8'), read));
    },
  };
}

export const checksumsName = 'SHA256SUMS';

/** Ends the build with the SHA-256 of every file but the operator's own, for `sha256sum --check SHA256SUMS`. */
export function checksums(): Plugin {
  let config: ResolvedConfig;
  return {
    name: 'casupport:checksums',
    apply: 'build',
    enforce: 'post',
    configResolved(resolved) {
      config = resolved;
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        const directory = path.resolve(config.root, config.build.outDir);
        const lines: string[] = [];
        for (const name of await filesBelow(directory)) {
          if (name === checksumsName || name === 'config.json') continue;
          const hash = createHash('sha256').update(await readFile(path.join(directory, name)));
          lines.push(`${hash.digest('hex')}  ${name}\n`);
        }
        await writeFile(path.join(directory, checksumsName), lines.join(''));
      },
    },
  };
}
