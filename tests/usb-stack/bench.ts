import { createServer } from 'node:http';
import path from 'node:path';
import { build } from 'vite';
import { listen } from '../demo/listen.ts';
import { repository } from './site.ts';

export interface Bench {
  readonly origin: string;
  close(): Promise<void>;
}

/** An empty page beside src/device as one module, `/discovery.js`: for what the shipped page does not show. */
export async function openBench(): Promise<Bench> {
  const outputs = await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    build: {
      write: false,
      lib: { entry: path.join(repository, 'src/device/discovery.ts'), formats: ['es'], fileName: 'discovery' },
    },
  });
  const [output] = Array.isArray(outputs) ? outputs : [];
  const code = output?.output[0].code;
  if (code === undefined) throw new Error('src/device was not built');
  const server = await listen(
    () =>
      createServer((request, response) => {
        const isModule = request.url === '/discovery.js';
        response.writeHead(200, { 'Content-Type': isModule ? 'text/javascript' : 'text/html' });
        response.end(isModule ? code : '<!doctype html><title>bench</title>');
      }),
    { port: 0, strictPort: true, host: undefined },
  );
  return { origin: new URL(server.url).origin, close: () => server.close() };
}
