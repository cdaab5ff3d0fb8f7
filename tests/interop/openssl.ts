import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Bytes } from '../../src/pki/bytes.ts';

const run = promisify(execFile);

/** OpenSSL 3.0's own default SM2 id is empty: ours has to be named. */
export const sm2Id = 'distid:1234567812345678';

/** A directory of one test file, with openssl working in it. */
export class OpensslDirectory {
  readonly directory: string;
  private constructor(directory: string) {
    this.directory = directory;
  }

  static async make(): Promise<OpensslDirectory> {
    const made = new OpensslDirectory(await mkdtemp(path.join(tmpdir(), 'interop-')));
    await made.write('empty.cnf', '');
    return made;
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  file(name: string): string {
    return path.join(this.directory, name);
  }

  async write(name: string, content: string | Uint8Array): Promise<string> {
    await writeFile(this.file(name), content);
    return name;
  }

  async read(name: string): Promise<Bytes> {
    return new Uint8Array(await readFile(this.file(name)));
  }

  /** Runs openssl here; rejects, with its words, if it ends with an error. */
  async openssl(...args: readonly string[]): Promise<string> {
    // The machine's own configuration must not play a part.
    const env = { ...process.env, OPENSSL_CONF: this.file('empty.cnf') };
    const { stdout, stderr } = await run('openssl', [...args], { cwd: this.directory, env });
    return stdout + stderr;
  }

  /** DER of a PEM certificate. */
  async certificate(name: string): Promise<Bytes> {
    return new Uint8Array(new X509Certificate(await readFile(this.file(name))).raw);
  }

  /** Signs with a PEM key and SHA-256, as a certificate carries it. */
  signer(keyName: string): (message: Uint8Array) => Promise<Bytes> {
    return async (message) => {
      const key = createPrivateKey(await readFile(this.file(keyName)));
      return new Uint8Array(sign('sha256', message, key));
    };
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whether a `fetch` ended because nobody listens. */
function isRefused(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}

/** `openssl cmp` as a mock server. It serves one connection at a time. */
export class MockCmpServer {
  readonly url: string;
  readonly port: number;
  readonly #process: ChildProcess;
  #log = '';

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.port = port;
    this.url = `http://127.0.0.1:${port}/pkix/`;
    const keep = (chunk: Buffer): void => {
      this.#log += chunk.toString();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
  }

  static async start(directory: OpensslDirectory, args: readonly string[]): Promise<MockCmpServer> {
    const port = await freePort();
    const all = ['cmp', '-config', '', '-port', String(port), ...args];
    const child = spawn('openssl', all, { cwd: directory.directory, stdio: ['ignore', 'pipe', 'pipe'] });
    return new MockCmpServer(child, port);
  }

  /**
   * `fetch` to this server. Until it has begun to listen this tries again; a connection only to see whether it does would
   * keep it busy. It keeps a connection to itself until it is closed, so each is closed.
   */
  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set('connection', 'close');
    for (;;) {
      try {
        return await fetch(url, { ...init, headers });
      } catch (error) {
        if (!isRefused(error)) throw error;
        if (this.#hasEnded) throw new Error(`openssl cmp ended: ${this.#log}`, { cause: error });
      }
    }
  };

  /** Resolves once it listens. A connection only to see whether it does would keep it busy: it says so itself. */
  async listening(): Promise<void> {
    while (!this.#log.includes('ACCEPT')) {
      if (this.#hasEnded) throw new Error(`openssl cmp ended: ${this.#log}`);
      await new Promise<void>((resolve) => {
        this.#process.stdout?.once('data', () => {
          resolve();
        });
        this.#process.once('exit', () => {
          resolve();
        });
      });
    }
  }

  get #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** What it has said so far. */
  get log(): string {
    return this.#log;
  }

  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }
}
