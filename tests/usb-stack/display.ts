import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** An X server without a screen. */
export interface Display {
  /** For `DISPLAY`, such as ":1". */
  readonly name: string;
  /** Presses keys one after the other, by their X names. */
  press(...keys: readonly string[]): void;
  close(): Promise<void>;
}

export async function openDisplay(): Promise<Display> {
  // It chooses a free number by itself and writes it to the file descriptor.
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1000x800x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const numbers = server.stdio[3] as Readable;
  let number = '';
  while (!number.includes('\n')) number += String((await once(numbers, 'data'))[0]);
  const name = `:${number.trim()}`;
  const env = { ...process.env, DISPLAY: name };
  return {
    name,
    press: (...keys) => void execFileSync('xdotool', ['key', '--delay', '250', ...keys], { env }),
    close: async () => {
      const exited = once(server, 'exit');
      server.kill();
      await exited;
    },
  };
}
