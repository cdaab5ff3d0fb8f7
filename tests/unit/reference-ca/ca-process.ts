import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../reference-ca/main.ts', import.meta.url));

/** The authority as a process of its own, on a data directory, that can be killed without warning. */
export class CaProcess {
  readonly url: string;
  /** What it said while starting. */
  readonly words: string;
  readonly #child: ChildProcess;
  private constructor(child: ChildProcess, url: string, words: string) {
    this.#child = child;
    this.url = url;
    this.words = words;
  }

  static start(directory: string): Promise<CaProcess> {
    const args = ['--import', 'tsx', main, '--data', directory, '--port', '0', '--host', '127.0.0.1'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    return new Promise((resolve, reject) => {
      let words = '';
      const hear = (chunk: Buffer): void => {
        words += chunk.toString();
        const url = /^(http:\S+)$/mu.exec(words)?.[1];
        if (url !== undefined) resolve(new CaProcess(child, url, words));
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', () => {
        reject(new Error(`it ended: ${words}`));
      });
    });
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}
