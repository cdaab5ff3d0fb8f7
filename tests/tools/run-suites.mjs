// @ts-check
// Runs test suites one after another and ends with one plain line of real totals, taken from the runners' own reports.
//   node tests/tools/run-suites.mjs [--require] unit browser e2e interop usb faults
// --require (or CI=true): a suite whose program cannot be had fails instead of being skipped aloud.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureCompiler, ensureDisplay } from '../usb-stack/ensure.mjs';
import { findChromium } from './browser.mjs';
import { ensureBrowser, ensureOpenssl } from './ensure.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const reports = path.join(root, 'node_modules/.cache/test-reports');
const strict = process.argv.includes('--require') || process.env['CI'] === 'true';
const suites = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const totals = { passed: 0, failed: 0, skipped: 0 };
/** @type {string[]} */
const troubles = [];

/** @param {string} script @param {string[]} args @param {Record<string, string>} [env] */
const node = (script, args, env = {}) =>
  spawnSync(process.execPath, [path.join(root, script), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  }).status === 0;

/** @param {string} file */
const readReport = (file) => {
  try {
    return /** @type {unknown} */ (JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
};

/** @param {string} project */
function vitest(project) {
  const file = path.join(reports, `${project}.json`);
  rmSync(file, { force: true });
  const ok = node('node_modules/vitest/vitest.mjs', [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]);
  const report = /** @type {{numPassedTests: number, numFailedTests: number, numPendingTests: number} | undefined} */ (
    readReport(file)
  );
  count(project, ok, report && [report.numPassedTests, report.numFailedTests, report.numPendingTests]);
}

/** @param {string} suite @param {string} config */
function playwright(suite, config) {
  const file = path.join(reports, `${suite}.json`);
  rmSync(file, { force: true });
  const ok = node('node_modules/@playwright/test/cli.js', ['test', '-c', config], {
    PLAYWRIGHT_JSON_OUTPUT_FILE: file,
  });
  const report =
    /** @type {{stats: {expected: number, unexpected: number, flaky: number, skipped: number}} | undefined} */ (
      readReport(file)
    );
  const stats = report?.stats;
  count(suite, ok, stats && [stats.expected, stats.unexpected + stats.flaky, stats.skipped]);
}

function e2e() {
  const built = ['production', 'demo'].every((mode) =>
    node('node_modules/vite/bin/vite.js', ['build', '--logLevel', 'warn', '--mode', mode]),
  );
  if (built) playwright('e2e', 'tests/playwright.config.ts');
  else count('e2e', false, undefined);
}

/** A short slice of the faults, the same every time, and every deliberate defect: each run is one check. */
function faults() {
  const runs = [
    ['--slice', '240'],
    ['--sabotage', 'all'],
  ];
  const good = runs.filter((options) => node('node_modules/tsx/dist/cli.mjs', ['tests/faults/run.ts', ...options]));
  count('faults', good.length === runs.length, [good.length, runs.length - good.length, 0]);
}

/** @param {string} suite @param {boolean} ok @param {number[] | undefined} numbers passed, failed, skipped */
function count(suite, ok, numbers) {
  const [passed = 0, failed = 0, skipped = 0] = numbers ?? [];
  // A runner that died, or that failed without a failing test (an unhandled rejection, a coverage floor), is a failure too.
  const died = !ok && failed === 0;
  const empty = ok && passed === 0;
  totals.passed += passed;
  totals.failed += failed + (died || empty ? 1 : 0);
  totals.skipped += skipped;
  if (strict && skipped > 0) {
    totals.failed += skipped;
    troubles.push(`failed: ${suite}: ${skipped} tests skipped where none may be`);
  }
  if (died) troubles.push(`${suite}: the runner failed outside any test`);
  if (empty) troubles.push(`${suite}: no test ran`);
}

/** @param {string} suite @param {string} what */
function missing(suite, what) {
  if (strict) totals.failed += 1;
  else totals.skipped += 1;
  troubles.push(`${strict ? 'failed' : 'skipped'}: ${suite}: ${what} missing`);
}

mkdirSync(reports, { recursive: true });
const needBrowser = suites.some((suite) => ['browser', 'e2e', 'usb'].includes(suite));
const browser = needBrowser ? await ensureBrowser() : undefined;
for (const suite of suites) {
  console.log(`\n# ${suite}`);
  if (suite === 'unit') vitest('unit');
  else if (suite === 'interop') {
    if (ensureOpenssl()) vitest('interop');
    else missing('interop', 'openssl 3');
  } else if (suite === 'browser' || suite === 'e2e') {
    if (!browser) {
      // Nothing a person asked for may end green without its browser.
      totals.failed += 1;
      troubles.push(`failed: ${suite}: no browser`);
    } else if (suite === 'browser') vitest('browser');
    else e2e();
  } else if (suite === 'faults') faults();
  else if (suite === 'usb') {
    // Beneath a browser of the system only: the library stands in for the kernel that it was built for.
    if (!findChromium()) missing('usb', 'an installed Chromium');
    else if (!ensureCompiler()) missing('usb', 'a C compiler with the Linux headers');
    else if (!ensureDisplay()) missing('usb', 'Xvfb or xdotool');
    else playwright('usb', 'tests/usb-stack/playwright.config.ts');
  } else {
    console.error(`no such suite: ${suite}`);
    process.exit(2);
  }
}
console.log('');
for (const trouble of troubles) console.log(trouble);
console.log(`${totals.passed} passed, ${totals.failed} failed${totals.skipped ? `, ${totals.skipped} skipped` : ''}`);
process.exit(totals.failed > 0 ? 1 : 0);
