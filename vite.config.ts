import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import { build, type Plugin, type ResolvedConfig } from 'vite';
import { defineConfig } from 'vitest/config';
import { headers } from './tests/deploy/headers.ts';
import { checksums, integrity } from './tests/deploy/sealed-build.ts';
import { chromiumArgs, findHeadless } from './tests/tools/browser.mjs';

/** The last Chrome of Windows 7, still common in the offices this site is for. */
const target = ['chrome109', 'edge109'];

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** Builds src/service-worker.ts as one classic script, `sw.js`, with the list of files to precache baked in. */
function serviceWorker(): Plugin {
  let config: ResolvedConfig;
  return {
    name: 'casupport:service-worker',
    apply: 'build',
    enforce: 'post',
    configResolved(resolved) {
      config = resolved;
    },
    async closeBundle() {
      const outDir = path.resolve(config.root, config.build.outDir);
      const precache: { url: string; revision: string | null }[] = [];
      for (const file of (await filesBelow(outDir)).sort()) {
        const url = `/${path.relative(outDir, file).split(path.sep).join('/')}`;
        // config.json and the operator's content are network first; the virtual key belongs to the demo only.
        if (/\.map$|^\/(sw\.js|_headers|config\.json|openapi\.yaml|virtual-key\.js|screenshots\/.*)$/.test(url))
          continue;
        const revision = url.startsWith('/assets/')
          ? null
          : createHash('sha256')
              .update(await readFile(file))
              .digest('hex')
              .slice(0, 16);
        precache.push({ url, revision });
      }
      await build({
        configFile: false,
        root: config.root,
        logLevel: 'warn',
        publicDir: false,
        define: {
          __WB_MANIFEST__: JSON.stringify(precache),
          __DEMO__: JSON.stringify(config.mode === 'demo'),
          'process.env.NODE_ENV': '"production"',
        },
        build: {
          outDir,
          emptyOutDir: false,
          target,
          rolldownOptions: {
            input: path.resolve(config.root, 'src/service-worker.ts'),
            output: { format: 'iife', entryFileNames: 'sw.js', codeSplitting: false },
          },
        },
      });
      config.logger.info(`service worker: ${precache.length} files precached`);
    },
  };
}

function headersFile(): Plugin {
  return {
    name: 'casupport:headers',
    apply: 'build',
    generateBundle() {
      const lines = [
        '/*',
        ...Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`),
        '/assets/*',
        '  Cache-Control: public, max-age=31536000, immutable',
        '/sw.js',
        '  Cache-Control: no-cache',
        '',
      ];
      this.emitFile({ type: 'asset', fileName: '_headers', source: lines.join('\n') });
    },
  };
}

/** Demo only: builds the virtual USBKEY as a script of its own and puts it ahead of the application. */
function virtualKey(): Plugin {
  let config: ResolvedConfig;
  return {
    name: 'casupport:virtual-key',
    apply: 'build',
    configResolved(resolved) {
      config = resolved;
    },
    transformIndexHtml: () => [{ tag: 'script', attrs: { src: '/virtual-key.js' }, injectTo: 'head-prepend' }],
    async closeBundle() {
      await build({
        configFile: false,
        root: config.root,
        logLevel: 'warn',
        publicDir: false,
        build: {
          outDir: path.resolve(config.root, config.build.outDir),
          emptyOutDir: false,
          target,
          rolldownOptions: {
            input: path.resolve(config.root, 'tests/virtual-key/browser.ts'),
            output: { format: 'iife', entryFileNames: 'virtual-key.js', codeSplitting: false },
          },
        },
      });
    },
  };
}

const executablePath = process.env['VITEST'] ? findHeadless() : undefined;

/** What every page has, with all that it needs. */
const shell =
  /\/src\/(?:app\/(?:i18n|components\/(?:Page|Icon)|state\/site)|guidance\/(?:text|hotlines))(?:\.svelte)?(?:\.ts)?$/;

export default defineConfig(({ mode }) => ({
  plugins: [
    svelte({ configFile: false }),
    headersFile(),
    ...(mode === 'demo' ? [virtualKey()] : []),
    integrity(),
    serviceWorker(),
    checksums(),
  ],
  define: {
    __BUILD_ID__: JSON.stringify(process.env['BUILD_ID'] ?? 'dev'),
    __DEMO__: JSON.stringify(mode === 'demo'),
  },
  build: {
    target,
    outDir: mode === 'demo' ? 'node_modules/.cache/demo' : 'dist',
    emptyOutDir: true,
    sourcemap: mode !== 'demo',
    modulePreload: { polyfill: false },
    // How long the plugins took is of no use to somebody who wants to see the site.
    rolldownOptions: {
      checks: { bundlerTimings: false },
      output: {
        // In one file it is smaller, and it is fetched together anyway.
        codeSplitting: { groups: [{ name: 'shell', test: shell }] },
      },
    },
  },
  preview: { headers, port: 4173, strictPort: true },
  test: {
    // Guards against a test that hangs, never a measure of speed: the machine may be slow, and RSA keys take what they take.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          environment: 'node',
          include: ['tests/unit/**/*.test.ts'],
          maxWorkers: availableParallelism(),
        },
      },
      {
        extends: true,
        test: {
          name: 'interop',
          environment: 'node',
          include: ['tests/interop/**/*.test.ts'],
          fileParallelism: false,
        },
      },
      {
        extends: true,
        optimizeDeps: { include: ['svelte', 'vitest-browser-svelte', 'minisearch', 'valibot'] },
        test: {
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { ...(executablePath ? { executablePath } : {}), args: chromiumArgs },
            }),
            instances: [{ browser: 'chromium' as const }],
          },
        },
      },
    ],
  },
}));
