import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { buildActivate, buildFakeUsb } from './build-native.ts';
import { ensureCompiler, ensureSmartCards } from './ensure.mjs';
import { activateFile, libraryFile, repository, siteDirectory } from './site.ts';

/** Builds what the suite stands on: the page as it is shipped, and the library in place of the kernel's USB. */
export default function setUp(): void {
  if (!ensureCompiler()) throw new Error('no C compiler');
  buildFakeUsb(libraryFile);
  buildActivate(activateFile);
  ensureSmartCards();
  const vite = path.join(repository, 'node_modules/vite/bin/vite.js');
  const built = spawnSync(
    process.execPath,
    [vite, 'build', '--mode', 'production', '--logLevel', 'warn', '--outDir', siteDirectory, '--emptyOutDir'],
    { cwd: repository, stdio: 'inherit' },
  );
  if (built.status !== 0) throw new Error('the production build failed');
}
