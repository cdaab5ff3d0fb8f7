import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Measure, Row } from './measure.ts';
import { withSite } from './site-build.ts';

/** What `html` loads before anything is asked for, and what those files import outright. */
async function firstScripts(directory: string, html: string): Promise<ReadonlySet<string>> {
  const found = new Set(Array.from(html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/gu), ([, name]) => name ?? ''));
  for (const name of found) {
    const code = await readFile(path.join(directory, name), 'utf8');
    for (const [, imported] of code.matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/gu))
      found.add(`assets/${imported ?? ''}`);
  }
  return found;
}

export const bundleSizes: Measure = {
  name: 'sizes',
  title: 'what is sent: gzip, source maps left out',
  run: () =>
    withSite('production', async (directory) => {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      const files = new Map<string, number>();
      for (const entry of entries) {
        if (!entry.isFile() || entry.name.endsWith('.map')) continue;
        const file = path.join(entry.parentPath, entry.name);
        const name = path.relative(directory, file).split(path.sep).join('/');
        files.set(name, gzipSync(await readFile(file)).length);
      }
      const sum = (wanted: (name: string) => boolean): number =>
        [...files].reduce((total, [name, size]) => total + (wanted(name) ? size : 0), 0);
      const first = await firstScripts(directory, await readFile(path.join(directory, 'index.html'), 'utf8'));
      const largest = [...files]
        .filter(([name]) => name.endsWith('.js'))
        .sort(([, a], [, b]) => b - a)
        .slice(0, 5);
      const row = (name: string, figures: Readonly<Record<string, number>>): Row => ({
        name,
        unit: 'bytes',
        figures,
        goals: [],
      });
      return [
        row('all files', {
          scripts: sum((name) => name.endsWith('.js')),
          styles: sum((name) => name.endsWith('.css')),
          everything: sum(() => true),
        }),
        row('scripts that the page names', { together: sum((name) => first.has(name)) }),
        row('largest scripts', Object.fromEntries(largest)),
      ];
    }),
};
