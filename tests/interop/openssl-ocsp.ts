import { spawn, type ChildProcess } from 'node:child_process';
import type { OpensslDirectory } from './openssl.ts';

/** `openssl ocsp` as a responder. */
export class OcspResponder {
  readonly #process: ChildProcess;
  readonly #port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.#port = port;
  }

  /** Starts one on a free port; resolves once it listens. */
  static async start(directory: OpensslDirectory, args: readonly string[]): Promise<OcspResponder> {
    const env = { ...process.env, OPENSSL_CONF: directory.file('empty.cnf') };
    const child = spawn('openssl', ['ocsp', '-port', '0', ...args], {
      cwd: directory.directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const port = await new Promise<number>((resolve, reject) => {
      let said = '';
      const hear = (chunk: Buffer): void => {
        said += chunk.toString();
        const [, found] = /^ACCEPT .*:(\d+)\b/mu.exec(said) ?? [];
        if (found !== undefined) resolve(Number(found));
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', () => {
        reject(new Error(`openssl ocsp ended: ${said}`));
      });
    });
    return new OcspResponder(child, port);
  }

  get api(): string {
    return `http://127.0.0.1:${this.#port}/api`;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }
}
