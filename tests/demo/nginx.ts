import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repository } from './options.ts';

export const exampleFile = path.join(repository, 'tests/deploy/nginx.conf');

/** A site that nginx serves. */
export interface Front {
  /** Tells its names in the configuration from those of another site; a-z. */
  readonly name: string;
  readonly port: number;
  /** The built site. */
  readonly root: string;
  /** Where everything is that is no file, on this machine. */
  readonly backPort: number;
}

/** @throws RangeError unless the text is there */
function replaced(text: string, what: RegExp, by: string): string {
  if (!what.test(text)) throw new RangeError(`nginx.conf has no ${what.source}`);
  return text.replace(what, by);
}

const proxied = (location: string, upstream: string): string =>
  `    location ${location} {\n        proxy_pass http://${upstream};\n        proxy_http_version 1.1;\n        proxy_hide_header X-Content-Type-Options;\n    }\n`;

/**
 * The example for operators with what an operator has to change changed: places, ports, and no TLS, which browsers do without
 * on this machine. What the reference server makes up, /config.json and /demo/, is asked of it too.
 * @throws RangeError when the example is not what it was
 */
export function siteOf(example: string, { name, port, root, backPort }: Front): string {
  let text = replaced(example, /server \{\s*listen 80;[^}]*\}\n/, '');
  text = replaced(text, /listen 443 ssl;/, `listen 127.0.0.1:${port};`);
  text = replaced(text, /listen \[::\]:443 ssl;/, `listen [::1]:${port};`);
  text = replaced(text, /server_name casupport\.example;/, 'server_name localhost;');
  text = replaced(text, /(?: +ssl_\w+ [^;]+;\n)+/, '');
  text = replaced(text, /root [^;]+;/, `root ${JSON.stringify(root)};`);
  text = replaced(text, /127\.0\.0\.1:8081/, `127.0.0.1:${backPort}`);
  text = replaced(text, /127\.0\.0\.1:8082/, `127.0.0.1:${backPort}`);
  const more = proxied('= /config.json', 'casupport_service') + proxied('^~ /demo/', 'casupport_service');
  text = replaced(text, /(?=^ {4}location \^~ \/api\/)/m, more);
  return text.replaceAll('casupport_', `${name}_`);
}

/** What the package's own nginx.conf says around such files, with everything nginx writes in one directory. */
function mainOf(sites: string, directory: string): string {
  const kept = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr warn;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log off;
    sendfile on;
${kept.map((what) => `    ${what}_temp_path ${directory}/${what};`).join('\n')}
${sites}
}
`;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });

/**
 * Runs nginx in front of built sites until it is closed.
 * @throws Error when it ends at once: there is none, the configuration is wrong, or a port is taken
 */
export async function startNginx(fronts: readonly Front[]): Promise<{ close(): Promise<void> }> {
  const directory = await mkdtemp(path.join(tmpdir(), 'nginx-'));
  const file = path.join(directory, 'nginx.conf');
  const example = await readFile(exampleFile, 'utf8');
  await writeFile(file, mainOf(fronts.map((front) => siteOf(example, front)).join('\n'), directory));
  const child = spawn('nginx', ['-p', directory, '-c', file], { stdio: ['ignore', 'inherit', 'inherit'] });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`nginx has ended with ${code ?? 'a signal'}`)));
  });
  const listens = async (): Promise<void> => {
    while (child.exitCode === null && !(await answers(fronts[0]?.port ?? 0)));
  };
  try {
    await Promise.race([listens(), failed]);
  } catch (error) {
    await rm(directory, { recursive: true });
    throw error;
  }
  failed.catch(() => undefined);
  return {
    close: async () => {
      child.kill('SIGTERM');
      await ended(child);
      await rm(directory, { recursive: true });
    },
  };
}
