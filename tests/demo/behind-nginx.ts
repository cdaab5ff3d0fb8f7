// The demo and the production build behind nginx as tests/deploy/nginx.conf has it, the reference server behind both.
//   tsx tests/demo/behind-nginx.ts --port N --production-port N     builds are made before
import { openReferenceCa } from '../reference-ca/reference-ca.ts';
import { HttpProblem, type RequestHandler } from '../reference-ca/http.ts';
import { listen } from './listen.ts';
import { startNginx } from './nginx.ts';
import { demoDirectory, productionDirectory, readOptions } from './options.ts';
import { createDemoServer } from './server.ts';

/** The files are not served from here: nginx has them. */
const noFiles: RequestHandler = () => Promise.reject(new HttpProblem(404, 'There is nothing here.'));

const { port, productionPort = port + 1 } = readOptions(process.argv.slice(2), process.env, 4173);
const ca = await openReferenceCa();
const back = (demo: boolean) =>
  listen(() => createDemoServer(ca, noFiles, { demo }), { port: 0, strictPort: true, host: '127.0.0.1' });
const demo = await back(true);
const production = await back(false);
const nginx = await startNginx([
  { name: 'demo', port, root: demoDirectory, backPort: demo.port },
  { name: 'production', port: productionPort, root: productionDirectory, backPort: production.port },
]);
const stop = async (): Promise<void> => {
  await nginx.close();
  await Promise.all([demo.close(), production.close()]);
  await ca.close();
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
console.log(`http://localhost:${port}/`);
