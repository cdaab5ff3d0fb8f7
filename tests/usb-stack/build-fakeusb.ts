import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';

const sources = path.join(import.meta.dirname, 'fakeusb');

/** Compiles the library that stands in for the kernel's USB. @throws Error when it does not compile without a warning */
export function buildFakeUsb(output: string): void {
  mkdirSync(path.dirname(output), { recursive: true });
  const files = readdirSync(sources).filter((name) => name.endsWith('.c'));
  const compiler = spawnSync(
    'cc',
    [
      ...['-std=gnu17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-O2', '-g'],
      ...['-fPIC', '-shared', '-fvisibility=hidden'],
      // The name and version under which a browser looks for libudev: what is loaded already is taken.
      ...['-Wl,-soname,libudev.so.1', '-Wl,--version-script=exports.map'],
      ...['-o', output, ...files, '-lpthread'],
    ],
    { cwd: sources, encoding: 'utf8' },
  );
  if (compiler.error) throw new Error('there is no C compiler `cc`', { cause: compiler.error });
  if (compiler.status !== 0) throw new Error(`the library does not compile:\n${compiler.stderr}`);
}
