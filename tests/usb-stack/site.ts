import path from 'node:path';
import { listen } from '../demo/listen.ts';
import { createDemoServer } from '../demo/server.ts';
import { staticFiles } from '../demo/static-files.ts';
import { openReferenceCa, type ReferenceCa } from '../reference-ca/reference-ca.ts';

export const repository = path.resolve(import.meta.dirname, '../..');
const cache = path.join(repository, 'node_modules/.cache/usb-stack');
/** The production build, made for this suite alone. */
export const siteDirectory = path.join(cache, 'site');
/** The library that stands in for the kernel's USB. */
export const libraryFile = path.join(cache, 'libfakeusb.so');
/** The program that starts a service with its socket. */
export const activateFile = path.join(cache, 'activate');

export interface Site {
  readonly ca: ReferenceCa;
  readonly origin: string;
  close(): Promise<void>;
}

/** The shipped site with an operator's API and a sample authority behind it, in this process, on a free port. */
export async function openSite(): Promise<Site> {
  const ca = await openReferenceCa();
  const server = await listen(() => createDemoServer(ca, staticFiles(siteDirectory), { demo: false }), {
    port: 0,
    strictPort: true,
    host: undefined,
  });
  return {
    ca,
    origin: new URL(server.url).origin,
    close: async () => {
      await server.close();
      await ca.close();
    },
  };
}
