import { createServer as createHttpServer, type Server } from 'node:http';
import path from 'node:path';
import { createServer as createViteServer, type Plugin, type ViteDevServer } from 'vite';
import { answerWith, requestUrl, type RequestHandler } from '../reference-ca/http.ts';
import { openReferenceCa } from '../reference-ca/reference-ca.ts';
import { samplePassword } from '../reference-ca/personalise.ts';
import { listen } from './listen.ts';
import { caDirectory, readOptions, repository } from './options.ts';
import { backHandlers } from './server.ts';

/** A service worker left by a build on the same origin would answer from its cache: it is asked to go. */
const unregister = `
navigator.serviceWorker?.getRegistrations().then((all) => all.forEach((registration) => registration.unregister()));
`;
/** And what it finds when it looks for a newer self takes it out by itself. */
const endOfServiceWorker = `
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) await caches.delete(name);
  await self.registration.unregister();
  for (const client of await self.clients.matchAll({ type: 'window' })) await client.navigate(client.url);
})()));
`;

function developmentPage(): Plugin {
  return {
    name: 'casupport:development-page',
    apply: 'serve',
    transformIndexHtml: {
      order: 'pre',
      handler: () => [
        { tag: 'script', children: unregister, injectTo: 'head-prepend' },
        {
          tag: 'script',
          attrs: { type: 'module', src: '/tests/virtual-key/browser.ts' },
          injectTo: 'head-prepend',
        },
      ],
    },
  };
}

const serviceWorkerHandler: RequestHandler = (request, response) => {
  if (requestUrl(request).pathname !== '/sw.js') return Promise.resolve(false);
  response.writeHead(200, { 'Content-Type': 'text/javascript; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(endOfServiceWorker);
  return Promise.resolve(true);
};

/** Vite's own middlewares as the last handler: they answer, or go on to nothing. */
function viteHandler(vite: ViteDevServer): RequestHandler {
  return (request, response) =>
    new Promise((resolve, reject) => {
      response.once('close', () => resolve(true));
      vite.middlewares(request, response, (error: unknown) => {
        if (error instanceof Error) reject(error);
        else resolve(false);
      });
    });
}

const options = readOptions(process.argv.slice(2), process.env, 5173);
const ca = await openReferenceCa({ directory: caDirectory });
// Vite's websocket needs a server before its middlewares exist, and every address gets a server of its own.
const socketServer = createHttpServer();
const vite = await createViteServer({
  root: repository,
  configFile: path.join(repository, 'vite.config.ts'),
  mode: 'demo',
  appType: 'spa',
  plugins: [developmentPage()],
  server: { middlewareMode: true, hmr: { server: socketServer } },
});
const handler = answerWith(
  ...backHandlers(ca, { demo: true, authority: options.authority }),
  serviceWorkerHandler,
  viteHandler(vite),
);
const createServer = (): Server =>
  createHttpServer(handler).on('upgrade', (...upgrade) => socketServer.emit('upgrade', ...upgrade));

const { port, strictPort, host } = options;
const listening = await listen(createServer, { port, strictPort, host });
const stop = async (): Promise<void> => {
  await vite.close();
  await listening.close();
  await ca.close();
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());

console.log(
  `开发服务器，虚拟 USBKEY 的密码是 ${samplePassword}。 Development server; the virtual USBKEY's password is ${samplePassword}.`,
);
console.log(listening.url);
