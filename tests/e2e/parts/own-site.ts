import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { listen } from '../../demo/listen.ts';
import { backHandlers } from '../../demo/server.ts';
import { staticFiles } from '../../demo/static-files.ts';
import { answerWith } from '../../reference-ca/http.ts';
import { openReferenceCa } from '../../reference-ca/reference-ca.ts';

/** The production build on a server of its own, on which it can be put anew. */
export interface OwnSite {
  readonly origin: string;
  /** Puts another build there: its service worker is another one. */
  readonly publish: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function siteOfItsOwn(): Promise<OwnSite> {
  const directory = await mkdtemp(path.join(tmpdir(), 'site-'));
  await cp(path.resolve(import.meta.dirname, '../../../dist'), directory, { recursive: true });
  const ca = await openReferenceCa();
  const make = () => createServer(answerWith(...backHandlers(ca, { demo: true }), staticFiles(directory)));
  const server = await listen(make, { port: 0, strictPort: true, host: '127.0.0.1' });
  return {
    origin: new URL(server.url).origin,
    publish: async () => {
      const script = path.join(directory, 'sw.js');
      await writeFile(script, `${await readFile(script, 'utf8')}\n// another build\n`);
    },
    close: async () => {
      await server.close();
      await ca.close();
      await rm(directory, { recursive: true });
    },
  };
}
