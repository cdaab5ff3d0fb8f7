import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const repository = path.resolve(import.meta.dirname, '../..');

/** Builds the site into a folder of its own, in a process of its own, and takes it away afterwards. */
export async function withSite<T>(mode: 'production' | 'demo', use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(path.join(tmpdir(), 'casupport-bench-'));
  try {
    const vite = path.join(repository, 'node_modules/vite/bin/vite.js');
    const parameters = ['build', '--mode', mode, '--outDir', directory, '--emptyOutDir', '--logLevel', 'warn'];
    const child = spawn(process.execPath, [vite, ...parameters], {
      cwd: repository,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new Error(`the build ended with ${String(code)}`);
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
