import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';

const strict = ['-std=gnu17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-O2', '-g'];

/** @throws Error when it does not compile without a warning */
function compile(directory: string, output: string, options: readonly string[]): void {
  mkdirSync(path.dirname(output), { recursive: true });
  const compiler = spawnSync('cc', [...strict, '-o', output, ...options], { cwd: directory, encoding: 'utf8' });
  if (compiler.error) throw new Error('there is no C compiler `cc`', { cause: compiler.error });
  if (compiler.status !== 0) throw new Error(`${output} does not compile:\n${compiler.stderr}`);
}

/** Compiles the library that stands in for the kernel's USB. @throws Error when it does not compile without a warning */
export function buildFakeUsb(output: string): void {
  const directory = path.join(import.meta.dirname, 'fakeusb');
  const sources = readdirSync(directory).filter((name) => name.endsWith('.c'));
  // The name and version under which programs look for libudev: what is loaded already is taken.
  const asLibudev = ['-Wl,-soname,libudev.so.1', '-Wl,--version-script=exports.map'];
  compile(directory, output, ['-fPIC', '-shared', '-fvisibility=hidden', ...asLibudev, ...sources, '-lpthread']);
}

/** Compiles the program that starts a service with its socket. @throws Error when it does not compile without a warning */
export function buildActivate(output: string): void {
  compile(import.meta.dirname, output, ['activate.c']);
}
