import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { chromium } from 'playwright';
import { build } from 'vite';
import { chromiumArgs, findChromium } from '../tools/browser.mjs';
import { median, type Measure, type Row } from './measure.ts';

/** The page's script, as the site's own build would make it. */
async function script(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    define: { __DEMO__: 'false', __BUILD_ID__: '"bench"' },
    build: {
      write: false,
      target: ['chrome109'],
      rolldownOptions: {
        input: path.join(import.meta.dirname, 'page/centres.ts'),
        output: { format: 'iife', codeSplitting: false },
      },
    },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((one) => ('output' in one ? one.output : []));
  const [chunk] = outputs.filter((one) => one.type === 'chunk');
  if (!chunk) throw new Error('nothing was built');
  return chunk.code;
}

export const centresLoad: Measure = {
  name: 'centres',
  title: 'a list of service centres out of IndexedDB in Chromium',
  run: async () => {
    const code = await script();
    const server = createServer(({ url }, response) => {
      const isScript = url === '/bench.js';
      response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
      response.end(isScript ? code : '<!doctype html><script src="/bench.js"></script>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const executablePath = findChromium();
    const browser = await chromium.launch({ ...(executablePath && { executablePath }), args: chromiumArgs });
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      const rows: Row[] = [];
      for (const count of [23, 1000, 10_000]) {
        const { read, checked } = await page.evaluate(([many, rounds]) => window.loadCentres(many, rounds), [
          count,
          count > 5000 ? 15 : 60,
        ] as const);
        const figures = { 'out of IndexedDB': median(read), 'and checked': median(checked) };
        rows.push({ name: `${count} centres`, unit: 'ms', figures, goals: [] });
      }
      return rows;
    } finally {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  },
};
